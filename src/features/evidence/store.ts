import type { AssetClass } from "../../core/market/instrument.js";
import { INTERVAL_MS, INTERVALS, type Interval } from "../../core/market/interval.js";
import type { CalendarId } from "../../core/market/session.js";
import { ANY_COSTS, ANY_REGIME, type EvidenceRow, type EvidenceTable } from "../../core/signals/evidence.js";
import type { Database } from "../../platform/database.js";
import { numberArray, textArray } from "../../platform/sql-array.js";
import { epochMs } from "../../platform/sql-epoch.js";
import type { MarketName } from "../instruments/store.js";
import type { StoredSeries } from "./stored.js";

/** A run as it is kept; times in epoch ms. */
export interface EvidenceRun extends Omit<EvidenceTable, "rows"> {
  readonly id: number;
  readonly asOfMs: number;
  readonly policy: unknown;
  readonly liveSinceMs: number;
  readonly liveMissing: number;
  readonly createdAtMs: number;
}

/** A series with enough bars to be measured. */
const LEAST_BARS = 300;
const RUNS_KEPT = 5;
const ROWS_A_STATEMENT = 1_000;

const RUN_FIELDS = [
  "id, policy, series, bars, occurrences, tests",
  `live_missing as "liveMissing"`,
  epochMs("as_of", "asOfMs"),
  epochMs("from_time", "fromMs"),
  epochMs("until_time", "untilMs"),
  epochMs("live_since", "liveSinceMs"),
  epochMs("created_at", "createdAtMs"),
].join(", ");

/** Bars, and time at least, within which a scan sees what has just closed. */
const LIVE_BARS = 3;
const LIVE_LEAST_MS = 3_600_000;

/**
 * The ends of each series by its index, without counting: only whether there are enough bars is looked at. Indices are
 * left out: nobody can take a trade on one.
 */
const SERIES = `
select i.id, i.symbol, i.synthetic, i.name, i.asset_class as "assetClass", i.exchange, i.currency, i.calendar,
  v.interval, ${epochMs("e.first", "fromMs")}, ${epochMs("e.last", "untilMs")}
from instruments i cross join unnest($3::text[]) as v(interval)
cross join lateral (
  select min(time) as first, max(time) as last from candles c
  where c.instrument_id = i.id and c.interval = v.interval) e
where i.synthetic = $1 and i.replay = $2 and i.asset_class <> 'index' and e.first is not null and exists (
  select from candles c where c.instrument_id = i.id and c.interval = v.interval
  order by time offset $4 - 1 limit 1)
order by i.symbol, i.id, v.interval`;

const KEEP_EDGES = `
insert into evidence_edges (synthetic, replay, interval, known_at, edges)
select $1, $2, interval, to_timestamp($4::float8 / 1000), jsonb_object_agg(variant, measured -> 'edge')
from evidence_rows
where run_id = $3 and regime = '${ANY_REGIME}' and measured ->> 'costs' = '${ANY_COSTS}'
  and jsonb_typeof(measured -> 'edge') = 'number'
group by interval`;

interface SeriesRow {
  id: number;
  symbol: string;
  synthetic: boolean;
  name: string;
  assetClass: string;
  exchange: string;
  currency: string;
  calendar: string;
  interval: string;
  fromMs: number;
  untilMs: number;
}

