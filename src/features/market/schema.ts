import { z } from "zod";
import { CALENDARS, type CalendarId } from "../../core/market/calendars/index.js";
import { wholeNumberText } from "../../platform/http.js";
import { candleSchema, intervalText, provenance, symbolsText, symbolText } from "../candles/schema.js";

const calendarIds = Object.keys(CALENDARS) as [CalendarId, ...CalendarId[]];
export const MOST_SYMBOLS = 50;

export const statusQuery = z.strictObject({
  calendar: z.enum(calendarIds).default("XNYS").describe("Exchange by its ISO 10383 code, 24x7 or FX"),
});
export const quotesQuery = z.strictObject({ symbols: symbolsText(MOST_SYMBOLS) });
export const barsQuery = z.strictObject({
  timeframe: intervalText.prefault("1d").describe("1m to 1w, daily, weekly and other spellings"),
  limit: wholeNumberText(1, 5_000).prefault("100"),
});
export const symbolParams = z.strictObject({ symbol: symbolText });

const nullable = z.number().nullable();
const moment = z.iso.datetime().nullable();
/** Where a figure comes from and how fresh it is; null without one. */
const facts = {
  source: z.string().nullable(),
  synthetic: z.boolean().describe("True for the synthetic market"),
  as_of: moment,
  stale: z.boolean().nullable().describe("True when the market has traded on for five minutes since"),
  age_ms: nullable,
  reason: z.string().nullable().describe("Why there is no figure"),
};
const sourceList = z.string().nullable().describe("Sources of the figures, with commas; null without any");

export const fundSchema = z
  .object({
    symbol: z.string(),
    name: z.string(),
    price: nullable,
    change: nullable.describe("Against the close before"),
    change_percent: nullable,
    trend: z.enum(["strong up", "up", "sideways", "down"]).nullable(),
    ...facts,
  })
  .meta({ id: "IndexFund" });
export const vixSchema = z
  .object({
    symbol: z.string(),
    value: nullable,
    change: nullable,
    change_percent: nullable,
    level: z.enum(["low", "normal", "high"]).nullable().describe("Below 15, up to 25, above"),
    ...facts,
  })
  .meta({ id: "VolatilityIndex" });
export const breadthSchema = z
  .object({
    advancing: z.number().int(),
    declining: z.number().int(),
    unchanged: z.number().int(),
    unavailable: z.number().int().describe("Symbols without a price or without a close before"),
    share: nullable.describe("Of those with a change, the share that rises, 0..1"),
    universe: z.literal("scanned symbols"),
    ...facts,
  })
  .meta({ id: "Breadth" });
export const moodSchema = z
  .object({
    overall: z.enum(["bullish", "neutral", "bearish"]).nullable(),
    score: nullable.describe("Share of the known conditions that are favorable, 0..1"),
    conditions: z.number().int().describe("Conditions that are known"),
    reason: z.string().nullable(),
  })
  .meta({ id: "MarketMood" });
export const indicatorsSchema = z
  .object({
    vix: vixSchema,
    indices: z.record(z.string(), fundSchema).describe("By the names below"),
    "s&p_500": fundSchema,
    nasdaq: fundSchema,
    dow_jones: fundSchema,
    breadth: breadthSchema,
    sentiment: moodSchema,
    source: sourceList,
  })
  .meta({ id: "MarketIndicators" });

export const conditionsSchema = z
  .object({
    conditions: z.array(
      z.object({
        name: z.string(),
        kind: z.enum(["volatility index", "index change", "breadth"]),
        value: z.number(),
        status: z.enum(["favorable", "neutral", "unfavorable"]),
        details: z.string(),
        stale: z.boolean(),
      }),
    ),
    unavailable: z.array(z.object({ name: z.string(), reason: z.string() })),
    overallSentiment: z.enum(["bullish", "neutral", "bearish"]).nullable(),
    favorable_share: nullable,
    recommendedActions: z.array(z.string()),
    source: sourceList,
    as_of: moment.describe("Time of the oldest figure"),
    stale: z.boolean().describe("True when any figure is"),
  })
  .meta({ id: "MarketConditions" });

export const indexSchema = z
  .object({
    symbol: z.string(),
    name: z.string(),
    last: nullable,
    change: nullable,
    changePercent: nullable,
    ...facts,
  })
  .meta({ id: "MarketIndex" });
export const indicesSchema = z
  .object({ dow: indexSchema, nasdaq: indexSchema, sp500: indexSchema, source: sourceList })
  .meta({ id: "MarketIndices" });

const sectorSchema = z
  .object({
    rank: z.number().int().nullable().describe("1 for the strongest; null without a change"),
    sector: z.string(),
    symbol: z.string(),
    price: nullable,
    change: nullable,
    change_percent: nullable,
    ...facts,
  })
  .meta({ id: "Sector" });
export const sectorsSchema = z
  .object({
    sectors: z.array(sectorSchema).describe("The strongest first, those without a change last"),
    leader: z.string().nullable().describe("Symbol of the strongest"),
    laggard: z.string().nullable().describe("Symbol of the weakest"),
    source: sourceList,
  })
  .meta({ id: "MarketSectors" });

export const statusSchema = z
  .object({
    state: z.enum(["open", "closed"]),
    is_open: z.boolean(),
    reason: z.enum(["weekend", "holiday", "before the open", "after the close"]).nullable(),
    next_change: moment.describe("When it opens or closes next"),
    description: z.string(),
    calendar: z.enum(calendarIds),
    session: z
      .object({
        date: z.iso.date(),
        open: z.iso.datetime(),
        close: z.iso.datetime(),
        early: z.boolean().describe("Closes before the regular close"),
      })
      .nullable()
      .describe("Of the present day at the exchange; null without one"),
    known: z.boolean().describe("Whether the closures of this day have been announced"),
    source: z.literal("calendar"),
    as_of: z.iso.datetime(),
  })
  .meta({ id: "MarketStatus" });

export const lastQuoteSchema = z
  .object({
    symbol: z.string(),
    bid: nullable,
    ask: nullable,
    last: z.number(),
    volume: nullable,
    timestamp: z.iso.datetime().describe("Time of the price"),
    source: z.string(),
    synthetic: z.boolean(),
    as_of: z.iso.datetime(),
    stale: z.boolean(),
    age_ms: z.number(),
  })
  .meta({ id: "LastQuote" });
export const lastQuotesSchema = z.object({
  quotes: z.array(lastQuoteSchema),
  unavailable: z.array(z.object({ symbol: z.string(), reason: z.string() })),
});
export const barsSchema = z
  .object({
    symbol: z.string(),
    timeframe: z.string(),
    bars: z.array(candleSchema).describe("The newest of all, oldest first"),
    ...provenance,
  })
  .meta({ id: "MarketBars" });
