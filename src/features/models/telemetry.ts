import { meanOf } from "../../core/base/stats.js";
import type { DifferenceTest } from "../../core/learning/compare.js";
import { compareMeans, type Observed } from "../../core/learning/difference.js";
import type { Database } from "../../platform/database.js";
import { AppError } from "../../platform/errors.js";
import { epochMs } from "../../platform/sql-epoch.js";
import type { MarketName } from "../instruments/store.js";
import { COUNTED_OF_OUTCOME, SCORE_FIELDS, type ScoreRow, type StoredScore, scoreOf } from "./scores.js";
import { nameOf, type Purpose } from "./store.js";
import { shortHash } from "./telemetry-views.js";

/** What became of a trade that a model had scored. Times in epoch ms. */
export interface ScoredTrade {
  /** Of the outcome. */
  readonly id: number;
  /** settled: an alert by its levels, on bars; paper: a closed trade of an account; user: as somebody reports it. */
  readonly source: string;
  readonly symbol: string;
  readonly interval: string | null;
  readonly pattern: string | null;
  readonly direction: number | null;
  readonly alertId: number | null;
  readonly ending: string | null;
  readonly outcome: string | null;
  readonly gain: number | null;
  readonly r: number | null;
  readonly pnl: string | null;
  readonly enteredAtMs: number | null;
  readonly exitedAtMs: number | null;
  readonly score: StoredScore;
}

/** How trades went that one version scored. Null for what no trade tells. */
export interface VersionRecord {
  readonly modelId: number;
  readonly version: string;
  readonly hash: string;
  readonly learner: string;
  readonly assetClass: string;
  readonly interval: string;
  readonly grouping: Purpose["grouping"];
  readonly trades: number;
  readonly wins: number;
  readonly winRate: number | null;
  /** Mean score, and mean of twice its distance from a half. */
  readonly meanScore: number | null;
  readonly meanConfidence: number | null;
  readonly meanGain: number | null;
  readonly totalPnl: string | null;
}

/** Decisions that a version scored and that have ended, each once. */
export interface Decisions {
  readonly count: number;
  readonly wins: number;
  readonly meanGain: number | null;
  /** How many of them are told by each source. */
  readonly bySource: Readonly<Record<TradeSource, number>>;
  /** When the first and the last of them were decided, epoch ms; null of none. */
  readonly fromMs: number | null;
  readonly toMs: number | null;
}

export interface VersionComparison {
  readonly a: VersionRecord;
  readonly b: VersionRecord;
  /** What the tests are of, and over which time. */
  readonly decisions: { readonly a: Decisions; readonly b: Decisions };
  readonly winRates: DifferenceTest;
  /** Null where either has no gain. */
  readonly gains: DifferenceTest | null;
}

export type TradeSource = "settled" | "paper" | "user";

/** Which models are meant: numbers of versions are counted by what they are for. */
export interface ModelScope {
  readonly assetClass?: string | undefined;
  readonly interval?: string | undefined;
}

export interface TradeFilter extends ModelScope {
  /** A version, or the beginning of a hash. */
  readonly version?: string | undefined;
  readonly source?: TradeSource | undefined;
}

/** The newest of them, and how many there are. */
export interface TradePage {
  readonly trades: readonly ScoredTrade[];
  readonly total: number;
}

/** A feature and the range that values of interest lie outside of. */
export interface FeatureRange {
  readonly name: string;
  readonly min: number | null;
  readonly max: number | null;
}

export interface Telemetry {
  /** Newest first. */
  trades(filter: TradeFilter, limit: number): Promise<TradePage>;
  /** @throws {AppError} `trade_not_found` */
  trade(id: number): Promise<ScoredTrade>;
  versions(): Promise<VersionRecord[]>;
  /**
   * @param a, b versions, or beginnings of hashes. @throws {AppError} `model_not_found` for one that scored no trade,
   * `invalid_request` for one that may be several.
   */
  compare(a: string, b: string, scope: ModelScope): Promise<VersionComparison>;
  /** Trades whose feature lies outside a range, newest first. @throws {AppError} `invalid_request` for a name that no version reads. */
  outside(range: FeatureRange, limit: number): Promise<TradePage>;
}

