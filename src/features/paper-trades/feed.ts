import type { LastBar } from "../../core/execution/walk.js";
import type { CorporateAction } from "../../core/market/actions.js";
import type { Candles } from "../../core/market/candles.js";
import { DAY_MS } from "../../core/market/day.js";
import { INTERVAL_MS, INTERVALS, type Interval, isIntraday } from "../../core/market/interval.js";
import {
  type Calendar,
  calendarOf,
  isOpen,
  lastOpened,
  nextSession,
  sessionAt,
} from "../../core/market/session.js";
import { AppError } from "../../platform/errors.js";
import type { Gateway } from "../../providers/gateway.js";
import type { Actions } from "../candles/actions.js";
import type { AdjustedCandles } from "../candles/adjusted.js";
import type { PricedQuote, Quotes } from "../candles/quotes.js";
import type { KnownInstrument } from "../instruments/store.js";
import { loadAsTraded } from "./as-traded.js";
import { createLastBars, RANGE_BARS } from "./last-bars.js";
import { FRESH_MS } from "./marks.js";
import { inSharesOf } from "./quote-shares.js";

/** The price of a symbol as orders see it now. */
export interface MarketNow {
  readonly instrument: KnownInstrument;
  /** Epoch ms of the market: where a replay has come, else now. */
  readonly atMs: number;
  /** Within a regular session. */
  readonly open: boolean;
  /** In shares of that instant; null where no source has a price. */
  readonly quote: PricedQuote | null;
  /** Whether orders may trade at it: a quote of the last half minute, not the close of a bar. */
  readonly tradable: boolean;
  /** Why they may not; null where they may. */
  readonly reason: string | null;
  /** The last bar that had closed, where it was asked for and orders may trade at the quote; null where none is known. */
  readonly last: LastBar | null;
}

/** Closed bars as they traded, the oldest first. */
export interface Stretch {
  readonly interval: Interval;
  readonly bars: Candles;
  /** Up to where there are no more. */
  readonly toMs: number;
}

/** Where paper orders see the market. */
export interface Feed {
  /** Epoch ms of the market of an instrument: where a replay has come, else now. */
  clock(instrument: KnownInstrument): Promise<number>;
  /** @param withLast whether the last bar is wanted, too. */
  now(instrument: KnownInstrument, withLast?: boolean): Promise<MarketNow>;
  /**
   * Bars that open at or after an instant, up to at most now: as many as fit one look, and those before them that tell
   * how far prices range. Of long ago they are days, but for the rest of a session that was under way then.
   */
  bars(instrument: KnownInstrument, fromMs: number, nowMs: number): Promise<Stretch>;
  /** The last close before an instant, of the days before, as it traded; null where no source tells one. */
  closeBefore(instrument: KnownInstrument, atMs: number): Promise<number | null>;
  /** Splits and dividends as far as they are known. */
  actions(instrument: KnownInstrument): Promise<readonly CorporateAction[]>;
}

export interface FeedOptions {
  readonly gateway: Pick<Gateway, "replay" | "feedNowMs" | "intervals">;
  readonly quotes: Pick<Quotes, "load">;
  readonly adjusted: Pick<AdjustedCandles, "loadRange">;
  readonly actions: Pick<Actions, "load">;
  readonly now: () => number;
}

/** What was missed longer ago than this is walked by days, of which all sources have more than of minutes. */
const FINE_DAYS = 5;
/** Days of a stretch of minutes, and of days. */
const MINUTE_STRETCH = 2;
const DAY_STRETCH = 400;
const MOST_BARS = 20_000;
/** A last close is looked for so many days back. */
const CLOSE_DAYS = 14;
export function createFeed({ gateway, quotes, adjusted, actions, now }: FeedOptions): Feed {
  function finest(instrument: KnownInstrument): Interval {
    const known = gateway.intervals(instrument);
    const found = INTERVALS.find((interval) => known.includes(interval));
    if (found === undefined) {
      throw new AppError("symbol_unknown", `No configured source knows ${instrument.symbol}`);
    }
    return found;
  }

  async function atMs(instrument: KnownInstrument): Promise<number> {
    return gateway.replay === null ? now() : gateway.feedNowMs(instrument, finest(instrument));
  }

  async function quoteOf(instrument: KnownInstrument): Promise<PricedQuote | null> {
    try {
      return await quotes.load(instrument);
    } catch (error) {
      if (error instanceof AppError && (error.code === "no_data" || error.code === "provider_unavailable")) {
        return null;
      }
      throw error;
    }
  }

  const told: Pick<Feed, "closeBefore" | "actions"> = {
    async closeBefore(instrument, atMs) {
      for (const interval of new Set(["1d", finest(instrument)] as const)) {
        if (!gateway.intervals(instrument).includes(interval)) continue;
        const stretch = { from: atMs - CLOSE_DAYS * DAY_MS, to: atMs };
        const { candles } = await loadAsTraded(adjusted, instrument, interval, stretch, 1);
        const close = candles.close.at(-1);
        if (close !== undefined) return close;
      }
      return null;
    },
    async actions(instrument) {
      return (await actions.load(instrument)).actions;
    },
  };

  const lastBar = createLastBars({
    now,
    async load(instrument, atMs) {
      const interval = finest(instrument);
      const days = isIntraday(interval) ? FINE_DAYS : 3 * RANGE_BARS;
      const stretch = { from: atMs - days * DAY_MS, to: atMs };
      const found = await loadAsTraded(adjusted, instrument, interval, stretch, RANGE_BARS + 1).catch(orNone);
      return found?.candles ?? null;
    },
  });

  return {
    ...told,
    clock: atMs,
    async now(instrument, withLast = false) {
      // The clock after the quote: of a split between the two, the shares are known.
      const found = await quoteOf(instrument);
      const at = await atMs(instrument);
      const quote = found === null ? null : await inSharesOf(told, instrument, found, at);
      const open = isOpen(calendarOf(instrument.calendar), at);
      const reason = reasonOf(open, quote, at);
      const tradable = reason === null;
      const last = withLast && tradable ? await lastBar(instrument, at) : null;
      return { instrument, atMs: at, open, quote, tradable, reason, last };
    },
    bars: createStretches({ gateway, adjusted }, finest),
  };
}

