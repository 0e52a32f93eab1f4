import { type Overfitting, probabilityOfOverfitting } from "../../core/backtest/overfitting.js";
import { meanOf } from "../../core/base/stats.js";
import { absent, type Figure, figureOf } from "../../core/performance/figure.js";

export interface JudgeOrder {
  /** Trials that were made on the same days, in sets: returns by day, columns of one length in each. */
  readonly sets: readonly (readonly Float64Array[])[];
  /** Even; 16 give 12,870 splits, 10 give 252. */
  readonly blocks: number;
}

/** What trials on the same days say of the choice among them; of several sets means over those that have figures. */
export interface TrialsJudged {
  readonly probability: Figure;
  readonly lossProbability: Figure;
  readonly degradation: Figure;
  readonly splits: number;
}

/** Cross-validates trials in a thread. */
export default function judge({ sets, blocks }: JudgeOrder): TrialsJudged {
  const found = sets.map((trials) => probabilityOfOverfitting(trials, blocks));
  const mean = (of: (each: Overfitting) => Figure): Figure => {
    const values = found.flatMap((each) => of(each).value ?? []);
    const [first] = found;
    if (values.length > 0) return figureOf(meanOf(values));
    return first === undefined ? absent("no trial") : of(first);
  };
  return {
    probability: mean(({ probability }) => probability),
    lossProbability: mean(({ lossProbability }) => lossProbability),
    degradation: mean(({ degradation }) => degradation),
    splits: found.reduce((sum, { splits }) => sum + splits, 0),
  };
}
