import type { Bars } from "../../../src/core/market/candles.js";
import {
  averageRanges,
  type Column,
  changes,
  columnLike,
  ema,
  last,
  mean,
  middleOfRange,
  middles,
  type PlainFormula,
  range,
  sma,
  sum,
  trueRanges,
  type Values,
  wilder,
  wma,
} from "./columns.js";

/** Wilder's sum from bar 1 on: `period - 1` values added up, then each bar gives up one period-th and adds its own. */
function wilderSums(column: Column, period: number): number[] {
  const sums = [0];
  for (let i = 1; i < column.length; i++) {
    const given = i < period ? 0 : sums[i - 1] / period;
    sums.push(sums[i - 1] - given + column[i]);
  }
  return sums;
}

/** Directional movement: the larger of two moves beyond the bar before, where it is one. */
function directional(bars: Bars, period: number): { plus: number[]; minus: number[]; index: number[] } {
  const { high, low } = bars;
  const up = (i: number) => high[i] - high[i - 1];
  const down = (i: number) => low[i - 1] - low[i];
  const plusSums = wilderSums(
    columnLike(high, (i) => (up(i) > down(i) ? Math.max(up(i), 0) : 0)),
    period,
  );
  const minusSums = wilderSums(
    columnLike(high, (i) => (down(i) > up(i) ? Math.max(down(i), 0) : 0)),
    period,
  );
  const ranges = wilderSums(trueRanges(bars), period);
  const indexOf = (movement: readonly number[]) =>
    columnLike(high, (i) =>
      i < period ? Number.NaN : ranges[i] === 0 ? 0 : (100 * movement[i]) / ranges[i],
    );
  const plus = indexOf(plusSums);
  const minus = indexOf(minusSums);
  const index = columnLike(high, (i) => (100 * Math.abs(plus[i] - minus[i])) / (plus[i] + minus[i]));
  return { plus, minus, index };
}

/** DX from bar `period` on; a bar without movement shows the one before, at first 0. */
function dx(bars: Bars, { period }: Values): number[] {
  const { plus, minus, index } = directional(bars, period);
  const line: number[] = [];
  for (let i = 0; i < index.length; i++) {
    line.push(plus[i] + minus[i] === 0 ? line[i - 1] || 0 : index[i]);
  }
  return line;
}

/** The mean of the first `period` DX, then Wilder's steps; a bar without movement counts 0 in the mean and no step. */
function adx(bars: Bars, period: number): number[] {
  const { plus, minus, index } = directional(bars, period);
  const moved = (i: number) => plus[i] + minus[i] !== 0;
  const line: number[] = [];
  for (let i = 0; i < index.length; i++) {
    if (i < 2 * period - 1) line.push(Number.NaN);
    else if (i === 2 * period - 1) line.push(mean(range(period, i).map((j) => (moved(j) ? index[j] : 0))));
    else line.push(moved(i) ? ((period - 1) * line[i - 1] + index[i]) / period : line[i - 1]);
  }
  return line;
}

/** How near the latest of the extremes of period + 1 bars is, from 0 at the oldest to 100 at the bar itself. */
function nearness(column: Column, period: number, extreme: (window: readonly number[]) => number): number[] {
  return columnLike(column, (i) => {
    if (i < period) return Number.NaN;
    const window = last(column, period + 1, i);
    return (100 * window.lastIndexOf(extreme(window))) / period;
  });
}

function shifted(column: Column, bars: number): number[] {
  return columnLike(column, (i) => column[i - bars] ?? Number.NaN);
}

function kama({ close }: Bars, { period, fast, slow }: Values): number[] {
  const fastest = 2 / (fast + 1);
  const slowest = 2 / (slow + 1);
  const steps = changes(close);
  const line: number[] = [];
  for (let i = 0; i < close.length; i++) {
    if (i < period) {
      line.push(Number.NaN);
      continue;
    }
    const path = sum(last(steps, period, i).map(Math.abs));
    const efficiency = path === 0 ? 1 : Math.abs(close[i] - close[i - period]) / path;
    const share = (efficiency * (fastest - slowest) + slowest) ** 2;
    const before = i === period ? close[i - 1] : line[i - 1];
    line.push(before + share * (close[i] - before));
  }
  return line;
}

