import { z } from "zod";
import { symbolsText } from "../../features/candles/schema.js";
import { decimalText, wholeNumberText } from "../../platform/http.js";
import { parseTimeframe } from "./timeframe.js";
import { momentText } from "./times.js";

/** Symbols of one request. */
const SYMBOLS_LIMIT = 100;

const flagText = (about: string) => z.enum(["true", "false"]).optional().describe(about);
const pageToken = z.string().max(300).optional().describe("next_page_token of the page before");
const dateText = (about: string) => z.iso.date().optional().describe(about);

export const calendarQuery = z.object({
  start: momentText.optional().describe("First date; all known ones unless given"),
  end: momentText.optional().describe("Last date, included"),
  date_type: z.enum(["TRADING", "SETTLEMENT"]).default("TRADING").describe("What the dates are of"),
});

const dayTime = z.string().describe("HH:MM on the clock of New York");
export const calendarDaySchema = z
  .object({
    date: z.iso.date(),
    open: dayTime,
    close: dayTime,
    session_open: z.string().describe("HHMM, trading before the open included"),
    session_close: z.string().describe("HHMM, trading after the close included"),
    settlement_date: z.iso.date(),
  })
  .meta({ id: "AlpacaCalendarDay" });

const zoned = z.string().describe("RFC 3339 with the offset of New York");
export const clockSchema = z
  .object({ timestamp: zoned, is_open: z.boolean(), next_open: zoned, next_close: zoned })
  .meta({ id: "AlpacaClock" });

export const assetsQuery = z.object({
  status: z.enum(["active", "inactive"]).optional().describe("No asset here is inactive"),
  asset_class: z.enum(["us_equity", "us_option", "crypto"]).default("us_equity").describe("One class"),
  exchange: z.string().max(20).optional().describe("Only those of an exchange"),
  attributes: z.string().max(300).optional().describe("Comma list; assets here have none"),
});
export const assetParams = z.object({
  symbol_or_asset_id: z.string().min(1).max(40).describe("AAPL, BTC/USD (encoded), BTCUSD, or an id"),
});
export const pairParams = z.object({
  coin: z.string().min(1).max(20).describe("BTC"),
  currency: z.string().min(1).max(10).describe("USD"),
});
export const assetSchema = z
  .object({
    id: z.uuid().describe("Follows from the symbol"),
    class: z.enum(["us_equity", "crypto"]),
    exchange: z.string().describe("Empty where only the country is known"),
    symbol: z.string(),
    name: z.string(),
    status: z.enum(["active", "inactive"]),
    tradable: z.boolean(),
    marginable: z.boolean(),
    shortable: z.boolean(),
    easy_to_borrow: z.boolean(),
    borrow_status: z.enum(["easy_to_borrow", "hard_to_borrow"]).optional(),
    fractionable: z.boolean(),
    attributes: z.array(z.string()),
    min_order_size: z.string().optional(),
    min_trade_increment: z.string().optional(),
    price_increment: z.string().optional(),
  })
  .meta({ id: "AlpacaAsset" });

export const contractsQuery = z.object({
  underlying_symbols: symbolsText(20).optional(),
  status: z.enum(["active", "inactive"]).default("active").describe("Contracts that are over are not kept"),
  expiration_date: dateText("The one date of expiry"),
  expiration_date_gte: dateText("Earliest date of expiry; today unless given"),
  expiration_date_lte: dateText("Latest date of expiry; the coming weekend unless given"),
  root_symbol: z.string().max(10).optional().describe("Only contracts of a root"),
  type: z.enum(["call", "put"]).optional(),
  style: z.enum(["american", "european"]).optional().describe("Options on shares are american"),
  strike_price_gte: decimalText(0, 1e9).optional().describe("Least strike"),
  strike_price_lte: decimalText(0, 1e9).optional().describe("Highest strike"),
  show_deliverables: flagText("Accepted; deliverables are not told"),
  limit: wholeNumberText(1, 10_000).prefault("100"),
  page_token: pageToken,
});
export const contractParams = z.object({
  symbol_or_id: z.string().min(1).max(40).describe("OCC symbol of the contract"),
});
export const contractSchema = z
  .object({
    id: z.uuid().describe("Follows from the symbol"),
    symbol: z.string(),
    name: z.string(),
    status: z.enum(["active", "inactive"]),
    tradable: z.boolean(),
    expiration_date: z.iso.date(),
    root_symbol: z.string(),
    underlying_symbol: z.string(),
    underlying_asset_id: z.uuid(),
    type: z.enum(["call", "put"]),
    style: z.enum(["american", "european"]),
    strike_price: z.string(),
    multiplier: z.string(),
    size: z.string(),
    open_interest: z.string().optional(),
    open_interest_date: z.iso.date().optional(),
  })
  .meta({ id: "AlpacaContract" });

