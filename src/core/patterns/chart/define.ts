import type { Candles } from "../../market/candles.js";
import {
  type Boundary,
  definePattern,
  type FormationState,
  type Hit,
  type Pattern,
  type PatternSeries,
} from "../define.js";
import { priceOrNull, rewardRisk, targetAhead } from "../events.js";
import { breakVolume } from "./checks.js";
import { type ChartShape, type Edge, type Exit, joined, type Line, LONGEST_WAIT, valueAt } from "./shape.js";

/** Bars by which the same points can be known later at a coarser scale. */
const SCALE_DELAY = 12;
/** Bars that two shapes share, per bars that they span together, from which they are much the same. */
const SAME_SHARE = 0.65;

/** Bars of history before the first bar at which a shape can be seen: one more than an average range takes. */
export const CHART_WARMUP = 15;

export interface ChartDefinition extends Omit<Pattern, "family" | "find"> {
  /** Appends the shapes whose `formedAt` lies in [from, to), each decided by bars up to its `formedAt`. */
  sketch(series: PatternSeries, from: number, to: number, shapes: ChartShape[]): void;
}

/** What became of a shape at a bar, by which of its exits. */
interface Outcome {
  readonly shape: ChartShape;
  readonly exit: Exit;
  readonly state: FormationState;
  readonly at: number;
}

/**
 * A row of the pattern table from the shapes it knows.
 *
 * A shape is forming when its last point is known, unless price has closed beyond its trigger by then, which
 * confirms it at once. One that was refuted by then, or whose target was reached, is no longer told of. Of shapes
 * with the same ends the one known first counts, and of those that mostly share their bars the better one if it was
 * known before; one that begins as another and has more points stands for it from then on, and the other expires. Of
 * those with one variant, state and bar the best is told of, and of equals the longest.
 */
export function defineChart({ sketch, ...row }: ChartDefinition): Pattern {
  return definePattern<Pattern>({
    ...row,
    family: "chart",
    find(series, from, to, hits) {
      const shapes: ChartShape[] = [];
      sketch(series, Math.max(0, from - LONGEST_WAIT - SCALE_DELAY), to, shapes);
      const outcomes: Outcome[] = [];
      const told = firstOfEach(shapes);
      for (let index = 0; index < told.length; index++) {
        settle(series.candles, told[index], from, to, outgrownAt(told, index), outcomes);
      }
      for (let n = 0; n < outcomes.length; n++) {
        if (n > 0 && isTwin(outcomes[n], outcomes[n - 1])) continue;
        hits.push(hitOf(series.candles, outcomes[n]));
      }
    },
  });
}

/** Sorted by the bar at which they are known, without those of which much the same was known shortly before. */
function firstOfEach(shapes: ChartShape[]): ChartShape[] {
  sort(shapes);
  const told: ChartShape[] = [];
  for (let index = 0; index < shapes.length; index++) {
    const shape = shapes[index];
    let i = index - 1;
    while (i >= 0 && shapes[i].formedAt >= shape.formedAt - SCALE_DELAY && !repeats(shape, shapes[i])) i--;
    if (i < 0 || shapes[i].formedAt < shape.formedAt - SCALE_DELAY) told.push(shape);
  }
  return told;
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

/** Whether a shape has the ends of an earlier one, or lies mostly where a better one of its variant lies. */
function repeats(shape: ChartShape, earlier: ChartShape): boolean {
  if (earlier.expected.variant !== shape.expected.variant) return false;
  if (earlier.start === shape.start && earlier.lastAt === shape.lastAt) return true;
  if (earlier.quality < shape.quality || grows(shape, earlier)) return false;
  const shared = Math.min(earlier.lastAt, shape.lastAt) - Math.max(earlier.start, shape.start);
  const spanned = Math.max(earlier.lastAt, shape.lastAt) - Math.min(earlier.start, shape.start);
  return shared >= SAME_SHARE * spanned;
}

/** Whether a shape is an earlier one with more points. */
function grows(shape: ChartShape, earlier: ChartShape): boolean {
  return shape.start === earlier.start && shape.size > earlier.size;
}

/** Bar at which a shape has grown into another, which then stands for it; -1 where it has not. */
function outgrownAt(shapes: readonly ChartShape[], index: number): number {
  const { expected, formedAt, patience } = shapes[index];
  for (let i = index + 1; i < shapes.length && shapes[i].formedAt <= formedAt + patience; i++) {
    const isSame = shapes[i].expected.variant === expected.variant;
    if (isSame && grows(shapes[i], shapes[index])) return shapes[i].formedAt;
  }
  return -1;
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

/** Appends what became of the shape at bars in [from, to). @param outgrown bar from which another stands for it, or -1. */
function settle(
  { close }: Candles,
  shape: ChartShape,
  from: number,
  to: number,
  outgrown: number,
  outcomes: Outcome[],
): void {
  const { expected, other, formedAt, patience } = shape;
  const end = outgrown < 0 ? formedAt + patience : Math.min(formedAt + patience, outgrown);
  if (end < from || isOver(close, shape)) return;
  const { variant, trigger, stop } = expected;
  const { direction } = variant;
  const otherDirection = other === null ? 0 : other.variant.direction;
  const last = Math.min(end, to - 1);
  for (let i = formedAt; i <= last; i++) {
    if (i === outgrown) {
      if (i > formedAt && i >= from) add(outcomes, shape, expected, "expired", i);
      return;
    }
    if (isBeyond(close, direction, trigger, i)) {
      const isTold = i > formedAt || !isAtTarget(close, expected, i);
      if (isTold && i >= from) add(outcomes, shape, expected, "confirmed", i);
      return;
    }
    const leaves = other !== null && isBeyond(close, otherDirection, other.trigger, i);
    if (leaves || isBeyond(close, -direction, stop, i)) {
      if (i < from) return;
      if (i > formedAt) add(outcomes, shape, expected, "failed", i);
      if (leaves) add(outcomes, shape, other, "confirmed", i);
      return;
    }
    if (i < from) continue;
    if (i === formedAt) add(outcomes, shape, expected, "forming", i);
    else if (i === end) add(outcomes, shape, expected, "expired", i);
  }
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

function hitOf(candles: Candles, { shape, exit, state, at }: Outcome): Hit {
  const { variant, reach } = exit;
  const { direction } = variant;
  const trigger = valueAt(exit.trigger, at);
  const stop = priceOrNull(valueAt(exit.stop, at));
  const entry = state === "forming" ? trigger : candles.close[at];
  const target = targetAhead(direction, entry, trigger + direction * reach);
  shape.description ??= shape.describe();
  const { points, edges, checks } = shape.description;
  return {
    variant,
    at,
    start: shape.start,
    quality: shape.quality,
    state,
    formation: {
      formedAt: shape.formedAt,
      points,
      boundaries: edges.map((edge) => boundaryOf(edge, at)),
      trigger,
      target,
      stop,
      rewardRisk: rewardRisk(direction, entry, target, stop),
      checks: state === "confirmed" ? joined(checks, [breakVolume(candles, at)]) : checks,
    },
  };
}

function boundaryOf({ role, begin, line, until }: Edge, at: number): Boundary {
  const end = until ?? at;
  return { role, from: begin, to: { at: end, price: valueAt(line, end) } };
}
