import { meanCorrelation, probabilityOfOverfitting } from "../../core/backtest/overfitting.js";
import type { Figure } from "../../core/performance/figure.js";

/** What trials on the same days say of the choice among them. */
export interface TrialsJudged {
  readonly probability: Figure;
  readonly lossProbability: Figure;
  readonly degradation: Figure;
  readonly splits: number;
  /** Mean of all pairs; NaN of fewer than two trials. */
  readonly correlation: number;
}

/** Cross-validates trials in a thread. @param trials returns by day, columns of one length. */
export default function judge(trials: readonly Float64Array[]): TrialsJudged {
  const { probability, lossProbability, degradation, splits } = probabilityOfOverfitting(trials);
  return { probability, lossProbability, degradation, splits, correlation: meanCorrelation(trials) };
}
