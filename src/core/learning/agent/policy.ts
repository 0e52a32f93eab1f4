import { assert } from "../../base/assert.js";
import { createPass, type Dense, type DensePass, forwardDense } from "../dense.js";
import { ACTIONS, type Action, type AgentTerms, isValid } from "./simulator.js";
import { type AgentMarket, type Holding, type Position, STATE_LENGTH, writeState } from "./state.js";

/** A trained agent. */
export interface Agent {
  /** From a state to a worth for each action, in units. */
  readonly net: Dense;
  /** Logarithm of growth that a unit is: the standard deviation of a bar's return in training. */
  readonly unit: number;
  /** Units by which BUY or SELL must be worth more than HOLD before it is done; null where none gained on held-out bars. */
  readonly margin: number | null;
  /** What it was trained with. */
  readonly terms: AgentTerms;
}

/**
 * The action of most worth among the valid ones, where HOLD has the margin added; the first of equal ones. An agent
 * without a margin closes what is held and opens nothing. A short that may not be held can only be closed.
 * @param q a worth for each action, in units.
 */
export function chooseAction(agent: Agent, q: Float64Array, position: Position, shorts: boolean): number {
  const { margin } = agent;
  if (margin === null) return position === 0 ? 0 : position > 0 ? 2 : 1;
  let best = 0;
  let most = Number.NEGATIVE_INFINITY;
  for (let action = 0; action < ACTIONS.length; action++) {
    const worth = action === 0 ? q[0] + margin : q[action];
    if (worth <= most || !isValid(position, action, shorts)) continue;
    best = action;
    most = worth;
  }
  return best;
}

/** What is done at the close of bar i with what is held: an index into `ACTIONS`. */
export type Policy = (market: AgentMarket, i: number, holding: Holding) => number;

/** The agent without exploring. */
export function policyOf(agent: Agent, shorts = agent.terms.shorts): Policy {
  const pass = createPass(agent.net.sizes);
  return (market, i, holding) => {
    writeState(market, i, holding, pass.values[0]);
    return chooseAction(agent, forwardDense(agent.net, pass), holding.position, shorts);
  };
}

/** Units of worth in which e times the odds are given, by which a confidence is read from worths. */
export const CONFIDENCE_TEMPERATURE = 0.5;

export interface AgentDecision {
  readonly action: Action;
  /**
   * Share of the action in the softmax of the worths of valid actions at `CONFIDENCE_TEMPERATURE`, HOLD's with the
   * margin, 0..1: how clearly it is preferred, no hit rate. 1 where an agent without a margin closes or stays out.
   */
  readonly confidence: number;
  /**
   * Discounted logarithm of growth after costs that the agent learned to expect on the markets it was trained on, planted ones
   * among them, of valid and other actions. Of the market that it is asked about nothing was measured.
   */
  readonly qValues: Readonly<Record<Action, number>>;
  readonly valid: readonly Action[];
}

/** What the agent does in a state. @param inputs of the net, `STATE_LENGTH` of them, as `writeState` makes them. */
export function decideAction(
  agent: Agent,
  inputs: Float64Array,
  position: Position,
  shorts = agent.terms.shorts,
  pass: DensePass = createPass(agent.net.sizes),
): AgentDecision {
  assert(inputs.length === STATE_LENGTH, `${inputs.length} inputs`);
  pass.values[0].set(inputs);
  const q = forwardDense(agent.net, pass);
  const chosen = chooseAction(agent, q, position, shorts);
  const valid = ACTIONS.filter((_, action) => isValid(position, action, shorts));
  return {
    action: ACTIONS[chosen],
    confidence: agent.margin === null ? 1 : softmaxShare(q, chosen, agent.margin, position, shorts),
    qValues: { HOLD: q[0] * agent.unit, BUY: q[1] * agent.unit, SELL: q[2] * agent.unit },
    valid,
  };
}

/** Of the chosen action; it is the largest, so that no exponential overflows. */
function softmaxShare(
  q: Float64Array,
  chosen: number,
  margin: number,
  position: Position,
  shorts: boolean,
): number {
  const worth = (action: number) => q[action] + (action === 0 ? margin : 0);
  let sum = 0;
  for (let action = 0; action < ACTIONS.length; action++) {
    if (!isValid(position, action, shorts)) continue;
    sum += Math.exp((worth(action) - worth(chosen)) / CONFIDENCE_TEMPERATURE);
  }
  return 1 / sum;
}
