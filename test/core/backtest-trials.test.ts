import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  deflatedSharpe,
  expectedMaxSharpe,
  probabilisticSharpe,
  type SharpeSample,
  sharpeSample,
  sharpeSpread,
} from "../../src/core/backtest/overfitting.js";
import {
  deflatedByHurdle,
  distinctTrials,
  hurdleOf,
  SKETCH_LENGTH,
  sketchOf,
} from "../../src/core/backtest/trials.js";
import { createRng } from "../../src/core/base/rng.js";
import { correlation } from "../../src/core/base/stats.js";

const DAYS = 500;
const days = (from = 0, length = DAYS) => Float64Array.from({ length }, (_, i) => 18_000 + from + i);

function noise(seed: number, length = DAYS): Float64Array {
  const rng = createRng(seed, 3);
  return Float64Array.from({ length }, () => 0.01 * rng.normal());
}

/** A copy with as much noise that it correlates with the original as told. */
function relative(of: Float64Array, with_: number, seed: number): Float64Array {
  const own = noise(seed, of.length);
  return of.map((each, i) => with_ * each + Math.sqrt(1 - with_ ** 2) * own[i]);
}

function sampleOf(returns: Float64Array): SharpeSample {
  const sample = sharpeSample(returns);
  if (sample === null) throw new Error("returns do not vary");
  return sample;
}

interface Told {
  readonly distinct: Int32Array;
  readonly hurdle: number;
}

function tell(trials: readonly Float64Array[], from: readonly number[] = []): Told {
  const sketches = new Int8Array(trials.length * SKETCH_LENGTH);
  for (const [k, returns] of trials.entries()) {
    sketches.set(sketchOf(days(from[k] ?? 0, returns.length), returns), k * SKETCH_LENGTH);
  }
  const distinct = distinctTrials(sketches);
  const sharpe = Float64Array.from(trials, (each) => sharpeSample(each)?.sharpe ?? Number.NaN);
  const n = Float64Array.from(trials, ({ length }) => length);
  return { distinct, hurdle: hurdleOf({ sharpe, n }, distinct).hurdle };
}

const deflated = (chosen: Float64Array, { hurdle }: Told) =>
  deflatedByHurdle(sampleOf(chosen), hurdle).value ?? Number.NaN;

describe("the highest ratio that is expected of trials", () => {
  it("is 0 of one and rises with every part of a trial", () => {
    expect(expectedMaxSharpe(1, 4)).toBe(0);
    let before = 0;
    for (let trials = 1.001; trials < 50; trials *= 1.01) {
      const now = expectedMaxSharpe(trials, 4);
      expect(now).toBeGreaterThan(before);
      before = now;
    }
    // As the formula has it from two on.
    expect(expectedMaxSharpe(2, 1)).toBeCloseTo(0.5772156649 * 0.9, 3);
  });
});

describe("trials that are copies of each other", () => {
  it("never raise the deflated ratio of one of them above that of it alone", () => {
    const first = noise(1).map((each) => each + 0.0007);
    const alone = probabilisticSharpe(sampleOf(first)).value ?? Number.NaN;
    const rng = createRng(4);
    for (const with_ of [1, 0.9999, 0.998, 0.99, 0.9, 0.5, 0]) {
      const list = [first];
      for (let k = 0; k < 30; k++) {
        list.push(relative(first, with_, 100 + k).map((each) => each + 0.0002 * rng.normal()));
        expect(deflated(first, tell(list))).toBeLessThanOrEqual(alone);
      }
    }
  });

  it("do not undo what two hundred others have cost, whether they come after them or before", () => {
    const others = Array.from({ length: 200 }, (_, k) => noise(1_000 + k));
    const best = others.reduce((top, each) => (sampleOf(each).sharpe > sampleOf(top).sharpe ? each : top));
    const copies = Array.from({ length: 500 }, (_, k) => best.map((each) => each * (1 + 1e-6 * k)));
    const then = tell(others);
    expect(deflated(best, then)).toBeLessThan(0.7);
    const after = tell([...others, ...copies]);
    expect(after.distinct.length).toBe(200);
    expect(deflated(best, after)).toBe(deflated(best, then));
    const before = tell([...copies, ...others]);
    expect(before.distinct.length).toBe(200);
    expect(deflated(best, before)).toBeLessThan(0.7);
  });

  it("are found as correlations of all pairs find them, over the same days", () => {
    const trials: Float64Array[] = [];
    const rng = createRng(8);
    for (let k = 0; k < 150; k++) {
      const of = k === 0 ? noise(1) : trials[rng.below(trials.length)];
      // Far enough from 0.99 on either side for what a sketch of 32 numbers lacks.
      trials.push(relative(of, [0.9985, 0.9, 0.5][rng.below(3)], 50 + k));
    }
    const kept: number[] = [];
    for (const [k, each] of trials.entries()) {
      const isCopy = kept.some((other) => correlation([...trials[other]], [...each]) >= 0.99);
      if (!isCopy) kept.push(k);
    }
    const { distinct } = tell(trials);
    expect(kept.length).toBeGreaterThan(50);
    expect(kept.length).toBeLessThan(130);
    // A chain of copies of copies can pass the limit either way.
    const both = kept.filter((k) => distinct.includes(k));
    expect(both.length / Math.max(kept.length, distinct.length)).toBeGreaterThan(0.9);
  });

  it("are copies a few days later, and others over other stretches", () => {
    const long = noise(3, 600);
    const stretch = (from: number, length = 500) => long.slice(from, from + length);
    expect(tell([stretch(0), stretch(1), stretch(2)], [0, 1, 2]).distinct).toHaveLength(1);
    expect(tell([stretch(0), stretch(50), stretch(100)], [0, 50, 100]).distinct).toHaveLength(3);
    expect(tell([new Float64Array(500), new Float64Array(500), stretch(0)]).distinct).toHaveLength(2);
  });
});

