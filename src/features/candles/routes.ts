import type { FastifyInstance } from "fastify";
import { z } from "zod";
import { AppError } from "../../platform/errors.js";
import { isoTime, type RouteGroup, routeGroup } from "../../platform/http.js";
import type { Market } from "./market.js";
import {
  BARS_LIMIT,
  candleListSchema,
  candleNote,
  candleSchema,
  candlesQuery,
  historicalQuery,
  intradayQuery,
  latestQuery,
  marketDataSchema,
  PERIODS,
  provenance,
  quoteSchema,
  scanQuery,
  symbolParams,
} from "./schema.js";
import { candleListView, candleRows, provenanceOf, quoteView } from "./views.js";

const SYMBOL_ERRORS = ["symbol_invalid", "symbol_unknown", "no_data", "provider_unavailable"] as const;
const CANDLE_ERRORS = [...SYMBOL_ERRORS, "interval_unavailable"] as const;

export function candleRoutes(app: FastifyInstance, { market }: { market: Market }): void {
  const routes = routeGroup(app, { tag: "Market data", access: "viewer", perMinute: 30 });
  quoteRoutes(routes, market);

  routes.get("/api/candles", {
    id: "getCandles",
    summary: "Closed candles of a period",
    query: candlesQuery,
    answer: { data: candleListSchema.extend({ period: z.enum(PERIODS) }) },
    errors: CANDLE_ERRORS,
    async handle({ query: { symbol, interval, period, limit } }) {
      const set = await market.loadBars(symbol, interval, { period }, limit);
      return { data: { ...candleListView(set), period } };
    },
  });
  routes.get("/api/candles/:symbol", {
    id: "listCandles",
    summary: "The newest closed candles as a list",
    params: symbolParams,
    query: latestQuery,
    answer: {
      data: z.array(candleSchema),
      symbol: z.string(),
      interval: z.string(),
      note: candleNote,
      ...provenance,
    },
    errors: CANDLE_ERRORS,
    async handle({ params, query: { timeframe, interval = timeframe, limit } }) {
      const set = await market.loadBars(params.symbol, interval, { period: "max" }, limit);
      const { note, instrument } = set;
      return { data: candleRows(set), symbol: instrument.symbol, interval, note, ...provenanceOf(set) };
    },
  });
  routes.get("/api/historical/:symbol", {
    id: "getHistory",
    summary: "Closed candles between two moments, or of a period",
    params: symbolParams,
    query: historicalQuery,
    answer: { data: candleListSchema },
    errors: CANDLE_ERRORS,
    async handle({ params, query: { from, to, period, interval, limit } }) {
      if (from !== undefined && to !== undefined && from >= to) {
        throw new AppError("invalid_request", "query from: must lie before to");
      }
      const stretch = from === undefined && to === undefined ? { period } : { from: from ?? 0, to };
      return { data: candleListView(await market.loadBars(params.symbol, interval, stretch, limit)) };
    },
  });
  routes.get("/api/intraday/:symbol", {
    id: "getIntraday",
    summary: "Closed candles of the last trading days",
    params: symbolParams,
    query: intradayQuery,
    answer: { data: candleListSchema },
    errors: CANDLE_ERRORS,
    async handle({ params, query: { interval, days } }) {
      if (interval === "1d" || interval === "1w") {
        throw new AppError("invalid_request", "query interval: must be shorter than a day");
      }
      const stretch = await market.lastSessions(params.symbol, interval, days);
      return { data: candleListView(await market.loadBars(params.symbol, interval, stretch, BARS_LIMIT)) };
    },
  });
}

function quoteRoutes(routes: RouteGroup, market: Market): void {
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
