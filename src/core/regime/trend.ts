import { createColumn } from "../base/columns.js";
import { clamp, type Moves, ratio, sizes } from "./moves.js";
import { windowMeans, windowSums } from "./windows.js";

const SLOPE_BARS = 50;
const EFFICIENCY_BARS = 40;
const DIRECTIONAL_BARS = 14;
const MOMENTUM_BARS = 20;

/** What counts as a trend of full strength by each measure alone. */
const FULL_SLOPE = 12;
const FULL_EFFICIENCY = 0.5;
const FULL_DIRECTIONAL_INDEX = 50;

export interface TrendColumns {
  readonly trend: Float64Array;
  readonly trend_strength: Float64Array;
  readonly slope: Float64Array;
  readonly efficiency: Float64Array;
  readonly directional_index: Float64Array;
  readonly momentum: Float64Array;
  readonly momentum_size: Float64Array;
}

/** @param range average true range of 50 bars in logarithms. */
export function computeTrend(moves: Moves, range: Float64Array): TrendColumns {
  const { length } = range;
  const slope = slopes(moves.close, range);
  const efficiency = windowSums(moves.close, EFFICIENCY_BARS);
  const path = windowSums(sizes(moves.close), EFFICIENCY_BARS);
  const momentum = windowSums(moves.close, MOMENTUM_BARS);
  const { index, sign } = directional(moves);
  const trend = createColumn(length);
  for (let i = 0; i < length; i++) {
    efficiency[i] = ratio(efficiency[i], path[i]);
    momentum[i] = ratio(momentum[i], range[i] * Math.sqrt(MOMENTUM_BARS));
    const parts =
      clamp(slope[i] / FULL_SLOPE, -1, 1) +
      clamp(efficiency[i] / FULL_EFFICIENCY, -1, 1) +
      sign[i] * clamp(index[i] / FULL_DIRECTIONAL_INDEX, 0, 1);
    trend[i] = parts / 3;
  }
  return {
    trend,
    trend_strength: sizes(trend),
    slope,
    efficiency,
    directional_index: index,
    momentum,
    momentum_size: sizes(momentum),
  };
}

/**
 * Rise of the least-squares line over its bars. The close j bars into the window is the sum of the moves up to
 * there, so the line's slope is a sum of moves with weights that are highest in the middle: j (n - j) / 2 over the
 * squared distances from the middle, n (n^2 - 1) / 12.
 */
function slopes(moves: Float64Array, range: Float64Array): Float64Array {
  const n = SLOPE_BARS;
  const half = n / 2; // odd, so that the moves on each side of the middle go in pairs
  const weights = Float64Array.from({ length: half + 1 }, (_, j) => (6 * j * (n - j)) / (n * (n * n - 1)));
  const slope = createColumn(moves.length).fill(Number.NaN);
  for (let i = n; i < moves.length; i++) {
    const first = i - n + 1;
    const end = i + 1;
    let sum = weights[half] * moves[first + half];
    let other = 0;
    for (let j = 1; j + 1 < half; j += 2) {
      sum += weights[j] * (moves[first + j] + moves[end - j]);
      other += weights[j + 1] * (moves[first + j + 1] + moves[end - j - 1]);
    }
    slope[i] = ratio((sum + other) * (n - 1), range[i]);
  }
  return slope;
}

/** Wilder's directional index and its mean, over windows of a fixed length instead of his averages, which never forget. */
function directional({ raised, lowered }: Moves): { index: Float64Array; sign: Float64Array } {
  const plus = windowSums(raised, DIRECTIONAL_BARS);
  const minus = windowSums(lowered, DIRECTIONAL_BARS);
  const each = createColumn(plus.length);
  const sign = createColumn(plus.length);
  for (let i = 0; i < plus.length; i++) {
    const lead = plus[i] - minus[i];
    each[i] = 100 * ratio(Math.abs(lead), plus[i] + minus[i]);
    sign[i] = Math.sign(lead);
  }
  return { index: windowMeans(each, DIRECTIONAL_BARS), sign };
}
