import { assert } from "../../base/assert.js";
import { createRng, type Rng } from "../../base/rng.js";
import { quantileOf, sumOf } from "../../base/stats.js";
import { type Agent, type Policy, policyOf } from "./policy.js";
import { ACTIONS, type AgentTerms, isValid } from "./simulator.js";
import { runStretch, type Stretch, type StretchRun } from "./stretch.js";

/** A figure with the interval that 95 % of resampled stretches give it; null where it is not defined. */
export interface Estimate {
  readonly value: number | null;
  readonly low: number | null;
  readonly high: number | null;
}

/** What a policy came to, stretch by stretch. */
export interface PolicyReport {
  /** Mean over stretches of the logarithm of growth after costs. */
  readonly logReturn: Estimate;
  /** Mean per standard deviation of the logarithmic returns of all bars, by bar, not annualised. */
  readonly sharpe: Estimate;
  /** Mean over stretches of the deepest fall below a peak at a close, as a share of it. */
  readonly maxDrawdown: Estimate;
  /** Fills a bar, each of which trades all of the equity. */
  readonly turnover: Estimate;
  /** Shares of bars at whose close a position was long, and short. */
  readonly long: Estimate;
  readonly short: Estimate;
}

export const POLICIES = ["agent", "hold", "random", "flat"] as const;
export type PolicyName = (typeof POLICIES)[number];

export interface AgentReport {
  readonly stretches: number;
  readonly bars: number;
  readonly policies: Readonly<Record<PolicyName, PolicyReport>>;
  /** Mean of the agent's logarithm of growth less that of another policy on the same stretch. */
  readonly ahead: Readonly<Record<Exclude<PolicyName, "agent">, Estimate>>;
}

const RESAMPLES = 2_000;

/** Goes long at the first close and stays so. */
export const holdPolicy: Policy = (_market, _i, { position }) => (position === 0 ? 1 : 0);

/** Never trades. */
export const flatPolicy: Policy = () => 0;

/** Trades with a chance at each bar, each way that is valid alike. */
export function randomPolicy(chance: number, shorts: boolean, rng: Rng): Policy {
  return (_market, _i, { position }) => {
    if (rng.next() >= chance) return 0;
    const open = ACTIONS.map((_, action) => action).filter(
      (action) => action > 0 && isValid(position, action, shorts),
    );
    return open[rng.below(open.length)];
  };
}

/**
 * The agent beside what needs no learning, on the same stretches with the same costs: holding from the first bar, never
 * trading, and trading at random as often as the agent does, since mere trading less is no skill. Intervals are of 2,000
 * resamples of whole stretches (percentiles; B. Efron 1979), which are taken to be independent.
 * @throws AssertionError without a stretch.
 */
export function evaluateAgent(
  agent: Agent,
  stretches: readonly Stretch[],
  seed: number,
  terms: AgentTerms = agent.terms,
): AgentReport {
  assert(stretches.length > 0, "no stretch to evaluate an agent on");
  const runs = (policy: (at: number) => Policy) =>
    stretches.map((stretch, at) => runStretch(stretch, policy(at), terms));
  const greedy = policyOf(agent, terms.shorts);
  const own = runs(() => greedy);
  const bars = sumOf(own.map(({ returns }) => returns.length));
  // The last close of a stretch is no choice.
  const chance = sumOf(own.map(({ fills, closed }) => fills - closed)) / bars;
  const all: Record<PolicyName, readonly StretchRun[]> = {
    agent: own,
    hold: runs(() => holdPolicy),
    random: runs((at) => randomPolicy(chance, terms.shorts, createRng(seed, 0x7a4d, at))),
    flat: runs(() => flatPolicy),
  };
  const draws = drawStretches(stretches.length, seed);
  const ahead = (name: PolicyName) => {
    const differences = own.map(({ total }, k) => total - all[name][k].total);
    return estimate(draws, (at) => sumAt(differences, at) / at.length);
  };
  return {
    stretches: stretches.length,
    bars,
    policies: {
      agent: reportOf(all.agent, draws),
      hold: reportOf(all.hold, draws),
      random: reportOf(all.random, draws),
      flat: reportOf(all.flat, draws),
    },
    ahead: { hold: ahead("hold"), random: ahead("random"), flat: ahead("flat") },
  };
}

interface Draws {
  readonly all: Int32Array;
  readonly resamples: readonly Int32Array[];
}

function drawStretches(n: number, seed: number): Draws {
  const rng = createRng(seed, 0xb007);
  const resamples = Array.from({ length: RESAMPLES }, () => new Int32Array(n).map(() => rng.below(n)));
  return { all: new Int32Array(n).map((_, k) => k), resamples };
}

/** @param figure of the stretches at some places; NaN where they have none. */
function estimate({ all, resamples }: Draws, figure: (at: Int32Array) => number): Estimate {
  const value = figure(all);
  const drawn = Float64Array.from(resamples.map(figure)).filter((each) => !Number.isNaN(each));
  if (Number.isNaN(value) || drawn.length === 0) return { value: null, low: null, high: null };
  drawn.sort();
  return { value, low: quantileOf(drawn, 0.025), high: quantileOf(drawn, 0.975) };
}

function reportOf(runs: readonly StretchRun[], draws: Draws): PolicyReport {
  const bars = runs.map(({ returns }) => returns.length);
  const squares = runs.map(({ returns }) => sumOf(returns.map((each) => each * each)));
  const totals = runs.map(({ total }) => total);
  const mean = (values: readonly number[]) => estimate(draws, (at) => sumAt(values, at) / at.length);
  const perBar = (values: readonly number[]) => estimate(draws, (at) => sumAt(values, at) / sumAt(bars, at));
  return {
    logReturn: mean(totals),
    sharpe: estimate(draws, (at) => {
      const n = sumAt(bars, at);
      const average = sumAt(totals, at) / n;
      const variance = (sumAt(squares, at) - n * average * average) / (n - 1);
      return variance > 0 ? average / Math.sqrt(variance) : Number.NaN;
    }),
    maxDrawdown: mean(runs.map(({ returns }) => deepestFall(returns))),
    turnover: perBar(runs.map(({ fills }) => fills)),
    long: perBar(runs.map(({ long, returns }) => long * returns.length)),
    short: perBar(runs.map(({ short, returns }) => short * returns.length)),
  };
}

function sumAt(values: readonly number[], at: Int32Array): number {
  let sum = 0;
  for (let k = 0; k < at.length; k++) sum += values[at[k]];
  return sum;
}

/** Deepest fall of what logarithmic returns add up to, as a share of the peak before, that before the first among them. */
export function deepestFall(returns: Float64Array): number {
  let [level, peak, deepest] = [0, 0, 0];
  for (let i = 0; i < returns.length; i++) {
    level += returns[i];
    if (level > peak) peak = level;
    else if (level - peak < deepest) deepest = level - peak;
  }
  return -Math.expm1(deepest);
}
