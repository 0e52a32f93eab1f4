import type { Sign } from "./candlestick/define.js";
import {
  type Boundary,
  type Check,
  type Direction,
  definePattern,
  type Formation,
  type FormationState,
  type Hit,
  type Pattern,
  type PatternSeries,
  type PatternVariant,
} from "./define.js";
import { closeSums } from "./sums.js";
import { volumeRatio } from "./volume/volumes.js";

/** A variant for each direction. */
export interface Pair {
  readonly rising: PatternVariant;
  readonly falling: PatternVariant;
}

export function variantOf({ rising, falling }: Pair, direction: Sign): PatternVariant {
  return direction === 1 ? rising : falling;
}

/**
 * A formation that is complete at the bar at which it is seen; what is left out does not apply to it. Written field
 * by field: V8 does not compile a spread of parts of many shapes into loads and stores.
 */
export function formationAt(at: number, parts: Partial<Formation>): Formation {
  const { points = [], boundaries = [], trigger = null, target = null, stop = null } = parts;
  const { rewardRisk = null, checks = [] } = parts;
  return { formedAt: at, points, boundaries, trigger, target, stop, rewardRisk, checks };
}

/** An event: confirmed at the bar at which it is seen. */
export function eventAt(
  variant: PatternVariant,
  at: number,
  start: number,
  quality: number,
  formation: Partial<Formation>,
): Hit {
  return { variant, at, start, quality, state: "confirmed", formation: formationAt(at, formation) };
}

export function line(role: string, at: number, price: number, until: number, then: number): Boundary {
  return { role, from: { at, price }, to: { at: until, price: then } };
}

/** A level as a price; null where it would be 0 or less, which no price is. */
export function priceOrNull(level: number): number | null {
  return level > 0 ? level : null;
}

/**
 * A target as long as there is a way to it from `price`; null where price is there already, or where it would be 0 or
 * less: what a height promises below a low price is no price.
 */
export function targetAhead(direction: Direction, price: number, target: number): number | null {
  return target > 0 && direction * (target - price) > 0 ? target : null;
}

/** Distance from `price` to the target per distance to the stop; null where either is on the wrong side of it. */
export function rewardRisk(
  direction: Direction,
  price: number,
  target: number | null,
  stop: number | null,
): number | null {
  if (target === null || stop === null) return null;
  const reward = direction * (target - price);
  const risk = direction * (price - stop);
  return reward > 0 && risk > 0 ? reward / risk : null;
}

/** A row whose hits are single bars: what is seen at each, and the hit that it makes. */
export interface EventDefinition extends Omit<Pattern, "find"> {
  /** Of a bar at or after the warm-up: the direction of what is seen at its close, 0 where nothing is. */
  see(series: PatternSeries): (at: number) => Sign | 0;
  hit(series: PatternSeries, at: number, direction: Sign): Hit;
}

export function defineEvent({ see, hit, ...row }: EventDefinition): Pattern {
  return definePattern({
    ...row,
    find(series, from, to, hits) {
      const seen = see(series);
      for (let at = Math.max(from, row.warmup); at < to; at++) {
        const direction = seen(at);
        if (direction !== 0) hits.push(hit(series, at, direction));
      }
    },
  });
}

/** What a shape waits for, and how many bars long. */
export interface Wait {
  readonly direction: Sign;
  readonly formedAt: number;
  readonly trigger: number;
  readonly stop: number;
  readonly bars: number;
}

/**
 * The state that a shape enters at bar `at`, or null where it enters none: forming at the bar that completes it
 * unless that bar already closes beyond trigger or stop, then confirmed or failed at the first close beyond either,
 * else expired at the last bar of its wait.
 */
export function stateEntered(
  close: Float64Array,
  { direction, formedAt, trigger, stop, bars }: Wait,
  at: number,
): FormationState | null {
  if (at < formedAt || at > formedAt + bars) return null;
  for (let i = formedAt; i <= at; i++) {
    const confirms = direction * (close[i] - trigger) > 0;
    const fails = direction * (stop - close[i]) > 0;
    if (confirms || fails) return i < at ? null : confirms ? "confirmed" : "failed";
  }
  return at === formedAt ? "forming" : at === formedAt + bars ? "expired" : null;
}

