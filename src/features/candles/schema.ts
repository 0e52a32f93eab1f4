import { z } from "zod";
import { INTERVALS, type Interval, parseInterval } from "../../core/market/interval.js";
import { instantText, wholeNumberText } from "../../platform/http.js";

export const symbolText = z.string().min(1).max(40).describe("Any spelling: AAPL, BTC, BTC/USD, EURUSD");
export const symbolParams = z.strictObject({ symbol: symbolText });

export const intervalText = z
  .string()
  .transform((text, context): Interval => {
    const interval = parseInterval(text);
    if (interval !== null) return interval;
    context.addIssue(`must be one of ${INTERVALS.join(", ")}`);
    return z.NEVER;
  })
  .meta({ enum: [...INTERVALS], description: "Spellings such as 60m and 1wk are understood too" });

export const PERIODS = ["1d", "5d", "1mo", "3mo", "6mo", "1y", "2y", "5y", "max"] as const;
export type Period = (typeof PERIODS)[number];

/** Bars of one answer at most. */
export const BARS_LIMIT = 5_000;
const barsText = wholeNumberText(1, BARS_LIMIT);

export const candlesQuery = z.strictObject({
  symbol: symbolText,
  period: z.enum(PERIODS).default("1d"),
  interval: intervalText.prefault("1h"),
  limit: barsText.prefault(String(BARS_LIMIT)),
});
export const latestQuery = z.strictObject({
  timeframe: intervalText.prefault("1d"),
  interval: intervalText.optional().describe("The same as timeframe"),
  limit: barsText.prefault("100"),
});
export const historicalQuery = z.strictObject({
  from: instantText.optional(),
  to: instantText.optional(),
  period: z.enum(PERIODS).default("1y").describe("Used without from"),
  interval: intervalText.prefault("1d"),
  limit: barsText.prefault(String(BARS_LIMIT)).describe("The newest bars of the stretch"),
});
export const intradayQuery = z.strictObject({
  interval: intervalText.prefault("5m"),
  days: wholeNumberText(1, 5).prefault("1").describe("Trading days, today included"),
});
export const scanQuery = z.strictObject({
  type: z.enum(["trending", "volume"]).default("trending"),
  limit: wholeNumberText(1, 100).prefault("10"),
});

/** Where data come from and how fresh they are: beside every datum of the market. */
export const provenance = {
  source: z.string().nullable().describe("Source of the newest value; null without data"),
  synthetic: z.boolean().describe("True for the synthetic market"),
  as_of: z.iso.datetime().describe("How far the source's data had reached"),
  stale: z.boolean().describe("True when newer data should exist"),
  age_ms: z.number().nullable().describe("Age of the newest value"),
};

export const candleSchema = z
  .object({
    timestamp: z.iso.datetime().describe("Open of the bar"),
    closed_at: z.iso.datetime(),
    open: z.number(),
    high: z.number(),
    low: z.number(),
    close: z.number(),
    volume: z.number(),
  })
  .meta({ id: "Candle" });

/** Said where bars are not what their interval promises. */
export const candleNote = z.string().nullable().describe("What is peculiar about the bars, if anything is");

export const candleListSchema = z
  .object({
    symbol: z.string(),
    interval: z.enum(INTERVALS),
    candles: z.array(candleSchema),
    ...provenance,
    trouble: z.string().nullable().describe("Why stored data stand in for fresh ones, if they do"),
    note: candleNote,
  })
  .meta({ id: "CandleList" });

const nullable = z.number().nullable();
export const quoteSchema = z
  .object({
    symbol: z.string(),
    price: z.number(),
    change: nullable.describe("Against the previous close"),
    change_percent: nullable,
    change_pct: nullable.describe("The same as change_percent"),
    open: nullable,
    high: nullable,
    low: nullable,
    previous_close: nullable,
    volume: nullable,
    bid: nullable,
    ask: nullable,
    market_cap: z.null().describe("No configured source has it"),
    pe_ratio: z.null().describe("No configured source has it"),
    timestamp: z.iso.datetime().describe("Time of the price"),
    from_candles: z.boolean().describe("True when the price is the close of the newest candle"),
    ...provenance,
  })
  .meta({ id: "Quote" });

export const marketDataSchema = quoteSchema
  .extend({
    indicators: z
      .object({ rsi14: nullable, sma20: nullable, sma50: nullable, atr14: nullable })
      .describe("Daily"),
    session: z.object({
      open: z.boolean(),
      next_change: z.iso.datetime().nullable(),
      calendar: z.string(),
    }),
    provider: z.string(),
  })
  .meta({ id: "MarketData" });
