import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createRng, hash32 } from "../../src/core/base/rng.js";
import { type FoldedSample, fitClassifier, hitRatesOf } from "../../src/core/sentiment/calibrate.js";
import { type Classifier, classify, softmax } from "../../src/core/sentiment/classifier.js";
import { DENSE, type Features, featuresOf, gramsOf } from "../../src/core/sentiment/features.js";
import { packModel, unpackModel } from "../../src/core/sentiment/pack.js";
import { SHIPPED } from "../../src/core/sentiment/shipped.js";
import { tokensOf } from "../../src/core/sentiment/tokens.js";
import { trainClassifier, vocabularyOf } from "../../src/core/sentiment/train.js";
import { WEIGHTS } from "../../src/core/sentiment/weights.js";

const SETTINGS = { epochs: 20, rate: 0.1, gramPenalty: 1e-4, densePenalty: 1e-4, minTexts: 2, seed: 3 };
const features = (...words: string[]): Features => ({
  dense: new Float64Array(DENSE.length),
  grams: words.map((word, i) => ({ hash: hash32(word), first: i, end: i + 1 })),
});

/** Texts whose class one word decides with probability 0.85, among words that decide nothing. */
function samplesOf(count: number): FoldedSample[] {
  const rng = createRng(5);
  return Array.from({ length: count }, (_, i) => {
    const told = rng.below(3) - 1;
    const target = rng.next() < 0.85 ? told : rng.below(3) - 1;
    const words = [`told ${told}`, `noise ${rng.below(20)}`, `noise ${rng.below(20)}`];
    return { features: features(...new Set(words)), target: target as -1 | 0 | 1, fold: i % 4 };
  });
}

describe("features", () => {
  const grams = (text: string) => gramsOf(tokensOf(text)).map(({ hash }) => hash);

  it("tell nothing of which ticker or amount it is", () => {
    expect(grams("$AAPL up 5% to $120")).toEqual(grams("$MSFT up 7% to $9"));
    expect(grams("+5%")).not.toEqual(grams("-5%"));
  });

  it("count each gram once and are finite", () => {
    expect(grams("up up up")).toHaveLength(2);
    fc.assert(
      fc.property(fc.string({ unit: "grapheme" }), (text) => {
        const { dense } = featuresOf(tokensOf(text), [], 0);
        expect(dense.every(Number.isFinite)).toBe(true);
      }),
    );
  });
});

describe("training", () => {
  const samples = samplesOf(3000);
  const vocabulary = vocabularyOf(samples, 2, () => true);

  it("finds the words that decide, and leaves the others small", () => {
    const { grams } = trainClassifier(samples, vocabulary, SETTINGS);
    const good = grams.get(hash32("told 1"));
    const bad = grams.get(hash32("told -1"));
    expect((good?.positive ?? 0) - (good?.negative ?? 0)).toBeGreaterThan(2);
    expect((bad?.negative ?? 0) - (bad?.positive ?? 0)).toBeGreaterThan(2);
    for (let i = 0; i < 20; i++)
      expect(Math.abs(grams.get(hash32(`noise ${i}`))?.positive ?? 0)).toBeLessThan(1);
  });

  it("gives the same weights for the same seed, others for another", () => {
    const first = trainClassifier(samples, vocabulary, SETTINGS);
    expect(trainClassifier(samples, vocabulary, SETTINGS)).toEqual(first);
    expect(trainClassifier(samples, vocabulary, { ...SETTINGS, seed: 4 })).not.toEqual(first);
  });

  it("gives probabilities that are frequencies on texts not seen", () => {
    const fitted = fitClassifier(samples, () => true, SETTINGS);
    const { probabilities } = classify(fitted, features("told 1", "noise 1", "noise 2"));
    // 0.85 + 0.15 / 3 of the texts that were told so are good news.
    expect(probabilities.positive).toBeGreaterThan(0.86);
    expect(probabilities.positive).toBeLessThan(0.94);
  });

  it("leaves out words of too few texts and words not allowed", () => {
    const kept = hash32("told 1");
    expect(vocabularyOf(samples, 2, (hash) => hash === kept)).toEqual([kept]);
    expect(vocabularyOf(samples, 1e6, () => true)).toEqual([]);
  });
});

describe("softmax", () => {
  it("sums to 1 and stays finite", () => {
    const logit = fc.double({ min: -1e6, max: 1e6, noNaN: true });
    fc.assert(
      fc.property(logit, logit, (a, b) => {
        const { negative, neutral, positive } = softmax(a, b);
        expect(negative + neutral + positive).toBeCloseTo(1, 12);
        expect(Math.min(negative, neutral, positive)).toBeGreaterThanOrEqual(0);
      }),
    );
  });
});

describe("hit rates", () => {
  it("are counted by size of score, and small rows join the one before", () => {
    const judged = [
      ...Array.from({ length: 200 }, (_, i) => ({ score: 0, target: i < 150 ? (0 as const) : (1 as const) })),
      ...Array.from({ length: 200 }, (_, i) => ({
        score: -0.55,
        target: i < 120 ? (-1 as const) : (0 as const),
      })),
      { score: 0.95, target: 1 as const },
    ];
    expect(hitRatesOf(judged)).toEqual([
      { below: 0.5, rate: 0.75, texts: 200 },
      { below: 1.001, rate: 0.602, texts: 201 },
    ]);
  });
});

describe("packed weights", () => {
  it("come back within half a step", () => {
    const weight = fc.double({ min: -3, max: 3, noNaN: true });
    const pair = fc.record({ negative: weight, positive: weight });
    const model: fc.Arbitrary<Classifier> = fc.record({
      bias: pair,
      dense: fc
        .tuple(...DENSE.map(() => pair))
        .map((pairs) => new Map(DENSE.map((name, i) => [name, pairs[i]]))),
      grams: fc.array(fc.tuple(fc.nat(0xffffffff), pair)).map((entries) => new Map(entries)),
      temperature: fc.constant(1.1),
    });
    fc.assert(
      fc.property(model, (classifier) => {
        const packed = packModel(classifier, []);
        const back = unpackModel(packed);
        for (const [hash, { negative, positive }] of classifier.grams) {
          const found = back.grams.get(hash) ?? { negative: 0, positive: 0 };
          expect(Math.abs(found.negative - negative)).toBeLessThanOrEqual(packed.gramStep * 0.501);
          expect(Math.abs(found.positive - positive)).toBeLessThanOrEqual(packed.gramStep * 0.501);
        }
        expect(back.temperature).toBe(1.1);
      }),
      { numRuns: 30 },
    );
  });

  it("are refused when they are of other features or damaged", () => {
    expect(() => unpackModel({ ...WEIGHTS, dense: {} })).toThrow("these features");
    expect(() => unpackModel({ ...WEIGHTS, grams: "abc" })).toThrow("whole");
    expect(() => unpackModel({ ...WEIGHTS, grams: "abc*abcd" })).toThrow("base64");
  });

  it("are shipped in ascending order, without copies", () => {
    const hashes = [...(SHIPPED.classifier?.grams.keys() ?? [])];
    expect(hashes.length).toBe(WEIGHTS.grams.length / 8);
    expect(hashes).toEqual([...new Set(hashes)].sort((a, b) => a - b));
  });
});
