import type { Bars } from "../../src/core/market/candles.js";

export type Values = Readonly<Record<string, number>>;

/** Outputs at bar i. */
type Formula = (bars: Bars, values: Values, i: number) => readonly number[];
export type PlainFormula = (bars: Bars, values: Values) => (i: number) => readonly number[];

type Series = (i: number) => number;

function range(from: number, to: number): number[] {
  return Array.from({ length: Math.max(0, to - from + 1) }, (_, k) => from + k);
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, value) => total + value, 0);
}

function mean(numbers: readonly number[]): number {
  return sum(numbers) / numbers.length;
}

/** The last `period` values of a series up to i. */
function last(series: Series, period: number, i: number): number[] {
  return range(i - period + 1, i).map(series);
}

/** Exponential average at i of a series that starts at `start`, seeded by the mean of its first values. */
function ema(series: Series, period: number, start: number, i: number): number {
  const share = 2 / (period + 1);
  const seed = start + period - 1;
  if (i < seed) return Number.NaN;
  const weights = range(seed + 1, i).map((j) => share * (1 - share) ** (i - j) * series(j));
  return (1 - share) ** (i - seed) * mean(last(series, period, seed)) + sum(weights);
}

/** Wilder's average at i of a series that starts at `start`. */
function wilder(series: Series, period: number, start: number, i: number): number {
  const seed = start + period - 1;
  if (i < seed) return Number.NaN;
  const kept = (period - 1) / period;
  const weights = range(seed + 1, i).map((j) => (kept ** (i - j) / period) * series(j));
  return kept ** (i - seed) * mean(last(series, period, seed)) + sum(weights);
}

function trueRangeOf({ high, low, close }: Bars): Series {
  return (i) => Math.max(high[i] - low[i], Math.abs(high[i] - close[i - 1]), Math.abs(low[i] - close[i - 1]));
}

function variance(numbers: readonly number[], degrees = numbers.length): number {
  const middle = mean(numbers);
  return sum(numbers.map((value) => (value - middle) ** 2)) / degrees;
}

function rateOf(close: Float64Array, period: number): Series {
  return (i) => (100 * (close[i] - close[i - period])) / close[i - period];
}

function sessionBars(bars: Bars, days: number, i: number): number[] {
  // Monday 1969-12-29 00:00 UTC.
  const number = (j: number) => Math.floor((bars.time[j] / 86_400_000 + 3) / days);
  return range(0, i).filter((j) => number(j) === number(i));
}

function typicalOf({ high, low, close }: Bars): Series {
  return (i) => (high[i] + low[i] + close[i]) / 3;
}

function moneyFlow({ high, low, close, volume }: Bars): Series {
  return (i) =>
    high[i] === low[i] ? 0 : (volume[i] * (2 * close[i] - high[i] - low[i])) / (high[i] - low[i]);
}

function weightedVwap(bars: Bars, values: Values, i: number): { mean: number; deviation: number } {
  const members = sessionBars(bars, values.days, i);
  const traded = sum(members.map((j) => bars.volume[j])) > 0;
  const weights = members.map((j) => (traded ? bars.volume[j] : 1));
  const typical = members.map(typicalOf(bars));
  const middle = sum(typical.map((price, k) => price * weights[k])) / sum(weights);
  const squares = sum(typical.map((price, k) => weights[k] * (price - middle) ** 2));
  return { mean: middle, deviation: Math.sqrt(squares / sum(weights)) };
}

/** Least-squares line: value at the end, slope, and the standard deviation of the residuals. */
function line(numbers: readonly number[]): { end: number; slope: number; deviation: number } {
  const n = numbers.length;
  const x = range(0, n - 1);
  const sumX = sum(x);
  const slope =
    (n * sum(x.map((k) => k * numbers[k])) - sumX * sum(numbers)) /
    (n * sum(x.map((k) => k * k)) - sumX ** 2);
  const start = (sum(numbers) - slope * sumX) / n;
  const residuals = numbers.map((value, k) => value - start - slope * k);
  return {
    end: start + slope * (n - 1),
    slope,
    deviation: Math.sqrt(sum(residuals.map((value) => value ** 2)) / n),
  };
}

function logReturn(close: Float64Array): Series {
  return (i) => Math.log(close[i]) - Math.log(close[i - 1]);
}

