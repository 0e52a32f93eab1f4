import { lowerBound } from "../src/core/base/search.js";
import { evaluateAgent } from "../src/core/learning/agent/evaluate.js";
import { trainAgent } from "../src/core/learning/agent/learner.js";
import type { Agent } from "../src/core/learning/agent/policy.js";
import {
  type AgentMarket,
  flatHolding,
  MARKET_LENGTH,
  writeState,
} from "../src/core/learning/agent/state.js";
import { cutStretches } from "../src/core/learning/agent/stretch.js";
import { createPass, forwardDense } from "../src/core/learning/dense.js";
import { sigmoid } from "../src/core/learning/odds.js";
import type { RowLayers } from "./learning-layers.js";

/** Steps of a training, series of it (evenly among all), and their newest bars before the cut. */
export const AGENT_STEPS = 1_500;
const MOST_SERIES = 6;
const MOST_BARS = 2_500;
const LEAST_BARS = 400;
/** Bars of a stretch that an agent trades from flat to flat. */
const STRETCH = 100;

export const agentText = (steps: number) =>
  `The agent of each fold learned in ${steps} steps on up to ${MOST_BARS} bars of ${MOST_SERIES} series, evenly among all, that had ` +
  `opened before; its score is the worth of the trade's direction over holding, from flat. Its lines tell what it gained in ` +
  `stretches of ${STRETCH} bars of all series within the fold, less what holding and trading as often at random did.`;

export interface AgentWalkTerms {
  readonly seed: number;
  readonly agentSteps: number;
}

/** An agent that learned from bars before a moment; null where there are too few. */
export function agentBefore(
  { markets, times }: Pick<RowLayers, "markets" | "times">,
  untilMs: number,
  { seed, agentSteps: steps }: AgentWalkTerms,
): Agent | null {
  const step = Math.max(1, markets.length / MOST_SERIES);
  const series: AgentMarket[] = [];
  for (let k = 0; k < markets.length; k += step) {
    const at = Math.floor(k);
    const to = lowerBound(times[at], untilMs);
    const from = Math.max(0, to - MOST_BARS);
    if (to - from >= LEAST_BARS) series.push(partOf(markets[at], from, to));
  }
  return series.length === 0 ? null : trainAgent({ seed, series, steps }).agent;
}

function partOf(market: AgentMarket, from: number, to: number): AgentMarket {
  const { open, close, range, inputs, first } = market;
  return {
    open: open.subarray(from, to),
    close: close.subarray(from, to),
    range: range.subarray(from, to),
    inputs: inputs.subarray(from * MARKET_LENGTH, to * MARKET_LENGTH),
    // A return needs the close before.
    first: Math.min(to - from, Math.max(1, first - from)),
  };
}

/** How much more a direction is worth than holding at the close of a bar, from flat, as a share of 1: a half says nothing. */
export function worthReader(agent: Agent): (market: AgentMarket, at: number, direction: 1 | -1) => number {
  const pass = createPass(agent.net.sizes);
  const flat = flatHolding();
  return (market, at, direction) => {
    writeState(market, at, flat, pass.values[0]);
    const q = forwardDense(agent.net, pass);
    return sigmoid(q[direction > 0 ? 1 : 2] - q[0]);
  };
}

/** What an agent came to in stretches of bars from one moment to another, as a line; null without a stretch. */
export function traded(
  agent: Agent,
  { markets, times }: Pick<RowLayers, "markets" | "times">,
  fromMs: number,
  toMs: number,
  seed: number,
): string | null {
  const stretches = markets.flatMap((market, k) =>
    cutStretches(
      market,
      STRETCH,
      Math.max(market.first, lowerBound(times[k], fromMs)),
      lowerBound(times[k], toMs),
    ),
  );
  if (stretches.length === 0) return null;
  const { ahead, policies } = evaluateAgent(agent, stretches, seed);
  const told = ({ value, low, high }: (typeof ahead)["hold"]) => {
    const points = (part: number | null) => (part === null ? "-" : (part * 10_000).toFixed(1));
    return `${points(value)} [${points(low)} ${points(high)}]`;
  };
  const { agent: own } = policies;
  return (
    `${stretches.length} stretches, margin ${agent.margin ?? "none: it stays out"}, ${((own.long.value ?? 0) * 100).toFixed(0)} % of bars long and ` +
    `${((own.short.value ?? 0) * 100).toFixed(0)} % short: ${told(own.logReturn)}; less hold ${told(ahead.hold)}; less random ${told(ahead.random)}`
  );
}
