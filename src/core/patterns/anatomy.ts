import { assert } from "../base/assert.js";
import type { Bars } from "../market/candles.js";
import { AVERAGE_BARS, RECENT_BARS } from "./settings.js";
import { flagShapes } from "./shape.js";
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
  /** `Step` flags of the bar against the bar before; 0 where a price of either is not finite. */
  readonly step: Int32Array;
}

/** Bars handled by one stage before the next stage takes them, so that they are still in the cache. */
const BLOCK = 1024;

export function allocateAnatomy(length: number): Anatomy {
  return {
    length,
    body: new Float64Array(length),
    range: new Float64Array(length),
    shadows: new Float64Array(length),
    averageBody: new Float64Array(length),
    averageRange: new Float64Array(length),
    averageShadows: new Float64Array(length),
    recentRange: new Float64Array(length),
    shape: new Int32Array(length),
    step: new Int32Array(length),
  };
}

/**
 * Computes bars [from, to) from bars [0, to), of which [0, from) have been computed before. Allocates nothing;
 * one call over a range equals any sequence of calls that covers it in order, to the last bit.
 */
export function extendAnatomy(anatomy: Anatomy, bars: Bars, from: number, to: number): void {
  assert(from >= 0 && to <= anatomy.length && to <= bars.time.length, `anatomy of bars ${from}..${to}`);
  for (let start = from; start < to; start += BLOCK) {
    const end = Math.min(start + BLOCK, to);
    measureBars(anatomy, bars, start, end);
    averageBars(anatomy, start, end);
    flagShapes(anatomy, bars, start, end);
    flagSteps(anatomy, bars, start, end);
  }
}

export function computeAnatomy(bars: Bars): Anatomy {
  const anatomy = allocateAnatomy(bars.time.length);
  extendAnatomy(anatomy, bars, 0, anatomy.length);
  return anatomy;
}

function measureBars(anatomy: Anatomy, bars: Bars, from: number, to: number): void {
  const { body, range, shadows } = anatomy;
  const { open, high, low, close } = bars;
  for (let i = from; i < to; i++) {
    const o = open[i];
    const h = high[i];
    const l = low[i];
    const c = close[i];
    body[i] = Math.abs(c - o);
    range[i] = h - l;
    shadows[i] = h - Math.max(o, c) + (Math.min(o, c) - l);
  }
}

function averageBars(anatomy: Anatomy, from: number, to: number): void {
  const { body, range, shadows, averageBody, averageRange, averageShadows, recentRange } = anatomy;
  for (let i = from; i < Math.min(to, AVERAGE_BARS); i++) {
    averageBody[i] = averageRange[i] = averageShadows[i] = Number.NaN;
    recentRange[i] = i < RECENT_BARS ? Number.NaN : sumOfFive(range, i) / RECENT_BARS;
  }
  for (let i = Math.max(from, AVERAGE_BARS); i < to; i++) {
    averageBody[i] = sumOfTen(body, i) / AVERAGE_BARS;
    averageRange[i] = sumOfTen(range, i) / AVERAGE_BARS;
    averageShadows[i] = sumOfTen(shadows, i) / AVERAGE_BARS;
    recentRange[i] = sumOfFive(range, i) / RECENT_BARS;
  }
}

/** Of the five values before `i`, oldest first. */
function sumOfFive(column: Float64Array, i: number): number {
  return column[i - 5] + column[i - 4] + column[i - 3] + column[i - 2] + column[i - 1];
}

function sumOfTen(column: Float64Array, i: number): number {
  const older = column[i - 10] + column[i - 9] + column[i - 8] + column[i - 7] + column[i - 6];
  return older + column[i - 5] + column[i - 4] + column[i - 3] + column[i - 2] + column[i - 1];
}
