import type { Bars } from "../../../src/core/market/candles.js";
import {
  allEqual,
  averageRanges,
  type Column,
  columnLike,
  ema,
  highest,
  last,
  lowest,
  mean,
  type PlainFormula,
  sum,
  trueRanges,
  type Values,
  variance,
} from "./columns.js";

/** Bands at so many standard deviations of the closes, NaN before the window is full. */
function bands(
  { close }: Bars,
  { period, deviations }: Values,
): Record<"upper" | "middle" | "lower", number[]> {
  const middle = columnLike(close, (i) => mean(last(close, period, i)));
  const width = columnLike(close, (i) => {
    const window = last(close, period, i);
    return allEqual(window) ? 0 : deviations * Math.sqrt(variance(window));
  });
  return {
    upper: columnLike(close, (i) => middle[i] + width[i]),
    middle,
    lower: columnLike(close, (i) => middle[i] - width[i]),
  };
}

/** Root of the mean variance of the bars of a window, scaled to a year. */
function yearly(variances: Column, { period, bars_per_year: year }: Values): number[] {
  // Rounding may leave a sum of squares below 0.
  return columnLike(variances, (i) => Math.sqrt(Math.max(0, mean(last(variances, period, i))) * year));
}

function rogersSatchell({ open, high, low, close }: Bars): number[] {
  return columnLike(
    close,
    (i) =>
      (Math.log(high[i]) - Math.log(close[i])) * (Math.log(high[i]) - Math.log(open[i])) +
      (Math.log(low[i]) - Math.log(close[i])) * (Math.log(low[i]) - Math.log(open[i])),
  );
}

function yangZhang(bars: Bars, { period, bars_per_year: year }: Values): number[] {
  const { open, close } = bars;
  const gaps = columnLike(close, (i) => Math.log(open[i]) - Math.log(close[i - 1]));
  const bodies = columnLike(close, (i) => Math.log(close[i]) - Math.log(open[i]));
  const within = rogersSatchell(bars);
  const share = 0.34 / (1.34 + (period + 1) / (period - 1));
  return columnLike(close, (i) => {
    const gap = variance(last(gaps, period, i), period - 1);
    const body = variance(last(bodies, period, i), period - 1);
    return Math.sqrt((gap + share * body + (1 - share) * mean(last(within, period, i))) * year);
  });
}

function ulcer({ close }: Bars, { period }: Values): number[] {
  const drawdowns = columnLike(close, (i) => {
    const top = highest(close, period, i);
    return (100 * (top - close[i])) / top;
  });
  return columnLike(close, (i) => Math.sqrt(mean(last(drawdowns, period, i).map((value) => value ** 2))));
}

function choppiness(bars: Bars, { period }: Values): number[] {
  const { high, low } = bars;
  const ranges = trueRanges(bars);
  return columnLike(high, (i) => {
    const path = sum(last(ranges, period, i));
    const span = highest(high, period, i) - lowest(low, period, i);
    if (Number.isNaN(path)) return Number.NaN;
    return span === 0 ? 100 : (100 * Math.log10(path / span)) / Math.log10(period);
  });
}

export const VOLATILITY: Readonly<Record<string, PlainFormula>> = {
  atr: (bars, { period }) => ({ atr: averageRanges(bars, period) }),
  bbands: bands,
  bollinger_width: (bars, values) => {
    const { upper, middle, lower } = bands(bars, values);
    return { bollinger_width: columnLike(middle, (i) => (upper[i] - lower[i]) / middle[i]) };
  },
  chandelier: (bars, { period, multiplier }) => {
    const ranges = averageRanges(bars, period);
    return {
      long: columnLike(ranges, (i) => highest(bars.high, period, i) - multiplier * ranges[i]),
      short: columnLike(ranges, (i) => lowest(bars.low, period, i) + multiplier * ranges[i]),
    };
  },
  choppiness: (bars, values) => ({ choppiness: choppiness(bars, values) }),
  donchian: ({ high, low }, { period }) => {
    const upper = columnLike(high, (i) => highest(high, period, i));
    const lower = columnLike(low, (i) => lowest(low, period, i));
    return { upper, middle: columnLike(high, (i) => upper[i] - (upper[i] - lower[i]) / 2), lower };
  },
  garman_klass: ({ open, high, low, close }, values) => ({
    garman_klass: yearly(
      columnLike(close, (i) => {
        const reach = Math.log(high[i]) - Math.log(low[i]);
        const body = Math.log(close[i]) - Math.log(open[i]);
        return reach ** 2 / 2 - (2 * Math.log(2) - 1) * body ** 2;
      }),
      values,
    ),
  }),
  keltner: (bars, { period, multiplier, range }) => {
    const average = ema(bars.close, period);
    const ranges = averageRanges(bars, range);
    const middle = columnLike(average, (i) => (Number.isNaN(ranges[i]) ? Number.NaN : average[i]));
    return {
      upper: columnLike(middle, (i) => middle[i] + multiplier * ranges[i]),
      middle,
      lower: columnLike(middle, (i) => middle[i] - multiplier * ranges[i]),
    };
  },
  natr: (bars, { period }) => {
    const ranges = averageRanges(bars, period);
    return { natr: columnLike(ranges, (i) => (100 * ranges[i]) / bars.close[i]) };
  },
  parkinson: ({ high, low }, values) => ({
    parkinson: yearly(
      columnLike(high, (i) => (Math.log(high[i]) - Math.log(low[i])) ** 2 / (4 * Math.log(2))),
      values,
    ),
  }),
  percent_b: (bars, values) => {
    const { upper, lower } = bands(bars, values);
    return {
      percent_b: columnLike(upper, (i) =>
        upper[i] === lower[i] ? 0.5 : (bars.close[i] - lower[i]) / (upper[i] - lower[i]),
      ),
    };
  },
  realised_volatility: ({ close }, values) => ({
    realised_volatility: yearly(
      columnLike(close, (i) => (Math.log(close[i]) - Math.log(close[i - 1])) ** 2),
      values,
    ),
  }),
  rogers_satchell: (bars, values) => ({ rogers_satchell: yearly(rogersSatchell(bars), values) }),
  trange: (bars) => ({ trange: trueRanges(bars) }),
  ulcer: (bars, values) => ({ ulcer: ulcer(bars, values) }),
  yang_zhang: (bars, values) => ({ yang_zhang: yangZhang(bars, values) }),
};
