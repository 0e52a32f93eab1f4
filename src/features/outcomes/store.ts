import type { Database, Sql } from "../../platform/database.js";
import { AppError } from "../../platform/errors.js";
import { epochMs } from "../../platform/sql-epoch.js";
import type { AlertOutcome } from "../alerts/outcomes.js";
import type { MarketName } from "../instruments/store.js";

/** Who says what became of something: TX by a policy, the ledger of an account, or a user. */
export const OUTCOME_SOURCES = ["settled", "paper", "user"] as const;
export type OutcomeSource = (typeof OUTCOME_SOURCES)[number];
export type OutcomePolicy = AlertOutcome["policy"];

/** An outcome to be kept. Times in epoch ms; null for what is not known or has no meaning for the source. */
export interface NewOutcome extends Omit<AlertOutcome, "policy" | "terms" | "ending"> {
  readonly source: OutcomeSource;
  readonly policy: OutcomePolicy | null;
  readonly terms: string | null;
  readonly alertId: number | null;
  readonly userId: string | null;
  readonly accountId: string | null;
  readonly tradeId: string | null;
  readonly instrumentId: number | null;
  readonly symbol: string;
  readonly interval: string | null;
  readonly pattern: string | null;
  readonly strategy: string | null;
  readonly model: string | null;
  readonly direction: number | null;
  readonly ending: string | null;
  /** Decimals as text. */
  readonly quantity: string | null;
  readonly pnl: string | null;
  readonly confidence: number | null;
  readonly durationMin: number | null;
  readonly metadata: unknown;
}

/** What an outcome has where nothing else is said. */
export const NOTHING_SAID = Object.freeze({
  policy: null,
  terms: null,
  alertId: null,
  userId: null,
  accountId: null,
  tradeId: null,
  instrumentId: null,
  interval: null,
  pattern: null,
  strategy: null,
  model: null,
  direction: null,
  ending: null,
  outcome: null,
  reason: null,
  entry: null,
  exit: null,
  enteredAt: null,
  exitedAt: null,
  barsHeld: null,
  costBps: null,
  gain: null,
  r: null,
  mfe: null,
  mae: null,
  ambiguous: false,
  quantity: null,
  pnl: null,
  confidence: null,
  durationMin: null,
  metadata: null,
} satisfies Omit<NewOutcome, "source" | "symbol" | "settledAt">);

/** An alert of one policy, or a trade of one account, has one outcome however often it is written. */
const SAVE = `
insert into outcomes (synthetic, source, policy, terms, alert_id, detection_id, user_id, account_id, trade_id, instrument_id,
  symbol, interval, pattern, strategy, model, direction, ending, outcome, reason, entry, exit, entered_at, exited_at, bars_held,
  cost_bps, gain, r, mfe, mae, ambiguous, quantity, pnl, confidence, duration_min, metadata, settled_at, created_at)
select $1, t.source, t.policy, t.terms, a.id, a.detection_id, t."userId", t."accountId", t."tradeId", t."instrumentId",
  t.symbol, t.interval, t.pattern, t.strategy, t.model, t.direction, t.ending, t.outcome, t.reason, t.entry, t.exit,
  to_timestamp(t."enteredAt" / 1000), to_timestamp(t."exitedAt" / 1000), t."barsHeld", t."costBps", t.gain, t.r, t.mfe, t.mae,
  t.ambiguous, t.quantity, t.pnl, t.confidence, t."durationMin", nullif(t.metadata, 'null'::jsonb),
  to_timestamp(t."settledAt" / 1000), to_timestamp($3::float8 / 1000)
from jsonb_to_recordset($2::jsonb) as t(source text, policy text, terms text, "alertId" bigint, "userId" text, "accountId" uuid,
  "tradeId" text, "instrumentId" int, symbol text, interval text, pattern text, strategy text, model text, direction int,
  ending text, outcome text, reason text, entry float8, exit float8, "enteredAt" float8, "exitedAt" float8, "barsHeld" int,
  "costBps" float8, gain float8, r float8, mfe float8, mae float8, ambiguous boolean, quantity numeric, pnl numeric,
  confidence float8, "durationMin" float8, metadata jsonb, "settledAt" float8)
left join alerts a on a.id = t."alertId"
order by a.id, t.policy desc, t."settledAt", t."tradeId"
on conflict do nothing returning id, policy`;

