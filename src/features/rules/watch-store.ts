import type { Interval } from "../../core/market/interval.js";
import type { Condition } from "../../core/rules/condition.js";
import type { GateVerdict, Suppression, TriggerPhase, TriggerState } from "../../core/rules/trigger.js";
import type { Database, Sql } from "../../platform/database.js";
import { booleanArray, numberArray, textArray } from "../../platform/sql-array.js";
import type { RuleTerms } from "./language.js";
import { FIRING, type StoredFiring, type Watch } from "./store.js";

/** A rule and one of its symbols, as they are looked at. */
export interface Watched {
  readonly ruleId: string;
  readonly version: number;
  readonly userId: string;
  readonly name: string;
  readonly condition: Condition;
  readonly rearm: Condition | null;
  readonly interval: Interval;
  readonly watch: Watch;
  readonly terms: RuleTerms;
  readonly instrumentId: number;
  readonly symbol: string;
  /** From when it looks. */
  readonly sinceAt: number;
  readonly before: TriggerState;
  /** What was unknown at the newest observation. */
  readonly lacks: readonly string[];
  /** Why it could not be looked at last; null where it could. */
  readonly trouble: string | null;
}

/** What a look at it came to. */
export interface Looked {
  readonly watched: Watched;
  readonly after: TriggerState;
  readonly lacks: readonly string[];
  /** Why the newest edge did not fire; undefined where there was none. */
  readonly suppressed: Suppression | null | undefined;
}

/** What the gates said of a condition at a bar. */
export interface NewDecision {
  readonly watched: Watched;
  readonly bar: number;
  readonly at: number;
  readonly gates: readonly GateVerdict[];
}

export interface NewFiring {
  readonly id: string;
  readonly watched: Watched;
  readonly expression: string;
  readonly bar: number;
  readonly ordinal: number;
  readonly at: number;
  readonly price: number;
  readonly source: string | null;
  readonly dueAt: number | null;
}

export type ToldFiring = StoredFiring & { readonly userId: string };

/** Firings of one digest at most; what is left comes in the next. */
export const MOST_IN_DIGEST = 500;

const ms = (column: string) => `(extract(epoch from ${column}) * 1000)::float8`;
const instant = (column: string) => `to_timestamp(${column} / 1000)`;

const WATCHED = `
select r.id as "ruleId", r.version, r.user_id as "userId", r.name, r.condition, r.rearm, r.interval, r.watch, r.terms,
  s.instrument_id as "instrumentId", i.symbol, ${ms("s.since_at")} as "sinceAt", s.phase, ${ms("s.seen_at")} as "seenAt",
  ${ms("s.fired_at")} as "firedAt", ${ms("s.fired_bar")} as "firedBar", s.fired_in_bar as "firedInBar", s.lacks,
  s.trouble
from alert_rule_states s join alert_rules r on r.id = s.rule_id join instruments i on i.id = s.instrument_id
where r.watch = $1 and not r.paused and s.phase <> 'done' and i.synthetic = $2 and i.replay = $3
order by s.instrument_id, r.interval, r.id`;

/** A rule that was changed, paused or looked at by another meanwhile stays as it is. */
const SAVE = `
update alert_rule_states s set phase = n.phase, seen_at = ${instant("n.seen")}, fired_at = ${instant("n.fired")},
  fired_bar = ${instant("n.bar")}, fired_in_bar = n.in_bar,
  lacks = (select coalesce(array_agg(each), '{}') from jsonb_array_elements_text(n.lacks::jsonb) as each),
  suppressed = case when n.edge then n.suppressed else s.suppressed end
from unnest($1::uuid[], $2::int[], $3::int[], $4::text[], $5::float8[], $6::float8[], $7::float8[], $8::int[], $9::text[],
    $10::text[], $11::bool[], $12::float8[])
  as n(rule, version, instrument, phase, seen, fired, bar, in_bar, lacks, suppressed, edge, before)
join alert_rules r on r.id = n.rule
where s.rule_id = n.rule and s.instrument_id = n.instrument and r.version = n.version and not r.paused
  and s.seen_at is not distinct from ${instant("n.before")}
returning s.rule_id as "ruleId"`;

