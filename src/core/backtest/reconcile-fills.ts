import { type Costs, takerCosts } from "../execution/costs.js";
import type { Fill } from "../execution/events.js";
import type { Order } from "../execution/order.js";

/** What a fill paid beyond the price of the market, by the cost model of its account. */
export interface FillCosts {
  /** Half the spread and slippage, in the currency a unit; null where what they depend on is not kept. */
  readonly half: number | null;
  readonly slip: number | null;
  /** The price before them, to a tick; null with either of them. */
  readonly before: number | null;
  /** Why any of them is null; null where none is. */
  readonly reason: string | null;
}

const PLAIN = { volume: Number.NaN, range: Number.NaN } as const;

/** Whether it was filled at a quote and not in a bar. */
export function isAtQuote({ id }: Pick<Fill, "id">): boolean {
  return id[id.lastIndexOf("|") + 1] === "q";
}

/**
 * Takes the costs out of the price of a fill again. A maker paid none. What depends on the volume or the range of a bar
 * that is not at hand is not guessed, nor is the spread of a quote, which tells its own or leaves it to the model.
 */
export function costsOfFill(
  costs: Costs,
  fill: Fill,
  { side, limitPrice }: Pick<Order, "side" | "limitPrice">,
): FillCosts {
  const { price, quantity, liquidity } = fill;
  if (liquidity === "maker") return { half: 0, slip: 0, before: price, reason: null };
  if (price === limitPrice) return unknown("its limit may have bounded what it paid");
  const quote = isAtQuote(fill);
  const { kind } = costs.slippage;
  if (kind === "volatility" || kind === "volume_share") {
    return unknown(`slippage of the kind ${kind} depends on a bar that is not at hand`);
  }
  const way = side === "buy" ? 1 : -1;
  // With neither volume nor range both are in proportion to the price.
  const unit = takerCosts(costs, 1, !quote, { fillId: fill.id, quantity, ...PLAIN });
  const before = price / (1 + way * (unit.half + unit.slip));
  if (quote) {
    const reason = "it was filled at a quote, whose bid and ask are not kept";
    return { half: null, slip: before * unit.slip, before: null, reason };
  }
  return { half: before * unit.half, slip: before * unit.slip, before, reason: null };
}

function unknown(reason: string): FillCosts {
  return { half: null, slip: null, before: null, reason };
}
