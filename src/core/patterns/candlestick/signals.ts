import { assert } from "../../base/assert.js";
import { extendAnatomy } from "../anatomy.js";
import type { PatternSeries } from "../define.js";
import { CANDLESTICKS } from "./index.js";

/** Bars that all rows handle before the next ones, so that anatomy and columns are still in the cache. */
const BLOCK = 4096;

/**
 * Extends the anatomy by bars [from, to) and writes TA-Lib's values of every row there, into one column a row in
 * the order of `CANDLESTICKS`. Allocates nothing. A stream calls it with each new bar, a batch once with all;
 * the columns are the same.
 */
export function extendSignals(
  series: PatternSeries,
  columns: readonly Int16Array[],
  from: number,
  to: number,
): void {
  assert(columns.length === CANDLESTICKS.length, "one column a row");
  for (let start = from; start < to; start += BLOCK) {
    const end = Math.min(start + BLOCK, to);
    extendAnatomy(series.anatomy, series.candles, start, end);
    for (let row = 0; row < columns.length; row++) {
      CANDLESTICKS[row].signal(series, columns[row], start, end);
    }
  }
}
