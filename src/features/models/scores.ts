import { SYNERGY_PREFIX } from "../../core/synergy/sequence.js";
import type { Database, Sql } from "../../platform/database.js";
import { AppError } from "../../platform/errors.js";
import { numberArray, textArray } from "../../platform/sql-array.js";
import { epochMs } from "../../platform/sql-epoch.js";
import type { MarketName } from "../instruments/store.js";
import type { Purpose } from "./store.js";

/** A trade on a pattern in a direction, known at the close of a bar. Times in epoch ms. */
export interface Moment {
  readonly instrumentId: number;
  readonly interval: string;
  readonly barTime: number;
  readonly closedAt: number;
  /** Variant of the pattern. */
  readonly pattern: string;
  readonly direction: 1 | -1;
  readonly regime: string | null;
}

/** What one version says of a moment. */
export interface NewScore {
  readonly modelId: number;
  /** Group of the model; empty for what all share. */
  readonly group: string;
  /** Counts for nothing: said beside the version that served, or after the moment had been kept. */
  readonly shadow: boolean;
  readonly score: number;
  readonly raw: number;
}

/** What was known at a moment, and what each version said of it. */
export interface NewSnapshot extends Moment {
  readonly schema: string;
  /** In the order of the columns of that schema; NaN for what was not known. */
  readonly values: Float64Array;
  readonly scores: readonly NewScore[];
}

export interface StoredScore extends Moment, Omit<NewScore, "modelId"> {
  readonly id: number;
  readonly modelId: number;
  readonly snapshotId: number;
  readonly symbol: string;
  readonly schema: string;
  readonly values: readonly number[];
  readonly version: string;
  readonly hash: string;
  readonly featureSchema: string;
  readonly columns: readonly string[];
  readonly purpose: Purpose;
  readonly createdAtMs: number;
}

/** Ids of what is kept, in the order in which it was given. */
export interface KeptSnapshot {
  readonly id: number;
  readonly scoreIds: readonly number[];
  /** Of the score that counts among these; null where none does. */
  readonly countedId: number | null;
}

const ATTEMPTS = 3;

const OF_DETECTION = `f.instrument_id = d.instrument_id and f.interval = d.interval and f.bar_time = d.bar_time
  and f.pattern = d.pattern and f.direction = d.direction`;

/**
 * Whether a column names a pattern of the table. Synergies are shown to models, too, which have not learned from them: neither
 * are models taught by them nor judged.
 */
export const isOfTable = (column: string) => `not starts_with(${column}, '${SYNERGY_PREFIX}')`;

/** Joins an outcome `o` to its detection `d` and to the snapshot `f` of what was known at it, where that is of a pattern. */
export const SNAPSHOT_OF_OUTCOME = `
join detections d on d.id = o.detection_id
join feature_snapshots f on ${OF_DETECTION} and ${isOfTable("f.pattern")}`;

/** Joins an outcome `o` to its detection `d`, to the one score `s` that counted then, and to the snapshot `f` of that. */
export const COUNTED_OF_OUTCOME = `
join detections d on d.id = o.detection_id
join lateral (
  select s.id from feature_snapshots f join model_scores s on s.snapshot_id = f.id and not s.shadow
  where ${OF_DETECTION} order by s.id limit 1) counted on true
join model_scores s on s.id = counted.id
join feature_snapshots f on f.id = s.snapshot_id`;

export const SCORE_FIELDS = [
  `s.id, s.model_id as "modelId", s.snapshot_id as "snapshotId", f.instrument_id as "instrumentId", f.interval`,
  `f.pattern, f.direction, f.regime, f.schema, f.values, s.group_key as "group", s.shadow, s.score, s.raw, i.symbol`,
  `m.version, m.hash, m.feature_schema as "featureSchema", m.columns, m.learner, m.asset_class as "assetClass"`,
  `m.interval as "modelInterval", m.grouping`,
  epochMs("f.bar_time", "barTime"),
  epochMs("f.closed_at", "closedAt"),
  epochMs("s.created_at", "createdAtMs"),
].join(", ");

export type ScoreRow = Omit<StoredScore, "purpose"> &
  Omit<Purpose, "interval"> & { readonly modelInterval: string };

export function scoreOf({ learner, assetClass, modelInterval, grouping, ...row }: ScoreRow): StoredScore {
  return { ...row, purpose: { learner, assetClass, interval: modelInterval, grouping } };
}

/** What models were shown and what they said, of one market. */
export function createScoreStore(database: Database, { synthetic, replay }: MarketName) {
  const market = [synthetic, replay ?? ""] as const;

  return {
    /**
     * Keeps snapshots and their scores; of one moment, and of a version on it, what was kept first stays. Who keeps a
     * moment says which version counts at it: what is said of it later is a shadow's, whoever serves by then.
     */
    async record(snapshots: readonly NewSnapshot[], sql?: Sql): Promise<KeptSnapshot[]> {
      if (snapshots.length === 0) return [];
      if (sql === undefined) return database.transaction((one) => keepMoments(one, snapshots));
      return keepMoments(sql, snapshots);
    },

    async find(id: number): Promise<StoredScore | null> {
      const rows = await database.query<ScoreRow>(
        `select ${SCORE_FIELDS} from model_scores s join models m on m.id = s.model_id
         join feature_snapshots f on f.id = s.snapshot_id join instruments i on i.id = f.instrument_id
         where s.id = $3 and m.synthetic = $1 and m.replay = $2`,
        [...market, id],
      );
      return rows[0] === undefined ? null : scoreOf(rows[0]);
    },
  };
}

