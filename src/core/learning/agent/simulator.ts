import { assert } from "../../base/assert.js";
import type { AgentMarket, Holding, Position } from "./state.js";

/** What an agent may do: each action moves the position by its step, and no further than long or short. */
export const ACTIONS = ["HOLD", "BUY", "SELL"] as const;
export type Action = (typeof ACTIONS)[number];
/** HOLD keeps the position; BUY goes from short to flat and from flat to long; SELL the other way. */
export const ACTION_STEPS = [0, 1, -1] as const;

/** What trading costs and whether positions may be short. */
export interface AgentTerms {
  /** Of what is traded, each side. */
  readonly costBps: number;
  /** Of what is owed, for each bar at whose close a position is short. */
  readonly borrowBps: number;
  readonly shorts: boolean;
}

export const AGENT_TERMS: AgentTerms = Object.freeze({ costBps: 5, borrowBps: 0.1, shorts: true });

/** Whether an action leads from a position to one that may be held: of a short that may not, BUY alone. @param action index into `ACTIONS`. */
export function isValid(position: Position, action: number, shorts: boolean): boolean {
  const target = position + ACTION_STEPS[action];
  return target <= 1 && target >= (shorts ? -1 : 0);
}

/** Share of its equity that an account is left with when a position takes all of it within a bar. */
export const RUIN = 0.01;

/**
 * What an action at the close of bar i brings by the close of the next, as the logarithm of equity there per equity now.
 * The position is filled at the next open, with all equity at that moment and in units that stay until it is closed; what
 * was held until then gains or loses up to that open; costs are of what is traded, borrowing of what is owed at the
 * close. A short that would leave less than a hundredth of the equity is closed with that.
 * @param next is overwritten with what is held then. It may be `holding` itself.
 */
export function stepAccount(
  market: AgentMarket,
  i: number,
  holding: Holding,
  action: number,
  { costBps, borrowBps }: Pick<AgentTerms, "costBps" | "borrowBps">,
  next: Holding,
): number {
  const { open, close } = market;
  const cost = costBps / 10_000;
  const toOpen = open[i + 1] / close[i];
  const toClose = close[i + 1] / open[i + 1];
  let { position, exposure, entry, filledAt } = holding;
  const held = 1 + exposure * (toOpen - 1);
  let growth = Math.max(RUIN, held);
  if (held <= RUIN) [position, exposure] = [0, 0];
  exposure = (exposure * toOpen) / growth;
  const step = ACTION_STEPS[action];
  if (step !== 0 && !(held <= RUIN)) {
    const target = (position + step) as Position;
    assert(target >= -1 && target <= 1, `${ACTIONS[action]} at ${position}`);
    growth *= 1 - cost * (position === 0 ? 1 : Math.abs(exposure));
    position = target;
    exposure = target;
    entry = open[i + 1];
    filledAt = i + 1;
  }
  const borrowed = exposure < 0 ? (-exposure * toClose * borrowBps) / 10_000 : 0;
  const left = 1 + exposure * (toClose - 1) - borrowed;
  if (left <= RUIN) [position, exposure] = [0, 0];
  growth *= Math.max(RUIN, left);
  next.position = position;
  next.exposure = position === 0 ? 0 : (exposure * toClose) / left;
  next.entry = position === 0 ? 0 : entry;
  next.filledAt = position === 0 ? 0 : filledAt;
  return Math.log(growth);
}

/** What closing the position at the close itself costs, as the logarithm of equity after per before; 0 or less. */
export function closingCost({ exposure }: Holding, { costBps }: Pick<AgentTerms, "costBps">): number {
  return Math.log(1 - (costBps / 10_000) * Math.abs(exposure));
}
