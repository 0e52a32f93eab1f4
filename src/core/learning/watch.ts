import { meanOf } from "../base/stats.js";
import { areaBounds, areaInterval, type ResampleTerms, resample, studentBounds } from "./auc-error.js";
import { createAdaptiveWindow, observe } from "./drift.js";
import { PROMOTION } from "./governance.js";
import { BLOCK_SPAN, overlapOf } from "./lesson.js";
import { expectedCalibrationError, logLoss, lossOf, type Scored } from "./metrics.js";
import { type Stability, stabilityVerdict } from "./stability.js";

/** Scores of live decisions with what then happened, in the order in which labels were known. */
export interface LiveScores extends Pick<Scored, "scores" | "labels"> {
  /** When each was decided, and when its label was known, epoch ms. */
  readonly decidedAt: Float64Array;
  readonly settledAt: Float64Array;
}

/** What is asked of an active version by what became of its scores. */
export interface WatchTerms {
  /** Newest labels that are looked at, or as many as make 20 blocks where outcomes overlap for long. */
  readonly window: number;
  /** Labels below which nothing is said, and new ones from one look to the next. */
  readonly least: number;
  /** AUC that it may not be surely below. */
  readonly leastAuc: number;
  readonly mostCalibrationError: number;
  /** Chance, by each measure, that any look ever takes back what is as good as is asked. */
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
  level: 0.05,
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

/** Blocks of a window at least. */
const WINDOW_BLOCKS = 20;
/** Cuts that the adaptive window has to choose from, about: the one that it finds is no single one. */
const CUTS = 20;
/** Looks that a window is worth: those within one lean on the same labels. */
const LOOKS = 2;

/** What one look sees of all labels: rows, blocks that they are drawn in, and the chance of an error that it may spend. */
export interface DecayLook {
  readonly from: number;
  readonly to: number;
  readonly blocks: ResampleTerms;
  readonly level: number;
}

/** The latest look that labels have made due; an empty one before the first. */
export function decayLookAt(
  { decidedAt, settledAt }: Pick<LiveScores, "decidedAt" | "settledAt">,
  terms: WatchTerms,
): DecayLook {
  const to = Math.floor(decidedAt.length / terms.least) * terms.least;
  const meanBlock =
    BLOCK_SPAN * overlapOf({ decidedAt: decidedAt.subarray(0, to), settledAt: settledAt.subarray(0, to) });
  const window = Math.max(terms.window, Math.ceil(WINDOW_BLOCKS * meanBlock));
  const windows = Math.max(1, Math.ceil(to / window));
  return {
    from: Math.max(0, to - window),
    to,
    blocks: { seed: terms.seed, draws: terms.draws, meanBlock },
    level: terms.level / (windows * (windows + 1) * LOOKS),
  };
}

/**
 * Looks at the newest scores of an active version beside what then happened. It is to be taken back where its AUC is below
 * a half, or below what it was promoted by, beyond chance; where it is so far from calibrated that the share of wins for all
 * alike tells more, beyond chance; and where its squared errors rose, by a window that adapts itself (ADWIN2) and beyond what
 * overlapping outcomes make of it, to no less than those of that share. Looks are at each so many labels, whenever it is
 * asked, and those of the k-th window may spend 1 / k(k + 1) of the level.
 * @param scored all since it became active. @returns null where there are too few of either label.
 */
export function judgeDecay(scored: LiveScores, terms: WatchTerms = WATCH): Decay | null {
  const { from, to, blocks, level } = decayLookAt(scored, terms);
  const seen = rowsOf(scored, 0, to);
  const newest = rowsOf(scored, from, to);
  const { labels } = newest;
  const n = labels.length;
  const wins = labels.reduce((sum, label) => sum + label, 0);
  if (n < terms.least || wins === 0 || wins === n) return null;
  const area = areaInterval(newest, blocks);
  const { high: aucHigh } = areaBounds(area, level);
  const loss = logLoss(newest);
  const base = logLoss({ scores: new Float64Array(n).fill(wins / n), labels });
  const error = expectedCalibrationError(newest);
  const asksChances = terms.mostCalibrationError < 1;
  const change = asksChances ? changeOf(seen) : null;
  const reason: DecayReason | null =
    aucHigh < 0.5
      ? "worse_than_chance"
      : aucHigh < terms.leastAuc
        ? "edge_lost"
        : error > terms.mostCalibrationError && loss > base && lossesMore(newest, blocks, level)
          ? "miscalibrated"
          : change !== null && hasRisen(seen, change, blocks, level)
            ? "errors_rose"
            : null;
  return {
    ...{ samples: n, auc: area.value, aucHigh, leastAuc: terms.leastAuc },
    ...{ logLoss: loss, baseLogLoss: base, calibrationError: error },
    ...{ errorBefore: change?.before ?? Number.NaN, errorSince: change?.since ?? Number.NaN, reason },
  };
}

function rowsOf({ scores, labels, decidedAt, settledAt }: LiveScores, from: number, to: number): LiveScores {
  const rows = (column: Float64Array) => column.slice(from, to);
  return {
    scores: rows(scores),
    labels: rows(labels),
    decidedAt: rows(decidedAt),
    settledAt: rows(settledAt),
  };
}

/** Whether the log-loss is above that of the share of wins for all alike, beyond chance. */
function lossesMore({ scores, labels }: LiveScores, blocks: ResampleTerms, level: number): boolean {
  const losses = scores.map((score, i) => lossOf(score, labels[i]));
  const more = (weights: Float64Array) => {
    let [sum, wins, total] = [0, 0, 0];
    for (let i = 0; i < losses.length; i++) {
      sum += weights[i] * losses[i];
      wins += weights[i] * labels[i];
      total += weights[i];
    }
    const rate = wins / total;
    return (sum - wins * lossOf(rate, 1) - (total - wins) * lossOf(rate, 0)) / total;
  };
  return studentBounds(resample({ labels }, blocks, more(labels.map(() => 1)), more), level).low > 0;
}

/** The newest change of squared errors. */
interface ErrorChange {
  /** First label of the stretch before it, and first since. */
  readonly from: number;
  readonly at: number;
  /** Mean squared errors of the two. */
  readonly before: number;
  readonly since: number;
}

/** Null where they stood still. */
function changeOf({ scores, labels }: LiveScores): ErrorChange | null {
  const window = createAdaptiveWindow();
  const errors = scores.map((score, i) => (score - labels[i]) ** 2);
  let found: ErrorChange | null = null;
  for (const [i, error] of errors.entries()) {
    const change = observe(window, error);
    if (change === null) continue;
    const at = i + 1 - change.width;
    found = { from: at - change.dropped, at, before: change.before, since: meanOf(errors.subarray(at)) };
  }
  return found;
}

/**
 * Whether squared errors are greater since a change than before it by more than blocks of overlapping outcomes differ, and no
 * less than those of the share of wins since.
 */
function hasRisen(
  { scores, labels }: LiveScores,
  { from, at, before, since }: ErrorChange,
  { seed, draws, meanBlock = 1 }: ResampleTerms,
  level: number,
): boolean {
  const rate = meanOf(labels.subarray(at));
  if (!(since > before && since >= rate * (1 - rate))) return false;
  const errors = scores.map((score, i) => (score - labels[i]) ** 2).subarray(from);
  const cut = at - from;
  const rows = Int32Array.from(errors.keys());
  const parts = [rows.subarray(0, cut), rows.subarray(cut)].map((part) => ({ rows: part, meanBlock }));
  const rise = (weights: Float64Array) => {
    const sums = [0, 0];
    for (let i = 0; i < errors.length; i++) sums[i < cut ? 0 : 1] += weights[i] * errors[i];
    return sums[1] / (errors.length - cut) - sums[0] / cut;
  };
  const terms = { seed, parts, ...(draws === undefined ? {} : { draws }) };
  return studentBounds(resample({ labels: errors }, terms, since - before, rise), level / CUTS).low > 0;
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