function rescaledRange(numbers: readonly number[]): number {
  const middle = mean(numbers);
  const sums = numbers.map((_, k) => sum(numbers.slice(0, k + 1).map((value) => value - middle)));
  const deviation = Math.sqrt(variance(numbers));
  if (deviation < 1e-9 * Math.abs(middle) || deviation === 0) return 0;
  return (Math.max(0, ...sums) - Math.min(0, ...sums)) / deviation;
}

function hurst({ close }: Bars, { period }: Values, i: number): number[] {
  if (i < period) return [Number.NaN];
  const returns = last(logReturn(close), period, i);
  const points: { x: number; y: number }[] = [];
  for (let length = 8; length <= period; length *= 2) {
    const count = Math.floor(period / length);
    const blocks = range(1, count).map((k) => returns.slice(period - k * length, period - (k - 1) * length));
    const ranges = blocks.map(rescaledRange).filter((value) => value > 0);
    if (ranges.length > 0) points.push({ x: Math.log(length), y: Math.log(mean(ranges)) });
  }
  if (points.length < 2) return [0.5];
  const middleX = mean(points.map(({ x }) => x));
  const middleY = mean(points.map(({ y }) => y));
  const covariance = sum(points.map(({ x, y }) => (x - middleX) * (y - middleY)));
  return [covariance / sum(points.map(({ x }) => (x - middleX) ** 2))];
}

/** The grid a session has grown to: its lower end and price step. */
function grid(bars: Bars, bins: number, members: readonly number[]): { origin: number; step: number } {
  const first = typicalOf(bars)(members[0]);
  let step = first / 2_000;
  let origin = (Math.floor(first / step) - bins / 2) * step;
  for (const j of members.filter((k) => bars.volume[k] > 0)) {
    while (bars.high[j] > origin + bins * step) step *= 2;
    while (bars.low[j] < origin) {
      origin -= bins * step;
      step *= 2;
    }
  }
  return { origin, step };
}

function volumeProfile(bars: Bars, values: Values, i: number): number[] {
  const { bins, share, days } = values;
  const members = sessionBars(bars, days, i);
  const total = sum(members.map((j) => bars.volume[j]));
  if (total === 0) return new Array(3).fill(typicalOf(bars)(i));
  const { origin, step } = grid(bars, bins, members);
  const edge = (bin: number) => origin + bin * step;
  const histogram = range(0, bins - 1).map((bin) =>
    sum(
      members.map((j) => {
        const low = bars.low[j];
        const high = bars.high[j];
        if (high === low) return Math.floor((low - origin) / step + 1e-9) === bin ? bars.volume[j] : 0;
        const overlap = Math.min(high, edge(bin + 1)) - Math.max(low, edge(bin));
        return (bars.volume[j] * Math.max(0, overlap)) / (high - low);
      }),
    ),
  );
  const point = histogram.findIndex((volume) => volume >= Math.max(...histogram) * (1 - 1e-12));
  const area = [point];
  while (sum(area.map((bin) => histogram[bin])) < share * total * (1 - 1e-12)) {
    const above = histogram[Math.max(...area) + 1] ?? -1;
    const below = histogram[Math.min(...area) - 1] ?? -1;
    area.push(above >= below * (1 - 1e-12) ? Math.max(...area) + 1 : Math.min(...area) - 1);
  }
  return [edge(point + 0.5), edge(Math.max(...area) + 1), edge(Math.min(...area))];
}

function kernelMean(
  close: Float64Array,
  period: number,
  i: number,
  weight: (age: number) => number,
): number[] {
  const ages = range(0, period - 1);
  return [sum(ages.map((age) => weight(age) * close[i - age])) / sum(ages.map(weight))];
}

function rogersSatchell({ open, high, low, close }: Bars): Series {
  return (i) =>
    (Math.log(high[i]) - Math.log(close[i])) * (Math.log(high[i]) - Math.log(open[i])) +
    (Math.log(low[i]) - Math.log(close[i])) * (Math.log(low[i]) - Math.log(open[i]));
}

function yangZhang(bars: Bars, values: Values, i: number): number[] {
  const { period, bars_per_year: year } = values;
  const { open, close } = bars;
  const members = range(i - period + 1, i);
  const gaps = members.map((j) => Math.log(open[j]) - Math.log(close[j - 1]));
  const bodies = members.map((j) => Math.log(close[j]) - Math.log(open[j]));
  const share = 0.34 / (1.34 + (period + 1) / (period - 1));
  const total =
    variance(gaps, period - 1) +
    share * variance(bodies, period - 1) +
    (1 - share) * mean(members.map(rogersSatchell(bars)));
  return [Math.sqrt(total * year)];
}

