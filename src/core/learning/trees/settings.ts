import { assert } from "../../base/assert.js";
import { MOST_BINS } from "./bins.js";

/** How trees are grown. */
export interface TreeSettings {
  /** Trees at most. */
  readonly rounds: number;
  /** Splits from the root to a leaf at most, 1 to 16. */
  readonly depth: number;
  /** What of each leaf is added to the log-odds, above 0 and up to 1. */
  readonly learningRate: number;
  /** Rows that a leaf has at least. */
  readonly leafRows: number;
  /** Sum of second derivatives of the loss that a leaf has at least. */
  readonly leafHessian: number;
  /** Penalty on the square of a leaf (L2), 0 or more. */
  readonly lambda: number;
  /** What a split has to gain, in the units of `gain` of trees. */
  readonly leastGain: number;
  /** Share of the rows and of the columns that are drawn for each tree, without putting back. */
  readonly rowShare: number;
  readonly columnShare: number;
  /** Bins of a column, 2 to 255. */
  readonly bins: number;
  /** Rounds without a lower loss of later rows after which no more trees are grown. */
  readonly patience: number;
}

/** Deepest that trees may be, for the sake of attribution: its error grows with the depth. */
export const MOST_DEPTH = 16;

/** Small trees, many rows to a leaf: there is much noise in what becomes of trades. */
export const TREE_SETTINGS: TreeSettings = {
  rounds: 200,
  depth: 4,
  learningRate: 0.05,
  leafRows: 20,
  leafHessian: 1e-3,
  lambda: 1,
  leastGain: 0,
  rowShare: 0.8,
  columnShare: 0.8,
  bins: MOST_BINS,
  patience: 30,
};

/** @throws {AssertionError} for settings that no tree could be grown with. */
export function checkSettings(settings: TreeSettings): void {
  const { rounds, depth, learningRate, leafRows, leafHessian, lambda, leastGain } = settings;
  const whole = (value: number, least: number, most: number) =>
    Number.isInteger(value) && value >= least && value <= most;
  const share = (value: number) => value > 0 && value <= 1;
  assert(whole(rounds, 0, 10_000), "rounds are 0 to 10,000");
  assert(whole(depth, 1, MOST_DEPTH), `depth is 1 to ${MOST_DEPTH}`);
  assert(share(learningRate), "the learning rate is above 0 and up to 1");
  assert(whole(leafRows, 1, Number.MAX_SAFE_INTEGER), "a leaf has one row or more");
  assert(leafHessian > 0, "a leaf has a second derivative");
  assert(lambda >= 0 && leastGain >= 0, "penalties are 0 or more");
  assert(share(settings.rowShare) && share(settings.columnShare), "shares are above 0 and up to 1");
  assert(whole(settings.patience, 1, Number.MAX_SAFE_INTEGER), "patience is one round or more");
}
