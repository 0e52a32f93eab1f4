import type { Refusal, RefusalCode } from "../../core/execution/validate.js";
import type { EnforcedLimit, Finding } from "../../core/risk/limits.js";
import { AppError, type Problem } from "../../platform/errors.js";

/** Every reason for which an order is not taken, in words. */
export const REFUSAL_TEXTS: Readonly<Record<RefusalCode, string>> = {
  quantity_missing: "An order needs a quantity or an amount of money",
  quantity_and_notional: "An order has a quantity or an amount of money, not both",
  quantity_not_positive: "The quantity must be above 0",
  quantity_off_lot: "The quantity is no multiple of the lot",
  fraction_not_allowed: "Fractions are traded in simple orders for the day alone, or not at all",
  notional_too_small: "The amount of money is too small",
  notional_not_allowed:
    "Orders by money are simple, at the market and for the day; of coins and currencies also gtc or ioc",
  price_missing: "The type of the order needs this price",
  price_not_allowed: "The type of the order has no such price",
  price_not_positive: "The price must be above 0",
  price_off_tick: "The price is no multiple of the tick",
  trail_missing: "A trailing stop needs a distance",
  trail_ambiguous: "A trailing stop has an amount or a percentage, not both",
  trail_not_allowed: "Only a trailing stop has a distance",
  trail_out_of_range: "The distance of the trailing stop is out of range",
  time_in_force_not_allowed: "The order cannot have this time in force",
  extended_hours_not_allowed: "Outside regular hours there are limit orders for the day alone",
  stop_on_wrong_side: "The price is beyond the stop already",
  leg_missing: "The class of the order needs this leg",
  leg_not_allowed: "The class of the order has no such leg",
  target_on_wrong_side: "The target is not on the winning side",
  loss_on_wrong_side: "The stop is not on the losing side",
  id_not_unique: "An order of the account, or of one that was reset to it, had this id before",
  unknown_symbol: "The symbol is not traded here",
  price_unknown: "There is no price of the symbol to value the order by",
  insufficient_buying_power: "The account cannot bear the order",
  insufficient_quantity: "More is sold than is held and not promised to other orders",
  short_not_allowed: "The account or the symbol is not sold short",
  fractional_short: "Fractions are not sold short",
  wash_trade: "The order could trade with another of the account",
  intent_contradicted: "The order does not do what it says: open or close a position",
  position_limit: "Too many positions are open",
  order_value_limit: "The order is worth more than one may be",
  symbol_value_limit: "More would be held of the symbol than may be",
  order_not_found: "There is no such order",
  order_closed: "The order has ended",
  order_forced: "The order closes a position for want of margin: it stays",
  nothing_changed: "Nothing of the order would change",
  quantity_below_filled: "More of the order is filled already",
  leg_quantity_fixed: "The quantity of a leg follows that of its entry",
};

const LIMIT_TEXTS: Readonly<Record<EnforcedLimit, string>> = {
  position_too_large: "The position would be larger than the settings allow",
  open_positions_exceeded: "More positions would be open than the settings allow",
  positions_in_symbol_exceeded: "More entries into the symbol would be open than the settings allow",
  daily_trades_exceeded: "More trades would be made today than the settings allow",
  daily_loss_reached: "The loss of the day has reached the limit of the settings",
  drawdown_reached: "The equity is as far below its peak as the settings allow",
};

/** Names of terms as requests have them. */
const FIELDS: Readonly<Record<string, string>> = {
  timeInForce: "time_in_force",
  limitPrice: "limit_price",
  stopPrice: "stop_price",
  trailAmount: "trail_price",
  trailPercent: "trail_percent",
  extendedHours: "extended_hours",
  orderClass: "order_class",
  takeProfit: "take_profit",
  stopLoss: "stop_loss",
  "takeProfit.limitPrice": "take_profit.limit_price",
  "stopLoss.stopPrice": "stop_loss.stop_price",
  "stopLoss.limitPrice": "stop_loss.limit_price",
};

/** The error of an order that is refused, with each reason, its code and what was compared. */
export function refusedBy(refusals: readonly Refusal[]): AppError {
  return errorOf(
    refusals.map(({ code, field, value, limit }) => ({
      path: field === null ? "" : (FIELDS[field] ?? field),
      message: withFigures(REFUSAL_TEXTS[code], value, limit),
      code,
    })),
    { refusals },
  );
}

/** The refusals of the desk behind an error; none for other errors. */
export function refusalsOf({ facts }: AppError): readonly Refusal[] {
  return Array.isArray(facts.refusals) ? facts.refusals : [];
}

/** The same for what the user's own limits refuse. */
export function limitedBy(findings: readonly Finding<EnforcedLimit>[]): AppError {
  return errorOf(
    findings.map(({ code, value, limit }) => ({
      path: "",
      message: withFigures(LIMIT_TEXTS[code], value, limit),
      code,
    })),
  );
}

/** The same for a single reason that the desk does not know. */
export function refusedFor(code: string, message: string): AppError {
  return errorOf([{ path: "", message, code }]);
}

function errorOf(problems: readonly Problem[], facts: Readonly<Record<string, unknown>> = {}): AppError {
  const detail = problems.map(({ code, message }) => `${code}: ${message}`).join("; ");
  return new AppError("order_refused", detail, { problems, facts });
}

function withFigures(
  text: string,
  value: number | null | undefined,
  limit: number | null | undefined,
): string {
  const figures = [value, limit].map((figure) => (figure == null ? "-" : plain(figure)));
  return figures.every((figure) => figure === "-") ? text : `${text} (${figures[0]}, limit ${figures[1]})`;
}

/** Six places, or six significant digits of what is smaller than one; without an exponent. */
function plain(figure: number): string {
  if (Math.abs(figure) >= 1 || figure === 0) return String(Math.round(figure * 1e6) / 1e6);
  const places = 5 - Math.floor(Math.log10(Math.abs(figure)));
  return figure.toFixed(Math.min(20, places)).replace(/\.?0+$/, "");
}