/** The same series, each of its values computed once. */
function once(series: Series): Series {
  const known = new Map<number, number>();
  return (i) => {
    const value = known.get(i) ?? series(i);
    known.set(i, value);
    return value;
  };
}

function tsi({ close }: Bars, { long, short, signal }: Values): (i: number) => number[] {
  const smooth = (series: Series) => {
    const first = once((j) => ema(series, long, 1, j));
    return once((j) => ema(first, short, long, j));
  };
  const change = smooth((j) => close[j] - close[j - 1]);
  const size = smooth((j) => Math.abs(close[j] - close[j - 1]));
  const index = once((j) => (size(j) === 0 ? 0 : (100 * change(j)) / size(j)));
  return (i) => [index(i), ema(index, signal, long + short - 1, i)];
}

function kst({ close }: Bars, values: Values, i: number): number[] {
  const value: Series = (j) =>
    sum([1, 2, 3, 4].map((k) => k * mean(last(rateOf(close, values[`roc${k}`]), values[`mean${k}`], j))));
  return [value(i), mean(last(value, values.signal, i))];
}

function chandelier(bars: Bars, { period, multiplier }: Values, i: number): number[] {
  const range = multiplier * wilder(trueRangeOf(bars), period, 1, i);
  const top = Math.max(...last((j) => bars.high[j], period, i));
  return [top - range, Math.min(...last((j) => bars.low[j], period, i)) + range];
}

function choppiness(bars: Bars, { period }: Values, i: number): number[] {
  const top = Math.max(...last((j) => bars.high[j], period, i));
  const bottom = Math.min(...last((j) => bars.low[j], period, i));
  if (top === bottom) return [100];
  return [(100 * Math.log10(sum(last(trueRangeOf(bars), period, i)) / (top - bottom))) / Math.log10(period)];
}

function vortex(bars: Bars, { period }: Values, i: number): number[] {
  const { high, low } = bars;
  const total = sum(last(trueRangeOf(bars), period, i));
  const up = sum(last((j) => Math.abs(high[j] - low[j - 1]), period, i));
  const down = sum(last((j) => Math.abs(low[j] - high[j - 1]), period, i));
  return total === 0 ? [0, 0] : [up / total, down / total];
}

/** The index of volume that grew or shrank: 1000 times the closes' ratios at the bars that count. */
function volumeIndex(
  { close, volume }: Bars,
  counts: (now: number, past: number) => boolean,
  i: number,
): number[] {
  const steps = range(1, i).filter((j) => counts(volume[j], volume[j - 1]));
  return [steps.reduce((index, j) => (index * close[j]) / close[j - 1], 1_000)];
}

function weightedMean(numbers: readonly number[]): number {
  return sum(numbers.map((value, k) => value * (k + 1))) / sum(numbers.map((_, k) => k + 1));
}

