import { z } from "zod";
import { isoTime, type RouteGroup } from "../../platform/http.js";
import { symbolParams } from "../candles/schema.js";
import { titleOf, variantOf } from "../catalogue/pattern-names.js";
import type { DetectionRouteOptions } from "./routes.js";
import {
  exportQuery,
  exportSchema,
  historyQuery,
  historySchema,
  logsQuery,
  logsSchema,
  patternStatSchema,
  statsSchema,
  windowQuery,
} from "./schema.js";
import { detectionView } from "./views.js";

/** Routes over stored detections. */
export function logRoutes(routes: RouteGroup, { detections, instruments, now }: DetectionRouteOptions): void {
  const symbolOf = (text: string | undefined) =>
    text === undefined ? undefined : instruments.identify(text).symbol;

  routes.get("/api/patterns/history/:symbol", {
    id: "listPatternHistory",
    summary: "Stored detections of a symbol, newest first",
    perMinute: 20,
    params: symbolParams,
    query: historyQuery,
    answer: { data: historySchema },
    errors: ["symbol_invalid", "symbol_unknown", "pattern_unknown"],
    async handle({ params, query: { limit, offset, pattern, interval, from, to } }) {
      const { symbol } = instruments.identify(params.symbol);
      const filter = { symbol, pattern: given(pattern), interval, from, to };
      const { rows, total } = await detections.list(filter, limit, offset);
      return { data: { symbol, detections: rows.map(detectionView), pagination: { limit, offset, total } } };
    },
  });
  routes.get("/api/detection_logs", {
    id: "listDetections",
    summary: "Stored detections, newest first",
    perMinute: 20,
    query: logsQuery,
    answer: { data: logsSchema },
    errors: ["symbol_invalid", "symbol_unknown", "pattern_unknown"],
    async handle({ query: { limit, offset, symbol, pattern, interval } }) {
      const filter = { symbol: symbolOf(symbol), pattern: given(pattern), interval };
      const { rows, total } = await detections.list(filter, limit, offset);
      return { data: { logs: rows.map(detectionView), pagination: { limit, offset, total } } };
    },
  });
  routes.get("/api/detection_stats", {
    id: "getDetectionStats",
    summary: "Stored detections by day and by symbol over seven days",
    perMinute: 20,
    answer: { data: statsSchema },
    async handle() {
      const { daily, symbols } = await detections.stats();
      return { data: { daily_detections: daily, top_symbols: symbols } };
    },
  });
  routes.get("/api/pattern-stats", {
    id: "getPatternStats",
    summary: "Stored detections by pattern",
    perMinute: 10,
    query: windowQuery,
    answer: { data: z.array(patternStatSchema) },
    async handle({ query: { window } }) {
      const rows = await detections.patternStats(window);
      return {
        data: rows.map(({ pattern, count, quality, confidence }) => ({
          pattern,
          name: titleOf(pattern),
          count,
          avg_quality: quality,
          avg_confidence: confidence,
        })),
      };
    },
  });
  routes.get("/api/export_detection_logs", {
    id: "exportDetections",
    summary: "Stored detections as CSV",
    description: "Cells that a spreadsheet would take for a formula are quoted.",
    perMinute: 5,
    query: exportQuery,
    answer: { data: exportSchema },
    errors: ["symbol_invalid", "symbol_unknown", "pattern_unknown"],
    async handle({ query: { symbol, pattern, days } }) {
      const filter = { symbol: symbolOf(symbol), pattern: given(pattern) };
      const { text, rows, truncated } = await detections.exportCsv(filter, days);
      const filename = `detections-${isoTime(now()).slice(0, 10)}.csv`;
      return { data: { csv_content: text, filename, record_count: rows, truncated } };
    },
  });
  routes.get("/api/get_latest_detection_id", {
    id: "getLatestDetectionId",
    summary: "Id of the newest stored detection, 0 before the first",
    answer: { latest_detection_id: z.number().int(), latest_id: z.number().int() },
    async handle() {
      const id = await detections.latestId();
      return { latest_detection_id: id, latest_id: id };
    },
  });
}

const given = (pattern: string | undefined) => (pattern === undefined ? undefined : variantOf(pattern));
