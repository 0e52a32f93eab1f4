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
  /** Source of the newest bar; null when there is none. */
  readonly source: string | null;
}

const ROWS_A_STATEMENT = 2_000;

const SAVE = `
insert into candles (instrument_id, interval, time, open, high, low, close, volume, source)
select $1, $2, to_timestamp(b.t / 1000), b.o, b.h, b.l, b.c, b.v, $3
from unnest($4::float8[], $5::float8[], $6::float8[], $7::float8[], $8::float8[], $9::float8[])
  as b(t, o, h, l, c, v)
on conflict (instrument_id, interval, time) do update set
  open = excluded.open, high = excluded.high, low = excluded.low, close = excluded.close,
  volume = excluded.volume, source = excluded.source
where (candles.open, candles.high, candles.low, candles.close, candles.volume)
   is distinct from (excluded.open, excluded.high, excluded.low, excluded.close, excluded.volume)`;

const LOAD = `
select (extract(epoch from time) * 1000)::float8 as t, open as o, high as h, low as l, close as c, volume as v, source
from candles
where instrument_id = $1 and interval = $2 and time >= to_timestamp($3::float8 / 1000)
  and time < to_timestamp($4::float8 / 1000)
order by time`;

const LOAD_NEWEST = `select * from (${LOAD} desc limit $5) as newest order by t`;

interface Row {
  t: number;
  o: number;
  h: number;
  l: number;
  c: number;
  v: number;
  source: string;
}

interface StretchRow {
  from: number;
  to: number;
}

export function createCandleStore(database: Database) {
  async function coverageOn(sql: Sql, instrumentId: number, interval: Interval): Promise<Stretch[]> {
    return sql.query<StretchRow>(
      `select (extract(epoch from from_time) * 1000)::float8 as from, (extract(epoch from to_time) * 1000)::float8 as to
       from candle_coverage where instrument_id = $1 and interval = $2 order by from_time`,
      [instrumentId, interval],
    );
  }

  return {
    /** Bars that open in [fromMs, toMs); the newest of them when a limit is given. */
    async load(
      instrumentId: number,
      symbol: string,
      interval: Interval,
      fromMs: number,
      toMs: number,
      limit?: number,
    ): Promise<StoredCandles> {
      const values = [instrumentId, interval, fromMs, toMs];
      const rows =
        limit === undefined
          ? await database.query<Row>(LOAD, values)
          : await database.query<Row>(LOAD_NEWEST, [...values, limit]);
      return { candles: columnsOf(rows, symbol, interval), source: rows.at(-1)?.source ?? null };
    },

    /** Stretches that sources have been asked for, ascending and apart. */
    loadCoverage: (instrumentId: number, interval: Interval) => coverageOn(database, instrumentId, interval),

    /** Stores bars and remembers, in the same transaction, that a stretch was asked for. */
    async save(
      instrumentId: number,
      candles: Candles,
      source: string,
      asked: Stretch,
      atMs: number,
    ): Promise<void> {
      const { interval } = candles;
      for (let from = ROWS_A_STATEMENT; from < candles.time.length; from += ROWS_A_STATEMENT) {
        await saveRows(database, instrumentId, candles, source, from - ROWS_A_STATEMENT, from);
      }
      const rest = Math.max(0, Math.ceil(candles.time.length / ROWS_A_STATEMENT) - 1) * ROWS_A_STATEMENT;
      await database.transaction(async (sql) => {
        await saveRows(sql, instrumentId, candles, source, rest, candles.time.length);
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
          [instrumentId, interval, source, atMs, merged.map(({ from }) => from), merged.map(({ to }) => to)],
        );
      });
    },

    /** Stores bars; nothing is said about what was asked for. */
    saveBars: (instrumentId: number, candles: Candles, source: string): Promise<void> =>
      saveAll(database, instrumentId, candles, source),

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

export type CandleStore = ReturnType<typeof createCandleStore>;

async function saveRows(
  sql: Sql,
  instrumentId: number,
  candles: Candles,
  source: string,
  from: number,
  to: number,
): Promise<void> {
  if (from >= to) return;
  const columns = [candles.time, candles.open, candles.high, candles.low, candles.close, candles.volume];
  const parts = columns.map((column) => numberArray(column.subarray(from, to)));
  await sql.query(SAVE, [instrumentId, candles.interval, source, ...parts]);
}

async function saveAll(sql: Sql, instrumentId: number, candles: Candles, source: string): Promise<void> {
  const { length } = candles.time;
  for (let from = 0; from < length; from += ROWS_A_STATEMENT) {
    await saveRows(sql, instrumentId, candles, source, from, Math.min(length, from + ROWS_A_STATEMENT));
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