export const newsQuery = z.object({
  start: momentText.optional().describe("First moment; from the beginning unless given"),
  end: momentText.optional().describe("Last moment, included; now unless given"),
  sort: z.enum(["asc", "desc"]).default("desc").describe("Oldest or newest first"),
  symbols: symbolsText(SYMBOLS_LIMIT).optional(),
  limit: wholeNumberText(1, 50).prefault("10"),
  include_content: flagText("Accepted; only summaries are kept"),
  exclude_contentless: flagText("Leaves out what has no content, which is all"),
  page_token: pageToken,
});
const newsItemSchema = z
  .object({
    id: z.number().int(),
    headline: z.string().describe("Plain text from outside: escape it wherever it is shown"),
    author: z.string().describe("Empty: no source tells it"),
    created_at: z.string(),
    updated_at: z.string(),
    summary: z.string().describe("As headline; may be empty"),
    content: z.string().describe("Empty: only summaries are kept"),
    url: z.string().optional(),
    images: z.array(z.never()),
    symbols: z.array(z.string()),
    source: z.string().describe("Publisher"),
  })
  .meta({ id: "AlpacaNews" });
const nextPageToken = z.string().nullable().describe("page_token of the next page; null at the end");
export const newsAnswer = z.object({ news: z.array(newsItemSchema), next_page_token: nextPageToken });
export const contractsAnswer = z.object({
  option_contracts: z.array(contractSchema),
  next_page_token: nextPageToken,
});

export const timeframeText = z
  .string()
  .max(10)
  .transform((text, context) => {
    const timeframe = parseTimeframe(text);
    if (timeframe === null) context.addIssue(`invalid timeframe: ${text}`);
    return timeframe ?? z.NEVER;
  })
  .meta({ type: "string", description: "1Min to 59Min, 1Hour to 23Hour, 1Day, 1Week, 1 2 3 4 6 12Month" });

const symbols = { symbols: symbolsText(SYMBOLS_LIMIT) };
const stretch = {
  start: momentText.optional().describe("First moment; the beginning of the day unless given"),
  end: momentText.optional().describe("Last moment, included; now unless given"),
  limit: wholeNumberText(1, 10_000).prefault("1000").describe("Bars of all symbols together"),
  page_token: pageToken,
  sort: z.enum(["asc", "desc"]).default("asc").describe("Oldest or newest first"),
};
const share = {
  feed: z
    .enum(["sip", "iex", "otc", "boats", "delayed_sip", "overnight"])
    .optional()
    .describe("Accepted: the configured sources decide"),
  currency: z.literal("USD").optional().describe("Prices are in dollars"),
};
const renamed = {
  asof: z
    .string()
    .regex(/^(\d{4}-\d{2}-\d{2}|-)$/, "must be YYYY-MM-DD or -")
    .optional()
    .describe("Accepted: no renames are known"),
};
const adjustment = {
  adjustment: z
    .string()
    .max(60)
    .default("raw")
    .describe("raw, split, or all, which is splits and dividends; no source tells of spin-offs"),
};
const timeframe = { timeframe: timeframeText };

export const shareBarsQuery = z.object({ ...timeframe, ...stretch, ...share, ...renamed, ...adjustment });
export const sharesBarsQuery = shareBarsQuery.extend(symbols);
export const coinsBarsQuery = z.object({ ...symbols, ...timeframe, ...stretch });
export const shareQuery = z.object(share);
export const sharesQuery = z.object({ ...symbols, ...share });
export const coinsQuery = z.object(symbols);
export const shareHistoryQuery = z.object({ ...stretch, ...share, ...renamed });
export const sharesHistoryQuery = shareHistoryQuery.extend(symbols);
export const coinsHistoryQuery = z.object({ ...symbols, ...stretch });
export const shareParams = z.object({ symbol: z.string().min(1).max(40).describe("Of a US share") });
export const locationParams = z.object({
  loc: z.enum(["us", "us-1", "us-2", "eu-1", "bs-1"]).describe("Accepted: the configured sources decide"),
});

