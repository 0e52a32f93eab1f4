import type { Bars } from "../market/candles.js";
import type { Anatomy } from "./anatomy.js";
import { EQUAL, NEAR } from "./settings.js";

const HIGHER_HIGH = 1 << 0;
const LOWER_LOW = 1 << 1;
const HIGHER_LOW = 1 << 2;
const LOWER_HIGH = 1 << 3;
const HIGHER_CLOSE = 1 << 4;
const LOWER_CLOSE = 1 << 5;
const HIGHER_OPEN = 1 << 6;
const LOWER_OPEN = 1 << 7;
const BODY_GAP_UP = 1 << 8;
const BODY_GAP_DOWN = 1 << 9;
const GAP_UP = 1 << 10;
const GAP_DOWN = 1 << 11;
const OPEN_ABOVE_CLOSE = 1 << 12;
const OPEN_BELOW_CLOSE = 1 << 13;
const CLOSE_ABOVE_OPEN = 1 << 14;
const CLOSE_BELOW_OPEN = 1 << 15;
const OPEN_ABOVE_HIGH = 1 << 16;
const OPEN_BELOW_LOW = 1 << 17;
const TOP_LOWER = 1 << 18;
const BOTTOM_HIGHER = 1 << 19;
const TOP_NOT_HIGHER = 1 << 20;
const BOTTOM_NOT_LOWER = 1 << 21;
const OPEN_NOT_FAR_ABOVE = 1 << 22;
const OPEN_NOT_FAR_BELOW = 1 << 23;
const OPEN_INSIDE = 1 << 24;
const CLOSE_EQUAL = 1 << 25;
const OPEN_EQUAL = 1 << 26;
const BODY_SMALLER = 1 << 27;

/** Flags of a bar against the bar before it, laid out for `mirrorFlags`. */
export const Step = Object.freeze({
  HIGHER_HIGH,
  LOWER_LOW,
  HIGHER_LOW,
  LOWER_HIGH,
  HIGHER_CLOSE,
  LOWER_CLOSE,
  HIGHER_OPEN,
  LOWER_OPEN,
  /** The bodies do not touch. */
  BODY_GAP_UP,
  BODY_GAP_DOWN,
  /** The bars do not touch. */
  GAP_UP,
  GAP_DOWN,
  /** Open against the previous close, close against the previous open. */
  OPEN_ABOVE_CLOSE,
  OPEN_BELOW_CLOSE,
  CLOSE_ABOVE_OPEN,
  CLOSE_BELOW_OPEN,
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
  BODY_SMALLER,
});

/** Writes the step flags of bars [from, to), whose shape flags are in place; 0 where either bar has none. */
export function flagSteps(anatomy: Anatomy, bars: Bars, from: number, to: number): void {
  const { shape, step, body, recentRange } = anatomy;
  const { open, high, low, close } = bars;
  const nearFactor = NEAR;
  const equalFactor = EQUAL;
  if (from === 0 && to > 0) step[0] = 0;
  for (let i = Math.max(from, 1); i < to; i++) {
    const o = open[i];
    const h = high[i];
    const l = low[i];
    const c = close[i];
    const o1 = open[i - 1];
    const h1 = high[i - 1];
    const l1 = low[i - 1];
    const c1 = close[i - 1];
    const top = Math.max(o, c);
    const bottom = Math.min(o, c);
    const top1 = Math.max(o1, c1);
    const bottom1 = Math.min(o1, c1);
    const near = nearFactor * recentRange[i - 1];
    const equal = equalFactor * recentRange[i - 1];
    const flags =
      (Number(h > h1) * HIGHER_HIGH) |
      (Number(l < l1) * LOWER_LOW) |
      (Number(l > l1) * HIGHER_LOW) |
      (Number(h < h1) * LOWER_HIGH) |
      (Number(c > c1) * HIGHER_CLOSE) |
      (Number(c < c1) * LOWER_CLOSE) |
      (Number(o > o1) * HIGHER_OPEN) |
      (Number(o < o1) * LOWER_OPEN) |
      (Number(bottom > top1) * BODY_GAP_UP) |
      (Number(top < bottom1) * BODY_GAP_DOWN) |
      (Number(l > h1) * GAP_UP) |
      (Number(h < l1) * GAP_DOWN) |
      (Number(o > c1) * OPEN_ABOVE_CLOSE) |
      (Number(o < c1) * OPEN_BELOW_CLOSE) |
      (Number(c > o1) * CLOSE_ABOVE_OPEN) |
      (Number(c < o1) * CLOSE_BELOW_OPEN) |
      (Number(o > h1) * OPEN_ABOVE_HIGH) |
      (Number(o < l1) * OPEN_BELOW_LOW) |
      (Number(top < top1) * TOP_LOWER) |
      (Number(bottom > bottom1) * BOTTOM_HIGHER) |
      (Number(top <= top1) * TOP_NOT_HIGHER) |
      (Number(bottom >= bottom1) * BOTTOM_NOT_LOWER) |
      (Number(o <= top1 + near) * OPEN_NOT_FAR_ABOVE) |
      (Number(o >= bottom1 - near) * OPEN_NOT_FAR_BELOW) |
      ((Number(o < top1) & Number(o > bottom1)) * OPEN_INSIDE) |
      ((Number(c <= c1 + equal) & Number(c >= c1 - equal)) * CLOSE_EQUAL) |
      ((Number(o <= o1 + equal) & Number(o >= o1 - equal)) * OPEN_EQUAL) |
      (Number(body[i] < body[i - 1]) * BODY_SMALLER);
    step[i] = flags * (Number(shape[i] !== 0) & Number(shape[i - 1] !== 0));
  }
}
