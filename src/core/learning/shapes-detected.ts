import type { Candles } from "../market/candles.js";
import { CHARTS } from "../patterns/chart/index.js";
import type { Hit } from "../patterns/define.js";
import { createPatternSeries } from "../patterns/series.js";
import { WINDOW_BARS } from "./sequence-net/columns.js";
import { shapeClass } from "./shapes.js";

/** Bars after a confirmed shape of any kind in which a window is not taken for one without a shape. */
const QUIET_BARS = 10;
const UNTOLD = -1;

/**
 * Class of the window that ends at each bar, by the chart detectors and bars up to it alone: of a shape that its close has
 * confirmed and which lies within it, 0 where none of any kind was confirmed on the last ten bars, else -1.
 */
export function shapeClasses(candles: Candles): Int16Array {
  const { length } = candles.time;
  const series = createPatternSeries(candles);
  const hits: Hit[] = [];
  for (const row of CHARTS) row.find(series, 0, length, hits);
  const classes = new Int16Array(length);
  const confirmed = hits.filter(({ state }) => state === "confirmed");
  for (const { at } of confirmed) classes.fill(UNTOLD, at, at + QUIET_BARS);
  const several = new Uint8Array(length);
  for (const { at, start, variant } of confirmed) {
    const own = shapeClass(variant.id);
    if (own < 0 || at - start >= WINDOW_BARS) continue;
    if (classes[at] > 0 && classes[at] !== own) several[at] = 1;
    classes[at] = own;
  }
  for (let i = 0; i < length; i++) if (several[i] === 1) classes[i] = UNTOLD;
  return classes;
}
