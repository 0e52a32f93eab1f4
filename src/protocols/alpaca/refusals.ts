import type { Refusal, RefusalCode } from "../../core/execution/validate.js";
import type { Instrument } from "../../core/market/instrument.js";
import { ENFORCED_LIMITS } from "../../core/risk/limits.js";
import { BELOW_LEAST } from "../../features/paper-trades/placing.js";
import { refusalsOf } from "../../features/paper-trades/refusals.js";
import type { AppError } from "../../platform/errors.js";
import { DialectError, type ErrorBody, notFound } from "./errors.js";
import { amountWire, decimalWire } from "./order-views.js";
import { wireSymbol } from "./symbols.js";

type Words = readonly [status: 403 | 422, code: number, message: string];

const FORBIDDEN = 40310000;
const UNPROCESSABLE = 42210000;
const PARAMETER = 40010001;

/** Reasons for which the dialect has words of its own. */
const WORDS: Readonly<Partial<Record<RefusalCode, Words>>> = {
  quantity_missing: [422, PARAMETER, "qty or notional is required"],
  quantity_and_notional: [422, PARAMETER, "only one of qty or notional is accepted"],
  quantity_not_positive: [422, PARAMETER, "qty must be > 0"],
  id_not_unique: [422, PARAMETER, "client_order_id must be unique"],
  insufficient_buying_power: [403, FORBIDDEN, "insufficient buying power"],
  short_not_allowed: [403, FORBIDDEN, "account is not allowed to short"],
  wash_trade: [403, FORBIDDEN, "potential wash trade detected. use complex orders"],
  fractional_short: [422, UNPROCESSABLE, "fractional orders cannot be sold short"],
  fraction_not_allowed: [422, UNPROCESSABLE, "fractional orders must be simple DAY orders"],
  notional_too_small: [422, UNPROCESSABLE, "notional amount must be >= 1.00"],
  notional_not_allowed: [
    422,
    UNPROCESSABLE,
    "notional orders must be simple market orders, DAY unless for crypto",
  ],
  intent_contradicted: [422, UNPROCESSABLE, "position_intent contradicts what is held"],
  nothing_changed: [422, UNPROCESSABLE, "order parameters are not changed"],
  quantity_below_filled: [422, UNPROCESSABLE, "qty must be > filled_qty"],
};

/** Codes of refusals that are about the account: they are forbidden rather than wrong. */
const OF_ACCOUNT: ReadonlySet<string> = new Set([
  ...ENFORCED_LIMITS,
  "position_limit",
  "order_value_limit",
  "symbol_value_limit",
  "currency_mismatch",
]);

/** What is known of the symbol when an order on it is refused. */
export interface RefusedOrder {
  readonly instrument: Pick<Instrument, "symbol" | "assetClass">;
  /** Units that are held, and those that open orders will close. */
  readonly held: number;
  readonly promised: number;
  readonly related: readonly string[];
}

/** The dialect's error for an order that was refused; null for other errors. */
export function refusedError(error: AppError, known: RefusedOrder | null): DialectError | null {
  if (error.code === "order_not_found") return notFound("order not found");
  if (error.code === "position_not_found") return notFound("position does not exist");
  if (error.code === "trading_halted" || error.code === "confirmation_refused")
    return new DialectError(403, body(FORBIDDEN, error.message));
  const message = spelled(error.message, known);
  if (error.code === "conflict") return new DialectError(422, body(UNPROCESSABLE, message));
  if (error.code !== "order_refused") return null;
  const small = error.problems.find(({ code }) => code === BELOW_LEAST);
  if (small !== undefined) return new DialectError(403, body(FORBIDDEN, small.message));
  const [first] = refusalsOf(error);
  if (first === undefined) {
    const ofAccount = error.problems.some(({ code = "" }) => OF_ACCOUNT.has(code));
    return new DialectError(ofAccount ? 403 : 422, body(ofAccount ? FORBIDDEN : UNPROCESSABLE, message));
  }
  if (first.code === "insufficient_quantity") return insufficient(first, known);
  // Coins are not sold short by any account: there are too few of them.
  if (first.code === "short_not_allowed" && isCoin(known)) return insufficient(first, known);
  if (first.code === "price_off_tick") {
    const about = `invalid ${error.problems[0]?.path ?? "price"} ${first.value ?? ""}`;
    const text = `${about}. sub-penny increment does not fulfill minimum pricing criteria`;
    return new DialectError(422, body(UNPROCESSABLE, text));
  }
  const [status, code, words] = WORDS[first.code] ?? [
    OF_ACCOUNT.has(first.code) ? 403 : 422,
    OF_ACCOUNT.has(first.code) ? FORBIDDEN : UNPROCESSABLE,
    message,
  ];
  const extra: Record<string, string> =
    first.code === "insufficient_buying_power"
      ? { buying_power: amountWire(first.limit ?? 0), cost_basis: amountWire(first.value ?? 0) }
      : {};
  return new DialectError(status, { ...body(code, words), ...extra });
}

/** Words of others, with the dialect's spelling of the symbol. */
function spelled(message: string, known: RefusedOrder | null): string {
  return known === null ? message : message.replaceAll(known.instrument.symbol, wireSymbol(known.instrument));
}

const isCoin = (known: RefusedOrder | null) => known?.instrument.assetClass === "crypto";

function insufficient({ value, limit }: Refusal, known: RefusedOrder | null): DialectError {
  const requested = decimalWire(value ?? 0);
  const available = decimalWire(limit ?? 0);
  const figures = `(requested: ${requested}, available: ${available})`;
  if (known === null) return forbidden(`insufficient qty available for order ${figures}`, { available });
  const { instrument, held, promised, related } = known;
  const about = {
    available,
    existing_qty: decimalWire(held),
    held_for_orders: decimalWire(promised),
    related_orders: [...related],
    symbol: wireSymbol(instrument),
  };
  const [coin] = instrument.symbol.split("-");
  const what = isCoin(known) ? `balance for ${coin}` : "qty available for order";
  return forbidden(`insufficient ${what} ${figures}`, about);
}

function forbidden(message: string, about: Readonly<Record<string, unknown>>): DialectError {
  return new DialectError(403, { ...body(FORBIDDEN, message), ...about });
}

function body(code: number, message: string): ErrorBody {
  return { code, message };
}
