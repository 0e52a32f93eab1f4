import type { FormationState } from "../define.js";
import { type ChartShape, type Exit, type Line, LONGEST_WAIT, valueAt } from "./shape.js";

/** Bars by which the same points can be known later at a coarser scale. */
const SCALE_DELAY = 12;
/** Bars that two shapes share, per bars that they span together, from which they are much the same. */
const SAME_SHARE = 0.65;
/** Share of the bars of a shape that lie within one that price has left, from which it is that one again. */
const WITHIN_SHARE = 0.5;
/**
 * Bars before the end of a shape's wait at which others that are held against it may be known, and may begin: those from
 * longer ago depend on bars beyond `MEMORY_BARS`.
 */
const KNOWN_BARS = 65;
const BEGUN_BARS = 192;

/** Bars before a hit at which shapes that decide it may be known. */
export const LOOKBACK = KNOWN_BARS + SCALE_DELAY;

/** What became of a shape at a bar, by which of its exits. */
export interface Outcome {
  readonly shape: ChartShape;
  readonly exit: Exit;
  readonly state: FormationState;
  readonly at: number;
}

/** How a shape ends where no other stands for it. */
const UNSEEN = 0;
/** Refuted, or at its target, before it could be told of. */
const OVER = 1;
const OPEN = 2;
const EXPIRED = 3;
const FAILED = 4;
const CONFIRMED = 5;
/** Left through its other exit. */
const TURNED = 6;

/** Later than any bar. */
const NEVER = 2 ** 31 - 1;

/** Shapes by the bar at which they are known, with how and when each ends by bar `to`, as far as it has been asked. */
interface Courses {
  readonly close: Float64Array;
  readonly shapes: readonly ChartShape[];
  readonly to: number;
  readonly ways: Uint8Array;
  readonly ends: Int32Array;
}

/**
 * What becomes of shapes at bars [from, to), by bar; sorts them. Of outcomes of one variant, state and bar the best alone.
 */
export function outcomesOf(
  close: Float64Array,
  shapes: ChartShape[],
  from: number,
  to: number,
): readonly Outcome[] {
  sort(shapes);
  const { length } = shapes;
  const courses = { close, shapes, to, ways: new Uint8Array(length), ends: new Int32Array(length) };
  const outcomes: Outcome[] = [];
  for (let index = 0; index < length; index++) {
    if (shapes[index].formedAt >= from - LONGEST_WAIT) settle(courses, index, from, outcomes);
  }
  return outcomes.filter((outcome, n) => n === 0 || !isTwin(outcome, outcomes[n - 1]));
}

/** Places by which a shape is out of order at most where its row has but one walk over the series. */
const NEAR_PLACES = 32;

/**
 * By the bar at which they are known, then the longest, then the best. Most come nearly in order, and each finds its place
 * from the last one backwards: `sort` would leave compiled code for each comparison.
 */
function sort(shapes: ChartShape[]): void {
  for (let n = 1; n < shapes.length; n++) {
    const shape = shapes[n];
    let place = n;
    while (place > 0 && order(shape, shapes[place - 1]) < 0 && n - place < NEAR_PLACES) {
      shapes[place] = shapes[place - 1];
      place--;
    }
    shapes[place] = shape;
    if (n - place === NEAR_PLACES) {
      shapes.sort(order);
      return;
    }
  }
}

function order(a: ChartShape, b: ChartShape): number {
  return a.formedAt - b.formedAt || a.start - b.start || b.quality - a.quality;
}

/** Whether nothing much the same that begins at or after bar `oldest` was known shortly before. */
function isFirst(shapes: readonly ChartShape[], index: number, oldest: number): boolean {
  const shape = shapes[index];
  const since = shape.formedAt - SCALE_DELAY;
  for (let i = index - 1; i >= 0 && shapes[i].formedAt >= since; i--) {
    if (shapes[i].start >= oldest && repeats(shape, shapes[i])) return false;
  }
  return true;
}

/** Whether a shape has an exit of the same variant; a shape of two exits waits for either, whichever it expects. */
function isOfKind({ expected, other }: ChartShape, { variant }: Exit): boolean {
  return expected.variant === variant || (other !== null && other.variant === variant);
}

