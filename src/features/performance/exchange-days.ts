import { DAY_MS, dateOf } from "../../core/market/day.js";
import { classifySymbol } from "../../core/market/instrument.js";
import { type Calendar, calendarOf, lastDayOver, tradingDay } from "../../core/market/session.js";
import { AppError } from "../../platform/errors.js";
import type { Instruments } from "../instruments/instruments.js";

/** What the days of roll-ups are of, as cursors say: rows made by another rule are made anew. */
export const BY_EXCHANGE = "exchange";

/** Days that the dates of exchanges lie beside those of any other clock, at most. */
export const BESIDE_DAYS = 2;

/** The exchange of a symbol; for null that of an account. */
export type CalendarOfSymbol = (symbol: string | null) => Calendar;

/** Calendars of symbols as they are known, or else by their spelling; of all else that of the currency. */
export async function calendarsOf(
  instruments: Pick<Instruments, "resolve">,
  symbols: Iterable<string>,
  currency: string,
): Promise<CalendarOfSymbol> {
  const home = calendarOf(currency === "INR" ? "XNSE" : "XNYS");
  const pairs = [...new Set(symbols)].map(
    async (symbol) => [symbol, await calendarOfSymbol(instruments, symbol, home)] as const,
  );
  const known = new Map(await Promise.all(pairs));
  return (symbol) => (symbol === null ? home : (known.get(symbol) ?? home));
}

async function calendarOfSymbol(
  instruments: Pick<Instruments, "resolve">,
  symbol: string,
  home: Calendar,
): Promise<Calendar> {
  try {
    return calendarOf((await instruments.resolve(symbol)).calendar);
  } catch (error) {
    if (!(error instanceof AppError) || error.code === "database_unavailable") throw error;
    // Of a source that is configured no more.
    const spelled = classifySymbol(symbol);
    return spelled === null ? home : calendarOf(spelled.calendar);
  }
}

/** Whether a day is over at an instant on each of the exchanges. */
export function isOver(calendars: Iterable<Calendar>, day: number, atMs: number): boolean {
  for (const calendar of calendars) if (lastDayOver(calendar, atMs) < day) return false;
  return true;
}

/** The latest date that any exchange has at an instant, `YYYY-MM-DD`. */
export function latestDate(atMs: number): string {
  const days = (["XNYS", "XNSE", "24x7", "FX"] as const).map((id) => tradingDay(calendarOf(id), atMs));
  return dateOf(Math.max(...days));
}

/** Instants that days of any exchange lie within; epoch ms. */
export function instantsOfDays(from: number, to: number): { fromMs: number; toMs: number } {
  return { fromMs: (from - 1) * DAY_MS, toMs: (to + 2) * DAY_MS };
}
