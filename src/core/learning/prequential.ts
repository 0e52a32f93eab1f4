import { assert } from "../base/assert.js";
import { WeightsRefused } from "./define.js";
import { areaUnderCurve, lossOf } from "./metrics.js";
import { readColumn, readFields, readNumber, readWhole } from "./read-weights.js";

/** How scores fared that were each given before their label was known. A plain value that grows. */
export interface PrequentialScores {
  /** Newest rows that the area is told of. */
  readonly window: number;
  /** Rows, and sums over them of log-loss and of squared distance. */
  n: number;
  losses: number;
  squares: number;
  /** The newest rows, oldest first. */
  readonly scores: number[];
  readonly labels: number[];
}

export interface PrequentialFigures {
  readonly n: number;
  /** Over all rows. NaN of none. */
  readonly logLoss: number;
  readonly brier: number;
  /** Area under the curve over the newest rows. NaN unless both labels are among them. */
  readonly area: number;
}

/** @param window rows that the area is told of, 1 or more. */
export function createPrequential(window: number): PrequentialScores {
  assert(Number.isInteger(window) && window >= 1, "a window has a row");
  return { window, n: 0, losses: 0, squares: 0, scores: [], labels: [] };
}

/** @param score as it was given when the row was decided, 0 to 1. @param label 1 or 0. */
export function noteScore(kept: PrequentialScores, score: number, label: number): void {
  kept.n++;
  kept.losses += lossOf(score, label);
  kept.squares += (score - label) ** 2;
  kept.scores.push(score);
  kept.labels.push(label);
  if (kept.scores.length > kept.window) {
    kept.scores.shift();
    kept.labels.shift();
  }
}

export function readPrequential({
  n,
  losses,
  squares,
  scores,
  labels,
}: PrequentialScores): PrequentialFigures {
  const area = areaUnderCurve({ scores: Float64Array.from(scores), labels: Float64Array.from(labels) });
  return { n, logLoss: losses / n, brier: squares / n, area };
}

/** JSON of a kept. */
export function encodePrequential(kept: PrequentialScores): unknown {
  return { ...kept, scores: [...kept.scores], labels: [...kept.labels] };
}

/** @throws {WeightsRefused} for all that is not whole, finite and of one shape. */
export function decodePrequential(value: unknown): PrequentialScores {
  const keys = ["window", "n", "losses", "squares", "scores", "labels"] as const;
  const fields = readFields(value, keys, "prequential scores");
  const window = readWhole(fields.window, "window", 1, Number.MAX_SAFE_INTEGER);
  const n = readWhole(fields.n, "n", 0, Number.MAX_SAFE_INTEGER);
  const losses = readNumber(fields.losses, "losses", 0);
  const squares = readNumber(fields.squares, "squares", 0, n);
  const length = Math.min(n, window);
  const scores = [...readColumn(fields.scores, length, "scores", 0, 1)];
  const labels = [...readColumn(fields.labels, length, "labels", 0, 1)];
  if (!labels.every(Number.isInteger)) throw new WeightsRefused("a label is neither 0 nor 1");
  return { window, n, losses, squares, scores, labels };
}
