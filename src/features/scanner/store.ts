import type { Interval } from "../../core/market/interval.js";
import type { Database, Sql } from "../../platform/database.js";

/** Newest examined bar by interval, epoch ms of its open. */
export type Cursors = ReadonlyMap<Interval, number>;

export interface ScanCounts {
  readonly symbols: number;
  readonly failures: number;
  readonly bars: number;
  readonly detections: number;
  readonly alerts: number;
}

export interface ScanRecord extends ScanCounts {
  readonly id: number;
  readonly slot: number;
  readonly owner: string;
  readonly status: "running" | "finished" | "failed";
  readonly attempts: number;
  readonly error: string | null;
  readonly startedAt: number;
  readonly finishedAt: number | null;
}

const FIELDS = `id, (extract(epoch from slot) * 1000)::float8 as slot, owner, status::text, attempts, error,
  symbols, failures, bars, detections, alerts, (extract(epoch from started_at) * 1000)::float8 as "startedAt",
  (extract(epoch from finished_at) * 1000)::float8 as "finishedAt"`;

export function createScanStore(database: Database) {
  return {
    async loadCursors(instrumentId: number): Promise<Cursors> {
      const rows = await database.query<{ interval: Interval; time: number }>(
        `select interval, (extract(epoch from bar_time) * 1000)::float8 as time
         from scan_cursors where instrument_id = $1`,
        [instrumentId],
      );
      return new Map(rows.map(({ interval, time }) => [interval, time]));
    },

    /** Moves cursors forward, never back. */
    async saveCursors(sql: Sql, instrumentId: number, cursors: Cursors): Promise<void> {
      await sql.query(
        `insert into scan_cursors as known (instrument_id, interval, bar_time, updated_at)
         select $1, c.i, to_timestamp(c.t / 1000), clock_timestamp() from unnest($2::text[], $3::float8[]) as c(i, t)
         on conflict (instrument_id, interval) do update
           set bar_time = greatest(known.bar_time, excluded.bar_time), updated_at = excluded.updated_at`,
        [instrumentId, [...cursors.keys()], [...cursors.values()]],
      );
    },

    /** The id of the scan to be run for a slot; null when it has been finished. One left unfinished is begun again. */
    async claim(slotMs: number, owner: string): Promise<number | null> {
      const rows = await database.query<{ id: number }>(
        `insert into scans as known (slot, owner) values (to_timestamp($1::float8 / 1000), $2)
         on conflict (slot) do update set owner = excluded.owner, attempts = known.attempts + 1, status = 'running',
           started_at = clock_timestamp(), error = null
         where known.status <> 'finished' returning id`,
        [slotMs, owner],
      );
      return rows[0]?.id ?? null;
    },

    async finish(sql: Sql, id: number, counts: ScanCounts, error: string | null): Promise<void> {
      const { symbols, failures, bars, detections, alerts } = counts;
      await sql.query(
        `update scans set status = case when $2::text is null then 'finished' else 'failed' end::scan_status,
           error = $2, symbols = $3, failures = $4, bars = $5, detections = $6, alerts = $7,
           finished_at = clock_timestamp() where id = $1`,
        [id, error, symbols, failures, bars, detections, alerts],
      );
    },

    async loadNewest(): Promise<ScanRecord | null> {
      const [row] = await database.query<ScanRecord>(
        `select ${FIELDS} from scans order by started_at desc limit 1`,
      );
      return row ?? null;
    },

    /** Sums over the scans started since a moment. */
    async loadTotals(sinceMs: number): Promise<ScanCounts & { scans: number }> {
      const [row] = await database.query<ScanCounts & { scans: number }>(
        `select count(*) as scans, coalesce(max(symbols), 0) as symbols, coalesce(sum(failures), 0) as failures,
           coalesce(sum(bars), 0) as bars, coalesce(sum(detections), 0) as detections,
           coalesce(sum(alerts), 0) as alerts
         from scans where started_at >= to_timestamp($1::float8 / 1000)`,
        [sinceMs],
      );
      return row;
    },
  };
}

export type ScanStore = ReturnType<typeof createScanStore>;