export function createEvidenceStore(database: Database, { synthetic, replay }: MarketName) {
  const market = [synthetic, replay ?? ""] as const;

  return {
    /** Series of this market that have enough bars. */
    async loadSeries(): Promise<StoredSeries[]> {
      const rows = await database.query<SeriesRow>(SERIES, [...market, [...INTERVALS], LEAST_BARS]);
      return rows.map(({ interval, fromMs, untilMs, assetClass, calendar, ...row }) => ({
        instrument: { ...row, assetClass: assetClass as AssetClass, calendar: calendar as CalendarId },
        interval: interval as Interval,
        fromMs,
        untilMs,
      }));
    },

    /**
     * Opens of bars at which patterns were stored as confirmed while it happened, by variant, of bars that closed since a
     * moment. What a first scan or one after a pause finds in the past was not seen live.
     */
    async loadSeen({ instrument, interval }: StoredSeries, sinceMs: number) {
      return database.query<{ variant: string; times: number[] }>(
        `select pattern as variant, array_agg((extract(epoch from bar_time) * 1000)::float8 order by bar_time) as times
         from detections
         where instrument_id = $1 and interval = $2 and state = 'confirmed' and trend_met is distinct from false
           and closed_at >= to_timestamp($3::float8 / 1000)
           and detected_at <= closed_at + make_interval(secs => $4::float8 / 1000)
         group by pattern order by pattern`,
        [instrument.id, interval, sinceMs, Math.max(LIVE_LEAST_MS, LIVE_BARS * INTERVAL_MS[interval])],
      );
    },

    /**
     * Keeps a run with its rows, and the newest five runs; of those before, what each knew of edges.
     * @param knownAtMs when it has ended, epoch ms. @returns its id.
     */
    async save(
      run: Omit<EvidenceRun, "id" | "createdAtMs">,
      rows: readonly EvidenceRow[],
      knownAtMs: number,
    ): Promise<number> {
      return database.transaction(async (sql) => {
        const [{ id }] = await sql.query<{ id: number }>(
          `insert into evidence_runs (synthetic, replay, as_of, policy, series, bars, occurrences, tests, from_time,
             until_time, live_since, live_missing)
           values ($1, $2, to_timestamp($3::float8 / 1000), $4::jsonb, $5, $6, $7, $8, to_timestamp($9::float8 / 1000),
             to_timestamp($10::float8 / 1000), to_timestamp($11::float8 / 1000), $12) returning id`,
          [
            ...market,
            run.asOfMs,
            JSON.stringify(run.policy),
            ...[run.series, run.bars, run.occurrences, run.tests, run.fromMs, run.untilMs, run.liveSinceMs],
            run.liveMissing,
          ],
        );
        for (let from = 0; from < rows.length; from += ROWS_A_STATEMENT) {
          const part = rows.slice(from, from + ROWS_A_STATEMENT);
          await sql.query(
            `insert into evidence_rows (run_id, place, variant, interval, regime, n, confidence, measured)
             select $1, r.p, r.v, r.i, r.r, r.n, r.c, r.m::jsonb
             from unnest($2::int[], $3::text[], $4::text[], $5::text[], $6::int[], $7::float8[], $8::text[])
               as r(p, v, i, r, n, c, m)`,
            [
              id,
              numberArray(part.map((_, i) => from + i)),
              textArray(part.map(({ variant }) => variant)),
              textArray(part.map(({ interval }) => interval)),
              textArray(part.map(({ regime }) => regime)),
              numberArray(part.map(({ n }) => n)),
              numberArray(part.map(({ confidence }) => confidence)),
              textArray(part.map((row) => JSON.stringify(row))),
            ],
          );
        }
        await sql.query(KEEP_EDGES, [...market, id, knownAtMs]);
        await sql.query(
          `delete from evidence_runs where synthetic = $1 and replay = $2 and id not in (
             select id from evidence_runs where synthetic = $1 and replay = $2 order by id desc limit $3)`,
          [...market, RUNS_KEPT],
        );
        return id;
      });
    },

    /** The newest run of this market; null before the first. */
    async newestRun(): Promise<EvidenceRun | null> {
      const [row] = await database.query<EvidenceRun>(
        `select ${RUN_FIELDS} from evidence_runs where synthetic = $1 and replay = $2 order by id desc limit 1`,
        [...market],
      );
      return row ?? null;
    },

    async loadRows(runId: number): Promise<EvidenceRow[]> {
      const rows = await database.query<{ measured: EvidenceRow }>(
        "select measured from evidence_rows where run_id = $1 order by place",
        [runId],
      );
      // Runs from before costs were told apart have rows of all of them.
      return rows.map(({ measured }) => ({ ...measured, costs: measured.costs ?? ANY_COSTS }));
    },
  };
}

export type EvidenceStore = ReturnType<typeof createEvidenceStore>;
