import type { FastifyInstance } from "fastify";
import { z } from "zod";
import { routeGroup } from "../../platform/http.js";
import type { Telemetry, TradePage } from "./telemetry.js";
import {
  compareQuery,
  comparisonSchema,
  featureQuery,
  scoredTradeParams,
  telemetryTradeSchema,
  tradesQuery,
  versionRecordSchema,
} from "./telemetry-schema.js";
import { comparisonView, tradeView, versionView } from "./telemetry-views.js";

const trades = {
  data: z.array(telemetryTradeSchema),
  total: z.number().int().describe("Of all that were asked for, beyond the limit, too"),
};
const pageView = ({ trades: page, total }: TradePage) => ({ data: page.map(tradeView), total });

/** What models said of trades, and what became of them. */
export function telemetryRoutes(app: FastifyInstance, { telemetry }: { telemetry: Telemetry }): void {
  const routes = routeGroup(app, { tag: "Models", access: "viewer", perMinute: 60 });
  routes.get("/api/ml-telemetry/trades", {
    id: "listScoredTrades",
    summary: "Trades with the version, hash, features and score of the model that scored them",
    query: tradesQuery,
    answer: trades,
    async handle({ query: { model_version: version, source, asset_class, timeframe, limit } }) {
      const filter = { version, source, assetClass: asset_class, interval: timeframe };
      return pageView(await telemetry.trades(filter, limit));
    },
  });
  routes.get("/api/ml-telemetry/trades/:id", {
    id: "getScoredTrade",
    summary: "One trade with its whole snapshot of features",
    params: scoredTradeParams,
    answer: { data: telemetryTradeSchema },
    errors: ["trade_not_found"],
    handle: async ({ params: { id } }) => ({ data: tradeView(await telemetry.trade(id)) }),
  });
  routes.get("/api/ml-telemetry/versions", {
    id: "listModelRecords",
    summary: "Per version: trades, win rate, average confidence, total profit",
    answer: { data: z.array(versionRecordSchema), total: z.number().int() },
    async handle() {
      const rows = await telemetry.versions();
      return { data: rows.map(versionView), total: rows.length };
    },
  });
  routes.get("/api/ml-telemetry/compare", {
    id: "compareModels",
    summary: "Two versions side by side, with tests of the difference",
    query: compareQuery,
    answer: { data: comparisonSchema },
    errors: ["model_not_found"],
    async handle({ query: { a, b, asset_class: assetClass, timeframe: interval } }) {
      return { data: comparisonView(await telemetry.compare(a, b, { assetClass, interval })) };
    },
  });
  routes.get("/api/ml-telemetry/features", {
    id: "listTradesByFeature",
    summary: "Trades of which a feature lay below min or above max",
    query: featureQuery,
    answer: trades,
    async handle({ query: { name, min, max, limit } }) {
      return pageView(await telemetry.outside({ name, min: min ?? null, max: max ?? null }, limit));
    },
  });
}
