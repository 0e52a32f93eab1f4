import { createColumn } from "../base/columns.js";
import { kept } from "./kept.js";

/**
 * Sums of the last `count` values at each bar, NaN at the first `count - 1`. Each is added up afresh, the oldest
 * value first, so that it depends on its window alone and recovers as soon as a NaN has left it.
 */
export function windowSums(column: Float64Array, count: number): Float64Array {
  const sums = createColumn(column.length);
  sums.fill(Number.NaN, 0, Math.min(count - 1, column.length));
  for (let i = count - 1; i < column.length; i++) {
    let sum = 0;
    for (let j = i - count + 1; j <= i; j++) sum += column[j];
    sums[i] = sum;
  }
  return sums;
}

/** Sums of `times` adjacent windows of `count` values from the sums of each: again of the window alone. */
export function stackSums(sums: Float64Array, count: number, times: number): Float64Array {
  const stacked = createColumn(sums.length);
  const reach = count * (times - 1);
  stacked.fill(Number.NaN, 0, Math.min(reach, sums.length));
  for (let i = reach; i < sums.length; i++) {
    let sum = 0;
    for (let j = i - reach; j <= i; j += count) sum += sums[j];
    stacked[i] = sum;
  }
  return stacked;
}

/** Sums of the closes of the last 10, 20, 50 and 200 bars. */
export interface CloseSums {
  readonly 10: Float64Array;
  readonly 20: Float64Array;
  readonly 50: Float64Array;
  readonly 200: Float64Array;
}

export const closeSums = kept(({ candles }): CloseSums => {
  const ten = windowSums(candles.close, 10);
  const fifty = stackSums(ten, 10, 5);
  return { 10: ten, 20: stackSums(ten, 10, 2), 50: fifty, 200: stackSums(fifty, 50, 4) };
});
