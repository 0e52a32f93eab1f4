import type { Policy } from "./policy.js";
import { ACTION_STEPS, type AgentTerms, closingCost, stepAccount } from "./simulator.js";
import { type AgentMarket, flatHolding } from "./state.js";

/** Bars [from, to) of a market: decided on at each close but the last, at which what is held is closed. */
export interface Stretch {
  readonly market: AgentMarket;
  readonly from: number;
  readonly to: number;
}

/** Bars [from, to) cut into stretches of so many bars that share their ends; what is left over is not used. */
export function cutStretches(
  market: AgentMarket,
  bars: number,
  from = market.first,
  to = market.close.length,
) {
  const stretches: Stretch[] = [];
  for (let at = from; at + bars < to; at += bars) stretches.push({ market, from: at, to: at + bars + 1 });
  return stretches;
}

export interface StretchRun {
  /** Logarithm of growth of each bar after costs, the last with that of closing. */
  readonly returns: Float64Array;
  /** Sum of the returns. */
  readonly total: number;
  /** Fills, that of closing at the end among them. */
  readonly fills: number;
  /** 1 where something was held at the end and had to be closed, else 0. */
  readonly closed: 0 | 1;
  /** Shares of bars at whose close a position was long, and short. */
  readonly long: number;
  readonly short: number;
}

/** Trades a stretch by a policy, beginning flat. */
export function runStretch({ market, from, to }: Stretch, policy: Policy, terms: AgentTerms): StretchRun {
  const bars = to - from - 1;
  const returns = new Float64Array(bars);
  const holding = flatHolding();
  let [total, fills, long, short] = [0, 0, 0, 0];
  for (let k = 0; k < bars; k++) {
    const action = policy(market, from + k, holding);
    if (ACTION_STEPS[action] !== 0) fills++;
    returns[k] = stepAccount(market, from + k, holding, action, terms, holding);
    if (k === bars - 1) returns[k] += closingCost(holding, terms);
    total += returns[k];
    if (holding.position > 0) long++;
    else if (holding.position < 0) short++;
  }
  const closed = holding.position === 0 ? 0 : 1;
  return { returns, total, fills: fills + closed, closed, long: long / bars, short: short / bars };
}
