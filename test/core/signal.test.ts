import fc from "fast-check";
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
  type SignalEvidence,
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
const measured: SignalEvidence = { confidence: 0.5, most: 0.57, base: 0.45, n: 200, edgeHigh: 0.1 };
const facts = (change: Partial<SignalFacts> = {}): SignalFacts => ({
  fusion: fused(0.5),
  levels,
  evidence: measured,
  volatility: "medium",
  costShare: 0.1,
  price: 100.5,
  stale: false,
  ...change,
});
const decide = (change: Partial<SignalFacts> = {}) => {
  const { action, reasons } = decideAction(facts(change));
  return [action, ...reasons.map(({ code }) => code)];
};

describe("an action", () => {
  it("is to avoid a trade whose costs take all of the way to the target", () => {
    expect(decide({ costShare: 0.999 })).toEqual(["BUY", "layers_agree"]);
    expect(decide({ costShare: 1 })).toEqual(["AVOID", "costs_prohibitive"]);
    expect(decide({ costShare: null })).toEqual(["BUY", "layers_agree"]);
  });

  it("is to buy or to sell where the layers lean far enough", () => {
    expect(decide()).toEqual(["BUY", "layers_agree"]);
    expect(decide({ fusion: fused(-0.5) })).toEqual(["SELL", "layers_agree"]);
    expect(decide({ fusion: fused(0.2) })).toEqual(["BUY", "layers_agree"]);
    expect(decide({ fusion: fused(0.5, 0.3), evidence: null })).toEqual(["BUY", "layers_agree"]);
  });

  it("is to hold where they do not, or say nothing", () => {
    expect(decide({ fusion: fused(0.19) })).toEqual(["HOLD", "undecided"]);
    expect(decide({ fusion: fused(null) })).toEqual(["HOLD", "nothing_known"]);
    // A single layer agrees with nothing, and nothing was measured.
    expect(decide({ evidence: null })).toEqual(["HOLD", "layers_too_few"]);
    // What would speak against a trade is nothing where there is none.
    expect(decide({ fusion: fused(0.1), levels: null })).toEqual(["HOLD", "undecided"]);
  });

  it.each<[string, Partial<SignalFacts>]>([
    ["prices_stale", { stale: true }],
    ["volatility_extreme", { volatility: "extreme" }],
    ["layers_contradict", { fusion: fused(0.9, -0.5) }],
    ["no_levels", { levels: null }],
    [
      "reward_too_small",
      { fusion: fused(0.5, 0.3), levels: { ...levels, rewardRisk: 0.74 }, evidence: null },
    ],
    ["price_beyond_levels", { price: 97 }],
    ["price_beyond_levels", { price: 104 }],
    ["worse_than_chance", { evidence: { ...measured, edgeHigh: -0.01 } }],
    ["history_loses", { evidence: { ...measured, confidence: 0.382, most: 0.428 } }],
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
    // Also where nothing asks for a trade, once it is avoided.
    expect(decide({ stale: true, fusion: fused(0.1), price: 96 })).toEqual([
      "AVOID",
      "prices_stale",
      "price_beyond_levels",
    ]);
    expect(ACTION_REASONS).toHaveLength(15);
  });

  it("is never a trade against the measured hit rate, nor one at which Kelly stakes nothing", () => {
    // Break-even of 4 of reward on 3 of risk is 3 of 7.
    const loses = decideAction(facts({ evidence: { ...measured, confidence: 0.382, most: 0.42 } }));
    expect(loses).toEqual({
      action: "AVOID",
      reasons: [{ code: "history_loses", value: 0.42, limit: expect.closeTo(3 / 7, 12) }],
    });
    expect(decide({ evidence: { ...measured, confidence: 0.42, most: 0.5 } })).toEqual(["HOLD", "no_edge"]);
    expect(decide({ evidence: { ...measured, confidence: 0.43, most: 0.5 } })).toEqual([
      "BUY",
      "layers_agree",
    ]);
    const stale = { evidence: { ...measured, confidence: 0.42 }, stale: true };
    expect(decide(stale)).toEqual(["AVOID", "prices_stale"]);
    const rate = fc.double({ min: 0, max: 1, noNaN: true });
    fc.assert(
      fc.property(
        rate,
        rate,
        fc.double({ min: 0.75, max: 10, noNaN: true }),
        (confidence, up, rewardRisk) => {
          const most = confidence + up * (1 - confidence);
          const { action } = decideAction(
            facts({ levels: { ...levels, rewardRisk }, evidence: { ...measured, confidence, most } }),
          );
          if (confidence - (1 - confidence) / rewardRisk < -1e-12) expect(action).not.toBe("BUY");
        },
      ),
    );
  });

  it("says that layers agree where two thirds of the weight of those that speak point one way alone", () => {
    const spoken = (values: Partial<Record<LayerName, number>>) =>
      fuseLayers(
        Object.fromEntries(
          LAYERS.map((name): [LayerName, LayerInput] => {
            const value = values[name] ?? null;
            return [name, value === null ? { value, reason: "silent" } : { value }];
          }),
        ) as Record<LayerName, LayerInput>,
        null,
      );
    const split = decideAction(facts({ fusion: spoken({ rules: 0.49, multi_timeframe: -0.98 }) }));
    expect(split).toEqual({
      action: "HOLD",
      reasons: [{ code: "layers_split", value: 0.5, limit: 2 / 3 }],
    });
    const mostly = spoken({ rules: 0.8, multi_timeframe: 0.6, sentiment: -0.1 });
    expect(decide({ fusion: mostly })).toEqual(["BUY", "layers_agree"]);
    // What says nothing either way is no voice.
    expect(decide({ fusion: spoken({ rules: 0.8, multi_timeframe: 0, sentiment: 0 }) })[1]).toBe(
      "layers_agree",
    );
    const value = fc.option(fc.double({ min: -1, max: 1, noNaN: true }), { nil: undefined });
    fc.assert(
      fc.property(value, value, value, (rules, frames, sentiment) => {
        const { action } = decideAction(
          facts({ fusion: spoken({ rules, multi_timeframe: frames, sentiment } as never), evidence: null }),
        );
        const side = action === "BUY" ? 1 : action === "SELL" ? -1 : 0;
        // Neither patterns nor intervals are overruled.
        if (side !== 0) expect(side * (rules ?? 0)).toBeGreaterThanOrEqual(0);
        if (side !== 0) expect(side * (frames ?? 0)).toBeGreaterThanOrEqual(0);
      }),
    );
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
