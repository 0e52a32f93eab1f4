import { createRng } from "../base/rng.js";
import { type Classifier, gramValue, type Pair, softmax } from "./classifier.js";
import { DENSE, type Features } from "./features.js";

export interface Sample {
  readonly features: Features;
  /** -1 bad news, 0 none, 1 good news. */
  readonly target: -1 | 0 | 1;
}

export interface TrainSettings {
  readonly epochs: number;
  readonly rate: number;
  /** L2 penalties per sample. */
  readonly gramPenalty: number;
  readonly densePenalty: number;
  /** Grams of fewer training texts are left out. */
  readonly minTexts: number;
  readonly seed: number;
}

/** Grams that enough texts hold, in order of hash; `allowed` may keep names out. */
export function vocabularyOf(
  samples: readonly Sample[],
  minTexts: number,
  allowed: (hash: number) => boolean,
): readonly number[] {
  const counts = new Map<number, number>();
  for (const { features } of samples)
    for (const { hash } of features.grams) counts.set(hash, (counts.get(hash) ?? 0) + 1);
  return [...counts]
    .filter(([hash, count]) => count >= minTexts && allowed(hash))
    .map(([hash]) => hash)
    .sort((a, b) => a - b);
}

/** One sample as columns: indexes into the weights, and values. */
interface Row {
  readonly index: Int32Array;
  readonly value: Float64Array;
  readonly target: -1 | 0 | 1;
}

function rowOf(sample: Sample, position: ReadonlyMap<number, number>): Row {
  const index: number[] = [0];
  const value: number[] = [1];
  sample.features.dense.forEach((size, at) => {
    if (size === 0) return;
    index.push(1 + at);
    value.push(size);
  });
  const known = sample.features.grams.flatMap((gram) => position.get(gram.hash) ?? []);
  for (const at of known) {
    index.push(1 + DENSE.length + at);
    value.push(gramValue(known.length));
  }
  return { index: Int32Array.from(index), value: Float64Array.from(value), target: sample.target };
}

/** Weights of one class and the sums of squared gradients that set their steps (AdaGrad, Duchi et al. 2011). */
class Side {
  readonly weight: Float64Array;
  private readonly squares: Float64Array;

  constructor(size: number) {
    this.weight = new Float64Array(size);
    this.squares = new Float64Array(size).fill(1e-8);
  }

  logit(row: Row): number {
    let sum = 0;
    for (let i = 0; i < row.index.length; i++) sum += this.weight[row.index[i]] * row.value[i];
    return sum;
  }

  step(row: Row, error: number, settings: TrainSettings): void {
    for (let i = 0; i < row.index.length; i++) {
      const at = row.index[i];
      const penalty = at === 0 ? 0 : at <= DENSE.length ? settings.densePenalty : settings.gramPenalty;
      const gradient = error * row.value[i] + penalty * this.weight[at];
      this.squares[at] += gradient * gradient;
      this.weight[at] -= (settings.rate * gradient) / Math.sqrt(this.squares[at]);
    }
  }
}

/**
 * Multinomial logistic regression with neutral as the reference class, by stochastic gradient descent; the same
 * samples and seed give the same weights.
 */
export function trainClassifier(
  samples: readonly Sample[],
  vocabulary: readonly number[],
  settings: TrainSettings,
): Classifier {
  const position = new Map(vocabulary.map((hash, at) => [hash, at]));
  const rows = samples.map((sample) => rowOf(sample, position));
  const size = 1 + DENSE.length + vocabulary.length;
  const bad = new Side(size);
  const good = new Side(size);
  const rng = createRng(settings.seed);
  const order = rows.map((_, i) => i);
  for (let epoch = 0; epoch < settings.epochs; epoch++) {
    for (let i = order.length - 1; i > 0; i--) {
      const j = rng.below(i + 1);
      [order[i], order[j]] = [order[j], order[i]];
    }
    for (const at of order) {
      const row = rows[at];
      const { negative, positive } = softmax(bad.logit(row), good.logit(row));
      bad.step(row, negative - (row.target < 0 ? 1 : 0), settings);
      good.step(row, positive - (row.target > 0 ? 1 : 0), settings);
    }
  }
  const pair = (at: number): Pair => ({ negative: bad.weight[at], positive: good.weight[at] });
  return {
    bias: pair(0),
    dense: new Map(DENSE.map((name, at) => [name, pair(1 + at)])),
    grams: new Map(vocabulary.map((hash, at) => [hash, pair(1 + DENSE.length + at)])),
    temperature: 1,
  };
}
