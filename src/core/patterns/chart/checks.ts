import type { Candles } from "../../market/candles.js";
import type { Check, PatternSeries } from "../define.js";
import { atLeast, atMost } from "./shape.js";

/** Bars in the mean that the volume of a break is compared with, and the least share of it that counts. */
const VOLUME_BARS = 20;
const BREAK_VOLUME = 1.2;
/** Bars into a shape over which its trend is taken, and the least move that is one, in average ranges. */
const TREND_BARS = 20;
const LEAST_TREND = 1;

/** Volume of the bar per mean of the twenty bars before it; passes at 1.2. */
export function breakVolume({ volume }: Candles, at: number): Check {
  let sum = 0;
  for (let i = at - VOLUME_BARS; i < at; i++) sum += i < 0 ? Number.NaN : volume[i];
  return atLeast("break_volume", (VOLUME_BARS * volume[at]) / sum, BREAK_VOLUME);
}

/** Change of volume along its regression line over the shape, per mean volume; passes where it falls. */
export function volumeTrend({ volume }: Candles, start: number, end: number): Check {
  const count = end - start + 1;
  const middle = (count - 1) / 2;
  let sum = 0;
  let moment = 0;
  let squares = 0;
  for (let d = 0; d < count; d++) {
    sum += volume[start + d];
    moment += (d - middle) * volume[start + d];
    squares += (d - middle) * (d - middle);
  }
  return atMost("volume_trend", ((moment / squares) * (count - 1) * count) / sum, 0);
}

/** Move of closes over the twenty bars into the shape, in the given direction and in average ranges. */
export function trendInto({ candles, range }: PatternSeries, start: number, direction: number): Check {
  const from = start - TREND_BARS;
  const moved = from < 0 ? Number.NaN : direction * (candles.close[start] - candles.close[from]);
  return atLeast("prior_trend", moved / range[start], LEAST_TREND);
}
