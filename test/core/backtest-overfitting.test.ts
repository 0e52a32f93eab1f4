import { describe, expect, it } from "vitest";
import {
  deflatedSharpe,
  expectedMaxSharpe,
  minimumTrackRecord,
  OVERFITTING_LIMITS,
  overfittingVerdicts,
  probabilisticSharpe,
  probabilityOfOverfitting,
  type SharpeSample,
  sharpeSample,
  sharpeSpread,
} from "../../src/core/backtest/overfitting.js";
import { permutationTest } from "../../src/core/backtest/permutation.js";
import {
  deflatedByHurdle,
  distinctTrials,
  hurdleOf,
  SKETCH_LENGTH,
  sketchOf,
} from "../../src/core/backtest/trials.js";
import { kolmogorovTail } from "../../src/core/base/inference.js";
import { createRng, shuffle } from "../../src/core/base/rng.js";
import { distanceFromUniform } from "../../src/core/base/stats.js";
import { normalCdf, normalQuantile } from "../../src/core/options/normal.js";
import { figureOf } from "../../src/core/performance/figure.js";

const normal = (sharpe: number, n: number): SharpeSample => ({ sharpe, n, skewness: 0, kurtosis: 3 });

/** Numbers in [-0.5, 0.5) that another language makes alike: the generator of ANSI C. */
function ansiColumn(seed: number, length: number): Float64Array {
  let state = seed;
  return Float64Array.from({ length }, () => {
    state = (Math.imul(1_103_515_245, state) + 12_345) & 0x7fffffff;
    return state / 2_147_483_648 - 0.5;
  });
}

const MATRIX = Array.from({ length: 12 }, (_, j) =>
  ansiColumn(100 + 37 * j, 160).map((each) => 0.02 * each + 0.00005 * j),
);

function sampleOf(returns: Float64Array): SharpeSample {
  const sample = sharpeSample(returns);
  if (sample === null) throw new Error("returns do not vary");
  return sample;
}

describe("the probabilistic Sharpe ratio", () => {
  it("has the figures of Bailey and López de Prado (2012), The Sharpe Ratio Efficient Frontier", () => {
    // Two years by month at 0.458 a month: 0.982 were they normal, 0.913 as they are.
    const fund = { sharpe: 0.458, n: 24, skewness: -2.448, kurtosis: 10.164 };
    expect(probabilisticSharpe(normal(0.458, 24)).value).toBeCloseTo(0.982, 3);
    expect(probabilisticSharpe(fund).value).toBeCloseTo(0.913, 3);
    // Years for a yearly ratio of 2 to be above 1 at 95 %: by day, week and month, and of hedge funds by month.
    const years = (periods: number, skewness = 0, kurtosis = 3) => {
      const sample = { sharpe: 2 / Math.sqrt(periods), n: 1, skewness, kurtosis };
      return (minimumTrackRecord(sample, 1 / Math.sqrt(periods)).value ?? Number.NaN) / periods;
    };
    expect(years(250)).toBeCloseTo(2.73, 2);
    expect(years(52)).toBeCloseTo(2.83, 2);
    expect(years(12)).toBeCloseTo(3.24, 2);
    expect(years(12, -0.72, 5.78)).toBeCloseTo(4.99, 2);
  });

  it("is the confidence at the minimum track record", () => {
    const fund = { sharpe: 0.12, n: 1, skewness: -0.8, kurtosis: 6 };
    const n = minimumTrackRecord(fund, 0.02, 0.9).value ?? Number.NaN;
    expect(probabilisticSharpe({ ...fund, n }, 0.02).value).toBeCloseTo(0.9, 12);
    expect(minimumTrackRecord(fund, 0.12).value).toBeNull();
    expect(probabilisticSharpe({ sharpe: 2, n: 9, skewness: 3, kurtosis: 1 }).value).toBeNull();
  });
});

