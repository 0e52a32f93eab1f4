import { assert } from "../base/assert.js";
import { lowerBound } from "../base/search.js";
import { cashOf, worthOf } from "../execution/account.js";
import type { DeskEvent } from "../execution/events.js";
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

/** What one session made of an account. */
interface SessionEnd {
  /** Index in the calendar. */
  readonly index: number;
  cash: number;
  paidIn: number;
  paidOut: number;
  readonly changes: Map<string, Change>;
}

/** What became of a symbol in a session. */
interface Change {
  /** Held at its end. */
  quantity: number;
  /** Of the last fill, NaN without one, and what splits after it came to. */
  price: number;
  ratio: number;
}

/** Equity by day of one account, out of the events of its desk, from the first on. */
export interface EquityBook {
  take(event: DeskEvent): void;
  /**
   * Days from the first session that closed after the first event to `untilDay`; none where that is before. @param closes of the symbols, as
   * they traded. A symbol without a close that day is worth its latest price: an earlier close or fill, split since
   * where there was a split.
   */
  days(closes: ReadonlyMap<string, DailyCloses>, untilDay: number): EquityDays;
}

export function createEquity(calendar: Calendar): EquityBook {
  const ends: SessionEnd[] = [];
  let cash = 0;
  return {
    take(event) {
      const on = sessionOf(calendar, event.at);
      let end = ends.at(-1);
      // There was no account at a close that was over when it was opened.
      const index = end === undefined && calendar.close[on] <= event.at ? on + 1 : on;
      // The sequence of events decides, should one be of an earlier day than the one before.
      if (end === undefined || end.index < index) {
        end = { index, cash, paidIn: 0, paidOut: 0, changes: new Map() };
        ends.push(end);
      }
      takeEvent(end, event);
      cash = end.cash;
    },
    days: (closes, untilDay) => daysOf(calendar, ends, closes, untilDay),
  };
}

/** Equity by day of a whole sequence of events. */
export function dailyEquity(
  events: Iterable<DeskEvent>,
  calendar: Calendar,
  closes: ReadonlyMap<string, DailyCloses>,
  untilDay: number,
): EquityDays {
  const book = createEquity(calendar);
  for (const event of events) book.take(event);
  return book.days(closes, untilDay);
}

/** Index of the session that an instant counts for. */
function sessionOf(calendar: Calendar, at: number): number {
  return lowerBound(calendar.day, tradingDay(calendar, at));
}

function takeEvent(end: SessionEnd, event: DeskEvent): void {
  const moved = "legs" in event ? cashOf(event.legs) : 0;
  end.cash += moved;
  if (event.kind === "order") {
    if (!("fill" in event)) return;
    const { position, price } = event.fill;
    end.changes.set(event.symbol, { quantity: position.quantity, price, ratio: 1 });
    return;
  }
  if (event.event === "transferred") {
    if (moved > 0) end.paidIn += moved;
    else end.paidOut -= moved;
  }
  if (event.symbol === null || event.position === null) return;
  const { quantity } = event.position;
  const { price, ratio } = end.changes.get(event.symbol) ?? { price: Number.NaN, ratio: 1 };
  const split = event.event === "split" ? Number(event.facts.ratio) : 1;
  end.changes.set(event.symbol, { quantity, price, ratio: ratio * split });
}

/** A position and what it is worth by: the latest price, and the day it is of. */
interface Held {
  quantity: number;
  price: number;
  day: number;
}

function daysOf(
  calendar: Calendar,
  ends: readonly SessionEnd[],
  closes: ReadonlyMap<string, DailyCloses>,
  untilDay: number,
): EquityDays {
  const first = ends[0]?.index ?? calendar.day.length;
  const until = lowerBound(calendar.day, untilDay + 1);
  const days = allocateDays(calendar, first, Math.max(0, until - first));
  const held = new Map<string, Held>();
  let next = 0;
  for (let i = 0; i < days.day.length; i++) {
    days.cash[i] = i === 0 ? 0 : days.cash[i - 1];
    if (next < ends.length && ends[next].index === first + i) takeEnd(days, i, held, ends[next++]);
    closeDay(days, i, held, closes);
  }
  return days;
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

function takeEnd(days: EquityDays, i: number, held: Map<string, Held>, end: SessionEnd): void {
  days.cash[i] = end.cash;
  days.paidIn[i] = end.paidIn;
  days.paidOut[i] = end.paidOut;
  for (const [symbol, { quantity, price, ratio }] of end.changes) {
    const before = held.get(symbol);
    if (quantity === 0) {
      held.delete(symbol);
      continue;
    }
    const isTraded = !Number.isNaN(price);
    assert(isTraded || before !== undefined, `${symbol} is held and has no price`);
    const latest = (isTraded ? price : (before?.price ?? 0)) / ratio;
    // The day of a fill has a close that is later.
    held.set(symbol, { quantity, price: roundQuantity(latest), day: days.day[i] - 1 });
  }
}

function closeDay(
  days: EquityDays,
  i: number,
  held: Map<string, Held>,
  closes: ReadonlyMap<string, DailyCloses>,
): void {
  const today = days.day[i];
  let equity = days.cash[i];
  for (const [symbol, position] of held) {
    const close = closeOn(closes.get(symbol), today);
    if (close !== null) {
      position.price = close;
      position.day = today;
    }
    if (position.day < today) days.carried[i]++;
    const worth = worthOf(position.quantity, position.price);
    if (worth > 0) days.long[i] += worth;
    else days.short[i] += worth;
    equity += worth;
  }
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
