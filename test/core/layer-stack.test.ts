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
import { judgeStack, learnStack } from "../../src/core/learning/stack-candidate.js";
import { LAYER_WEIGHTS, LAYERS } from "../../src/core/signals/fuse.js";

const SILENT = { rules: Number.NaN, deep: Number.NaN, multi_timeframe: Number.NaN, sentiment: Number.NaN };

/** Decisions in which one layer alone tells how they end. */
function votes(count: number, telling: (typeof LAYERS)[number] | null, seed = 3): LayerVote[] {
  const rng = createRng(seed);
  return Array.from({ length: count }, (_, i) => {
    const value = () => 2 * rng.next() - 1;
    const values = { rules: value(), deep: value(), multi_timeframe: value(), sentiment: value() };
    const direction = rng.next() < 0.5 ? 1 : -1;
    const odds = telling === null ? 0 : 3 * direction * values[telling];
    const label = rng.next() < 1 / (1 + Math.exp(-odds)) ? 1 : 0;
    return { values, direction, label, decidedAt: i, settledAt: i + 3.5 };
  });
}

describe("learnStack", () => {
  it("fits weights, calibration and verdict on decisions apart in time, each ended before the next began", () => {
    const all = votes(1_000, "sentiment");
    const found = learnStack([...all].reverse(), null);
    // Half but for the ten of the embargo and those before it that ended within it, and the newest third.
    expect(found?.stack.samples).toBe(500 - 4 - 10);
    expect(found?.samples).toBe(300);
    const other = all.map(
      (vote, i): LayerVote => (i < 500 ? vote : { ...vote, label: vote.label === 1 ? 0 : 1 }),
    );
    expect(learnStack(other, null)?.stack.weights).toEqual(found?.stack.weights);
    expect(learnStack(other, null)?.stack.calibrator).not.toEqual(found?.stack.calibrator);
  });

  it("refuses weights that are as good as those that serve, and takes those that are better beyond chance", () => {
    const all = votes(1_000, "sentiment");
    const found = learnStack(all, null);
    if (found === null) throw new Error("nothing was learned");
    const same = learnStack(all, found.stack)?.verdict;
    expect(same?.refusedBy).toBe("better_than_active");
    expect(same?.checks.slice(-2).map(({ value }) => value)).toEqual([0, 0]);
    const worse = { ...found.stack, calibrator: { kind: "platt", slope: -2, intercept: 0 } } as const;
    const better = learnStack(all, worse)?.verdict;
    expect(better?.promoted).toBe(true);
    expect(better?.checks.at(-1)?.value).toBeGreaterThan(0);
  });
});

describe("judgeStack", () => {
  const sentiment = learnStack(votes(1_000, "sentiment"), null)?.stack;
  const judged = (newest: LayerVote[]) => (sentiment === undefined ? null : judgeStack(newest, sentiment));

  it("leaves weights that go on telling more than the usual ones", () => {
    expect(judged(votes(600, "sentiment", 31))).toMatchObject({ reason: null, samples: 500 });
  });

  it("takes them back once the usual weights tell more, by the newest decisions alone", () => {
    const found = judged([...votes(3_000, "sentiment", 32), ...votes(500, "rules", 33)]);
    expect(found?.reason).toBe("worse_than_usual_weights");
    expect(found?.areaGainHigh).toBeLessThan(0);
  });

  it("takes them back where what they say has turned", () => {
    const turned = votes(400, "sentiment", 34).map(
      (vote): LayerVote => ({ ...vote, label: vote.label === 1 ? 0 : 1 }),
    );
    expect(judged(turned)?.reason).toBe("worse_than_chance");
    expect(judged(turned.slice(0, 60))).toBeNull();
  });
});

describe("stackLayers", () => {
  it.each(LAYERS)("gives most weight to %s where that alone tells", (name) => {
    const stack = stackLayers(votes(3_000, name), votes(100, name, 8));
    expect(stack?.weights[name]).toBeGreaterThan(0.7);
    const sum = LAYERS.reduce((total, each) => total + (stack?.weights[each] ?? 0), 0);
    expect(sum).toBeCloseTo(1, 12);
  });

  it("stays near the usual weights while few decisions have ended, and goes from them with more", () => {
    const away = (count: number) => {
      const weights =
        stackLayers(votes(count, "sentiment"), votes(100, "sentiment", 8))?.weights ?? LAYER_WEIGHTS;
      return weights.sentiment - LAYER_WEIGHTS.sentiment;
    };
    const [few, some, many] = [away(40), away(400), away(4_000)];
    expect(few).toBeLessThan(0.2);
    expect(some).toBeGreaterThan(few);
    expect(many).toBeGreaterThan(some);
  });

  it("is calibrated: chances by composite are what happened in decisions it did not see", () => {
    const stack = stackLayers(votes(4_000, "deep"), votes(4_000, "deep", 8));
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
    const [many, others] = [votes(60, "rules"), votes(20, "rules", 8)];
    const won = (each: LayerVote[]) => each.map((vote) => ({ ...vote, label: 1 as const }));
    expect(stackLayers(many, others)).not.toBeNull();
    expect(stackLayers(many.slice(0, 39), others)).toBeNull();
    expect(stackLayers(many, others.slice(0, 9))).toBeNull();
    expect(stackLayers(won(many), others)).toBeNull();
    expect(stackLayers(many, won(others))).toBeNull();
  });

  it("learns of a silent layer what is served: its weight goes to those that speak", () => {
    // The deep layer speaks in one of five decisions, where it is all that tells; else the rules tell as much.
    const some = votes(6_000, null, 21).map((vote, i): LayerVote => {
      const own = i % 5 === 0 ? "deep" : "rules";
      const rng = createRng(i, 5);
      const odds = 3 * vote.direction * vote.values[own];
      const label = rng.next() < 1 / (1 + Math.exp(-odds)) ? 1 : 0;
      return {
        ...vote,
        label,
        values: { ...SILENT, [own]: vote.values[own], sentiment: vote.values.sentiment },
      };
    });
    const stack = stackLayers(some, some.slice(0, 500));
    const { rules, deep, sentiment } = stack?.weights ?? LAYER_WEIGHTS;
    // Both tell alike where they speak. A layer that counted as 0 while silent would be weighed by how often it speaks.
    expect(sentiment).toBeLessThan(0.15);
    expect(Math.min(rules, deep) / Math.max(rules, deep)).toBeGreaterThan(0.4);
  });

  it("shares the weight of silent layers among those that speak", () => {
    const vote = { values: { ...SILENT, rules: 1 }, direction: 1 as const };
    expect(compositeOf(LAYER_WEIGHTS, vote)).toBe(1);
    expect(compositeOf(LAYER_WEIGHTS, { ...vote, direction: -1 })).toBe(0);
    expect(compositeOf(LAYER_WEIGHTS, { values: SILENT, direction: 1 })).toBe(0.5);
  });

  it("comes back from JSON as it was, and refuses what is not whole", () => {
    const stack = stackLayers(votes(100, "rules"), votes(50, "rules", 8));
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
