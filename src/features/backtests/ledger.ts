import {
  deflatedSharpe,
  independentTrials,
  OVERFITTING_LIMITS,
  overfittingVerdicts,
  type SharpeSample,
} from "../../core/backtest/overfitting.js";
import { ensure } from "../../core/base/assert.js";
import { absent, type Figure } from "../../core/performance/figure.js";
import { defineTask, type Workers } from "../../platform/workers.js";
import type { HeldReturns, JudgeOrder, TrialsJudged } from "./judge-worker.js";
import type { RunData } from "./series.js";
import type { Dataset, DatasetState, LedgerStore, TrialRow } from "./store.js";

const JUDGE = defineTask<JudgeOrder, TrialsJudged>(new URL("./judge-worker.js", import.meta.url));
/** Parts that days are cut into: 12,870 splits, and 252 of each set where there are several. */
const BLOCKS = 16;
const BLOCKS_OF_SETS = 10;
/** Trials that are cross-validated at most, the newest. */
const JUDGED_LIMIT = 500;

/** What was chosen, or tried alone. */
export interface Judged {
  readonly sample: SharpeSample | null;
  /** Days of the returns that it is of. */
  readonly days: number;
  /** The p-value, or what it is to be computed of. */
  readonly permutation: Figure | HeldReturns;
  /** Trials in sets that were chosen from one by one; the ledger's on the same days without them. */
  readonly sets?: readonly (readonly Float64Array[])[];
  readonly seed: number;
}

/** The bars that trials are counted by. */
export type CountedBars = Pick<RunData, "series" | "sha256" | "synthetic">;

/** Counts every trial, and says what a result is worth after so many. */
export interface Ledger {
  record(userId: string, data: CountedBars, trials: readonly TrialRow[]): Promise<number>;
  /** @param datasetId as `record` gave it. */
  judge(datasetId: number, judged: Judged, signal?: AbortSignal): Promise<OverfittingView>;
  /** Of results that were chosen from the same trials, which are looked at once for all of the same days. */
  judgeAll(datasetId: number, all: readonly Judged[], signal?: AbortSignal): Promise<OverfittingView[]>;
}

export type OverfittingView = ReturnType<typeof viewOf>;

/** What the trials on a data set say, whichever of them is looked at. */
interface Basis {
  readonly state: DatasetState;
  /** Trials that were cross-validated. */
  readonly trials: number;
  readonly found: TrialsJudged;
}

export function createLedger({ store, workers }: { store: LedgerStore; workers: Workers }): Ledger {
  async function basisOf(datasetId: number, judged: Judged, signal?: AbortSignal): Promise<Basis> {
    const { days, seed } = judged;
    const [state, returns] = await Promise.all([
      store.state(datasetId),
      store.loadReturns(datasetId, days, JUDGED_LIMIT),
    ]);
    const sets = judged.sets ?? [returns];
    const blocks = judged.sets === undefined ? BLOCKS : BLOCKS_OF_SETS;
    const order = { sets, blocks, held: heldOf(judged), seed };
    const found = await workers.run(JUDGE, order, signal === undefined ? {} : { signal });
    return { state, trials: sets.reduce((sum, set) => sum + set.length, 0), found };
  }

  return {
    record: (userId, data, trials) => store.add(datasetOf(userId, data), trials),
    judge: async (datasetId, judged, signal) => viewOf(await basisOf(datasetId, judged, signal), judged),

    async judgeAll(datasetId, all, signal) {
      const known = new Map<number, Basis>();
      const views: OverfittingView[] = [];
      for (const judged of all) {
        const isShared = judged.sets === undefined && heldOf(judged) === null;
        const basis =
          (isShared ? known.get(judged.days) : undefined) ?? (await basisOf(datasetId, judged, signal));
        if (isShared) known.set(judged.days, basis);
        views.push(viewOf(basis, judged));
      }
      return views;
    },
  };
}

/** What a permutation test is to be computed of; null where there is one. */
function heldOf({ permutation }: Judged): HeldReturns | null {
  return "positions" in permutation ? permutation : null;
}

function viewOf({ state, trials, found }: Basis, judged: Judged) {
  const permutation =
    "positions" in judged.permutation
      ? ensure(found.permutation, "what was held was judged")
      : judged.permutation;
  const { correlation } = found;
  const independent =
    state.trials < 2 || Number.isNaN(correlation)
      ? state.trials
      : Math.max(1, independentTrials(state.trials, Math.max(0, correlation)));
  const deflated = deflatedOf(judged.sample, independent, state.trials, state.variance);
  const figures = { deflatedSharpe: deflated, overfitting: found.probability, permutation };
  const verdicts = overfittingVerdicts(figures);
  return {
    trials: state.trials,
    trials_on_overlapping_data: state.overlapping,
    independent_trials: independent,
    deflated_sharpe: deflated,
    probability_of_overfitting: found.probability,
    loss_probability: found.lossProbability,
    sharpe_degradation: found.degradation,
    cross_validated: { trials, splits: found.splits },
    permutation_p: permutation,
    verdicts: {
      deflated_sharpe: verdicts.deflatedSharpe,
      overfitting: verdicts.overfitting,
      permutation: verdicts.permutation,
    },
    limits: {
      deflated_sharpe: OVERFITTING_LIMITS.deflatedSharpe,
      overfitting: OVERFITTING_LIMITS.overfitting,
      permutation: OVERFITTING_LIMITS.permutation,
    },
  };
}

/** Of a single trial the probabilistic Sharpe ratio, for nothing was chosen. */
function deflatedOf(sample: SharpeSample | null, count: number, trials: number, variance: number): Figure {
  if (sample === null) return absent("the returns do not vary");
  return deflatedSharpe(sample, { count, variance: trials < 2 ? 0 : variance });
}

function datasetOf(userId: string, { series, sha256, synthetic }: CountedBars): Dataset {
  const ends = series.map(({ time }) => [time[0], time[time.length - 1]]);
  return {
    userId,
    sha256,
    symbols: series.map(({ symbol }) => symbol),
    interval: series[0].interval,
    firstMs: Math.min(...ends.map(([first]) => first)),
    lastMs: Math.max(...ends.map(([, last]) => last)),
    bars: series.reduce((sum, { time }) => sum + time.length, 0),
    synthetic,
  };
}