/** @returns those of which nothing stood in the way before. */
const TROUBLE = `
update alert_rule_states s set trouble = $4
from (
  select s.rule_id, s.instrument_id, s.trouble from alert_rule_states s join alert_rules r on r.id = s.rule_id
  join unnest($1::uuid[], $2::int[], $3::int[]) as n(rule, version, instrument)
    on s.rule_id = n.rule and s.instrument_id = n.instrument and r.version = n.version
  where s.trouble is distinct from $4 for update of s
) o
where s.rule_id = o.rule_id and s.instrument_id = o.instrument_id
returning s.rule_id as "ruleId", s.instrument_id as "instrumentId", o.trouble is null as "isNew"`;

const FIRE = `
with f as (
  insert into rule_firings (id, rule_id, user_id, instrument_id, interval, watch, name, expression, bar_time, ordinal,
    fired_at, price, source, due_at, told_at)
  select n.id, n.rule, n.owner, n.instrument, n.interval, n.watch, n.name, n.expression, ${instant("n.bar")}, n.ordinal,
    ${instant("n.fired")}, n.price, n.source, ${instant("n.due")}, case when n.due is null then clock_timestamp() end
  from unnest($1::uuid[], $2::uuid[], $3::text[], $4::int[], $5::text[], $6::text[], $7::text[], $8::text[], $9::float8[],
      $10::int[], $11::float8[], $12::float8[], $13::text[], $14::float8[])
    as n(id, rule, owner, instrument, interval, watch, name, expression, bar, ordinal, fired, price, source, due)
  on conflict (id) do nothing returning *
)
select ${FIRING}, f.user_id as "userId" from f join instruments i on i.id = f.instrument_id
order by f.fired_at, f.id`;

const DECIDE = `
insert into rule_decisions (rule_id, user_id, instrument_id, interval, name, bar_time, seen_at, accepted, gate, verdicts)
select n.rule, n.owner, n.instrument, n.interval, n.name, ${instant("n.bar")}, ${instant("n.seen")}, n.gate is null, n.gate,
  n.verdicts::jsonb
from unnest($1::uuid[], $2::text[], $3::int[], $4::text[], $5::text[], $6::float8[], $7::float8[], $8::text[], $9::text[])
  with ordinality as n(rule, owner, instrument, interval, name, bar, seen, gate, verdicts, place)
order by n.place`;

const OWED = `
select distinct user_id as "userId" from rule_firings
where told_at is null and due_at <= ${instant("$1::float8")} order by user_id limit 100`;

const TELL = `
with due as (
  select id from rule_firings where user_id = $1 and told_at is null and due_at <= ${instant("$2::float8")}
  order by due_at, fired_at, id limit $3 for update skip locked
), f as (
  update rule_firings set told_at = clock_timestamp() from due where rule_firings.id = due.id returning rule_firings.*
)
select ${FIRING}, f.user_id as "userId" from f join instruments i on i.id = f.instrument_id
order by f.fired_at, f.id`;

type Row = Omit<Watched, "before"> & { readonly phase: TriggerPhase } & Omit<TriggerState, "phase">;

