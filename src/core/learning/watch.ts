import { quantileOf } from "../base/stats.js";
import { areaInterval } from "./auc-error.js";
import { type Change, createAdaptiveWindow, observe } from "./drift.js";
import { PROMOTION } from "./governance.js";
import { overlapOf } from "./lesson.js";
import { areaUnderCurve, expectedCalibrationError, logLoss, type Scored } from "./metrics.js";
import { type Stability, stabilityVerdict } from "./stability.js";

/** Scores of live decisions with what then happened, in the order in which labels were known. */
export interface LiveScores extends Pick<Scored, "scores" | "labels"> {
  /** When each was decided, and when its label was known, epoch ms. */
  readonly decidedAt: Float64Array;
  readonly settledAt: Float64Array;
}

/** What is asked of an active version by what became of its scores. */
export interface WatchTerms {
  /** Newest labels that are looked at, and labels below which nothing is said. */
  readonly window: number;
  readonly least: number;
  /** AUC that it may not be surely below. */
  readonly leastAuc: number;
  readonly mostCalibrationError: number;
  /** Chance, both ends together, by which the interval of the AUC leaves it out. */
  readonly level: number;
  readonly seed: number;
  readonly draws: number;
}

/** What scores rows is asked for what it was promoted by. */
export const WATCH: WatchTerms = Object.freeze({
  window: 500,
  least: 100,
  leastAuc: PROMOTION.leastAuc,
  mostCalibrationError: 0.15,
  level: 0.01,
  seed: 1,
  draws: 1_000,
});

/** Of what was promoted by other measures than chances of a win it is asked that it says no less than chance. */
export const VOTE_WATCH: WatchTerms = Object.freeze({
  ...WATCH,
  leastAuc: 0.5,
  mostCalibrationError: 1,
});

export type DecayReason = "worse_than_chance" | "edge_lost" | "miscalibrated" | "errors_rose";

/** How an active version does of late, and whether it is to be taken back. */
export interface Decay {
  /** Newest labels that were looked at. */
  readonly samples: number;
  readonly auc: number;
  readonly aucHigh: number;
  readonly leastAuc: number;
  readonly logLoss: number;
  /** Of the share of wins for all alike. */
  readonly baseLogLoss: number;
  readonly calibrationError: number;
  /** Mean squared errors before and since the newest change that was found in them; NaN without one. */
  readonly errorBefore: number;
  readonly errorSince: number;
  /** Null while it may stay. */
  readonly reason: DecayReason | null;
}

/**
 * Looks at the newest scores of an active version beside what then happened. It is to be taken back where its AUC is below
 * a half, or below what it was promoted by, beyond chance; where it is so far from calibrated that the share of wins for all
 * alike tells more; and where its squared errors rose, by a window that adapts itself (ADWIN2), to no less than those of
 * that share.
 * @param scored all since it became active. @returns null where there are too few of either label.
 */
export function judgeDecay(scored: LiveScores, terms: WatchTerms = WATCH): Decay | null {
  const newest = newestOf(scored, terms.window);
  const { labels } = newest;
  const n = labels.length;
  const wins = labels.reduce((sum, label) => sum + label, 0);
  if (n < terms.least || wins === 0 || wins === n) return null;
  const { seed, draws: count } = terms;
  const { draws } = areaInterval(newest, { seed, draws: count, meanBlock: overlapOf(newest) });
  const aucHigh = quantileOf(draws, 1 - terms.level / 2);
  const loss = logLoss(newest);
  const base = logLoss({ scores: new Float64Array(n).fill(wins / n), labels });
  const error = expectedCalibrationError(newest);
  const change = changeOf(scored);
  const rose = change !== null && change.after > change.before && change.after >= change.base;
  const reason: DecayReason | null =
    aucHigh < 0.5
      ? "worse_than_chance"
      : aucHigh < terms.leastAuc
        ? "edge_lost"
        : error > terms.mostCalibrationError && loss > base
          ? "miscalibrated"
          : rose && terms.mostCalibrationError < 1
            ? "errors_rose"
            : null;
  return {
    ...{ samples: n, auc: areaUnderCurve(newest), aucHigh, leastAuc: terms.leastAuc },
    ...{ logLoss: loss, baseLogLoss: base, calibrationError: error },
    ...{ errorBefore: change?.before ?? Number.NaN, errorSince: change?.after ?? Number.NaN, reason },
  };
}

function newestOf({ scores, labels, decidedAt, settledAt }: LiveScores, count: number): LiveScores {
  const from = Math.max(0, labels.length - count);
  const newest = (column: Float64Array) => column.slice(from);
  return {
    scores: newest(scores),
    labels: newest(labels),
    decidedAt: newest(decidedAt),
    settledAt: newest(settledAt),
  };
}

/** The newest change of squared errors, with those of the share of wins since; null where they stood still. */
function changeOf({ scores, labels }: LiveScores): (Change & { readonly base: number }) | null {
  const window = createAdaptiveWindow();
  let found: Change | null = null;
  for (let i = 0; i < scores.length; i++) found = observe(window, (scores[i] - labels[i]) ** 2) ?? found;
  if (found === null) return null;
  const since = labels.slice(-found.width);
  const rate = since.reduce((sum, label) => sum + label, 0) / since.length;
  return { ...found, base: rate * (1 - rate) };
}

/** How far the columns that a version learned by have gone from what they were. */
export interface Shift {
  /** Share of its splits' gain, 0 to 1, that lies in columns which are not to be trusted any more. */
  readonly shifted: number;
  readonly limit: number;
  readonly reason: "features_shifted" | null;
}

/** Share of the gain from which on a version is taken back. */
const MOST_SHIFTED = 0.5;

/**
 * Whether what a version reads is no longer what it was trained on: by how much of its splits' gain lies in columns that
 * have shifted, by their population stability, beyond the limit and beyond chance.
 * @param stabilities of each column. @param shares of the gain of all splits, by column.
 */
export function judgeShift(stabilities: readonly Stability[], shares: ArrayLike<number>): Shift {
  let shifted = 0;
  for (const [k, each] of stabilities.entries())
    if (stabilityVerdict(each) === "shifted") shifted += shares[k];
  return { shifted, limit: MOST_SHIFTED, reason: shifted >= MOST_SHIFTED ? "features_shifted" : null };
}
