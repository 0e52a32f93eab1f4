import type { Candles } from "../../market/candles.js";
import type { FormationPoint, PatternSeries } from "../define.js";
import type { Pivots } from "../pivots.js";
import { kindsOf } from "./kinds.js";
import { type ChartShape, type Line, valueAt } from "./shape.js";

/** Bars from the first end of a shape to the last. */
const LONGEST = 130;
/** Bars before a shape in which the move into it is sought: as many as it spans, within these. */
const SHORTEST_LEAD = 8;
const LONGEST_LEAD = 55;
/** Least height of the lower end over the lowest turn, in average ranges. */
const LEAST_HEIGHT = 0.45;
/** Greatest difference of the ends per height of the whole, where the later end is not the lower one of a bottom. */
const MOST_DIFFERENCE = 0.26;
const LONGEST_STEP = 60;
const MOST_STEP = 0.8;

/**
 * Two pivots of one kind and what lies between them, as bars. Heights are prices turned over where the shape is a
 * bottom, so that it is a top in any case: ends are high and turns low.
 */
export interface Tops {
  readonly side: 1 | -1;
  /** Highs and lows for a top, lows and highs for a bottom. */
  readonly near: Float64Array;
  readonly far: Float64Array;
  /** The ends, and the highest pivot between them or -1. */
  first: number;
  middle: number;
  last: number;
  /** The lowest turns: between the ends, between first and middle, between middle and last. */
  turn: number;
  leftTurn: number;
  rightTurn: number;
  /** Average range at the bar after the last end. */
  range: number;
}

/** Bars of a pair of ends, in the order in which a row of `TopRows` has them. */
const FIRST = 0;
const MIDDLE = 1;
const LAST = 2;
const TURN = 3;
const LEFT_TURN = 4;
const RIGHT_TURN = 5;
const FIELDS = 6;

/** Pairs of ends that may make a shape, as rows of bars, by their last end and, within it, from the nearest. */
export interface TopRows {
  readonly side: 1 | -1;
  readonly count: number;
  /** `FIELDS` values a row; what stands after `count` rows is room that was not needed. */
  readonly bars: Int32Array;
  /** Which shapes each may be, as flags of `kinds.ts`. */
  readonly kinds: Uint8Array;
}

/** Pivots of one kind with their heights, and the lowest turn from each to the next, as a bar and a height. */
interface Ends {
  readonly side: 1 | -1;
  readonly near: Float64Array;
  readonly far: Float64Array;
  readonly count: number;
  readonly at: Int32Array;
  readonly height: Float64Array;
  readonly turn: Int32Array;
  readonly low: Float64Array;
}

function endsOf(pivots: Pivots, near: Float64Array, far: Float64Array, side: 1 | -1): Ends {
  const at = new Int32Array(pivots.count);
  let count = 0;
  for (let n = 0; n < pivots.count; n++) if (pivots.kind[n] === side) at[count++] = pivots.at[n];
  const height = new Float64Array(count);
  const turn = new Int32Array(count);
  const low = new Float64Array(count);
  for (let n = 0; n < count; n++) {
    height[n] = side * near[at[n]];
    if (n + 1 === count) break;
    turn[n] = lowestBetween(far, at[n], at[n + 1] + 1, side);
    low[n] = side * far[turn[n]];
  }
  return { side, near, far, count, at, height, turn, low };
}

/** The bar of (from, to) whose far price is lowest when turned over, the first of equals; `from` where there is none. */
function lowestBetween(far: Float64Array, from: number, to: number, side: 1 | -1): number {
  let lowest = from + 1 < to ? from + 1 : from;
  for (let bar = from + 2; bar < to; bar++) if (side * far[bar] < side * far[lowest]) lowest = bar;
  return lowest;
}

/** Rows that a pivot has on average in an ordinary series. */
const USUAL_ROWS = 1.5;

/** Rows while they grow. */
interface Growing {
  count: number;
  bars: Int32Array;
  kinds: Uint8Array;
}

function noRows(room: number): Growing {
  return { count: 0, bars: new Int32Array(FIELDS * room), kinds: new Uint8Array(room) };
}

