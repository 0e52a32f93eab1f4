import { lowerBound, upperBound } from "../base/search.js";
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

/**
 * Who tells how the decision of a row ended: bars; somebody, whom nobody checks; or bars, while another row has what somebody
 * said of it. Nothing is trained on a row of the last kind, and nothing calibrated or tried on one that somebody tells.
 */
export const TELLERS = Object.freeze({ bars: 0, somebody: 1, both: 2 });

/** What there is to learn from. */
export interface Lesson {
  /** In time order. */
  readonly samples: Samples;
  /** Group of each row. */
  readonly keys: readonly string[];
  /** A number for each row that rows of one series share: features move within it alone. */
  readonly series: ArrayLike<number>;
  /** Asset class and interval of each row, where a model of several is learned. */
  readonly lots?: readonly string[];
  /** Interval of each row, each of which has an embargo of its own; none where all are of one. */
  readonly intervals?: readonly string[];
  /** Of each row one of `TELLERS`; bars tell all of them without it. */
  readonly tellers?: Uint8Array;
  /** Candidates that are learned by the same training, itself among them; 1 where it does not say. */
  readonly candidates?: number;
  /** Features that were found to change when later bars are cut off. */
  readonly unstableFeatures: number;
  /** Series in which an outcome was found that the bars by its moment do not tell. */
  readonly earlyOutcomes: number;
}

/**
 * Overlaps that a block is long. Where what two rows share grows less with each row between them, blocks as long as one overlap
 * hold three quarters of the variance of a mean, and twice as long ones 85 %.
 */
export const BLOCK_SPAN = 2;

/**
 * Mean number of rows that are decided, itself among them, from when a row is until its outcome is known; 1 or more.
 * Rows in any order.
 */
export function overlapOf({ decidedAt, settledAt }: Pick<Samples, "decidedAt" | "settledAt">): number {
  const sorted = decidedAt.slice().sort();
  let sum = 0;
  for (let i = 0; i < decidedAt.length; i++)
    sum += upperBound(sorted, settledAt[i]) - lowerBound(sorted, decidedAt[i]);
  return decidedAt.length === 0 ? 1 : Math.max(1, sum / decidedAt.length);
}
