/**
 * Columns over fixed windows. Each value is put together in an order that depends on the length of the window
 * alone, so that equal windows give equal bits wherever a series begins; running sums would not.
 */
import { copyColumn, createColumn } from "../base/columns.js";

/** Sums of the last `period` values, by doubling; NaN until there are so many, and while one of them is NaN. */
export function windowSums(column: Float64Array, period: number): Float64Array {
  const { length } = column;
  const power = copyColumn(column);
  let sums: Float64Array | null = null;
  let covered = 0;
  for (let width = 1; ; width *= 2) {
    if ((period & width) !== 0) {
      if (sums === null) sums = width * 2 > period ? power : copyColumn(power);
      else addLagged(sums, power, covered);
      covered += width;
    }
    if (width * 2 > period) break;
    addLagged(power, power, width);
  }
  return (sums ?? power).fill(Number.NaN, 0, Math.min(period - 1, length));
}

/** Adds to each value of a column the one `lag` before it in another, which may be the same. */
function addLagged(column: Float64Array, other: Float64Array, lag: number): void {
  for (let i = column.length - 1; i >= lag; i--) column[i] += other[i - lag];
}

/** Means of the last `period` values. */
export function windowMeans(column: Float64Array, period: number): Float64Array {
  const sums = windowSums(column, period);
  for (let i = 0; i < sums.length; i++) sums[i] /= period;
  return sums;
}

/** The highest of the last `period` values; NaN until there are so many. */
export function windowHighest(column: Float64Array, period: number): Float64Array {
  const { length } = column;
  const highest = copyColumn(column);
  for (let width = 1; width < period; ) {
    const shift = Math.min(width, period - width);
    for (let i = length - 1; i >= shift; i--) highest[i] = Math.max(highest[i], highest[i - shift]);
    width += shift;
  }
  return highest.fill(Number.NaN, 0, Math.min(period - 1, length));
}

/** The lowest of the last `period` values; NaN until there are so many. */
export function windowLowest(column: Float64Array, period: number): Float64Array {
  const { length } = column;
  const lowest = copyColumn(column);
  for (let width = 1; width < period; ) {
    const shift = Math.min(width, period - width);
    for (let i = length - 1; i >= shift; i--) lowest[i] = Math.min(lowest[i], lowest[i - shift]);
    width += shift;
  }
  return lowest.fill(Number.NaN, 0, Math.min(period - 1, length));
}

/** The column `bars` later: what was known so many bars ago; NaN before. */
export function laggedBy(column: Float64Array, bars: number): Float64Array {
  const lagged = createColumn(column.length).fill(Number.NaN);
  lagged.set(column.subarray(0, Math.max(0, column.length - bars)), Math.min(bars, column.length));
  return lagged;
}

/**
 * Where each value lies among every `step`-th of the last `most`, itself included: the share that is lower, ties
 * counting half, 0..1. NaN while fewer than `least` are known; values that are NaN count nowhere.
 */
export function ranksOf(column: Float64Array, most: number, step: number, least: number): Float64Array {
  const { length } = column;
  const ranks = createColumn(length).fill(Number.NaN);
  let first = 0;
  while (first < length && Number.isNaN(column[first])) first++;
  let whole = true;
  for (let i = first; i < length; i++) if (Number.isNaN(column[i])) whole = false;
  for (let i = first + step * (least - 1); i < length; i++) {
    const value = column[i];
    const end = Math.max(first, i - most + 1);
    let twice = 0;
    for (let j = i; j >= end; j -= step) {
      const other = column[j];
      twice += Number(other < value) + Number(other <= value);
    }
    const known = whole ? Math.floor((i - end) / step) + 1 : knownOf(column, i, end, step);
    if (known >= least && !Number.isNaN(value)) ranks[i] = twice / (2 * known);
  }
  return ranks;
}

function knownOf(column: Float64Array, from: number, end: number, step: number): number {
  let known = 0;
  for (let j = from; j >= end; j -= step) known += Number(!Number.isNaN(column[j]));
  return known;
}

/** Means of the last `most` values; of all since the first known one while there are fewer, at least `least`. */
export function growingMeans(column: Float64Array, most: number, least: number): Float64Array {
  const means = windowMeans(column, most);
  let sum = 0;
  let known = 0;
  for (let i = 0; i < column.length && known < most; i++) {
    if (Number.isNaN(column[i])) continue;
    sum += column[i];
    known++;
    if (known >= least && known < most) means[i] = sum / known;
  }
  return means;
}
