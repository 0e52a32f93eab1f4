import { DAY_MS } from "../market/day.js";
import { cashLegs, worthOf } from "./account.js";
import { type Book, bookOf, type DeskContext, sweep, tellAccount } from "./context.js";
import { expireOrder } from "./groups.js";
import { accruedMicros } from "./money.js";
import { isTerminal } from "./states.js";
import { expireDay } from "./walk.js";

/** The end of a day of the account. */
export interface DayEnd {
  /** Epoch ms. */
  readonly at: number;
  /** Nights to the next day: 1, over a weekend 3; 0 for none. */
  readonly nights: number;
}

/**
 * Ends a day: orders for the day that were submitted before expire, also where no bar told of the close, and `gtc`
 * orders that are old enough; then short positions pay for what they borrow and cash below 0 its interest.
 */
export function endDay(desk: DeskContext, end: DayEnd): void {
  pass(desk, end, true);
}

/** The same without the orders for the day, whose sessions end by themselves: `closeSession`. */
export function passNight(desk: DeskContext, end: DayEnd): void {
  pass(desk, end, false);
}

function pass(desk: DeskContext, { at, nights }: DayEnd, endsOrders: boolean): void {
  for (const book of desk.books.values()) {
    if (book.working.length === 0) continue;
    if (endsOrders) expireDay(desk, book, at, "all");
    expireOld(desk, book, at);
    sweep(book);
  }
  if (nights > 0) accrue(desk, at, nights);
}

/**
 * Ends orders for a session of a symbol that has closed, also where no bar told of the close.
 * @param at the close; with `extended` the end of the hours after it, which ends those orders alone that trade in them.
 */
export function closeSession(desk: DeskContext, symbol: string, at: number, extended: boolean): void {
  const book = bookOf(desk, symbol);
  if (extended) {
    expireDay(desk, book, at, "extended");
    sweep(book);
    return;
  }
  for (const order of book.working) {
    if (order.timeInForce !== "cls" || isTerminal(order.state) || order.submittedAt >= at) continue;
    expireOrder(desk, order, at, "auction_missed");
  }
  expireDay(desk, book, at, "regular");
  sweep(book);
}

function expireOld(desk: DeskContext, { working }: Book, at: number): void {
  const oldest = at - desk.rules.gtcDays * DAY_MS;
  for (const order of [...working]) {
    if (order.timeInForce !== "gtc" || isTerminal(order.state) || order.submittedAt > oldest) continue;
    if (order.origin === "trader") expireOrder(desk, order, at, "too_old");
  }
}

function accrue(desk: DeskContext, at: number, nights: number): void {
  const { state, rules, books } = desk;
  const { account } = rules;
  for (const { symbol, quantity } of [...state.positions.values()]) {
    const book = books.get(symbol);
    if (quantity > 0 || book === undefined) continue;
    const rate = book.instrument.borrowRate ?? account.borrowRate;
    const fee = accruedMicros(-worthOf(quantity, book.mark), rate, nights, account.yearDays);
    if (fee === 0) continue;
    const facts = { rate, nights, mark: book.mark };
    tellAccount(desk, at, {
      event: "borrow",
      symbol,
      legs: cashLegs(`borrow:${symbol}`, -fee),
      position: null,
      facts,
    });
  }
  if (state.cash >= 0) return;
  const interest = accruedMicros(-state.cash, account.interestRate, nights, account.yearDays);
  if (interest === 0) return;
  tellAccount(desk, at, {
    event: "interest",
    symbol: null,
    legs: cashLegs("interest", -interest),
    position: null,
    facts: { rate: account.interestRate, nights },
  });
}
