import type { Candles } from "../market/candles.js";
import type { Hit, PatternVariant } from "./define.js";

export type PriorTrend = "up" | "down" | "flat";

/** Bars in the average of closes, bars over which its slope is taken, and the least slope that is a trend. */
const AVERAGE_BARS = 10;
const SLOPE_BARS = 5;
/** In average ranges per bar: the average moved by half a bar's range over the last five bars. */
const LEAST_SLOPE = 0.1;

/** Bars before a shape that `priorTrend` reads. */
export const TREND_BARS = AVERAGE_BARS + SLOPE_BARS;

/**
 * The trend into a shape that begins at bar `start`, from the 15 bars before it: up where the ten-bar average of
 * closes rises by at least 0.1 average ranges a bar and the last close lies above it, down where it falls and
 * the last close lies below it, else flat; flat too where there are fewer bars or a price is not finite.
 *
 * Morris (Candlestick Charting Explained) takes the trend from the close's side of a ten-bar average; the slope
 * keeps a single bar that crosses the average from making one.
 */
export function priorTrend(candles: Candles, start: number): PriorTrend {
  if (start < TREND_BARS) return "flat";
  const { high, low, close } = candles;
  let range = 0;
  let now = 0;
  let before = 0;
  for (let i = start - AVERAGE_BARS; i < start; i++) {
    range += high[i] - low[i];
    now += close[i];
    before += close[i - SLOPE_BARS];
  }
  // Sums of ten on both sides: the averages' divisor cancels out.
  const rise = (now - before) / SLOPE_BARS;
  const offset = AVERAGE_BARS * close[start - 1] - now;
  if (rise >= LEAST_SLOPE * range && offset > 0) return "up";
  if (-rise >= LEAST_SLOPE * range && offset < 0) return "down";
  return "flat";
}

/** Whether a trend is the one that a variant asks for; null where it asks for none. */
export function meetsTrend({ priorTrend: asked }: PatternVariant, trend: PriorTrend): boolean | null {
  return asked === null ? null : trend === asked;
}

/** Whether the trend into the shape is the one its variant asks for; null where it asks for none. */
export function hasPriorTrend({ variant, start }: Hit, candles: Candles): boolean | null {
  return variant.priorTrend === null ? null : meetsTrend(variant, priorTrend(candles, start));
}
