import { describe, expect, it } from "vitest";
import { studentQuantile } from "../../src/core/base/inference.js";
import { createRng } from "../../src/core/base/rng.js";
import { deviationOf, meanOf } from "../../src/core/base/stats.js";
import { pairedChecks, pairedGain } from "../../src/core/learning/paired.js";
import { sized } from "../fixtures/sizes.js";

/** Gains about a mean, each like the one before it by a share. */
function gainsOf(count: number, seed: number, mean: number, memory = 0): Float64Array {
  const rng = createRng(seed, 0x6761);
  let last = rng.normal();
  return new Float64Array(count).map((_, k) => {
    if (k > 0) last = memory * last + Math.sqrt(1 - memory * memory) * rng.normal();
    return mean + last;
  });
}
const promotes = (found: Parameters<typeof pairedChecks>[0]) =>
  pairedChecks(found).every(({ passed }) => passed);

describe("a paired gain", () => {
  it("is the mean, with the interval of Student where cases hang together in nothing", () => {
    const gains = gainsOf(400, 1, 0.1);
    const found = pairedGain([{ gains, meanBlock: 1 }], 7);
    const half = (studentQuantile(0.05, 399) * deviationOf(gains)) / 20;
    expect(found).toMatchObject({ samples: 400 });
    expect(found.gain).toBeCloseTo(meanOf(gains), 12);
    expect(Math.abs(found.high - found.gain - half)).toBeLessThan(0.1 * half);
    expect(found.gain - found.low).toBeCloseTo(found.high - found.gain, 12);
  });

  it("counts parts alike, and is wider where cases hang together", () => {
    const [few, many] = [gainsOf(300, 2, 1), gainsOf(900, 3, 0, 0.9)];
    const apart = pairedGain(
      [few, many].map((gains) => ({ gains, meanBlock: 1 })),
      7,
    );
    expect(apart.gain).toBeCloseTo((meanOf(few) + meanOf(many)) / 2, 12);
    const tied = pairedGain(
      [
        { gains: few, meanBlock: 1 },
        { gains: many, meanBlock: 30 },
      ],
      7,
    );
    expect(tied.gain).toBe(apart.gain);
    expect(tied.high - tied.low).toBeGreaterThan(1.3 * (apart.high - apart.low));
  });

  it("of candidates that are as good passes few, and none of those that are worse, on sixty cases", () => {
    const drawn = sized({ usual: 60, full: 400 });
    // Chance of one is 2.5 %: beyond these at one in a thousand sets.
    const most = sized({ usual: 6, full: 21 });
    const passed = (mean: number) =>
      Array.from({ length: drawn }, (_, k) =>
        pairedGain([{ gains: gainsOf(60, 100 + k, mean), meanBlock: 1 }], k),
      ).filter(promotes).length;
    expect(passed(0)).toBeLessThanOrEqual(most);
    expect(passed(-0.2)).toBe(0);
    expect(passed(0.6)).toBeGreaterThan(0.9 * drawn);
  });

  it("is asked of nobody where none is active", () => {
    expect(pairedChecks(null).map(({ passed, value }) => [passed, value])).toEqual([
      [true, null],
      [true, null],
    ]);
  });
});
