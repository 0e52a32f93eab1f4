import { z } from "zod";
import { decimalText, wholeNumberText } from "../../platform/http.js";
import { isContractSymbol } from "./contract-rows.js";
import { timeframeText } from "./schema.js";
import { momentText } from "./times.js";

/** Contracts of one request, and the longest that their list may be. */
const CONTRACTS_LIMIT = 100;
const LIST_LENGTH = 2_200;

const contractsText = z
  .string()
  .min(1)
  .max(LIST_LENGTH)
  .transform((text) => [
    ...new Set(
      text
        .toUpperCase()
        .split(",")
        .map((symbol) => symbol.trim())
        .filter(Boolean),
    ),
  ])
  .refine((symbols) => symbols.length > 0, { message: "lists nothing" })
  .refine((symbols) => symbols.length <= CONTRACTS_LIMIT, { message: `lists more than ${CONTRACTS_LIMIT}` })
  .refine((symbols) => symbols.every(isContractSymbol), {
    message: "contracts are named as in AAPL240419P00140000",
  })
  .meta({ type: "string", description: `Comma list of at most ${CONTRACTS_LIMIT} contracts` });

const feed = z.enum(["opra", "indicative"]).optional().describe("Accepted: the configured sources decide");
const dateText = (about: string) => z.iso.date().optional().describe(about);
const pageToken = z.string().max(300).optional().describe("next_page_token of the page before");
const paged = {
  feed,
  updated_since: momentText.optional().describe("Only what chains from then on tell"),
  limit: wholeNumberText(1, 1_000).prefault("100").describe("Most contracts"),
  page_token: pageToken,
};

export const optionsQuery = z.object({ symbols: contractsText, feed });
export const optionSnapshotsQuery = z.object({ symbols: contractsText, ...paged });
export const chainParams = z.object({
  underlying_symbol: z.string().min(1).max(40).describe("A US share or fund"),
});
export const chainQuery = z.object({
  ...paged,
  type: z.enum(["call", "put"]).optional(),
  strike_price_gte: decimalText(0, 1e9).optional().describe("Least strike"),
  strike_price_lte: decimalText(0, 1e9).optional().describe("Highest strike"),
  expiration_date: dateText("The one date of expiry"),
  expiration_date_gte: dateText("Earliest date of expiry; today unless given"),
  expiration_date_lte: dateText("Latest date of expiry"),
  root_symbol: z.string().max(10).optional().describe("Only contracts of a root"),
});
const history = {
  symbols: contractsText,
  start: momentText.optional().describe("First moment"),
  end: momentText.optional().describe("Last moment, included"),
  limit: wholeNumberText(1, 10_000).prefault("1000"),
  page_token: pageToken,
  sort: z.enum(["asc", "desc"]).default("asc").describe("Oldest or newest first"),
};
export const optionHistoryQuery = z.object(history);
export const optionBarsQuery = z.object({ ...history, timeframe: timeframeText });

const time = z.string().describe("RFC 3339: when the chain was so");
const untold = z.null().describe("No source tells it");
const figure = z.number().nullable();
const quoteSchema = z
  .object({
    t: time,
    bp: figure.describe("Bid; null where the source has only the ask"),
    bs: untold,
    bx: untold,
    ap: figure.describe("Ask; null where the source has only the bid"),
    as: untold,
    ax: untold,
    c: untold,
  })
  .meta({ id: "AlpacaOptionQuote" });
const tradeSchema = z
  .object({
    t: time,
    p: z.number().describe("The last price, whenever it was made"),
    s: untold,
    x: untold,
    c: untold,
  })
  .meta({ id: "AlpacaOptionTrade" });
const snapshotSchema = z
  .object({
    latestTrade: tradeSchema.optional(),
    latestQuote: quoteSchema.optional(),
    impliedVolatility: z.number().optional().describe("A fraction a root year"),
    greeks: z
      .object({
        delta: figure,
        gamma: figure,
        theta: figure.describe("A calendar day"),
        vega: figure.describe("A point of volatility"),
        rho: figure.describe("A point of the rate; null with greeks of a source"),
      })
      .optional(),
  })
  .meta({ id: "AlpacaOptionSnapshot" });

const nextPageToken = z.string().nullable().describe("page_token of the next page; null at the end");
export const optionQuotesAnswer = z.object({ quotes: z.record(z.string(), quoteSchema) });
export const optionTradesAnswer = z.object({ trades: z.record(z.string(), tradeSchema) });
export const optionSnapshotsAnswer = z.object({
  snapshots: z.record(z.string(), snapshotSchema),
  next_page_token: nextPageToken,
});
export const optionHistoryAnswer = z.object({
  trades: z.record(z.string(), z.array(tradeSchema)),
  next_page_token: nextPageToken,
});
export const optionBarsAnswer = z.object({
  bars: z.record(z.string(), z.array(z.never())),
  next_page_token: nextPageToken,
});
export type OptionQuoteView = z.input<typeof quoteSchema>;
export type OptionTradeView = z.input<typeof tradeSchema>;
export type OptionSnapshotView = z.input<typeof snapshotSchema>;
