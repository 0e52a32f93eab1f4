import type { HistoryFacts } from "../../core/risk/limits.js";
import type { Confidence } from "./evidence.js";

/** What is measured of a pattern as facts of its history; null where too few cases tell. */
export function historyOf({ value, low, high, n }: Confidence): HistoryFacts | null {
  return value === null || low === null || high === null
    ? null
    : { hitRate: value, least: low, most: high, count: n };
}
