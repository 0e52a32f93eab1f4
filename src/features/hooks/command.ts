import { normaliseSymbol } from "../../core/market/instrument.js";
import type { Fields } from "./body.js";

/** How much an order is of: units, or what may be lost down to its stop, in percent of the equity. */
export type Size = { readonly units: number } | { readonly riskPercent: number };

/** What a call asks a paper account to do. */
export type Command =
  | {
      readonly kind: "order";
      readonly symbol: string;
      readonly side: "buy" | "sell";
      readonly size: Size;
      /** Null for one at the market. */
      readonly limit: number | null;
      readonly stop: number | null;
      readonly target: number | null;
      readonly strategy: string | null;
    }
  /** @property quantity null for all that is held. */
  | { readonly kind: "close"; readonly symbol: string; readonly quantity: number | null };

/** Why a call asks for nothing that can be done. */
export interface Unclear {
  readonly kind: "unclear";
  readonly code: string;
  readonly detail: string;
}

const NAMES = {
  symbol: ["ticker", "symbol", "syminfo.ticker"],
  exchange: ["exchange", "syminfo.prefix"],
  action: ["action", "side", "order_action", "strategy.order.action", "strategy.order_action"],
  position: ["market_position", "position", "strategy.market_position"],
  quantity: [
    ...["quantity", "qty", "contracts", "shares", "size", "order_contracts"],
    ...["strategy.order.contracts", "strategy.order_contracts"],
  ],
  positionSize: ["market_position_size", "position_size", "strategy.market_position_size"],
  risk: ["risk", "risk_percent"],
  type: ["type", "order_type"],
  price: ["price", "limit_price", "order_price", "strategy.order.price", "strategy.order_price"],
  stop: ["stop_loss", "stop", "sl"],
  target: ["take_profit", "target", "tp"],
  strategy: ["strategy", "strategy_name"],
} as const;
type Name = keyof typeof NAMES;

const ACTIONS: Readonly<Record<string, "buy" | "sell" | "close" | "flat">> = {
  buy: "buy",
  long: "buy",
  sell: "sell",
  short: "sell",
  close: "close",
  exit: "close",
  flat: "flat",
  flatten: "flat",
};
const POSITIONS = ["long", "short", "flat"] as const;
const MOST = 1e12;
const STRATEGY_MOST = 60;

class UnclearField extends Error {
  override readonly name = "UnclearField";
  readonly code: string;
  constructor(code: string, detail: string) {
    super(detail);
    this.code = code;
  }
}

/** Reads what fields ask for. Placeholders of TradingView's strategies are read by what they are filled with. */
export function commandOf(fields: Fields | null, problem: string | null): Command | Unclear {
  try {
    if (fields === null) throw new UnclearField("unreadable", problem ?? "There are no fields");
    return read(fields);
  } catch (error) {
    if (!(error instanceof UnclearField)) throw error;
    return { kind: "unclear", code: error.code, detail: error.message };
  }
}

function read(fields: Fields): Command {
  const symbol = symbolIn(fields);
  const action = actionIn(fields);
  const position = positionIn(fields);
  if (action === null && position === null) throw missing("action", "buy, sell, close or flat");
  // Where the strategy is out of the market, whichever side got it there.
  if (position === "flat" || action === "flat") return { kind: "close", symbol, quantity: null };
  if (action === "close") return { kind: "close", symbol, quantity: numberIn(fields, "quantity") };
  const side = action ?? (position === "long" ? "buy" : "sell");
  // A sale after which the strategy is still long takes some of it off, and never opens a short one.
  if (position !== null && (position === "long") !== (side === "buy")) {
    const quantity = numberIn(fields, "quantity");
    if (quantity === null) throw missing("quantity", "how much of the position is taken off");
    return { kind: "close", symbol, quantity };
  }
  return {
    kind: "order",
    symbol,
    side,
    size: sizeIn(fields),
    limit: limitIn(fields),
    stop: numberIn(fields, "stop"),
    target: numberIn(fields, "target"),
    strategy: textIn(fields, "strategy")?.slice(0, STRATEGY_MOST) ?? null,
  };
}

