import { assert } from "../../base/assert.js";
import { createRng, type Rng } from "../../base/rng.js";
import { deviationOf } from "../../base/stats.js";
import * as dense from "../dense.js";
import { chooseMargin, type HeldOut } from "./margin.js";
import { createMemory, type Memory } from "./memory.js";
import { type Agent, chooseAction } from "./policy.js";
import { ACTIONS, AGENT_TERMS, type AgentTerms, isValid, stepAccount } from "./simulator.js";
import { type AgentMarket, flatHolding, type Holding, hideBars, STATE_LENGTH, writeState } from "./state.js";
import { cutStretches, type Stretch } from "./stretch.js";

export interface AgentSettings {
  /** Units of each hidden layer. */
  readonly hidden: readonly number[];
  /** Worth of what comes a bar later per what comes now, 0..1. */
  readonly discount: number;
  /** Size of the first step of Adam; it falls evenly to a twentieth. */
  readonly rate: number;
  /** Share of a weight that decays per step and rate. */
  readonly decay: number;
  /** States learnt from at each step. */
  readonly batch: number;
  /** States remembered. */
  readonly memory: number;
  /** States remembered before anything is learnt. */
  readonly before: number;
  /** Share by which the target net follows at each step (T. Lillicrap and others 2016). */
  readonly follow: number;
  /** Bound of Huber's loss, in units. */
  readonly bound: number;
  /** Bars of an episode. */
  readonly episode: number;
  /** Share of learnt states in which what is known only with bars is hidden. */
  readonly hiding: number;
  /** Share of the bars of each series, its last, that the margin is chosen on and nothing else is learnt from. */
  readonly heldOut: number;
}

export const AGENT_SETTINGS: AgentSettings = Object.freeze({
  hidden: [32, 32],
  discount: 0.97,
  rate: 1e-3,
  decay: 1e-3,
  batch: 32,
  memory: 20_000,
  before: 1_000,
  follow: 0.005,
  bound: 3,
  episode: 250,
  hiding: 0.1,
  heldOut: 0.25,
});

export interface AgentProgress {
  readonly step: number;
  readonly steps: number;
  /** Mean of Huber's loss over the states since the last report, in squared units. */
  readonly loss: number;
}

export interface AgentTraining {
  readonly seed: number;
  readonly series: readonly AgentMarket[];
  /** `AGENT_STEPS` by default. */
  readonly steps?: number;
  readonly terms?: AgentTerms;
  readonly settings?: AgentSettings;
  /** Told every thousand steps; false stops the training with what has been learnt. */
  onProgress?(progress: AgentProgress): boolean;
}

export interface TrainedAgent {
  readonly agent: Agent;
  /** Steps that were made. */
  readonly steps: number;
  readonly stopped: boolean;
  readonly heldOut: HeldOut;
}

/** From here on more steps gained little on planted markets. */
export const AGENT_STEPS = 20_000;

const REPORT_STEPS = 1_000;

/**
 * Learns to trade by double Q-learning (H. van Hasselt, A. Guez and D. Silver 2016) with a net for the worth of actions,
 * a memory of states and a target net. As what the agent does moves no price, each state tells what every valid action
 * would have brought: all of them are learnt from together, so that the noise of a bar is in all worths alike and what
 * they differ by is learnt soon. The same arguments give the same agent to the last bit.
 * @throws AssertionError where no series has a bar to learn from.
 */
export function trainAgent(training: AgentTraining): TrainedAgent {
  const { seed, series, steps = AGENT_STEPS, terms = AGENT_TERMS, settings = AGENT_SETTINGS } = training;
  const parts = splitSeries(series, settings);
  assert(parts.learnt.length > 0, "no series is long enough");
  const unit = unitOf(parts.learnt);
  const learner = createLearner(parts.learnt, unit, seed, terms, settings);
  let [made, loss, stopped] = [0, 0, false];
  while (made < steps && !stopped) {
    loss += learner.step(made / steps);
    made++;
    if (made % REPORT_STEPS !== 0 && made !== steps) continue;
    const since = made % REPORT_STEPS || REPORT_STEPS;
    stopped = training.onProgress?.({ step: made, steps, loss: loss / since }) === false;
    loss = 0;
  }
  const agent: Agent = { net: learner.net, unit, margin: 0, terms };
  const heldOut = chooseMargin(agent, parts.heldOut);
  return {
    agent: { ...agent, margin: heldOut.margin },
    steps: made,
    stopped: stopped && made < steps,
    heldOut,
  };
}

/** Bars to learn from, in one stretch a series, and later ones in stretches of an episode. */
function splitSeries(series: readonly AgentMarket[], { heldOut, episode }: AgentSettings) {
  const learnt: Stretch[] = [];
  const kept: Stretch[] = [];
  for (const market of series) {
    const to = market.close.length;
    const cut = to - Math.floor((to - market.first) * heldOut);
    if (cut - market.first < 2) continue;
    learnt.push({ market, from: market.first, to: cut });
    kept.push(...cutStretches(market, episode, cut, to));
  }
  return { learnt, heldOut: kept };
}

