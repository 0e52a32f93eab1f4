import type { AdjustedAt, PriceBasis } from "../../core/market/adjust.js";
import { allocateBars, type Candles } from "../../core/market/candles.js";
import type { Interval } from "../../core/market/interval.js";
import type { Database, Sql } from "../../platform/database.js";
import { numberArray } from "../../platform/sql-array.js";

/** A stretch [from, to) of epoch ms. */
export interface Stretch {
  readonly from: number;
  readonly to: number;
}

export interface StoredCandles {
  readonly candles: Candles;
  readonly adjustedAt: AdjustedAt;
  /** Source of the newest bar; null when there is none. */
  readonly source: string | null;
}

/** Where bars that are stored come from. */
export interface Origin {
  readonly source: string;
  readonly basis: PriceBasis;
  /** When they were given. */
  readonly atMs: number;
  /** True when bars that are new were asked for before and not given then: they count from now on, not from their close. */
  readonly late?: boolean;
}

const ROWS_A_STATEMENT = 2_000;

/**
 * What a bar was is kept in the statement that replaces it, and before it is replaced: hence the count. Rows are locked
 * before, so that of two writers the second keeps what the first wrote.
 */
const SAVE = `
with given as materialized (
  select to_timestamp(b.t / 1000) as time, b.o, b.h, b.l, b.c, b.v
  from unnest($4::float8[], $5::float8[], $6::float8[], $7::float8[], $8::float8[], $9::float8[])
    as b(t, o, h, l, c, v)
), former as materialized (
  select old.* from candles old join given on given.time = old.time
  where old.instrument_id = $1 and old.interval = $2
    and old.time >= to_timestamp($13::float8 / 1000) and old.time <= to_timestamp($14::float8 / 1000)
    and (old.open, old.high, old.low, old.close, old.volume, old.basis)
      is distinct from (given.o, given.h, given.l, given.c, given.v, $10)
  order by old.time for update of old
), kept as (
  insert into candle_revisions (instrument_id, interval, time, open, high, low, close, volume, source, basis, stored_at,
    known_from, known_until)
  select instrument_id, interval, time, open, high, low, close, volume, source, basis, stored_at, known_from,
    to_timestamp($11::float8 / 1000)
  from former returning 1
)
insert into candles (instrument_id, interval, time, open, high, low, close, volume, source, basis, stored_at, known_from)
select $1, $2, time, o, h, l, c, v, $3, $10, to_timestamp($11::float8 / 1000),
  case when $12::boolean then to_timestamp($11::float8 / 1000) end
from given where (select count(*) from kept) >= 0
on conflict (instrument_id, interval, time) do update set
  open = excluded.open, high = excluded.high, low = excluded.low, close = excluded.close, volume = excluded.volume,
  source = excluded.source, basis = excluded.basis, stored_at = excluded.stored_at, known_from = excluded.stored_at
where (candles.open, candles.high, candles.low, candles.close, candles.volume, candles.basis)
   is distinct from (excluded.open, excluded.high, excluded.low, excluded.close, excluded.volume, excluded.basis)`;

const COLUMNS = `(extract(epoch from time) * 1000)::float8 as t, open as o, high as h, low as l, close as c, volume as v, source,
  case basis when 'split' then (extract(epoch from stored_at) * 1000)::float8 when 'all' then 'Infinity'::float8
    when 'unknown' then '-Infinity'::float8 end as a`;

const STRETCH = `instrument_id = $1 and interval = $2 and time >= to_timestamp($3::float8 / 1000)
  and time < to_timestamp($4::float8 / 1000)`;

const LOAD = `select ${COLUMNS} from candles where ${STRETCH} order by time`;

/** Of each bar what it was at a moment: of its versions at most one, since they follow each other. */
const KNOWN = "known_from is null or known_from <= to_timestamp($5::float8 / 1000)";
const LOAD_KNOWN = `
select ${COLUMNS} from (
  select time, open, high, low, close, volume, source, basis, stored_at from candles where ${STRETCH} and (${KNOWN})
  union all
  select time, open, high, low, close, volume, source, basis, stored_at from candle_revisions
  where ${STRETCH} and (${KNOWN}) and known_until > to_timestamp($5::float8 / 1000)
) as known order by time`;

/** What is wanted of a stretch beside its bounds. */
export interface LoadOptions {
  /** The newest bars alone. */
  readonly limit?: number | undefined;
  /** As they were at a moment, epoch ms. */
  readonly knownAtMs?: number | undefined;
}