/** Makes room for one more row. */
function makeRoom(rows: Growing): void {
  if (rows.count < rows.kinds.length) return;
  const { bars, kinds } = noRows(2 * rows.count);
  bars.set(rows.bars);
  kinds.set(rows.kinds);
  rows.bars = bars;
  rows.kinds = kinds;
}

/**
 * The pairs of one kind. Ends and middles are pivots of two bars a side; a last end is also one of a single bar
 * where the bar after it has left by an average range, since it may have confirmed a shape by then.
 */
export function computeTops(
  candles: Candles,
  range: Float64Array,
  [fine, coarse]: readonly [Pivots, Pivots],
  side: 1 | -1,
): TopRows {
  const { close, high, low } = candles;
  const near = side === 1 ? high : low;
  const far = side === 1 ? low : high;
  const ends = endsOf(coarse, near, far, side);
  const rows = noRows(Math.ceil(USUAL_ROWS * (1 + fine.count)));
  let next = 0;
  for (let j = 0; j < fine.count; j++) {
    if (fine.kind[j] !== side) continue;
    const last = fine.at[j];
    while (next < ends.count && ends.at[next] < last) next++;
    const isKnown = hasLeft(near, close, range, last, side) || standsOut(near, last, side);
    if (next === 0 || !isKnown) continue;
    const turn = lowestBetween(far, ends.at[next - 1], last, side);
    walk(rows, ends, range, next - 1, last, turn);
  }
  return { side, count: rows.count, bars: rows.bars, kinds: rows.kinds };
}

/** Whether the bar after an end closes an average range away from it. */
function hasLeft(
  near: Float64Array,
  close: Float64Array,
  range: Float64Array,
  last: number,
  side: 1 | -1,
): boolean {
  return side * (near[last] - close[last + 1]) >= range[last + 1];
}

/** Whether a pivot of one bar a side is one of two; false too while that is not known. */
function standsOut(near: Float64Array, at: number, side: 1 | -1): boolean {
  return side * near[at] > side * near[at - 2] && side * near[at] >= side * near[at + 2];
}

/**
 * Adds the pairs that end at bar `last` and may be a shape, from end `newest` backwards, since which the lowest turn
 * is given.
 */
function walk(
  rows: Growing,
  { side, near, far, at, height, turn: turns, low }: Ends,
  ranges: Float64Array,
  newest: number,
  last: number,
  latestTurn: number,
): void {
  const right = side * near[last];
  const latestLow = side * far[latestTurn];
  const range = ranges[last + 1];
  let middle = -1;
  let between = Number.NEGATIVE_INFINITY;
  let turn = latestTurn;
  let lowest = latestLow;
  let leftTurn = latestTurn;
  let leftLow = latestLow;
  let rightTurn = -1;
  for (let i = newest; i >= 0 && last - at[i] <= LONGEST; i--) {
    if (i < newest) {
      if (leftTurn < 0 || low[i] <= leftLow) {
        leftLow = low[i];
        leftTurn = turns[i];
      }
      if (leftLow <= lowest) {
        lowest = leftLow;
        turn = leftTurn;
      }
    }
    const first = at[i];
    const left = height[i];
    const span = last - first;
    const mayBe = turn > first && mayBeShape(left, right, between, lowest, span, side, range);
    const kinds = mayBe
      ? kindsOf(near, far, ranges, side, first, middle, last, turn, leftTurn, rightTurn)
      : 0;
    if (kinds !== 0) {
      makeRoom(rows);
      const { bars } = rows;
      rows.kinds[rows.count] = kinds;
      const row = FIELDS * rows.count++;
      bars[row + FIRST] = first;
      bars[row + MIDDLE] = middle;
      bars[row + LAST] = last;
      bars[row + TURN] = turn;
      bars[row + LEFT_TURN] = leftTurn;
      bars[row + RIGHT_TURN] = rightTurn;
    }
    if (left > between) {
      middle = first;
      between = left;
      rightTurn = turn;
      leftTurn = -1;
    }
  }
}

