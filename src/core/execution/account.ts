import { type Fees, totalOf } from "./commission.js";
import type { Holding, Leg } from "./events.js";
import type { Traded } from "./instrument.js";
import { roundQuantity, shareMicros, timesMicros } from "./money.js";
import { type Side, wayOf } from "./order.js";

/** What an account may do. Rates are shares of a value, 0.5 for a half; rates of fees are for a year. */
export interface AccountRules {
  readonly currency: string;
  /** A cash account owns what it pays for and never owes. */
  readonly kind: "cash" | "margin";
  readonly shorting: boolean;
  /** Equity that a position needs when it is opened: 1 / leverage for a long one. */
  readonly initialLong: number;
  readonly initialShort: number;
  /** Equity below which positions are closed. */
  readonly maintenanceLong: number;
  readonly maintenanceShort: number;
  /** Of a short position's value, and of cash below 0; accrued over nights, of a year of `yearDays`. */
  readonly borrowRate: number;
  readonly interestRate: number;
  readonly yearDays: number;
  /** Put aside beyond the latest price for an order without a limit. */
  readonly reserveRate: number;
  /** Refuses an order that could trade with one of the account's own. */
  readonly refusesWash: boolean;
  /** Most open positions, and most micros in an order and in a symbol; null without a limit. */
  readonly maxPositions: number | null;
  readonly maxOrderMicros: number | null;
  readonly maxSymbolMicros: number | null;
}

export function cashRules(currency: string): AccountRules {
  return {
    currency,
    kind: "cash",
    shorting: false,
    initialLong: 1,
    initialShort: 1,
    maintenanceLong: 0,
    maintenanceShort: 0,
    borrowRate: 0,
    interestRate: 0,
    yearDays: 360,
    reserveRate: 0,
    refusesWash: false,
    maxPositions: null,
    maxOrderMicros: null,
    maxSymbolMicros: null,
  };
}

/** Regulation T at a leverage of 2: half of a position to open it, 25 % of a long and 30 % of a short one to keep it. */
export function marginRules(currency: string, leverage = 2): AccountRules {
  const initial = roundQuantity(1 / leverage);
  return {
    ...cashRules(currency),
    kind: "margin",
    shorting: true,
    initialLong: initial,
    initialShort: Math.max(0.5, initial),
    maintenanceLong: Math.min(0.25, initial),
    maintenanceShort: 0.3,
  };
}

export interface Position {
  readonly symbol: string;
  /** Below 0 for a short position, never 0. */
  quantity: number;
  /** Paid for it in all; of a short position what it brought, below 0. */
  cost: number;
}

export const NOTHING: Holding = Object.freeze({ quantity: 0, cost: 0 });

/** What a fill makes of a position and of the books. */
export interface Booking {
  readonly position: Holding;
  /** Units that were opened: what was traded beyond what it closed. */
  readonly opened: number;
  readonly gain: number;
  readonly cash: number;
  readonly legs: readonly Leg[];
}

/**
 * Books a fill. What it closes takes its share of the cost, rounded, and the rest stays; a fill through zero closes
 * first, and the rest of its money is the cost of what it opens.
 */
export function bookFill(
  symbol: string,
  before: Holding,
  side: Side,
  quantity: number,
  micros: number,
  fees: Fees,
): Booking {
  const way = wayOf(side);
  const closed = closingPart(before.quantity, side, quantity);
  const opened = roundQuantity(quantity - closed);
  const closedMicros = closed === 0 ? 0 : shareMicros(micros, closed, quantity);
  const closedCost = closed === 0 ? 0 : shareMicros(before.cost, closed, Math.abs(before.quantity));
  // A sale takes in its money for a cost above 0, a purchase pays its money for a cost below.
  const gain = -way * closedMicros - closedCost;
  const cost = before.cost - closedCost + way * (micros - closedMicros);
  const cash = -way * micros - totalOf(fees);
  const legs: Leg[] = [];
  post(legs, "cash", cash);
  post(legs, `position:${symbol}`, cost - before.cost);
  for (const kind of Object.keys(fees)) post(legs, `fee:${kind}`, fees[kind]);
  post(legs, `gain:${symbol}`, -gain);
  const position = { quantity: roundQuantity(before.quantity + way * quantity), cost: cost + 0 };
  return { position, opened, gain: closed === 0 ? 0 : gain, cash, legs };
}

/** How much of a trade closes what is held. */
export function closingPart(held: number, side: Side, quantity: number): number {
  const against = -wayOf(side) * held;
  return against > 0 ? Math.min(against, quantity) : 0;
}

export function post(legs: Leg[], account: string, micros: number): void {
  if (micros !== 0) legs.push({ account, micros });
}

/** Money that moves between cash and one other account. */
export function cashLegs(account: string, received: number): readonly Leg[] {
  if (received === 0) return [];
  return [
    { account: "cash", micros: received },
    { account, micros: -received },
  ];
}

/** What cash receives by the legs of one event; below 0 for what it pays. Micros. */
export function cashOf(legs: readonly Leg[]): number {
  let sum = 0;
  for (const { account, micros } of legs) if (account === "cash") sum += micros;
  return sum;
}

/** Worth at a price; below 0 for a short position. */
export function worthOf(quantity: number, price: number): number {
  return timesMicros(price, quantity);
}

/** Equity that a value needs, to be opened or to be kept: all of it where nothing is lent on it. */
export function initialOf(rules: AccountRules, { marginable }: Traded, value: number): number {
  if (!marginable) return Math.abs(value);
  return value < 0 ? shareMicros(-value, rules.initialShort, 1) : shareMicros(value, rules.initialLong, 1);
}

export function maintenanceOf(rules: AccountRules, { marginable }: Traded, value: number): number {
  if (!marginable && rules.kind === "margin") return Math.abs(value);
  return value < 0
    ? shareMicros(-value, rules.maintenanceShort, 1)
    : shareMicros(value, rules.maintenanceLong, 1);
}