/** Whether a shape has the ends of an earlier one of its kind, or lies mostly where a better one lies. */
function repeats(shape: ChartShape, earlier: ChartShape): boolean {
  if (!isOfKind(shape, earlier.expected)) return false;
  if (earlier.start === shape.start && earlier.lastAt === shape.lastAt) return true;
  if (earlier.quality < shape.quality || grows(shape, earlier)) return false;
  const spanned = Math.max(earlier.lastAt, shape.lastAt) - Math.min(earlier.start, shape.start);
  return sharedBars(shape, earlier) >= SAME_SHARE * spanned;
}

function sharedBars(shape: ChartShape, other: ChartShape): number {
  return Math.min(other.lastAt, shape.lastAt) - Math.max(other.start, shape.start);
}

/** Whether a shape is an earlier one with more points. */
function grows(shape: ChartShape, earlier: ChartShape): boolean {
  return shape.start === earlier.start && shape.size > earlier.size;
}

/** Whether a shape is an earlier one with more points, or mostly shares its bars and is better. */
function standsFor(shape: ChartShape, earlier: ChartShape): boolean {
  if (grows(shape, earlier)) return true;
  if (shape.quality <= earlier.quality) return false;
  const spanned = Math.max(earlier.lastAt, shape.lastAt) - Math.min(earlier.start, shape.start);
  return sharedBars(shape, earlier) >= SAME_SHARE * spanned;
}

/** Bar by `end` at which another shape is known that stands for this one from then on; `NEVER` where none is. */
function outgrownAt(courses: Courses, index: number, end: number, oldest: number): number {
  const { shapes } = courses;
  const { expected } = shapes[index];
  for (let i = index + 1; i < shapes.length && shapes[i].formedAt <= end; i++) {
    if (!isOfKind(shapes[i], expected) || !standsFor(shapes[i], shapes[index])) continue;
    if (follow(courses, i) !== OVER && isFirst(shapes, i, oldest)) return shapes[i].formedAt;
  }
  return NEVER;
}

/** Whether a shape is another one again: with more points, or as one that lies by half within it. */
function isWithin(shape: ChartShape, other: ChartShape): boolean {
  return grows(shape, other) || sharedBars(shape, other) >= WITHIN_SHARE * (shape.lastAt - shape.start);
}

/**
 * Whether at bar `at` price is out of another shape that this one is again, by the exit that was told, and has been since a
 * bar before `until`.
 */
function isAgain(courses: Courses, index: number, at: number, until: number): boolean {
  const { shapes } = courses;
  const { formedAt, patience } = shapes[index];
  const since = formedAt + patience - KNOWN_BARS;
  for (let i = index - 1; i >= 0 && shapes[i].formedAt >= since; i--) {
    if (isOutOf(courses, index, i, at, until)) return true;
  }
  for (let i = index + 1; i < shapes.length && shapes[i].formedAt < until; i++) {
    if (isOutOf(courses, index, i, at, until)) return true;
  }
  return false;
}

function isOutOf(courses: Courses, index: number, other: number, at: number, until: number): boolean {
  const { close, shapes, ends } = courses;
  const shape = shapes[index];
  const oldest = shape.formedAt + shape.patience - BEGUN_BARS;
  if (!isWithin(shape, shapes[other]) || shapes[other].start < oldest) return false;
  const way = follow(courses, other);
  const left = ends[other];
  if ((way !== CONFIRMED && way !== TURNED) || left >= until) return false;
  const exit = exitOf(shapes[other], way);
  if (!isOfKind(shape, exit)) return false;
  const { direction } = exit.variant;
  for (let i = left + 1; i <= at; i++) if (!isBeyond(close, direction, exit.trigger, i)) return false;
  return isFirst(shapes, other, oldest) && outgrownAt(courses, other, left, oldest) === NEVER;
}

/** The exit that a shape was left by. */
function exitOf({ expected, other }: ChartShape, way: number): Exit {
  return way === TURNED && other !== null ? other : expected;
}

/** Whether a close lies above a line (direction 1) or below it (-1). `valueAt` would box what it returns. */
function isBeyond(close: Float64Array, direction: number, { at, price, slope }: Line, bar: number): boolean {
  return direction * (close[bar] - (price + slope * (bar - at))) > 0;
}

/** Whether a close lies as far beyond the trigger as price should go. */
function isAtTarget(close: Float64Array, { variant, trigger, reach }: Exit, bar: number): boolean {
  return variant.direction * (close[bar] - valueAt(trigger, bar)) >= reach;
}

