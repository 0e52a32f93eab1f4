import { assert } from "../base/assert.js";
import { lowerBound } from "../base/search.js";
import { worthOf } from "../execution/account.js";
import type { DeskEvent, Leg } from "../execution/events.js";
import { roundQuantity } from "../execution/money.js";
import type { DailyCloses } from "../market/adjust.js";
import { type Calendar, tradingDay } from "../market/session.js";

/**
 * An account at the close of each session, as columns of one length. Money in micros. What happens on a day without a
 * session counts for the next one.
 */
export interface EquityDays {
  /** Days since 1970-01-01, ascending. */
  readonly day: Float64Array;
  /** Cash and what the positions are worth. */
  readonly equity: Float64Array;
  readonly cash: Float64Array;
  /** Moved in and out from outside during the day, both 0 or more. */
  readonly paidIn: Float64Array;
  readonly paidOut: Float64Array;
  /** Worth of long positions, and of short ones, below 0. */
  readonly long: Float64Array;
  readonly short: Float64Array;
  /** Positions valued at an older price, since the day has no close of theirs. */
  readonly carried: Int32Array;
}

/** What positions are worth by: the latest price known of each symbol, and the day it is of. */
interface Mark {
  price: number;
  day: number;
}

/**
 * Equity by day from the session of the first event to `untilDay`. @param events all of a desk, from the first on.
 * @param closes of the symbols, as they traded. A symbol without a close that day is worth its latest price: an earlier
 * close or fill, split since where there was a split.
 * @returns columns without a day where there is no event up to the last session.
 */
export function dailyEquity(
  events: Iterable<DeskEvent>,
  calendar: Calendar,
  closes: ReadonlyMap<string, DailyCloses>,
  untilDay: number,
): EquityDays {
  const queue = [...events];
  const first = queue.length === 0 ? calendar.day.length : sessionOf(calendar, queue[0].at);
  let last = lowerBound(calendar.day, untilDay);
  if (calendar.day[last] !== untilDay) last--;
  const days = allocateDays(calendar, first, Math.max(0, last - first + 1));
  const account: Account = { cash: 0, positions: new Map(), marks: new Map() };
  let next = 0;
  for (let i = 0; i < days.day.length; i++) {
    for (; next < queue.length && sessionOf(calendar, queue[next].at) <= first + i; next++) {
      takeEvent(account, queue[next], days, i);
    }
    closeDay(days, i, account, closes);
  }
  return days;
}

/** What of an account its worth depends on. */
interface Account {
  cash: number;
  readonly positions: Map<string, number>;
  readonly marks: Map<string, Mark>;
}

/** Index of the session that an instant counts for. */
function sessionOf(calendar: Calendar, at: number): number {
  return lowerBound(calendar.day, tradingDay(calendar, at));
}

function allocateDays(calendar: Calendar, first: number, length: number): EquityDays {
  const column = () => new Float64Array(length);
  return {
    day: calendar.day.slice(first, first + length),
    equity: column(),
    cash: column(),
    paidIn: column(),
    paidOut: column(),
    long: column(),
    short: column(),
    carried: new Int32Array(length),
  };
}

function takeEvent(account: Account, event: DeskEvent, days: EquityDays, i: number): void {
  const { symbol } = event;
  const moved = "legs" in event ? cashOf(event.legs) : 0;
  account.cash += moved;
  if (event.kind === "order") {
    if (!("fill" in event)) return;
    hold(account, event.symbol, event.fill.position.quantity);
    // The day of a fill has a close that is later.
    account.marks.set(event.symbol, { price: event.fill.price, day: days.day[i] - 1 });
    return;
  }
  if (event.event === "transferred") {
    if (moved > 0) days.paidIn[i] += moved;
    else days.paidOut[i] -= moved;
  }
  if (symbol === null || event.position === null) return;
  hold(account, symbol, event.position.quantity);
  const mark = account.marks.get(symbol);
  if (event.event === "split" && mark !== undefined) {
    mark.price = roundQuantity(mark.price / Number(event.facts.ratio));
  }
}

function cashOf(legs: readonly Leg[]): number {
  for (const { account, micros } of legs) if (account === "cash") return micros;
  return 0;
}

function hold({ positions }: Account, symbol: string, quantity: number): void {
  if (quantity === 0) positions.delete(symbol);
  else positions.set(symbol, quantity);
}

function closeDay(
  days: EquityDays,
  i: number,
  { cash, positions, marks }: Account,
  closes: ReadonlyMap<string, DailyCloses>,
): void {
  const today = days.day[i];
  let equity = cash;
  for (const [symbol, quantity] of positions) {
    const close = closeOn(closes.get(symbol), today);
    if (close !== null) marks.set(symbol, { price: close, day: today });
    const mark = marks.get(symbol);
    assert(mark !== undefined, `${symbol} is held and has no price`);
    if (mark.day < today) days.carried[i]++;
    const worth = worthOf(quantity, mark.price);
    if (worth > 0) days.long[i] += worth;
    else days.short[i] += worth;
    equity += worth;
  }
  days.cash[i] = cash;
  days.equity[i] = equity;
}

function closeOn(closes: DailyCloses | undefined, day: number): number | null {
  if (closes === undefined) return null;
  const i = lowerBound(closes.day, day);
  const close = closes.day[i] === day ? closes.close[i] : Number.NaN;
  return close > 0 ? close : null;
}

/** Worth of all positions without their signs, and with them, micros, day by day. */
export function exposureOf({ long, short }: EquityDays): { gross: Float64Array; net: Float64Array } {
  return {
    gross: long.map((worth, i) => worth - short[i]),
    net: long.map((worth, i) => worth + short[i]),
  };
}
