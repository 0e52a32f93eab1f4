import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createRng } from "../../src/core/base/rng.js";
import { WeightsRefused } from "../../src/core/learning/define.js";
import {
  type AdaptiveWindow,
  createAdaptiveWindow,
  decodeWindow,
  describeWindow,
  encodeWindow,
  observe,
} from "../../src/core/learning/drift.js";
import { brokenVersions } from "../fixtures/broken-values.js";
import { jumpingStream } from "../fixtures/learning-rows.js";

/** The same window with every value kept in its bucket, and everything counted anew at each cut. */
function plainWindow(delta: number) {
  let buckets: number[][] = [];
  let seen = 0;
  const mean = (values: number[]) => values.reduce((sum, each) => sum + each, 0) / values.length;
  const isCut = () => {
    const all = buckets.flat();
    const variance = mean(all.map((each) => (each - mean(all)) ** 2));
    const evidence = Math.log((2 * Math.log(all.length)) / delta);
    return buckets.some((_, k) => {
      const [older, newer] = [buckets.slice(0, k + 1).flat(), buckets.slice(k + 1).flat()];
      if (older.length < 5 || newer.length < 5) return false;
      const inverse = 1 / older.length + 1 / newer.length;
      const bound = Math.sqrt(2 * inverse * variance * evidence) + (2 / 3) * inverse * evidence;
      return Math.abs(mean(older) - mean(newer)) > bound;
    });
  };
  return {
    values: () => buckets.flat(),
    observe(value: number): number {
      buckets.push([value]);
      seen++;
      for (let size = 1; buckets.filter(({ length }) => length === size).length > 5; size *= 2) {
        const at = buckets.findIndex(({ length }) => length === size);
        buckets = [...buckets.slice(0, at), [...buckets[at], ...buckets[at + 1]], ...buckets.slice(at + 2)];
      }
      let dropped = 0;
      while (seen % 32 === 0 && isCut()) dropped += buckets.shift()?.length ?? 0;
      return dropped;
    },
  };
}

describe("the adaptive window", () => {
  it("drops what a plain one drops, and tells its mean and variance", () => {
    for (let seed = 1; seed <= 12; seed++) {
      const rng = createRng(seed, 3);
      const delta = 0.001 + 0.2 * rng.next();
      const [window, plain] = [createAdaptiveWindow(delta), plainWindow(delta)];
      let level = rng.next();
      let changes = 0;
      for (let i = 0; i < 800; i++) {
        if (rng.next() < 0.004) level = rng.next();
        const value = seed % 2 === 0 ? Number(rng.next() < level) : (level + rng.next()) / 2;
        const change = observe(window, value);
        expect(change?.dropped ?? 0).toBe(plain.observe(value));
        if (change !== null) changes++;
      }
      const values = plain.values();
      const mean = values.reduce((sum, each) => sum + each, 0) / values.length;
      const { width, mean: told, variance } = describeWindow(window);
      expect(width).toBe(values.length);
      expect(told).toBeCloseTo(mean, 12);
      expect(variance).toBeCloseTo(values.reduce((sum, each) => sum + (each - mean) ** 2, 0) / width, 12);
      if (seed === 1) expect(changes).toBeGreaterThan(0);
    }
  });

  it.each([0.002, 0.05, 0.3])(
    "at delta %f cries at fewer than that share of looks at a stream that stands still",
    (delta) => {
      let [looks, alarms] = [0, 0];
      for (const [k, chance] of [0.05, 0.3, 0.5].entries()) {
        for (let seed = 0; seed < 60; seed++) {
          const window = createAdaptiveWindow(delta);
          for (const value of jumpingStream(100 * k + seed, [[2_000, chance]]))
            if (observe(window, value) !== null) alarms++;
          looks += Math.floor(2_000 / 32);
        }
      }
      expect(alarms / looks).toBeLessThan(delta / 10);
      if (delta === 0.3) expect(alarms).toBeGreaterThan(0);
    },
  );

  it("sees errors rise from 20 to 50 of 100 within 128 values in nine of ten streams, and in 256 in all", () => {
    const delays = Array.from({ length: 100 }, (_, seed) => {
      const window = createAdaptiveWindow();
      const stream = jumpingStream(2_000 + seed, [
        [1_000, 0.2],
        [1_000, 0.5],
      ]);
      const at = stream.findIndex((value) => observe(window, value) !== null);
      expect(at).toBeGreaterThanOrEqual(1_000);
      // What is left are mostly values since the jump.
      for (const value of stream.subarray(at + 1)) observe(window, value);
      expect(describeWindow(window).mean).toBeGreaterThan(0.42);
      return at + 1 - 1_000;
    }).sort((a, b) => a - b);
    expect(delays[89]).toBeLessThanOrEqual(128);
    expect(delays[99]).toBeLessThanOrEqual(256);
  });

  it("cuts off no side of fewer than five values, whatever they are", () => {
    const ends = (zeros: number) => {
      const window = createAdaptiveWindow(0.5);
      return [...new Float64Array(zeros), ...new Float64Array(32 - zeros).fill(1)].flatMap(
        (value) => observe(window, value) ?? [],
      );
    };
    expect(ends(4)).toEqual([]);
    expect(ends(8)).not.toEqual([]);
  });

  it("says what it left out and what is left", () => {
    const window = createAdaptiveWindow();
    const changes = [...new Float64Array(640), ...new Float64Array(64).fill(1)].flatMap(
      (value) => observe(window, value) ?? [],
    );
    expect(changes.length).toBeGreaterThan(0);
    const [{ before, after, dropped, width }] = changes;
    expect(before).toBe(0);
    expect(after).toBeGreaterThan(0.04);
    expect(dropped + width).toBe(672);
  });

  it("keeps no more than five buckets of a size, of 100,000 values", () => {
    const window = createAdaptiveWindow();
    for (let i = 0; i < 100_000; i++) observe(window, i % 2);
    expect(describeWindow(window).width).toBe(100_000);
    expect(window.sums.length).toBeLessThan(17);
    expect(Math.max(...window.sums.map(({ length }) => length))).toBeLessThanOrEqual(5);
  });

  it("refuses a value that is no share", () => {
    for (const value of [-0.1, 1.1, Number.NaN])
      expect(() => observe(createAdaptiveWindow(), value)).toThrow("between");
  });
});