export type ScoreStore = ReturnType<typeof createScoreStore>;

async function keepMoments(sql: Sql, snapshots: readonly NewSnapshot[]): Promise<KeptSnapshot[]> {
  const kept = await keep(sql, KEEP_SNAPSHOTS, [
    numberArray(snapshots.map(({ instrumentId }) => instrumentId)),
    textArray(snapshots.map(({ interval }) => interval)),
    numberArray(snapshots.map(({ barTime }) => barTime)),
    numberArray(snapshots.map(({ closedAt }) => closedAt)),
    textArray(snapshots.map(({ pattern }) => pattern)),
    numberArray(snapshots.map(({ direction }) => direction)),
    textArray(snapshots.map(({ regime }) => regime)),
    textArray(snapshots.map(({ schema }) => schema)),
    textArray(snapshots.map(({ values }) => numberArray(values))),
  ]);
  const scores = snapshots.flatMap((snapshot, k) =>
    snapshot.scores.map((score) => ({
      ...score,
      snapshotId: kept[k].id,
      shadow: score.shadow || !kept[k].added,
    })),
  );
  const rows = scores.length === 0 ? [] : await keepScores(sql, scores);
  let next = 0;
  return snapshots.map((snapshot, k) => {
    const own = rows.slice(next, next + snapshot.scores.length);
    next += snapshot.scores.length;
    const countedId = own.find(({ counts }) => counts)?.id ?? null;
    return { id: kept[k].id, scoreIds: own.map(({ id }) => id), countedId };
  });
}

function keepScores(sql: Sql, scores: readonly (NewScore & { snapshotId: number })[]): Promise<KeptRow[]> {
  return keep(sql, KEEP_SCORES, [
    numberArray(scores.map(({ modelId }) => modelId)),
    numberArray(scores.map(({ snapshotId }) => snapshotId)),
    textArray(scores.map(({ group }) => group)),
    textArray(scores.map(({ shadow }) => String(shadow))),
    numberArray(scores.map(({ score }) => score)),
    numberArray(scores.map(({ raw }) => raw)),
  ]);
}

interface KeptRow {
  readonly id: number;
  /** Whether it was not there before. */
  readonly added: boolean;
  /** Of a score, whether it is no shadow's. */
  readonly counts: boolean;
}

/** What a statement keeps. What another process added meanwhile is seen by the next statement. */
async function keep(sql: Sql, statement: string, values: readonly string[]): Promise<KeptRow[]> {
  const added = new Set<number>();
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const rows = await sql.query<KeptRow | { id: null }>(statement, values);
    const kept = rows.flatMap((row) => (row.id === null ? [] : [row]));
    for (const row of kept) if (row.added) added.add(row.id);
    if (kept.length === rows.length) return kept.map((row) => ({ ...row, added: added.has(row.id) }));
  }
  throw new AppError("conflict", "The same moment is being scored elsewhere");
}

/** A row that is there already is told in place of one that is added; a later statement of the transaction sees both. */
const KEEP_SNAPSHOTS = `
with given as (
  select instrument, interval, to_timestamp(bar / 1000) as bar, to_timestamp(closed / 1000) as closed, pattern, direction,
    regime, schema, vals::float8[] as vals, place
  from unnest($1::int[], $2::text[], $3::float8[], $4::float8[], $5::text[], $6::smallint[], $7::text[], $8::text[],
    $9::text[]) with ordinality as g(instrument, interval, bar, closed, pattern, direction, regime, schema, vals, place)
), added as (
  insert into feature_snapshots (instrument_id, interval, bar_time, closed_at, pattern, direction, regime, schema, values)
  select distinct on (instrument, interval, bar, pattern, direction, schema)
    instrument, interval, bar, closed, pattern, direction, regime, schema, vals from given
  on conflict (instrument_id, interval, bar_time, pattern, direction, schema) do nothing
  returning id, instrument_id, interval, bar_time, pattern, direction, schema
)
select coalesce(a.id, f.id) as id, a.id is not null as added, false as counts from given g
left join added a on a.instrument_id = g.instrument and a.interval = g.interval and a.bar_time = g.bar
  and a.pattern = g.pattern and a.direction = g.direction and a.schema = g.schema
left join feature_snapshots f on f.instrument_id = g.instrument and f.interval = g.interval and f.bar_time = g.bar
  and f.pattern = g.pattern and f.direction = g.direction and f.schema = g.schema
order by g.place`;

const KEEP_SCORES = `
with given as (
  select * from unnest($1::bigint[], $2::bigint[], $3::text[], $4::text[], $5::float8[], $6::float8[]) with ordinality
    as g(model, snapshot, grp, shadow, score, raw, place)
), added as (
  insert into model_scores (model_id, snapshot_id, group_key, shadow, score, raw)
  select model, snapshot, grp, shadow::boolean, score, raw from given order by place
  on conflict (model_id, snapshot_id) do nothing returning id, model_id, snapshot_id, shadow
)
select coalesce(a.id, s.id) as id, a.id is not null as added, not coalesce(a.shadow, s.shadow) as counts from given g
left join added a on a.model_id = g.model and a.snapshot_id = g.snapshot
left join model_scores s on s.model_id = g.model and s.snapshot_id = g.snapshot
order by g.place`;
