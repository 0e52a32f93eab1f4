import type { Bars } from "../../../src/core/market/candles.js";
import {
  allAlike,
  type Column,
  changes,
  columnLike,
  ema,
  gainsAndLosses,
  highest,
  last,
  lowest,
  mean,
  middles,
  type PlainFormula,
  places,
  range,
  rates,
  relativeStrength,
  sma,
  startingAt,
  sum,
  trueRanges,
  typicals,
  type Values,
  weightedMean,
  wma,
} from "./columns.js";

function difference(left: Column, right: Column): number[] {
  return columnLike(left, (i) => left[i] - right[i]);
}

function macd({ close }: Bars, { fast, slow, signal }: Values): Record<string, number[]> {
  // The fast average starts late, so that both have their first value at the same bar.
  const fastAverage = ema(startingAt(close, slow - fast), fast);
  const line = difference(fastAverage, ema(close, slow));
  const signalLine = ema(line, signal);
  const begins = slow + signal - 2;
  return {
    macd: startingAt(line, begins),
    signal: signalLine,
    histogram: difference(line, signalLine),
  };
}

function cci(bars: Bars, { period }: Values): number[] {
  const typical = typicals(bars);
  return columnLike(typical, (i) => {
    const window = last(typical, period, i);
    const distance = typical[i] - mean(window);
    const deviation = mean(window.map((value) => Math.abs(value - mean(window))));
    return allAlike(window) ? 0 : distance / (0.015 * deviation);
  });
}

function kst({ close }: Bars, values: Values): Record<string, number[]> {
  const parts = [1, 2, 3, 4].map((k) => sma(rates(close, values[`roc${k}`]), values[`mean${k}`]));
  const line = columnLike(close, (i) => parts[0][i] + 2 * parts[1][i] + 3 * parts[2][i] + 4 * parts[3][i]);
  return { kst: line, signal: sma(line, values.signal) };
}

function tsi({ close }: Bars, { long, short, signal }: Values): Record<string, number[]> {
  const change = ema(ema(changes(close), long), short);
  const size = ema(ema(changes(close).map(Math.abs), long), short);
  const line = columnLike(close, (i) => (size[i] === 0 ? 0 : (100 * change[i]) / size[i]));
  return { tsi: line, signal: ema(line, signal) };
}

function ultosc(bars: Bars, { short, middle, long }: Values): number[] {
  const { low, close } = bars;
  const pressure = columnLike(close, (i) => close[i] - Math.min(low[i], close[i - 1]));
  const ranges = trueRanges(bars);
  const share = (period: number, i: number) => {
    const total = sum(last(ranges, period, i));
    return total === 0 ? 0 : sum(last(pressure, period, i)) / total;
  };
  return columnLike(close, (i) => (100 * (4 * share(short, i) + 2 * share(middle, i) + share(long, i))) / 7);
}

/** Crossings as points, each with what came of it and from when on that is known; every bar asks those most alike. */
function mlmi({ open, high, low, close }: Bars, values: Values): Record<string, number[]> {
  const { fast, slow, short, long, smooth, neighbours, points } = values;
  const closes = columnLike(close, (i) => (open[i] + high[i] + low[i] + close[i]) / 4);
  const quick = wma(relativeStrength(closes, short), smooth);
  const calm = wma(relativeStrength(closes, long), smooth);
  const sides = columnLike(closes, (i) => {
    const weighted = (period: number) => weightedMean(last(closes, period, i).map((x) => x - closes[i]));
    const away = weighted(fast) - weighted(slow);
    return Math.abs(away) < 1e-13 * closes[i] ? 0 : Math.sign(away);
  });
  const taken = range(0, closes.length - 1).filter((i) => sides[i] === 1 || sides[i] === -1);
  const crossings = taken.filter((i, k) => k > 0 && sides[i] !== sides[taken[k - 1]]);
  const known = crossings
    .slice(0, -1)
    .map((i, k) => ({
      at: i,
      from: crossings[k + 1],
      label: Math.sign(closes[crossings[k + 1]] - closes[i]),
    }))
    .filter(({ at }) => !Number.isNaN(quick[at] + calm[at]));
  const begins = Math.max(slow, Math.max(short, long) + smooth - 1);
  const value = columnLike(closes, (i) => {
    const memory = known.filter(({ from }) => from <= i).slice(-points);
    const far = ({ at }: { at: number }) => (quick[at] - quick[i]) ** 2 + (calm[at] - calm[i]) ** 2;
    const nearest = memory.toReversed().toSorted((a, b) => far(a) - far(b));
    const labels = nearest.slice(0, neighbours).map(({ label }) => label);
    return labels.length === 0 ? 50 : 50 + 50 * mean(labels);
  });
  const cross = columnLike(closes, (i) => (crossings.includes(i) ? sides[i] : 0));
  return { mlmi: startingAt(value, begins), cross: startingAt(cross, begins) };
}