function unitOf(stretches: readonly Stretch[]): number {
  const returns = stretches.flatMap(({ market, from, to }) =>
    Array.from({ length: to - from }, (_, k) =>
      Math.log(market.close[from + k] / market.close[from + k - 1]),
    ),
  );
  const unit = deviationOf(returns);
  assert(unit > 0, "prices that do not move");
  return unit;
}

/** @param learnt all bars of which may be looked at, none after. */
function createLearner(
  learnt: readonly Stretch[],
  unit: number,
  seed: number,
  terms: AgentTerms,
  settings: AgentSettings,
) {
  const sizes = [STATE_LENGTH, ...settings.hidden, ACTIONS.length];
  const net = dense.createDense(sizes, seed);
  const slow: dense.Dense = { sizes, weights: net.weights.slice() };
  const gradient = new Float64Array(net.weights.length);
  const adam = dense.createAdam(gradient.length, settings.decay);
  const rng = createRng(seed, 0xa9e7);
  const memory = createMemory(settings.memory);
  const walk = createWalk(learnt, { net, unit, margin: 0, terms }, settings, memory, rng);
  const study = createStudy(learnt, net, slow, gradient, unit, terms, settings);
  return {
    net: slow,
    /** @param done share of all steps before this one. @returns mean loss of the states learnt from. */
    step(done: number): number {
      do walk(done);
      while (memory.size < settings.before);
      gradient.fill(0);
      let loss = 0;
      for (let k = 0; k < settings.batch; k++) loss += study(memory, rng);
      adam.step(net.weights, gradient, settings.rate * Math.max(0.05, 1 - done));
      for (let k = 0; k < gradient.length; k++) {
        slow.weights[k] += settings.follow * (net.weights[k] - slow.weights[k]);
      }
      return loss / settings.batch;
    },
  };
}

/** Chance that an exploring agent trades at a bar. */
const TRADING = 0.2;
const LEAST_EXPLORED = 0.1;

/** Lives through one bar after another of episodes and remembers each state; explores less as it goes on. */
function createWalk(
  learnt: readonly Stretch[],
  agent: Agent,
  { episode }: AgentSettings,
  memory: Memory,
  rng: Rng,
) {
  const pass = dense.createPass(agent.net.sizes);
  const { terms } = agent;
  const holding = flatHolding();
  let [at, bar, left] = [0, 0, 0];
  return (done: number): void => {
    if (left === 0) {
      at = rng.below(learnt.length);
      const { from, to } = learnt[at];
      bar = from + rng.below(to - 1 - from);
      left = Math.min(episode, to - 1 - bar);
      Object.assign(holding, flatHolding());
    }
    const { market } = learnt[at];
    memory.add(at, bar, holding);
    let action = 0;
    if (rng.next() < Math.max(LEAST_EXPLORED, 1 - 2 * done)) {
      const tried = 1 + rng.below(2);
      if (rng.next() < TRADING && isValid(holding.position, tried, terms.shorts)) action = tried;
    } else {
      writeState(market, bar, holding, pass.values[0]);
      action = chooseAction(agent, dense.forwardDense(agent.net, pass), holding.position, terms.shorts);
    }
    stepAccount(market, bar, holding, action, terms, holding);
    bar++;
    left--;
  };
}

/** Adds to the gradient what one remembered state teaches of all its valid actions. */
function createStudy(
  learnt: readonly Stretch[],
  net: dense.Dense,
  slow: dense.Dense,
  gradient: Float64Array,
  unit: number,
  terms: AgentTerms,
  { discount, bound, batch, hiding }: AgentSettings,
) {
  const pass = dense.createPass(net.sizes);
  const ahead = dense.createPass(net.sizes);
  const agent: Agent = { net, unit, margin: 0, terms };
  const holding = flatHolding();
  const next = flatHolding();
  const last = net.sizes.length - 1;
  const targets = new Float64Array(ACTIONS.length);
  const inputsOf = (market: AgentMarket, bar: number, held: Holding, hides: boolean, into: Float64Array) => {
    writeState(market, bar, held, into);
    if (hides) hideBars(into);
  };
  return (memory: Memory, rng: Rng): number => {
    const { series, bar } = memory.draw(rng, holding);
    const { market } = learnt[series];
    const hides = rng.next() < hiding;
    for (let action = 0; action < ACTIONS.length; action++) {
      targets[action] = Number.NaN;
      if (!isValid(holding.position, action, terms.shorts)) continue;
      const reward = stepAccount(market, bar, holding, action, terms, next) / unit;
      inputsOf(market, bar + 1, next, hides, ahead.values[0]);
      const q = dense.forwardDense(net, ahead);
      const best = chooseAction(agent, q, next.position, terms.shorts);
      targets[action] = reward + discount * dense.forwardDense(slow, ahead)[best];
    }
    inputsOf(market, bar, holding, hides, pass.values[0]);
    const q = dense.forwardDense(net, pass);
    let [loss, valid] = [0, 0];
    for (let action = 0; action < ACTIONS.length; action++) {
      const error = q[action] - targets[action];
      pass.slopes[last][action] = 0;
      if (Number.isNaN(error)) continue;
      valid++;
      loss += dense.huberLoss(error, bound);
      pass.slopes[last][action] = dense.huberSlope(error, bound) / batch;
    }
    dense.backwardDense(net, pass, gradient);
    return loss / valid;
  };
}
