import { distinctTrials, type Hurdle, hurdleOf, type TrialRatios } from "../../core/backtest/trials.js";

export interface FamilyOrder extends TrialRatios {
  readonly sketches: Int8Array;
}

/** What all trials come to that count together. */
export interface FamilyJudged {
  /** Places of those that are no copies of one before. */
  readonly distinct: Int32Array;
  readonly hurdle: Hurdle;
}

/** Counts trials that are not copies of each other, in a thread. */
export default function judgeFamily({ sketches, sharpe, n }: FamilyOrder): FamilyJudged {
  const distinct = distinctTrials(sketches);
  return { distinct, hurdle: hurdleOf({ sharpe, n }, distinct) };
}
