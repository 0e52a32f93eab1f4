import type { Bars } from "../market/candles.js";
import type { Anatomy } from "./anatomy.js";
import { EQUAL, NEAR } from "./settings.js";
import { REPEATED } from "./shape.js";

const HIGHER_HIGH = 1 << 0;
const LOWER_LOW = 1 << 1;
const HIGHER_LOW = 1 << 2;
const LOWER_HIGH = 1 << 3;
const HIGHER_CLOSE = 1 << 4;
const LOWER_CLOSE = 1 << 5;
const BODY_GAP_UP = 1 << 6;
const BODY_GAP_DOWN = 1 << 7;
const OPEN_ABOVE_CLOSE = 1 << 8;
const OPEN_BELOW_CLOSE = 1 << 9;
const OPEN_ABOVE_HIGH = 1 << 10;
const OPEN_BELOW_LOW = 1 << 11;
const TOP_LOWER = 1 << 12;
const BOTTOM_HIGHER = 1 << 13;
const TOP_NOT_HIGHER = 1 << 14;
const BOTTOM_NOT_LOWER = 1 << 15;
const OPEN_NOT_FAR_ABOVE = 1 << 16;
const OPEN_NOT_FAR_BELOW = 1 << 17;
const OPEN_INSIDE = 1 << 22;
const CLOSE_EQUAL = 1 << 23;
const OPEN_EQUAL = 1 << 24;
const ENGULFS = 1 << 25;
const NEAR_FACTOR = NEAR;
const EQUAL_FACTOR = EQUAL;
const REPEATED_FLAGS = REPEATED;

/** Flags of a bar against the bar before it, laid out for `mirrorFlags`. */
export const Step = Object.freeze({
  HIGHER_HIGH,
  LOWER_LOW,
  HIGHER_LOW,
  LOWER_HIGH,
  HIGHER_CLOSE,
  LOWER_CLOSE,
  /** The bodies do not touch. */
  BODY_GAP_UP,
  BODY_GAP_DOWN,
  /** Open against the previous close. */
  OPEN_ABOVE_CLOSE,
  OPEN_BELOW_CLOSE,
  /** Open beyond the previous bar. */
  OPEN_ABOVE_HIGH,
  OPEN_BELOW_LOW,
  /** Upper end of the body below that of the previous body, lower end above it. */
  TOP_LOWER,
  BOTTOM_HIGHER,
  TOP_NOT_HIGHER,
  BOTTOM_NOT_LOWER,
  /** Open no further than the near distance above (below) the previous body. */
  OPEN_NOT_FAR_ABOVE,
  OPEN_NOT_FAR_BELOW,
  /** Open strictly inside the previous body. */
  OPEN_INSIDE,
  /** Closes, and opens, within the equal distance of each other. */
  CLOSE_EQUAL,
  OPEN_EQUAL,
  /** Body reaches at least as far as the previous one at both ends. */
  ENGULFS,
});

/**
 * Writes the step flags of bars [from, to), whose shape flags are in place, from bar 1 on; none where either bar
 * has no shape flags. The shape flags in `REPEATED` stand in the same word on bits of their own, so that
 * detectors of several bars read one column.
 */
export function flagSteps(anatomy: Anatomy, bars: Bars, from: number, to: number): void {
  const { shape, step, top, bottom, recentRange } = anatomy;
  const { open, high, low, close } = bars;
  for (let i = from; i < to; i++) {
    const o = open[i];
    const h = high[i];
    const l = low[i];
    const c = close[i];
    const o1 = open[i - 1];
    const h1 = high[i - 1];
    const l1 = low[i - 1];
    const c1 = close[i - 1];
    const t = top[i];
    const b = bottom[i];
    const t1 = top[i - 1];
    const b1 = bottom[i - 1];
    const near = NEAR_FACTOR * recentRange[i - 1];
    const equal = EQUAL_FACTOR * recentRange[i - 1];
    const flags =
      (Number(h > h1) * HIGHER_HIGH) |
      (Number(l < l1) * LOWER_LOW) |
      (Number(l > l1) * HIGHER_LOW) |
      (Number(h < h1) * LOWER_HIGH) |
      (Number(c > c1) * HIGHER_CLOSE) |
      (Number(c < c1) * LOWER_CLOSE) |
      (Number(b > t1) * BODY_GAP_UP) |
      (Number(t < b1) * BODY_GAP_DOWN) |
      (Number(o > c1) * OPEN_ABOVE_CLOSE) |
      (Number(o < c1) * OPEN_BELOW_CLOSE) |
      (Number(o > h1) * OPEN_ABOVE_HIGH) |
      (Number(o < l1) * OPEN_BELOW_LOW) |
      (Number(t < t1) * TOP_LOWER) |
      (Number(b > b1) * BOTTOM_HIGHER) |
      (Number(t <= t1) * TOP_NOT_HIGHER) |
      (Number(b >= b1) * BOTTOM_NOT_LOWER) |
      (Number(o <= t1 + near) * OPEN_NOT_FAR_ABOVE) |
      (Number(o >= b1 - near) * OPEN_NOT_FAR_BELOW) |
      ((Number(o < t1) & Number(o > b1)) * OPEN_INSIDE) |
      ((Number(c <= c1 + equal) & Number(c >= c1 - equal)) * CLOSE_EQUAL) |
      ((Number(o <= o1 + equal) & Number(o >= o1 - equal)) * OPEN_EQUAL) |
      ((Number(t >= t1) & Number(b <= b1)) * ENGULFS);
    const known = Number(shape[i] !== 0) & Number(shape[i - 1] !== 0);
    step[i] = (flags * known) | (shape[i] & REPEATED_FLAGS);
  }
}
