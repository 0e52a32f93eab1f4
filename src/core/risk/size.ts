import { assert } from "../base/assert.js";
import type { Traded } from "../execution/instrument.js";
import { floorToLot } from "../execution/money.js";

/** How a position is sized. */
export const SIZING_METHODS = ["fixed_fraction", "volatility", "kelly"] as const;
export type SizingMethod = (typeof SIZING_METHODS)[number];

/** What a size is asked for; money in the currency of the account, fractions 0..1. */
export interface SizingRequest {
  readonly method: SizingMethod;
  /** Equity of the account. */
  readonly equity: number;
  /** Share of the equity that may be lost when the stop is hit. */
  readonly riskShare: number;
  readonly entry: number;
  readonly stop: number;
  /** Average true range in price; needed for `volatility`. */
  readonly range?: number | undefined;
  /** Probability of a win, and gain per unit of loss; needed for `kelly`. */
  readonly winRate?: number | undefined;
  readonly payoff?: number | undefined;
  readonly caps: SizingCaps;
  /** What the trading of the symbol obeys; null for a size that is not rounded. */
  readonly traded?: Traded | null;
}

/** What a size may not pass; null where nothing limits it. */
export interface SizingCaps {
  /** Money in the position. */
  readonly positionValue: number | null;
  /** Share of the equity in the position. */
  readonly positionShare: number | null;
  /** Money that the account can still put in. */
  readonly buyingPower: number | null;
}

export interface SizingCap {
  readonly name: "position_value" | "position_share" | "buying_power";
  /** Most units under the cap. */
  readonly quantity: number;
  readonly binding: boolean;
}

export interface Size {
  readonly method: SizingMethod;
  /** Units before caps, not rounded, and after: down to what an order with a stop may have. */
  readonly uncapped: number;
  readonly quantity: number;
  readonly notional: number;
  /** Money lost when the stop is hit at its price. */
  readonly riskAmount: number;
  /** Per unit, in price: what the size is divided by. */
  readonly stopDistance: number;
  /** Full and used share of the equity at risk; null unless the method is `kelly`. */
  readonly kelly: { readonly full: number; readonly used: number } | null;
  readonly caps: readonly SizingCap[];
}

/** A full Kelly stake is right only for odds that are known; a quarter of it bears an estimate that is wrong. */
const KELLY_SHARE = 0.25;
/** Ranges at risk in a position that is sized by volatility. */
const VOLATILITY_RANGES = 2;

/**
 * Units to trade. `fixed_fraction` loses `riskShare` of the equity at the stop, `volatility` in a move of two average
 * ranges (or to the stop, where that is further), `kelly` a quarter of the Kelly stake and no more than `riskShare`.
 * Then caps, and down to whole lots: to whole units, or none, where a fraction cannot be traded with a stop.
 * @returns null where the stop lies at the entry.
 */
export function sizePosition(request: SizingRequest): Size | null {
  const { method, equity, riskShare, entry, stop, caps, traded = null } = request;
  assert(entry > 0 && stop > 0 && equity >= 0, "prices above 0");
  const distance = Math.abs(entry - stop);
  if (distance === 0) return null;
  const kelly = method === "kelly" ? kellyStake(request) : null;
  const stopDistance =
    method === "volatility" ? Math.max(distance, VOLATILITY_RANGES * (request.range ?? 0)) : distance;
  const share = kelly === null ? riskShare : kelly.used;
  const uncapped = (share * equity) / stopDistance;
  const limits = capsOf(caps, equity, entry);
  const least = limits.reduce((most, cap) => Math.min(most, cap.quantity), uncapped);
  const most = Math.max(0, least);
  const quantity = traded === null ? most : floorToLot(most, lotOf(traded));
  return {
    method,
    uncapped,
    quantity,
    notional: quantity * entry,
    riskAmount: quantity * distance,
    stopDistance,
    kelly,
    caps: limits.map((cap) => ({ ...cap, binding: cap.quantity === most && most < uncapped })),
  };
}

/** The step of a quantity that a stop protects: fractions of a share are held without one. */
function lotOf({ lot, fractions }: Traded): number {
  return fractions === "free" ? lot : Math.max(1, lot);
}

/** The share of equity that grows it fastest, p - (1 - p) / b, and what is used of it. */
function kellyStake({ winRate, payoff, riskShare }: SizingRequest): { full: number; used: number } {
  assert(winRate !== undefined && payoff !== undefined && payoff > 0, "kelly needs a win rate and a payoff");
  const full = winRate - (1 - winRate) / payoff;
  return { full, used: Math.min(riskShare, Math.max(0, KELLY_SHARE * full)) };
}

function capsOf(
  { positionValue, positionShare, buyingPower }: SizingCaps,
  equity: number,
  entry: number,
): Omit<SizingCap, "binding">[] {
  const caps: Omit<SizingCap, "binding">[] = [];
  if (positionValue !== null) caps.push({ name: "position_value", quantity: positionValue / entry });
  if (positionShare !== null)
    caps.push({ name: "position_share", quantity: (positionShare * equity) / entry });
  if (buyingPower !== null) caps.push({ name: "buying_power", quantity: buyingPower / entry });
  return caps;
}
