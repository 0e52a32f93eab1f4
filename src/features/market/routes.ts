import type { FastifyInstance } from "fastify";
import { type RouteGroup, routeGroup } from "../../platform/http.js";
import type { Market } from "../candles/market.js";
import { SYMBOL_ERRORS } from "../candles/schema.js";
import type { Overview } from "./overview.js";
import {
  barsQuery,
  barsSchema,
  conditionsSchema,
  indicatorsSchema,
  indicesSchema,
  lastQuoteSchema,
  lastQuotesSchema,
  quotesQuery,
  sectorsSchema,
  statusQuery,
  statusSchema,
  symbolParams,
} from "./schema.js";
import { stateOf } from "./status.js";
import {
  barsView,
  conditionsView,
  indicatorsView,
  indicesView,
  lastQuoteView,
  sectorsView,
  statusView,
} from "./views.js";

export function marketRoutes(
  app: FastifyInstance,
  { overview, market, clock }: { overview: Overview; market: Market; clock: { now(): number } },
): void {
  const routes = routeGroup(app, { tag: "Market", access: "viewer", perMinute: 60 });
  priceRoutes(routes, market);

  routes.get("/api/market/indicators", {
    id: "getMarketIndicators",
    summary: "Volatility index, index funds, breadth of the scanned symbols and what they add up to",
    answer: { data: indicatorsSchema },
    handle: async () => ({ data: indicatorsView(await overview.loadIndicators(), clock.now()) }),
  });
  routes.get("/api/market/conditions", {
    id: "getMarketConditions",
    summary: "What each figure of the market says, and what they add up to",
    answer: { data: conditionsSchema },
    handle: async () => ({ data: conditionsView(await overview.loadConditions()) }),
  });
  routes.get("/api/market/indices", {
    id: "getMarketIndices",
    summary: "The large US indices; null with why where no source has one",
    answer: { data: indicesSchema },
    handle: async () => ({ data: indicesView(await overview.loadIndices()) }),
  });
  routes.get("/api/market/sectors", {
    id: "getMarketSectors",
    summary: "The eleven sector funds, the strongest first",
    answer: { data: sectorsSchema },
    handle: async () => ({ data: sectorsView(await overview.loadSectors()) }),
  });
  routes.get("/api/market/status", {
    id: "getMarketStatus",
    summary: "Whether an exchange trades now, by its calendar",
    query: statusQuery,
    answer: { data: statusSchema },
    handle({ query: { calendar } }) {
      const now = clock.now();
      return { data: statusView(stateOf(calendar, now), now) };
    },
  });
}

function priceRoutes(routes: RouteGroup, market: Market): void {
  routes.get("/api/market/quote/:symbol", {
    id: "getLastQuote",
    summary: "Last price, bid and ask of a symbol",
    params: symbolParams,
    answer: { data: lastQuoteSchema },
    errors: SYMBOL_ERRORS,
    handle: async ({ params }) => ({ data: lastQuoteView(await market.loadQuote(params.symbol)) }),
  });
  routes.get("/api/market/quotes", {
    id: "listLastQuotes",
    summary: "Last prices of several symbols; those without one with why",
    query: quotesQuery,
    answer: { data: lastQuotesSchema },
    async handle({ query: { symbols } }) {
      const { quotes, missing } = await market.loadQuotes(symbols);
      return { data: { quotes: quotes.map(lastQuoteView), unavailable: missing } };
    },
  });
  routes.get("/api/market/bars/:symbol", {
    id: "listMarketBars",
    summary: "The newest closed bars of a symbol, oldest first",
    params: symbolParams,
    query: barsQuery,
    answer: { data: barsSchema },
    errors: [...SYMBOL_ERRORS, "interval_unavailable"],
    async handle({ params, query: { timeframe, limit } }) {
      return { data: barsView(await market.loadBars(params.symbol, timeframe, { period: "max" }, limit)) };
    },
  });
}
