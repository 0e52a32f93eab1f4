import type { Candles } from "../../market/candles.js";
import type { FormationPoint, PatternSeries } from "../define.js";
import { knownPivots, type Pivots, pivotsOf } from "../pivots.js";
import { type ChartShape, type Line, valueAt } from "./shape.js";

/** Bars from the first end of a shape to the last. */
const LONGEST = 130;
/** Bars before a shape in which the move into it is sought: as many as it spans, within these. */
const SHORTEST_LEAD = 8;
const LONGEST_LEAD = 25;

/**
 * Two pivots of one kind and what lies between them. All heights are prices turned over where the shape is a
 * bottom, so that it is a top in any case: ends are high and turns low.
 */
export interface Tops {
  readonly side: 1 | -1;
  readonly pivots: Pivots;
  /** Indexes of pivots: the ends, and the highest between them or -1. */
  first: number;
  middle: number;
  last: number;
  /** Bars of the lowest turns: between the ends, between first and middle, between middle and last. */
  turn: number;
  leftTurn: number;
  rightTurn: number;
  /** Average range at the bar after the last end. */
  range: number;
}

/**
 * Calls `shapeOf` with every two pivots of a kind that may begin and end a shape known in [from, to), and appends
 * the shapes that it makes of them. Walks from the last end back, so that what lies between is known at each step.
 */
export function sketchTops(
  series: PatternSeries,
  [from, to]: readonly [number, number],
  side: 1 | -1,
  shapes: ChartShape[],
  shapeOf: (tops: Tops, series: PatternSeries) => ChartShape | null,
): void {
  const pivots = pivotsOf(series, 1);
  const { at, kind } = pivots;
  const tops: Tops = {
    side,
    pivots,
    first: 0,
    middle: -1,
    last: 0,
    turn: 0,
    leftTurn: 0,
    rightTurn: 0,
    range: 0,
  };
  const end = knownPivots(pivots, to - 1);
  for (let j = knownPivots(pivots, from - 2); j < end; j++) {
    if (kind[j] !== side) continue;
    tops.last = j;
    tops.range = series.range[at[j] + 1];
    walk(
      tops,
      series,
      (shape) => {
        if (shape.formedAt >= from && shape.formedAt < to) shapes.push(shape);
      },
      shapeOf,
    );
  }
}

function walk(
  tops: Tops,
  series: PatternSeries,
  take: (shape: ChartShape) => void,
  shapeOf: (tops: Tops, series: PatternSeries) => ChartShape | null,
): void {
  const { side, pivots, last } = tops;
  const { at, kind, price } = pivots;
  const far = side === 1 ? series.candles.low : series.candles.high;
  tops.middle = -1;
  tops.turn = at[last];
  tops.leftTurn = at[last];
  tops.rightTurn = at[last];
  let bar = at[last] - 1;
  for (let i = last - 1; i >= 0 && at[last] - at[i] <= LONGEST; i--) {
    if (kind[i] !== side || at[i] === at[last]) continue;
    for (; bar > at[i]; bar--) {
      if (tops.turn === at[last] || side * far[bar] < side * far[tops.turn]) tops.turn = bar;
      if (tops.leftTurn === at[last] || side * far[bar] < side * far[tops.leftTurn]) tops.leftTurn = bar;
    }
    if (tops.turn === at[last]) continue;
    tops.first = i;
    const shape = shapeOf(tops, series);
    if (shape !== null) take(shape);
    if (tops.middle < 0 || side * price[i] > side * price[tops.middle]) {
      tops.middle = i;
      tops.rightTurn = tops.turn;
      tops.leftTurn = at[last];
    }
  }
}

/**
 * Bar at which the last end is known to be one: two bars after it, or the one after it where that closes beyond
 * the trigger; -1 where it is none, or not yet.
 */
export function endKnownAt({ candles }: PatternSeries, { side, pivots, last }: Tops, trigger: Line): number {
  const { close, high, low } = candles;
  const at = pivots.at[last];
  if (side * (close[at + 1] - valueAt(trigger, at + 1)) < 0) return at + 1;
  const near = side === 1 ? high : low;
  const stands = side * near[at] > side * near[at - 2] && side * near[at] >= side * near[at + 2];
  return stands ? at + 2 : -1;
}

/**
 * How far price has come up into a top at `start` of the given height, over about as many bars as the shape
 * spans; 0 where one of those bars stood higher than `highest`, so that the top is none.
 */
export function riseInto(
  { high, low }: Candles,
  start: number,
  span: number,
  side: 1 | -1,
  height: number,
  highest: number,
): number {
  const lead = Math.min(LONGEST_LEAD, Math.max(SHORTEST_LEAD, span));
  const [near, far] = side === 1 ? [high, low] : [low, high];
  let rise = 0;
  for (let i = Math.max(0, start - lead); i < start; i++) {
    if (side * near[i] > highest) return 0;
    rise = Math.max(rise, height - side * far[i]);
  }
  return rise;
}

/** An end of the shape as a point. */
export function endPoint({ pivots }: Tops, role: string, pivot: number, knownAt: number): FormationPoint {
  const at = pivots.at[pivot];
  return { role, at, price: pivots.price[pivot], knownAt: Math.min(knownAt, at + 2) };
}

/** A turn as a point: known to be the farthest between two ends when the later one is known. */
export function turnPoint(
  { candles }: PatternSeries,
  { side }: Tops,
  role: string,
  at: number,
  knownAt: number,
): FormationPoint {
  return { role, at, price: side === 1 ? candles.low[at] : candles.high[at], knownAt };
}
