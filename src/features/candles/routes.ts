import type { FastifyInstance } from "fastify";
import { z } from "zod";
import type { Adjustment } from "../../core/market/adjust.js";
import { AppError } from "../../platform/errors.js";
import { type RouteGroup, routeGroup } from "../../platform/http.js";
import type { Wanted } from "./adjusted.js";
import type { Gaps } from "./gaps.js";
import type { Market } from "./market.js";
import { quoteRoutes } from "./quote-routes.js";
import {
  adjustmentSchema,
  BARS_LIMIT,
  CANDLE_ERRORS,
  candleListSchema,
  candleNote,
  candleSchema,
  candlesQuery,
  candleTrouble,
  gapListSchema,
  gapsQuery,
  historicalQuery,
  intradayQuery,
  latestQuery,
  PERIODS,
  provenance,
  SYMBOL_ERRORS,
  symbolParams,
} from "./schema.js";
import { adjustmentView, candleListView, candleRows, gapListView, provenanceOf } from "./views.js";

const VIEW_ERRORS = [...CANDLE_ERRORS, "adjustment_unavailable"] as const;

/** The prices that a query asks for. */
function wantedOf(query: { adjustment?: Adjustment | undefined; as_of?: number | undefined }): Wanted {
  return { view: query.adjustment ?? "given", knownAtMs: query.as_of };
}

export function candleRoutes(app: FastifyInstance, { market, gaps }: { market: Market; gaps: Gaps }): void {
  const routes = routeGroup(app, { tag: "Market data", access: "viewer", perMinute: 30 });
  quoteRoutes(routes, market);
  gapRoutes(routes, gaps);

  routes.get("/api/candles", {
    id: "getCandles",
    summary: "Closed candles of a period",
    query: candlesQuery,
    answer: { data: candleListSchema.extend({ period: z.enum(PERIODS) }) },
    errors: VIEW_ERRORS,
    async handle({ query: { symbol, interval, period, limit, ...prices } }) {
      const set = await market.loadBars(symbol, interval, { period }, limit, wantedOf(prices));
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
      trouble: candleTrouble,
      note: candleNote,
      adjustment: adjustmentSchema,
      ...provenance,
    },
    errors: VIEW_ERRORS,
    async handle({ params, query: { timeframe, interval = timeframe, limit, ...prices } }) {
      const set = await market.loadBars(params.symbol, interval, { period: "max" }, limit, wantedOf(prices));
      const { trouble, note, instrument } = set;
      const facts = { symbol: instrument.symbol, interval, trouble, note, adjustment: adjustmentView(set) };
      return { data: candleRows(set), ...facts, ...provenanceOf(set) };
    },
  });
  routes.get("/api/historical/:symbol", {
    id: "getHistory",
    summary: "Closed candles between two moments, or of a period",
    params: symbolParams,
    query: historicalQuery,
    answer: { data: candleListSchema },
    errors: VIEW_ERRORS,
    async handle({ params, query: { from, to, period, interval, limit, ...prices } }) {
      if (from !== undefined && to !== undefined && from >= to) {
        throw new AppError("invalid_request", "query from: must lie before to");
      }
      const stretch = from === undefined && to === undefined ? { period } : { from: from ?? 0, to };
      const set = await market.loadBars(params.symbol, interval, stretch, limit, wantedOf(prices));
      return { data: candleListView(set) };
    },
  });
  routes.get("/api/intraday/:symbol", {
    id: "getIntraday",
    summary: "Closed candles of the last trading days",
    params: symbolParams,
    query: intradayQuery,
    answer: { data: candleListSchema },
    errors: VIEW_ERRORS,
    async handle({ params, query: { interval, days, ...prices } }) {
      if (interval === "1d" || interval === "1w") {
        throw new AppError("invalid_request", "query interval: must be shorter than a day");
      }
      const wanted = wantedOf(prices);
      const stretch = await market.lastSessions(params.symbol, interval, days, wanted.knownAtMs);
      return {
        data: candleListView(await market.loadBars(params.symbol, interval, stretch, BARS_LIMIT, wanted)),
      };
    },
  });
}

function gapRoutes(routes: RouteGroup, gaps: Gaps): void {
  routes.get("/api/candles/:symbol/gaps", {
    id: "listGaps",
    summary: "Bars that should be stored by the calendar and are not, and why where that is known",
    params: symbolParams,
    query: gapsQuery,
    answer: { data: gapListSchema },
    errors: SYMBOL_ERRORS,
    async handle({ params, query: { interval, from, to, limit } }) {
      if (from !== undefined && to !== undefined && from >= to) {
        throw new AppError("invalid_request", "query from: must lie before to");
      }
      return { data: gapListView(await gaps.list(params.symbol, interval, from, to, limit), interval) };
    },
  });
}
