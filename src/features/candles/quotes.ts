import { z } from "zod";
import { barClose } from "../../core/market/bar-times.js";
import type { Bars } from "../../core/market/candles.js";
import { type Interval, isIntraday } from "../../core/market/interval.js";
import type { Quote } from "../../core/market/quote.js";
import { calendarOf, previousSession, sessionAt } from "../../core/market/session.js";
import type { Cache } from "../../platform/cache.js";
import { createCachedReads, type ReadKind } from "../../platform/cached-reads.js";
import { AppError } from "../../platform/errors.js";
import type { Gateway } from "../../providers/gateway.js";
import { FRESH_MS } from "../../providers/reads.js";
import type { Trade } from "../../providers/stream-client.js";
import type { KnownInstrument } from "../instruments/store.js";
import type { CandleService } from "./candles.js";
import { freshnessOf } from "./freshness.js";
import type { Live } from "./live.js";
import type { PriceWatch } from "./price-watch.js";

/** A quote and what is known of it. */
export interface PricedQuote extends Quote {
  /** Difference from the previous close, and as a percentage of it; null without one. */
  readonly change: number | null;
  readonly changePercent: number | null;
  readonly source: string;
  readonly synthetic: boolean;
  /** True when it is the close of the newest candle, for sources that have no quotes. */
  readonly fromCandles: boolean;
  /** True when the market has traded on for five minutes since, or the sources were asked again in vain. */
  readonly stale: boolean;
  readonly ageMs: number;
  /** Why an earlier quote or another source stands in; null otherwise. */
  readonly trouble: string | null;
}

export interface Quotes {
  /** At most 30 s old, or marked as stale while no source answers. @throws {AppError} `symbol_unknown`, `no_data` or `provider_unavailable`. */
  load(instrument: KnownInstrument): Promise<PricedQuote>;
  /** Quotes of many in their order; those that could not be had come with why. */
  loadMany(instruments: readonly KnownInstrument[]): Promise<{ quotes: PricedQuote[]; missing: Missing[] }>;
}

export interface Missing {
  readonly symbol: string;
  readonly reason: string;
}

const AT_A_TIME = 8;

const nullable = z.number().nullable();
const cachedSchema = z.object({
  symbol: z.string(),
  price: z.number(),
  time: z.number(),
  open: nullable,
  high: nullable,
  low: nullable,
  previousClose: nullable,
  volume: nullable,
  bid: nullable,
  ask: nullable,
  source: z.string(),
  synthetic: z.boolean(),
  fromCandles: z.boolean(),
  trouble: z.string().nullable(),
});
type CachedQuote = z.output<typeof cachedSchema>;
const QUOTE_KIND: ReadKind<CachedQuote> = {
  prefix: "quote3",
  schema: cachedSchema,
  freshMs: FRESH_MS.quote,
};

export interface QuoteOptions {
  readonly live: Pick<Live, "lastTrade">;
  readonly watch: Pick<PriceWatch, "judge">;
  readonly gateway: Gateway;
  readonly candles: CandleService;
  readonly cache: Cache;
  readonly now: () => number;
}

export function createQuotes({ gateway, candles, cache, live, watch, now }: QuoteOptions): Quotes {
  const reads = createCachedReads({ cache, now });

  async function fetchQuote(instrument: KnownInstrument): Promise<CachedQuote> {
    const unfit: string[] = [];
    const fetched = await gateway.fetchQuote(instrument, async (quote, source) => {
      const judgement = await watch.judge(instrument, quote, { source, fromCandles: false });
      if (judgement.use !== "given") unfit.push(`${source}: ${judgement.reason}`);
      return judgement;
    });
    if (fetched === null) return fromCandles(instrument, unfit.length === 0 ? null : unfit.join("; "));
    const { quote, source, synthetic, trouble } = fetched;
    return { ...quote, source, synthetic, trouble, fromCandles: false };
  }

  /** @throws {AppError} also for a close that is held back. */
  async function fromCandles(instrument: KnownInstrument, trouble: string | null): Promise<CachedQuote> {
    const quote = await quoteFromCandles(instrument, gateway, candles);
    const { use, reason } = await watch.judge(instrument, quote, { source: quote.source, fromCandles: true });
    if (use === "given") return { ...quote, trouble: trouble ?? quote.trouble };
    const detail = `No source gave a price of ${instrument.symbol} (${[trouble, `${quote.source}: ${reason}`].filter((each) => each !== null).join("; ")})`;
    throw new AppError("provider_unavailable", detail, { retryAfterS: 30 });
  }

  async function load(instrument: KnownInstrument): Promise<PricedQuote> {
    const read = await reads.read(QUOTE_KIND, String(instrument.id), () => fetchQuote(instrument));
    const quote = withTrade(read.value, live.lastTrade(instrument.symbol));
    const { price, previousClose, time } = quote;
    const change = previousClose === null ? null : price - previousClose;
    const { stale, ageMs } = freshnessOf(instrument.calendar, time, now());
    return {
      change,
      changePercent: change === null || previousClose === null ? null : (100 * change) / previousClose,
      stale: read.stale || stale,
      ageMs,
      ...quote,
      trouble: read.trouble ?? quote.trouble,
    };
  }

  return {
    load,
    loadMany: (instruments) => loadAll(instruments, ({ symbol }) => symbol, load),
  };
}

