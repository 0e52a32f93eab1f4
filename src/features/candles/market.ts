import { ensure } from "../../core/base/assert.js";
import { computeIndicator, resolveParameters } from "../../core/indicators/define.js";
import { findIndicator } from "../../core/indicators/index.js";
import { openBefore } from "../../core/market/bar-times.js";
import type { Interval } from "../../core/market/interval.js";
import { calendarOf, isOpen, nextSession, sessionAt } from "../../core/market/session.js";
import { AppError } from "../../platform/errors.js";
import type { Gateway } from "../../providers/gateway.js";
import type { Instruments } from "../instruments/instruments.js";
import type { KnownInstrument } from "../instruments/store.js";
import type { AdjustedCandles, Wanted } from "./adjusted.js";
import type { CandleService, CandleSet } from "./candles.js";
import { loadAll, type Missing, type PricedQuote, type Quotes } from "./quotes.js";
import type { Period } from "./schema.js";

export interface SessionState {
  readonly open: boolean;
  /** When it opens or closes next, epoch ms. */
  readonly nextChange: number | null;
}

export interface DailyIndicators {
  readonly rsi14: number | null;
  readonly sma20: number | null;
  readonly sma50: number | null;
  readonly atr14: number | null;
}

/** Questions about the market that put candles, quotes and calendars together. */
export interface Market {
  /** The newest `limit` bars of a stretch that is given or follows from a period. @throws {AppError} `no_data` */
  loadBars(
    symbol: string,
    interval: Interval,
    stretch: Stretch,
    limit: number,
    wanted?: Wanted,
  ): Promise<CandleSet>;
  /** The stretch of the last trading days that the data of a symbol have reached, or had at a moment. */
  lastSessions(symbol: string, interval: Interval, days: number, knownAtMs?: number): Promise<Stretch>;
  loadQuote(symbol: string): Promise<PricedQuote>;
  /** Quotes in the order of the symbols; those that could not be had come with why. */
  loadQuotes(symbols: readonly string[]): Promise<{ quotes: PricedQuote[]; missing: Missing[] }>;
  /**
   * Quotes of the symbols that are scanned, the liveliest or most traded first, and those that have none.
   * @throws {AppError} `provider_unavailable` when none of them has one.
   */
  rank(by: "trending" | "volume", limit: number): Promise<{ quotes: PricedQuote[]; missing: Missing[] }>;
  loadDailyIndicators(symbol: string): Promise<DailyIndicators>;
  sessionOf(symbol: string): SessionState & { calendar: string };
}

export type Stretch =
  | { readonly period: Period }
  | { readonly from: number; readonly to: number | undefined };

const DAY_MS = 86_400_000;
const PERIOD_DAYS: Readonly<Record<Exclude<Period, "1d" | "5d" | "max">, number>> = {
  "1mo": 31,
  "3mo": 92,
  "6mo": 183,
  "1y": 366,
  "2y": 731,
  "5y": 1_827,
};
const DAILY_BARS = 250;

