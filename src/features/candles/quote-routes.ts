import { z } from "zod";
import { isoTime, type RouteGroup } from "../../platform/http.js";
import type { Market } from "./market.js";
import { marketDataSchema, quoteSchema, SYMBOL_ERRORS, scanQuery, symbolParams } from "./schema.js";
import { quoteView } from "./views.js";

export function quoteRoutes(routes: RouteGroup, market: Market): void {
  routes.get("/api/market-scan", {
    id: "rankMarket",
    aliases: [{ path: "/api/scan", id: "rankMarketAlias" }],
    summary: "Quotes of the scanned symbols, the liveliest or most traded first",
    query: scanQuery,
    answer: {
      data: z.array(quoteSchema),
      unavailable: z.array(z.object({ symbol: z.string(), reason: z.string() })),
    },
    errors: ["provider_unavailable"],
    async handle({ query: { type, limit } }) {
      const { quotes, missing } = await market.rank(type, limit);
      return { data: quotes.map(quoteView), unavailable: missing };
    },
  });
  routes.get("/api/market/:symbol", {
    id: "getQuote",
    summary: "The latest quote of a symbol",
    params: symbolParams,
    answer: { data: quoteSchema },
    errors: SYMBOL_ERRORS,
    handle: async ({ params }) => ({ data: quoteView(await market.loadQuote(params.symbol)) }),
  });
  routes.get("/api/market-data/:symbol", {
    id: "getMarketData",
    summary: "Quote, daily indicators and session of a symbol",
    params: symbolParams,
    answer: { data: marketDataSchema },
    errors: SYMBOL_ERRORS,
    async handle({ params }) {
      const quote = await market.loadQuote(params.symbol);
      const indicators = await market.loadDailyIndicators(params.symbol);
      const { open, nextChange, calendar } = market.sessionOf(params.symbol);
      const session = { open, calendar, next_change: nextChange === null ? null : isoTime(nextChange) };
      return { data: { ...quoteView(quote), indicators, session, provider: quote.source } };
    },
  });
}
