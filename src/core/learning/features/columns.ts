import { createColumn } from "../../base/columns.js";
import type { Bars } from "../../market/candles.js";
import { laggedBy, windowHighest, windowLowest, windowMeans, windowSums } from "../../regime/windows.js";

/** Logarithms of prices that differ by less are the same price. */
const STILL = 1e-12;

/** The quotient of two distances; 0 where the second is none: nothing moved. */
export function over(value: number, scale: number): number {
  return scale < STILL ? 0 * value : value / scale;
}

/** 1 for a rise, -1 for a fall, 0 for what rounding alone would leave of neither. */
export function signOf(move: number): number {
  return Number(move > STILL) - Number(move < -STILL);
}

/** `over`, bar by bar, in units of `factor` scales. */
export function perScale(values: Float64Array, scale: Float64Array, factor = 1): Float64Array {
  const { length } = values;
  const out = createColumn(length);
  for (let i = 0; i < length; i++) {
    const unit = scale[i];
    out[i] = unit < STILL ? 0 * values[i] : values[i] / (unit * factor);
  }
  return out;
}

/** How far each value lies above another, in units of a scale. */
export function distance(values: Float64Array, from: Float64Array, scale: Float64Array): Float64Array {
  const { length } = values;
  const out = createColumn(length);
  for (let i = 0; i < length; i++) {
    const move = values[i] - from[i];
    out[i] = scale[i] < STILL ? 0 * move : move / scale[i];
  }
  return out;
}

/** (value - middle) / half, bar by bar: -1..1 for a value between middle - half and middle + half. */
export function centred(values: Float64Array, middle: number, half: number): Float64Array {
  const { length } = values;
  const out = createColumn(length);
  for (let i = 0; i < length; i++) out[i] = (values[i] - middle) / half;
  return out;
}

/** Rise over `bars` bars; NaN at the first ones. */
export function rise(column: Float64Array, bars: number): Float64Array {
  const out = laggedBy(column, bars);
  for (let i = bars; i < out.length; i++) out[i] = column[i] - out[i];
  return out;
}

/** Root of the mean square of the last `period` values. */
export function rootMeanSquare(column: Float64Array, period: number): Float64Array {
  const { length } = column;
  const squares = createColumn(length);
  for (let i = 0; i < length; i++) squares[i] = column[i] * column[i];
  const means = windowMeans(squares, period);
  for (let i = 0; i < length; i++) means[i] = Math.sqrt(means[i]);
  return means;
}

/** Sum of the products of the last `period` values of two columns per `total`; NaN where that is 0. */
export function weightedMean(
  values: Float64Array,
  weights: Float64Array,
  period: number,
  total: Float64Array,
): Float64Array {
  const { length } = values;
  const products = createColumn(length);
  for (let i = 0; i < length; i++) products[i] = values[i] * weights[i];
  const sums = windowSums(products, period);
  for (let i = 0; i < length; i++) sums[i] = total[i] > 0 ? sums[i] / total[i] : Number.NaN;
  return sums;
}

/** Close between the lowest low (-1) and the highest high (1) of the last `period` bars; 0 where these are one. */
export function placeInRange({ high, low, close }: Bars, period: number): Float64Array {
  const highest = windowHighest(high, period);
  const lowest = windowLowest(low, period);
  for (let i = 0; i < highest.length; i++) {
    highest[i] = over(close[i] - lowest[i] - (highest[i] - close[i]), highest[i] - lowest[i]);
  }
  return highest;
}
