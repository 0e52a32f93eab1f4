import { stringify } from "csv-stringify/sync";
import { barClose } from "../../core/market/bar-times.js";
import type { Interval } from "../../core/market/interval.js";
import { calendarOf } from "../../core/market/session.js";
import { LEAD_BARS } from "../../core/signals/lead.js";
import type { Database } from "../../platform/database.js";
import { AppError } from "../../platform/errors.js";
import { isoTime } from "../../platform/http.js";
import { defineTask, type Workers } from "../../platform/workers.js";
import type { CandleService, CandleSet } from "../candles/candles.js";
import type { Evidence } from "../evidence/evidence.js";
import type { Instruments } from "../instruments/instruments.js";
import { measuredOf } from "./confidence.js";
import type { Sighting } from "./find.js";
import { storedFormation } from "./formation.js";
import { countByDay, countByPattern, countBySymbol, type PatternCount } from "./statistics.js";
import type { DetectionFilter, DetectionStore, NewDetection, Past, StoredDetection } from "./store.js";
import type { Window } from "./worker.js";

/** Sightings on the newest bars of a symbol, and the candles they were made on. */
export interface Examination {
  readonly set: CandleSet;
  readonly detections: readonly NewDetection[];
}

export interface Detections {
  /**
   * Looks at the newest `bars` closed bars now, storing nothing.
   * @throws {AppError} `symbol_unknown`, `interval_unavailable`, `no_data`, `provider_unavailable`.
   */
  examine(symbol: string, interval: Interval, bars: number): Promise<Examination>;
  /** Sightings of many windows, in threads. */
  examineWindows(windows: readonly Window[], signal?: AbortSignal): Promise<Sighting[][]>;
  list(
    filter: DetectionFilter,
    limit: number,
    offset: number,
  ): Promise<{ rows: StoredDetection[]; total: number }>;
  /** @throws {AppError} `detection_not_found` */
  get(id: number): Promise<StoredDetection>;
  /** Confirmed detections of a pattern that came before another, the newest bars first. */
  past(past: Past, limit: number): Promise<StoredDetection[]>;
  stats(): Promise<{
    daily: { date: string; count: number }[];
    symbols: { symbol: string; count: number }[];
  }>;
  patternStats(days: number): Promise<PatternCount[]>;
  latestId(): Promise<number>;
  exportCsv(
    filter: DetectionFilter,
    days: number,
  ): Promise<{ text: string; rows: number; truncated: boolean }>;
}

const DAY_MS = 86_400_000;
const STATS_DAYS = 7;
const TOP_SYMBOLS = 10;
const EXPORT_LIMIT = 50_000;
const EXAMINE = defineTask<readonly Window[], Sighting[][]>(new URL("./worker.js", import.meta.url));

