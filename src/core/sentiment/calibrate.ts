import { ensure } from "../base/assert.js";
import { type Classifier, classify } from "./classifier.js";
import { type HitRates, LEXICON_THRESHOLD } from "./judge.js";
import { type Sample, type TrainSettings, trainClassifier, vocabularyOf } from "./train.js";

/** A sample whose fold tells when it is held out. */
export interface FoldedSample extends Sample {
  readonly fold: number;
}

/** Mean log-loss of classifiers at a temperature, each on the samples it has not seen. */
function logLoss(
  held: readonly { readonly of: Classifier; readonly samples: readonly Sample[] }[],
  temperature: number,
) {
  let sum = 0;
  let count = 0;
  for (const { of, samples } of held) {
    const tempered = { ...of, temperature };
    for (const { features, target } of samples) {
      const { negative, neutral, positive } = classify(tempered, features).probabilities;
      sum -= Math.log(Math.max(1e-12, target < 0 ? negative : target > 0 ? positive : neutral));
      count++;
    }
  }
  return sum / count;
}

/**
 * Trains on all samples, with the temperature (Guo et al. 2017) that makes cross-validated probabilities most
 * likely, so that they are frequencies on texts not seen.
 */
export function fitClassifier(
  samples: readonly FoldedSample[],
  allowed: (hash: number) => boolean,
  settings: TrainSettings,
): Classifier {
  const folds = [...new Set(samples.map((sample) => sample.fold))].sort((a, b) => a - b);
  const train = (chosen: readonly Sample[]) =>
    trainClassifier(chosen, vocabularyOf(chosen, settings.minTexts, allowed), settings);
  const held = folds.map((fold) => ({
    of: train(samples.filter((sample) => sample.fold !== fold)),
    samples: samples.filter((sample) => sample.fold === fold),
  }));
  const losses = Array.from({ length: 31 }, (_, i) => {
    const temperature = 0.7 + i * 0.03;
    return { temperature, loss: logLoss(held, temperature) };
  });
  const best = ensure(
    losses.reduce((low, next) => (next.loss < low.loss ? next : low)),
    "there is a temperature",
  );
  return { ...train(samples), temperature: Math.round(best.temperature * 100) / 100 };
}

const EDGES = [1e-9, 0.15, 0.3, LEXICON_THRESHOLD, 0.6, 0.7, 0.8, 0.9];
/** Fewer texts than this say nothing of a hit rate; such a row joins the one below it. */
const MIN_TEXTS = 100;

/** How often the lexicon's label is right, by size of its score. */
export function hitRatesOf(
  judged: readonly { readonly score: number; readonly target: -1 | 0 | 1 }[],
): HitRates {
  const rows: { below: number; right: number; texts: number }[] = [];
  let from = 0;
  for (const below of [...EDGES, 1.001]) {
    const inside = judged.filter(({ score }) => Math.abs(score) >= from && Math.abs(score) < below);
    const right = inside.filter(({ score, target }) => labelOf(score) === target).length;
    const last = rows.at(-1);
    if (last !== undefined && inside.length < MIN_TEXTS && from !== LEXICON_THRESHOLD) {
      last.below = below;
      last.right += right;
      last.texts += inside.length;
    } else rows.push({ below, right, texts: inside.length });
    from = below;
  }
  return rows.map(({ below, right, texts }) => ({
    below,
    rate: texts === 0 ? 0 : Math.round((right / texts) * 1e3) / 1e3,
    texts,
  }));
}

function labelOf(score: number): -1 | 0 | 1 {
  if (Math.abs(score) < LEXICON_THRESHOLD) return 0;
  return score > 0 ? 1 : -1;
}
