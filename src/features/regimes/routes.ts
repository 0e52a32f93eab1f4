import type { FastifyInstance } from "fastify";
import { routeGroup } from "../../platform/http.js";
import { CANDLE_ERRORS, symbolParams } from "../candles/schema.js";
import type { Regimes } from "./regimes.js";
import {
  detectBody,
  marketRegimeQuery,
  marketRegimeSchema,
  readingSchema,
  timelineQuery,
  timelineSchema,
  typesSchema,
} from "./schema.js";
import { marketRegimeView, readingView, timelineView, typesView } from "./views.js";

export function regimeRoutes(
  app: FastifyInstance,
  { regimes, now }: { regimes: Regimes; now: () => number },
): void {
  const routes = routeGroup(app, { tag: "Regimes", access: "viewer", perMinute: 60 });

  routes.post("/api/ml/advanced/regime/detect", {
    id: "detectRegime",
    summary: "The regime of a symbol at its newest closed bar, with the numbers that made it",
    body: detectBody,
    answer: { data: readingSchema },
    errors: CANDLE_ERRORS,
    async handle({ body: { symbol, timeframe, lookback_days, include_market_data } }) {
      const reading = await regimes.detect(symbol, timeframe, lookback_days, include_market_data);
      return { data: readingView(reading, now()) };
    },
  });
  routes.get("/api/ml/advanced/regime/types", {
    id: "listRegimeTypes",
    summary: "The nine regimes and the conditions of each",
    answer: { data: typesSchema },
    handle: () => ({ data: typesView() }),
  });
  routes.get("/api/ml/market-regime", {
    id: "getMarketRegime",
    summary: "The regime of a symbol by the day, in short",
    query: marketRegimeQuery,
    answer: { data: marketRegimeSchema },
    errors: CANDLE_ERRORS,
    async handle({ query: { symbol, lookback_days } }) {
      return { data: marketRegimeView(await regimes.detect(symbol, "1d", lookback_days, true), now()) };
    },
  });
  routes.get("/api/regimes/:symbol", {
    id: "getRegimeTimeline",
    summary: "Regimes of the newest closed bars of a symbol, their spells and what followed what",
    params: symbolParams,
    query: timelineQuery,
    answer: { data: timelineSchema },
    errors: CANDLE_ERRORS,
    async handle({ params, query: { timeframe, limit, as_of } }) {
      return { data: timelineView(await regimes.timeline(params.symbol, timeframe, limit, as_of)) };
    },
  });
}