export function createDetections(options: {
  store: DetectionStore;
  database: Database;
  candles: CandleService;
  instruments: Instruments;
  workers: Workers;
  confidenceOf: Evidence["confidenceOf"];
  synthetic: boolean;
  now: () => number;
}): Detections {
  const { store, database, candles, instruments, workers, confidenceOf, synthetic, now } = options;

  function examineWindows(windows: readonly Window[], signal?: AbortSignal): Promise<Sighting[][]> {
    return workers.run(EXAMINE, windows, signal === undefined ? {} : { signal });
  }

  return {
    examineWindows,

    async examine(symbol, interval, bars) {
      const instrument = await instruments.resolve(symbol);
      const set = await candles.loadLatest(instrument, interval, bars + LEAD_BARS);
      const { length } = set.candles.time;
      if (length === 0) throw new AppError("no_data", `${instrument.symbol} has no ${interval} candles`);
      const [sightings] = await examineWindows([{ candles: set.candles, from: Math.max(0, length - bars) }]);
      return { set, detections: sightings.map((sighting) => detectionOf(sighting, set, confidenceOf)) };
    },

    async list(filter, limit, offset) {
      const [rows, total] = await Promise.all([
        store.list(filter, synthetic, limit, offset),
        store.count(filter, synthetic),
      ]);
      return { rows, total };
    },

    async get(id) {
      const found = await store.find(id, synthetic);
      if (found === null) throw new AppError("detection_not_found", `There is no detection ${id}`);
      return found;
    },

    past: (past, limit) => store.past(past, synthetic, limit),

    async stats() {
      const sinceMs = Math.floor(now() / DAY_MS) * DAY_MS - (STATS_DAYS - 1) * DAY_MS;
      const [counted, symbols] = await Promise.all([
        countByDay(database, { synthetic, sinceMs }),
        countBySymbol(database, { synthetic, sinceMs }, TOP_SYMBOLS),
      ]);
      const byDate = new Map(counted.map(({ date, count }) => [date, count]));
      const daily = Array.from({ length: STATS_DAYS }, (_, i) => {
        const date = isoTime(sinceMs + i * DAY_MS).slice(0, 10);
        return { date, count: byDate.get(date) ?? 0 };
      });
      return { daily, symbols: symbols.map(({ symbol, count }) => ({ symbol, count })) };
    },

    patternStats: (days) => countByPattern(database, { synthetic, sinceMs: now() - days * DAY_MS }),

    latestId: () => store.latestId(synthetic),

    async exportCsv(filter, days) {
      const from = now() - days * DAY_MS;
      const found = await store.list({ ...filter, from }, synthetic, EXPORT_LIMIT + 1, 0);
      const rows = found.slice(0, EXPORT_LIMIT);
      const text = stringify(rows.map(csvRow), { header: true, columns: CSV_COLUMNS, escape_formulas: true });
      return { text, rows: rows.length, truncated: found.length > rows.length };
    },
  };
}

/** A sighting as a row: with the times and prices of its bars. */
export function detectionOf(
  sighting: Sighting,
  { candles, instrument, source }: CandleSet,
  confidenceOf: Evidence["confidenceOf"],
): NewDetection {
  const { at, start } = sighting;
  const facts = { trend: sighting.trend, range: sighting.range };
  const formation = sighting.formation && storedFormation(sighting.formation, candles);
  const price = candles.close[at];
  const { interval } = candles;
  const { pattern, direction, state, regime, trendMet } = sighting;
  const measurable = { pattern, interval, regime, state, trendMet, direction, price, facts, formation };
  return {
    instrumentId: instrument.id,
    interval,
    pattern,
    direction,
    startTime: candles.time[Math.max(0, start)],
    barTime: candles.time[at],
    closedAt: barClose(calendarOf(instrument.calendar), interval, candles.time[at]),
    state,
    quality: sighting.quality,
    confidence: measuredOf(measurable, instrument.assetClass, confidenceOf).value,
    regime,
    price,
    volume: candles.volume[at],
    trendMet,
    source: source ?? "unknown",
    facts,
    formation,
  };
}

const CSV_COLUMNS = [
  "id",
  "symbol",
  "interval",
  "pattern",
  "state",
  "direction",
  "bar_time",
  "closed_at",
  "quality",
  "confidence",
  "regime",
  "price",
  "volume",
  "trend_met",
  "source",
  "synthetic",
  "detected_at",
];

function csvRow(row: StoredDetection): Record<string, string | number | null> {
  return {
    id: row.id,
    symbol: row.symbol,
    interval: row.interval,
    pattern: row.pattern,
    state: row.state,
    direction: row.direction,
    bar_time: isoTime(row.barTime),
    closed_at: isoTime(row.closedAt),
    quality: row.quality,
    confidence: row.confidence,
    regime: row.regime,
    price: row.price,
    volume: row.volume,
    trend_met: row.trendMet === null ? null : String(row.trendMet),
    source: row.source,
    synthetic: String(row.synthetic),
    detected_at: isoTime(row.detectedAt),
  };
}
