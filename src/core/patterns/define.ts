import { assert } from "../base/assert.js";
import type { Candles } from "../market/candles.js";
import type { Anatomy } from "./anatomy.js";
import type { Corridor } from "./chart/corridor.js";
import type { Swings } from "./chart/swings.js";
import type { TopRows } from "./chart/tops.js";
import type { Pivots } from "./pivots.js";

export type PatternFamily = "candlestick" | "chart" | "volume" | "level" | "indicator";

/** 1 expects rising prices, -1 falling prices, 0 says nothing about direction. */
export type Direction = 1 | 0 | -1;

export type Outlook = "reversal" | "continuation" | "indecision";

/** One way a pattern can show itself; everything downstream (alerts, evidence, strategies) speaks of variants. */
export interface PatternVariant {
  /** Unique over the whole table, snake_case: `bullish_engulfing`, `hammer`. */
  readonly id: string;
  /** `Bullish Engulfing`. */
  readonly title: string;
  readonly direction: Direction;
  readonly outlook: Outlook;
  /** Trend that gives the shape its meaning; not part of the shape, checked and reported separately. */
  readonly priorTrend: "up" | "down" | null;
}

/**
 * What has become of a formation. Shapes that are complete at one bar are confirmed when they are seen; others are
 * forming once their points are known, confirmed when price closes beyond their trigger, failed when it closes
 * beyond their stop first, and expired when neither has happened in time.
 */
export type FormationState = "forming" | "confirmed" | "failed" | "expired";

/** A bar that a formation is made of. */
export interface FormationPoint {
  /** `left_shoulder`, `head`, `trough`. */
  readonly role: string;
  readonly at: number;
  readonly price: number;
  /** Bar at whose close the point is known to be one: a pivot is known some bars after it stood. */
  readonly knownAt: number;
}

/** A straight line between two bars: a neckline, an edge of a channel, a level. */
export interface Boundary {
  /** `neckline`, `upper`, `lower`, `level`, `pole`. */
  readonly role: string;
  readonly from: { readonly at: number; readonly price: number };
  readonly to: { readonly at: number; readonly price: number };
}

/** A condition beside the shape, with the values that were compared; null where they can't be known. */
export interface Check {
  readonly name: string;
  readonly passed: boolean | null;
  readonly value: number | null;
  readonly threshold: number | null;
}

/** What a pattern is made of and what follows from it; prices in the unit of the candles, bars by index. */
export interface Formation {
  /** Bar at whose close the shape was complete: the last of its points was known. */
  readonly formedAt: number;
  readonly points: readonly FormationPoint[];
  readonly boundaries: readonly Boundary[];
  /** Price beyond which a close confirms, at bar `at` of the hit; null where nothing is waited for. */
  readonly trigger: number | null;
  /**
   * Where the shape says that price goes, and where it is refuted. Null without a direction and where it would be 0 or
   * less, the target also once the close of the hit has come as far: nothing of what the shape promised is left.
   */
  readonly target: number | null;
  readonly stop: number | null;
  /** Distance to the target per distance to the stop, both from the close at `at` or, while forming, the trigger. */
  readonly rewardRisk: number | null;
  readonly checks: readonly Check[];
}

/** A pattern seen at bar `at`, from bars [0, at] only. At most one hit per variant, state and bar. */
export interface Hit {
  readonly variant: PatternVariant;
  /** Index of the bar at whose close the pattern is known to be in this state. */
  readonly at: number;
  /** Index of the first bar of the shape. */
  readonly start: number;
  /** How well the geometry fits, 0..1. Not a probability. */
  readonly quality: number;
  readonly state: FormationState;
  /** Null for candlesticks, whose shape is their bars. */
  readonly formation: Formation | null;
}

/**
 * Bars before a hit that can decide it: from a window that begins this many bars earlier, or at any bar before,
 * every pattern gives the same hit to the last bit.
 */
export const MEMORY_BARS = 250;

/** What detectors read: candles and the columns derived from them, each computed once. */
export interface PatternSeries {
  readonly candles: Candles;
  readonly anatomy: Anatomy;
  /** Mean of the last 14 true ranges, NaN at the first 14 bars: the unit of distances between prices. */
  readonly range: Float64Array;
  /** Swing highs and lows by scale, in the order of `PIVOT_SCALES`. */
  readonly pivots: readonly Pivots[];
  /** The swings before each of the pivots, by scale. */
  readonly swings: readonly Swings[];
  /** Stretches between two straight lines, by the bar at which they are known. */
  readonly corridors: readonly Corridor[];
  /** Pairs of highs, and of lows, that may be the ends of a shape. */
  readonly tops: TopRows;
  readonly bottoms: TopRows;
  /** A value per bar, as `allocateWorkspace` makes it, for a detector to work in; holds nothing between calls. */
  readonly workspace: Int16Array;
  /** What `kept` functions have made of the series, each at a place of its own. */
  readonly derived: unknown[];
}

/** One row of the pattern table. */
export interface Pattern {
  readonly name: string;
  readonly title: string;
  readonly family: PatternFamily;
  readonly variants: readonly PatternVariant[];
  /** Bars that the shape spans. */
  readonly bars: number;
  /** Index of the first bar at which it can be seen. */
  readonly warmup: number;
  /** What the shape looks like, in one or two sentences. */
  readonly description: string;
  /** Where the definition comes from. */
  readonly source: string;
  /** Appends the hits whose `at` lies in [from, to), ascending. */
  find(series: PatternSeries, from: number, to: number, hits: Hit[]): void;
}

/** The row, checked and frozen. */
export function definePattern<Row extends Pattern>(pattern: Row): Readonly<Row> {
  const { name, variants, bars, warmup } = pattern;
  assert(/^[a-z0-9][a-z0-9_]*$/.test(name), `pattern name ${name}`);
  assert(variants.length > 0, `${name} has no variants`);
  for (const { id } of variants) assert(/^[a-z][a-z0-9_]*$/.test(id), `variant id ${id} of ${name}`);
  assert(bars >= 1 && warmup >= bars - 1, `${name} is seen before its ${bars} bars have passed`);
  for (const variant of variants) Object.freeze(variant);
  Object.freeze(variants);
  return Object.freeze(pattern);
}