/**
 * Outcomes of a user on the same alert, or on none and ended at the same moment, and whether they say the same. What a
 * figure is rounded to when it is kept is what it is compared by.
 */
const SAME = `
select o.id, (o.symbol = t.symbol and o.pattern is not distinct from t.pattern and o.outcome is not distinct from t.outcome
    and o.interval is not distinct from t.interval and o.direction is not distinct from t.direction
    and o.gain is not distinct from t.gain and o.entry is not distinct from t.entry and o.exit is not distinct from t.exit
    and o.pnl is not distinct from t.pnl and o.quantity is not distinct from t.quantity
    and o.entered_at is not distinct from to_timestamp(t."enteredAt" / 1000)
    and o.exited_at is not distinct from to_timestamp(t."exitedAt" / 1000)) as same
from outcomes o, jsonb_to_record($2::jsonb) as t("userId" text, "alertId" bigint, symbol text, pattern text, outcome text,
  interval text, direction int, gain float8, entry float8, exit float8, pnl numeric(22, 6), quantity numeric(28, 9),
  "enteredAt" float8, "exitedAt" float8)
where o.synthetic = $1 and o.source = 'user' and o.user_id = t."userId" and o.alert_id is not distinct from t."alertId"
  and (t."alertId" is not null or o.exited_at = to_timestamp(t."exitedAt" / 1000))
order by same desc, o.id limit 1`;

const SETTLED_FIELDS = [
  `policy, terms, ending, outcome, reason, entry, exit, gain, r, mfe, mae, ambiguous`,
  `bars_held as "barsHeld", cost_bps as "costBps"`,
  epochMs("entered_at", "enteredAt"),
  epochMs("exited_at", "exitedAt"),
  epochMs("settled_at", "settledAt"),
].join(", ");

/** An outcome as a number to learn from. Times in epoch ms. */
export interface Label {
  readonly id: number;
  readonly source: OutcomeSource;
  readonly policy: OutcomePolicy | null;
  readonly terms: string | null;
  /** Null for what came of no alert. */
  readonly alertId: number | null;
  readonly detectionId: number | null;
  readonly symbol: string;
  readonly interval: string | null;
  readonly pattern: string | null;
  readonly strategy: string | null;
  readonly model: string | null;
  readonly direction: number | null;
  /** 1 where the target came first and gained after costs; without a stop and a target, where it gained. Else 0. */
  readonly label: 0 | 1;
  readonly r: number | null;
  /** After costs, as a share of the entry. */
  readonly gain: number | null;
  readonly ambiguous: boolean;
  readonly synthetic: boolean;
  /** From when on it could be known, and when it was written. */
  readonly settledAt: number;
  readonly recordedAt: number;
}

export interface LabelFilter {
  /** Written at or after this. */
  readonly since: number;
  /** Of settled alerts by this policy alone; null for all. */
  readonly policy: OutcomePolicy | null;
  readonly sources: readonly OutcomeSource[];
  /** Known and written at or before this. */
  readonly asOf: number;
  /** Ids above this. */
  readonly after: number;
  readonly limit: number;
}

