import type { Bars } from "../../../src/core/market/candles.js";
import {
  allEqual,
  averageRanges,
  type Column,
  changes,
  columnLike,
  last,
  mean,
  type PlainFormula,
  range,
  startingAt,
  sum,
  type Values,
  variance,
} from "./columns.js";
import { mmdRegime } from "./discrepancy.js";

/** Least-squares line: value at the end, slope, and the standard deviation (population) of the residuals. */
function line(numbers: readonly number[]): { end: number; slope: number; deviation: number } {
  const n = numbers.length;
  const x = range(0, n - 1);
  const slope =
    (n * sum(x.map((k) => k * numbers[k])) - sum(x) * sum(numbers)) /
    (n * sum(x.map((k) => k * k)) - sum(x) ** 2);
  const start = (sum(numbers) - slope * sum(x)) / n;
  const residuals = numbers.map((value, k) => value - start - slope * k);
  return {
    end: start + slope * (n - 1),
    slope,
    deviation: Math.sqrt(sum(residuals.map((value) => value ** 2)) / n),
  };
}

function linregChannel({ close }: Bars, { period, deviations }: Values): Record<string, number[]> {
  const lines = columnLike(close, (i) => i).map((i) => line(last(close, period, i)));
  return {
    upper: lines.map(({ end, deviation }) => end + deviations * deviation),
    middle: lines.map(({ end }) => end),
    lower: lines.map(({ end, deviation }) => end - deviations * deviation),
  };
}

function covariance(left: readonly number[], right: readonly number[]): number {
  const [middleLeft, middleRight] = [mean(left), mean(right)];
  return mean(left.map((value, k) => (value - middleLeft) * (right[k] - middleRight)));
}

function correl({ high, low }: Bars, { period }: Values): number[] {
  return columnLike(high, (i) => {
    const [tops, bottoms] = [last(high, period, i), last(low, period, i)];
    if (allEqual(tops) || allEqual(bottoms)) return 0;
    return covariance(tops, bottoms) / Math.sqrt(variance(tops)) / Math.sqrt(variance(bottoms));
  });
}

function beta({ high, low }: Bars, { period }: Values): number[] {
  const returnsOf = (column: Column) => changes(column).map((change, i) => change / column[i - 1]);
  const [highs, lows] = [returnsOf(high), returnsOf(low)];
  return columnLike(high, (i) => {
    const window = last(highs, period, i);
    return period ** 2 * variance(window) < 1e-14
      ? 0
      : covariance(window, last(lows, period, i)) / variance(window);
  });
}

function efficiencyRatio({ close }: Bars, { period }: Values): number[] {
  const steps = changes(close).map(Math.abs);
  return columnLike(close, (i) => {
    const path = sum(last(steps, period, i));
    return path === 0 ? 0 : Math.abs(close[i] - close[i - period]) / path;
  });
}

function rescaledRange(numbers: readonly number[]): number {
  const middle = mean(numbers);
  const sums = numbers.map((_, k) => sum(numbers.slice(0, k + 1).map((value) => value - middle)));
  const deviation = Math.sqrt(variance(numbers));
  if (deviation < 1e-9 * Math.abs(middle) || deviation === 0) return 0;
  return (Math.max(0, ...sums) - Math.min(0, ...sums)) / deviation;
}

function hurst({ close }: Bars, { period }: Values): number[] {
  const logs = columnLike(close, (i) => Math.log(close[i]));
  const returns = changes(logs);
  return columnLike(close, (i) => {
    if (i < period) return Number.NaN;
    const window = last(returns, period, i);
    const points: { x: number; y: number }[] = [];
    for (let length = 8; length <= period; length *= 2) {
      const count = Math.floor(period / length);
      const blocks = range(1, count).map((k) => window.slice(period - k * length, period - (k - 1) * length));
      const ranges = blocks.map(rescaledRange).filter((value) => value > 0);
      if (ranges.length > 0) points.push({ x: Math.log(length), y: Math.log(mean(ranges)) });
    }
    if (points.length < 2) return 0.5;
    const x = points.map((point) => point.x);
    const y = points.map((point) => point.y);
    return covariance(x, y) / variance(x);
  });
}

/** Ehlers' transform of the values at i, i - 2, i - 4 and i - 6, stretched by the cycle's last length. */
function hilbert(column: readonly number[], i: number, length: number): number {
  const inner = 0.5769 * (column[i - 2] - column[i - 4]);
  return (0.0962 * (column[i] - column[i - 6]) + inner) * (0.075 * length + 0.54);
}

