import type { RejectedBar } from "../../core/market/collect.js";
import type { Interval } from "../../core/market/interval.js";
import type { Database } from "../../platform/database.js";
import { numberArray, textArray } from "../../platform/sql-array.js";
import type { Stretch } from "./store.js";

/** Rejected rows of one answer that are kept; a source that rejects more is told by the first. */
const REJECTED_LIMIT = 1_000;

const STRETCH = `instrument_id = $1 and interval = $2 and time >= to_timestamp($3::float8 / 1000)
  and time < to_timestamp($4::float8 / 1000)`;

const SAVE_REJECTED = `
insert into candle_rejections (instrument_id, interval, time, reason, source, seen_at)
select distinct on (r.t) $1::int, $2, to_timestamp(r.t / 1000), r.reason, $3, to_timestamp($4::float8 / 1000)
from unnest($5::float8[], $6::text[]) as r(t, reason)
on conflict (instrument_id, interval, time) do update set
  reason = excluded.reason, source = excluded.source, seen_at = excluded.seen_at`;

/** What is known of bars that are not there. */
export function createGapStore(database: Database) {
  return {
    /** Remembers rows that could not be bars; those of no time are not kept. */
    async saveRejected(
      instrumentId: number,
      interval: Interval,
      source: string,
      rejected: readonly RejectedBar[],
      atMs: number,
    ): Promise<void> {
      const rows = rejected.filter(({ time }) => Math.abs(time) < LATEST_MS).slice(0, REJECTED_LIMIT);
      if (rows.length === 0) return;
      await database.query(SAVE_REJECTED, [
        instrumentId,
        interval,
        source,
        atMs,
        numberArray(rows.map(({ time }) => time)),
        textArray(rows.map(({ reason }) => reason)),
      ]);
    },

    /** Rows of a stretch that could not be bars, by time. */
    loadRejected(instrumentId: number, interval: Interval, { from, to }: Stretch) {
      return database.query<RejectedBar & { source: string }>(
        `select (extract(epoch from time) * 1000)::float8 as time, reason, source from candle_rejections
         where ${STRETCH} order by time`,
        [instrumentId, interval, from, to],
      );
    },

    /** Opens of the stored bars of a stretch, ascending. */
    async loadOpens(instrumentId: number, interval: Interval, { from, to }: Stretch): Promise<Float64Array> {
      const [row] = await database.query<{ opens: number[] | null }>(
        `select array_agg((extract(epoch from time) * 1000)::float8 order by time) as opens from candles
         where ${STRETCH}`,
        [instrumentId, interval, from, to],
      );
      return Float64Array.from(row.opens ?? []);
    },

    /** Open of the first stored bar; null without any. */
    async firstOpen(instrumentId: number, interval: Interval): Promise<number | null> {
      const [row] = await database.query<{ first: number | null }>(
        `select (extract(epoch from min(time)) * 1000)::float8 as first from candles
         where instrument_id = $1 and interval = $2`,
        [instrumentId, interval],
      );
      return row.first;
    },
  };
}

/** No row is of this time. */
const LATEST_MS = Date.UTC(2200, 0, 1);

export type GapStore = ReturnType<typeof createGapStore>;
