import { describe, expect, it } from "vitest";
import {
  AGENT_LEARNING_TERMS,
  AGENT_RULES,
  type AgentEvaluation,
  judgeAgent,
  learnAgent,
  tryAgent,
} from "../../src/core/learning/agent/candidate.js";
import { type AgentReport, evaluateAgent } from "../../src/core/learning/agent/evaluate.js";
import { trainAgent } from "../../src/core/learning/agent/learner.js";
import { PLANTED_TERMS, plantedMarket } from "../../src/core/learning/agent/planted.js";
import { type Agent, policyOf } from "../../src/core/learning/agent/policy.js";
import { marketOf } from "../../src/core/learning/agent/state.js";
import { runStretch } from "../../src/core/learning/agent/stretch.js";
import { judgeAgentDecay, type WatchedSeries } from "../../src/core/learning/agent/watch.js";
import { seeingAhead, trainingSeries, unseenStretches } from "../fixtures/agent-markets.js";

const SHORT = { ...AGENT_LEARNING_TERMS, seed: 1, markets: 6, steps: 2_500, tried: 24, triedBars: 400 };
const learned = learnAgent([], SHORT, null);
const GOOD = learned.evaluation;

function lower(report: AgentReport, name: "hold" | "random", low: number | null): AgentReport {
  return { ...report, ahead: { ...report.ahead, [name]: { ...report.ahead[name], low } } };
}

describe("judgeAgent", () => {
  it("promotes what is surely ahead where there is something to know and not where there is nothing", () => {
    const verdict = judgeAgent(GOOD, { gain: 0.1, low: 0.01 });
    expect(verdict).toMatchObject({ promoted: true, refusedBy: null });
    expect(verdict.checks.map(({ rule }) => rule)).toEqual([...AGENT_RULES]);
    expect(verdict.checks[0]).toEqual({
      rule: "ahead_of_hold",
      passed: true,
      value: GOOD.planted.ahead.hold.low,
      limit: 0,
    });
  });

  const planted = (report: AgentReport): AgentEvaluation => ({ ...GOOD, planted: report });
  const walks = (report: AgentReport): AgentEvaluation => ({ ...GOOD, walks: report });
  it.each([
    ["ahead_of_hold", planted(lower(GOOD.planted, "hold", 0)), null],
    ["ahead_of_hold", planted(lower(GOOD.planted, "hold", null)), null],
    ["ahead_of_random", planted(lower(GOOD.planted, "random", 0)), null],
    ["not_ahead_of_hold_on_walks", walks(lower(GOOD.walks, "hold", 1e-9)), null],
    ["not_ahead_of_hold_on_walks", walks(lower(GOOD.walks, "hold", null)), null],
    ["not_worse_than_active", GOOD, { gain: -1e-9, low: 1e-9 }],
    ["better_than_active", GOOD, { gain: 0.3, low: 0 }],
    ["better_than_active", GOOD, { gain: 0.3, low: Number.NaN }],
  ] as const)("refuses by %s alone", (rule, found, comparison) => {
    const { refusedBy, checks } = judgeAgent(found, comparison);
    expect(refusedBy).toBe(rule);
    expect(checks.filter(({ passed }) => !passed)).toHaveLength(1);
  });

  it("refuses an agent that sees one bar ahead, by what it gains where there is nothing to know", () => {
    const { agent } = trainAgent({
      seed: 4,
      series: trainingSeries(4, 0).slice(0, 4).map(seeingAhead),
      steps: 1_500,
    });
    const stretches = unseenStretches(4, 0).map((each) => ({ ...each, market: seeingAhead(each.market) }));
    const found = { ...GOOD, walks: evaluateAgent(agent, stretches, 4) };
    expect(judgeAgent(found, null).refusedBy).toBe("not_ahead_of_hold_on_walks");
  });
});

