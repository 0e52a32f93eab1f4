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

/** Names of a price that can only be a limit. */
const LIMITS = ["limit_price", "limitprice", "limit"] as const;
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
  money: ["notional", "notional_value", "order_value", "quote_quantity", "quote_qty"],
  type: ["type", "order_type", "ordertype"],
  limit: LIMITS,
  price: [...LIMITS, "price", "order_price", "strategy.order.price", "strategy.order_price"],
  stop: ["stop_loss", "stoploss", "stop", "sl"],
  target: ["take_profit", "takeprofit", "target", "tp"],
  strategy: ["strategy", "strategy_name"],
} as const;
type Name = keyof typeof NAMES;
/** Codes of a list or an object where a text must be; where a number must be it is no number. */
const NO_TEXT: Readonly<Partial<Record<Name, string>>> = {
  symbol: "symbol_invalid",
  exchange: "symbol_invalid",
  action: "action_unknown",
  position: "position_unknown",
  type: "type_unknown",
};
type Numeric = "quantity" | "positionSize" | "risk" | "price" | "stop" | "target";

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

/**
 * Reads what fields ask for. Placeholders of TradingView's strategies are read by what they are filled with. What says one thing
 * twice and not alike, or only some of what an order needs, is unclear: no order is guessed.
 * @param problem why the fields are not all that was sent; null where they are.
 */