describe("the hurdle of trials", () => {
  it("is that of the deflated ratio where trials are independent and of the same days", () => {
    const trials = Array.from({ length: 40 }, (_, k) => noise(200 + k));
    const chosen = sampleOf(trials[7]);
    const { hurdle, distinct } = tell(trials);
    expect(distinct.length).toBe(40);
    const plain = expectedMaxSharpe(40, sharpeSpread(trials)) * Math.sqrt(DAYS);
    // Any number of the first ones may have had a wider spread.
    expect(hurdle).toBeGreaterThanOrEqual(plain - 1e-12);
    expect(hurdle).toBeLessThan(1.25 * plain);
    const figure = deflatedSharpe(chosen, { count: 40, variance: sharpeSpread(trials) }).value ?? Number.NaN;
    expect(deflatedByHurdle(chosen, hurdle).value).toBeLessThanOrEqual(figure + 1e-12);
  });

  it.each([0, 0.5, 0.9])(
    "is at least what the best of 60 that correlate by %d has without skill",
    (with_) => {
      let [best, hurdles] = [0, 0];
      const runs = 60;
      for (let run = 0; run < runs; run++) {
        const market = noise(9_000 + run);
        const trials = Array.from({ length: 60 }, (_, k) =>
          relative(market, Math.sqrt(with_), 10_000 + 100 * run + k),
        );
        best += Math.max(...trials.map((each) => sampleOf(each).sharpe * Math.sqrt(DAYS))) / runs;
        hurdles += tell(trials).hurdle / runs;
      }
      // What all share is a draw of its own: 0 on average, 0.13 either way over so many runs.
      expect(hurdles).toBeGreaterThan(best - 0.3);
      expect(hurdles).toBeLessThan(best + 0.6);
    },
  );

  it("never falls with a trial more, whatever it is", () => {
    fc.assert(
      fc.property(
        fc.array(fc.record({ seed: fc.nat(5), length: fc.constantFrom(60, 120), mean: fc.nat(3) }), {
          minLength: 2,
          maxLength: 25,
        }),
        (list) => {
          const trials = list.map(({ seed, length, mean }) =>
            noise(seed, length).map((each) => each + 0.003 * mean),
          );
          let before = 0;
          for (let count = 1; count <= trials.length; count++) {
            const { hurdle } = tell(trials.slice(0, count));
            expect(hurdle).toBeGreaterThanOrEqual(before);
            before = hurdle;
          }
        },
      ),
      { numRuns: 100 },
    );
  });

  it("compares ratios by their errors: short and long trials without skill have one hurdle", () => {
    const long = Array.from({ length: 50 }, (_, k) => noise(300 + k, 2_000));
    const short = Array.from({ length: 50 }, (_, k) => noise(400 + k, 100));
    const [of, mixed] = [tell(long).hurdle, tell([...long, ...short]).hurdle];
    expect(mixed / of).toBeGreaterThan(0.99);
    expect(mixed / of).toBeLessThan(1.35);
  });
});
