import type { FastifyInstance } from "fastify";
import { routeGroup } from "../../platform/http.js";
import { CANDLE_ERRORS, symbolParams } from "../candles/schema.js";
import type { Instruments } from "../instruments/instruments.js";
import type { Detections } from "./detections.js";
import { logRoutes } from "./log-routes.js";
import { detectBody, examinationSchema, patternsQuery } from "./schema.js";
import { examinationView } from "./views.js";

/** Newest bars that `/api/patterns/:symbol` looks at. */
const WINDOW_BARS = 200;

export interface DetectionRouteOptions {
  readonly detections: Detections;
  readonly instruments: Instruments;
  readonly now: () => number;
}

export function detectionRoutes(app: FastifyInstance, options: DetectionRouteOptions): void {
  const { detections, now } = options;
  const routes = routeGroup(app, { tag: "Patterns", access: "viewer", perMinute: 30 });

  routes.post("/api/detect", {
    id: "detectPatterns",
    summary: "Patterns on the newest closed bars of a symbol, computed now",
    body: detectBody,
    answer: { data: examinationSchema },
    errors: CANDLE_ERRORS,
    async handle({ body: { symbol, timeframe, bars } }) {
      return { data: examinationView(await detections.examine(symbol, timeframe, bars), now()) };
    },
  });
  routes.get("/api/patterns/:symbol", {
    id: "getPatterns",
    summary: `Patterns on the newest ${WINDOW_BARS} closed bars, newest first`,
    params: symbolParams,
    query: patternsQuery,
    answer: { data: examinationSchema },
    errors: CANDLE_ERRORS,
    async handle({ params, query: { timeframe, min_confidence, limit } }) {
      const examination = await detections.examine(params.symbol, timeframe, WINDOW_BARS);
      return { data: examinationView(examination, now(), { leastQuality: min_confidence, limit }) };
    },
  });
  logRoutes(routes, options);
}