export function commandOf(fields: Fields | null, problem: string | null): Command | Unclear {
  try {
    if (fields === null || problem !== null) {
      throw new UnclearField("unreadable", problem ?? "There are no fields");
    }
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
  refuseMoney(fields);
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
  const exchange = textIn(fields, "exchange");
  const spelled = (ticker: string) => {
    const whole = `${exchange}:${ticker}`;
    const isPart = exchange !== null && !ticker.includes(":") && normaliseSymbol(whole) !== null;
    return isPart ? whole : ticker;
  };
  const ticker = textIn(fields, "symbol", (text) => normaliseSymbol(spelled(text)) ?? text);
  if (ticker === null) throw missing("ticker", "or symbol");
  const text = spelled(ticker);
  if (normaliseSymbol(text) !== null) return text;
  throw new UnclearField("symbol_invalid", `${text} is no symbol, or of an exchange that is not known`);
}

function actionIn(fields: Fields): "buy" | "sell" | "close" | "flat" | null {
  const meant = (each: string) => (Object.hasOwn(ACTIONS, each) ? ACTIONS[each] : null);
  const text = textIn(fields, "action", (each) => meant(each.toLowerCase()) ?? each)?.toLowerCase();
  if (text === undefined) return null;
  const action = meant(text);
  if (action !== null) return action;
  throw new UnclearField("action_unknown", `${text} is no action: buy, sell, close and flat are`);
}

function positionIn(fields: Fields): (typeof POSITIONS)[number] | null {
  const text = textIn(fields, "position")?.toLowerCase() ?? null;
  const found = POSITIONS.find((each) => each === text);
  if (text === null || found !== undefined) return found ?? null;
  throw new UnclearField("position_unknown", `${text} is no market position: long, short and flat are`);
}

function sizeIn(fields: Fields): Size {
  if (isGiven(fields, "quantity") && isGiven(fields, "risk")) {
    throw new UnclearField("ambiguous", "There is a quantity, and risk instead of one");
  }
  const units = numberIn(fields, "quantity") ?? numberIn(fields, "positionSize");
  if (units !== null) return { units };
  const riskPercent = numberIn(fields, "risk");
  if (riskPercent === null) throw missing("quantity", "or contracts, or risk in percent of the equity");
  if (riskPercent > 100) throw new UnclearField("number_invalid", `risk ${riskPercent} is above 100 percent`);
  if (numberIn(fields, "stop") === null) throw missing("stop_loss", "for a quantity by risk");
  return { riskPercent };
}

/** Money is no quantity, and says another one than a quantity beside it. */
function refuseMoney(fields: Fields): void {
  if (!isGiven(fields, "money")) return;
  if (!isGiven(fields, "quantity") && !isGiven(fields, "risk")) {
    throw missing("quantity", "an amount of money is none");
  }
  throw new UnclearField("ambiguous", "There is an amount of money beside a quantity or risk");
}

/**
 * A price alone is what the alert saw, as `{{close}}` and `{{strategy.order.price}}` are; with type limit it is a limit. One
 * that is named a limit needs that type.
 */
function limitIn(fields: Fields): number | null {
  const type = textIn(fields, "type")?.toLowerCase() ?? null;
  if (type !== null && type !== "market" && type !== "limit") {
    throw new UnclearField("type_unknown", `${type} is no type: market and limit are`);
  }
  if (type !== "limit") {
    if (!isGiven(fields, "limit")) return null;
    if (type === null) throw missing("type", "limit, for a limit_price");
    throw new UnclearField("ambiguous", "There is a limit_price of an order of type market");
  }
  const price = numberIn(fields, "price");
  if (price === null) throw missing("price", "of a limit order");
  return price;
}

/** Whether there is anything of a name, be it of use or not. */
function isGiven(fields: Fields, name: Name): boolean {
  return NAMES[name].some((each) => textOf(fields, each) !== "" || partOf(fields, each) !== undefined);
}

const textOf = (fields: Fields, name: string) => `${fields[name] ?? ""}`.trim();

/** A field of the object or list that a name stands for. */
function partOf(fields: Fields, name: string): string | undefined {
  return Object.keys(fields).find((each) => each.startsWith(`${name}.`));
}

/**
 * What the spellings of a name say. @param meaning by which they must be equal, whatever their case.
 * @throws {UnclearField} `ambiguous` where they are not; and for what no text or number can be.
 */
function textIn(fields: Fields, name: Name, meaning = (text: string) => text): string | null {
  const spellings: readonly string[] = NAMES[name];
  const given = spellings
    .map((field) => ({ field, text: textOf(fields, field) }))
    .filter(({ text }) => text !== "");
  for (const { field, text } of given) {
    if (!/\{\{.*\}\}/.test(text)) continue;
    throw new UnclearField("placeholder_unfilled", `${field} is ${text}, which nobody filled in`);
  }
  // A strategy is a label, and the object in which its placeholders stand.
  const whole =
    name === "strategy" ? undefined : spellings.find((each) => partOf(fields, each) !== undefined);
  if (whole !== undefined) {
    throw new UnclearField(NO_TEXT[name] ?? "number_invalid", `${whole} is an object or a list`);
  }
  const [first, ...others] = given;
  if (first === undefined) return null;
  const meant = (text: string) => meaning(text).toLowerCase();
  const other = others.find(({ text }) => meant(text) !== meant(first.text));
  if (other === undefined) return first.text;
  const said = [first, other].map(({ field, text }) => `${field} is ${text.slice(0, 40)}`);
  throw new UnclearField("ambiguous", said.join(", and "));
}

function numberIn(fields: Fields, name: Numeric): number | null {
  const plain = (text: string) => (name === "risk" ? text.replace(/\s*%$/, "") : text);
  const read = (text: string) =>
    /^\d{1,15}(\.\d{1,15})?(e[+-]?\d{1,2})?$/i.test(plain(text)) ? Number(plain(text)) : Number.NaN;
  const text = textIn(fields, name, (each) => (Number.isNaN(read(each)) ? each : `${read(each)}`));
  if (text === null) return null;
  const value = read(text);
  if (value > 0 && value <= MOST) return value;
  const field = NAMES[name].find((each) => textOf(fields, each) === text) ?? name;
  throw new UnclearField("number_invalid", `${field} is ${text.slice(0, 40)}, no number above 0`);
}

function missing(field: string, detail: string): UnclearField {
  return new UnclearField(`${field}_missing`, `${field} is missing: ${detail}`);
}
