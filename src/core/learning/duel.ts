import { quantileOf } from "../base/stats.js";
import { compareModels } from "./compare.js";
import { overlapOf } from "./lesson.js";
import type { LiveScores } from "./watch.js";

/** What a shadow did beside the active version on the same decisions, live. */
export interface Duel {
  /** Decisions of the look that decided, or of the newest one; 0 before the first. */
  readonly samples: number;
  /** Log-loss saved by the shadow, with the interval that a look decides by. NaN before the first look. */
  readonly gain: number;
  readonly gainLow: number;
  readonly gainHigh: number;
  readonly verdict: "promote" | "refuse" | "wait";
}

/**
 * Labels after which the two are compared. Each look is of the first so many, whenever it is made, and looks of doubling
 * sizes cost little of what can be told by the last.
 */
export const DUEL_LOOKS: readonly number[] = Object.freeze([50, 100, 200, 400]);
/** Chance that any look finds one better, or worse, that is as good. */
const LEVEL = 0.05;
const BOOTSTRAP = { seed: 1, draws: 2_000 };

/**
 * Whether a shadow takes over: at the first look at which it is better beyond chance. It is given up at the first at which
 * it is worse beyond chance, and after the last look. The chance of error is shared out evenly among the looks
 * (C. Bonferroni 1936), and rows are drawn in blocks as long as their outcomes overlap.
 * @param active scores of the active version, in the order in which labels were known. @param shadow those of the shadow on
 * the same rows.
 */
export function judgeDuel(active: LiveScores, shadow: Float64Array): Duel {
  const last = DUEL_LOOKS[DUEL_LOOKS.length - 1];
  let duel: Duel = {
    samples: 0,
    gain: Number.NaN,
    gainLow: Number.NaN,
    gainHigh: Number.NaN,
    verdict: "wait",
  };
  for (const samples of DUEL_LOOKS) {
    if (active.labels.length < samples) break;
    const first = firstOf(active, samples);
    const terms = { ...BOOTSTRAP, meanBlock: overlapOf(first) };
    const { value: gain, draws } = compareModels(first, shadow.slice(0, samples), "log_loss", terms);
    const tail = LEVEL / DUEL_LOOKS.length / 2;
    const [gainLow, gainHigh] = [quantileOf(draws, tail), quantileOf(draws, 1 - tail)];
    const verdict = gainLow > 0 ? "promote" : gainHigh < 0 || samples === last ? "refuse" : "wait";
    duel = { samples, gain, gainLow, gainHigh, verdict };
    if (verdict !== "wait") break;
  }
  return duel;
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