/** What a trade was scored by: the version that counted when its pattern was seen, and no other. */
const JOINED = `
from outcomes o
${COUNTED_OF_OUTCOME}
join models m on m.id = s.model_id
join instruments i on i.id = f.instrument_id
where m.synthetic = $1 and m.replay = $2 and o.outcome is not null and (o.source <> 'settled' or o.policy = 'sltp')`;

const TRADE_FIELDS = `o.id as "tradeId", o.source, o.symbol as "tradeSymbol", o.interval as "tradeInterval",
  o.pattern as "tradePattern", o.direction as "tradeDirection", o.alert_id as "alertId", o.ending, o.outcome, o.gain,
  o.r, o.pnl::text as pnl, ${epochMs("o.entered_at", "enteredAtMs")}, ${epochMs("o.exited_at", "exitedAtMs")},
  (count(*) over ())::int as total, ${SCORE_FIELDS}`;

type Ended =
  | "source"
  | "alertId"
  | "ending"
  | "outcome"
  | "gain"
  | "r"
  | "pnl"
  | "enteredAtMs"
  | "exitedAtMs";

interface JoinedRow extends ScoreRow, Pick<ScoredTrade, Ended> {
  readonly total: number;
  readonly tradeId: number;
  readonly tradeSymbol: string;
  readonly tradeInterval: string | null;
  readonly tradePattern: string | null;
  readonly tradeDirection: number | null;
}

const pageOf = (rows: readonly JoinedRow[]): TradePage => ({
  trades: rows.map(tradeOf),
  total: rows[0]?.total ?? 0,
});

function tradeOf({ total: _, ...row }: JoinedRow): ScoredTrade {
  const { tradeId, source, tradeSymbol, tradeInterval, tradePattern, tradeDirection, alertId, ...others } =
    row;
  const { ending, outcome, gain, r, pnl, enteredAtMs, exitedAtMs, ...score } = others;
  return {
    id: tradeId,
    ...{
      source,
      symbol: tradeSymbol,
      interval: tradeInterval,
      pattern: tradePattern,
      direction: tradeDirection,
    },
    ...{ alertId, ending, outcome, gain, r, pnl, enteredAtMs, exitedAtMs },
    score: scoreOf(score),
  };
}

const RECORDS = `
select m.id as "modelId", m.version, m.hash, m.learner, m.asset_class as "assetClass", m.interval, m.grouping, count(*)::int as trades,
  count(*) filter (where o.outcome = 'profit')::int as wins,
  avg((o.outcome = 'profit')::int)::float8 as "winRate", avg(s.score)::float8 as "meanScore",
  avg(2 * abs(s.score - 0.5))::float8 as "meanConfidence", avg(o.gain)::float8 as "meanGain",
  sum(o.pnl)::text as "totalPnl"
${JOINED}
group by m.id order by m.id desc`;

/**
 * One row a decision: what its levels came to on bars, which tell all alerts alike; where they do not, its first closed
 * trade of an account, else the first report of a user.
 */
const DECISIONS = `
select * from (
  select distinct on (d.id) o.source, (o.outcome = 'profit')::int as won, o.gain, ${epochMs("f.closed_at", "decidedAt")},
    ${epochMs("o.settled_at", "settledAt")}, o.id
  ${JOINED} and m.id = $3
  order by d.id, array_position('{settled,paper,user}'::text[], o.source::text), o.id) each
order by "decidedAt", id`;

interface DecisionRow {
  readonly source: TradeSource;
  readonly won: 0 | 1;
  readonly gain: number | null;
  readonly decidedAt: number;
  readonly settledAt: number;
}