/** Take a stretch [$3, $4) out of what is covered, in this order: what lies after it, before it and within it. */
const CUT_COVERAGE = [
  `insert into candle_coverage (instrument_id, interval, from_time, to_time, source, asked_at)
   select instrument_id, interval, to_timestamp($4::float8 / 1000), to_time, source, asked_at
   from candle_coverage where instrument_id = $1 and interval = $2
     and from_time < to_timestamp($4::float8 / 1000) and to_time > to_timestamp($4::float8 / 1000)
     and $3::float8 < $4::float8`,
  `update candle_coverage set to_time = to_timestamp($3::float8 / 1000)
   where instrument_id = $1 and interval = $2 and $3::float8 < $4::float8
     and from_time < to_timestamp($3::float8 / 1000) and to_time > to_timestamp($3::float8 / 1000)`,
  `delete from candle_coverage where instrument_id = $1 and interval = $2
     and from_time >= to_timestamp($3::float8 / 1000) and from_time < to_timestamp($4::float8 / 1000)`,
];

interface Row {
  t: number;
  o: number;
  h: number;
  l: number;
  c: number;
  v: number;
  source: string;
  a: number | null;
}

interface StretchRow {
  from: number;
  to: number;
}

export function createCandleStore(database: Database) {
  return {
    /** Bars that open in [fromMs, toMs). */
    async load(
      instrumentId: number,
      symbol: string,
      interval: Interval,
      fromMs: number,
      toMs: number,
      { limit, knownAtMs }: LoadOptions = {},
    ): Promise<StoredCandles> {
      const values = [instrumentId, interval, fromMs, toMs, ...(knownAtMs === undefined ? [] : [knownAtMs])];
      const text = knownAtMs === undefined ? LOAD : LOAD_KNOWN;
      const rows =
        limit === undefined
          ? await database.query<Row>(text, values)
          : await database.query<Row>(
              `select * from (${text} desc limit $${values.length + 1}) as newest order by t`,
              [...values, limit],
            );
      const source = rows.at(-1)?.source ?? null;
      return { candles: columnsOf(rows, symbol, interval), adjustedAt: adjustedAtOf(rows), source };
    },

    /** Stretches that sources have been asked for, ascending and apart. */
    loadCoverage: (instrumentId: number, interval: Interval) => coverageOn(database, instrumentId, interval),

    /** Stores bars and remembers, in the same transaction, that a stretch was asked for. */
    async save(instrumentId: number, candles: Candles, origin: Origin, asked: Stretch): Promise<void> {
      const { interval } = candles;
      for (let from = ROWS_A_STATEMENT; from < candles.time.length; from += ROWS_A_STATEMENT) {
        await saveRows(database, instrumentId, candles, origin, from - ROWS_A_STATEMENT, from);
      }
      const rest = Math.max(0, Math.ceil(candles.time.length / ROWS_A_STATEMENT) - 1) * ROWS_A_STATEMENT;
      await database.transaction(async (sql) => {
        await saveRows(sql, instrumentId, candles, origin, rest, candles.time.length);
        await sql.query("select pg_advisory_xact_lock($1, hashtext($2))", [
          instrumentId,
          `coverage ${interval}`,
        ]);
        const merged = mergeStretches([...(await coverageOn(sql, instrumentId, interval)), asked]);
        await sql.query("delete from candle_coverage where instrument_id = $1 and interval = $2", [
          instrumentId,
          interval,
        ]);
        await sql.query(
          `insert into candle_coverage (instrument_id, interval, from_time, to_time, source, asked_at)
           select $1, $2, to_timestamp(s.f / 1000), to_timestamp(s.t / 1000), $3, to_timestamp($4::float8 / 1000)
           from unnest($5::float8[], $6::float8[]) as s(f, t)`,
          [
            instrumentId,
            interval,
            origin.source,
            origin.atMs,
            merged.map(({ from }) => from),
            merged.map(({ to }) => to),
          ],
        );
      });
    },

    /** Lets a stretch be asked for again; its bars stay until they are overwritten. */
    forgetStretch: (instrumentId: number, interval: Interval, forgotten: Stretch): Promise<void> =>
      cutCoverage(database, instrumentId, interval, forgotten),

    /** Stores bars; nothing is said about what was asked for. */
    saveBars: (instrumentId: number, candles: Candles, origin: Origin): Promise<void> =>
      saveAll(database, instrumentId, candles, origin),

    /** Lets every stretch of an interval be asked for again; bars stay until they are overwritten. */
    async forgetCoverage(instrumentId: number, interval: Interval): Promise<void> {
      await database.query("delete from candle_coverage where instrument_id = $1 and interval = $2", [
        instrumentId,
        interval,
      ]);
    },

    /** What is stored, by instrument and interval. */
    async summary(synthetic: boolean) {
      return database.query<{ symbol: string; interval: string; bars: number; first: Date; last: Date }>(
        `select i.symbol, c.interval, count(*) as bars, min(c.time) as first, max(c.time) as last
         from candles c join instruments i on i.id = c.instrument_id where i.synthetic = $1
         group by i.symbol, c.interval order by i.symbol, c.interval`,
        [synthetic],
      );
    },
  };
}

