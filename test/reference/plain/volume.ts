import type { Bars } from "../../../src/core/market/candles.js";
import {
  type Column,
  changes,
  columnLike,
  ema,
  last,
  type PlainFormula,
  range,
  sessionBars,
  sum,
  typicals,
  type Values,
} from "./columns.js";

/** Sums of a column from its first bar to each. */
function totals(column: Column): number[] {
  return columnLike(column, (i) => sum(range(0, i).map((j) => column[j])));
}

/** Volume times the place of the close in the bar, from -1 at the low to 1 at the high; 0 without range. */
function moneyFlows({ high, low, close, volume }: Bars): number[] {
  return columnLike(close, (i) => {
    const reach = high[i] - low[i];
    return reach === 0 ? 0 : (volume[i] * (2 * close[i] - high[i] - low[i])) / reach;
  });
}

/** An exponential average that starts at the first value itself. */
function averageFromFirst(column: Column, period: number): number[] {
  const averages = [column[0]];
  for (let i = 1; i < column.length; i++) {
    averages.push(averages[i - 1] + (2 / (period + 1)) * (column[i] - averages[i - 1]));
  }
  return averages;
}

function adosc(bars: Bars, { fast, slow }: Values): number[] {
  const line = totals(moneyFlows(bars));
  const fastAverage = averageFromFirst(line, fast);
  const slowAverage = averageFromFirst(line, slow);
  return columnLike(line, (i) => (i < slow - 1 ? Number.NaN : fastAverage[i] - slowAverage[i]));
}

function mfi(bars: Bars, { period }: Values): number[] {
  const typical = typicals(bars);
  const flowAt = (i: number, sign: number) =>
    Math.sign(typical[i] - typical[i - 1]) === sign ? typical[i] * bars.volume[i] : 0;
  return columnLike(typical, (i) => {
    if (i < period) return Number.NaN;
    const members = range(i - period + 1, i);
    const inward = sum(members.map((j) => flowAt(j, 1)));
    const outward = sum(members.map((j) => flowAt(j, -1)));
    return inward + outward === 0 ? 0 : (100 * inward) / (inward + outward);
  });
}

/** The index of volume that grew or shrank: 1000 times the closes' ratios at the bars that count. */
function volumeIndex({ close, volume }: Bars, counts: (now: number, past: number) => boolean): number[] {
  return columnLike(close, (i) =>
    range(1, i)
      .filter((j) => counts(volume[j], volume[j - 1]))
      .reduce((index, j) => (index * close[j]) / close[j - 1], 1_000),
  );
}

/** Mean and standard deviation of the session's typical prices, weighted by volume once there is some. */
function sessionMoments(bars: Bars, days: number): { mean: number; deviation: number }[] {
  const typical = typicals(bars);
  return typical.map((_, i) => {
    const members = sessionBars(bars, days, i);
    const traded = sum(members.map((j) => bars.volume[j])) > 0;
    const weights = members.map((j) => (traded ? bars.volume[j] : 1));
    const middle = sum(members.map((j, k) => typical[j] * weights[k])) / sum(weights);
    const squares = sum(members.map((j, k) => weights[k] * (typical[j] - middle) ** 2));
    return { mean: middle, deviation: Math.sqrt(squares / sum(weights)) };
  });
}

function vwapBands(bars: Bars, { deviations, days }: Values): Record<string, number[]> {
  const moments = sessionMoments(bars, days);
  return {
    upper: moments.map(({ mean, deviation }) => mean + deviations * deviation),
    middle: moments.map(({ mean }) => mean),
    lower: moments.map(({ mean, deviation }) => mean - deviations * deviation),
  };
}

/** Steps from the origin to a price; one on an edge, up to rounding, belongs to the step above it. */
function stepOf(price: number, origin: number, step: number): number {
  return Math.floor((price - origin) / step + 1e-9);
}