/** Which bars are walked next, of minutes or days. */
function createStretches(
  { gateway, adjusted }: Pick<FeedOptions, "gateway" | "adjusted">,
  finest: (instrument: KnownInstrument) => Interval,
): Feed["bars"] {
  /** @throws {AppError} where there are no bars since sources cannot be asked. */
  async function stretchOf(
    instrument: KnownInstrument,
    interval: Interval,
    fromMs: number,
    toMs: number,
  ): Promise<Stretch> {
    const stretch = { from: rangeFrom(calendarOf(instrument.calendar), interval, fromMs), to: toMs };
    const { candles, trouble } = await loadAsTraded(adjusted, instrument, interval, stretch, MOST_BARS);
    const found = { interval, bars: candles, toMs };
    if (trouble !== null && isEmpty(found, fromMs)) throw new AppError("provider_unavailable", trouble);
    return found;
  }

  /** The finest bars that there still are of the rest of a session: its day says nothing of when within it. */
  async function restOfSession(
    instrument: KnownInstrument,
    known: readonly Interval[],
    fromMs: number,
    closeMs: number,
  ): Promise<Stretch> {
    // Sources that tell of days can be asked: what they have no minutes of is not to be waited for.
    const none = await stretchOf(instrument, "1d", fromMs - DAY_MS, closeMs);
    for (const interval of INTERVALS) {
      if (!isIntraday(interval) || !known.includes(interval)) continue;
      const found = await stretchOf(instrument, interval, fromMs, closeMs).catch(orNone);
      if (found !== null && !isEmpty(found, fromMs)) return found;
    }
    return none;
  }

  return async (instrument, fromMs, nowMs) => {
    const known = gateway.intervals(instrument);
    const calendar = calendarOf(instrument.calendar);
    const begin = tradingFrom(calendar, fromMs);
    if (nowMs - fromMs <= FINE_DAYS * DAY_MS || !known.includes("1d")) {
      const toMs = Math.min(begin + MINUTE_STRETCH * DAY_MS, nowMs);
      return stretchOf(instrument, finest(instrument), fromMs, toMs);
    }
    const close = closeUnderWay(calendar, fromMs);
    if (close !== null) return restOfSession(instrument, known, fromMs, close);
    // Days up to where minutes begin, and whole ones.
    const end = Math.floor(nowMs / DAY_MS - FINE_DAYS + 1) * DAY_MS;
    return stretchOf(instrument, "1d", fromMs, Math.min(begin + DAY_STRETCH * DAY_MS, end));
  };
}

/** The first instant of regular hours: days of a stretch count from there, or one from a weekend on has no bars. */
function tradingFrom(calendar: Calendar, fromMs: number): number {
  return isOpen(calendar, fromMs) ? fromMs : (nextSession(calendar, fromMs)?.open ?? fromMs);
}

/** Whether there are no bars that open at or after an instant. */
function isEmpty({ bars: { time } }: Stretch, fromMs: number): boolean {
  return time.length === 0 || time[time.length - 1] < fromMs;
}

/** @throws what is no refusal of a source. */
export function orNone(error: unknown): null {
  if (error instanceof AppError && error.code !== "database_unavailable") return null;
  throw error;
}

/** The close of the session that is under way, and has not just opened; null for none. */
function closeUnderWay(calendar: Calendar, atMs: number): number | null {
  const session = sessionAt(calendar, atMs);
  return session !== null && session.open < atMs ? session.close : null;
}

/** From where on bars are wanted for the range before an instant: of the session, or of the end of the one before. */
function rangeFrom(calendar: Calendar, interval: Interval, fromMs: number): number {
  const lead = RANGE_BARS * (interval === "1d" ? 2 * DAY_MS : INTERVAL_MS[interval]);
  const wanted = fromMs - lead;
  const index = lastOpened(calendar, wanted);
  return index >= 0 && wanted > calendar.close[index] ? calendar.close[index] - lead : wanted;
}

function reasonOf(open: boolean, quote: PricedQuote | null, at: number): string | null {
  if (!open) return "its market is closed";
  if (quote === null) return "no source has a price";
  if (quote.fromCandles) return "its sources have closed bars and no quotes: orders meet the next bar";
  const age = at - quote.time;
  return age > FRESH_MS ? `the newest price is ${Math.round(age / 1_000)} s old` : null;
}
