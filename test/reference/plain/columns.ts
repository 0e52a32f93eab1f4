import type { Bars } from "../../../src/core/market/candles.js";

export type Values = Readonly<Record<string, number>>;

/** Any list of numbers, one to a bar. Outside the bars there is nothing, which makes NaN of what is computed from it. */
export type Column = ArrayLike<number>;

/** Every output of an indicator by name, NaN at bars where the history is too short for it. */
export type PlainFormula = (bars: Bars, values: Values) => Readonly<Record<string, Column>>;

/** The numbers from `from` to `to`, both counted. */
export function range(from: number, to: number): number[] {
  return Array.from({ length: Math.max(0, to - from + 1) }, (_, k) => from + k);
}

export function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, value) => total + value, 0);
}

export function mean(numbers: readonly number[]): number {
  return sum(numbers) / numbers.length;
}

/** Mean squared distance from the mean, over so many degrees of freedom. */
export function variance(numbers: readonly number[], degrees = numbers.length): number {
  const middle = mean(numbers);
  return sum(numbers.map((value) => (value - middle) ** 2)) / degrees;
}

/** Mean with weights 1, 2, ... up to the last. */
export function weightedMean(numbers: readonly number[]): number {
  return sum(numbers.map((value, k) => value * (k + 1))) / sum(numbers.map((_, k) => k + 1));
}

export function allEqual(numbers: readonly number[]): boolean {
  return numbers.every((value) => value === numbers[0]);
}

/** Whether nothing but rounding keeps the numbers apart. */
export function allAlike(numbers: readonly number[]): boolean {
  return numbers.every((value) => Math.abs(value - numbers[0]) <= 1e-12 * Math.abs(numbers[0]));
}

/** A column as long as another, each value from its index. */
export function columnLike(like: Column, valueAt: (i: number) => number): number[] {
  return range(0, like.length - 1).map(valueAt);
}

/** The last `period` values up to i, oldest first; NaN for those before the first bar. */
export function last(column: Column, period: number, i: number): number[] {
  return range(i - period + 1, i).map((j) => column[j] ?? Number.NaN);
}

export function highest(column: Column, period: number, i: number): number {
  return Math.max(...last(column, period, i));
}

export function lowest(column: Column, period: number, i: number): number {
  return Math.min(...last(column, period, i));
}

/** Simple moving average. */
export function sma(column: Column, period: number): number[] {
  return columnLike(column, (i) => mean(last(column, period, i)));
}

/** Weighted moving average, weights 1 to `period`. */
export function wma(column: Column, period: number): number[] {
  return columnLike(column, (i) => weightedMean(last(column, period, i)));
}

/** From bar 0 on: the mean of the first `period` values where the column has them, then a step from each to the next. */
function recursion(
  column: Column,
  period: number,
  step: (before: number, value: number) => number,
): number[] {
  const averages: number[] = [];
  for (let i = 0; i < column.length; i++) {
    const before = averages[i - 1] ?? Number.NaN;
    averages.push(Number.isNaN(before) ? mean(last(column, period, i)) : step(before, column[i]));
  }
  return averages;
}

/** Exponential moving average: each step goes 2 / (period + 1) of the way to the new value. */
export function ema(column: Column, period: number): number[] {
  return recursion(column, period, (before, value) => before + (2 / (period + 1)) * (value - before));
}

/** Wilder's average: period - 1 parts of the one before and one part of the new value. */
export function wilder(column: Column, period: number): number[] {
  return recursion(column, period, (before, value) => ((period - 1) * before + value) / period);
}

/** What changed since the bar before. */
export function changes(column: Column): number[] {
  return columnLike(column, (i) => column[i] - column[i - 1]);
}

/** Change over `period` bars in percent. */
export function rates(column: Column, period: number): number[] {
  return columnLike(column, (i) => (100 * (column[i] - column[i - period])) / column[i - period]);
}

export function trueRanges({ high, low, close }: Bars): number[] {
  return columnLike(close, (i) =>
    Math.max(high[i] - low[i], Math.abs(high[i] - close[i - 1]), Math.abs(low[i] - close[i - 1])),
  );
}

/** Wilder's average true range. */
export function averageRanges(bars: Bars, period: number): number[] {
  return wilder(trueRanges(bars), period);
}

/** Typical prices. */
export function typicals({ high, low, close }: Bars): number[] {
  return columnLike(close, (i) => (high[i] + low[i] + close[i]) / 3);
}

/** Middles of the bars. */
export function middles({ high, low }: Bars): number[] {
  return columnLike(high, (i) => (high[i] + low[i]) / 2);
}

/** Middle between the highest high and the lowest low of the last bars. */
export function middleOfRange({ high, low }: Bars, period: number): number[] {
  return columnLike(high, (i) => (highest(high, period, i) + lowest(low, period, i)) / 2);
}

/** Place of the close between the lowest low and the highest high, from 0 to 100; 0 where there is no range. */
export function places(high: Column, low: Column, close: Column, period: number): number[] {
  return columnLike(close, (i) => {
    const bottom = lowest(low, period, i);
    const top = highest(high, period, i);
    return top === bottom ? 0 : (100 * (close[i] - bottom)) / (top - bottom);
  });
}

/** Wilder's averages of what was gained and lost, as they make RSI, CMO and STOCHRSI. */
export function gainsAndLosses(close: Column, period: number): { gains: number[]; losses: number[] } {
  const steps = changes(close);
  return {
    gains: wilder(
      steps.map((step) => Math.max(step, 0)),
      period,
    ),
    losses: wilder(
      steps.map((step) => Math.max(-step, 0)),
      period,
    ),
  };
}

/**
 * Share of the gains in all movement, in percent; 0 where nothing has moved yet. While nothing moves it is the same
 * up to rounding, which STOCHRSI then magnifies: the order of operations is TA-Lib's.
 */
export function relativeStrength(close: Column, period: number): number[] {
  const { gains, losses } = gainsAndLosses(close, period);
  return gains.map((gain, i) => (gain + losses[i] === 0 ? 0 : 100 * (gain / (gain + losses[i]))));
}

/** The same column, NaN before bar `from`. */
export function startingAt(column: Column, from: number): number[] {
  return columnLike(column, (i) => (i < from ? Number.NaN : column[i]));
}

/** The bars up to i of the same session, sessions being `days` UTC days long and counted from a Monday. */
export function sessionBars({ time }: Bars, days: number, i: number): number[] {
  const monday = Date.UTC(1969, 11, 29);
  const sessionOf = (j: number) => Math.floor((time[j] - monday) / (days * 86_400_000));
  return range(0, i).filter((j) => sessionOf(j) === sessionOf(i));
}
