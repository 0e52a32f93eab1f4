import { assert } from "../base/assert.js";
import type { Bars } from "../market/candles.js";
import { type Book, bookOf, type DeskContext, sweep, tell } from "./context.js";
import type { BarFacts } from "./facts.js";
import { fillOrder, isFilledHere } from "./fill.js";
import { cancelOrder, expireOrder, openMember, siblingOf } from "./groups.js";
import { callMargin } from "./margin.js";
import {
  actsAs,
  matchPrice,
  matchTrail,
  matchTrailing,
  matchWithin,
  type Path,
  settleDoubt,
} from "./match.js";
import { roundQuantity, timesMicros } from "./money.js";
import { type Order, wayOf } from "./order.js";
import { takenBetween } from "./quoted.js";
import { isTerminal } from "./states.js";

/**
 * One bar over the orders of its symbol, each step in order of submission: what the open fills; stops that are reached;
 * targets; other limits, with legs that an entry releases right after it; what waits for the close; what ends with the
 * session. An entry that is still being filled comes before its stop, which the price meets later, and after its
 * target, which it may meet sooner. A bar without open orders is a price and nothing more.
 */
export function walkBar(desk: DeskContext, symbol: string, bars: Bars, i: number, facts: BarFacts): void {
  const book = bookOf(desk, symbol);
  const time = bars.time[i];
  assert(time > book.time, `${symbol}: bars are not in order`);
  book.time = time;
  if (book.working.length > 0) workBar(desk, book, bars, i, facts);
  book.mark = bars.close[i];
  checkMargin(desk, symbol, facts.until);
}

function checkMargin(desk: DeskContext, symbol: string, at: number): void {
  if (desk.rules.account.kind === "margin" && desk.state.positions.has(symbol)) callMargin(desk, at);
}

function workBar(desk: DeskContext, book: Book, bars: Bars, i: number, facts: BarFacts): void {
  const { prices, venue, rules } = desk;
  prices.open = bars.open[i];
  prices.high = bars.high[i];
  prices.low = bars.low[i];
  prices.close = bars.close[i];
  venue.source = "b";
  venue.time = bars.time[i];
  venue.until = facts.until;
  venue.regular = facts.regular;
  venue.volume = bars.volume[i];
  venue.range = facts.range;
  venue.spread = true;
  const { volumeShare } = rules;
  book.left =
    volumeShare === null
      ? Number.POSITIVE_INFINITY
      : leftOf(desk, book, roundQuantity(bars.volume[i] * volumeShare), bars.time[i], facts.until);
  const { working } = book;
  // Lists grow while they are walked: legs that are released come last and are still seen.
  for (let k = 0; k < working.length; k++) atOpen(desk, book, working[k], facts);
  for (let k = 0; k < working.length; k++) withinAsStop(desk, book, working[k]);
  for (let k = 0; k < working.length; k++) {
    if (working[k].role === "target") withinAsLimit(desk, book, working[k]);
  }
  for (let k = 0; k < working.length; k++) {
    if (working[k].role !== "target") withinAsLimit(desk, book, working[k]);
  }
  if (facts.last && facts.regular) {
    for (let k = 0; k < working.length; k++) atClose(desk, book, working[k]);
    expireDay(desk, book, facts.until, "regular");
  }
  for (let k = 0; k < working.length; k++) rest(desk, working[k]);
  sweep(book);
}

/** Units of those allowed that were not taken at quotes of a stretch of time. */
function leftOf({ state }: DeskContext, book: Book, allowed: number, from: number, to: number): number {
  const taken = takenBetween(state.quoted, book.instrument.symbol, from, to);
  return taken === 0 ? allowed : Math.max(0, roundQuantity(allowed - taken));
}

/** Whether the bar or quote at hand is one for an order: of its hours, and after it began to work. */
function isFor({ venue }: DeskContext, { state, activeFrom, extendedHours }: Order): boolean {
  if (isTerminal(state) || !(venue.regular || extendedHours)) return false;
  return venue.source === "b" ? activeFrom <= venue.time : activeFrom < venue.time;
}

/** Whether an order may trade there: not once it has. */
function sees(desk: DeskContext, order: Order): boolean {
  return isFor(desk, order) && !isFilledHere(desk, order);
}

function atOpen(desk: DeskContext, book: Book, order: Order, facts: BarFacts): void {
  if (!sees(desk, order)) return;
  const { timeInForce } = order;
  const { time } = desk.venue;
  if (order.state === "accepted") tell(desk, order, time, { event: "opened", order: null });
  if (timeInForce === "cls" || (timeInForce === "opg" && !(facts.first && facts.regular))) return;
  const { open } = desk.prices;
  meet(desk, book, order, open, open, "open", time);
  endAtOnce(desk, order, time);
}