/** Quotes in the order given, a few asked for at a time; those that could not be had come with why. */
export async function loadAll<T>(
  wanted: readonly T[],
  symbolOf: (one: T) => string,
  load: (one: T) => Promise<PricedQuote>,
): Promise<{ quotes: PricedQuote[]; missing: Missing[] }> {
  const found: (PricedQuote | Missing)[] = [];
  let next = 0;
  async function work(): Promise<void> {
    for (let i = next++; i < wanted.length; i = next++) {
      try {
        found[i] = await load(wanted[i]);
      } catch (error) {
        if (!(error instanceof AppError) || error.code === "database_unavailable") throw error;
        found[i] = { symbol: symbolOf(wanted[i]), reason: error.message };
      }
    }
  }
  await Promise.all(Array.from({ length: Math.min(AT_A_TIME, wanted.length) }, work));
  const isMissing = (one: PricedQuote | Missing): one is Missing => "reason" in one;
  return {
    quotes: found.filter((one): one is PricedQuote => !isMissing(one)),
    missing: found.filter(isMissing),
  };
}

/** The last trade that a stream told, where it is newer than the quote. */
function withTrade(quote: CachedQuote, trade: Trade | null): CachedQuote {
  if (trade === null || trade.time <= quote.time) return quote;
  const { price, time, source } = trade;
  const high = quote.high === null ? null : Math.max(quote.high, price);
  const low = quote.low === null ? null : Math.min(quote.low, price);
  return { ...quote, price, time, high, low, source, bid: null, ask: null, fromCandles: false };
}

/** The interval whose bars have come furthest, the finest of several. */
async function freshestInterval(instrument: KnownInstrument, gateway: Gateway): Promise<Interval> {
  let best: { interval: Interval; asOfMs: number } | null = null;
  for (const interval of gateway.intervals(instrument)) {
    const asOfMs = await gateway.feedNowMs(instrument, interval);
    if (best === null || asOfMs > best.asOfMs) best = { interval, asOfMs };
  }
  if (best !== null) return best.interval;
  throw new AppError("symbol_unknown", `No configured source knows ${instrument.symbol}`);
}

/** The newest two bars of that interval. */
async function freshestBars(instrument: KnownInstrument, gateway: Gateway, candles: CandleService) {
  const interval = await freshestInterval(instrument, gateway);
  const latest = await candles.loadLatest(instrument, interval, 2);
  if (latest.candles.time.length > 0) return { interval, latest };
  // The only source of it may have said just now that it does not know the symbol.
  const next = await freshestInterval(instrument, gateway);
  if (next === interval) return { interval, latest };
  return { interval: next, latest: await candles.loadLatest(instrument, next, 2) };
}

/**
 * The close of the newest candle of the interval that has come furthest, with the session it lies in. Bars that leave a
 * part of the session out tell nothing of it but their own closes.
 */
async function quoteFromCandles(
  instrument: KnownInstrument,
  gateway: Gateway,
  candles: CandleService,
): Promise<CachedQuote> {
  const calendar = calendarOf(instrument.calendar);
  const { interval, latest } = await freshestBars(instrument, gateway, candles);
  const last = latest.candles.time.length - 1;
  if (last < 0 || latest.source === null)
    throw new AppError("no_data", `There is no price of ${instrument.symbol}`);
  const time = latest.candles.time[last];
  let session: ReturnType<typeof summary> | typeof NO_SESSION = summary(latest.candles, last);
  let previousClose = last > 0 ? latest.candles.close[last - 1] : null;
  if (isIntraday(interval)) {
    const open = sessionAt(calendar, time)?.open ?? time;
    const today = await candles.loadRange(instrument, interval, open, time + 1);
    session = gateway.note(instrument, interval) === null ? summary(today.candles, 0) : NO_SESSION;
    previousClose = await closeBefore(instrument, interval, gateway, candles, open);
  }
  return {
    symbol: instrument.symbol,
    price: latest.candles.close[last],
    time: barClose(calendar, interval, time),
    ...session,
    previousClose,
    bid: null,
    ask: null,
    source: latest.source,
    synthetic: latest.synthetic,
    trouble: latest.trouble,
    fromCandles: true,
  };
}

/** The close of the session before, by its day or else by bars of the interval that tells the price. */
async function closeBefore(
  instrument: KnownInstrument,
  interval: Interval,
  gateway: Gateway,
  candles: CandleService,
  sessionOpen: number,
): Promise<number | null> {
  const calendar = calendarOf(instrument.calendar);
  const day = previousSession(calendar, sessionOpen)?.open;
  if (day !== undefined && gateway.intervals(instrument).includes("1d")) {
    const { close } = (await candles.loadRange(instrument, "1d", day, day + 1)).candles;
    if (close.length > 0) return close[0];
  }
  const { candles: bars } = await candles.loadRange(instrument, interval, 0, sessionOpen, 1);
  return bars.close.at(-1) ?? null;
}

const NO_SESSION = { open: null, high: null, low: null, volume: null };

/** Open, high, low and volume of bars [from, end). */
function summary(bars: Bars, from: number) {
  const high = bars.high.subarray(from);
  return {
    open: bars.open[from] ?? null,
    high: high.length === 0 ? null : high.reduce((a, b) => Math.max(a, b)),
    low: high.length === 0 ? null : bars.low.subarray(from).reduce((a, b) => Math.min(a, b)),
    volume: bars.volume.subarray(from).reduce((a, b) => a + b, 0),
  };
}
