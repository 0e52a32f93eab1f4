import { areaInterval } from "./auc-error.js";
import { compareModels } from "./compare.js";
import { areaUnderCurve, expectedCalibrationError, logLoss, type Scored } from "./metrics.js";

/** What is asked of an active version by what became of its scores. */
export interface WatchTerms {
  /** Labels below which nothing is said. */
  readonly least: number;
  readonly mostCalibrationError: number;
  readonly seed: number;
  readonly draws: number;
}

export const WATCH: WatchTerms = Object.freeze({
  least: 100,
  mostCalibrationError: 0.15,
  seed: 1,
  draws: 500,
});

/** How an active version does, and whether it is to be taken back. */
export interface Decay {
  readonly samples: number;
  readonly auc: number;
  readonly aucHigh: number;
  readonly logLoss: number;
  /** Of the share of wins for all alike. */
  readonly baseLogLoss: number;
  readonly calibrationError: number;
  /** Null while it may stay. */
  readonly reason: "worse_than_chance" | "miscalibrated" | null;
}

/**
 * Looks at the scores of an active version beside what then happened. It is to be taken back where its AUC is below a half
 * beyond chance, or where it is so far from calibrated that the share of wins for all alike tells more.
 * @param scored in the order in which labels were known. @returns null where there are too few of either label.
 */
export function judgeDecay(scored: Scored, terms: WatchTerms = WATCH): Decay | null {
  const { labels } = scored;
  const n = labels.length;
  const wins = labels.reduce((sum, label) => sum + label, 0);
  if (n < terms.least || wins === 0 || wins === n) return null;
  const { high } = areaInterval(scored, { seed: terms.seed, draws: terms.draws });
  const loss = logLoss(scored);
  const base = logLoss({ scores: new Float64Array(n).fill(wins / n), labels });
  const error = expectedCalibrationError(scored);
  const reason =
    high < 0.5
      ? "worse_than_chance"
      : error > terms.mostCalibrationError && loss > base
        ? "miscalibrated"
        : null;
  return {
    ...{ samples: n, auc: areaUnderCurve(scored), aucHigh: high, logLoss: loss, baseLogLoss: base },
    ...{ calibrationError: error, reason },
  };
}

/** What a shadow did beside the active version on the same decisions, live. */
export interface Duel {
  readonly samples: number;
  /** Log-loss saved by the shadow, with the interval of a paired bootstrap. */
  readonly gain: number;
  readonly gainLow: number;
  readonly gainHigh: number;
  readonly verdict: "promote" | "refuse" | "wait";
}

/** Labels after which a shadow that is not worse takes over, and after which one that is not better is given up. */
const LEAST_DUEL = 50;
const LAST_DUEL = 400;

/**
 * Whether a shadow takes over: after 50 labels when it is better beyond chance, after 400 when it is not worse; given up
 * when it is worse beyond chance, or not better after 400.
 * @param active scores of the active version. @param shadow those of the shadow on the same rows.
 */
export function judgeDuel(active: Scored, shadow: Float64Array, { seed, draws }: WatchTerms = WATCH): Duel {
  const samples = active.labels.length;
  const found =
    samples < 2
      ? { value: Number.NaN, low: Number.NaN, high: Number.NaN }
      : compareModels(active, shadow, "log_loss", { seed, draws });
  const { value: gain, low: gainLow, high: gainHigh } = found;
  return { samples, gain, gainLow, gainHigh, verdict: verdictOf(samples, gain, gainLow, gainHigh) };
}

function verdictOf(samples: number, gain: number, low: number, high: number): Duel["verdict"] {
  if (samples < LEAST_DUEL) return "wait";
  if (low > 0) return "promote";
  if (high < 0) return "refuse";
  if (samples < LAST_DUEL) return "wait";
  return gain >= 0 ? "promote" : "refuse";
}