describe("the deflated Sharpe ratio", () => {
  it("has the figures of Bailey and López de Prado (2014), The Deflated Sharpe Ratio", () => {
    // A yearly ratio of 2.5 over five years of days, the best of 100 with a yearly variance of 1/2.
    const best = { sharpe: 2.5 / Math.sqrt(250), n: 1_250, skewness: -3, kurtosis: 10 };
    const variance = 1 / 2 / 250;
    expect(expectedMaxSharpe(100, variance)).toBeCloseTo(0.1132, 4);
    expect(deflatedSharpe(best, { count: 100, variance }).value).toBeCloseTo(0.9004, 4);
    expect(deflatedSharpe(best, { count: 46, variance }).value).toBeCloseTo(0.9505, 4);
    const plain = { ...best, skewness: 0, kurtosis: 3 };
    expect(deflatedSharpe(plain, { count: 88, variance }).value).toBeCloseTo(0.9505, 4);
  });

  it("agrees with scipy 1.17 on trials", () => {
    const best = sampleOf(MATRIX[11]);
    expect(best.sharpe).toBeCloseTo(0.08418556877787294, 12);
    expect(best.skewness).toBeCloseTo(0.03493270138722039, 12);
    expect(best.kurtosis).toBeCloseTo(1.8428356281859761, 12);
    const variance = sharpeSpread(MATRIX);
    expect(variance).toBeCloseTo(0.006451406182014816, 14);
    expect(probabilisticSharpe(best).value).toBeCloseTo(0.8559522284661862, 12);
    expect(deflatedSharpe(best, { count: 12, variance }).value).toBeCloseTo(0.26597178412290107, 12);
  });

  it("is that against 0 of a single trial", () => {
    const alone = normal(0.1, 100);
    expect(deflatedSharpe(alone, { count: 1, variance: 0 })).toEqual(probabilisticSharpe(alone));
    expect(deflatedSharpe(alone, { count: 3, variance: Number.NaN }).value).toBeNull();
  });

  it("expects as much of the best as thousands of draws have", () => {
    const rng = createRng(11);
    let sum = 0;
    for (let k = 0; k < 2_000; k++) {
      sum += Math.max(...Array.from({ length: 50 }, () => 0.3 * rng.normal()));
    }
    expect(Math.abs(sum / 2_000 / expectedMaxSharpe(50, 0.09) - 1)).toBeLessThan(0.02);
  });
});

describe("the probability of backtest overfitting", () => {
  it.each([
    // Of numpy 2.4 and scipy 1.17, written after the paper: blocks, splits, probability, median, loss, slope.
    [4, 6, 0.5, 0.6173722314963448, 1 / 3, -0.1782063216842021],
    [8, 70, 0.38571428571428573, 0.8109302162163288, 0.2857142857142857, -0.14546826042797956],
    [10, 252, 0.30952380952380953, 1.2039728043259361, 0.21031746031746032, -0.008213563902007524],
    [16, 12_870, 0.33978243978243977, 1.2039728043259361, 0.26216006216006216, 0.02583854099311088],
  ])("agrees with another program at %i blocks", (blocks, splits, probability, middle, loss, slope) => {
    const found = probabilityOfOverfitting(MATRIX, blocks);
    expect(found.splits).toBe(splits);
    expect(found.probability.value).toBeCloseTo(probability, 12);
    expect((found.logits[splits / 2 - 1] + found.logits[splits / 2]) / 2).toBeCloseTo(middle, 12);
    expect(found.lossProbability.value).toBeCloseTo(loss, 12);
    expect(found.degradation.value).toBeCloseTo(slope, 9);
  });

  it("is 0 where one trial is always the best, and has a reason where there is nothing to choose", () => {
    const wave = Float64Array.from({ length: 64 }, (_, i) => (i % 2 === 0 ? 0.01 : -0.005));
    const trials = [wave, wave.map((each) => each - 0.001), wave.map((each) => each - 0.002)];
    expect(probabilityOfOverfitting(trials, 8).probability.value).toBe(0);
    // All alike share the middle rank, which is not above it.
    expect(probabilityOfOverfitting([wave, wave], 8).probability.value).toBe(1);
    expect(probabilityOfOverfitting([wave], 8).probability.reason).toBe("fewer than two trials");
    expect(probabilityOfOverfitting(trials, 20).probability.value).toBe(0);
    const short = trials.map((each) => each.slice(0, 31));
    expect(probabilityOfOverfitting(short, 16).probability.reason).toBe("fewer than 32 periods");
  });
});

