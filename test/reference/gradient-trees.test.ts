import { describe, expect, it } from "vitest";
import { trainTrees } from "../../src/core/learning/trees/boost.js";
import { meanLoss } from "../../src/core/learning/trees/loss.js";
import { TREE_SETTINGS, type TreeSettings } from "../../src/core/learning/trees/settings.js";
import { attributeOf } from "../../src/core/learning/trees/shap.js";
import { logOddsOf, logOddsOfAll } from "../../src/core/learning/trees/trees.js";
import { plantedSamples, rowOf, stretchOf } from "../fixtures/planted-samples.js";

/**
 * Figures of LightGBM 4.7.0, XGBoost 3.2.0 and scikit-learn 1.9.1 (numpy 2.4.6, one thread) on `plantedSamples`, the
 * first half to learn from, mean log-loss of the second.
 * LightGBM: num_leaves 2^depth, min_data_in_leaf and min_sum_hessian_in_leaf as ours, lambda_l2 1, max_bin 255,
 * min_data_in_bin 1, feature_pre_filter false. XGBoost: tree_method hist, max_bin 255, lambda 1, min_child_weight 1,
 * gamma 0. HistGradientBoostingClassifier: max_leaf_nodes None, l2_regularization 1, max_bins 255, no early stopping.
 */
const FULL: TreeSettings = { ...TREE_SETTINGS, rounds: 100, rowShare: 1, columnShare: 1, lambda: 1 };
const BY_ROWS = { leafRows: 20, leafHessian: 1e-3 };
const BY_HESSIAN = { leafRows: 1, leafHessian: 1 };
const SLOW = { depth: 4, learningRate: 0.05 };
const FAST = { depth: 5, learningRate: 0.1 };

function heldOutLoss(rows: number, settings: TreeSettings, step: number | null): number {
  const planted = plantedSamples(rows, 20, 11);
  if (step !== null) {
    for (const column of planted.columns)
      for (let i = 0; i < rows; i++) column[i] = Math.round(column[i] / step) * step;
  }
  const [early, late] = [stretchOf(planted, 0, rows / 2), stretchOf(planted, rows / 2, rows)];
  const trees = trainTrees(early, settings, 1);
  return meanLoss(logOddsOfAll(trees, late.columns), late.labels);
}

describe("log-loss of held-out rows", () => {
  it.each([
    [5_000, { ...SLOW, ...BY_ROWS }, { lightgbm: 0.5280432204358416, sklearn: 0.5298063736636761 }],
    [5_000, { ...SLOW, ...BY_HESSIAN }, { lightgbm: 0.5290909246000984, xgboost: 0.5294042825698853 }],
    [20_000, { ...FAST, ...BY_ROWS }, { lightgbm: 0.5359557574629187, sklearn: 0.5359201366228009 }],
    [20_000, { ...FAST, ...BY_HESSIAN }, { lightgbm: 0.5368995777122626, xgboost: 0.5351278185844421 }],
  ])("of %i rows with %o is within a hundredth of %o", (rows, settings, theirs) => {
    const ours = heldOutLoss(rows, { ...FULL, ...settings }, null);
    for (const loss of Object.values(theirs)) expect(Math.abs(ours / loss - 1)).toBeLessThan(0.01);
  });

  // With fewer values than bins all have the same bins, and their trees are the same but for float32 sums.
  it("is scikit-learn's to seven digits where both have the same bins", () => {
    const slow = heldOutLoss(5_000, { ...FULL, ...SLOW, ...BY_ROWS }, 1 / 16);
    expect(Math.abs(slow / 0.5318551820488195 - 1)).toBeLessThan(1e-7);
    const fast = heldOutLoss(5_000, { ...FULL, ...FAST, ...BY_ROWS }, 1 / 16);
    expect(Math.abs(fast / 0.5488316044068562 - 1)).toBeLessThan(1e-4);
  });

  it("is XGBoost's and LightGBM's to three digits where all have the same bins", () => {
    const ours = heldOutLoss(5_000, { ...FULL, ...SLOW, ...BY_HESSIAN }, 1 / 16);
    expect(Math.abs(ours / 0.5334136486053467 - 1)).toBeLessThan(5e-4);
    expect(Math.abs(ours / 0.5341480779388568 - 1)).toBeLessThan(2e-3);
    const fast = heldOutLoss(5_000, { ...FULL, ...FAST, ...BY_HESSIAN }, 1 / 16);
    expect(Math.abs(fast / 0.548193097114563 - 1)).toBeLessThan(1e-4);
  });
});

/** Of shap 0.51.0, TreeExplainer with feature_perturbation "tree_path_dependent" on these trees, in double precision. */
const SHAP: Readonly<Record<number, readonly number[]>> = {
  0: [
    -0.40504391474718254, 0.004805886323254156, -0.06902538351536953, 0.053619518098012305,
    0.24216413988140312, 0.011038894052183428, -2.978312379335355e-6, 0.0, -0.005704131769730986,
    -0.02832338489692675, 0.04534472281443886, -0.020009501940039743, 0.05227757444563428,
    -0.026443158046081713, -0.010245688219428749, -0.004086655329447795, -0.011196170472766945,
    -0.005252426639375528, -0.0008453400564561661, -0.08489641175088845,
  ],
  3: [
    -0.5501455421443535, 0.5404437701861107, 0.9474643094215389, 0.06862930470637651, 0.07366175052602884,
    -0.00836526905791416, 0.005175012322944153, 0.0, -0.034366751525820256, -0.013524003461390098,
    0.017237712559934764, 0.024204478146374095, -0.00860594504540719, 0.0232659648945244,
    0.046132266805900275, -0.03138236468430776, -0.04251637079365809, -0.02650891716536563,
    -0.044293357649275646, -0.03183391122359448,
  ],
};

describe("TreeSHAP", () => {
  it("is shap's to the last digits", () => {
    const planted = plantedSamples(5_000, 20, 11);
    const trees = trainTrees(stretchOf(planted, 0, 2_500), { ...FULL, ...FAST, ...BY_ROWS, rounds: 30 }, 1);
    for (const [row, theirs] of Object.entries(SHAP)) {
      const values = rowOf(planted, 2_500 + Number(row));
      const { base, parts } = attributeOf(trees, values);
      expect(base).toBeCloseTo(-0.24956951864803298, 6);
      for (const [column, part] of parts.entries()) expect(part).toBeCloseTo(theirs[column], 13);
      expect(parts.reduce((sum, part) => sum + part, base)).toBeCloseTo(logOddsOf(trees, values), 12);
    }
  });
});
