import { closingPart, initialOf, worthOf } from "./account.js";
import { feesOwed, totalOf } from "./commission.js";
import { type Book, type DeskContext, tellPlaced, workOn } from "./context.js";
import { freeMicros } from "./margin.js";
import { trailLevel } from "./match.js";
import { quantityFor, rateMicros, roundQuantity, timesMicros, toMicros } from "./money.js";
import {
  type Conditions,
  type Order,
  type OrderTerms,
  opposite,
  type Side,
  UNTOUCHED,
  wayOf,
} from "./order.js";
import { isTerminal } from "./states.js";
import { type Refusal, refusal, validateTerms } from "./validate.js";

/** When an order comes, epoch ms, and whether its market trades then. */
export interface Moment {
  readonly at: number;
  readonly open: boolean;
}

/** An order as its terms make it, before the account has been looked at. */
export type Draft = Omit<Order, "sequence" | "state">;

/** Places an order and its legs. @returns why it is refused, all reasons; nothing is placed then. */
export function submitOrder(desk: DeskContext, terms: OrderTerms, moment: Moment): Refusal[] {
  const book = desk.books.get(terms.symbol);
  if (book === undefined) return [refusal("unknown_symbol", "symbol")];
  const ids = [terms.id, ...legIds(terms)];
  if (ids.some((id) => desk.state.orders.has(id))) return [refusal("id_not_unique", "id")];
  const price = Number.isNaN(book.mark) ? null : book.mark;
  const found = validateTerms(terms, book.instrument, price);
  if (found.length > 0) return found;
  const draft = draftOf(terms, moment, book);
  const { orderClass, conditions } = terms;
  const checked = checkAccount(desk, book, draft, { only: orderClass === "oco", conditions, instead: null });
  if (!("reserved" in checked)) return [checked];
  const { reserved, closing } = checked;
  const event = moment.open ? "opened" : "accepted";
  workOn(desk, tellPlaced(desk, moment.at, event, { ...draft, reserved, closing }));
  for (const leg of legsOf(terms, draft)) {
    if (terms.orderClass === "oco") workOn(desk, tellPlaced(desk, moment.at, event, { ...leg, closing }));
    else tellPlaced(desk, moment.at, "held", leg);
  }
  return [];
}

function legIds({ id, takeProfit, stopLoss, orderClass }: OrderTerms): string[] {
  const target = takeProfit !== null && orderClass !== "oco" ? [`${id}/target`] : [];
  return stopLoss === null ? target : [`${id}/stop`, ...target];
}

function draftOf(terms: OrderTerms, { at }: Moment, { mark, instrument }: Book): Draft {
  const { orderClass } = terms;
  const isPair = orderClass === "oco";
  const draft: Draft = {
    id: terms.id,
    symbol: terms.symbol,
    side: terms.side,
    type: terms.type,
    timeInForce: terms.timeInForce,
    extendedHours: terms.extendedHours,
    orderClass,
    role: orderClass === "simple" ? "single" : isPair ? "target" : "parent",
    group: orderClass === "simple" ? null : terms.id,
    origin: "trader",
    replaces: null,
    submittedAt: at,
    notional: terms.notional === null ? null : toMicros(terms.notional),
    trailPercent: terms.trailPercent,
    trailAmount: terms.trailAmount,
    quantity: terms.quantity ?? 0,
    limitPrice: isPair ? (terms.takeProfit?.limitPrice ?? null) : terms.limitPrice,
    stopPrice: terms.stopPrice,
    activeFrom: at,
    ...(terms.closes === undefined ? {} : { closes: terms.closes }),
    ...UNTOUCHED,
  };
  if (terms.type === "trailing_stop" && !Number.isNaN(mark)) {
    draft.extreme = mark;
    draft.stopPrice = trailLevel(draft, mark, instrument);
  }
  return draft;
}

