import { describe, expect, it } from "vitest";
import type { CostClass } from "../../src/core/signals/cost-class.js";
import { type Measurable, measuredOf } from "../../src/features/detections/confidence.js";
import type { Confidence } from "../../src/features/evidence/evidence.js";

const CELL = { value: 0.46, reason: null, regime: "any", n: 300, hitRate: 0.47 } as unknown as Confidence;

/** A bearish engulfing at 100 with an average range of 2: its target lies 4 below. */
const seen = (change: Partial<Measurable> = {}): Measurable => ({
  pattern: "bearish_engulfing",
  interval: "1d",
  regime: "bull_quiet",
  state: "confirmed",
  trendMet: true,
  direction: -1,
  price: 100,
  facts: { trend: "up", range: 2 },
  formation: null,
  ...change,
});

describe("the confidence of a detection", () => {
  it("is what was measured of the pattern, interval, regime and class of costs", () => {
    const asked: unknown[][] = [];
    const confidenceOf = (...question: [string, string, string | null, (CostClass | null)?]) => {
      asked.push(question);
      return CELL;
    };
    expect(measuredOf(seen(), "equity", confidenceOf)).toEqual(CELL);
    expect(measuredOf(seen({ facts: { trend: "up", range: 0.02 } }), "crypto", confidenceOf)).toEqual(CELL);
    expect(measuredOf(seen({ direction: 0 }), "equity", confidenceOf)).toEqual(CELL);
    expect(asked.map(([, , , costs]) => costs)).toEqual(["light", "prohibitive", null]);
    expect(asked[0].slice(0, 3)).toEqual(["bearish_engulfing", "1d", "bull_quiet"]);
  });

  it.each<[Partial<Measurable>, string]>([
    [{ trendMet: false }, "It is not in the trend it was measured in"],
    [{ state: "forming" }, "It is forming, and confirmed ones were measured"],
    [{ state: "failed" }, "It is failed, and confirmed ones were measured"],
    [{ state: "expired", trendMet: false }, "It is expired, and confirmed ones were measured"],
  ])("is none, with a reason, of what was not measured: %j", (change, reason) => {
    expect(measuredOf(seen(change), "equity", () => CELL)).toEqual({ ...CELL, value: null, reason });
  });

  it("keeps the reason of evidence that has none itself", () => {
    const few = { ...CELL, value: null, reason: "Fewer than 30 trades on the pattern have ended" };
    expect(measuredOf(seen({ trendMet: false }), "equity", () => few)).toEqual(few);
  });
});
