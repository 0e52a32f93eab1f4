import { LRUCache } from "lru-cache";
import type { DeskEvent } from "../../core/execution/events.js";
import type { DailyCloses } from "../../core/market/adjust.js";
import { barClose } from "../../core/market/bar-times.js";
import { DAY_MS } from "../../core/market/day.js";
import type { Interval } from "../../core/market/interval.js";
import { type Calendar, calendarOf, tradingDay } from "../../core/market/session.js";
import { dailyEquity, type EquityDays } from "../../core/performance/equity.js";
import { type BarCloses, equityAt } from "../../core/performance/equity-at.js";
import { AppError } from "../../platform/errors.js";
import type { AdjustedCandles } from "../candles/adjusted.js";
import type { Instruments } from "../instruments/instruments.js";
import { loadAsTraded } from "./as-traded.js";
import type { Ledger } from "./ledger.js";
import type { AccountRow } from "./store.js";

/** An account day by day, from its events and the closes of what it held: nothing of it is kept, all can be made anew. */
export interface AccountDays {
  readonly calendar: Calendar;
  readonly days: EquityDays;
  /** All that were ever held. */
  readonly symbols: readonly string[];
  /** Symbols that were held and have no closes: they are worth what they were traded at. */
  readonly unpriced: readonly string[];
}

export interface Days {
  /** Sessions from the first event to the last that ended before `endMs`, by the calendar of all that was traded, or of the currency. */
  load(account: AccountRow, endMs: number): Promise<AccountDays>;
  /** Equity at instants, ascending, by the closes of bars of an interval. */
  at(account: AccountRow, instants: Float64Array, interval: Interval): Promise<EquitySeries>;
}

/** Equity at instants, as far as bars tell it. Money in micros. */
export interface EquitySeries {
  readonly instants: Float64Array;
  readonly equity: Float64Array;
  /** Paid in less paid out up to each instant. */
  readonly paid: Float64Array;
}

export interface DaysOptions {
  readonly ledger: Pick<Ledger, "look">;
  readonly adjusted: Pick<AdjustedCandles, "loadRange">;
  readonly instruments: Pick<Instruments, "resolve">;
}

const MOST_DAYS = 10_000;
const MOST_BARS = 50_000;

export function createDays({ ledger, adjusted, instruments }: DaysOptions): Days {
  /** By account, its last event and the day up to which. */
  const known = new LRUCache<string, Promise<AccountDays>>({ max: 500 });

  async function closesOf(symbol: string, fromMs: number, endMs: number): Promise<DailyCloses | null> {
    const bars = await barsOf(symbol, "1d", fromMs, endMs, MOST_DAYS);
    if (bars === null) return null;
    const { calendar, candles } = bars;
    return {
      day: Float64Array.from(candles.time, (time) => tradingDay(calendar, time)),
      close: candles.close,
    };
  }

  async function closesOfBars(
    symbol: string,
    interval: Interval,
    fromMs: number,
    endMs: number,
  ): Promise<BarCloses | null> {
    const bars = await barsOf(symbol, interval, fromMs, endMs, MOST_BARS);
    if (bars === null) return null;
    const { calendar, candles } = bars;
    const until = Float64Array.from(candles.time, (time) => barClose(calendar, interval, time));
    return { until, close: candles.close };
  }

  /** From a week before, for what was held at the start. Null where no source has such bars. */
  async function barsOf(symbol: string, interval: Interval, fromMs: number, endMs: number, limit: number) {
    const instrument = await instruments.resolve(symbol);
    const calendar = calendarOf(instrument.calendar);
    const stretch = { from: fromMs - 7 * DAY_MS, to: endMs };
    try {
      const { candles } = await loadAsTraded(adjusted, instrument, interval, stretch, limit);
      return { calendar, candles };
    } catch (error) {
      if (!(error instanceof AppError) || error.code === "database_unavailable") throw error;
      return null;
    }
  }

  async function calendarFor(symbols: readonly string[], currency: string): Promise<Calendar> {
    const traded = await Promise.all(symbols.map((symbol) => instruments.resolve(symbol)));
    const ids = new Set(traded.map(({ calendar }) => calendar));
    const [only] = ids;
    return calendarOf(ids.size === 1 && only !== undefined ? only : currency === "INR" ? "XNSE" : "XNYS");
  }

  async function compute(row: AccountRow, events: readonly DeskEvent[], endMs: number): Promise<AccountDays> {
    const symbols = symbolsOf(events);
    const calendar = await calendarFor(symbols, row.rules.account.currency);
    const from = events[0]?.at ?? endMs;
    const closes = await found(symbols, (symbol) => closesOf(symbol, from, endMs));
    const days = dailyEquity(events, calendar, closes, tradingDay(calendar, endMs) - 1);
    return { calendar, days, symbols, unpriced: symbols.filter((symbol) => !closes.has(symbol)) };
  }

  return {
    async at(row, instants, interval) {
      const events = await ledger.look(row.id, (_desk, { history }) => [...history.events]);
      const [from, to] = [instants[0] ?? 0, (instants.at(-1) ?? 0) + 1];
      const closes = await found(symbolsOf(events), (symbol) => closesOfBars(symbol, interval, from, to));
      return { instants, ...equityAt(events, instants, closes) };
    },
    async load(row, endMs) {
      const events = await ledger.look(row.id, (_desk, { history }) => {
        // Whatever comes later does not change the days before.
        const { events: all } = history;
        let end = all.length;
        while (end > 0 && all[end - 1].at >= endMs) end--;
        return all.slice(0, end);
      });
      const key = `${row.id} ${events.length} ${Math.floor(endMs / 60_000)}`;
      const before = known.get(key);
      if (before !== undefined) return before;
      const computed = compute(row, events, endMs);
      known.set(key, computed);
      computed.catch(() => known.delete(key));
      return computed;
    },
  };
}

function symbolsOf(events: readonly DeskEvent[]): string[] {
  return [...new Set(events.flatMap(({ symbol }) => (symbol === null ? [] : [symbol])))];
}

/** What was found of symbols, without those of which nothing was. */
async function found<T>(
  symbols: readonly string[],
  load: (symbol: string) => Promise<T | null>,
): Promise<Map<string, T>> {
  const pairs = await Promise.all(symbols.map(async (symbol) => [symbol, await load(symbol)] as const));
  return new Map(pairs.flatMap(([symbol, each]) => (each === null ? [] : [[symbol, each] as const])));
}