/** The stop first, as everywhere. */
function legsOf({ id, takeProfit, stopLoss, orderClass, side }: OrderTerms, draft: Draft): Draft[] {
  const isPair = orderClass === "oco";
  const leg: Draft = {
    ...draft,
    side: isPair ? side : opposite(side),
    trailAmount: null,
    trailPercent: null,
    extreme: null,
    limitPrice: null,
    stopPrice: null,
  };
  const legs: Draft[] = [];
  if (stopLoss !== null) {
    const { stopPrice, limitPrice } = stopLoss;
    const type = limitPrice === null ? "stop" : "stop_limit";
    legs.push({ ...leg, id: `${id}/stop`, role: "stop", type, stopPrice, limitPrice });
  }
  if (takeProfit !== null && !isPair) {
    const { limitPrice } = takeProfit;
    legs.push({ ...leg, id: `${id}/target`, role: "target", type: "limit", limitPrice });
  }
  return legs;
}

/** What an order puts aside and closes. */
export interface Cover {
  readonly reserved: number;
  readonly closing: number;
}

export interface Demands {
  /** Whether it may close alone. */
  readonly only: boolean;
  readonly conditions: Conditions | null;
  /** The order that it replaces, whose own cover is given back. */
  readonly instead: Order | null;
}

/**
 * What an order puts aside if the account can bear it. What it sells of a position must not be promised to other
 * orders; what it opens needs equity.
 */
export function checkAccount(
  desk: DeskContext,
  book: Book,
  draft: Draft,
  { only, conditions, instead }: Demands,
): Cover | Refusal {
  const { symbol, side } = draft;
  const price = referencePrice(desk, book, draft);
  if (Number.isNaN(price) || (draft.type === "trailing_stop" && draft.stopPrice === null)) {
    return refusal("price_unknown", "symbol");
  }
  const quantity =
    draft.notional === null
      ? roundQuantity(draft.quantity - draft.filled)
      : quantityFor(draft.notional - draft.filledMicros, book.mark, book.instrument.lot);
  const held = desk.state.positions.get(symbol)?.quantity ?? 0;
  const promised = promisedOf(book, side, instead);
  const against = closingPart(held, side, Number.POSITIVE_INFINITY);
  const contradicts = conditions?.intent === (against > 0 ? "open" : "close");
  if (contradicts) return refusal("intent_contradicted", "conditions");
  if (desk.rules.account.refusesWash || conditions?.refusesWash === true) {
    const wash = washRefusal(book, draft);
    if (wash !== null) return wash;
  }
  const available = Math.max(0, roundQuantity(against - promised));
  const closing = Math.min(quantity, available);
  const opening = roundQuantity(quantity - closing);
  if (opening === 0) return { reserved: 0, closing };
  if (only || conditions?.intent === "close" || (promised > 0 && against > 0)) {
    return refusal("insufficient_quantity", "quantity", quantity, available);
  }
  const barred = shortRefusal(desk, book, draft, opening, against);
  if (barred !== null) return barred;
  return reserve(desk, book, draft, { price, quantity, opening, closing }, held, instead);
}

function shortRefusal(
  { rules }: DeskContext,
  { instrument }: Book,
  { side }: Draft,
  opening: number,
  against: number,
): Refusal | null {
  if (side === "buy") return null;
  const { account } = rules;
  if (account.kind === "cash" || !account.shorting || !instrument.shortable) {
    return against > 0
      ? refusal("insufficient_quantity", "quantity", roundQuantity(opening + against), against)
      : refusal("short_not_allowed", "side", opening, 0);
  }
  const whole = instrument.fractions === "free" || Number.isInteger(opening);
  return whole ? null : refusal("fractional_short", "quantity", opening);
}

/**
 * An order against one of the account's own that could trade with it: at the market, at its limit, or at the stop that
 * it waits for. Those that wait as entries of groups count, and targets and stops do not; an order that comes with
 * exits of its own is let through, as brokers have it.
 */
function washRefusal({ working }: Book, draft: Draft): Refusal | null {
  if (draft.role !== "single") return null;
  for (const other of working) {
    if (isTerminal(other.state) || other.side === draft.side || !isEntry(other)) continue;
    // A stop above the price and one below it do not come to work together.
    if (waitsForStop(draft) && waitsForStop(other)) continue;
    const [buy, sell] = draft.side === "buy" ? [draft, other] : [other, draft];
    if ((worstOf(buy) ?? Number.POSITIVE_INFINITY) >= (worstOf(sell) ?? 0))
      return refusal("wash_trade", null);
  }
  return null;
}

