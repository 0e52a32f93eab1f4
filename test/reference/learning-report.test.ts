import { describe, expect, it } from "vitest";
import { agentBefore, worthReader } from "../../bench/learning-agents.js";
import { areaWithin } from "../../bench/learning-area.js";
import { drawnNet, layersOf } from "../../bench/learning-layers.js";
import { reportOf, tableOf } from "../../bench/learning-text.js";
import { walkForward } from "../../bench/learning-walk.js";
import { createRng } from "../../src/core/base/rng.js";
import { areaInterval } from "../../src/core/learning/auc-error.js";
import { areaUnderCurve } from "../../src/core/learning/metrics.js";
import { samplesOf } from "../../src/core/learning/samples.js";
import { sliceCandles } from "../../src/core/market/candles.js";
import { calendarOf } from "../../src/core/market/session.js";
import { computeRegimes } from "../../src/core/regime/regime.js";
import { pulledWalk } from "../fixtures/planted-walks.js";
import { sized } from "../fixtures/sizes.js";

const series = [11].map((seed) => {
  const candles = pulledWalk(2_200, seed, -0.4);
  return { candles, calendar: "24x7", costBps: 5, regimes: computeRegimes(candles).label } as const;
});
const TERMS = {
  ...{ seed: 1, mostRows: 450, mostBars: 2_200 },
  ...sized({ usual: { netWindows: 60, agentSteps: 100 }, full: { netWindows: 150, agentSteps: 300 } }),
};
/** Runs that are only held against each other. */
const SHORT = sized({ usual: { ...TERMS, mostRows: 200 }, full: TERMS });

describe("the area under the curve of pairs within folds", () => {
  const rng = createRng(5);
  const [count, each] = [4, 250];
  const folds = Array.from({ length: count }, (_, k) => each * k);
  const rates = Array.from({ length: count * each }, (_, row) => 0.3 + 0.1 * Math.floor(row / each));
  const labels = Float64Array.from(rates, (rate) => (rng.next() < rate ? 1 : 0));
  const terms = { seed: 1, draws: 200, meanBlock: 4 };

  it("is a half to the last bit for the share of wins of each fold, which ranks rows of several", () => {
    const scores = Float64Array.from(rates);
    expect(areaUnderCurve({ scores, labels })).toBeGreaterThan(0.55);
    expect(areaWithin({ scores, labels }, folds, terms)).toMatchObject({ value: 0.5, low: 0.5, high: 0.5 });
  });

  it("is the share of pairs that are in order, and that of all rows where there is one fold", () => {
    const scores = labels.map((label, row) => rates[row] + 0.4 * label + rng.normal());
    const found = areaWithin({ scores, labels }, folds, terms);
    let [right, pairs] = [0, 0];
    for (const [i, label] of labels.entries())
      for (let j = 0; j < labels.length; j++) {
        if (label !== 1 || labels[j] !== 0 || Math.floor(i / each) !== Math.floor(j / each)) continue;
        pairs++;
        right += Number(scores[i] > scores[j]);
      }
    expect(found.value).toBeCloseTo(right / pairs, 12);
    expect(found.low).toBeLessThan(found.value);
    const whole = areaWithin({ scores, labels }, [0], terms);
    expect(whole.value).toBe(areaUnderCurve({ scores, labels }));
    expect([whole.low, whole.high]).toEqual(
      [areaInterval({ scores, labels }, terms)].flatMap(({ low, high }) => [low, high]),
    );
  });
});

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
    expect(share.area).toMatchObject({ value: 0.5, low: 0.5, high: 0.5 });
    expect(trees.taken.trades).toBeLessThan(walk?.rows ?? 0);
    expect(trees.taken.wins / trees.taken.trades).toBeGreaterThan(walk?.wins ?? 1);
  });

  it("says of a net that was silent that it was, in the place of figures", () => {
    const [{ candles }] = series;
    const short = sliceCandles(candles, 0, 1_000);
    const one = { ...series[0], candles: short };
    const terms = { policy: { kind: "barriers" }, costBps: 5 } as const;
    const part = samplesOf(short, { calendar: calendarOf("24x7") }, terms);
    const layers = layersOf([one], [part], part, drawnNet(1, 60));
    const votes = layers.votes.map((vote) => ({ ...vote, values: { ...vote.values, deep: Number.NaN } }));
    const keys = part.facts.map(({ regime }) => regime ?? "");
    const walk = walkForward({ ...part, keys, layers: { ...layers, votes } }, SHORT);
    if (walk === null) throw new Error("too few rows");
    const net = walk.models.find(({ model }) => model === "sequence net");
    expect(net).toMatchObject({ silentFolds: net?.folds });
    const lines = tableOf(walk).split("\n");
    expect(lines.find((line) => line.includes("sequence net"))).toMatch(/^\|sequence net\|silent(\|-)+\|$/);
    expect(lines.find((line) => line.includes("share of wins"))).toContain("|0.500 [0.500 0.500]|");
    expect(new Set(lines.map((line) => line.split("|").length)).size).toBe(1);
  }, 60_000);

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