function mayBeShape(
  left: number,
  right: number,
  between: number,
  lowest: number,
  span: number,
  side: 1 | -1,
  range: number,
): boolean {
  const lower = left < right ? left : right;
  if (!(lower - lowest >= LEAST_HEIGHT * range)) return false;
  const higher = left < right ? right : left;
  if (higher - lower <= MOST_DIFFERENCE * ((higher < between ? between : higher) - lowest)) return true;
  const isStep = side < 0 && left > right && left >= between && span <= LONGEST_STEP;
  return isStep && left - right <= MOST_STEP * (left - lowest);
}

/** Appends the shapes of a kind that pairs of ends have which are known in [from, to). */
export function sketchTops(
  series: PatternSeries,
  [from, to]: readonly [number, number],
  side: 1 | -1,
  kind: number,
  shapes: ChartShape[],
  shapeOf: (tops: Tops, series: PatternSeries) => ChartShape | null,
): void {
  const rows = side === 1 ? series.tops : series.bottoms;
  const { bars, kinds, count } = rows;
  const { range } = series;
  const { high, low } = series.candles;
  const near = side === 1 ? high : low;
  const far = side === 1 ? low : high;
  const none = { first: 0, middle: -1, last: 0, turn: 0, leftTurn: 0, rightTurn: 0, range: 0 };
  const tops: Tops = { side, near, far, ...none };
  // A last end is known one bar after it, or two.
  for (let n = firstRow(rows, from - 2); n < count && bars[FIELDS * n + LAST] < to; n++) {
    if ((kinds[n] & kind) === 0) continue;
    const row = FIELDS * n;
    tops.first = bars[row + FIRST];
    tops.middle = bars[row + MIDDLE];
    tops.last = bars[row + LAST];
    tops.turn = bars[row + TURN];
    tops.leftTurn = bars[row + LEFT_TURN];
    tops.rightTurn = bars[row + RIGHT_TURN];
    tops.range = range[tops.last + 1];
    const shape = shapeOf(tops, series);
    if (shape !== null && shape.formedAt >= from && shape.formedAt < to) shapes.push(shape);
  }
}

/** Index of the first row whose last end stands at a bar or after it. */
function firstRow({ bars, count }: TopRows, bar: number): number {
  let low = 0;
  let high = count;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (bars[FIELDS * middle + LAST] < bar) low = middle + 1;
    else high = middle;
  }
  return low;
}

/**
 * Bar at which the last end is known to be one: two bars after it, or the one after it where that has left by an
 * average range and closes beyond the trigger; -1 where it is none, or not yet.
 */
export function endKnownAt(
  { candles: { close }, range }: PatternSeries,
  { side, near, last }: Tops,
  trigger: Line,
): number {
  const next = last + 1;
  const isBeyond = side * (close[next] - valueAt(trigger, next)) < 0;
  if (isBeyond && hasLeft(near, close, range, last, side)) return next;
  return standsOut(near, last, side) ? last + 2 : -1;
}

/**
 * How far price has come up into the first end, a top of the given height, over about as many bars as the shape
 * spans; 0 where one of those bars stood higher than `highest`, so that the top is none.
 */
export function riseInto({ side, near, far, first, last }: Tops, height: number, highest: number): number {
  const lead = Math.min(LONGEST_LEAD, Math.max(SHORTEST_LEAD, last - first));
  let rise = 0;
  for (let i = Math.max(0, first - lead); i < first; i++) {
    if (side * near[i] > highest) return 0;
    rise = Math.max(rise, height - side * far[i]);
  }
  return rise;
}

/** An end of the shape as a point, which is known two bars later unless the shape is before. */
export function endPoint({ near }: Tops, role: string, at: number, knownAt: number): FormationPoint {
  return { role, at, price: near[at], knownAt: Math.min(knownAt, at + 2) };
}

/** A turn as a point: known to be the farthest between two ends when the later one stands. */
export function turnPoint({ far }: Tops, role: string, at: number, knownAt: number): FormationPoint {
  return { role, at, price: far[at], knownAt };
}