const LABELS = `
select o.id, o.source, o.policy, o.terms, o.alert_id as "alertId", o.detection_id as "detectionId", o.symbol, o.interval,
  o.pattern, o.strategy, o.model, o.direction, o.r, o.gain, o.ambiguous, o.synthetic,
  case when o.policy = 'sltp' then (o.ending = 'target' and o.r > 0)::int else (o.outcome = 'profit')::int end as label,
  (extract(epoch from o.settled_at) * 1000)::float8 as "settledAt",
  (extract(epoch from o.created_at) * 1000)::float8 as "recordedAt"
from outcomes o left join instruments i on i.id = o.instrument_id
where o.synthetic = $1 and (i.id is null or i.replay = $2) and o.outcome is not null
  and o.created_at >= to_timestamp($3::float8 / 1000) and o.created_at <= to_timestamp($4::float8 / 1000)
  and o.settled_at <= to_timestamp($4::float8 / 1000) and o.source = any($5::text[])
  and (o.policy is null or $6::text is null or o.policy = $6) and o.id > $7
order by o.id limit $8`;

const COUNTS = `
select source, count(*) filter (where outcome = 'profit') as wins, count(*) filter (where outcome = 'loss') as losses,
  count(*) filter (where outcome = 'breakeven') as "breakEvens", count(*) filter (where ending = 'void') as voids,
  count(*) filter (where ending = 'unsettled') as unsettled, avg(r) as "meanR"
from outcomes
where synthetic = $1 and created_at >= to_timestamp($2::float8 / 1000)
  and (source = 'user' or source = 'settled' and policy = 'sltp')
group by source`;

export interface SourceCount {
  readonly source: OutcomeSource;
  readonly wins: number;
  readonly losses: number;
  readonly breakEvens: number;
  readonly voids: number;
  readonly unsettled: number;
  readonly meanR: number | null;
}

export interface KeptOutcome {
  readonly id: number;
  readonly policy: OutcomePolicy | null;
}

export function createOutcomeStore(database: Database, { synthetic, replay }: MarketName, now: () => number) {
  async function save(outcomes: readonly NewOutcome[], sql: Sql = database): Promise<KeptOutcome[]> {
    if (outcomes.length === 0) return [];
    return sql.query<KeptOutcome>(SAVE, [synthetic, JSON.stringify(outcomes), now()]);
  }

  return {
    /** Within a transaction where one is given. @returns those that were not there yet. */
    save,
    /**
     * Keeps what a user tells: of an alert one outcome, and of a trade that says when it ended each once.
     * @returns the id of what is kept. @throws {AppError} `conflict` where something else is kept of that alert.
     */
    report: (outcome: NewOutcome & { readonly userId: string }): Promise<number> =>
      database.transaction(async (sql) => {
        const { userId, alertId, exitedAt } = outcome;
        if (alertId !== null || exitedAt !== null) {
          await sql.query("select pg_advisory_xact_lock(hashtextextended($1, 12))", [
            [synthetic, userId, alertId, exitedAt].join("|"),
          ]);
          const [found] = await sql.query<{ id: number; same: boolean }>(SAME, [
            synthetic,
            JSON.stringify(outcome),
          ]);
          if (found?.same) return found.id;
          if (found !== undefined && alertId !== null) {
            const problem = `outcome ${found.id} of alert ${alertId} was reported before, and says something else`;
            throw new AppError("conflict", problem);
          }
        }
        const [{ id }] = await save([outcome], sql);
        return id;
      }),
    ofAlert: (alertId: number) =>
      database.query<AlertOutcome>(
        `select ${SETTLED_FIELDS} from outcomes where alert_id = $1 and source = 'settled' order by policy desc, terms`,
        [alertId],
      ),
    counts: (sinceMs: number) => database.query<SourceCount>(COUNTS, [synthetic, sinceMs]),
    labels: ({ since, policy, sources, asOf, after, limit }: LabelFilter) =>
      database.query<Label>(LABELS, [
        synthetic,
        replay ?? "",
        since,
        asOf,
        [...sources],
        policy,
        after,
        limit,
      ]),
  };
}

export type OutcomeStore = ReturnType<typeof createOutcomeStore>;
