import { type DeskContext, tellPlaced, workOn } from "./context.js";
import { type Order, UNTOUCHED } from "./order.js";

/** What their ids begin with: margin calls and settlements of one account have a number each. */
const NAMES = { margin_call: "call", settlement: "settlement" } as const;

/**
 * Places the order by which a desk itself closes a position at the market, whatever its trader wants.
 * @param held units of the position, below 0 for a short one.
 */
export function placeForced(
  desk: DeskContext,
  at: number,
  symbol: string,
  held: number,
  origin: keyof typeof NAMES,
): Order {
  const quantity = Math.abs(held);
  const order = tellPlaced(desk, at, "opened", {
    id: `${NAMES[origin]}/${desk.state.seq + 1}/${symbol}`,
    symbol,
    side: held > 0 ? "sell" : "buy",
    type: "market",
    timeInForce: "gtc",
    extendedHours: false,
    orderClass: "simple",
    role: "single",
    group: null,
    origin,
    replaces: null,
    submittedAt: at,
    notional: null,
    trailPercent: null,
    trailAmount: null,
    quantity,
    limitPrice: null,
    stopPrice: null,
    activeFrom: at,
    ...UNTOUCHED,
    closing: quantity,
  });
  workOn(desk, order);
  return order;
}