export function createMarket(options: {
  gateway: Gateway;
  instruments: Instruments;
  candles: CandleService;
  adjusted: AdjustedCandles;
  quotes: Quotes;
  /** Symbols that are scanned now. */
  universe: () => readonly string[];
  now: () => number;
}): Market {
  const { gateway, instruments, candles, adjusted, quotes, universe, now } = options;
  const loadQuote = async (symbol: string) => quotes.load(await instruments.resolve(symbol));

  /** How far the bars of an interval have come, or had at a moment; now for one that there is not, which candles refuse. */
  async function reachedBy(
    instrument: KnownInstrument,
    interval: Interval,
    knownAtMs = Number.POSITIVE_INFINITY,
  ): Promise<number> {
    const available = gateway.intervals(instrument).includes(interval);
    return Math.min(knownAtMs, available ? await gateway.feedNowMs(instrument, interval) : now());
  }

  return {
    async loadBars(symbol, interval, stretch, limit, wanted = { view: "given" }) {
      const { knownAtMs } = wanted;
      const instrument = await instruments.resolve(symbol);
      let before = Number.NaN;
      let reached = await reachedBy(instrument, interval, knownAtMs);
      // What a source has reached may turn out to be less: when it says that it does not know the symbol.
      while (reached !== before) {
        const end = "period" in stretch ? reached : Math.min(stretch.to ?? reached, reached);
        const start = "period" in stretch ? periodStart(instrument, stretch.period, end) : stretch.from;
        if (start >= end)
          throw new AppError("no_data", `${instrument.symbol} has no candles in this stretch`);
        const set = await adjusted.loadRange(instrument, interval, { from: start, to: end }, limit, wanted);
        if (set.candles.time.length > 0) return set;
        before = reached;
        reached = await reachedBy(instrument, interval, knownAtMs);
        if (reached > before) break;
      }
      throw new AppError("no_data", `${instrument.symbol} has no ${interval} candles in this stretch`);
    },

    async lastSessions(symbol, interval, days, knownAtMs) {
      const instrument = await instruments.resolve(symbol);
      const reached = await reachedBy(instrument, interval, knownAtMs);
      return { from: openBefore(calendarOf(instrument.calendar), "1d", reached, days), to: undefined };
    },

    loadQuote,
    loadQuotes: (symbols) => loadAll(symbols, (symbol) => symbol, loadQuote),

    async rank(by, limit) {
      const { known, unknown, unasked } = await resolveAll(instruments, universe());
      const { quotes: found, missing: failed } = await quotes.loadMany(known);
      const unpriced = [...unasked, ...failed];
      const missing = [...unknown, ...unpriced];
      if (found.length === 0 && unpriced.length > 0) {
        const [{ symbol, reason }] = unpriced;
        throw new AppError("provider_unavailable", `No symbol has a price; ${symbol}: ${reason}`, {
          retryAfterS: 30,
        });
      }
      const size = (quote: PricedQuote) =>
        by === "volume" ? (quote.volume ?? -1) : Math.abs(quote.changePercent ?? -1);
      const order = (a: PricedQuote, b: PricedQuote) => size(b) - size(a) || (a.symbol < b.symbol ? -1 : 1);
      return { quotes: found.sort(order).slice(0, limit), missing };
    },

    async loadDailyIndicators(symbol) {
      const instrument = await instruments.resolve(symbol);
      if (!gateway.intervals(instrument).includes("1d"))
        return { rsi14: null, sma20: null, sma50: null, atr14: null };
      const { candles: bars } = await candles.loadLatest(instrument, "1d", DAILY_BARS);
      const last = (name: string, period: number): number | null => {
        const indicator = ensure(findIndicator(name), name);
        const { values } = resolveParameters(indicator, { period });
        const value = computeIndicator(indicator, bars, ensure(values, name))[0].at(-1);
        return value === undefined || Number.isNaN(value) ? null : value;
      };
      return {
        rsi14: last("rsi", 14),
        sma20: last("sma", 20),
        sma50: last("sma", 50),
        atr14: last("atr", 14),
      };
    },

    sessionOf(symbol) {
      const { calendar: id } = instruments.identify(symbol);
      const calendar = calendarOf(id);
      const open = isOpen(calendar, now());
      const change = open ? sessionAt(calendar, now())?.close : nextSession(calendar, now())?.open;
      return { calendar: id, open, nextChange: change ?? null };
    },
  };
}

/** Symbols that are scanned may have become unknown since: another source knows others. */
async function resolveAll(instruments: Instruments, symbols: readonly string[]) {
  const known: KnownInstrument[] = [];
  const unknown: Missing[] = [];
  const unasked: Missing[] = [];
  for (const symbol of symbols) {
    try {
      known.push(await instruments.resolve(symbol));
    } catch (error) {
      if (!(error instanceof AppError) || error.code === "database_unavailable") throw error;
      const missing = error.code === "provider_unavailable" ? unasked : unknown;
      missing.push({ symbol, reason: error.message });
    }
  }
  return { known, unknown, unasked };
}

/** Start of a period that ends at a moment; days are trading days. */
function periodStart(instrument: KnownInstrument, period: Period, endMs: number): number {
  const calendar = calendarOf(instrument.calendar);
  if (period === "max") return 0;
  if (period === "1d" || period === "5d") return openBefore(calendar, "1d", endMs, period === "1d" ? 1 : 5);
  return endMs - PERIOD_DAYS[period] * DAY_MS;
}