/** Least way from trigger to target per way to the stop: whoever follows a shape with less has more to lose than to win. */
const LEAST_REWARD = 0.5;

/** Whether the target of a shape that waits lies so far beyond its trigger that there is a trade in it. */
export function isWorthWaiting({ direction, trigger, stop }: Wait, target: number): boolean {
  return direction * (target - trigger) >= LEAST_REWARD * direction * (trigger - stop);
}

/** A shape that waits, and the hit that it is in a given state. */
export interface Waiting extends Wait {
  hit(at: number, state: FormationState): Hit;
}

/** What a shape that waits shows of itself. */
export interface WaitingShape {
  readonly variants: Pair;
  readonly start: number;
  readonly quality: number;
  readonly points: Formation["points"];
  readonly boundaries?: Formation["boundaries"];
  readonly target?: number;
  checks(): Check[];
}

/** A shape that waits, whose reward is told from its trigger while it forms and from the close of the bar then on. */
export function waitingShape(
  { candles: { close } }: PatternSeries,
  wait: Wait,
  shape: WaitingShape,
): Waiting {
  const { direction, formedAt, trigger, stop } = wait;
  const { variants, start, quality, points, boundaries = [], target = null } = shape;
  const stopPrice = priceOrNull(stop);
  return {
    direction,
    formedAt,
    trigger,
    stop,
    bars: wait.bars,
    hit(at, state) {
      const price = state === "forming" ? trigger : close[at];
      const goal = target === null ? null : targetAhead(direction, price, target);
      const formation = {
        formedAt,
        points,
        boundaries,
        trigger,
        target: goal,
        stop: stopPrice,
        rewardRisk: rewardRisk(direction, price, goal, stopPrice),
        checks: shape.checks(),
      };
      return { variant: variantOf(variants, direction), at, start, quality, state, formation };
    },
  };
}

/**
 * Appends the states that shapes enter at bars [from, to), by bar. No two shapes of one variant wait at the same bar.
 */
export function followShapes(
  close: Float64Array,
  from: number,
  to: number,
  shapes: readonly Waiting[],
  hits: Hit[],
): void {
  const entered: Hit[] = [];
  for (const shape of shapes) {
    const end = Math.min(to, shape.formedAt + shape.bars + 1);
    for (let at = Math.max(from, shape.formedAt); at < end; at++) {
      const state = stateEntered(close, shape, at);
      if (state !== null) entered.push(shape.hit(at, state));
    }
  }
  entered.sort((a, b) => a.at - b.at || b.variant.direction - a.variant.direction);
  hits.push(...entered);
}

/** The shapes of either direction that `shapeAt` gives at bars [from, to). */
export function shapesIn(
  from: number,
  to: number,
  shapeAt: (at: number, direction: Sign) => Waiting | null,
): Waiting[] {
  const shapes: Waiting[] = [];
  for (let at = from; at < to; at++) {
    const rising = shapeAt(at, 1);
    if (rising !== null) shapes.push(rising);
    const falling = shapeAt(at, -1);
    if (falling !== null) shapes.push(falling);
  }
  return shapes;
}

/** Volume against the mean of the 20 bars before; passed above 1.2 of it, unknown where volume is missing. */
export function volumeCheck(series: PatternSeries, at: number, threshold = 1.2): Check {
  const value = volumeRatio(series, at);
  return { name: "volume", passed: value === null ? null : value > threshold, value, threshold };
}

/** Bars over which the average of 20 closes is compared. */
const TREND_SPAN = 10;

/** Rise of the average of 20 closes in average true ranges a bar; passed where it goes with the direction. */
export function trendCheck(series: PatternSeries, at: number, direction: Sign): Check {
  const sums = closeSums(series)[20];
  const range = series.range[at];
  const value = (sums[at] - sums[at - TREND_SPAN]) / (20 * TREND_SPAN * range);
  if (!Number.isFinite(value)) return { name: "trend", passed: null, value: null, threshold: 0 };
  return { name: "trend", passed: direction * value > 0, value, threshold: 0 };
}

/** A measured value beside the number that it was compared with; null where it is not finite. */
export function measured(name: string, value: number, threshold: number, passed: boolean): Check {
  if (!Number.isFinite(value)) return { name, passed: null, value: null, threshold };
  return { name, passed, value, threshold };
}