const time = z.string().describe("RFC 3339");
/** What clients of the dialect insist on being there, whatever it is. */
const untold = z.null().describe("No source tells it");
export const barSchema = z
  .object({
    t: time.describe("Where the bar begins"),
    o: z.number(),
    h: z.number(),
    l: z.number(),
    c: z.number(),
    v: z.number(),
    n: untold,
    vw: untold,
  })
  .meta({ id: "AlpacaBar" });
const quote = {
  t: time,
  bp: z.number().describe("Bid"),
  bs: untold,
  ap: z.number().describe("Ask"),
  as: untold,
};
const trade = {
  t: time,
  p: z.number().describe("Price"),
  s: z.number().nullable().describe("Size, where a source tells it"),
  i: untold,
};
export const quoteSchema = z
  .object({ ...quote, bx: untold, ax: untold, c: untold, z: untold })
  .meta({ id: "AlpacaQuote" });
export const tradeSchema = z
  .object({ ...trade, x: untold, c: untold, z: untold })
  .meta({ id: "AlpacaTrade" });
export const coinQuoteSchema = z.object(quote).meta({ id: "AlpacaCoinQuote" });
export const coinTradeSchema = z.object({ ...trade, tks: untold }).meta({ id: "AlpacaCoinTrade" });
const snapshotBars = {
  minuteBar: barSchema.optional(),
  dailyBar: barSchema.optional().describe("Of the day as far as it has come"),
  prevDailyBar: barSchema.optional(),
};
export const snapshotSchema = z
  .object({ latestTrade: tradeSchema.optional(), latestQuote: quoteSchema.optional(), ...snapshotBars })
  .meta({ id: "AlpacaSnapshot" });
export const coinSnapshotSchema = z
  .object({
    latestTrade: coinTradeSchema.optional(),
    latestQuote: coinQuoteSchema.optional(),
    ...snapshotBars,
  })
  .meta({ id: "AlpacaCoinSnapshot" });

const bySymbol = <S extends z.ZodType>(schema: S) => z.record(z.string(), schema);
const paged = { next_page_token: nextPageToken };
export const barsAnswer = z.object({ bars: bySymbol(z.array(barSchema)), ...paged });
export const barsOfOneAnswer = z.object({ symbol: z.string(), bars: z.array(barSchema), ...paged });
export const latestBarsAnswer = z.object({ bars: bySymbol(barSchema) });
export const latestQuotesAnswer = z.object({ quotes: bySymbol(quoteSchema) });
export const latestTradesAnswer = z.object({ trades: bySymbol(tradeSchema) });
export const latestBarAnswer = z.object({ symbol: z.string(), bar: barSchema });
export const latestQuoteAnswer = z.object({ symbol: z.string(), quote: quoteSchema });
export const latestTradeAnswer = z.object({ symbol: z.string(), trade: tradeSchema });
export const snapshotsAnswer = bySymbol(snapshotSchema);
export const latestCoinQuotesAnswer = z.object({ quotes: bySymbol(coinQuoteSchema) });
export const latestCoinTradesAnswer = z.object({ trades: bySymbol(coinTradeSchema) });
export const coinSnapshotsAnswer = z.object({ snapshots: bySymbol(coinSnapshotSchema) });
export const snapshotAnswer = snapshotSchema
  .extend({ symbol: z.string() })
  .meta({ id: "AlpacaSnapshotOfOne" });
/** What would be answered if past quotes and trades were kept. */
export const quotesAnswer = z.object({ quotes: bySymbol(z.array(quoteSchema)), ...paged });
export const tradesAnswer = z.object({ trades: bySymbol(z.array(tradeSchema)), ...paged });
export const coinQuotesAnswer = z.object({ quotes: bySymbol(z.array(coinQuoteSchema)), ...paged });
export const coinTradesAnswer = z.object({ trades: bySymbol(z.array(coinTradeSchema)), ...paged });
export const quotesOfOneAnswer = z.object({ symbol: z.string(), quotes: z.array(quoteSchema), ...paged });
export const tradesOfOneAnswer = z.object({ symbol: z.string(), trades: z.array(tradeSchema), ...paged });