/** One price for an order: what it fills, triggers or moves. */
function meet(
  desk: DeskContext,
  book: Book,
  order: Order,
  price: number,
  trigger: number,
  moment: "open" | "quote",
  at: number,
): void {
  const { match } = desk;
  matchPrice(order, price, trigger, match);
  if (match.triggers) tell(desk, order, at, { event: "triggered" });
  if (match.fills) fillOrder(desk, book, order, moment, at);
  else if (order.type === "trailing_stop" && order.triggeredAt === null) {
    if (matchTrail(order, trigger, book.instrument, match)) tellTrail(desk, order, at);
  }
}

function tellTrail(desk: DeskContext, order: Order, at: number): void {
  const { extreme, level } = desk.match;
  tell(desk, order, at, { event: "trailed", extreme, stopPrice: level });
}

/** What must be filled at once or in the opening auction, and was not. */
function endAtOnce(desk: DeskContext, order: Order, at: number): void {
  if (isTerminal(order.state)) return;
  const { timeInForce } = order;
  if (timeInForce === "ioc" || timeInForce === "fok") cancelOrder(desk, order, at, "not_filled_at_once");
  else if (timeInForce === "opg") expireOrder(desk, order, at, "auction_missed");
}

/** Whether an order may still fill within the bar: those of auctions may not. */
function worksWithin(desk: DeskContext, order: Order): boolean {
  const { timeInForce } = order;
  return sees(desk, order) && timeInForce !== "opg" && timeInForce !== "cls";
}

function withinAsStop(desk: DeskContext, book: Book, order: Order): void {
  if (actsAs(order) !== "stop" || !worksWithin(desk, order)) return;
  const { match, prices } = desk;
  if (order.type === "trailing_stop") matchTrailing(order, prices, book.instrument, match);
  else {
    matchWithin(order, prices, "open", match);
    if (match.triggers && order.role === "stop" && order.group !== null) {
      const entry = openMember(desk, order.group, "parent");
      if (entry !== null) withinAsLimit(desk, book, entry);
      matchWithin(order, prices, "open", match);
    }
  }
  follow(desk, book, order);
}

function withinAsLimit(desk: DeskContext, book: Book, order: Order): void {
  if (actsAs(order) !== "limit" || !worksWithin(desk, order)) return;
  // One that was triggered within this bar has been looked at with its stop.
  if (order.triggeredAt !== null && order.triggeredAt > desk.venue.time) return;
  matchWithin(order, desk.prices, "open", desk.match);
  follow(desk, book, order);
}

/** Tells what `match` says of an order within the bar, and looks at the legs that it releases. */
function follow(desk: DeskContext, book: Book, order: Order): void {
  const { match, prices, venue } = desk;
  const { until } = venue;
  if (desk.doubts !== "rule") {
    const target = desk.doubts === "best" && match.triggers && match.fills ? rivalOf(desk, order) : null;
    if (target !== null) {
      matchWithin(target, prices, "open", match);
      follow(desk, book, target);
      return;
    }
    settleDoubt(order, desk.doubts, match);
  }
  if (!Number.isNaN(match.level)) tellTrail(desk, order, until);
  if (match.triggers) tell(desk, order, until, { event: "triggered" });
  if (!Number.isNaN(match.unproven)) tellUnproven(desk, order, match.unproven);
  if (!match.fills) return;
  doubtBySibling(desk, order);
  const path = pathOf(order, match.price, venue.time);
  const filled = fillOrder(desk, book, order, "within", until);
  if (!filled || order.role !== "parent" || order.group === null) return;
  for (const role of ["stop", "target"] as const) {
    const leg = openMember(desk, order.group, role);
    // Legs that were released before have their own turn.
    if (leg === null || leg.state !== "new" || leg.activeFrom <= venue.time) continue;
    matchWithin(leg, prices, path, match);
    follow(desk, book, leg);
  }
}

function tellUnproven(desk: DeskContext, order: Order, price: number): void {
  const way = wayOf(order.side);
  const quantity = roundQuantity(order.quantity - order.filled);
  const more = way * (timesMicros(desk.prices.close, quantity) - timesMicros(price, quantity));
  tell(desk, order, desk.venue.until, { event: "unproven", price, optimisticMicros: Math.max(0, more) });
}

/** A stop that triggers and fills in a bar which also reached the target: at best the target came first. */
function doubtBySibling(desk: DeskContext, order: Order): void {
  if (order.triggeredAt !== desk.venue.until) return;
  const limitPrice = rivalOf(desk, order)?.limitPrice ?? null;
  if (limitPrice === null) return;
  const { match } = desk;
  match.ambiguous = true;
  match.optimistic = limitPrice;
}

/** The target beside a stop that the bar at hand reaches, too; null where there is none. */
function rivalOf(desk: DeskContext, order: Order): Order | null {
  if (order.role !== "stop") return null;
  const target = siblingOf(desk, order);
  if (target === null || target.limitPrice === null) return null;
  const { prices } = desk;
  const { limitPrice } = target;
  return (target.side === "buy" ? prices.low > limitPrice : prices.high < limitPrice) ? null : target;
}

