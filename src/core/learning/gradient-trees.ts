import type { ModelKind, Samples } from "./define.js";
import { pickSamples } from "./rows.js";
import { trainTrees } from "./trees/boost.js";
import { decodeTrees, encodeTrees } from "./trees/file.js";
import { splitLater } from "./trees/later.js";
import { chanceOf } from "./trees/loss.js";
import { TREE_SETTINGS, type TreeSettings } from "./trees/settings.js";
import { attributeOf } from "./trees/shap.js";
import { logOddsOf, type Trees } from "./trees/trees.js";

/**
 * Boosted trees as a kind of model. How many are grown is found on the last fifth of the samples; then as many are grown
 * on all of them. There are none, and every score is the share of label 1, where that fifth is not told better by any
 * or there is too little of it to tell.
 */
export function gradientTrees(settings: TreeSettings = TREE_SETTINGS): ModelKind<Trees> {
  return {
    id: "gradient_trees",
    title: "Gradient-boosted trees",
    schema: 1,
    train: (samples, seed) =>
      trainTrees(samples, { ...settings, rounds: roundsFor(samples, settings, seed) }, seed),
    score: (trees, row) => chanceOf(logOddsOf(trees, row)),
    explain: attributeOf,
    encode: encodeTrees,
    decode: decodeTrees,
  };
}

/** How many trees tell the last fifth of samples best. */
function roundsFor(samples: Samples, settings: TreeSettings, seed: number): number {
  const split = splitLater(samples);
  if (split === null) return 0;
  const later = { samples: pickSamples(samples, split.later) };
  return trainTrees(pickSamples(samples, split.lesson), settings, seed, { later }).roots.length - 1;
}