function symbolIn(fields: Fields): string {
  const ticker = textIn(fields, "symbol");
  if (ticker === null) throw missing("ticker", "or symbol");
  const exchange = textIn(fields, "exchange");
  const whole = `${exchange}:${ticker}`;
  const isPart = exchange !== null && !ticker.includes(":") && normaliseSymbol(whole) !== null;
  const text = isPart ? whole : ticker;
  if (normaliseSymbol(text) !== null) return text;
  throw new UnclearField("symbol_invalid", `${text} is no symbol, or of an exchange that is not known`);
}

function actionIn(fields: Fields): "buy" | "sell" | "close" | "flat" | null {
  const text = textIn(fields, "action")?.toLowerCase() ?? null;
  if (text === null) return null;
  if (Object.hasOwn(ACTIONS, text)) return ACTIONS[text];
  throw new UnclearField("action_unknown", `${text} is no action: buy, sell, close and flat are`);
}

function positionIn(fields: Fields): (typeof POSITIONS)[number] | null {
  const text = textIn(fields, "position")?.toLowerCase() ?? null;
  const found = POSITIONS.find((each) => each === text);
  if (text === null || found !== undefined) return found ?? null;
  throw new UnclearField("position_unknown", `${text} is no market position: long, short and flat are`);
}

function sizeIn(fields: Fields): Size {
  const units = numberIn(fields, "quantity") ?? numberIn(fields, "positionSize");
  if (units !== null) return { units };
  const riskPercent = numberIn(fields, "risk", "%");
  if (riskPercent === null) throw missing("quantity", "or contracts, or risk in percent of the equity");
  if (riskPercent > 100) throw new UnclearField("number_invalid", `risk ${riskPercent} is above 100 percent`);
  if (numberIn(fields, "stop") === null) throw missing("stop_loss", "for a quantity by risk");
  return { riskPercent };
}

/** A price alone is what the alert saw, as `{{close}}` and `{{strategy.order.price}}` are; with type limit it is a limit. */
function limitIn(fields: Fields): number | null {
  const type = textIn(fields, "type")?.toLowerCase() ?? "market";
  if (type === "market") return null;
  if (type !== "limit") throw new UnclearField("type_unknown", `${type} is no type: market and limit are`);
  const price = numberIn(fields, "price");
  if (price === null) throw missing("price", "of a limit order");
  return price;
}

function valueIn(fields: Fields, name: Name): string | number | boolean | null {
  const found = NAMES[name].map((each) => fields[each]).find((value) => value !== undefined && value !== "");
  if (typeof found === "string" && /\{\{.*\}\}/.test(found)) {
    throw new UnclearField("placeholder_unfilled", `${NAMES[name][0]} is ${found}, which nobody filled in`);
  }
  return found ?? null;
}

function textIn(fields: Fields, name: Name): string | null {
  const value = valueIn(fields, name);
  return value === null ? null : `${value}`.trim();
}

function numberIn(fields: Fields, name: Name, unit = ""): number | null {
  const text = textIn(fields, name)?.toLowerCase();
  if (text === undefined) return null;
  const plain = unit !== "" && text.endsWith(unit) ? text.slice(0, -unit.length).trim() : text;
  const value = /^\d{1,15}(\.\d{1,15})?(e[+-]?\d{1,2})?$/.test(plain) ? Number(plain) : Number.NaN;
  if (value > 0 && value <= MOST) return value;
  throw new UnclearField("number_invalid", `${NAMES[name][0]} is ${text.slice(0, 40)}, no number above 0`);
}

function missing(field: string, detail: string): UnclearField {
  return new UnclearField(`${field}_missing`, `${field} is missing: ${detail}`);
}
