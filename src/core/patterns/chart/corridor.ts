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
  joined,
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
/**
 * Least width at its begin, in average ranges, and least bars between its first and last swing. A rest after a pole may be
 * narrower: the pole itself has widened the average range.
 */
const LEAST_WIDTH = 2;
const LEAST_WIDTH_OF_SHORT = 1.2;
const SHORTEST = 4;
const LONGEST = 130;
/** Bars that it spans at most per bar of its scale: of long ones, small swings are noise. */
const LONGEST_PER_SCALE = 25;
/** Greatest share of the span between two swings that follow one another. */
const MOST_GAP = 0.42;
/**
 * Swings and closes lie no further from the lines, or beyond them, than this share of the width: of a rest, which is
 * narrow, the same noise is a greater one.
 */
const TOLERANCE = 0.16;
const TOLERANCE_OF_SHORT = 0.2;
const toleranceOf = (isFull: boolean) => (isFull ? TOLERANCE : TOLERANCE_OF_SHORT);
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
  /** Whether swings of more than one bar touch it often enough to be more than a short rest. */
  readonly isFull: boolean;
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

/** @param since corridors that are known before that bar are left out. */
export function computeCorridors(
  candles: Candles,
  range: Float64Array,
  swings: readonly Swings[],
  since = 0,
): readonly Corridor[] {
  const poles = new Uint8Array(2 * candles.close.length);
  const found = swings.map((scale) => {
    const own: Corridor[] = [];
    const { at, count, scale: delay } = scale.pivots;
    for (let j = 0; j < count; j++)
      if (at[j] + delay >= since) addCorridors(candles, range, poles, scale, j, own);
    return own;
  });
  return mergeByBar(found);
}

/** Later than any bar. */
const NEVER = 2 ** 31 - 1;

/** The corridors of all scales, each ascending, by the bar at which they are known and, within it, by scale. */
function mergeByBar(scales: readonly (readonly Corridor[])[]): Corridor[] {
  const merged: Corridor[] = [];
  const next = new Int32Array(scales.length);
  /** When the next one of each scale is known. */
  const knownAt = Int32Array.from(scales, (own) => own[0]?.formedAt ?? NEVER);
  for (;;) {
    let chosen = 0;
    for (let k = 1; k < knownAt.length; k++) if (knownAt[k] < knownAt[chosen]) chosen = k;
    if (knownAt[chosen] === NEVER) return merged;
    const own = scales[chosen];
    merged.push(own[next[chosen]++]);
    knownAt[chosen] = next[chosen] < own.length ? own[next[chosen]].formedAt : NEVER;
  }
}

/**
 * Appends the shapes that the corridors known in [from, to) have which fit. Few do, and `shapeOf` allocates as soon as
 * it is called, for the functions within it: so it is asked of those alone.
 */
