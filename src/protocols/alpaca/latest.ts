import { startOfDay } from "../../core/market/adjust.js";
import type { Bars } from "../../core/market/candles.js";
import { calendarOf, sessionAt, tradingDay } from "../../core/market/session.js";
import type { CandleService } from "../../features/candles/candles.js";
import type { Live } from "../../features/candles/live.js";
import type { PricedQuote, Quotes } from "../../features/candles/quotes.js";
import type { KnownInstrument } from "../../features/instruments/store.js";
import { AppError } from "../../platform/errors.js";
import type { Gateway } from "../../providers/gateway.js";
import type { FramedBar } from "./timeframe.js";

/** A price at which was traded; null for a size that no source told. */
export interface LatestTrade {
  readonly time: number;
  readonly price: number;
  readonly size: number | null;
}

export interface LatestQuote {
  readonly time: number;
  readonly bid: number;
  readonly ask: number;
}

/** What is known of an instrument now; null for what nobody tells. */
export interface Snapshot {
  readonly trade: LatestTrade | null;
  readonly quote: LatestQuote | null;
  readonly minute: FramedBar | null;
  /** Of the session of the newest price, as far as it has come. */
  readonly day: FramedBar | null;
  readonly previousDay: FramedBar | null;
}

export interface Latest {
  /** The newest closed bar of a minute. */
  minute(instrument: KnownInstrument): Promise<FramedBar | null>;
  trade(instrument: KnownInstrument): Promise<LatestTrade | null>;
  quote(instrument: KnownInstrument): Promise<LatestQuote | null>;
  snapshot(instrument: KnownInstrument): Promise<Snapshot>;
}

export interface LatestOptions {
  readonly candles: Pick<CandleService, "loadLatest" | "loadRange">;
  readonly gateway: Pick<Gateway, "intervals">;
  readonly quotes: Pick<Quotes, "load">;
  readonly live: Pick<Live, "lastTrade">;
}

const ABSENT: ReadonlySet<string> = new Set(["no_data", "interval_unavailable", "symbol_unknown"]);

/** The outcome of work; null where it says that there is nothing. */
async function orNothing<T>(work: Promise<T>): Promise<T | null> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof AppError && ABSENT.has(error.code)) return null;
    throw error;
  }
}

export function createLatest({ candles, gateway, quotes, live }: LatestOptions): Latest {
  async function minute(instrument: KnownInstrument): Promise<FramedBar | null> {
    if (!gateway.intervals(instrument).includes("1m")) return null;
    const found = await orNothing(candles.loadLatest(instrument, "1m", 1));
    return found === null ? null : barFrom(found.candles, found.candles.time.length - 1);
  }

  /** Closed days before an instant, the newest of them. */
  async function daysBefore(instrument: KnownInstrument, time: number, count: number) {
    if (!gateway.intervals(instrument).includes("1d")) return [];
    const found = await orNothing(candles.loadRange(instrument, "1d", 0, time, count));
    if (found === null) return [];
    const bars = Array.from(found.candles.time, (_, i) => dated(instrument, barFrom(found.candles, i)));
    return bars.filter((bar) => bar !== null);
  }

  /** The day under way or over last, and the one before. */
  async function days(instrument: KnownInstrument, priced: PricedQuote | null) {
    const running = priced === null ? null : runningDay(instrument, priced);
    const before = await daysBefore(instrument, running?.time ?? Number.MAX_SAFE_INTEGER, 2);
    return running === null
      ? { day: before.at(-1) ?? null, previousDay: before.at(-2) ?? null }
      : { day: running, previousDay: before.at(-1) ?? null };
  }

  return {
    minute,
    async trade(instrument) {
      const heard = live.lastTrade(instrument.symbol);
      if (heard !== null) return heard;
      return tradeOf(await orNothing(quotes.load(instrument)));
    },
    quote: async (instrument) => quoteOf(await orNothing(quotes.load(instrument))),
    async snapshot(instrument) {
      const priced = await orNothing(quotes.load(instrument));
      return {
        trade: live.lastTrade(instrument.symbol) ?? tradeOf(priced),
        quote: quoteOf(priced),
        minute: await minute(instrument),
        ...(await days(instrument, priced)),
      };
    },
  };
}

/** The close of a candle is no trade, though it was one. */
function tradeOf(priced: PricedQuote | null): LatestTrade | null {
  return priced === null || priced.fromCandles
    ? null
    : { time: priced.time, price: priced.price, size: null };
}

function quoteOf(priced: PricedQuote | null): LatestQuote | null {
  if (priced === null || priced.bid === null || priced.ask === null) return null;
  return { time: priced.time, bid: priced.bid, ask: priced.ask };
}

/** The day of a price as its source sums it up; null where the source leaves a part out. */
function runningDay(instrument: KnownInstrument, priced: PricedQuote): FramedBar | null {
  const { time, open, high, low, price, volume } = priced;
  if (open === null || high === null || low === null || volume === null) return null;
  // The close of a session's last candle lies at its end, which is no part of the session.
  const within = sessionAt(calendarOf(instrument.calendar), time - 1)?.open ?? time;
  return dated(instrument, { time: within, open, high, low, close: price, volume });
}

/** A bar of a day as the dialect dates it: at midnight of its exchange. */
function dated({ calendar: id }: KnownInstrument, bar: FramedBar | null): FramedBar | null {
  if (bar === null) return null;
  const calendar = calendarOf(id);
  return { ...bar, time: startOfDay(calendar, tradingDay(calendar, bar.time)) };
}

function barFrom(bars: Bars, i: number): FramedBar | null {
  if (i < 0) return null;
  const { time, open, high, low, close, volume } = bars;
  return { time: time[i], open: open[i], high: high[i], low: low[i], close: close[i], volume: volume[i] };
}
