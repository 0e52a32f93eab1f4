import { DENSE, type Features, type Gram } from "./features.js";

/** Probabilities that a text is bad, no and good news; they sum to 1. */
export interface Probabilities {
  readonly negative: number;
  readonly neutral: number;
  readonly positive: number;
}

/** Weights of one feature against neutral, whose weights are 0. */
export interface Pair {
  readonly negative: number;
  readonly positive: number;
}

/** A softmax regression over lexicon features and grams. */
export interface Classifier {
  readonly bias: Pair;
  /** By name of `DENSE`. */
  readonly dense: ReadonlyMap<string, Pair>;
  /** By hash of the gram. */
  readonly grams: ReadonlyMap<number, Pair>;
  /** Divides the logits, measured so that probabilities are frequencies. */
  readonly temperature: number;
}

/** A gram that moved the answer: `weight` is the log-odds it adds to good against bad news. */
export interface LearnedTerm extends Gram {
  readonly weight: number;
}

/** Value of each known gram of a text: long texts have many, each of which tells less. */
export function gramValue(known: number): number {
  return known === 0 ? 0 : 1 / Math.sqrt(known);
}

export function softmax(negative: number, positive: number): Probabilities {
  const top = Math.max(0, negative, positive);
  const bad = Math.exp(negative - top);
  const none = Math.exp(-top);
  const good = Math.exp(positive - top);
  const sum = bad + none + good;
  return { negative: bad / sum, neutral: none / sum, positive: good / sum };
}

export function classify(
  classifier: Classifier,
  features: Features,
): { readonly probabilities: Probabilities; readonly terms: readonly LearnedTerm[] } {
  let { negative, positive } = classifier.bias;
  for (const [index, name] of DENSE.entries()) {
    const pair = classifier.dense.get(name);
    if (pair === undefined) continue;
    negative += pair.negative * features.dense[index];
    positive += pair.positive * features.dense[index];
  }
  const known = features.grams.filter((gram) => classifier.grams.has(gram.hash));
  const value = gramValue(known.length);
  const terms = known.map((gram) => {
    const pair = classifier.grams.get(gram.hash) ?? { negative: 0, positive: 0 };
    negative += pair.negative * value;
    positive += pair.positive * value;
    return { ...gram, weight: ((pair.positive - pair.negative) * value) / classifier.temperature };
  });
  return {
    probabilities: softmax(negative / classifier.temperature, positive / classifier.temperature),
    terms,
  };
}
