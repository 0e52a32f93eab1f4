import { assert } from "../base/assert.js";
import type { Candles } from "../market/candles.js";
import type { Anatomy } from "./anatomy.js";

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

/** A pattern seen at bar `at`, from bars [0, at] only. */
export interface Hit {
  readonly variant: PatternVariant;
  /** Index of the bar at whose close the pattern is known. */
  readonly at: number;
  /** Index of the first bar of the shape. */
  readonly start: number;
  /** How well the geometry fits, 0..1. Not a probability. */
  readonly quality: number;
}

/** What detectors read: candles and the columns derived from them, each computed once. */
export interface PatternSeries {
  readonly candles: Candles;
  readonly anatomy: Anatomy;
  /** One value per bar for a detector to work in; holds nothing between calls. */
  readonly workspace: Int16Array;
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
