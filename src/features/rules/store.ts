import type { Interval } from "../../core/market/interval.js";
import type { Condition } from "../../core/rules/condition.js";
import type { TriggerPhase } from "../../core/rules/trigger.js";
import type { Database, Sql } from "../../platform/database.js";
import { AppError } from "../../platform/errors.js";
import { takeTurn } from "../../platform/turns.js";
import type { RuleTerms } from "./language.js";

export const WATCHES = ["close", "intrabar"] as const;
/** Whether a rule looks at bars as they close, or at quotes within the bar that forms. */
export type Watch = (typeof WATCHES)[number];

/** A rule as its owner says it. */
export interface RuleDraft {
  readonly name: string;
  readonly condition: Condition;
  readonly rearm: Condition | null;
  readonly interval: Interval;
  readonly watch: Watch;
  readonly terms: RuleTerms;
}

/** What is remembered of a symbol. Times in epoch ms. */
export interface SymbolState {
  readonly symbol: string;
  readonly phase: TriggerPhase;
  readonly seenAt: number | null;
  readonly firedAt: number | null;
  /** What was unknown at the newest observation. */
  readonly lacks: readonly string[];
  /** Why the newest edge did not fire. */
  readonly suppressed: string | null;
  /** Why it could not be looked at; null while it can. */
  readonly trouble: string | null;
}

export interface StoredRule extends RuleDraft {
  readonly id: string;
  readonly paused: boolean;
  readonly version: number;
  readonly createdAt: number;
  readonly updatedAt: number;
  readonly states: readonly SymbolState[];
}

export interface StoredFiring {
  readonly id: string;
  readonly ruleId: string;
  readonly name: string;
  readonly expression: string;
  readonly symbol: string;
  readonly synthetic: boolean;
  readonly interval: Interval;
  readonly watch: Watch;
  readonly barTime: number;
  readonly ordinal: number;
  readonly firedAt: number;
  readonly price: number;
  readonly source: string | null;
  readonly dueAt: number | null;
  readonly toldAt: number | null;
}

/** A place in the order of firings: behind one of them, or behind all of a moment where it names none. */
export interface FiringPlace {
  /** Epoch ms. */
  readonly firedAt: number;
  readonly id: string | null;
}

/** Rules of a user at most. */
export const MOST_RULES = 100;
/** Symbols that all rules of a user watch together, each interval of one counted: each asks for bars of its own. */
export const MOST_SERIES = 500;

const ms = (column: string) => `(extract(epoch from ${column}) * 1000)::float8`;
const instant = (parameter: string) => `to_timestamp(${parameter}::float8 / 1000)`;

const RULE = `r.id, r.name, r.condition, r.rearm, r.interval, r.watch, r.terms, r.paused, r.version,
  ${ms("r.created_at")} as "createdAt", ${ms("r.updated_at")} as "updatedAt",
  (select coalesce(jsonb_agg(jsonb_build_object('symbol', i.symbol, 'phase', s.phase, 'seenAt', ${ms("s.seen_at")},
     'firedAt', ${ms("s.fired_at")}, 'lacks', s.lacks, 'suppressed', s.suppressed, 'trouble', s.trouble) order by i.symbol), '[]')
   from alert_rule_states s join instruments i on i.id = s.instrument_id where s.rule_id = r.id) as states`;

export const FIRING = `f.id, f.rule_id as "ruleId", f.name, f.expression, i.symbol, i.synthetic, f.interval, f.watch,
  ${ms("f.bar_time")} as "barTime", f.ordinal, ${ms("f.fired_at")} as "firedAt", f.price, f.source,
  ${ms("f.due_at")} as "dueAt", ${ms("f.told_at")} as "toldAt"`;

const CREATE = `
insert into alert_rules (id, user_id, name, condition, rearm, interval, watch, terms)
select gen_random_uuid(), $1, $2, $3::jsonb, $4::jsonb, $5, $6, $7::jsonb
where (select count(*) from alert_rules where user_id = $1) < $8 returning id`;

/** Tells whether it looks at the same as before, and ends by the same. */
const REPLACE = `
update alert_rules r set name = $3, condition = $4::jsonb, rearm = $5::jsonb, interval = $6, watch = $7, terms = $8::jsonb,
  version = r.version + 1, updated_at = now()
from (select * from alert_rules where user_id = $1 and id = $2::uuid for update) o
where r.id = o.id returning o.condition = $4::jsonb and o.rearm is not distinct from $5::jsonb and o.interval = $6
  and o.watch = $7 and o.terms -> 'frequency' = $8::jsonb -> 'frequency'
  and o.terms -> 'expiresAt' = $8::jsonb -> 'expiresAt' as same, o.interval <> $6 as "hasOtherBars"`;

const FORGET = "delete from alert_rule_states where rule_id = $1::uuid and instrument_id <> all($2::int[])";

const WATCH = `
insert into alert_rule_states (rule_id, instrument_id, since_at, lacks)
select $1::uuid, i, ${instant("$3")}, '{}' from unnest($2::int[]) as i on conflict do nothing`;

/** Series of bars that all rules of a user look at. */
const SERIES = `
select count(distinct (s.instrument_id, r.interval)) as series
from alert_rules r join alert_rule_states s on s.rule_id = r.id where r.user_id = $1`;