/** Wilder's parabolic stop, side by side for long and short positions. */
function sar({ high, low }: Bars, { acceleration, maximum }: Values): number[] {
  const first = Math.min(acceleration, maximum);
  const fell = low[0] - low[1];
  let long = !(fell > 0 && fell > high[1] - high[0]);
  let stop = long ? low[0] : high[0];
  let extreme = long ? high[1] : low[1];
  let factor = first;
  const line = [Number.NaN];
  for (let i = 1; i < high.length; i++) {
    // No stop lies within the range of the bar or of the one before it; bar 1 has only its own.
    const bottom = Math.min(low[i], low[Math.max(i - 1, 1)]);
    const top = Math.max(high[i], high[Math.max(i - 1, 1)]);
    if (long ? low[i] <= stop : high[i] >= stop) {
      long = !long;
      stop = long ? Math.min(extreme, bottom) : Math.max(extreme, top);
      extreme = long ? high[i] : low[i];
      factor = first;
      line.push(stop);
    } else {
      line.push(stop);
      if (long ? high[i] > extreme : low[i] < extreme) {
        extreme = long ? high[i] : low[i];
        factor = Math.min(factor + first, maximum);
      }
    }
    stop += factor * (extreme - stop);
    stop = long ? Math.min(stop, bottom) : Math.max(stop, top);
  }
  return line;
}

function supertrend(bars: Bars, { period, multiplier }: Values): Record<string, number[]> {
  const { close } = bars;
  const middle = middles(bars);
  const ranges = averageRanges(bars, period);
  const upper: number[] = [];
  const lower: number[] = [];
  const direction: number[] = [];
  for (let i = 0; i < close.length; i++) {
    const top = middle[i] + multiplier * ranges[i];
    const bottom = middle[i] - multiplier * ranges[i];
    if (i <= period) {
      upper.push(top);
      lower.push(bottom);
      direction.push(i < period ? Number.NaN : close[i] > middle[i] ? 1 : -1);
    } else {
      upper.push(top < upper[i - 1] || close[i - 1] > upper[i - 1] ? top : upper[i - 1]);
      lower.push(bottom > lower[i - 1] || close[i - 1] < lower[i - 1] ? bottom : lower[i - 1]);
      direction.push(direction[i - 1]);
    }
    if (direction[i] === 1 && close[i] < lower[i]) direction[i] = -1;
    else if (direction[i] === -1 && close[i] > upper[i]) direction[i] = 1;
  }
  const line = columnLike(close, (i) => (direction[i] === 1 ? lower[i] : upper[i]));
  return { supertrend: line, direction };
}

function t3({ close }: Bars, { period, volume_factor: factor }: Values): number[] {
  const levels = [ema(close, period)];
  while (levels.length < 6) levels.push(ema(levels[levels.length - 1], period));
  // (1 + v) EMA - v EMA(EMA), three times one after another, multiplied out.
  return columnLike(
    close,
    (i) =>
      (1 + factor) ** 3 * levels[2][i] -
      3 * (1 + factor) ** 2 * factor * levels[3][i] +
      3 * (1 + factor) * factor ** 2 * levels[4][i] -
      factor ** 3 * levels[5][i],
  );
}

function hma({ close }: Bars, { period }: Values): number[] {
  const half = wma(close, Math.trunc(period / 2));
  const whole = wma(close, period);
  return wma(
    columnLike(close, (i) => 2 * half[i] - whole[i]),
    Math.trunc(period ** 0.5),
  );
}

/** Weights that rise to the middle of the window and fall again. */
function trima({ close }: Bars, { period }: Values): number[] {
  const weights = range(1, period).map((place) => Math.min(place, period + 1 - place));
  return columnLike(
    close,
    (i) => sum(last(close, period, i).map((value, k) => value * weights[k])) / sum(weights),
  );
}

