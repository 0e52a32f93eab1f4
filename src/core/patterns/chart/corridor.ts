import type { Candles } from "../../market/candles.js";
import type { FormationPoint, PatternSeries, PatternVariant } from "../define.js";
import type { Pivots } from "../pivots.js";
import {
  atLeast,
  atMost,
  type ChartShape,
  type Description,
  type Exit,
  edge,
  grade,
  type Line,
  LONGEST_WAIT,
  mean,
  patienceOf,
  valueAt,
} from "./shape.js";
import { CHAIN, type Swings } from "./swings.js";

/** Swings a corridor touches at least, and the bars up to which it is short and may touch fewer. */
const FEWEST_TOUCHES = 5;
export const SHORT = 25;
const FEWEST_OF_SHORT = 4;
/** Bars in which a move leads into a rest, and how far it has come at least, in average ranges. */
export const LONGEST_POLE = 20;
export const LEAST_POLE = 3;
const MOST_TOUCHES = CHAIN + 1;
/** Least width at its begin, in average ranges, and least bars between its first and last swing. */
const LEAST_WIDTH = 2;
const SHORTEST = 4;
const LONGEST = 130;
/** Bars that it spans at most per bar of its scale: of long ones, small swings are noise. */
const LONGEST_PER_SCALE = 25;
/** Greatest share of the span between two swings that follow one another. */
const MOST_GAP = 0.42;
/** Swings and closes lie no further from the lines, or beyond them, than this share of the width. */
const TOLERANCE = 0.16;
/** Greatest growth of the width. */
const MOST_GROWTH = 1.25;

/**
 * A stretch in which swings lie on two straight lines, fitted by least squares through its highs and its lows,
 * and closes between them. Triangles, wedges, rectangles, channels, flags and pennants are corridors.
 */
export interface Corridor {
  readonly pivots: Pivots;
  /** The swings, first to last, as indexes of pivots. */
  readonly swings: readonly number[];
  readonly upper: Line;
  readonly lower: Line;
  readonly start: number;
  readonly lastAt: number;
  readonly formedAt: number;
  /** Distance of the lines at the first swing, and at the last one per that. */
  readonly width: number;
  readonly narrowing: number;
  /** How far the lines rise from the first to the last swing, per width. */
  readonly upperRise: number;
  readonly lowerRise: number;
  /** Greatest distance of a swing from its line, per width. */
  readonly misfit: number;
}

export function computeCorridors(
  candles: Candles,
  range: Float64Array,
  swings: readonly Swings[],
): readonly Corridor[] {
  const found: Corridor[] = [];
  for (const scale of swings) {
    for (let j = 0; j < scale.pivots.count; j++) addCorridors(candles, range, scale, j, found);
  }
  return found.sort((a, b) => a.formedAt - b.formedAt);
}

/** Appends the shapes that corridors known in [from, to) have, where they have one. */
export function sketchCorridors(
  series: PatternSeries,
  from: number,
  to: number,
  shapes: ChartShape[],
  shapeOf: (corridor: Corridor, series: PatternSeries) => ChartShape | null,
): void {
  const { corridors } = series;
  for (let n = firstCorridor(corridors, from); n < corridors.length && corridors[n].formedAt < to; n++) {
    const shape = shapeOf(corridors[n], series);
    if (shape !== null) shapes.push(shape);
  }
}

