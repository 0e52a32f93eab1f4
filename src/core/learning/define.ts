/**
 * What there is to learn from: one row for each decision, in the order of time. Columns are named once and of one
 * length; NaN is a value that was not known when the decision was made.
 */
export interface Samples {
  readonly names: readonly string[];
  /** One column for each name. */
  readonly columns: readonly Float64Array[];
  /** 1 where the decision turned out well, 0 where it did not. */
  readonly labels: Float64Array;
  /** When the decision was made: the close of its bar, epoch ms UTC, ascending. */
  readonly decidedAt: Float64Array;
  /** When the label was known, epoch ms UTC, after `decidedAt`. */
  readonly settledAt: Float64Array;
  /** How much a row counts, above 0; each counts 1 without it. */
  readonly weights?: Float64Array;
}

/** What a file of weights is not: one that can be used. */
export class WeightsRefused extends Error {
  override readonly name = "WeightsRefused";
}

/**
 * A kind of model for the chance that a label is 1. Weights are plain values: they are written with JSON and read back
 * to the last bit.
 */
export interface ModelKind<Weights> {
  /** snake_case. */
  readonly id: string;
  readonly title: string;
  /** Raised when the same weights would score otherwise than before. */
  readonly schema: number;
  /** The same samples, settings and seed give the same weights on each machine. */
  train(samples: Samples, seed: number): Weights;
  /** Chance of label 1 for one row in the order of the names the weights were trained with, 0 to 1. */
  score(weights: Weights, row: Float64Array): number;
  /** What each column added to the log-odds of the score, and what there was without any; they sum to the log-odds. */
  explain(weights: Weights, row: Float64Array): { readonly base: number; readonly parts: Float64Array };
  /** JSON of weights; one that `decode` reads back. */
  encode(weights: Weights): unknown;
  /** @throws {WeightsRefused} with a reason for all that is not whole, finite and of one shape. */
  decode(value: unknown): Weights;
}