describe("a window that is written down", () => {
  const windowOf = (values: readonly number[], delta = 0.1): AdaptiveWindow => {
    const window = createAdaptiveWindow(delta);
    for (const value of values) observe(window, value);
    return window;
  };

  it("goes on as if it had not been, to the last bit", () => {
    const share = fc.double({ min: 0, max: 1, noNaN: true });
    fc.assert(
      fc.property(
        fc.array(share, { maxLength: 200 }),
        fc.array(share, { minLength: 40, maxLength: 100 }),
        (first, second) => {
          const window = windowOf(first);
          const back = decodeWindow(JSON.parse(JSON.stringify(encodeWindow(window))));
          expect(back).toEqual(window);
          for (const value of second) expect(observe(back, value)).toEqual(observe(window, value));
          expect(back).toEqual(window);
        },
      ),
    );
  });

  it("is refused with one thing wrong", () => {
    const whole = encodeWindow(windowOf([0, 1, 1, 0, 1, 0.5, 0.25, 1, 1, 0]));
    expect(() => decodeWindow(whole)).not.toThrow();
    for (const { what, value } of brokenVersions(whole))
      expect(() => decodeWindow(value), what).toThrow(WeightsRefused);
  });

  it.each([
    { delta: 0, seen: 1, sums: [[0]], squares: [[0]] },
    { delta: 0.1, seen: 0, sums: [[0]], squares: [[0]] },
    { delta: 0.1, seen: 1.5, sums: [[0]], squares: [[0]] },
    { delta: 0.1, seen: 1, sums: [[2]], squares: [[0]] },
    { delta: 0.1, seen: 1, sums: [[0.5]], squares: [[0.1]] },
    { delta: 0.1, seen: 6, sums: [[0, 0, 0, 0, 0, 0]], squares: [[0, 0, 0, 0, 0, 0]] },
    { delta: 0.1, seen: 1, sums: [[0], []], squares: [[0], []] },
    { delta: 0.1, seen: 1, sums: [], squares: [] },
  ])("is refused where no stream leads to it: %j", (value) => {
    expect(() => decodeWindow(value)).toThrow(WeightsRefused);
  });
});