const isEntry = ({ role }: Draft) => role === "single" || role === "parent";

const waitsForStop = ({ type, triggeredAt }: Draft) =>
  triggeredAt === null && type !== "market" && type !== "limit";

const worstOf = (order: Draft) => order.limitPrice ?? (waitsForStop(order) ? order.stopPrice : null);

/** What open orders of the side close already. Of target and stop only one fills: the stop is counted. */
export function promisedOf({ working }: Book, side: Side, instead: Order | null): number {
  let promised = 0;
  for (const order of working) {
    if (isTerminal(order.state) || order.side !== side || order === instead) continue;
    if (order.role === "target" && hasStop(working, order.group)) continue;
    const left = roundQuantity(order.quantity - order.filled);
    promised += order.role === "single" || order.role === "parent" ? Math.min(left, order.closing) : left;
  }
  return roundQuantity(promised);
}

function hasStop(working: readonly Order[], group: string | null): boolean {
  return working.some(
    ({ role, group: its, state }) => role === "stop" && its === group && !isTerminal(state),
  );
}

/** The price an order is taken to trade at; NaN while there is none. */
function referencePrice({ rules }: DeskContext, { mark }: Book, draft: Draft): number {
  const { limitPrice, stopPrice, side, type } = draft;
  if (limitPrice !== null) {
    return side === "sell" && mark > limitPrice ? mark : limitPrice;
  }
  const price = type === "stop" && stopPrice !== null ? stopPrice : mark;
  return roundQuantity(price * (1 + rules.account.reserveRate));
}

interface Need extends Cover {
  readonly price: number;
  readonly quantity: number;
  readonly opening: number;
}

function reserve(
  desk: DeskContext,
  book: Book,
  draft: Draft,
  { price, quantity, opening, closing }: Omit<Need, "reserved">,
  held: number,
  instead: Order | null,
): Cover | Refusal {
  const { account } = desk.rules;
  const { instrument } = book;
  const { symbol, side } = draft;
  const worth =
    draft.notional === null
      ? timesMicros(price, opening)
      : rateMicros(draft.notional - draft.filledMicros, roundQuantity(1 + account.reserveRate));
  const limited = limitRefusal(desk, symbol, worth, held === 0 ? 0 : Math.abs(worthOf(held, book.mark)));
  if (limited !== null) return limited;
  const fees = feesOwed(
    book.costs.commission,
    { side, quantity, micros: worth, fillMicros: worth, maker: false },
    {},
  );
  const value = account.kind === "cash" ? worth : initialOf(account, instrument, wayOf(side) * worth);
  const reserved = value + totalOf(fees);
  // An order that turns a position gives back what the old one needs.
  const turns = account.kind === "margin" && closing > 0;
  const freed = turns ? initialOf(account, instrument, worthOf(held, book.mark)) : 0;
  const own = instead?.reserved ?? 0;
  let free = freeMicros(desk) + own + freed;
  if (account.kind === "margin" && side === "buy" && !instrument.marginable) {
    // Nothing is lent on it: it is bought with cash, of which what it closes takes its part.
    const { cash, reserved: aside } = desk.state;
    free = Math.min(free, cash - aside + own - timesMicros(price, closing));
  }
  if (reserved > free) return refusal("insufficient_buying_power", null, reserved / 1e6, free / 1e6);
  return { reserved, closing };
}

function limitRefusal(
  { state, rules }: DeskContext,
  symbol: string,
  worth: number,
  held: number,
): Refusal | null {
  const { maxPositions, maxOrderMicros, maxSymbolMicros } = rules.account;
  if (maxPositions !== null && !state.positions.has(symbol) && state.positions.size >= maxPositions) {
    return refusal("position_limit", "symbol", state.positions.size + 1, maxPositions);
  }
  if (maxOrderMicros !== null && worth > maxOrderMicros) {
    return refusal("order_value_limit", "quantity", worth / 1e6, maxOrderMicros / 1e6);
  }
  if (maxSymbolMicros !== null && worth + held > maxSymbolMicros) {
    return refusal("symbol_value_limit", "quantity", (worth + held) / 1e6, maxSymbolMicros / 1e6);
  }
  return null;
}
