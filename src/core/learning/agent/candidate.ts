import { hash32 } from "../../base/rng.js";
import { check, type RuleCheck, type Verdict, verdictOf } from "../governance.js";
import { PAIRED_RULES, type PairedGain, pairedChecks, pairedGain } from "../paired.js";
import { type AgentReport, evaluateAgent } from "./evaluate.js";
import { type AgentProgress, type TrainedAgent, trainAgent } from "./learner.js";
import { PLANTED_TERMS, plantedMarket } from "./planted.js";
import { type Agent, policyOf } from "./policy.js";
import { ACTIONS } from "./simulator.js";
import { AGENT_WARMUP, type AgentMarket, marketOf, STATE_COLUMNS } from "./state.js";
import { cutStretches, runStretch, type Stretch } from "./stretch.js";
import { AGENT_SCHEMA } from "./weights.js";

/** Names of what an agent reads, in their order. */
export const AGENT_COLUMNS: readonly string[] = Object.freeze(STATE_COLUMNS.map(({ name }) => name));

/** Eight hexadecimal digits that other columns, actions or another meaning of the weights would change. */
export const AGENT_LINEAGE: string = hash32(JSON.stringify([AGENT_SCHEMA, STATE_COLUMNS, ACTIONS]))
  .toString(16)
  .padStart(8, "0");

/** How an agent is learned and tried. */
export interface AgentLearningTerms {
  readonly seed: number;
  /** Planted markets to learn from beside stored ones, and the bars of each. */
  readonly markets: number;
  readonly bars: number;
  readonly steps: number;
  /** Planted markets and random walks that it is tried on, one stretch of so many bars in each. */
  readonly tried: number;
  readonly triedBars: number;
}

export const AGENT_LEARNING_TERMS: Omit<AgentLearningTerms, "seed"> = Object.freeze({
  markets: 12,
  bars: 2_500,
  steps: 12_000,
  tried: 60,
  triedBars: 500,
});

/** What was measured of an agent on markets of which no bar was learned from. */
export interface AgentEvaluation {
  /** Where regimes take turns. */
  readonly planted: AgentReport;
  /** Where no close tells of the next. */
  readonly walks: AgentReport;
}

export const AGENT_RULES = [
  "ahead_of_hold",
  "ahead_of_random",
  "not_ahead_of_hold_on_walks",
  ...PAIRED_RULES,
] as const;
export type AgentRule = (typeof AGENT_RULES)[number];

/**
 * Whether an agent may become the active version: sure to be ahead where there is something to be known, and not sure
 * to be where there is nothing, which only a simulator that leaks could make it. What is not a number passes no rule.
 * @param comparison logarithm of growth gained a stretch; null without an active version, which passes.
 */
export function judgeAgent(
  { planted, walks }: AgentEvaluation,
  comparison: Pick<PairedGain, "gain" | "low"> | null,
): Verdict<AgentRule> {
  const [hold, random] = [planted.ahead.hold.low, planted.ahead.random.low];
  const walked = walks.ahead.hold.low;
  const checks: readonly RuleCheck<AgentRule>[] = [
    check("ahead_of_hold", hold, 0, hold !== null && hold > 0),
    check("ahead_of_random", random, 0, random !== null && random > 0),
    check("not_ahead_of_hold_on_walks", walked, 0, walked !== null && walked <= 0),
    ...pairedChecks(comparison),
  ];
  return verdictOf(checks);
}

export interface AgentCandidate {
  readonly agent: Agent;
  readonly evaluation: AgentEvaluation;
  readonly comparison: PairedGain | null;
  readonly verdict: Verdict<AgentRule>;
  readonly heldOut: TrainedAgent["heldOut"];
}

/**
 * Learns an agent on planted markets and stored ones, and tries it on others. The same markets, terms and incumbent give
 * the same candidate to the last bit.
 * @param stored markets of stored series. @param incumbent the active agent; null without one.
 * @param onProgress told every thousand steps; false ends the learning.
 */
export function learnAgent(
  stored: readonly AgentMarket[],
  terms: AgentLearningTerms,
  incumbent: Agent | null,
  onProgress?: (progress: AgentProgress) => boolean,
): AgentCandidate {
  const { seed, steps, markets, bars } = terms;
  const drawn = Array.from({ length: markets }, (_, place) => marketAt("learned", terms, place, bars));
  const { agent, heldOut } = trainAgent({
    ...{ seed, steps, series: [...drawn, ...stored] },
    ...(onProgress === undefined ? {} : { onProgress }),
  });
  return { agent, heldOut, ...tryAgent(agent, terms, incumbent) };
}

/**
 * Tries an agent on planted markets and walks. Those of a seed that was unknown when it was learned it cannot have seen.
 * @param incumbent the active agent; null without one.
 */
export function tryAgent(
  agent: Agent,
  terms: AgentLearningTerms,
  incumbent: Agent | null,
): Pick<AgentCandidate, "evaluation" | "comparison" | "verdict"> {
  const evaluation = evaluateBoth(agent, terms);
  const comparison = incumbent === null ? null : compareAgents(incumbent, agent, terms);
  return { evaluation, comparison, verdict: judgeAgent(evaluation, comparison) };
}

/** @param drift 0 for a random walk. */
function marketAt(
  what: string,
  { seed }: Pick<AgentLearningTerms, "seed">,
  place: number,
  bars: number,
  drift: number = PLANTED_TERMS.drift,
): AgentMarket {
  return marketOf(plantedMarket({ ...PLANTED_TERMS, bars, drift, seed: hash32(`${what} ${seed} ${place}`) }));
}

function stretchesOf(terms: AgentLearningTerms, drift: number): Stretch[] {
  const { tried, triedBars } = terms;
  return Array.from({ length: tried }, (_, place) =>
    cutStretches(marketAt("tried", terms, place, AGENT_WARMUP + triedBars + 1, drift), triedBars),
  ).flat();
}

function evaluateBoth(agent: Agent, terms: AgentLearningTerms): AgentEvaluation {
  const { seed } = terms;
  return {
    planted: evaluateAgent(agent, stretchesOf(terms, PLANTED_TERMS.drift), seed),
    walks: evaluateAgent(agent, stretchesOf(terms, 0), seed),
  };
}

/** By what the candidate gains over the active version stretch by stretch, each a market of its own, on those with regimes. */
function compareAgents(incumbent: Agent, agent: Agent, terms: AgentLearningTerms): PairedGain {
  const stretches = stretchesOf(terms, PLANTED_TERMS.drift);
  const totals = (each: Agent) =>
    Float64Array.from(stretches, (stretch) => runStretch(stretch, policyOf(each), agent.terms).total);
  const before = totals(incumbent);
  const gains = totals(agent).map((total, k) => total - before[k]);
  return pairedGain([{ gains, meanBlock: 1 }], terms.seed);
}
