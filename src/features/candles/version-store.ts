import type { Interval } from "../../core/market/interval.js";
import type { Database } from "../../platform/database.js";
import { numberArray, textArray } from "../../platform/sql-array.js";
import type { Stretch } from "./store.js";

const STORED_OF = `
select (extract(epoch from min(time)) * 1000)::float8 as from, (extract(epoch from max(time)) * 1000)::float8 as to
from candles where instrument_id = $1 and interval = $2 and source = any($3::text[])`;

const REMOVE = `
with gone as (
  delete from candles where instrument_id = $1 and interval = $2
    and time in (select to_timestamp(o / 1000) from unnest($3::float8[]) as o)
  returning *
)
insert into candle_revisions (instrument_id, interval, time, open, high, low, close, volume, source, basis, stored_at,
  known_from, known_until)
select instrument_id, interval, time, open, high, low, close, volume, source, basis, stored_at, known_from,
  to_timestamp($4::float8 / 1000)
from gone`;

/** What is known of the files that stored bars came from. */
export function createVersionStore(database: Database) {
  return {
    /** First and last open of the bars that came from given sources; null without any. */
    async extentOf(
      instrumentId: number,
      interval: Interval,
      sources: readonly string[],
    ): Promise<Stretch | null> {
      const [row] = await database.query<{ from: number | null; to: number | null }>(STORED_OF, [
        instrumentId,
        interval,
        textArray(sources),
      ]);
      return row.from === null || row.to === null ? null : { from: row.from, to: row.to };
    },

    /** Takes bars away by their opens, since their source no longer gives them; what they were is kept. */
    async remove(
      instrumentId: number,
      interval: Interval,
      opens: readonly number[],
      atMs: number,
    ): Promise<void> {
      await database.query(REMOVE, [instrumentId, interval, numberArray(opens), atMs]);
    },

    /** The version of their files that stored bars agree with; null while none was told. */
    async loadVersion(instrumentId: number, interval: Interval): Promise<string | null> {
      const [row] = await database.query<{ version: string }>(
        "select version from candle_versions where instrument_id = $1 and interval = $2",
        [instrumentId, interval],
      );
      return row?.version ?? null;
    },

    async saveVersion(instrumentId: number, interval: Interval, version: string): Promise<void> {
      await database.query(
        `insert into candle_versions (instrument_id, interval, version) values ($1, $2, $3)
         on conflict (instrument_id, interval) do update set version = excluded.version`,
        [instrumentId, interval, version],
      );
    },
  };
}

export type VersionStore = ReturnType<typeof createVersionStore>;
