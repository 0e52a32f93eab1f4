import { describe, expect, it } from "vitest";
import type { RunTerms } from "../../src/features/backtests/terms.js";
import tryPoints, { type TrialsOrder } from "../../src/features/backtests/trials-worker.js";
import { wanderingCandles } from "../fixtures/market-walks.js";
import { RUN_TERMS } from "../fixtures/run-terms.js";

const TERMS: RunTerms = { ...RUN_TERMS, commissionBps: 5, spreadBps: 2, slippageBps: 1, calendar: null };
const POINTS = [
  { fast: 3, slow: 9, side: "long" },
  { fast: 5, slow: 20, side: "long" },
  { fast: 3, slow: 20, side: "both" },
];

let sweeps = 0;
/** @param seed of the bars, 900 of five minutes. */
function orderOf(seed: number, given: Partial<TrialsOrder> = {}): TrialsOrder {
  const series = [wanderingCandles("AAA", "5m", 900, seed)];
  return {
    sweep: `sweep ${sweeps++}`,
    strategyId: "golden_cross",
    points: POINTS,
    series,
    facts: [{}],
    lead: [],
    happenings: [],
    terms: TERMS,
    window: null,
    byBar: false,
    ...given,
  };
}

function withoutBars(order: TrialsOrder) {
  return tryPoints(order).map(({ bars: _, ...trial }) => trial);
}

describe("tasks of sweeps", () => {
  it.each([
    ["all bars", null],
    ["a window", { from: 310, to: 777 }],
  ])("tell by the ends of days what all bars tell, over %s", (_, window) => {
    for (let seed = 0; seed < 10; seed++) {
      const byDay = withoutBars(orderOf(seed, { window }));
      expect(byDay).toEqual(withoutBars(orderOf(seed, { window, byBar: true })));
      expect(byDay.every(({ trades, returns }) => trades > 0 && returns.length > 1)).toBe(true);
    }
  });

  it("come to the same in one task as in three, with the columns of those before", () => {
    const order = orderOf(1);
    const apart = POINTS.flatMap((point) => tryPoints({ ...order, points: [point] }));
    expect(apart).toEqual(tryPoints({ ...order, sweep: "another" }));
  });

  it("take no bars of another sweep, nor of another window of their own", () => {
    const [one, other] = [orderOf(1), orderOf(2)];
    const first = tryPoints(one);
    expect(tryPoints(other)).not.toEqual(first);
    const window = { from: 100, to: 500 };
    expect(tryPoints({ ...other, window })).toEqual(tryPoints({ ...other, sweep: "fresh", window }));
    expect(tryPoints(one)).toEqual(first);
  });

  it("tells of bars by their returns", () => {
    const [trial] = tryPoints(orderOf(3, { byBar: true }));
    const whole = trial.bars.reduce((level, each) => level * (1 + each), 1);
    expect(whole - 1).toBeCloseTo(trial.totalReturn ?? Number.NaN, 12);
  });
});