const FORMULAS: Readonly<Record<string, Formula>> = {
  zlema: ({ close }, { period }, i) => {
    const lag = Math.floor((period - 1) / 2);
    return [ema((j) => close[j] + (close[j] - close[j - lag]), period, lag, i)];
  },
  vwma: ({ close, volume }, { period }, i) => {
    const total = sum(last((j) => volume[j], period, i));
    if (total === 0) return [mean(last((j) => close[j], period, i))];
    return [sum(last((j) => close[j] * volume[j], period, i)) / total];
  },
  vortex,
  awesome_oscillator: ({ high, low }, { fast, slow }, i) => {
    const middle: Series = (j) => (high[j] + low[j]) / 2;
    return [mean(last(middle, fast, i)) - mean(last(middle, slow, i))];
  },
  coppock: ({ close }, { long, short, smoothing }, i) => [
    weightedMean(last((j) => rateOf(close, long)(j) + rateOf(close, short)(j), smoothing, i)),
  ],
  kst,
  elder_ray: ({ high, low, close }, { period }, i) => {
    const middle = ema((j) => close[j], period, 0, i);
    return [high[i] - middle, low[i] - middle];
  },
  chandelier,
  choppiness,
  ulcer: ({ close }, { period }, i) => {
    const drawdown: Series = (j) => {
      const top = Math.max(...last((k) => close[k], period, j));
      return (100 * (close[j] - top)) / top;
    };
    return [Math.sqrt(mean(last((j) => drawdown(j) ** 2, period, i)))];
  },
  realised_volatility: ({ close }, { period, bars_per_year: year }, i) => [
    Math.sqrt(year * mean(last((j) => logReturn(close)(j) ** 2, period, i))),
  ],
  parkinson: ({ high, low }, { period, bars_per_year: year }, i) => {
    const squares = last((j) => (Math.log(high[j]) - Math.log(low[j])) ** 2, period, i);
    return [Math.sqrt((year * mean(squares)) / (4 * Math.log(2)))];
  },
  garman_klass: ({ open, high, low, close }, { period, bars_per_year: year }, i) => {
    const variances = last(
      (j) => Math.log(high[j] / low[j]) ** 2 / 2 - (2 * Math.log(2) - 1) * Math.log(close[j] / open[j]) ** 2,
      period,
      i,
    );
    return [Math.sqrt(year * mean(variances))];
  },
  rogers_satchell: (bars, { period, bars_per_year: year }, i) => [
    Math.sqrt(Math.max(0, year * mean(last(rogersSatchell(bars), period, i)))),
  ],
  yang_zhang: yangZhang,
  cmf: (bars, { period }, i) => {
    const total = sum(last((j) => bars.volume[j], period, i));
    return [total === 0 ? 0 : sum(last(moneyFlow(bars), period, i)) / total];
  },
  force_index: ({ close, volume }, { period }, i) => [
    ema((j) => (close[j] - close[j - 1]) * volume[j], period, 1, i),
  ],
  pvt: ({ close, volume }, _values, i) => [
    sum(range(1, i).map((j) => (volume[j] * (close[j] - close[j - 1])) / close[j - 1])),
  ],
  nvi: (bars, _values, i) => volumeIndex(bars, (now, past) => now < past, i),
  pvi: (bars, _values, i) => volumeIndex(bars, (now, past) => now > past, i),
  vwap: (bars, values, i) => [weightedVwap(bars, values, i).mean],
  vwap_bands: (bars, values, i) => {
    const { mean: middle, deviation } = weightedVwap(bars, values, i);
    return [middle + values.deviations * deviation, middle, middle - values.deviations * deviation];
  },
  volume_profile: volumeProfile,
  zscore: ({ close }, { period }, i) => {
    const window = last((j) => close[j], period, i);
    if (window.every((value) => value === window[0])) return [0];
    return [(close[i] - mean(window)) / Math.sqrt(variance(window))];
  },
  linreg_channel: ({ close }, { period, deviations }, i) => {
    const { end, deviation } = line(last((j) => close[j], period, i));
    return [end + deviations * deviation, end, end - deviations * deviation];
  },
  correl: ({ high, low }, { period }, i) => {
    const tops = last((j) => high[j], period, i);
    const bottoms = last((j) => low[j], period, i);
    const size = Math.sqrt(variance(tops) * variance(bottoms)) * period;
    return [
      size === 0 ? 0 : sum(tops.map((top, k) => (top - mean(tops)) * (bottoms[k] - mean(bottoms)))) / size,
    ];
  },
  hurst,
  nadaraya_watson: ({ close }, { period, bandwidth }, i) =>
    kernelMean(close, period, i, (age) => Math.exp(-(age ** 2) / (2 * bandwidth ** 2))),
  rational_quadratic: ({ close }, { period, bandwidth, weighting }, i) =>
    kernelMean(close, period, i, (age) => 1 / (1 + age ** 2 / (2 * weighting * bandwidth ** 2)) ** weighting),
  typical_price: (bars, _values, i) => [typicalOf(bars)(i)],
  median_price: ({ high, low }, _values, i) => [high[i] / 2 + low[i] / 2],
  weighted_close: ({ high, low, close }, _values, i) => [high[i] / 4 + low[i] / 4 + close[i] / 2],
  average_price: ({ open, high, low, close }, _values, i) => [mean([open[i], high[i], low[i], close[i]])],
};

/**
 * Indicators written a second time, straight from their definitions: every value of every bar is computed
 * from the whole history, without recurrences over windows or code shared with the rows.
 */
export const PLAIN: Readonly<Record<string, PlainFormula>> = {
  ...Object.fromEntries(
    Object.entries(FORMULAS).map(([name, formula]): [string, PlainFormula] => [
      name,
      (bars, values) => (i) => formula(bars, values, i),
    ]),
  ),
  tsi,
};
