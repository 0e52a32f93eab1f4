import { type Calibrator, calibrate, decodeCalibrator, encodeCalibrator } from "./calibrate.js";
import { WeightsRefused } from "./define.js";
import {
  decodeGroupedTrees,
  encodeGroupedTrees,
  type GroupedTrees,
  groupedAttribution,
  groupedScore,
} from "./grouped-trees.js";
import { readFields, readList } from "./read-weights.js";
import { decodeBins, encodeBins, type ReferenceBins } from "./stability.js";

/** Trees with what makes chances of what they say, and how each column was distributed when they were grown. */
export interface TabularModel {
  readonly trees: GroupedTrees;
  readonly calibrator: Calibrator;
  /** Of each column, in their order. */
  readonly bins: readonly ReferenceBins[];
}

/** A score before and after calibration, 0..1 both. */
export interface TabularScore {
  readonly raw: number;
  readonly score: number;
}

/** Names of the columns, in their order. */
export function columnsOfModel({ trees }: TabularModel): readonly string[] {
  return trees.global.names;
}

/** Scores one row of a group. @param row in the order of the columns; NaN for what is not known. */
export function scoreTabular(
  { trees, calibrator }: TabularModel,
  row: Float64Array,
  key: string,
): TabularScore {
  const raw = groupedScore(trees, row, key);
  return { raw, score: calibrate(calibrator, raw) };
}

/** What each column added to the log-odds before calibration (exact SHAP values), and what there was without any. */
export function explainTabular({ trees }: TabularModel, row: Float64Array, key: string) {
  return groupedAttribution(trees, row, key);
}

/** JSON that `decodeTabular` reads back to the last bit. */
export function encodeTabular({ trees, calibrator, bins }: TabularModel): unknown {
  return {
    trees: encodeGroupedTrees(trees),
    calibrator: encodeCalibrator(calibrator),
    bins: bins.map(encodeBins),
  };
}

/** @throws {WeightsRefused} for all that is not whole, finite and of one shape. */
export function decodeTabular(value: unknown): TabularModel {
  const fields = readFields(value, ["trees", "calibrator", "bins"], "a model");
  const trees = decodeGroupedTrees(fields.trees);
  const bins = readList(fields.bins, trees.global.names.length, "bins").map(decodeBins);
  if (trees.global.names.length === 0) throw new WeightsRefused("a model without columns");
  return { trees, calibrator: decodeCalibrator(fields.calibrator), bins };
}
