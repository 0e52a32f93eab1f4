import { isOnTick, type Traded } from "./instrument.js";
import { isOnLot } from "./money.js";
import { type OrderTerms, type OrderType, type TimeInForce, wayOf } from "./order.js";

/** Why an order is refused. The first block is about its terms, the second about the account or the order it names. */
export const REFUSAL_CODES = [
  "quantity_missing",
  "quantity_and_notional",
  "quantity_not_positive",
  "quantity_off_lot",
  "fraction_not_allowed",
  "notional_too_small",
  "notional_not_allowed",
  "price_missing",
  "price_not_allowed",
  "price_not_positive",
  "price_off_tick",
  "trail_missing",
  "trail_ambiguous",
  "trail_not_allowed",
  "trail_out_of_range",
  "time_in_force_not_allowed",
  "extended_hours_not_allowed",
  "stop_on_wrong_side",
  "leg_missing",
  "leg_not_allowed",
  "target_on_wrong_side",
  "loss_on_wrong_side",

  "id_not_unique",
  "unknown_symbol",
  "price_unknown",
  "insufficient_buying_power",
  "insufficient_quantity",
  "short_not_allowed",
  "fractional_short",
  "wash_trade",
  "intent_contradicted",
  "position_limit",
  "order_value_limit",
  "symbol_value_limit",
  "order_not_found",
  "order_closed",
  "order_forced",
  "nothing_changed",
  "quantity_below_filled",
  "leg_quantity_fixed",
] as const;
export type RefusalCode = (typeof REFUSAL_CODES)[number];

/** Terms that a refusal points at. */
export type RefusalField =
  | keyof OrderTerms
  | "takeProfit.limitPrice"
  | "stopLoss.stopPrice"
  | "stopLoss.limitPrice";

export interface Refusal {
  readonly code: RefusalCode;
  /** Null where it is about none of them. */
  readonly field: RefusalField | null;
  /** What was found and what it was held against, in units or in the currency; null where there are no numbers. */
  readonly value: number | null;
  readonly limit: number | null;
}

export function refusal(
  code: RefusalCode,
  field: RefusalField | null = null,
  value: number | null = null,
  limit: number | null = null,
): Refusal {
  return { code, field, value, limit };
}

const LEAST_NOTIONAL = 1;

type Prices = "limitPrice" | "stopPrice";

const PRICES_OF: Readonly<Record<OrderType, readonly Prices[]>> = {
  market: [],
  limit: ["limitPrice"],
  stop: ["stopPrice"],
  stop_limit: ["stopPrice", "limitPrice"],
  trailing_stop: [],
};

/** Times in force each type may have: auctions and immediate orders take no condition. */
const TIMES_OF: Readonly<Record<OrderType, readonly TimeInForce[]>> = {
  market: ["day", "gtc", "ioc", "fok", "opg", "cls"],
  limit: ["day", "gtc", "ioc", "fok", "opg", "cls"],
  stop: ["day", "gtc"],
  stop_limit: ["day", "gtc"],
  trailing_stop: ["day", "gtc"],
};

/** Times in force of an order by money, by what fractions its instrument has. */
const TIMES_OF_NOTIONAL: Readonly<Record<Traded["fractions"], readonly TimeInForce[]>> = {
  none: [],
  day: ["day"],
  free: ["day", "gtc", "ioc"],
};

/**
 * Everything that is wrong with terms, whoever gives them. @param price the latest one, for the side of a stop; null
 * while there is none, where sides are not looked at. @param grouped whether it is one of several, though perhaps the
 * last of them.
 */
export function validateTerms(
  terms: OrderTerms,
  instrument: Traded,
  price: number | null,
  grouped = terms.orderClass !== "simple",
): Refusal[] {
  const found: Refusal[] = [];
  checkQuantity(terms, instrument, grouped, found);
  if (terms.orderClass === "oco") checkPair(terms, instrument, found);
  else checkPrices(terms, instrument, price, found);
  checkTimes(terms, found);
  checkLegs(terms, instrument, price, found);
  return found;
}

function checkQuantity(
  terms: OrderTerms,
  { fractions, lot }: Traded,
  grouped: boolean,
  found: Refusal[],
): void {
  const { quantity, notional, type, timeInForce, orderClass } = terms;
  if (quantity === null && notional === null) found.push(refusal("quantity_missing", "quantity"));
  if (quantity !== null && notional !== null) found.push(refusal("quantity_and_notional", "notional"));
  if (notional !== null) {
    if (!(notional >= LEAST_NOTIONAL)) {
      found.push(refusal("notional_too_small", "notional", notional, LEAST_NOTIONAL));
    }
    if (type !== "market" || orderClass !== "simple" || !TIMES_OF_NOTIONAL[fractions].includes(timeInForce)) {
      found.push(refusal("notional_not_allowed", "notional"));
    }
  }
  if (quantity === null) return;
  if (!(quantity > 0 && quantity < Number.POSITIVE_INFINITY)) {
    found.push(refusal("quantity_not_positive", "quantity", quantity, 0));
  } else if (!isOnLot(quantity, lot)) {
    found.push(refusal("quantity_off_lot", "quantity", quantity, lot));
  } else if (!Number.isInteger(quantity) && fractions !== "free") {
    if (fractions !== "day" || timeInForce !== "day" || grouped)
      found.push(refusal("fraction_not_allowed", "quantity", quantity));
  }
}