it("a trial that does nothing for a while has a ratio of 0 there", () => {
  const active = MATRIX.map((returns) => returns.map((each, i) => (i < 80 ? Math.abs(each) : 0)));
  const { probability, logits } = probabilityOfOverfitting(active, 4);
  // One of six splits chooses on all of the active blocks: on the others all are equal, with the middle rank.
  expect(logits.filter((logit) => logit === 0)).toHaveLength(1);
  expect(probability.value).toBeGreaterThan(0);
});

const DAYS = 2_000;

function noise(seed: number): Float64Array {
  const rng = createRng(seed);
  return Float64Array.from({ length: DAYS }, () => 0.01 * rng.normal());
}

/** Long, short or neither, changed at random every ten days or so. */
function randomPositions(seed: number, length = DAYS): Float64Array {
  const rng = createRng(seed, 1);
  let position = rng.below(3) - 1;
  return Float64Array.from({ length }, () => {
    if (rng.next() < 0.1) position = rng.below(3) - 1;
    return position;
  });
}

/** P-value of what positions gained, beside what they would have over the same returns in other orders. */
function permutedP(positions: Float64Array, market: Float64Array, count: number): number {
  const gained = (returns: Float64Array) => positions.reduce((sum, each, i) => sum + each * returns[i], 0);
  const rng = createRng(77);
  const drawn = Float64Array.from({ length: count }, () => {
    const other = market.slice();
    shuffle(other, rng);
    return gained(other);
  });
  return permutationTest(gained(market), drawn).p;
}

describe("a thousand random strategies on one series", () => {
  const market = noise(42);
  const positions = Array.from({ length: 1_000 }, (_, k) => randomPositions(k));
  const returnsOf = (held: Float64Array) => held.map((position, i) => position * market[i]);
  const bestOf = (list: readonly Float64Array[]) =>
    list.reduce((best, each) =>
      sampleOf(returnsOf(each)).sharpe > sampleOf(returnsOf(best)).sharpe ? each : best,
    );
  const permuted = (held: Float64Array) => permutedP(held, market, 999);
  const told = (list: readonly Float64Array[]) => {
    const trials = list.map(returnsOf);
    const best = bestOf(list);
    const sample = sampleOf(returnsOf(best));
    const sketches = new Int8Array(trials.length * SKETCH_LENGTH);
    const day = Float64Array.from(market, (_, i) => i);
    for (const [k, returns] of trials.entries()) sketches.set(sketchOf(day, returns), k * SKETCH_LENGTH);
    const distinct = distinctTrials(sketches);
    const sharpe = Float64Array.from(trials, (returns) => sampleOf(returns).sharpe);
    const { hurdle } = hurdleOf({ sharpe, n: sharpe.map(() => DAYS) }, distinct);
    const figures = {
      deflatedSharpe: deflatedByHurdle(sample, hurdle),
      overfitting: probabilityOfOverfitting(trials, 12).probability,
      permutation: figureOf(permuted(best)),
    };
    return {
      best,
      counted: distinct.length,
      plain: deflatedSharpe(sample, { count: list.length, variance: sharpeSpread(trials) }).value,
      alone: probabilisticSharpe(sample).value,
      figures,
      verdicts: overfittingVerdicts(figures),
    };
  };

  it("the best is flagged by what knows of the others, and by nothing that does not", () => {
    const { alone, counted, plain, figures, verdicts } = told(positions);
    expect(alone).toBeGreaterThan(0.99);
    expect(counted).toBe(1_000);
    expect(plain).toBeLessThan(0.7);
    expect(figures.deflatedSharpe.value).toBeLessThanOrEqual(plain ?? Number.NaN);
    expect(figures.overfitting.value).toBeGreaterThan(0.3);
    expect(verdicts).toEqual({ deflatedSharpe: "flagged", overfitting: "flagged", permutation: "passed" });
  });

  it("a planted edge passes", () => {
    // On the right side on three of five days: a yearly ratio of some 3.
    const rng = createRng(5);
    const planted = market.map((each) => (rng.next() < 0.6 ? 1 : -1) * Math.sign(each));
    const { best, verdicts } = told([...positions, planted]);
    expect(best).toBe(planted);
    expect(verdicts).toEqual({ deflatedSharpe: "passed", overfitting: "passed", permutation: "passed" });
  });

  it("is not judged by a figure that there is none of", () => {
    const none = { value: null, reason: "no trial" };
    const { overfitting, ...others } = overfittingVerdicts({
      deflatedSharpe: none,
      overfitting: { value: OVERFITTING_LIMITS.overfitting, reason: null },
      permutation: none,
    });
    expect(overfitting).toBe("passed");
    expect(others).toEqual({ deflatedSharpe: "unknown", permutation: "unknown" });
  });
});

