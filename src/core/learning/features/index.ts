import { assert } from "../../base/assert.js";
import { hash32 } from "../../base/rng.js";
import type { Candles } from "../../market/candles.js";
import { CANDLE, ROOM } from "./candle.js";
import type { Feature } from "./define.js";
import { LONGER } from "./longer.js";
import { MOMENT } from "./moment.js";
import { MOMENTUM } from "./momentum.js";
import { PATTERN_FLAGS } from "./patterns.js";
import { REGIME } from "./regime.js";
import { type FeatureContext, FeatureSeries } from "./series.js";
import { TREND } from "./trend.js";
import { VOLATILITY } from "./volatility.js";
import { VOLUME } from "./volume.js";

/** Every feature, by family: the order of the columns that models are trained on. */
export const FEATURES: readonly Feature[] = Object.freeze([
  ...MOMENTUM,
  ...TREND,
  ...VOLATILITY,
  ...VOLUME,
  ...CANDLE,
  ...ROOM,
  ...PATTERN_FLAGS,
  ...REGIME,
  ...LONGER,
  ...MOMENT,
]);

/** Bars after which every feature that has what it needs has a value, longer bars aside. */
export const FEATURE_WARMUP = FEATURES.reduce((most, { warmup }) => Math.max(most, warmup), 0);

/**
 * Bars, the last its own, over which features of a bar come out as over all bars before it, to within a millionth: how
 * many a model must be shown to score the newest.
 */
export const FEATURE_MEMORY = 600;

const byId = new Map(FEATURES.map((row) => [row.id, row]));

/** The row of that id, or null. */
export function findFeature(id: string): Feature | null {
  return byId.get(id) ?? null;
}

/** Eight hexadecimal digits that another list, order or definition of features would change; their titles do not. */
export function schemaOf(features: readonly Feature[]): string {
  const text = JSON.stringify(features.map(({ title: _, ...row }) => row));
  return hash32(text).toString(16).padStart(8, "0");
}

export const FEATURE_SCHEMA = schemaOf(FEATURES);

/** Columns of features, one of the bars' length for each. */
export interface FeatureColumns {
  readonly features: readonly Feature[];
  readonly columns: readonly Float64Array[];
}

/** The features of every bar, as a trade sees them that expects rising prices; NaN where they are not known. */
export function computeFeatures(
  candles: Candles,
  context: FeatureContext,
  features: readonly Feature[] = FEATURES,
): FeatureColumns {
  return columnsOf(new FeatureSeries(candles, context), features);
}

/** `computeFeatures` of a series whose parts others read too. */
export function columnsOf(series: FeatureSeries, features: readonly Feature[] = FEATURES): FeatureColumns {
  return { features, columns: features.map((feature) => feature.compute(series)) };
}

/** Where a trade that expects falling prices finds the value of each feature, and its sign. */
export interface Turned {
  readonly from: Int32Array;
  readonly sign: Float64Array;
}

/** For each feature the index of the one whose value a trade that expects falling prices sees, and its sign. */
export function turnedBy(features: readonly Feature[]): Turned {
  const places = new Map(features.map(({ id }, place) => [id, place]));
  const from = Int32Array.from(features, ({ id, opposite }, place) => {
    const other = opposite === null ? place : places.get(opposite);
    assert(other !== undefined, `${id} without its opposite ${opposite}`);
    return other;
  });
  return { from, sign: Float64Array.from(features, ({ signed }) => (signed ? -1 : 1)) };
}

/** Of the whole table. */
export const TURNED: Turned = turnedBy(FEATURES);

/** Writes what a trade in a direction sees at bar `at` into `row`, from place 0 on. */
export function writeSeen(
  { features, columns }: FeatureColumns,
  at: number,
  direction: 1 | -1,
  row: Float64Array,
  turned = features === FEATURES ? TURNED : turnedBy(features),
): void {
  const { from, sign } = turned;
  for (let k = 0; k < columns.length; k++) {
    row[k] = direction > 0 ? columns[k][at] : sign[k] * columns[from[k]][at];
  }
}
