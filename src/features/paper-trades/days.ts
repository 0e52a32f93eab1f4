import { LRUCache } from "lru-cache";
import type { DeskEvent } from "../../core/execution/events.js";
import type { DailyCloses } from "../../core/market/adjust.js";
import { barClose } from "../../core/market/bar-times.js";
import type { Interval } from "../../core/market/interval.js";
import { type Calendar, calendarOf, tradingDay } from "../../core/market/session.js";
import { dailyEquity, type EquityDays } from "../../core/performance/equity.js";
import { type BarCloses, equityAt } from "../../core/performance/equity-at.js";
import { AppError } from "../../platform/errors.js";
import type { AdjustedCandles } from "../candles/adjusted.js";
import type { Instruments } from "../instruments/instruments.js";
import type { Ledger } from "./ledger.js";
import type { AccountRow } from "./store.js";

/** An account day by day, from its events and the closes of what it held: nothing of it is kept, all can be made anew. */
export interface AccountDays {
  readonly calendar: Calendar;
  readonly days: EquityDays;
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
  readonly ledger: Ledger;
  readonly adjusted: Pick<AdjustedCandles, "loadRange">;
  readonly instruments: Pick<Instruments, "resolve">;
}

const DAY_MS = 86_400_000;
const MOST_DAYS = 10_000;
const MOST_BARS = 50_000;

export function createDays({ ledger, adjusted, instruments }: DaysOptions): Days {
  /** By account, its last event and the day up to which. */
  const known = new LRUCache<string, Promise<AccountDays>>({ max: 500 });

  async function closesOf(symbol: string, fromMs: number, endMs: number): Promise<DailyCloses | null> {
    const instrument = await instruments.resolve(symbol);
    const calendar = calendarOf(instrument.calendar);
    const stretch = { from: fromMs - 7 * DAY_MS, to: endMs };
    for (const view of ["raw", "given"] as const) {
      try {
        const { candles } = await adjusted.loadRange(instrument, "1d", stretch, MOST_DAYS, { view });
        const day = Float64Array.from(candles.time, (time) => tradingDay(calendar, time));
        return { day, close: candles.close };
      } catch (error) {
        if (!(error instanceof AppError) || error.code === "database_unavailable") throw error;
        if (error.code !== "adjustment_unavailable") return null;
      }
    }
    return null;
  }

  async function calendarFor(symbols: readonly string[], currency: string): Promise<Calendar> {
    const traded = await Promise.all(symbols.map((symbol) => instruments.resolve(symbol)));
    const ids = new Set(traded.map(({ calendar }) => calendar));
    const [only] = ids;
    return calendarOf(ids.size === 1 && only !== undefined ? only : currency === "INR" ? "XNSE" : "XNYS");
  }

  async function compute(row: AccountRow, events: readonly DeskEvent[], endMs: number): Promise<AccountDays> {
    const symbols = [...new Set(events.flatMap(({ symbol }) => (symbol === null ? [] : [symbol])))];
    const calendar = await calendarFor(symbols, row.rules.account.currency);
    const from = events[0]?.at ?? endMs;
    const found = await Promise.all(
      symbols.map(async (symbol) => [symbol, await closesOf(symbol, from, endMs)] as const),
    );
    const closes = new Map(
      found.flatMap(([symbol, each]) => (each === null ? [] : [[symbol, each] as const])),
    );
    const days = dailyEquity(events, calendar, closes, tradingDay(calendar, endMs) - 1);
    return { calendar, days, unpriced: symbols.filter((symbol) => !closes.has(symbol)) };
  }

  return {
    async at(row, instants, interval) {
      const events = await ledger.look(row.id, (_desk, { history }) => [...history.events]);
      const symbols = [...new Set(events.flatMap(({ symbol }) => (symbol === null ? [] : [symbol])))];
      const [from, to] = [instants[0] ?? 0, (instants.at(-1) ?? 0) + 1];
      const found = await Promise.all(
        symbols.map(
          async (symbol) =>
            [symbol, await barsOf({ ledger, adjusted, instruments }, symbol, interval, from, to)] as const,
        ),
      );
      const closes = new Map(
        found.flatMap(([symbol, each]) => (each === null ? [] : [[symbol, each] as const])),
      );
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
      const found = known.get(key);
      if (found !== undefined) return found;
      const computed = compute(row, events, endMs);
      known.set(key, computed);
      computed.catch(() => known.delete(key));
      return computed;
    },
  };
}

/** Null where no source has such bars. */
async function barsOf(
  { adjusted, instruments }: DaysOptions,
  symbol: string,
  interval: Interval,
  from: number,
  to: number,
): Promise<BarCloses | null> {
  const instrument = await instruments.resolve(symbol);
  const calendar = calendarOf(instrument.calendar);
  try {
    const stretch = { from: from - 7 * DAY_MS, to };
    const { candles } = await adjusted.loadRange(instrument, interval, stretch, MOST_BARS, {
      view: "given",
    });
    const until = Float64Array.from(candles.time, (time) => barClose(calendar, interval, time));
    return { until, close: candles.close };
  } catch (error) {
    if (!(error instanceof AppError) || error.code === "database_unavailable") throw error;
    return null;
  }
}
