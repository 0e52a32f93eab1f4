import { upperBound } from "../base/search.js";
import type { Samples } from "./define.js";
import { PROMOTION, type PromotionTerms } from "./governance.js";
import { GROUP_SETTINGS, type GroupSettings } from "./grouped-trees.js";
import { SPLIT_TERMS, type SplitTerms } from "./split.js";

/** How a candidate is learned and tried. */
export interface LearningTerms {
  readonly seed: number;
  readonly trees: GroupSettings;
  readonly split: SplitTerms;
  readonly promotion: PromotionTerms;
  /** Draws of bootstraps, and mean rows in a row of each block at least: more where more outcomes overlap. */
  readonly draws: number;
  readonly blockRows: number;
  /** Trainings on shuffled labels, 2 or more. */
  readonly permutations: number;
}

export const LEARNING_TERMS: Omit<LearningTerms, "seed"> = Object.freeze({
  trees: GROUP_SETTINGS,
  split: SPLIT_TERMS,
  promotion: PROMOTION,
  draws: 400,
  blockRows: 20,
  permutations: 4,
});

/** What there is to learn from. */
export interface Lesson {
  /** In time order. */
  readonly samples: Samples;
  /** Group of each row. */
  readonly keys: readonly string[];
  /** A number for each row that rows of one series share: features move within it alone. */
  readonly series: ArrayLike<number>;
  /** Features that were found to change when later bars are cut off. */
  readonly unstableFeatures: number;
  /** Series in which an outcome was found that the bars by its moment do not tell. */
  readonly earlyOutcomes: number;
}

/** Mean number of rows that are decided, itself among them, until the outcome of a row is known. */
export function overlapOf({ decidedAt, settledAt }: Samples): number {
  let sum = 0;
  for (let i = 0; i < decidedAt.length; i++) sum += upperBound(decidedAt, settledAt[i]) - i;
  return sum / decidedAt.length;
}