/** Another condition has no level to come from; how long ago the rule fired still counts. */
const BEGIN_ANEW = `
update alert_rule_states set phase = 'new', since_at = ${instant("$2")}, seen_at = null, lacks = '{}', suppressed = null,
  trouble = null
where rule_id = $1::uuid`;

/** Of another interval no bar has fired yet, though one may open when one of the interval before did. */
const FORGET_BAR = "update alert_rule_states set fired_bar = null, fired_in_bar = 0 where rule_id = $1::uuid";

/** What was seen before a pause is no level to come from; how long ago it fired still counts. */
const RESUME = `${BEGIN_ANEW} and phase <> 'done'`;

const valuesOf = ({ name, condition, rearm, interval, watch, terms }: RuleDraft) => [
  name,
  JSON.stringify(condition),
  rearm === null ? null : JSON.stringify(rearm),
  interval,
  watch,
  JSON.stringify(terms),
];

export function createRuleStore(database: Database) {
  async function find(userId: string, id: string): Promise<StoredRule | null> {
    const rows = await database.query<StoredRule>(
      `select ${RULE} from alert_rules r where r.user_id = $1 and r.id = $2::uuid`,
      [userId, id],
    );
    return rows[0] ?? null;
  }

  /** @throws {AppError} `conflict` where its owner would watch more than may be. */
  async function watch(
    sql: Sql,
    { userId, id, sinceMs }: { readonly userId: string; readonly id: string; readonly sinceMs: number },
    instrumentIds: readonly number[],
  ): Promise<void> {
    await sql.query(WATCH, [id, instrumentIds, sinceMs]);
    const [row] = await sql.query<{ series: number }>(SERIES, [userId]);
    if ((row?.series ?? 0) <= MOST_SERIES) return;
    const most = `All rules together may watch at most ${MOST_SERIES} symbols, each interval of one counted`;
    throw new AppError("conflict", most);
  }

  return {
    find,
    /** The newest first. */
    list: (userId: string) =>
      database.query<StoredRule>(
        `select ${RULE} from alert_rules r where r.user_id = $1 order by r.created_at desc, r.id`,
        [userId],
      ),
    /** The id of a new rule; null where its owner has as many as may be. */
    create: (userId: string, draft: RuleDraft, instrumentIds: readonly number[], sinceMs: number) =>
      database.transaction(async (sql): Promise<string | null> => {
        await takeTurn(sql, "rules", userId);
        const values = [userId, ...valuesOf(draft), MOST_RULES];
        const [made] = await sql.query<{ id: string }>(CREATE, values);
        if (made !== undefined) await watch(sql, { userId, id: made.id, sinceMs }, instrumentIds);
        return made?.id ?? null;
      }),
    /** Takes the place of a rule, which begins anew. @returns false where there is none. */
    replace: (
      userId: string,
      id: string,
      draft: RuleDraft,
      instrumentIds: readonly number[],
      sinceMs: number,
    ) =>
      database.transaction(async (sql): Promise<boolean> => {
        await takeTurn(sql, "rules", userId);
        const values = [userId, id, ...valuesOf(draft)];
        const [replaced] = await sql.query<{ same: boolean; hasOtherBars: boolean }>(REPLACE, values);
        if (replaced === undefined) return false;
        await sql.query(FORGET, [id, instrumentIds]);
        if (!replaced.same) await sql.query(BEGIN_ANEW, [id, sinceMs]);
        if (replaced.hasOtherBars) await sql.query(FORGET_BAR, [id]);
        await watch(sql, { userId, id, sinceMs }, instrumentIds);
        return true;
      }),
    /** @returns false where there is no such rule. */
    pause: (userId: string, id: string, paused: boolean, sinceMs: number) =>
      database.transaction(async (sql): Promise<boolean> => {
        const rows = await sql.query<{ was: boolean }>(
          `update alert_rules r set paused = $3, version = r.version + 1, updated_at = now()
           from (select id, paused as was from alert_rules where user_id = $1 and id = $2::uuid for update) o
           where r.id = o.id returning o.was`,
          [userId, id, paused],
        );
        if (rows[0]?.was === true && !paused) await sql.query(RESUME, [id, sinceMs]);
        return rows.length > 0;
      }),
    /** What it still held is told nobody. @returns false where there is no such rule. */
    delete: (userId: string, id: string) =>
      database.transaction(async (sql): Promise<boolean> => {
        const rows = await sql.query(
          "delete from alert_rules where user_id = $1 and id = $2::uuid returning id",
          [userId, id],
        );
        if (rows.length === 0) return false;
        await sql.query("delete from rule_firings where rule_id = $1::uuid and told_at is null", [id]);
        return true;
      }),
    /** The newest first, and of one moment by their ids; of one rule where it is named. */
    firings: (userId: string, ruleId: string | null, before: FiringPlace | null, limit: number) =>
      database.query<StoredFiring>(
        `select ${FIRING} from rule_firings f join instruments i on i.id = f.instrument_id
         where f.user_id = $1 and ($2::uuid is null or f.rule_id = $2::uuid)
           and ($3::float8 is null or f.fired_at < ${instant("$3")} or (f.fired_at = ${instant("$3")} and f.id < $4::uuid))
         order by f.fired_at desc, f.id desc limit $5`,
        [userId, ruleId, before?.firedAt ?? null, before?.id ?? null, limit],
      ),
  };
}

export type RuleStore = ReturnType<typeof createRuleStore>;
