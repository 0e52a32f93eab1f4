import type { Bars } from "../market/candles.js";
import type { Anatomy } from "./anatomy.js";
import { DOJI, NEAR, SHADOW_VERY_SHORT } from "./settings.js";

// Constants of the module's own are folded into the loop below; imported or exported ones would be loaded at
// each use, which makes the loop three times slower. Bits 30 and 31 stay free: a flag there, times false, would
// be a negative zero or a double.
const UPPER_PRESENT = 1 << 0;
const LOWER_PRESENT = 1 << 1;
const UPPER_SHORT = 1 << 2;
const LOWER_SHORT = 1 << 3;
const UPPER_LONG = 1 << 4;
const LOWER_LONG = 1 << 5;
const UPPER_VERY_LONG = 1 << 6;
const LOWER_VERY_LONG = 1 << 7;
const CLOSE_NEAR_HIGH = 1 << 8;
const CLOSE_NEAR_LOW = 1 << 9;
const BODY_CENTRED = 1 << 22;
const SHADOW_LONG = 1 << 23;
// Bits that `Step` leaves free, because these flags are repeated in its column.
const WHITE = 1 << 18;
const BLACK = 1 << 19;
const UPPER_VERY_SHORT = 1 << 20;
const LOWER_VERY_SHORT = 1 << 21;
const BODY_LONG = 1 << 26;
const BODY_SHORT = 1 << 27;
const BODY_NOT_LONG = 1 << 28;
const BODY_DOJI = 1 << 29;
const NEAR_FACTOR = NEAR;
const DOJI_FACTOR = DOJI;
const VERY_SHORT_FACTOR = SHADOW_VERY_SHORT;

/**
 * Flags of a bar by itself: against its own parts and against the averages of the bars before it. "Long",
 * "very short" and the like are TA-Lib's. Laid out for `mirrorFlags`: upper and lower, white and black are
 * neighbours.
 */
export const Shape = Object.freeze({
  /** close >= open; otherwise the bar is black. */
  WHITE,
  BLACK,
  /** Shadow < 0.1 average ranges. */
  UPPER_VERY_SHORT,
  LOWER_VERY_SHORT,
  /** Shadow > 0.1 average ranges. */
  UPPER_PRESENT,
  LOWER_PRESENT,
  /** Shadow < half the average of both shadows together. */
  UPPER_SHORT,
  LOWER_SHORT,
  /** Shadow > body. */
  UPPER_LONG,
  LOWER_LONG,
  /** Shadow > two bodies. */
  UPPER_VERY_LONG,
  LOWER_VERY_LONG,
  /** Close within the near distance of the extreme. */
  CLOSE_NEAR_HIGH,
  CLOSE_NEAR_LOW,
  /** Body >, < and <= the average body. */
  BODY_LONG,
  BODY_SHORT,
  BODY_NOT_LONG,
  /** Body <= 0.1 average ranges. */
  BODY_DOJI,
  /** The middle of the bar lies within the body or within the near distance of it. */
  BODY_CENTRED,
  /** At least one shadow > body. */
  SHADOW_LONG,
});

/** The flags that shapes of several bars ask for most; they stand in the step column too. */
export const REPEATED =
  WHITE | BLACK | UPPER_VERY_SHORT | LOWER_VERY_SHORT | BODY_LONG | BODY_SHORT | BODY_NOT_LONG | BODY_DOJI;

/**
 * Writes the shape flags of bars [from, to), whose averages are in place; 0 where a price is not finite, and
 * only there, because a sound bar is white or black. A product with a boolean keeps the loop free of branches,
 * which these comparisons would mispredict.
 */
export function flagShapes(anatomy: Anatomy, bars: Bars, from: number, to: number): void {
  const { shape, top, bottom, body, averageBody, averageRange, averageShadows, recentRange } = anatomy;
  const { open, high, low, close } = bars;
  for (let i = from; i < to; i++) {
    const o = open[i];
    const h = high[i];
    const l = low[i];
    const c = close[i];
    const b = body[i];
    const t = top[i];
    const u = bottom[i];
    const upper = h - t;
    const lower = u - l;
    const veryShort = VERY_SHORT_FACTOR * averageRange[i];
    const short = averageShadows[i] / 2;
    const near = NEAR_FACTOR * recentRange[i];
    const middle = l + (h - l) / 2;
    const sum = o + h + l + c;
    const flags =
      (Number(c >= o) * WHITE) |
      (Number(c < o) * BLACK) |
      (Number(upper < veryShort) * UPPER_VERY_SHORT) |
      (Number(lower < veryShort) * LOWER_VERY_SHORT) |
      (Number(upper > veryShort) * UPPER_PRESENT) |
      (Number(lower > veryShort) * LOWER_PRESENT) |
      (Number(upper < short) * UPPER_SHORT) |
      (Number(lower < short) * LOWER_SHORT) |
      (Number(upper > b) * UPPER_LONG) |
      (Number(lower > b) * LOWER_LONG) |
      (Number(upper > 2 * b) * UPPER_VERY_LONG) |
      (Number(lower > 2 * b) * LOWER_VERY_LONG) |
      (Number(c >= h - near) * CLOSE_NEAR_HIGH) |
      (Number(c <= l + near) * CLOSE_NEAR_LOW) |
      (Number(b > averageBody[i]) * BODY_LONG) |
      (Number(b < averageBody[i]) * BODY_SHORT) |
      (Number(b <= averageBody[i]) * BODY_NOT_LONG) |
      (Number(b <= DOJI_FACTOR * averageRange[i]) * BODY_DOJI) |
      ((Number(upper > b) | Number(lower > b)) * SHADOW_LONG) |
      ((Number(u <= middle + near) & Number(t >= middle - near)) * BODY_CENTRED);
    // Differs from 0 for NaN and the infinities alone.
    shape[i] = flags * Number(sum - sum === 0);
  }
}
