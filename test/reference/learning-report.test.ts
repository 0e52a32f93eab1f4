import { describe, expect, it } from "vitest";
import { agentBefore, worthReader } from "../../bench/learning-agents.js";
import { drawnNet, layersOf } from "../../bench/learning-layers.js";
import { reportOf } from "../../bench/learning-text.js";
import { walkForward } from "../../bench/learning-walk.js";
import { samplesOf } from "../../src/core/learning/samples.js";
import { sliceCandles } from "../../src/core/market/candles.js";
import { calendarOf } from "../../src/core/market/session.js";
import { computeRegimes } from "../../src/core/regime/regime.js";
import { pulledWalk } from "../fixtures/planted-walks.js";
import { sized } from "../fixtures/sizes.js";

const series = [11].map((seed) => {
  const candles = pulledWalk(2_000, seed, -0.4);
  return { candles, calendar: "24x7", costBps: 5, regimes: computeRegimes(candles).label } as const;
});
const TERMS = { seed: 1, mostRows: 450, mostBars: 2_000, netWindows: 150, agentSteps: 300 };
/** Runs that are only held against each other. */
const SHORT = sized({ usual: { ...TERMS, mostRows: 200, netWindows: 60, agentSteps: 100 }, full: TERMS });

describe("the report of models walked forward", () => {
  it("is the same on a second run, and another with another seed", () => {
    const text = reportOf(series, SHORT);
    expect(reportOf(series, SHORT)).toBe(text);
    expect(reportOf(series, { ...SHORT, seed: 2 })).not.toBe(text);
  }, 60_000);

  it("says so where there is too little to walk over", () => {
    expect(reportOf(series, { ...TERMS, mostRows: 60 })).toContain(
      "60 rows have settled: too few to walk over",
    );
  });

  it("finds what was planted by all models of rows, and nothing by the share of wins", () => {
    const [{ candles }] = series;
    const terms = { policy: { kind: "barriers" }, costBps: 5 } as const;
    const part = samplesOf(candles, { calendar: calendarOf("24x7") }, terms);
    const keys = part.facts.map(({ regime }) => regime ?? "");
    const layers = layersOf(series, [part], part, drawnNet(1, 150));
    const walk = walkForward({ ...part, keys, layers }, TERMS);
    const [trees, byPattern, online, net, agent, fusion, share] = walk?.models ?? [];
    expect([net, agent, fusion].map(({ model }) => model)).toEqual(["sequence net", "agent", "fusion"]);
    for (const { area, curve } of [net, agent, fusion]) {
      expect(area.low).toBeLessThanOrEqual(area.value);
      expect(curve.reduce((sum, { weight }) => sum + weight, 0)).toBe(walk?.rows);
    }
    expect(walk?.agents.length).toBeGreaterThan(1);
    expect(walk?.agents.join()).toContain("less hold");
    expect(trees.area.low).toBeGreaterThan(0.55);
    expect(byPattern.area.low).toBeGreaterThan(0.55);
    // Other groups, other trees.
    expect([byPattern.model, byPattern.area]).not.toEqual(["trees by pattern", trees.area]);
    expect(online.area.low).toBeGreaterThan(0.55);
    expect(share.area.value).toBeLessThan(0.55);
    expect(trees.taken.trades).toBeLessThan(walk?.rows ?? 0);
    expect(trees.taken.wins / trees.taken.trades).toBeGreaterThan(walk?.wins ?? 1);
  });

  it("tells of layers and agents what the bars up to a row do, and nothing of those after it", () => {
    const [whole] = series;
    const cut = { ...whole, candles: sliceCandles(whole.candles, 0, 1_700) };
    const terms = { policy: { kind: "barriers" }, costBps: 5 } as const;
    const context = { calendar: calendarOf("24x7") };
    const net = drawnNet(1, 150);
    const [long, short] = [whole, cut].map((each) => {
      const part = samplesOf(each.candles, context, terms);
      return { part, layers: layersOf([each], [part], part, net) };
    });
    const untilMs = whole.candles.time[1_500];
    const agents = [long, short].map(({ layers }) => agentBefore(layers, untilMs, TERMS));
    expect(agents[0]).toEqual(agents[1]);
    const rows = short.part.facts.length;
    expect(rows).toBeGreaterThan(200);
    // A trade that is open at the cut is no row of the shorter one.
    const places = new Map(long.part.facts.map(({ at, plan }, row) => [`${at} ${plan.direction}`, row]));
    const readers = agents.map((agent) => (agent === null ? () => null : worthReader(agent)));
    for (const [row, { at, plan }] of short.part.facts.entries()) {
      const place = places.get(`${at} ${plan.direction}`) ?? -1;
      expect(long.layers.votes[place]).toEqual(short.layers.votes[row]);
      const [all, some] = [long, short].map(({ layers }, k) =>
        readers[k](layers.markets[0], at, plan.direction),
      );
      expect(all).toBe(some);
    }
    const spoken = short.layers.votes.filter(({ values }) => !Number.isNaN(values.multi_timeframe));
    expect(spoken.length).toBeGreaterThan(rows / 2);
  });
});
