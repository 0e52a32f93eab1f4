import type { FastifyInstance } from "fastify";
import { AppError } from "../../platform/errors.js";
import { routeGroup } from "../../platform/http.js";
import { CANDLE_ERRORS, symbolParams } from "../candles/schema.js";
import { confidenceView, heatmapView } from "./heatmap-views.js";
import {
  anyBody,
  confidenceQuery,
  confidenceSchema,
  detectBody,
  detectionSchema,
  heatmapAnswer,
  heatmapQuery,
} from "./schema.js";
import type { Signals } from "./signals.js";
import { detectionView } from "./views.js";

const DETECT = "/api/detect-enhanced";

/** Patterns with every layer that says something of them. */
export function fusedPatternRoutes(
  app: FastifyInstance,
  { signals, now }: { signals: Signals; now: () => number },
): void {
  const routes = routeGroup(app, { tag: "Patterns", access: "viewer", perMinute: 20 });

  routes.post(DETECT, {
    id: "detectFused",
    summary: "The pattern on the newest closed bars that says most, with all layers in its direction",
    description:
      "Weights sum to 1 over the layers that say something, and the contributions add up to the composite score.",
    perMinute: 30,
    body: detectBody,
    answer: { data: detectionSchema },
    errors: [...CANDLE_ERRORS, "no_pattern"],
    async handle({ body: { symbol, timeframe } }) {
      return { data: detectionView(await signals.detect(symbol, timeframe), now()) };
    },
  });
  routes.post("/api/detect/enhanced", {
    id: "detectFusedFormerly",
    summary: `Gone: ${DETECT} is served instead`,
    body: anyBody,
    answer: {},
    errors: ["gone"],
    handle() {
      throw new AppError("gone", `Use POST ${DETECT}`);
    },
  });
  routes.get("/api/patterns/heatmap", {
    id: "getPatternHeatmap",
    aliases: [{ path: "/api/pattern-heatmap", id: "getPatternHeatmapAlias" }],
    summary: "Patterns on the newest closed bars of a symbol, and of others, by interval",
    query: heatmapQuery,
    answer: heatmapAnswer,
    errors: CANDLE_ERRORS,
    async handle({ query: { symbol, others = [] } }) {
      const [map, further] = await Promise.all([signals.heatmap(symbol), signals.heatmaps(others)]);
      return heatmapView(map, further, now());
    },
  });
  routes.get("/api/patterns/confidence/:symbol", {
    id: "getPatternConfidence",
    summary: "What is measured of the patterns that are on the newest closed bars",
    params: symbolParams,
    query: confidenceQuery,
    answer: { data: confidenceSchema },
    errors: CANDLE_ERRORS,
    async handle({ params, query: { timeframe } }) {
      const intervals = timeframe === undefined ? undefined : [timeframe];
      return { data: confidenceView(await signals.heatmap(params.symbol, intervals), now()) };
    },
  });
}
