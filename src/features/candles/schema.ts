import { z } from "zod";
import { ADJUSTMENTS } from "../../core/market/adjust.js";
import { INTERVALS, type Interval, parseInterval } from "../../core/market/interval.js";
import { instantText, wholeNumberText } from "../../platform/http.js";

export const symbolText = z.string().min(1).max(40).describe("Any spelling: AAPL, BTC, BTC/USD, EURUSD");

/** A comma list of symbols, each once. */
export function symbolsText(most: number) {
  return z
    .string()
    .min(1)
    .max(41 * most)
    .transform((text) => [...new Set(text.split(",").map((symbol) => symbol.trim()))].filter(Boolean))
    .refine((symbols) => symbols.length > 0, { message: "lists nothing" })
    .refine((symbols) => symbols.length <= most, { message: `lists more than ${most}` })
    .pipe(z.array(symbolText))
    .meta({ type: "string", description: `Comma list of at most ${most}` });
}
export const SYMBOL_ERRORS = ["symbol_invalid", "symbol_unknown", "no_data", "provider_unavailable"] as const;
/** What may be wrong with a question about candles of an interval. */
export const CANDLE_ERRORS = [...SYMBOL_ERRORS, "interval_unavailable"] as const;
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

/** Which prices are wanted, on every route that gives candles. */
const adjustmentQuery = {
  adjustment: z
    .enum(ADJUSTMENTS)
    .optional()
    .describe("raw as they traded, split, or all for dividends too; without it as the source gives them"),
  as_of: instantText
    .optional()
    .describe("As it was known at this moment: bars that had closed, as they were then"),
};

export const candlesQuery = z.strictObject({
  ...adjustmentQuery,
  symbol: symbolText,
  period: z.enum(PERIODS).default("1d"),
  interval: intervalText.prefault("1h"),
  limit: barsText.prefault(String(BARS_LIMIT)),
});
export const latestQuery = z.strictObject({
  ...adjustmentQuery,
  timeframe: intervalText.prefault("1d"),
  interval: intervalText.optional().describe("The same as timeframe"),
  limit: barsText.prefault("100"),
});
export const historicalQuery = z.strictObject({
  ...adjustmentQuery,
  from: instantText.optional(),
  to: instantText.optional(),
  period: z.enum(PERIODS).default("1y").describe("Used without from"),
  interval: intervalText.prefault("1d"),
  limit: barsText.prefault(String(BARS_LIMIT)).describe("The newest bars of the stretch"),
});
export const intradayQuery = z.strictObject({
  ...adjustmentQuery,
  interval: intervalText.prefault("5m"),
  days: wholeNumberText(1, 5).prefault("1").describe("Trading days, today included"),
});
export const gapsQuery = z.strictObject({
  interval: intervalText.prefault("1d"),
  from: instantText.optional().describe("The first stored bar without it"),
  to: instantText.optional().describe("The newest bar that has closed without it"),
  limit: wholeNumberText(1, 1_000).prefault("200").describe("The newest gaps"),
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

/** What was done to the prices of an answer. */
export const adjustmentSchema = z
  .object({
    view: z.enum(["given", ...ADJUSTMENTS]).describe("given: as the source gives them"),
    basis: z
      .enum(["none", "split", "all", "unknown", "mixed"])
      .nullable()
      .describe(
        "What the source adjusts its prices for: none are as they traded, unknown where it does not say",
      ),
    actions: z
      .array(
        z.object({
          kind: z.enum(["split", "dividend"]),
          ex_date: z.iso.date(),
          ratio: z.number().nullable().describe("New shares for one old"),
          amount: z.number().nullable().describe("Per share on the day"),
          currency: z.string().nullable(),
          effect: z
            .enum(["applied", "in_source", "undone", "not_applied"])
            .describe("in_source: the source had done it; undone: it had, and the view is without"),
          reason: z.string().nullable(),
        }),
      )
      .describe("Those that the view is about, after the first bar"),
    source: z.string().nullable().describe("Who told of the actions"),
    trouble: z.string().nullable().describe("Why they are not known, or not lately"),
  })
  .meta({ id: "Adjustment" });

/** Said where bars are not what their interval promises. */
export const candleNote = z.string().nullable().describe("What is peculiar about the bars, if anything is");

/** Said where an answer is not what its first source would have given. */
export const candleTrouble = z
  .string()
  .nullable()
  .describe("Why stored data or another source stand in, if they do");

export const candleListSchema = z
  .object({
    symbol: z.string(),
    interval: z.enum(INTERVALS),
    candles: z.array(candleSchema),
    ...provenance,
    trouble: candleTrouble,
    note: candleNote,
    adjustment: adjustmentSchema,
  })
  .meta({ id: "CandleList" });

export const gapListSchema = z
  .object({
    symbol: z.string(),
    interval: z.enum(INTERVALS),
    from: z.iso.datetime(),
    to: z.iso.datetime(),
    expected: z.number().int().describe("Bars that should exist by the calendar"),
    stored: z.number().int(),
    missing: z.number().int(),
    gaps: z.array(
      z.object({
        from: z.iso.datetime().describe("Open of the first missing bar"),
        to: z.iso.datetime().describe("Close of the last"),
        bars: z.number().int(),
        reason: z.enum(["source_has_none", "never_asked", "rejected", "before_sources", "calendar_unknown"]),
        detail: z.string().nullable().describe("What was wrong with a rejected row"),
      }),
    ),
    truncated: z.boolean().describe("True when these are the newest of more"),
  })
  .meta({ id: "GapList" });

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
    trouble: z.string().nullable().describe("Why an earlier quote or another source stands in, if one does"),
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
