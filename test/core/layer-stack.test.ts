import { describe, expect, it } from "vitest";
import { createRng } from "../../src/core/base/rng.js";
import { calibrate } from "../../src/core/learning/calibrate.js";
import {
  compositeOf,
  decodeStack,
  encodeStack,
  type LayerVote,
  stackLayers,
} from "../../src/core/learning/layer-stack.js";
import { LAYER_WEIGHTS, LAYERS } from "../../src/core/signals/fuse.js";

const SILENT = { rules: Number.NaN, deep: Number.NaN, multi_timeframe: Number.NaN, sentiment: Number.NaN };

/** Decisions in which one layer alone tells how they end. */
function votes(count: number, telling: (typeof LAYERS)[number] | null, seed = 3): LayerVote[] {
  const rng = createRng(seed);
  return Array.from({ length: count }, () => {
    const value = () => 2 * rng.next() - 1;
    const values = { rules: value(), deep: value(), multi_timeframe: value(), sentiment: value() };
    const direction = rng.next() < 0.5 ? 1 : -1;
    const odds = telling === null ? 0 : 3 * direction * values[telling];
    return { values, direction, label: rng.next() < 1 / (1 + Math.exp(-odds)) ? 1 : 0 };
  });
}

describe("stackLayers", () => {
  it.each(LAYERS)("gives most weight to %s where that alone tells", (name) => {
    const stack = stackLayers(votes(3_000, name));
    expect(stack?.weights[name]).toBeGreaterThan(0.7);
    const sum = LAYERS.reduce((total, each) => total + (stack?.weights[each] ?? 0), 0);
    expect(sum).toBeCloseTo(1, 12);
  });

  it("stays near the usual weights while few decisions have ended, and goes from them with more", () => {
    const away = (count: number) => {
      const weights = stackLayers(votes(count, "sentiment"))?.weights ?? LAYER_WEIGHTS;
      return weights.sentiment - LAYER_WEIGHTS.sentiment;
    };
    const [few, some, many] = [away(40), away(400), away(4_000)];
    expect(few).toBeLessThan(0.2);
    expect(some).toBeGreaterThan(few);
    expect(many).toBeGreaterThan(some);
  });

  it("is calibrated: chances by composite are what happened in decisions it did not see", () => {
    const stack = stackLayers(votes(4_000, "deep"));
    expect(stack).not.toBeNull();
    if (stack === null) return;
    const others = votes(4_000, "deep", 99);
    const bins = [0, 0, 0, 0].map(() => ({ n: 0, said: 0, won: 0 }));
    for (const vote of others) {
      const chance = calibrate(stack.calibrator, compositeOf(stack.weights, vote));
      const bin = bins[Math.min(3, Math.floor(4 * chance))];
      bin.n++;
      bin.said += chance;
      bin.won += vote.label;
    }
    for (const { n, said, won } of bins) {
      expect(n).toBeGreaterThan(100);
      expect(Math.abs(said - won) / n).toBeLessThan(0.05);
    }
  });

  it("has nothing to say below 40 decisions or without both labels", () => {
    expect(stackLayers(votes(39, "rules"))).toBeNull();
    expect(stackLayers(votes(60, "rules").map((vote) => ({ ...vote, label: 1 as const })))).toBeNull();
  });

  it("shares the weight of silent layers among those that speak", () => {
    const vote = { values: { ...SILENT, rules: 1 }, direction: 1 as const };
    expect(compositeOf(LAYER_WEIGHTS, vote)).toBe(1);
    expect(compositeOf(LAYER_WEIGHTS, { ...vote, direction: -1 })).toBe(0);
    expect(compositeOf(LAYER_WEIGHTS, { values: SILENT, direction: 1 })).toBe(0.5);
  });

  it("comes back from JSON as it was, and refuses what is not whole", () => {
    const stack = stackLayers(votes(100, "rules"));
    expect(stack).not.toBeNull();
    if (stack === null) return;
    const text = JSON.stringify(encodeStack(stack));
    expect(decodeStack(JSON.parse(text))).toEqual(stack);
    const broken = (change: object) => () => decodeStack({ ...JSON.parse(text), ...change });
    expect(broken({ samples: 1 })).toThrow(/samples/);
    expect(broken({ weights: { ...stack.weights, rules: 0.9 } })).toThrow(/sum to 1/);
    expect(broken({ weights: { rules: 1 } })).toThrow(/weights/);
    expect(broken({ more: 1 })).toThrow(/unknown more/);
  });
});
