import { mmdReferences, REGIME_NAMES } from "../../../src/core/indicators/statistics/mmd-references.js";
import type { Bars } from "../../../src/core/market/candles.js";
import { columnLike, last, mean, range, startingAt, sum, type Values } from "./columns.js";

type Point = readonly number[];

const SPAN = 6;

/** Of the seven regimes only the points are taken, and by what the features are multiplied. */
const REFERENCES = mmdReferences();
const COUNT = REFERENCES.points.length / REGIME_NAMES.length / 4;
const REGIMES: readonly (readonly Point[])[] = REGIME_NAMES.map((_, regime) =>
  range(regime * COUNT, (regime + 1) * COUNT - 1).map((p) => [...REFERENCES.points.slice(4 * p, 4 * p + 4)]),
);

function kernel(a: Point, b: Point): number {
  return Math.exp(-((a[0] - b[0]) ** 2 + (a[1] - b[1]) ** 2 + (a[2] - b[2]) ** 2 + (a[3] - b[3]) ** 2));
}

/** Each value moves the mean by its share: 1, 1 / 2, 1 / 3, down to 1 / memory. */
function usualOf(column: readonly number[], memory: number): number[] {
  let usual = 0;
  return column.map((value, k) => {
    const share = Math.min(k + 1, memory);
    usual = (usual * (share - 1) + value) / share;
    return usual;
  });
}

/** What each bar is to a regime; NaN at the first ones. */
export function plainPoints({ high, low, close }: Bars, memory: number): Point[] {
  const returns = columnLike(close, (i) => Math.log(close[i]) - Math.log(close[i - 1]));
  const ranges = columnLike(close, (i) => Math.log(high[i]) - Math.log(low[i]));
  const usualReturn = [Number.NaN, ...usualOf(returns.slice(1).map(Math.abs), memory)];
  const usualRange = usualOf(ranges, memory);
  return range(0, close.length - 1).map((i) => {
    const latest = last(returns, SPAN, i);
    const path = sum(latest.map(Math.abs));
    const features = [
      usualReturn[i] === 0 ? 0 : returns[i] / usualReturn[i],
      usualRange[i] === 0 ? 1 : ranges[i] / usualRange[i],
      usualReturn[i] === 0 ? 1 : path / SPAN / usualReturn[i],
      path === 0 ? 0 : sum(latest) / path,
    ];
    return features.map((value, f) => value * REFERENCES.weights[f]);
  });
}

/** Mean kernel between two points of each regime, a point and itself being a pair as well. */
const OWN = REGIMES.map((of) => mean(of.flatMap((a) => of.map((b) => kernel(a, b)))));

/** Squared discrepancies of the window up to point i from each regime, not clipped: every pair anew. */
export function plainDistances(points: readonly Point[], period: number, i: number): number[] {
  const window = points.slice(i - period + 1, i + 1);
  let within = 0;
  for (const [k, a] of window.entries()) {
    for (const [j, b] of window.entries()) if (j !== k) within += kernel(a, b);
  }
  return REGIMES.map((of, regime) => {
    let across = 0;
    for (const a of window) for (const b of of) across += kernel(a, b);
    return within / (period * (period - 1)) + OWN[regime] - (2 * across) / (period * of.length);
  });
}

export function mmdRegime(bars: Bars, { period, memory }: Values): Record<string, number[]> {
  const points = plainPoints(bars, memory);
  const begins = SPAN + period - 1;
  let isMoved = false;
  const rows = points.map((_, i) => {
    isMoved ||= bars.high[i] !== bars.low[i] || (i > 0 && bars.close[i] !== bars.close[i - 1]);
    return isMoved && i >= begins ? plainDistances(points, period, i) : null;
  });
  const told = (of: (row: readonly number[]) => number) =>
    startingAt(
      rows.map((row) => (row === null ? 0 : of(row))),
      begins,
    );
  const nearestOf = (row: readonly number[]) => row.indexOf(Math.min(...row));
  return {
    ...Object.fromEntries(REGIME_NAMES.map((name, k) => [name, told((row) => Math.max(0, row[k]))])),
    regime: told(nearestOf),
    confidence: told((row) => {
      const nearest = Math.max(0, Math.min(...row));
      const second = Math.max(0, Math.min(...row.toSpliced(nearestOf(row), 1)));
      return second === 0 ? 0 : (second - nearest) / second;
    }),
  };
}