/** The EasyLanguage of the book, bar by bar, each variable a column; all are 0 before bar 37, where TA-Lib starts. */
function htTrendline({ close }: Bars): number[] {
  const zeros = () => new Array<number>(close.length).fill(0);
  const [smooth, detrender, i1, q1] = [zeros(), zeros(), zeros(), zeros()];
  const [i2, q2, re, im] = [zeros(), zeros(), zeros(), zeros()];
  const [cycle, smoothCycle, trend] = [zeros(), zeros(), zeros()];
  for (let i = 37; i < close.length; i++) {
    const before = cycle[i - 1];
    smooth[i] = (4 * close[i] + 3 * close[i - 1] + 2 * close[i - 2] + close[i - 3]) / 10;
    detrender[i] = hilbert(smooth, i, before);
    q1[i] = hilbert(detrender, i, before);
    i1[i] = detrender[i - 3];
    i2[i] = 0.2 * (i1[i] - hilbert(q1, i, before)) + 0.8 * i2[i - 1];
    q2[i] = 0.2 * (q1[i] + hilbert(i1, i, before)) + 0.8 * q2[i - 1];
    re[i] = 0.2 * (i2[i] * i2[i - 1] + q2[i] * q2[i - 1]) + 0.8 * re[i - 1];
    im[i] = 0.2 * (i2[i] * q2[i - 1] - q2[i] * i2[i - 1]) + 0.8 * im[i - 1];
    const degrees = (Math.atan(im[i] / re[i]) * 180) / Math.PI;
    let length = im[i] !== 0 && re[i] !== 0 ? 360 / degrees : before;
    if (length > 1.5 * before) length = 1.5 * before;
    if (length < 0.67 * before) length = 0.67 * before;
    if (length < 6) length = 6;
    if (length > 50) length = 50;
    cycle[i] = 0.2 * length + 0.8 * before;
    smoothCycle[i] = 0.33 * cycle[i] + 0.67 * smoothCycle[i - 1];
    const bars = Math.trunc(smoothCycle[i] + 0.5);
    trend[i] = bars === 0 ? 0 : mean(last(close, bars, i));
  }
  return columnLike(close, (i) =>
    i < 63 ? Number.NaN : (4 * trend[i] + 3 * trend[i - 1] + 2 * trend[i - 2] + trend[i - 3]) / 10,
  );
}

function kernelMeans(close: Column, period: number, weight: (age: number) => number): number[] {
  const weights = range(0, period - 1).map(weight);
  return columnLike(close, (i) => {
    const values = last(close, period, i).toReversed();
    return sum(values.map((value, age) => value * weights[age])) / sum(weights);
  });
}

export const STATISTICS: Readonly<Record<string, PlainFormula>> = {
  beta: (bars, values) => ({ beta: beta(bars, values) }),
  correl: (bars, values) => ({ correl: correl(bars, values) }),
  efficiency_ratio: (bars, values) => ({ efficiency_ratio: efficiencyRatio(bars, values) }),
  hurst: (bars, values) => ({ hurst: hurst(bars, values) }),
  linreg: ({ close }, { period }) => ({
    linreg: columnLike(close, (i) => line(last(close, period, i)).end),
  }),
  linreg_channel: linregChannel,
  linreg_slope: ({ close }, { period }) => ({
    linreg_slope: columnLike(close, (i) => line(last(close, period, i)).slope),
  }),
  mmd_regime: mmdRegime,
  stddev: ({ close }, { period }) => ({
    stddev: columnLike(close, (i) => {
      const window = last(close, period, i);
      return allEqual(window) ? 0 : Math.sqrt(variance(window));
    }),
  }),
  zscore: ({ close }, { period }) => ({
    zscore: columnLike(close, (i) => {
      const window = last(close, period, i);
      return allEqual(window) ? 0 : (close[i] - mean(window)) / Math.sqrt(variance(window));
    }),
  }),
};

export const CYCLE: Readonly<Record<string, PlainFormula>> = {
  ht_trendline: (bars) => ({ ht_trendline: htTrendline(bars) }),
};

/** Where estimates come to rise or fall, which they do when they are nearer or farther than 1e-13 of the price. */
function rationalQuadraticSlope(bars: Bars, values: Values): Record<string, number[]> {
  const { period, bandwidth, weighting, range: reach } = values;
  const estimates = kernelMeans(
    bars.close,
    period,
    (age) => 1 / (1 + age ** 2 / (2 * weighting * bandwidth ** 2)) ** weighting,
  );
  const steps = changes(estimates).map((step, i) => (Math.abs(step) < 1e-13 * bars.close[i] ? 0 : step));
  const moving = range(0, steps.length - 1).filter((i) => steps[i] > 0 || steps[i] < 0);
  const turning = moving.filter((i, k) => k > 0 && steps[moving[k - 1]] > 0 !== steps[i] > 0);
  const averages = averageRanges(bars, reach);
  const begins = Math.max(period, reach);
  return {
    estimate: startingAt(estimates, begins),
    slope: startingAt(
      columnLike(steps, (i) => (averages[i] === 0 ? 0 : steps[i] / averages[i])),
      begins,
    ),
    turn: startingAt(
      columnLike(steps, (i) => (turning.includes(i) ? Math.sign(steps[i]) : 0)),
      begins,
    ),
  };
}

export const KERNEL: Readonly<Record<string, PlainFormula>> = {
  nadaraya_watson: ({ close }, { period, bandwidth }) => ({
    nadaraya_watson: kernelMeans(close, period, (age) => Math.exp(-(age ** 2) / (2 * bandwidth ** 2))),
  }),
  rational_quadratic: ({ close }, { period, bandwidth, weighting }) => ({
    rational_quadratic: kernelMeans(
      close,
      period,
      (age) => 1 / (1 + age ** 2 / (2 * weighting * bandwidth ** 2)) ** weighting,
    ),
  }),
  rational_quadratic_slope: rationalQuadraticSlope,
};
