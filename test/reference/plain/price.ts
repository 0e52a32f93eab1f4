import type { Bars } from "../../../src/core/market/candles.js";
import {
  columnLike,
  last,
  mean,
  middleOfRange,
  middles,
  type PlainFormula,
  range,
  startingAt,
  typicals,
  type Values,
} from "./columns.js";

function heikinAshi({ open, high, low, close }: Bars): Record<string, number[]> {
  const bodyClose = columnLike(close, (i) => (open[i] + high[i] + low[i] + close[i]) / 4);
  const bodyOpen = [(open[0] + close[0]) / 2];
  for (let i = 1; i < close.length; i++) bodyOpen.push((bodyOpen[i - 1] + bodyClose[i - 1]) / 2);
  return {
    open: bodyOpen,
    high: columnLike(high, (i) => Math.max(high[i], bodyOpen[i], bodyClose[i])),
    low: columnLike(low, (i) => Math.min(low[i], bodyOpen[i], bodyClose[i])),
    close: bodyClose,
  };
}

interface Gap {
  readonly at: number;
  readonly up: boolean;
  readonly bottom: number;
  readonly top: number;
}

/** Every gap of the series first; then what became of each by bar i, looked up anew at every bar. */
function fairValueGap(bars: Bars, { life, bodies, factor }: Values): Record<string, number[]> {
  const { open, high, low, close, volume } = bars;
  const body = columnLike(close, (i) => Math.abs(close[i] - open[i]));
  const gaps = range(2, close.length - 1).flatMap((at): Gap[] => {
    if (!(body[at - 1] > factor * mean(last(body, bodies, at - 2)))) return [];
    if (low[at] > high[at - 2]) return [{ at, up: true, bottom: high[at - 2], top: low[at] }];
    return high[at] < low[at - 2] ? [{ at, up: false, bottom: high[at], top: low[at - 2] }] : [];
  });
  const later = ({ at }: Gap, until: number) => range(at + 1, Math.min(until, at + life));
  const endOf = (gap: Gap) =>
    later(gap, close.length - 1).find((i) => (gap.up ? low[i] <= gap.bottom : high[i] >= gap.top));
  const ends = new Map(gaps.map((gap) => [gap, endOf(gap)]));
  const openAt = (i: number) =>
    gaps.filter((gap) => gap.at <= i && i <= gap.at + life && !((ends.get(gap) ?? i + 1) <= i));
  const filledAt = (i: number, up: boolean) => gaps.filter((gap) => gap.up === up && ends.get(gap) === i);
  const edge = (gap: Gap) => (gap.up ? gap.top : gap.bottom);
  const nearestAt = (i: number) =>
    openAt(i)
      .toReversed()
      .toSorted((a, b) => Math.abs(edge(a) - close[i]) - Math.abs(edge(b) - close[i]))
      .at(0);
  const strengthOf = (gap: Gap, i: number) => {
    const entered = later(gap, i).find((j) => (gap.up ? low[j] < gap.top : high[j] > gap.bottom)) ?? i;
    const usual = mean(last(volume, bodies, i - 1));
    const loud = usual > 0 ? Math.min(1, volume[i] / usual / 2) : 0;
    return 0.4 + 0.3 * Math.max(0, 1 - (i - entered) / 20) + 0.2 * loud + 0.1 * (1 - (i - gap.at) / life);
  };
  const sizes = (found: readonly Gap[]) => Math.max(0, ...found.map(({ top, bottom }) => top - bottom));
  const columns: Record<string, (i: number) => number> = {
    gap: (i) => {
      const born = gaps.find(({ at }) => at === i);
      if (born === undefined) return 0;
      return (born.up ? 1 : -1) * (born.top - born.bottom);
    },
    bullish: (i) => Number(openAt(i).some(({ up }) => up)),
    bearish: (i) => Number(openAt(i).some(({ up }) => !up)),
    distance: (i) => {
      const nearest = nearestAt(i);
      return nearest === undefined ? 0 : edge(nearest) - close[i];
    },
    age: (i) => (i - (nearestAt(i)?.at ?? i - life)) / life,
    bullish_fill: (i) => sizes(filledAt(i, true)),
    bearish_fill: (i) => sizes(filledAt(i, false)),
    strength: (i) =>
      Math.max(0, ...[...filledAt(i, true), ...filledAt(i, false)].map((gap) => strengthOf(gap, i))),
  };
  return Object.fromEntries(
    Object.entries(columns).map(([name, at]) => [name, startingAt(columnLike(close, at), life + bodies + 1)]),
  );
}

export const PRICE: Readonly<Record<string, PlainFormula>> = {
  average_price: ({ open, high, low, close }) => ({
    average_price: columnLike(close, (i) => open[i] / 4 + high[i] / 4 + low[i] / 4 + close[i] / 4),
  }),
  fair_value_gap: fairValueGap,
  heikin_ashi: heikinAshi,
  median_price: (bars) => ({ median_price: middles(bars) }),
  midprice: (bars, { period }) => ({ midprice: middleOfRange(bars, period) }),
  typical_price: (bars) => ({ typical_price: typicals(bars) }),
  weighted_close: ({ high, low, close }) => ({
    weighted_close: columnLike(close, (i) => high[i] / 4 + low[i] / 4 + close[i] / 2),
  }),
};
