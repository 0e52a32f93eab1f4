import { type Overfitting, probabilityOfOverfitting } from "../../core/backtest/overfitting.js";
import { permutationTest } from "../../core/backtest/permutation.js";
import { meanOf } from "../../core/base/stats.js";
import { absent, type Figure, figureOf } from "../../core/performance/figure.js";

/** Positions, and returns of what was held, by bar. */
export interface HeldReturns {
  readonly positions: Float64Array;
  readonly returns: Float64Array;
}

export interface JudgeOrder {
  /** Trials that were made on the same days, in sets: returns by day, columns of one length in each. */
  readonly sets: readonly (readonly Float64Array[])[];
  /** Even; 16 give 12,870 splits, 10 give 252. */
  readonly blocks: number;
  /** For a permutation test; null where there is one already. */
  readonly held: HeldReturns | null;
  readonly seed: number;
}

/** What trials on the same days say of the choice among them; of several sets means over those that have figures. */
export interface TrialsJudged {
  readonly probability: Figure;
  readonly lossProbability: Figure;
  readonly degradation: Figure;
  readonly splits: number;
  readonly permutation: Figure | null;
}

const PERMUTATIONS = { least: 199, most: 999 } as const;
/** Products of a test: some tenths of a second. */
const PRODUCTS = 50_000_000;

/** As many as a column of that length leaves time for. */
export function permutationsFor(length: number): number {
  const { least, most } = PERMUTATIONS;
  return Math.max(least, Math.min(most, Math.floor(PRODUCTS / Math.max(1, length))));
}

/** Cross-validates trials in a thread. */
export default function judge({ sets, blocks, held, seed }: JudgeOrder): TrialsJudged {
  const found = sets.map((trials) => probabilityOfOverfitting(trials, blocks));
  const mean = (of: (each: Overfitting) => Figure): Figure => {
    const values = found.flatMap((each) => of(each).value ?? []);
    const [first] = found;
    if (values.length > 0) return figureOf(meanOf(values));
    return first === undefined ? absent("no trial") : of(first);
  };
  const count = permutationsFor(held?.positions.length ?? 0);
  const terms = { scheme: { kind: "shift" }, count, seed } as const;
  return {
    probability: mean(({ probability }) => probability),
    lossProbability: mean(({ lossProbability }) => lossProbability),
    degradation: mean(({ degradation }) => degradation),
    splits: found.reduce((sum, { splits }) => sum + splits, 0),
    permutation: held === null ? null : permutationTest(held.positions, held.returns, terms).p,
  };
}
