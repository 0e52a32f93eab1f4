import type { OrderState } from "./states.js";

export const SIDES = ["buy", "sell"] as const;
export type Side = (typeof SIDES)[number];

export const ORDER_TYPES = ["market", "limit", "stop", "stop_limit", "trailing_stop"] as const;
export type OrderType = (typeof ORDER_TYPES)[number];

/** For the session, until canceled, at once what is possible, at once or not at all, at the open, at the close. */
export const TIMES_IN_FORCE = ["day", "gtc", "ioc", "fok", "opg", "cls"] as const;
export type TimeInForce = (typeof TIMES_IN_FORCE)[number];

/**
 * One order; an entry with target and stop; target and stop of which one cancels the other; an entry with one of the
 * two.
 */
export const ORDER_CLASSES = ["simple", "bracket", "oco", "oto"] as const;
export type OrderClass = (typeof ORDER_CLASSES)[number];

/** What a trader asks for; null for what the type has not. Prices in the account's currency. */
export interface OrderTerms {
  /** Unique for ever. */
  readonly id: string;
  readonly symbol: string;
  readonly side: Side;
  readonly type: OrderType;
  readonly timeInForce: TimeInForce;
  /** Units, above 0; null for an order by money. */
  readonly quantity: number | null;
  /** Money to be spent or taken in, without fees; null for an order by quantity. */
  readonly notional: number | null;
  readonly limitPrice: number | null;
  readonly stopPrice: number | null;
  /** Distance of a trailing stop from the best price, as a price or in percent. */
  readonly trailAmount: number | null;
  readonly trailPercent: number | null;
  /** Also before the open and after the close. */
  readonly extendedHours: boolean;
  readonly orderClass: OrderClass;
  /** The side is that of the entry; in an `oco`, which has no entry, that of the legs. */
  readonly takeProfit: TakeProfit | null;
  readonly stopLoss: StopLoss | null;
  /** What its trader makes it depend on, beside what holds for all orders; null for nothing. */
  readonly conditions: Conditions | null;
  /** The entry order whose trade it closes before others; absent where it closes what is oldest. */
  readonly closes?: string;
}

export interface Conditions {
  /** Whether it is refused where it could trade with one of the account's own. */
  readonly refusesWash: boolean;
  /** That it opens or closes; null for whichever it does. */
  readonly intent: "open" | "close" | null;
}

export interface TakeProfit {
  readonly limitPrice: number;
}

export interface StopLoss {
  readonly stopPrice: number;
  /** Null for a stop that becomes a market order. */
  readonly limitPrice: number | null;
}

/** Part of an order in its group. A `single` has none; target and stop of an `oco` have no parent. */
export type Role = "single" | "parent" | "target" | "stop";

/** An order as the desk holds it. Quantities in units, money in micros, instants in epoch ms. */
export interface Order {
  readonly id: string;
  readonly symbol: string;
  readonly side: Side;
  readonly type: OrderType;
  readonly timeInForce: TimeInForce;
  readonly extendedHours: boolean;
  readonly orderClass: OrderClass;
  readonly role: Role;
  /** Name of the group, which is the id of the order it was submitted with; null for a single. */
  readonly group: string | null;
  /** A settlement closes what is held when the account ends. */
  readonly origin: "trader" | "margin_call" | "settlement";
  /** The order in whose place it came. */
  readonly replaces: string | null;
  /** The entry order whose trade it closes before others; absent where it closes what is oldest, or is a leg. */
  readonly closes?: string;
  readonly submittedAt: number;
  /** Its place among orders: the sequence of the event that placed it, or released it as a leg. */
  sequence: number;
  /** Money of an order by money, which has no quantity but what is filled. */
  readonly notional: number | null;
  readonly trailPercent: number | null;
  trailAmount: number | null;
  quantity: number;
  limitPrice: number | null;
  /** Of a trailing stop the level where it stands. */
  stopPrice: number | null;
  /** Best price a trailing stop has seen; null before the first. */
  extreme: number | null;
  state: OrderState;
  /** Bars that open before are not seen, nor quotes up to it. */
  activeFrom: number;
  /** A stop whose price was reached. */
  triggeredAt: number | null;
  /** A limit that was not met by the first price it saw: its fills are maker. */
  rested: boolean;
  filled: number;
  /** Price times quantity of all fills. */
  filledMicros: number;
  /** Mean price of its fills by quantity, and not of money that was rounded; null before the first. */
  averagePrice: number | null;
  /** Charged so far, by kind. */
  fees: Readonly<Record<string, number>>;
  /** Put aside for what it may open. */
  reserved: number;
  /** How much of it closed a position when it was submitted. */
  closing: number;
  /** Bar or quote of the last fill. */
  filledBy: string | null;
  reason: string | null;
  replacedBy: string | null;
}

export const PURPOSES = [
  /** The target, and the stop, that was submitted with an entry or as one of a pair; any stop of its own, too. */
  "target",
  "stop",
  "trailing_stop",
  /** Any other order of the trader. */
  "trader",
  "margin_call",
  /** The end of the account. */
  "settlement",
] as const;
export type Purpose = (typeof PURPOSES)[number];

/** What an order is for, should it close something. */
export function purposeOf({ role, type, origin }: Pick<Order, "role" | "type" | "origin">): Purpose {
  if (origin !== "trader") return origin;
  if (role === "target" || role === "stop") return role;
  if (type === "trailing_stop") return "trailing_stop";
  return type === "stop" || type === "stop_limit" ? "stop" : "trader";
}

/** What an order has when it is placed, whatever its terms. */
export const UNTOUCHED = {
  extreme: null,
  triggeredAt: null,
  rested: false,
  filled: 0,
  filledMicros: 0,
  averagePrice: null,
  fees: {},
  reserved: 0,
  closing: 0,
  filledBy: null,
  reason: null,
  replacedBy: null,
} as const satisfies Partial<Order>;

/** 1 for a buy, -1 for a sell. */
export function wayOf(side: Side): 1 | -1 {
  return side === "buy" ? 1 : -1;
}

export function opposite(side: Side): Side {
  return side === "buy" ? "sell" : "buy";
}

/** Terms with what is not said left out. */
export function termsOf(given: Pick<OrderTerms, "id" | "symbol" | "side"> & Partial<OrderTerms>): OrderTerms {
  return {
    type: "market",
    timeInForce: "day",
    quantity: null,
    notional: null,
    limitPrice: null,
    stopPrice: null,
    trailAmount: null,
    trailPercent: null,
    extendedHours: false,
    orderClass: "simple",
    takeProfit: null,
    stopLoss: null,
    conditions: null,
    ...given,
  };
}