describe("a candidate agent", () => {
  it("passes every rule after 2,500 steps on planted markets, and is the same for the same terms", () => {
    expect(learned.verdict.promoted).toBe(true);
    expect(learned.evaluation.planted).toMatchObject({ stretches: 24, bars: 9_600 });
    expect(learnAgent([], SHORT, null)).toEqual(learned);
  });

  it("is refused where it learned on random walks alone, for it stays out", () => {
    const found = learnAgent(trainingSeries(1, 0).slice(0, 4), { ...SHORT, markets: 0 }, learned.agent);
    expect(found.agent.margin).toBeNull();
    expect(found.verdict.promoted).toBe(false);
    expect(found.verdict.checks.at(-2)).toMatchObject({ rule: "not_worse_than_active", passed: false });
  });

  it("is compared with the active one stretch by stretch", () => {
    const same = learnAgent([], SHORT, learned.agent);
    expect(same.comparison).toEqual({ samples: 24, gain: 0, low: 0, high: 0 });
    // One that is as good is no reason to change what serves.
    expect(same.verdict.refusedBy).toBe("better_than_active");
    const idle = { ...learned.agent, margin: null };
    const { comparison: gained, verdict } = tryAgent(learned.agent, SHORT, idle);
    expect(verdict.promoted).toBe(true);
    expect(verdict.checks.slice(-2).map(({ value }) => value)).toEqual([gained?.gain, gained?.low]);
    // One that stays out grows by nothing, so that what is gained is the growth of the candidate.
    expect(gained?.gain).toBeCloseTo(learned.evaluation.planted.policies.agent.logReturn.value ?? 0, 10);
    expect(gained?.high).toBeGreaterThan(gained?.gain ?? 0);
  });
});

describe("an active agent beside holding", () => {
  const HOURS = 24;
  /** Bars of an hour, decided on from one on. */
  const watched = (place: number, { drift = 0.003, bars = 1_400, from = 100 } = {}): WatchedSeries => {
    const candles = plantedMarket({ ...PLANTED_TERMS, bars, drift, seed: 9_000 + place });
    return { market: marketOf(candles), time: candles.time, from };
  };
  const series = (count: number, change: Parameters<typeof watched>[1] = {}) =>
    Array.from({ length: count }, (_, place) => watched(place, change));
  /** The same agent with the worths of its actions turned around. */
  const turned = (agent: Agent): Agent => {
    const { sizes, weights } = agent.net;
    const [inner, outputs] = sizes.slice(-2);
    const last = outputs * (inner + 1);
    return { ...agent, net: { sizes, weights: weights.map((w, k) => (k < weights.length - last ? w : -w)) } };
  };

  it("comes to what a plain walk over bars does, day by day, all series of a day as one", () => {
    const all = [watched(1, { bars: 700 }), watched(2, { bars: 720, from: 40 })];
    const found = judgeAgentDecay(learned.agent, all, {
      days: 15,
      least: 10,
      level: 0.01,
      seed: 1,
      draws: 50,
    });
    const days = new Map<number, number[]>();
    for (const { market, time, from } of all) {
      const stretch = { market, from: Math.max(from, 50), to: time.length };
      const own = runStretch(stretch, policyOf(learned.agent), learned.agent.terms).returns;
      const entry = market.open[stretch.from + 1];
      const costs = learned.agent.terms.costBps / 10_000;
      const sums = new Map<number, number>();
      for (let bar = stretch.from + 1; bar < time.length; bar++) {
        // Held from the first open on: only that fill and the last close cost.
        const grown = (at: number) => Math.log((1 - costs) * (market.close[at] / entry));
        const before = bar === stretch.from + 1 ? 0 : grown(bar - 1);
        const last = bar === time.length - 1 ? Math.log(1 - costs) : 0;
        const gain = own[bar - stretch.from - 1] - (grown(bar) - before + last);
        const day = Math.floor(bar / HOURS);
        sums.set(day, (sums.get(day) ?? 0) + gain);
      }
      for (const [day, sum] of sums) days.set(day, [...(days.get(day) ?? []), sum]);
    }
    const newest = [...days].sort(([a], [b]) => a - b).slice(-15);
    const means = newest.map(([, sums]) => sums.reduce((a, b) => a + b) / sums.length);
    expect(found).toMatchObject({ days: 15, series: 2, samples: 599 + 669 });
    expect(found?.ahead).toBeCloseTo(means.reduce((a, b) => a + b) / 15, 10);
  });

  it("stays where it is ahead, and where there is nothing to be known", () => {
    expect(judgeAgentDecay(learned.agent, series(4))?.ahead).toBeGreaterThan(0);
    expect(judgeAgentDecay(learned.agent, series(4))?.reason).toBeNull();
    const idle = { ...learned.agent, margin: null };
    const walks = series(4, { drift: 0 });
    expect(judgeAgentDecay(idle, walks)).toMatchObject({ agent: 0, reason: null });
  });

  it("is taken back where its worths are turned around, and only once there are days enough", () => {
    const bad = turned(learned.agent);
    const found = judgeAgentDecay(bad, series(4));
    expect(found?.reason).toBe("behind_hold");
    expect(found?.aheadHigh).toBeLessThan(0);
    expect(judgeAgentDecay(bad, series(4, { bars: 500 }))).toBeNull();
    expect(judgeAgentDecay(bad, [])).toBeNull();
  });
});