/** From where the price came that filled an order within a bar. @param time open of the bar. */
function pathOf({ type, side, stopPrice, triggeredAt }: Order, price: number, time: number): Path {
  const rests = type === "limit" || (type === "stop_limit" && triggeredAt !== null && triggeredAt <= time);
  if (rests) return side === "buy" ? "fell" : "rose";
  if (type === "trailing_stop" || price !== stopPrice) return "unknown";
  return side === "buy" ? "rose" : "fell";
}

function atClose(desk: DeskContext, book: Book, order: Order): void {
  if (order.timeInForce !== "cls" || !sees(desk, order)) return;
  const { close } = desk.prices;
  const { until } = desk.venue;
  matchPrice(order, close, close, desk.match);
  if (desk.match.fills) fillOrder(desk, book, order, "close", until);
  if (!isTerminal(order.state)) expireOrder(desk, order, until, "auction_missed");
}

/** Ends orders for the day that were submitted before its close: those of regular hours, of extended ones, or all. */
export function expireDay(
  desk: DeskContext,
  book: Book,
  at: number,
  hours: "regular" | "extended" | "all",
): void {
  const { working } = book;
  for (let k = 0; k < working.length; k++) {
    const order = working[k];
    if (order.timeInForce !== "day" || isTerminal(order.state) || order.submittedAt >= at) continue;
    if (hours === "all" || order.extendedHours === (hours === "extended"))
      expireOrder(desk, order, at, "day_ended");
  }
}

/** A limit that is still open after a price it saw rests in the market from then on. */
function rest(desk: DeskContext, order: Order): void {
  if (order.rested || actsAs(order) !== "limit" || isTerminal(order.state)) return;
  if (order.timeInForce !== "day" && order.timeInForce !== "gtc") return;
  const { venue } = desk;
  const released = order.role !== "single" && order.activeFrom === venue.until;
  if (isFor(desk, order) || released) tell(desk, order, venue.until, { event: "rested" });
}

/** A price as it comes, epoch ms; bid and ask null where they are not known. */
export interface DeskQuote {
  readonly time: number;
  readonly price: number;
  readonly bid: number | null;
  readonly ask: number | null;
  /** Within the regular session. */
  readonly regular: boolean;
  /** The last bar that had closed; null or absent where none is known, which counts as one without volume. */
  readonly last?: LastBar | null;
}

/** What of a closed bar tells how much may be traded at the quotes after it, and at what costs. */
export interface LastBar {
  /** Its end, epoch ms: quotes since then share what its volume allows. */
  readonly until: number;
  /** Null where its market tells no volumes, so that there is nothing to take a share of. */
  readonly volume: number | null;
  /** Average range of the bars up to it; NaN while it is not known. */
  readonly range: number;
}

/**
 * One quote over the orders of its symbol that were submitted before it, in order of submission. Purchases trade at
 * the ask and sales at the bid, of what the volume of the last bar leaves; stops look at the price.
 */
export function walkQuote(desk: DeskContext, symbol: string, quote: DeskQuote): void {
  const book = bookOf(desk, symbol);
  const { venue } = desk;
  const { working } = book;
  venue.source = "q";
  venue.time = quote.time;
  venue.until = quote.time;
  venue.regular = quote.regular;
  venue.volume = quote.last?.volume ?? 0;
  venue.range = quote.last?.range ?? Number.NaN;
  venue.spread = quote.bid === null || quote.ask === null;
  book.left = leftAtQuote(desk, book, quote);
  for (let k = 0; k < working.length; k++) atQuote(desk, book, working[k], quote);
  sweep(book);
  book.mark = quote.price;
  checkMargin(desk, symbol, quote.time);
}

/** Units that may be traded at a quote: of one allowance for all since the last bar. */
function leftAtQuote(desk: DeskContext, book: Book, { last = null }: DeskQuote): number {
  const { volumeShare } = desk.rules;
  if (volumeShare === null) return Number.POSITIVE_INFINITY;
  if (last === null) return 0;
  const { volume, until } = last;
  if (volume === null) return Number.POSITIVE_INFINITY;
  return leftOf(desk, book, roundQuantity(volume * volumeShare), until, Number.POSITIVE_INFINITY);
}

function atQuote(desk: DeskContext, book: Book, order: Order, quote: DeskQuote): void {
  if (!sees(desk, order)) return;
  const { time, price } = quote;
  if (order.state === "accepted") tell(desk, order, time, { event: "opened", order: null });
  if (order.timeInForce === "opg" || order.timeInForce === "cls") return;
  const side = desk.venue.spread ? price : ((order.side === "buy" ? quote.ask : quote.bid) ?? price);
  meet(desk, book, order, side, price, "quote", time);
  endAtOnce(desk, order, time);
  rest(desk, order);
}
