import { describe, expect, it } from "vitest";
import {
  AGENT_LEARNING_TERMS,
  AGENT_RULES,
  type AgentEvaluation,
  judgeAgent,
  learnAgent,
} from "../../src/core/learning/agent/candidate.js";
import { type AgentReport, evaluateAgent } from "../../src/core/learning/agent/evaluate.js";
import { trainAgent } from "../../src/core/learning/agent/learner.js";
import { seeingAhead, trainingSeries, unseenStretches } from "../fixtures/agent-markets.js";

const SHORT = { ...AGENT_LEARNING_TERMS, seed: 1, markets: 6, steps: 2_500, tried: 24, triedBars: 400 };
const learned = learnAgent([], SHORT, null);
const GOOD = learned.evaluation;

function lower(report: AgentReport, name: "hold" | "random", low: number | null): AgentReport {
  return { ...report, ahead: { ...report.ahead, [name]: { ...report.ahead[name], low } } };
}

describe("judgeAgent", () => {
  it("promotes what is surely ahead where there is something to know and not where there is nothing", () => {
    const verdict = judgeAgent(GOOD, { gain: 0, high: 0 });
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
    ["not_worse_than_active", GOOD, { gain: -1e-9, high: 0.3 }],
    ["not_worse_than_active", GOOD, { gain: Number.NaN, high: Number.NaN }],
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
    expect(found.verdict.checks.at(-1)).toMatchObject({ rule: "not_worse_than_active", passed: false });
  });

  it("is compared with the active one stretch by stretch", () => {
    const same = learnAgent([], SHORT, learned.agent);
    expect(same.comparison).toEqual({ gain: 0, high: 0 });
    const idle = { ...learned.agent, margin: null };
    const gained = learnAgent([], SHORT, idle).comparison;
    // One that stays out grows by nothing, so that what is gained is the growth of the candidate.
    expect(gained?.gain).toBeCloseTo(learned.evaluation.planted.policies.agent.logReturn.value ?? 0, 10);
    expect(gained?.high).toBeGreaterThan(gained?.gain ?? 0);
  });
});