function vortex(bars: Bars, { period }: Values): Record<string, number[]> {
  const { high, low } = bars;
  const ranges = trueRanges(bars);
  const up = columnLike(high, (i) => Math.abs(high[i] - low[i - 1]));
  const down = columnLike(high, (i) => Math.abs(low[i] - high[i - 1]));
  const share = (movement: Column) =>
    columnLike(high, (i) => {
      const total = sum(last(ranges, period, i));
      return total === 0 ? 0 : sum(last(movement, period, i)) / total;
    });
  return { plus: share(up), minus: share(down) };
}

function ichimoku(bars: Bars, values: Values): Record<string, number[]> {
  const conversion = middleOfRange(bars, values.conversion);
  const base = middleOfRange(bars, values.base);
  const lead = columnLike(base, (i) => (conversion[i] + base[i]) / 2);
  return {
    conversion,
    base,
    span_a: shifted(lead, values.displacement),
    span_b: shifted(middleOfRange(bars, values.span), values.displacement),
  };
}

export const TREND: Readonly<Record<string, PlainFormula>> = {
  adx: (bars, { period }) => {
    const { plus, minus } = directional(bars, period);
    return { adx: adx(bars, period), plus_di: plus, minus_di: minus };
  },
  adxr: (bars, { period }) => {
    const index = adx(bars, period);
    return { adxr: columnLike(index, (i) => (index[i] + index[i - period + 1]) / 2) };
  },
  alligator: (bars, { jaw, jaw_shift, teeth, teeth_shift, lips, lips_shift }) => ({
    jaw: shifted(wilder(middles(bars), jaw), jaw_shift),
    teeth: shifted(wilder(middles(bars), teeth), teeth_shift),
    lips: shifted(wilder(middles(bars), lips), lips_shift),
  }),
  aroon: ({ high, low }, { period }) => {
    const up = nearness(high, period, (window) => Math.max(...window));
    const down = nearness(low, period, (window) => Math.min(...window));
    return { up, down, oscillator: columnLike(high, (i) => up[i] - down[i]) };
  },
  dema: ({ close }, { period }) => {
    const once = ema(close, period);
    const twice = ema(once, period);
    return { dema: columnLike(close, (i) => 2 * once[i] - twice[i]) };
  },
  dx: (bars, values) => ({ dx: dx(bars, values) }),
  ema: ({ close }, { period }) => ({ ema: ema(close, period) }),
  hma: (bars, values) => ({ hma: hma(bars, values) }),
  ichimoku,
  kama: (bars, values) => ({ kama: kama(bars, values) }),
  sar: (bars, values) => ({ sar: sar(bars, values) }),
  sma: ({ close }, { period }) => ({ sma: sma(close, period) }),
  smma: ({ close }, { period }) => ({ smma: wilder(close, period) }),
  supertrend,
  t3: (bars, values) => ({ t3: t3(bars, values) }),
  tema: ({ close }, { period }) => {
    const once = ema(close, period);
    const twice = ema(once, period);
    const thrice = ema(twice, period);
    return { tema: columnLike(close, (i) => 3 * once[i] - 3 * twice[i] + thrice[i]) };
  },
  trima: (bars, values) => ({ trima: trima(bars, values) }),
  vortex,
  vwma: ({ close, volume }, { period }) => ({
    vwma: columnLike(close, (i) => {
      const closes = last(close, period, i);
      const volumes = last(volume, period, i);
      if (sum(volumes) === 0) return mean(closes);
      return sum(closes.map((value, k) => value * volumes[k])) / sum(volumes);
    }),
  }),
  wma: ({ close }, { period }) => ({ wma: wma(close, period) }),
  zlema: ({ close }, { period }) => {
    const lag = Math.trunc((period - 1) / 2);
    return {
      zlema: ema(
        columnLike(close, (i) => close[i] + (close[i] - close[i - lag])),
        period,
      ),
    };
  },
};