/** How models did, from what they scored and what became of it. */
export function createTelemetry(database: Database, { synthetic, replay }: MarketName): Telemetry {
  const market = [synthetic, replay ?? ""] as const;

  async function versions(): Promise<VersionRecord[]> {
    return database.query<VersionRecord>(RECORDS, [...market]);
  }

  const decisionsOf = ({ modelId }: VersionRecord) =>
    database.query<DecisionRow>(DECISIONS, [...market, modelId]);

  return {
    async trades({ version, source, assetClass, interval }, limit) {
      const rows = await database.query<JoinedRow>(
        `select ${TRADE_FIELDS} ${JOINED} and ($3::text is null or m.version = $3 or starts_with(m.hash, $3))
           and ($4::text is null or o.source = $4) and ($5::text is null or m.asset_class = $5)
           and ($6::text is null or m.interval = $6) order by o.id desc limit $7`,
        [...market, version ?? null, source ?? null, assetClass ?? null, interval ?? null, limit],
      );
      return pageOf(rows);
    },

    async trade(id) {
      const rows = await database.query<JoinedRow>(`select ${TRADE_FIELDS} ${JOINED} and o.id = $3`, [
        ...market,
        id,
      ]);
      if (rows[0] === undefined) throw new AppError("trade_not_found", `No model scored a trade ${id}`);
      return tradeOf(rows[0]);
    },

    versions,

    async compare(a, b, scope) {
      const records = await versions();
      const [first, second] = [onlyOne(records, a, scope), onlyOne(records, b, scope)];
      const [ofA, ofB] = [await decisionsOf(first), await decisionsOf(second)];
      const [wonA, wonB] = [ofA, ofB].map((rows) => observed(rows, ({ won }) => won));
      const [gainA, gainB] = [ofA, ofB].map((rows) => observed(rows, ({ gain }) => gain));
      return {
        ...{ a: first, b: second, decisions: { a: decisionsIn(ofA), b: decisionsIn(ofB) } },
        winRates: compareMeans(wonA, wonB, "shares"),
        gains: gainA.values.length * gainB.values.length === 0 ? null : compareMeans(gainA, gainB, "means"),
      };
    },

    async outside({ name, min, max }, limit) {
      const known = await database.query<{ name: string }>(
        "select $3::text as name from models where synthetic = $1 and replay = $2 and $3 = any(columns) limit 1",
        [...market, name],
      );
      if (known.length === 0) throw new AppError("invalid_request", `query name: no model reads ${name}`);
      const rows = await database.query<JoinedRow>(
        `select ${TRADE_FIELDS} ${JOINED}
           and (f.values[array_position(m.columns, $3)] < $4 or f.values[array_position(m.columns, $3)] > $5)
           and f.values[array_position(m.columns, $3)] <> 'NaN'
         order by o.id desc limit $6`,
        [...market, name, min ?? Number.NEGATIVE_INFINITY, max ?? Number.POSITIVE_INFINITY, limit],
      );
      return pageOf(rows);
    },
  };
}

/** Decisions of which something is told, in their order. */
function observed(rows: readonly DecisionRow[], figure: (row: DecisionRow) => number | null): Observed {
  const told = rows.flatMap((row) => {
    const value = figure(row);
    return value === null ? [] : [{ ...row, value }];
  });
  return {
    values: Float64Array.from(told, ({ value }) => value),
    decidedAt: Float64Array.from(told, ({ decidedAt }) => decidedAt),
    settledAt: Float64Array.from(told, ({ settledAt }) => settledAt),
  };
}

function decisionsIn(rows: readonly DecisionRow[]): Decisions {
  const of = (source: TradeSource) => rows.filter((row) => row.source === source).length;
  const gains = observed(rows, ({ gain }) => gain).values;
  return {
    count: rows.length,
    wins: rows.filter(({ won }) => won === 1).length,
    meanGain: gains.length === 0 ? null : meanOf(gains),
    bySource: { settled: of("settled"), paper: of("paper"), user: of("user") },
    fromMs: rows[0]?.decidedAt ?? null,
    toMs: rows.at(-1)?.decidedAt ?? null,
  };
}

/** @throws {AppError} `model_not_found`, and `invalid_request` where several have that name. */
function onlyOne(
  records: readonly VersionRecord[],
  name: string,
  { assetClass, interval }: ModelScope,
): VersionRecord {
  const found = records.filter(
    (record) =>
      (record.version === name || record.hash.startsWith(name)) &&
      (assetClass === undefined || record.assetClass === assetClass) &&
      (interval === undefined || record.interval === interval),
  );
  if (found.length === 0)
    throw new AppError("model_not_found", `No version ${name} scored a trade that has ended`);
  if (found.length === 1) return found[0];
  const several = found.map((record) => `${nameOf(record)} ${record.version} (${shortHash(record.hash)})`);
  const problem = `query: ${name} may be ${several.join(", ")}: give the beginning of a hash, or asset_class and timeframe`;
  throw new AppError("invalid_request", problem);
}
