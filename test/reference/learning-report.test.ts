import { describe, expect, it } from "vitest";
import { reportOf } from "../../bench/learning-text.js";
import { walkForward } from "../../bench/learning-walk.js";
import { samplesOf } from "../../src/core/learning/samples.js";
import { calendarOf } from "../../src/core/market/session.js";
import { computeRegimes } from "../../src/core/regime/regime.js";
import { pulledWalk } from "../fixtures/planted-walks.js";

const series = [11].map((seed) => {
  const candles = pulledWalk(2_000, seed, -0.4);
  return { candles, calendar: "24x7", costBps: 5, regimes: computeRegimes(candles).label } as const;
});
const TERMS = { seed: 1, mostRows: 450, mostBars: 2_000 };

describe("the report of models walked forward", () => {
  it("is the same on a second run, and another with another seed", () => {
    const text = reportOf(series, TERMS);
    expect(reportOf(series, TERMS)).toBe(text);
    expect(reportOf(series, { ...TERMS, seed: 2 })).not.toBe(text);
  }, 60_000);

  it("says so where there is too little to walk over", () => {
    expect(reportOf(series, { ...TERMS, mostRows: 60 })).toContain(
      "60 rows have settled: too few to walk over",
    );
  });

  it("finds what was planted by both models, and nothing by the share of wins", () => {
    const [{ candles }] = series;
    const terms = { policy: { kind: "barriers" }, costBps: 5 } as const;
    const walk = walkForward(samplesOf(candles, { calendar: calendarOf("24x7") }, terms), 1);
    const [trees, online, share] = walk?.models ?? [];
    expect(trees.area.low).toBeGreaterThan(0.55);
    expect(online.area.low).toBeGreaterThan(0.55);
    expect(share.area.value).toBeLessThan(0.55);
    expect(trees.taken.trades).toBeLessThan(walk?.rows ?? 0);
    expect(trees.taken.wins / trees.taken.trades).toBeGreaterThan(walk?.wins ?? 1);
  });
});
