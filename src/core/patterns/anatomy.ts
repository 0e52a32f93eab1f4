import { assert } from "../base/assert.js";
import { createColumn } from "../base/columns.js";
import type { Bars } from "../market/candles.js";
import { AVERAGE_BARS, RECENT_BARS } from "./settings.js";
import { flagShapes, REPEATED } from "./shape.js";
import { flagSteps } from "./step.js";

/**
 * Columns of candle geometry that detectors share, one value per bar.
 *
 * Averages run over the bars before the bar they stand at, as TA-Lib's candle settings have it, and are NaN
 * until there are enough of them. They are summed afresh at each bar: values depend on the last ten bars
 * alone, not on where a series begins, and recover ten bars after a price that is not a number.
 */
export interface Anatomy {
  readonly length: number;
  /** Upper and lower end of the body. */
  readonly top: Float64Array;
  readonly bottom: Float64Array;
  /** |close - open|. */
  readonly body: Float64Array;
  /** high - low. */
  readonly range: Float64Array;
  /** Upper and lower shadow together. */
  readonly shadows: Float64Array;
  /** Means of `body`, `range` and `shadows` over the ten bars before. */
  readonly averageBody: Float64Array;
  readonly averageRange: Float64Array;
  readonly averageShadows: Float64Array;
  /** Mean of `range` over the five bars before: the unit of `NEAR`, `FAR` and `EQUAL`. */
  readonly recentRange: Float64Array;
  /** `Shape` flags of the bar by itself; 0 where a price of the bar is not finite. */
  readonly shape: Int32Array;
  /**
   * `Step` flags of the bar against the bar before, none where a price of either is not finite, and the shape
   * flags in `REPEATED`.
   */
  readonly step: Int32Array;
}

/** Open and close of the bar at hand. */
const ends = new Float64Array(2);

/**
 * Bars handled by one stage before the next stage takes them: few enough to be still in the cache, and for a
 * stage to be called often before its first long run, or else V8 settles on a slower form of its loop.
 */
const BLOCK = 128;

export function allocateAnatomy(length: number): Anatomy {
  return {
    length,
    top: createColumn(length),
    bottom: createColumn(length),
    body: createColumn(length),
    range: createColumn(length),
    shadows: createColumn(length),
    averageBody: createColumn(length),
    averageRange: createColumn(length),
    averageShadows: createColumn(length),
    recentRange: createColumn(length),
    shape: new Int32Array(length),
    step: new Int32Array(length),
  };
}

/**
 * Computes bars [from, to) from bars [0, to), of which [0, from) have been computed before. Allocates nothing;
 * one call over a range equals any sequence of calls that covers it in order, to the last bit.
 */
export function extendAnatomy(anatomy: Anatomy, bars: Bars, from: number, to: number): void {
  const length = Math.min(anatomy.length, bars.time.length);
  // The text of the message is made only where it is needed: a stream comes here with every bar.
  if (from < 0 || to > length) assert(false, `anatomy of bars ${from}..${to} of ${length}`);
  for (let start = from; start < to; start += BLOCK) {
    const end = Math.min(start + BLOCK, to);
    measureBars(anatomy, bars, start, end);
    averageBars(anatomy, start, end);
    flagShapes(anatomy, bars, start, end);
    flagSteps(anatomy, bars, Math.max(start, 1), end);
  }
  // No bar came before: it has the flags of its shape alone.
  if (from === 0 && to > 0) anatomy.step[0] = anatomy.shape[0] & REPEATED;
}

export function computeAnatomy(bars: Bars): Anatomy {
  const anatomy = allocateAnatomy(bars.time.length);
  extendAnatomy(anatomy, bars, 0, anatomy.length);
  return anatomy;
}

function measureBars(anatomy: Anatomy, bars: Bars, from: number, to: number): void {
  const { top, bottom, body, range, shadows } = anatomy;
  const { open, high, low, close } = bars;
  for (let i = from; i < to; i++) {
    const o = open[i];
    const h = high[i];
    const l = low[i];
    const c = close[i];
    // Looked up rather than compared: half of all bars are white, which no branch of Math.max can predict.
    ends[0] = o;
    ends[1] = c;
    const isWhite = Number(c > o);
    const t = ends[isWhite];
    const b = ends[1 - isWhite];
    top[i] = t;
    bottom[i] = b;
    body[i] = Math.abs(c - o);
    range[i] = h - l;
    shadows[i] = h - t + (b - l);
  }
}

function averageBars(anatomy: Anatomy, from: number, to: number): void {
  const { body, range, shadows, averageBody, averageRange, averageShadows, recentRange } = anatomy;
  if (from < AVERAGE_BARS) leaveUndefined(anatomy, from, to);
  const ten = Math.max(from, AVERAGE_BARS);
  if (ten < to) {
    averageTen(body, averageBody, ten, to);
    averageTen(range, averageRange, ten, to);
    averageTen(shadows, averageShadows, ten, to);
  }
  const five = Math.max(from, RECENT_BARS);
  if (five < to) averageFive(range, recentRange, five, to);
}

/** NaN where there are too few bars before. */
function leaveUndefined(anatomy: Anatomy, from: number, to: number): void {
  const { averageBody, averageRange, averageShadows, recentRange } = anatomy;
  for (const average of [averageBody, averageRange, averageShadows]) {
    average.fill(Number.NaN, from, Math.min(AVERAGE_BARS, to));
  }
  if (from < RECENT_BARS) recentRange.fill(Number.NaN, from, Math.min(RECENT_BARS, to));
}

// The window stands in variables, v1 the newest: a load a bar instead of ten. Sums start from the oldest value,
// as TA-Lib's first one does.

function averageTen(values: Float64Array, averages: Float64Array, from: number, to: number): void {
  let v10 = values[from - 10];
  let v9 = values[from - 9];
  let v8 = values[from - 8];
  let v7 = values[from - 7];
  let v6 = values[from - 6];
  let v5 = values[from - 5];
  let v4 = values[from - 4];
  let v3 = values[from - 3];
  let v2 = values[from - 2];
  let v1 = values[from - 1];
  for (let i = from; i < to; i++) {
    averages[i] = (v10 + v9 + v8 + v7 + v6 + v5 + v4 + v3 + v2 + v1) / 10;
    v10 = v9;
    v9 = v8;
    v8 = v7;
    v7 = v6;
    v6 = v5;
    v5 = v4;
    v4 = v3;
    v3 = v2;
    v2 = v1;
    v1 = values[i];
  }
}

function averageFive(values: Float64Array, averages: Float64Array, from: number, to: number): void {
  let v5 = values[from - 5];
  let v4 = values[from - 4];
  let v3 = values[from - 3];
  let v2 = values[from - 2];
  let v1 = values[from - 1];
  for (let i = from; i < to; i++) {
    averages[i] = (v5 + v4 + v3 + v2 + v1) / 5;
    v5 = v4;
    v4 = v3;
    v3 = v2;
    v2 = v1;
    v1 = values[i];
  }
}