/** The grid a session has grown to: its lower end and price step. */
function grid(bars: Bars, bins: number, members: readonly number[]): { origin: number; step: number } {
  const first = typicals(bars)[members[0]];
  let step = first / 2_000;
  let origin = (Math.floor(first / step) - bins / 2) * step;
  for (const j of members.filter((k) => bars.volume[k] > 0)) {
    while (bars.high[j] > origin + bins * step || stepOf(bars.low[j], origin, step) >= bins) step *= 2;
    while (bars.low[j] < origin) {
      origin -= bins * step;
      step *= 2;
    }
  }
  return { origin, step };
}

/** Point of control, upper and lower end of the value area at bar i. */
function profileAt(bars: Bars, { bins, share, days }: Values, i: number): readonly [number, number, number] {
  const members = sessionBars(bars, days, i);
  const total = sum(members.map((j) => bars.volume[j]));
  const typical = typicals(bars)[i];
  if (total === 0) return [typical, typical, typical];
  const { origin, step } = grid(bars, bins, members);
  const edge = (bin: number) => origin + bin * step;
  const histogram = range(0, bins - 1).map((bin) =>
    sum(
      members.map((j) => {
        const low = bars.low[j];
        const high = bars.high[j];
        if (high === low) return stepOf(low, origin, step) === bin ? bars.volume[j] : 0;
        const overlap = Math.min(high, edge(bin + 1)) - Math.max(low, edge(bin));
        return overlap > 1e-9 * step ? (bars.volume[j] * overlap) / (high - low) : 0;
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

function volumeProfile(bars: Bars, values: Values): Record<string, number[]> {
  const profiles = range(0, bars.close.length - 1).map((i) => profileAt(bars, values, i));
  return {
    point_of_control: profiles.map(([point]) => point),
    value_area_high: profiles.map(([, top]) => top),
    value_area_low: profiles.map(([, , bottom]) => bottom),
  };
}

interface Thin {
  readonly bottom: number;
  readonly top: number;
  readonly thinness: number;
}

/** Runs of thin steps between busier ones, in prices: every bar's overlap with every step. */
function thinRuns(bars: Bars, members: readonly number[], { bins, share }: Values): Thin[] {
  const lowest = Math.min(...members.map((j) => bars.low[j]));
  const step = (Math.max(...members.map((j) => bars.high[j])) - lowest) / bins;
  if (step === 0) return [];
  const edge = (bin: number) => lowest + bin * step;
  const spans = members.map((j) => {
    if (bars.high[j] - bars.low[j] >= step) return [bars.low[j], bars.high[j]] as const;
    const middle = (bars.high[j] + bars.low[j]) / 2;
    const bottom = Math.min(Math.max(middle - step / 2, lowest), edge(bins - 1));
    return [bottom, bottom + step] as const;
  });
  const volumes = range(0, bins - 1).map((bin) =>
    sum(
      members.map((j, k) => {
        const [from, to] = spans[k];
        const overlap = Math.min(to, edge(bin + 1)) - Math.max(from, edge(bin));
        return (bars.volume[j] * Math.max(0, overlap)) / (to - from);
      }),
    ),
  );
  const most = Math.max(...volumes);
  const busy = range(0, bins - 1).filter((bin) => volumes[bin] >= share * most * (1 - 1e-9));
  return busy.slice(1).flatMap((top, k) => {
    const inner = range(busy[k] + 1, top - 1);
    if (inner.length === 0 || most === 0) return [];
    const thinness = 1 - sum(inner.map((bin) => volumes[bin])) / inner.length / most;
    return [{ bottom: edge(busy[k] + 1), top: edge(top), thinness }];
  });
}

/** Visits of a node that are over: who came, was it sent back, and when was that known. */
function visitsOf(bars: Bars, members: readonly number[], { bottom, top }: Thin, slack: number) {
  const sideOf = (j: number) => {
    if (bars.close[j] >= top - slack) return 1;
    return bars.close[j] <= bottom + slack ? -1 : 0;
  };
  const sides = members.map(sideOf);
  const reaches = members.map((j) => bars.low[j] < top - slack && bars.high[j] > bottom + slack);
  const visits: { rejected: boolean; age: number }[] = [];
  for (let k = 1; k < members.length; k++) {
    const from = sides.slice(0, k).findLast((side) => side !== 0);
    if (!reaches[k] || from === undefined) continue;
    const end = sides.findIndex((side, j) => j > k && side !== 0);
    if (end < 0) break;
    visits.push({ rejected: sides[end] === from, age: members.length - 1 - end });
    k = end;
  }
  return visits;
}

function lowVolumeNode(bars: Bars, values: Values): Record<string, number[]> {
  const { period, bins } = values;
  const rows = range(0, bars.close.length - 1).map((i) => {
    if (i < period - 1) return new Array<number>(6).fill(Number.NaN);
    const members = range(i - period + 1, i);
    const reach =
      Math.max(...members.map((j) => bars.high[j])) - Math.min(...members.map((j) => bars.low[j]));
    const slack = (1e-9 * reach) / bins;
    const runs = thinRuns(bars, members, values);
    const awayOf = ({ bottom, top }: Thin) => (bottom + top) / 2 - bars.close[i];
    const told = (run: Thin | undefined) => {
      if (run === undefined) return [0, 0, 0];
      const visits = visitsOf(bars, members, run, slack);
      const back = visits.filter(({ rejected }) => rejected);
      const tried = back.length === 0 ? 0 : 0.15 * Math.min(1, back.length / 5);
      const share = visits.length === 0 ? 0 : (0.15 * back.length) / visits.length;
      const recent = back.length === 0 ? 0 : 1 - Math.min(...back.map(({ age }) => age)) / period;
      const near = 1 - Math.abs(awayOf(run)) / reach;
      return [awayOf(run), 0.4 * run.thinness + tried + share + 0.2 * recent + 0.1 * near, 1];
    };
    return [
      ...told(runs.findLast((run) => awayOf(run) <= slack)),
      ...told(runs.find((run) => awayOf(run) >= -slack)),
    ];
  });
  const names = ["below", "below_strength", "has_below", "above", "above_strength", "has_above"];
  return Object.fromEntries(names.map((name, k) => [name, rows.map((row) => row[k])]));
}

export const VOLUME: Readonly<Record<string, PlainFormula>> = {
  ad: (bars) => ({ ad: totals(moneyFlows(bars)) }),
  adosc: (bars, values) => ({ adosc: adosc(bars, values) }),
  cmf: (bars, { period }) => {
    const flows = moneyFlows(bars);
    return {
      cmf: columnLike(flows, (i) => {
        const total = sum(last(bars.volume, period, i));
        return total === 0 ? 0 : sum(last(flows, period, i)) / total;
      }),
    };
  },
  force_index: ({ close, volume }, { period }) => ({
    force_index: ema(
      changes(close).map((change, i) => change * volume[i]),
      period,
    ),
  }),
  low_volume_node: lowVolumeNode,
  mfi: (bars, values) => ({ mfi: mfi(bars, values) }),
  nvi: (bars) => ({ nvi: volumeIndex(bars, (now, past) => now < past) }),
  obv: ({ close, volume }) => ({
    obv: totals(columnLike(close, (i) => volume[i] * (i === 0 ? 1 : Math.sign(close[i] - close[i - 1])))),
  }),
  pvi: (bars) => ({ pvi: volumeIndex(bars, (now, past) => now > past) }),
  pvt: ({ close, volume }) => ({
    pvt: totals(
      columnLike(close, (i) => (i === 0 ? 0 : (volume[i] * (close[i] - close[i - 1])) / close[i - 1])),
    ),
  }),
  volume_profile: volumeProfile,
  vwap: (bars, { days }) => ({ vwap: sessionMoments(bars, days).map(({ mean }) => mean) }),
  vwap_bands: vwapBands,
};