/** %K and its mean %D, both from the bar on that has %D. */
function withSignal(raw: Column, signal: number): Record<string, number[]> {
  const d = sma(raw, signal);
  return { k: columnLike(raw, (i) => (Number.isNaN(d[i]) ? Number.NaN : raw[i])), d };
}

export const MOMENTUM: Readonly<Record<string, PlainFormula>> = {
  apo: ({ close }, { fast, slow }) => ({ apo: difference(sma(close, fast), sma(close, slow)) }),
  awesome_oscillator: (bars, { fast, slow }) => ({
    awesome_oscillator: difference(sma(middles(bars), fast), sma(middles(bars), slow)),
  }),
  bop: ({ open, high, low, close }) => ({
    bop: columnLike(close, (i) => (high[i] === low[i] ? 0 : (close[i] - open[i]) / (high[i] - low[i]))),
  }),
  cci: (bars, values) => ({ cci: cci(bars, values) }),
  cmo: ({ close }, { period }) => {
    const { gains, losses } = gainsAndLosses(close, period);
    return {
      cmo: columnLike(close, (i) => {
        const total = gains[i] + losses[i];
        return total === 0 ? 0 : (100 * (gains[i] - losses[i])) / total;
      }),
    };
  },
  coppock: ({ close }, { long, short, smoothing }) => {
    const longer = rates(close, long);
    const shorter = rates(close, short);
    return {
      coppock: wma(
        columnLike(close, (i) => longer[i] + shorter[i]),
        smoothing,
      ),
    };
  },
  elder_ray: ({ high, low, close }, { period }) => {
    const average = ema(close, period);
    return { bull: difference(high, average), bear: difference(low, average) };
  },
  kst,
  macd,
  mlmi,
  mom: ({ close }, { period }) => ({ mom: columnLike(close, (i) => close[i] - close[i - period]) }),
  ppo: ({ close }, { fast, slow }) => {
    const base = ema(close, slow);
    const line = difference(ema(close, fast), base);
    return { ppo: columnLike(close, (i) => (100 * line[i]) / base[i]) };
  },
  roc: ({ close }, { period }) => ({ roc: rates(close, period) }),
  rsi: ({ close }, { period }) => ({ rsi: relativeStrength(close, period) }),
  stoch: ({ high, low, close }, { period, slowing, signal }) =>
    withSignal(sma(places(high, low, close, period), slowing), signal),
  stochf: ({ high, low, close }, { period, signal }) => withSignal(places(high, low, close, period), signal),
  stochrsi: ({ close }, { period, range, signal }) => {
    const strength = relativeStrength(close, period);
    return withSignal(places(strength, strength, strength, range), signal);
  },
  trix: ({ close }, { period }) => ({ trix: rates(ema(ema(ema(close, period), period), period), 1) }),
  tsi,
  ultosc: (bars, values) => ({ ultosc: ultosc(bars, values) }),
  willr: ({ high, low, close }, { period }) => ({
    willr: columnLike(close, (i) => {
      const top = highest(high, period, i);
      const reach = top - lowest(low, period, i);
      return reach === 0 ? 0 : (-100 * (top - close[i])) / reach;
    }),
  }),
};
