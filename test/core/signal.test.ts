import { describe, expect, it } from "vitest";
import { fuseLayers, LAYERS, type LayerInput, type LayerName } from "../../src/core/signals/fuse.js";
import type { Levels } from "../../src/core/signals/levels.js";
import {
  ACTION_REASONS,
  decideAction,
  EXIT_REASONS,
  type ExitFacts,
  exitsOf,
  type OpenPosition,
  type SignalFacts,
} from "../../src/core/signals/signal.js";

const fused = (rules: number | null, sentiment: number | null = null) =>
  fuseLayers(
    Object.fromEntries(
      LAYERS.map((name): [LayerName, LayerInput] => {
        const value = name === "rules" ? rules : name === "sentiment" ? sentiment : null;
        return [name, value === null ? { value, reason: "silent" } : { value }];
      }),
    ) as Record<LayerName, LayerInput>,
    null,
  );
const levels = { entry: 100, stop: 97, target: 104, rewardRisk: 4 / 3 } as Levels;
const facts = (change: Partial<SignalFacts> = {}): SignalFacts => ({
  fusion: fused(0.5),
  levels,
  evidence: { confidence: 0.5, base: 0.45, n: 200, edgeHigh: 0.1 },
  volatility: "medium",
  price: 100.5,
  stale: false,
  ...change,
});
const decide = (change: Partial<SignalFacts> = {}) => {
  const { action, reasons } = decideAction(facts(change));
  return [action, ...reasons.map(({ code }) => code)];
};

describe("an action", () => {
  it("is to buy or to sell where the layers lean far enough", () => {
    expect(decide()).toEqual(["BUY", "layers_agree"]);
    expect(decide({ fusion: fused(-0.5) })).toEqual(["SELL", "layers_agree"]);
    expect(decide({ fusion: fused(0.2) })).toEqual(["BUY", "layers_agree"]);
    expect(decide({ evidence: null })).toEqual(["BUY", "layers_agree"]);
  });

  it("is to hold where they do not, or say nothing", () => {
    expect(decide({ fusion: fused(0.19) })).toEqual(["HOLD", "undecided"]);
    expect(decide({ fusion: fused(null) })).toEqual(["HOLD", "nothing_known"]);
    // What would speak against a trade is nothing where there is none.
    expect(decide({ fusion: fused(0.1), levels: null })).toEqual(["HOLD", "undecided"]);
  });

  it.each<[string, Partial<SignalFacts>]>([
    ["prices_stale", { stale: true }],
    ["volatility_extreme", { volatility: "extreme" }],
    ["layers_contradict", { fusion: fused(0.9, -0.5) }],
    ["no_levels", { levels: null }],
    ["reward_too_small", { levels: { ...levels, rewardRisk: 0.74 } }],
    ["price_beyond_levels", { price: 97 }],
    ["price_beyond_levels", { price: 104 }],
    ["worse_than_chance", { evidence: { confidence: 0.3, base: 0.45, n: 900, edgeHigh: -0.01 } }],
  ])("is to avoid for %s", (code, change) => {
    expect(decide(change)).toEqual(["AVOID", code]);
  });

  it("tells everything that speaks against it, and each reason there is", () => {
    expect(decide({ stale: true, volatility: "extreme", levels: null })).toEqual([
      "AVOID",
      "prices_stale",
      "volatility_extreme",
      "no_levels",
    ]);
    expect(ACTION_REASONS).toHaveLength(10);
  });
});

describe("exits", () => {
  const position: OpenPosition = { direction: 1, entry: 100, stop: 95, target: 110, best: 104, bars: 3 };
  const market: ExitFacts = { price: 102, range: 2, opposite: [], sentiment: 0.1, horizon: 20 };
  const reasons = (change: Partial<OpenPosition>, now: Partial<ExitFacts>) =>
    exitsOf({ ...position, ...change }, { ...market, ...now }).map(
      ({ reason, urgency }) => `${urgency} ${reason}`,
    );

  it("are none while nothing speaks for one", () => {
    expect(reasons({}, {})).toEqual([]);
    expect(
      reasons({ stop: null, target: null, best: null, bars: null }, { range: null, sentiment: null }),
    ).toEqual([]);
  });

  it.each<[string, Partial<OpenPosition>, Partial<ExitFacts>]>([
    ["high stop_reached", { best: null }, { price: 95 }],
    ["medium target_reached", {}, { price: 110 }],
    ["high trailing_stop_reached", { best: 109 }, { price: 103 }],
    ["medium opposite_pattern", {}, { opposite: ["bearish_engulfing"] }],
    ["medium sentiment_against", {}, { sentiment: -0.6 }],
    ["low time_over", { bars: 20 }, {}],
  ])("%s, for a long position and mirrored for a short one", (expected, change, now) => {
    expect(reasons(change, now)).toEqual([expected]);
    const mirror = (price: number | null | undefined) =>
      price === null || price === undefined ? price : 200 - price;
    const short = { ...position, ...change };
    const turned = { ...short, direction: -1 as const };
    const { price = 102, sentiment = 0.1 } = now;
    expect(
      exitsOf(
        {
          ...turned,
          stop: mirror(short.stop) as number,
          target: mirror(short.target) as number,
          best: mirror(short.best) as number,
        },
        { ...market, ...now, price: 200 - price, sentiment: -(sentiment ?? 0) },
      ).map(({ reason, urgency }) => `${urgency} ${reason}`),
    ).toEqual([expected]);
  });

  it("come the most urgent first, and there is a case of each", () => {
    expect(reasons({ bars: 30 }, { price: 94, opposite: ["a", "b"], sentiment: -1 })).toEqual([
      "high stop_reached",
      "high trailing_stop_reached",
      "medium opposite_pattern",
      "medium opposite_pattern",
      "medium sentiment_against",
      "low time_over",
    ]);
    expect(EXIT_REASONS).toHaveLength(6);
  });
});