async function cutCoverage(
  database: Database,
  instrumentId: number,
  interval: Interval,
  { from, to }: Stretch,
): Promise<void> {
  await database.transaction(async (sql) => {
    await sql.query("select pg_advisory_xact_lock($1, hashtext($2))", [instrumentId, `coverage ${interval}`]);
    for (const statement of CUT_COVERAGE) await sql.query(statement, [instrumentId, interval, from, to]);
  });
}

async function coverageOn(sql: Sql, instrumentId: number, interval: Interval): Promise<Stretch[]> {
  return sql.query<StretchRow>(
    `select (extract(epoch from from_time) * 1000)::float8 as from, (extract(epoch from to_time) * 1000)::float8 as to
     from candle_coverage where instrument_id = $1 and interval = $2 order by from_time`,
    [instrumentId, interval],
  );
}

export type CandleStore = ReturnType<typeof createCandleStore>;

async function saveRows(
  sql: Sql,
  instrumentId: number,
  candles: Candles,
  { source, basis, atMs, late = false }: Origin,
  from: number,
  to: number,
): Promise<void> {
  if (from >= to) return;
  const columns = [candles.time, candles.open, candles.high, candles.low, candles.close, candles.volume];
  const parts = columns.map((column) => numberArray(column.subarray(from, to)));
  await sql.query(SAVE, [
    instrumentId,
    candles.interval,
    source,
    ...parts,
    basis,
    atMs,
    late,
    candles.time[from],
    candles.time[to - 1],
  ]);
}

async function saveAll(sql: Sql, instrumentId: number, candles: Candles, origin: Origin): Promise<void> {
  const { length } = candles.time;
  for (let from = 0; from < length; from += ROWS_A_STATEMENT) {
    await saveRows(sql, instrumentId, candles, origin, from, Math.min(length, from + ROWS_A_STATEMENT));
  }
}

function columnsOf(rows: readonly Row[], symbol: string, interval: Interval): Candles {
  const bars = allocateBars(rows.length);
  for (const [i, row] of rows.entries()) {
    bars.time[i] = row.t;
    bars.open[i] = row.o;
    bars.high[i] = row.h;
    bars.low[i] = row.l;
    bars.close[i] = row.c;
    bars.volume[i] = row.v;
  }
  return { symbol, interval, ...bars };
}

function adjustedAtOf(rows: readonly Row[]): AdjustedAt {
  return rows.some(({ a }) => a !== null) ? Float64Array.from(rows, ({ a }) => a ?? Number.NaN) : null;
}

/** The same moments as ascending stretches that neither overlap nor touch. */
export function mergeStretches(stretches: readonly Stretch[]): Stretch[] {
  const merged: Stretch[] = [];
  for (const stretch of [...stretches].sort((a, b) => a.from - b.from)) {
    if (stretch.to <= stretch.from) continue;
    const last = merged.at(-1);
    if (last !== undefined && stretch.from <= last.to) {
      merged[merged.length - 1] = { from: last.from, to: Math.max(last.to, stretch.to) };
    } else merged.push(stretch);
  }
  return merged;
}

/** The parts of a stretch that merged stretches leave uncovered. */
export function missingStretches(wanted: Stretch, covered: readonly Stretch[]): Stretch[] {
  const missing: Stretch[] = [];
  let from = wanted.from;
  for (const { from: start, to: end } of covered) {
    if (end <= from) continue;
    if (start >= wanted.to) break;
    if (start > from) missing.push({ from, to: start });
    from = Math.max(from, end);
  }
  if (from < wanted.to) missing.push({ from, to: wanted.to });
  return missing;
}