function checkPrices(terms: OrderTerms, instrument: Traded, price: number | null, found: Refusal[]): void {
  const { type, side, stopPrice } = terms;
  const needed = PRICES_OF[type];
  for (const field of ["limitPrice", "stopPrice"] as const) {
    const value = terms[field];
    if (needed.includes(field)) {
      if (value === null) found.push(refusal("price_missing", field));
      else checkPrice(value, field, instrument, found);
    } else if (value !== null) found.push(refusal("price_not_allowed", field, value));
  }
  checkTrail(terms, instrument, found);
  if (price !== null && stopPrice !== null && needed.includes("stopPrice")) {
    // A stop that is reached already would be a market order in disguise.
    if (wayOf(side) * (stopPrice - price) <= 0) {
      found.push(refusal("stop_on_wrong_side", "stopPrice", stopPrice, price));
    }
  }
}

function checkPrice(value: number, field: RefusalField, instrument: Traded, found: Refusal[]): boolean {
  if (!(value > 0 && value < Number.POSITIVE_INFINITY)) {
    found.push(refusal("price_not_positive", field, value, 0));
    return false;
  }
  if (isOnTick(value, instrument)) return true;
  found.push(refusal("price_off_tick", field, value, instrument.tick));
  return false;
}

function checkTrail(terms: OrderTerms, instrument: Traded, found: Refusal[]): void {
  const { type, trailAmount, trailPercent } = terms;
  if (type !== "trailing_stop") {
    if (trailAmount !== null) found.push(refusal("trail_not_allowed", "trailAmount", trailAmount));
    if (trailPercent !== null) found.push(refusal("trail_not_allowed", "trailPercent", trailPercent));
    return;
  }
  if (trailAmount === null && trailPercent === null) found.push(refusal("trail_missing", "trailAmount"));
  if (trailAmount !== null && trailPercent !== null) found.push(refusal("trail_ambiguous", "trailPercent"));
  if (trailAmount !== null) checkPrice(trailAmount, "trailAmount", instrument, found);
  if (trailPercent !== null && !(trailPercent > 0 && trailPercent < 100)) {
    found.push(refusal("trail_out_of_range", "trailPercent", trailPercent, 100));
  }
}

function checkTimes({ type, timeInForce, extendedHours, orderClass }: OrderTerms, found: Refusal[]): void {
  const lasting = timeInForce === "day" || timeInForce === "gtc";
  if (!TIMES_OF[type].includes(timeInForce) || (orderClass !== "simple" && !lasting)) {
    found.push(refusal("time_in_force_not_allowed", "timeInForce"));
  }
  if (extendedHours && !(type === "limit" && lasting && orderClass === "simple")) {
    found.push(refusal("extended_hours_not_allowed", "extendedHours"));
  }
}

function checkLegs(terms: OrderTerms, instrument: Traded, price: number | null, found: Refusal[]): void {
  const { orderClass, takeProfit, stopLoss, type, side } = terms;
  if (orderClass === "simple") {
    if (takeProfit !== null) found.push(refusal("leg_not_allowed", "takeProfit"));
    if (stopLoss !== null) found.push(refusal("leg_not_allowed", "stopLoss"));
    return;
  }
  if (orderClass === "oto") {
    if (takeProfit === null && stopLoss === null) found.push(refusal("leg_missing", "takeProfit"));
    if (takeProfit !== null && stopLoss !== null) found.push(refusal("leg_not_allowed", "stopLoss"));
  } else {
    if (takeProfit === null) found.push(refusal("leg_missing", "takeProfit"));
    if (stopLoss === null) found.push(refusal("leg_missing", "stopLoss"));
  }
  const sound = checkLegPrices(terms, instrument, found);
  if (!sound || orderClass === "oco") return;
  // The worst price the entry can have; a trailing stop as an entry has none that is known.
  const entry = terms.limitPrice ?? terms.stopPrice ?? (type === "market" ? price : null);
  if (entry === null) return;
  const way = wayOf(side);
  if (takeProfit !== null && way * (takeProfit.limitPrice - entry) <= 0) {
    found.push(refusal("target_on_wrong_side", "takeProfit.limitPrice", takeProfit.limitPrice, entry));
  }
  if (stopLoss !== null && way * (entry - stopLoss.stopPrice) <= 0) {
    found.push(refusal("loss_on_wrong_side", "stopLoss.stopPrice", stopLoss.stopPrice, entry));
  }
}

function checkLegPrices({ takeProfit, stopLoss }: OrderTerms, instrument: Traded, found: Refusal[]): boolean {
  const before = found.length;
  if (takeProfit !== null) checkPrice(takeProfit.limitPrice, "takeProfit.limitPrice", instrument, found);
  if (stopLoss !== null) {
    checkPrice(stopLoss.stopPrice, "stopLoss.stopPrice", instrument, found);
    if (stopLoss.limitPrice !== null) {
      checkPrice(stopLoss.limitPrice, "stopLoss.limitPrice", instrument, found);
    }
  }
  return found.length === before;
}

/** A pair has its prices in its legs, and its target on the gaining side of its stop. */
function checkPair(terms: OrderTerms, instrument: Traded, found: Refusal[]): void {
  const { type, side, takeProfit, stopLoss } = terms;
  if (type !== "limit") found.push(refusal("leg_not_allowed", "type"));
  for (const field of ["limitPrice", "stopPrice"] as const) {
    if (terms[field] !== null) found.push(refusal("price_not_allowed", field, terms[field]));
  }
  checkTrail({ ...terms, type: "limit" }, instrument, found);
  if (takeProfit === null || stopLoss === null) return;
  if (wayOf(side) * (stopLoss.stopPrice - takeProfit.limitPrice) <= 0) {
    found.push(
      refusal("loss_on_wrong_side", "stopLoss.stopPrice", stopLoss.stopPrice, takeProfit.limitPrice),
    );
  }
}
