import { type Resampled, type ResampleTerms, studentBounds } from "./auc-error.js";
import { compareModels } from "./compare.js";
import { BLOCK_SPAN, overlapOf } from "./lesson.js";
import type { LiveScores } from "./watch.js";

/** What a shadow did beside the active version on the same decisions, live. NaN before the first look. */
export interface Duel {
  /** Decisions of the look that decided, or of the newest one; 0 before the first. */
  readonly samples: number;
  /** AUC of the shadow less that of the active version, with the interval that a look decides by. */
  readonly areaGain: number;
  readonly areaGainLow: number;
  readonly areaGainHigh: number;
  /** Log-loss saved by the shadow, with its interval alike. */
  readonly gain: number;
  readonly gainLow: number;
  readonly gainHigh: number;
  readonly verdict: "promote" | "refuse" | "wait";
}

const FIRST_LOOK = 50;
/** Looks, each at twice the labels of the one before: they cost little of what can be told by the last. */
const LOOKS = 4;
/** Blocks that the first look has at least: by fewer, Student's bounds tell nothing. */
const LEAST_BLOCKS = 5;
/** Chance that any look finds one better, or worse, that is as good. */
const LEVEL = 0.05;
const BOOTSTRAP = { seed: 1, draws: 500 };
const NONE = { value: Number.NaN, low: Number.NaN, high: Number.NaN };

/**
 * Whether a shadow takes over: at the first look at which it ranks better beyond chance and has lost no log-loss. It is given
 * up at the first at which it ranks worse, or loses log-loss, beyond chance, and after the last look. Looks are at the first so
 * many labels, whenever they are made: at 50 and at each doubling, four of them, of which the first has five blocks. The
 * chance of error is shared out evenly among the looks (C. Bonferroni 1936), and rows are drawn in blocks of twice what their
 * outcomes overlap.
 * @param active scores of the active version, in the order in which labels were known. @param shadow those of the shadow on
 * the same rows.
 */
export function judgeDuel(active: LiveScores, shadow: Float64Array): Duel {
  let [looks, duel] = [0, duelOf(0, NONE, NONE, "wait")];
  for (let samples = FIRST_LOOK; samples <= active.labels.length && looks < LOOKS; samples *= 2) {
    const first = firstOf(active, samples);
    const terms = { ...BOOTSTRAP, meanBlock: BLOCK_SPAN * overlapOf(first) };
    if (looks === 0 && samples < LEAST_BLOCKS * terms.meanBlock) continue;
    looks++;
    duel = lookAt(first, shadow.slice(0, samples), terms, looks === LOOKS);
    if (duel.verdict !== "wait") break;
  }
  return duel;
}

function lookAt(active: LiveScores, shadow: Float64Array, terms: ResampleTerms, isLast: boolean): Duel {
  const boundsOf = (found: Resampled) => ({
    value: found.value,
    ...studentBounds(found, LEVEL / LOOKS / 2),
  });
  const area = boundsOf(compareModels(active, shadow, "area", terms));
  const loss = boundsOf(compareModels(active, shadow, "log_loss", terms));
  const isBetter = area.low > 0 && loss.value >= 0;
  const isWorse = area.high < 0 || loss.high < 0;
  const verdict = isBetter ? "promote" : isWorse || isLast ? "refuse" : "wait";
  return duelOf(active.labels.length, area, loss, verdict);
}

function duelOf(samples: number, area: typeof NONE, loss: typeof NONE, verdict: Duel["verdict"]): Duel {
  return {
    samples,
    ...{ areaGain: area.value, areaGainLow: area.low, areaGainHigh: area.high },
    ...{ gain: loss.value, gainLow: loss.low, gainHigh: loss.high },
    verdict,
  };
}

function firstOf({ scores, labels, decidedAt, settledAt }: LiveScores, count: number): LiveScores {
  const first = (column: Float64Array) => column.slice(0, count);
  return {
    scores: first(scores),
    labels: first(labels),
    decidedAt: first(decidedAt),
    settledAt: first(settledAt),
  };
}