/** Whether price was back beyond its stop, or had come as far as its target, before the shape was known. */
function isOver(close: Float64Array, { expected, lastAt, formedAt }: ChartShape): boolean {
  const { variant, stop } = expected;
  for (let i = lastAt + 1; i < formedAt; i++) {
    if (isBeyond(close, -variant.direction, stop, i) || isAtTarget(close, expected, i)) return true;
  }
  return false;
}

/** How a shape ends by bar `to` where no other stands for it; at which bar is in `ends`. */
function follow({ close, shapes, to, ways, ends }: Courses, index: number): number {
  if (ways[index] !== UNSEEN) return ways[index];
  const shape = shapes[index];
  const end = shape.formedAt + shape.patience;
  let way = isOver(close, shape) ? OVER : OPEN;
  let at = shape.formedAt;
  while (way === OPEN && at <= end && at < to) {
    way = wayAt(close, shape, at);
    if (way === OPEN) at++;
  }
  if (way === OPEN && at > end) {
    way = EXPIRED;
    at = end;
  }
  ways[index] = way;
  ends[index] = at;
  return way;
}

/** What the close of a bar makes of a shape. */
function wayAt(close: Float64Array, { expected, other, formedAt }: ChartShape, at: number): number {
  const { variant, trigger, stop } = expected;
  const { direction } = variant;
  if (isBeyond(close, direction, trigger, at)) {
    return at > formedAt || !isAtTarget(close, expected, at) ? CONFIRMED : OVER;
  }
  if (other !== null && isBeyond(close, other.variant.direction, other.trigger, at)) return TURNED;
  if (!isBeyond(close, -direction, stop, at)) return OPEN;
  return at > formedAt ? FAILED : OVER;
}

/** Appends what became of a shape from bar `from` on. */
function settle(courses: Courses, index: number, from: number, outcomes: Outcome[]): void {
  const { shapes, ends } = courses;
  const shape = shapes[index];
  if (!isFirst(shapes, index, Number.NEGATIVE_INFINITY)) return;
  const way = follow(courses, index);
  const end = ends[index];
  if (way === OVER || end < from) return;
  const { expected, formedAt } = shape;
  const over = outgrownAt(courses, index, end, Number.NEGATIVE_INFINITY);
  if (over <= formedAt || isAgain(courses, index, formedAt, Math.min(end, formedAt + 1))) return;
  const told = (exit: Exit, state: FormationState, at: number) => {
    if (at >= from) add(outcomes, shape, exit, state, at);
  };
  if (end > formedAt) told(expected, "forming", formedAt);
  if (over < NEVER || way === EXPIRED) told(expected, "expired", Math.min(over, end));
  else if (way === FAILED || (way === TURNED && end > formedAt)) told(expected, "failed", end);
  if (over < NEVER || (way !== CONFIRMED && way !== TURNED)) return;
  if (!isAgain(courses, index, end, end)) told(exitOf(shape, way), "confirmed", end);
  else if (way === CONFIRMED) told(expected, "expired", end);
}

/**
 * Adds an outcome by its bar, variant and state, the best first. Those of a shape are no further from the newest than the
 * shape waits, so that the place is sought from there; `sort` would leave compiled code for each comparison.
 */
function add(outcomes: Outcome[], shape: ChartShape, exit: Exit, state: FormationState, at: number): void {
  const outcome = { shape, exit, state, at };
  let place = outcomes.length;
  outcomes.push(outcome);
  for (; place > 0 && precedes(outcome, outcomes[place - 1]); place--) outcomes[place] = outcomes[place - 1];
  outcomes[place] = outcome;
}

function precedes(a: Outcome, b: Outcome): boolean {
  if (a.at !== b.at) return a.at < b.at;
  if (a.exit.variant !== b.exit.variant) return a.exit.variant.id < b.exit.variant.id;
  if (a.state !== b.state) return a.state < b.state;
  if (a.shape.quality !== b.shape.quality) return a.shape.quality > b.shape.quality;
  if (a.shape.start !== b.shape.start) return a.shape.start < b.shape.start;
  return a.shape.lastAt < b.shape.lastAt;
}

/** Whether an outcome has the variant, state and bar of the one before it, which is then the better one. */
function isTwin({ at, state, exit }: Outcome, before: Outcome): boolean {
  return before.at === at && before.state === state && before.exit.variant === exit.variant;
}