/** Index of the first corridor that is known at or after a bar. */
function firstCorridor(corridors: readonly Corridor[], bar: number): number {
  let low = 0;
  let high = corridors.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (corridors[middle].formedAt < bar) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Sums for a line through the swings of one kind, by bars before the last swing. */
interface Fit {
  count: number;
  x: number;
  y: number;
  xx: number;
  xy: number;
}
const highs: Fit = { count: 0, x: 0, y: 0, xx: 0, xy: 0 };
const lows: Fit = { count: 0, x: 0, y: 0, xx: 0, xy: 0 };

function clear(fit: Fit): void {
  fit.count = 0;
  fit.x = 0;
  fit.y = 0;
  fit.xx = 0;
  fit.xy = 0;
}

function add(fit: Fit, x: number, y: number): void {
  fit.count++;
  fit.x += x;
  fit.y += y;
  fit.xx += x * x;
  fit.xy += x * y;
}

function slopeOf({ count, x, y, xx, xy }: Fit): number {
  return (count * xy - x * y) / (count * xx - x * x);
}

/** Adds the corridors that end with pivot `j`, by the number of swings that they touch. */
function addCorridors(
  candles: Candles,
  range: Float64Array,
  { pivots, before }: Swings,
  j: number,
  found: Corridor[],
): void {
  const { at, kind, price, scale } = pivots;
  const lastAt = at[j];
  const formedAt = lastAt + scale;
  const least = LEAST_WIDTH * range[formedAt];
  clear(highs);
  clear(lows);
  add(kind[j] > 0 ? highs : lows, 0, price[j]);
  let gap = 0;
  let later = lastAt;
  for (let touches = 2; touches <= MOST_TOUCHES; touches++) {
    const first = before[j * CHAIN + touches - 2];
    if (first < 0) return;
    const start = at[first];
    const span = lastAt - start;
    gap = Math.max(gap, later - start);
    later = start;
    if (span > LONGEST || span > LONGEST_PER_SCALE * scale) return;
    add(kind[first] > 0 ? highs : lows, -span, price[first]);
    if (span < SHORTEST || touches < FEWEST_OF_SHORT) continue;
    const isFull = scale > 1 && touches >= FEWEST_TOUCHES;
    if (!isFull && (span > SHORT || !comesFar(candles, range, start, kind[first]))) continue;
    if (gap > MOST_GAP * span) continue;
    const upperSlope = slopeOf(highs);
    const lowerSlope = slopeOf(lows);
    const upperLast = (highs.y - upperSlope * highs.x) / highs.count;
    const lowerLast = (lows.y - lowerSlope * lows.x) / lows.count;
    const widthLast = upperLast - lowerLast;
    const width = widthLast - (upperSlope - lowerSlope) * span;
    // Negated, so that an average range or a price that is not a number is refused too.
    if (!(width >= least && widthLast > 0 && widthLast <= MOST_GROWTH * width)) continue;
    const upper = { at: lastAt, price: upperLast, slope: upperSlope };
    const lower = { at: lastAt, price: lowerLast, slope: lowerSlope };
    const misfit = greatestMisfit(pivots, before, j, touches, upper, lower) / width;
    if (misfit > TOLERANCE || !holdsCloses(candles, start, lastAt, upper, lower, TOLERANCE * width)) continue;
    found.push({
      pivots,
      swings: chainOf(before, j, touches),
      upper,
      lower,
      start,
      lastAt,
      formedAt,
      width,
      narrowing: widthLast / width,
      upperRise: (upperSlope * span) / width,
      lowerRise: (lowerSlope * span) / width,
      misfit,
    });
  }
}

/** Whether price has come as far as a pole is long, of late, to a bar that ends a move upwards (1) or downwards (-1). */
function comesFar({ high, low }: Candles, range: Float64Array, at: number, direction: number): boolean {
  const [near, far] = direction > 0 ? [high, low] : [low, high];
  const height = direction * near[at] - LEAST_POLE * range[at];
  for (let i = at - 1; i >= Math.max(0, at - LONGEST_POLE); i--)
    if (direction * far[i] <= height) return true;
  return false;
}

/** Whether swings of more than one bar touch it often enough to be more than a short rest. */
export function isFull({ pivots, swings }: Corridor): boolean {
  return pivots.scale > 1 && swings.length >= FEWEST_TOUCHES;
}

/** The last `touches` swings up to pivot `j`, first to last. */
function chainOf(before: Int32Array, j: number, touches: number): number[] {
  const swings = [j];
  for (let n = 0; n < touches - 1; n++) swings.unshift(before[j * CHAIN + n]);
  return swings;
}

function greatestMisfit(
  { at, kind, price }: Pivots,
  before: Int32Array,
  j: number,
  touches: number,
  upper: Line,
  lower: Line,
): number {
  let greatest = 0;
  for (let n = 0; n < touches; n++) {
    const swing = n === 0 ? j : before[j * CHAIN + n - 1];
    const distance = Math.abs(price[swing] - valueAt(kind[swing] > 0 ? upper : lower, at[swing]));
    if (distance > greatest) greatest = distance;
  }
  return greatest;
}

function holdsCloses(
  { close }: Candles,
  start: number,
  end: number,
  upper: Line,
  lower: Line,
  tolerance: number,
): boolean {
  for (let i = start; i <= end; i++) {
    if (close[i] > valueAt(upper, i) + tolerance || close[i] < valueAt(lower, i) - tolerance) return false;
  }
  return true;
}

/** What leaving a corridor upwards and downwards means; null where it only refutes the other way. */
export interface Ways {
  readonly up: PatternVariant | null;
  readonly down: PatternVariant | null;
  /** Which is expected while it forms, where both mean something. */
  readonly expects: 1 | -1;
  readonly reach: number;
}

/** The shape of a corridor, or null where its lines have met by the time it is known. */
export function corridorShape(
  corridor: Corridor,
  { up, down, expects, reach }: Ways,
  form: number,
  more: () => Pick<Description, "checks"> & Partial<Description>,
): ChartShape | null {
  const { upper, lower, start, lastAt, formedAt, width, narrowing, misfit, swings } = corridor;
  const span = lastAt - start;
  const closing = lower.slope - upper.slope;
  const apart = (width * narrowing) / closing;
  const left = closing > 0 ? Math.ceil(apart) - 1 - (formedAt - lastAt) : LONGEST_WAIT;
  if (left < 1) return null;
  const rising: Exit | null = up && { variant: up, trigger: upper, stop: lower, reach };
  const falling: Exit | null = down && { variant: down, trigger: lower, stop: upper, reach };
  const [expected, other] = expects === 1 ? [rising, falling] : [falling, rising];
  if (expected === null) return null;
  const touches = grade(swings.length, MOST_TOUCHES, FEWEST_OF_SHORT - 2);
  return {
    expected,
    other,
    start,
    lastAt,
    formedAt,
    patience: Math.min(patienceOf(span), left),
    quality: mean([touches, grade(misfit, 0, TOLERANCE), form]),
    size: swings.length,
    describe() {
      const { edges = [], points = [], checks } = more();
      return {
        points: [...points, ...corridorPoints(corridor)],
        edges: [edge("upper", from(upper, start)), edge("lower", from(lower, start)), ...edges],
        checks: [
          atLeast("touches", swings.length, FEWEST_OF_SHORT),
          atMost("misfit", misfit, TOLERANCE),
          ...checks,
        ],
      };
    },
    description: null,
  };
}

/** The line seen from another bar. */
function from(line: Line, at: number): Line {
  return { at, price: valueAt(line, at), slope: line.slope };
}

function corridorPoints({ pivots, swings }: Corridor): FormationPoint[] {
  const { at, kind, price, scale } = pivots;
  return swings.map((n) => ({
    role: kind[n] > 0 ? "upper_touch" : "lower_touch",
    at: at[n],
    price: price[n],
    knownAt: at[n] + scale,
  }));
}
