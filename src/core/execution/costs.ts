import { drawWord, hash32 } from "../base/rng.js";
import type { Commission } from "./commission.js";
import { roundToTick } from "./instrument.js";

/** How far a taker's price is moved against it, beside half of the spread. */
export type Slippage =
  | { readonly kind: "none" }
  | { readonly kind: "fixed"; readonly bps: number }
  | {
      /** A share of the average range of a bar; `elseBps` while that is not known. */
      readonly kind: "volatility";
      readonly share: number;
      readonly elseBps: number;
    }
  | {
      /**
       * Price times `impact` times the square of the share of the bar's volume, as Zipline has it; a bar without
       * volume counts as taken whole.
       */
      readonly kind: "volume_share";
      readonly impact: number;
    };

export interface Costs {
  readonly commission: Commission;
  /** Difference of ask and bid; half of it is paid by a taker. Quotes that tell both have their own. */
  readonly spreadBps: number;
  readonly slippage: Slippage;
  /** Multiplies slippage by a draw from [0, 2) that depends on the seed and the fill's id alone; null for none. */
  readonly jitterSeed: number | null;
}

export const NO_COSTS: Costs = Object.freeze({
  commission: Object.freeze({ kind: "none" }),
  spreadBps: 0,
  slippage: Object.freeze({ kind: "none" }),
  jitterSeed: null,
});

/** What a price is moved for. */
export interface Taking {
  readonly fillId: string;
  readonly quantity: number;
  /** Volume and average range of the bar, for a quote of the last before it; NaN for what is not known. */
  readonly volume: number;
  readonly range: number;
}

const BPS = 10_000;

/**
 * What a taker pays or gets: half the spread and the slippage against it, then rounded to the tick against it, and
 * never worse than its limit. @param way 1 for a buy. @param limit NaN without one. @param spread whether half a
 * spread is still to be paid.
 */
export function takerPrice(
  costs: Costs,
  price: number,
  way: 1 | -1,
  limit: number,
  tick: number,
  spread: boolean,
  taking: Taking,
): number {
  const { half, slip } = takerCosts(costs, price, spread, taking);
  const moved = roundToTick(price + way * (half + slip), tick, way);
  return way * (moved - limit) > 0 ? limit : moved;
}

/** What moves a taker's price against it, in the currency a unit: half the spread, and slippage. */
export function takerCosts(
  costs: Costs,
  price: number,
  spread: boolean,
  taking: Taking,
): { readonly half: number; readonly slip: number } {
  const half = spread ? (price * costs.spreadBps) / (2 * BPS) : 0;
  return { half, slip: slippageOf(costs.slippage, price, taking) * jitterOf(costs, taking) };
}

function slippageOf(slippage: Slippage, price: number, { quantity, volume, range }: Taking): number {
  switch (slippage.kind) {
    case "none":
      return 0;
    case "fixed":
      return (price * slippage.bps) / BPS;
    case "volatility":
      return Number.isNaN(range) ? (price * slippage.elseBps) / BPS : range * slippage.share;
    case "volume_share": {
      if (Number.isNaN(volume)) return 0;
      const share = volume > 0 ? Math.min(1, quantity / volume) : 1;
      return price * slippage.impact * share * share;
    }
  }
}

function jitterOf({ jitterSeed }: Costs, { fillId }: Taking): number {
  return jitterSeed === null ? 1 : drawWord(jitterSeed, hash32(fillId), 0) / 2 ** 31;
}