describe("the permutation test", () => {
  it("has even p-values where nothing depends on anything", () => {
    const runs = Array.from({ length: 200 }, (_, k) =>
      permutedP(randomPositions(k, 500), noise(1_000 + k).subarray(0, 500), 199),
    );
    const distance = distanceFromUniform(runs);
    // 0.096 is passed by chance once in twenty times.
    expect(distance).toBeLessThan(0.096);
    expect(kolmogorovTail(distance, 200)).toBeGreaterThan(0.05);
  });

  it("counts draws at or above what was seen, and itself", () => {
    const drawn = Float64Array.of(0.1, 0.2, 0.3, 0.3 - 1e-14, 0.5);
    expect(permutationTest(0.3, drawn)).toMatchObject({ p: 4 / 6, atLeast: 3, count: 5 });
    expect(permutationTest(0.6, drawn).p).toBe(1 / 6);
    expect(permutationTest(0, new Float64Array(5)).p).toBe(1);
  });
});

describe("distributions", () => {
  it("have the quantiles and tails of scipy 1.17", () => {
    // norm.ppf, kstwobign.sf.
    const quantiles = [
      [1e-10, -6.361340902404056],
      [0.025, -1.9599639845400545],
      [0.3, -0.5244005127080409],
      [0.999, 3.090232306167813],
    ];
    for (const [share, z] of quantiles) expect(normalQuantile(share)).toBeCloseTo(z, 9);
    for (const z of [-8, -2.5, 0, 0.7, 3]) expect(normalQuantile(normalCdf(z))).toBeCloseTo(z, 8);
    expect([0, 0.5, 1].map(normalQuantile)).toEqual([Number.NEGATIVE_INFINITY, 0, Number.POSITIVE_INFINITY]);
    expect(normalQuantile(1.1)).toBeNaN();
    const huge = 1e12;
    for (const [scaled, tail] of [
      [0.5, 0.9639452436648751],
      [1, 0.26999967167735456],
      [1.3581, 0.0499996304316674],
      [2, 0.0006709252557796953],
    ]) {
      expect(kolmogorovTail(scaled / Math.sqrt(huge), huge)).toBeCloseTo(tail, 6);
    }
    expect(kolmogorovTail(0.01, 10)).toBe(1);
  });

  it("lie apart from the even one by what a step is off", () => {
    expect(distanceFromUniform([0.1, 0.5, 0.9])).toBeCloseTo(0.9 - 2 / 3, 12);
    expect(distanceFromUniform([])).toBeNaN();
    const even = Array.from({ length: 100 }, (_, i) => (i + 0.5) / 100);
    expect(distanceFromUniform(even)).toBeCloseTo(0.005, 12);
    expect(distanceFromUniform(even.map((each) => each ** 2))).toBeGreaterThan(0.2);
  });
});
