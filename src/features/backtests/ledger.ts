import {
  OVERFITTING_LIMITS,
  overfittingVerdicts,
  ratioBeyond,
  type SharpeSample,
} from "../../core/backtest/overfitting.js";
import { deflatedByHurdle, type Hurdle } from "../../core/backtest/trials.js";
import { absent, type Figure } from "../../core/performance/figure.js";
import { defineTask, type Workers } from "../../platform/workers.js";
import type { FamilyJudged, FamilyOrder } from "./family-worker.js";
import type { JudgeOrder, TrialsJudged } from "./judge-worker.js";
import { daysOf, type RunData } from "./series.js";
import { returnsOn, sharedDays } from "./shared-days.js";
import type { Dataset, LedgerStore, TrialFamily, TrialRow } from "./store.js";
import type { RunTerms } from "./terms.js";

const FAMILY = defineTask<FamilyOrder, FamilyJudged>(new URL("./family-worker.js", import.meta.url));
const JUDGE = defineTask<JudgeOrder, TrialsJudged>(new URL("./judge-worker.js", import.meta.url));
/** Parts that days are cut into: 12,870 splits, 924 of many trials, and 252 of each set where there are several. */
const BLOCKS = 16;
const BLOCKS_OF_MANY = 12;
const MANY = 100;
const BLOCKS_OF_SETS = 10;
/** Trials that are cross-validated at most, taken evenly of all. */
const JUDGED_LIMIT = 500;

/** What was chosen, or tried alone. */
export interface Judged {
  readonly sample: SharpeSample | null;
  /** Return of a day without risk that the ratio is beyond, as those of all trials are told to be compared; 0 by default. */
  readonly rate?: number;
  /** Days of the returns that it is of. */
  readonly days: number;
  /** The p-value of `permutationTest`. */
  readonly permutation: Figure;
  /** Trials in sets that were chosen from one by one; the ledger's on the same days without them. */
  readonly sets?: readonly (readonly Float64Array[])[];
}

/** The bars that trials are counted by. */
export type CountedBars = Pick<RunData, "series" | "sha256" | "synthetic"> & {
  readonly terms: Pick<RunTerms, "calendar">;
};

/** Counts every trial, and says what a result is worth after so many. */
export interface Ledger {
  record(userId: string, data: CountedBars, trials: readonly TrialRow[]): Promise<number>;
  /** @param datasetId as `record` gave it. */
  judge(datasetId: number, judged: Judged, signal?: AbortSignal): Promise<OverfittingView>;
  /** Of results that were chosen from the same trials under one rate, which are looked at once for all of the same days. */
  judgeAll(datasetId: number, all: readonly Judged[], signal?: AbortSignal): Promise<OverfittingView[]>;
}

export type OverfittingView = ReturnType<typeof viewOf>;

/** What the trials that count together with those on a data set say, whichever of them is looked at. */
interface Basis {
  readonly count: number;
  readonly onTheseBars: number;
  readonly family: FamilyJudged;
  /** Trials that were cross-validated. */
  readonly trials: number;
  readonly found: TrialsJudged;
}

export function createLedger({ store, workers }: { store: LedgerStore; workers: Workers }): Ledger {
  async function loadFamily(datasetId: number, rate: number, signal?: AbortSignal): Promise<Family> {
    const family = await store.family(datasetId);
    const { sketches, n } = family;
    const sharpe = ratiosBeyond(family, rate);
    const judged = await workers.run(FAMILY, { sketches, sharpe, n }, signal === undefined ? {} : { signal });
    return { family, judged, datasetId };
  }

  async function basisOf(all: Family, judged: Judged, signal?: AbortSignal): Promise<Basis> {
    const { family, datasetId } = all;
    const { rate = 0 } = judged;
    const shared = judged.sets ?? [await loadShared(store, all, judged.days)];
    const sets = rate === 0 ? shared : shared.map((set) => set.map((of) => of.map((each) => each - rate)));
    const blocks =
      judged.sets !== undefined ? BLOCKS_OF_SETS : sets[0].length > MANY ? BLOCKS_OF_MANY : BLOCKS;
    const order = { sets, blocks };
    const found = await workers.run(JUDGE, order, signal === undefined ? {} : { signal });
    return {
      count: family.ids.length,
      onTheseBars: family.datasetIds.filter((id) => id === datasetId).length,
      family: all.judged,
      trials: sets.reduce((sum, set) => sum + set.length, 0),
      found,
    };
  }

  return {
    record: (userId, data, trials) => store.add(datasetOf(userId, data), trials),
    judge: async (datasetId, judged, signal) =>
      viewOf(await basisOf(await loadFamily(datasetId, judged.rate ?? 0, signal), judged, signal), judged),

    async judgeAll(datasetId, all, signal) {
      const family = await loadFamily(datasetId, all[0]?.rate ?? 0, signal);
      const known = new Map<number, Basis>();
      const views: OverfittingView[] = [];
      for (const judged of all) {
        const isShared = judged.sets === undefined;
        const basis =
          (isShared ? known.get(judged.days) : undefined) ?? (await basisOf(family, judged, signal));
        if (isShared) known.set(judged.days, basis);
        views.push(viewOf(basis, judged));
      }
      return views;
    },
  };
}

interface Family {
  readonly datasetId: number;
  readonly family: TrialFamily;
  readonly judged: FamilyJudged;
}

/** Returns of trials that are no copies of each other on days that all of them have, columns of one length. */
async function loadShared(
  store: LedgerStore,
  { datasetId, family, judged: { distinct } }: Family,
  n: number,
): Promise<Float64Array[]> {
  const { days, places } = sharedDays(family, distinct, datasetId, n);
  const count = Math.min(places.length, JUDGED_LIMIT);
  const ids = Array.from(
    { length: count },
    (_, k) => family.ids[places[Math.floor((k * places.length) / count)]],
  );
  const byId = new Map(family.datasets.map((each) => [each.id, each.days]));
  const kept = await store.loadReturns(ids);
  return kept.map(({ datasetId: of, returns }) => returnsOn(returns, byId.get(of), days));
}

/** Ratios of all trials beyond one rate, whatever they ran under; of those whose deviation was not kept as they are. */
function ratiosBeyond({ sharpe, deviation }: TrialFamily, rate: number): Float64Array {
  if (rate === 0) return sharpe;
  return sharpe.map((each, k) => (Number.isNaN(deviation[k]) ? each : ratioBeyond(each, deviation[k], rate)));
}

/** What the deflated ratio is made of, by day. */
function deflatedFrom({ sharpe, n, skewness, kurtosis }: SharpeSample, { hurdle, trials, spread }: Hurdle) {
  const error = Math.sqrt(n);
  return { sharpe, n, skewness, kurtosis, hurdle: hurdle / error, trials, spread: spread / error };
}

function viewOf({ count, onTheseBars, family, trials, found }: Basis, judged: Judged) {
  const { sample, permutation } = judged;
  const deflated =
    sample === null ? absent("the returns do not vary") : deflatedByHurdle(sample, family.hurdle.hurdle);
  const figures = { deflatedSharpe: deflated, overfitting: found.probability, permutation };
  const verdicts = overfittingVerdicts(figures);
  return {
    trials: count,
    trials_on_these_bars: onTheseBars,
    independent_trials: family.distinct.length,
    deflated_sharpe: deflated,
    deflated_from: sample === null ? null : deflatedFrom(sample, family.hurdle),
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

function datasetOf(userId: string, { series, sha256, synthetic, terms }: CountedBars): Dataset {
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
    days: daysOf(series, terms),
  };
}