export function createWatchStore(database: Database) {
  return {
    /** What is to be looked at, by instrument and interval. */
    async load(watch: Watch, market: { synthetic: boolean; replay: string | null }): Promise<Watched[]> {
      const rows = await database.query<Row>(WATCHED, [watch, market.synthetic, market.replay ?? ""]);
      return rows.map(({ phase, seenAt, firedAt, firedBar, firedInBar, ...watched }) => ({
        ...watched,
        before: { phase, seenAt, firedAt, firedBar, firedInBar },
      }));
    },

    /** @returns ids of the rules whose state was written. */
    async save(sql: Sql, looked: readonly Looked[]): Promise<ReadonlySet<string>> {
      const rows = await sql.query<{ ruleId: string }>(SAVE, [
        textArray(looked.map(({ watched }) => watched.ruleId)),
        numberArray(looked.map(({ watched }) => watched.version)),
        numberArray(looked.map(({ watched }) => watched.instrumentId)),
        textArray(looked.map(({ after }) => after.phase)),
        numberArray(looked.map(({ after }) => after.seenAt)),
        numberArray(looked.map(({ after }) => after.firedAt)),
        numberArray(looked.map(({ after }) => after.firedBar)),
        numberArray(looked.map(({ after }) => after.firedInBar)),
        textArray(looked.map(({ lacks }) => JSON.stringify(lacks))),
        textArray(looked.map(({ suppressed }) => suppressed ?? null)),
        booleanArray(looked.map(({ suppressed }) => suppressed !== undefined)),
        numberArray(looked.map(({ watched }) => watched.before.seenAt)),
      ]);
      return new Set(rows.map(({ ruleId }) => ruleId));
    },

    /** @returns those that were not there yet. */
    fire: (sql: Sql, firings: readonly NewFiring[]): Promise<ToldFiring[]> =>
      sql.query<ToldFiring>(FIRE, [
        textArray(firings.map(({ id }) => id)),
        textArray(firings.map(({ watched }) => watched.ruleId)),
        textArray(firings.map(({ watched }) => watched.userId)),
        numberArray(firings.map(({ watched }) => watched.instrumentId)),
        textArray(firings.map(({ watched }) => watched.interval)),
        textArray(firings.map(({ watched }) => watched.watch)),
        textArray(firings.map(({ watched }) => watched.name)),
        textArray(firings.map(({ expression }) => expression)),
        numberArray(firings.map(({ bar }) => bar)),
        numberArray(firings.map(({ ordinal }) => ordinal)),
        numberArray(firings.map(({ at }) => at)),
        numberArray(firings.map(({ price }) => price)),
        textArray(firings.map(({ source }) => source)),
        numberArray(firings.map(({ dueAt }) => dueAt)),
      ]),

    async decide(sql: Sql, decisions: readonly NewDecision[]): Promise<void> {
      await sql.query(DECIDE, [
        textArray(decisions.map(({ watched }) => watched.ruleId)),
        textArray(decisions.map(({ watched }) => watched.userId)),
        numberArray(decisions.map(({ watched }) => watched.instrumentId)),
        textArray(decisions.map(({ watched }) => watched.interval)),
        textArray(decisions.map(({ watched }) => watched.name)),
        numberArray(decisions.map(({ bar }) => bar)),
        numberArray(decisions.map(({ at }) => at)),
        textArray(decisions.map(({ gates }) => gates.find(({ passed }) => !passed)?.gate ?? null)),
        textArray(decisions.map(({ gates }) => JSON.stringify(gates))),
      ]);
    },

    /** Keeps why nothing can be looked at, or that it can. @returns those of which nothing stood in the way before. */
    async trouble(sql: Sql, watched: readonly Watched[], why: string | null): Promise<Watched[]> {
      const rows = await sql.query<{ ruleId: string; instrumentId: number; isNew: boolean }>(TROUBLE, [
        textArray(watched.map(({ ruleId }) => ruleId)),
        numberArray(watched.map(({ version }) => version)),
        numberArray(watched.map(({ instrumentId }) => instrumentId)),
        why,
      ]);
      const isNew = ({ ruleId, instrumentId }: Watched) =>
        rows.some((row) => row.isNew && row.ruleId === ruleId && row.instrumentId === instrumentId);
      return watched.filter(isNew);
    },

    /** Users whose held firings are due. */
    async owed(nowMs: number): Promise<string[]> {
      return (await database.query<{ userId: string }>(OWED, [nowMs])).map(({ userId }) => userId);
    },

    /** Marks what is due to a user as told. */
    tell: (sql: Sql, userId: string, nowMs: number): Promise<ToldFiring[]> =>
      sql.query<ToldFiring>(TELL, [userId, nowMs, MOST_IN_DIGEST]),
  };
}

export type WatchStore = ReturnType<typeof createWatchStore>;