export function sketchCorridors(
  series: PatternSeries,
  from: number,
  to: number,
  shapes: ChartShape[],
  fits: (corridor: Corridor) => boolean,
  shapeOf: (corridor: Corridor, series: PatternSeries) => ChartShape | null,
): void {
  const { corridors } = series;
  for (let n = firstCorridor(corridors, from); n < corridors.length && corridors[n].formedAt < to; n++) {
    if (!fits(corridors[n])) continue;
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

// Sums for a line through the swings of one kind, by bars before the last swing: those of highs, then of lows. They
// stand in a column, whose values V8 keeps unboxed.
const COUNT = 0;
const X = 1;
const Y = 2;
const XX = 3;
const XY = 4;
const HIGHS = 0;
const LOWS = 5;
const sums = new Float64Array(10);

function clear(fit: number): void {
  sums[fit + COUNT] = 0;
  sums[fit + X] = 0;
  sums[fit + Y] = 0;
  sums[fit + XX] = 0;
  sums[fit + XY] = 0;
}

function add(fit: number, x: number, y: number): void {
  sums[fit + COUNT]++;
  sums[fit + X] += x;
  sums[fit + Y] += y;
  sums[fit + XX] += x * x;
  sums[fit + XY] += x * y;
}

function slopeOf(fit: number): number {
  const count = sums[fit + COUNT];
  const x = sums[fit + X];
  return (count * sums[fit + XY] - x * sums[fit + Y]) / (count * sums[fit + XX] - x * x);
}

/** Price of the line of that slope at the last swing. */
function lastOf(fit: number, slope: number): number {
  return (sums[fit + Y] - slope * sums[fit + X]) / sums[fit + COUNT];
}

/** Adds the corridors that end with pivot `j`, by the number of swings that they touch. */
function addCorridors(
  candles: Candles,
  range: Float64Array,
  poles: Uint8Array,
  swings: Swings,
  j: number,
  found: Corridor[],
): void {
  const { pivots, before } = swings;
  // What follows is not needed for a pivot that ends no chain, or too short a one.
  if (before[j * CHAIN + FEWEST_OF_SHORT - 2] < 0) return;
  const { at, kind, price, scale } = pivots;
  const lastAt = at[j];
  const longest = Math.min(LONGEST, LONGEST_PER_SCALE * scale);
  clear(HIGHS);
  clear(LOWS);
  add(kind[j] > 0 ? HIGHS : LOWS, 0, price[j]);
  let gap = 0;
  let later = lastAt;
  for (let touches = 2; touches <= MOST_TOUCHES; touches++) {
    const first = before[j * CHAIN + touches - 2];
    if (first < 0) return;
    const start = at[first];
    const span = lastAt - start;
    if (span > longest) return;
    if (later - start > gap) gap = later - start;
    later = start;
    add(kind[first] > 0 ? HIGHS : LOWS, -span, price[first]);
    if (span < SHORTEST || touches < FEWEST_OF_SHORT || gap > MOST_GAP * span) continue;
    const isFull = scale > 1 && touches >= FEWEST_TOUCHES;
    let corridor = isFull ? corridorOf(candles, range, swings, j, touches, true) : null;
    if (corridor === null && span <= SHORT && endsPole(candles, range, poles, start, kind[first])) {
      corridor = corridorOf(candles, range, swings, j, touches, false);
    }
    if (corridor !== null) found.push(corridor);
  }
}

/** The corridor of the last swings up to pivot `j`, whose sums are in place; null where they make none. */
function corridorOf(
  candles: Candles,
  range: Float64Array,
  { pivots, before }: Swings,
  j: number,
  touches: number,
  isFull: boolean,
): Corridor | null {
  const { at, kind, price, scale } = pivots;
  const lastAt = at[j];
  const formedAt = lastAt + scale;
  const start = at[before[j * CHAIN + touches - 2]];
  const span = lastAt - start;
  const upperSlope = slopeOf(HIGHS);
  const lowerSlope = slopeOf(LOWS);
  const upperLast = lastOf(HIGHS, upperSlope);
  const lowerLast = lastOf(LOWS, lowerSlope);
  const widthLast = upperLast - lowerLast;
  const width = widthLast - (upperSlope - lowerSlope) * span;
  // Negated, so that an average range or a price that is not a number is refused too.
  if (
    !(
      width >= (isFull ? LEAST_WIDTH : LEAST_WIDTH_OF_SHORT) * range[formedAt] &&
      widthLast > 0 &&
      widthLast <= MOST_GROWTH * width
    )
  )
    return null;
  let greatest = 0;
  for (let n = 0; n < touches; n++) {
    const swing = n === 0 ? j : before[j * CHAIN + n - 1];
    const fromLast = at[swing] - lastAt;
    const line = kind[swing] > 0 ? upperLast + upperSlope * fromLast : lowerLast + lowerSlope * fromLast;
    greatest = Math.max(greatest, Math.abs(price[swing] - line));
  }
  const misfit = greatest / width;
  const tolerance = toleranceOf(isFull);
  if (misfit > tolerance) return null;
  const upper = { at: lastAt, price: upperLast, slope: upperSlope };
  const lower = { at: lastAt, price: lowerLast, slope: lowerSlope };
  if (!holdsCloses(candles, start, lastAt, upper, lower, tolerance * width)) return null;
  return {
    pivots,
    swings: chainOf(before, j, touches),
    isFull,
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
  };
}

/** What is known of a bar as the end of a move; 0 while nobody has asked. */
const NO_POLE = 1;
const POLE = 2;

/** `comesFar`, asked once of each bar and direction: many corridors begin at the same swing. */
function endsPole(
  candles: Candles,
  range: Float64Array,
  poles: Uint8Array,
  at: number,
  direction: number,
): boolean {
  const place = 2 * at + Number(direction > 0);
  if (poles[place] === 0) poles[place] = comesFar(candles, range, at, direction) ? POLE : NO_POLE;
  return poles[place] === POLE;
}

/** Whether price has come as far as a pole is long, of late, to a bar that ends a move upwards (1) or downwards (-1). */
function comesFar({ high, low }: Candles, range: Float64Array, at: number, direction: number): boolean {
  const near = direction > 0 ? high : low;
  const far = direction > 0 ? low : high;
  const height = direction * near[at] - LEAST_POLE * range[at];
  const oldest = Math.max(0, at - LONGEST_POLE);
  for (let i = at - 1; i >= oldest; i--) if (direction * far[i] <= height) return true;
  return false;
}

/** The last `touches` swings up to pivot `j`, first to last. */
function chainOf(before: Int32Array, j: number, touches: number): number[] {
  // Of the length that it takes: what is pushed leaves room to grow.
  const swings = new Array<number>(touches);
  for (let n = 2; n <= touches; n++) swings[touches - n] = before[j * CHAIN + n - 2];
  swings[touches - 1] = j;
  return swings;
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
  const { isFull, upper, lower, start, lastAt, formedAt, width, narrowing, misfit, swings } = corridor;
  const tolerance = toleranceOf(isFull);
  const span = lastAt - start;
  const closing = lower.slope - upper.slope;
  const apart = (width * narrowing) / closing;
  const left = closing > 0 ? Math.ceil(apart) - 1 - (formedAt - lastAt) : LONGEST_WAIT;
  if (left < 1) return null;
  const rising: Exit | null = up && { variant: up, trigger: upper, stop: lower, reach };
  const falling: Exit | null = down && { variant: down, trigger: lower, stop: upper, reach };
  const expected = expects === 1 ? rising : falling;
  if (expected === null) return null;
  const touches = grade(swings.length, MOST_TOUCHES, FEWEST_OF_SHORT - 2);
  return {
    expected,
    other: expects === 1 ? falling : rising,
    start,
    lastAt,
    formedAt,
    patience: Math.min(patienceOf(span), left),
    quality: mean([touches, grade(misfit, 0, tolerance), form]),
    size: swings.length,
    describe() {
      const { edges = [], points = [], checks } = more();
      return {
        points: joined(points, corridorPoints(corridor)),
        edges: joined([edge("upper", from(upper, start)), edge("lower", from(lower, start))], edges),
        checks: joined(
          [atLeast("touches", swings.length, FEWEST_OF_SHORT), atMost("misfit", misfit, tolerance)],
          checks,
        ),
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
