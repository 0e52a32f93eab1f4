import type { FastifyInstance } from "fastify";
import { z } from "zod";
import { within } from "../../platform/deadline.js";
import { problemResponses } from "../../platform/http.js";
import type { Charts } from "./chart.js";
import { detectionParams } from "./detection-schema.js";

const TYPE = "image/svg+xml";
/** How long sources may be waited for, as on other routes. */
const PATIENCE_MS = 4_000;

const SCHEMA = {
  operationId: "drawDetection",
  tags: ["Patterns"],
  summary: "A stored detection as an SVG: candles, shape, lines, points and levels",
  description: "Has no script and no style sheet; its colours show on light and dark pages alike.",
  params: detectionParams,
  querystring: z.strictObject({}),
  response: {
    200: { description: "The picture", content: { [TYPE]: { schema: z.string() } } },
    ...problemResponses([
      ...(["invalid_request", "unauthenticated", "forbidden", "origin_refused", "uri_too_long"] as const),
      ...(["detection_not_found", "symbol_unknown", "interval_unavailable", "no_data"] as const),
      ...(["rate_limited", "internal", "overloaded", "timed_out", "shutting_down"] as const),
      ...(["provider_unavailable", "database_unavailable"] as const),
    ]),
  },
  security: [{ bearer: [] }, { apiKey: [] }],
};

/** GET /api/detections/:id/chart.svg */
export function chartRoute(app: FastifyInstance, charts: Charts): void {
  app.get<{ Params: { id: number } }>(
    "/api/detections/:id/chart.svg",
    { schema: SCHEMA, config: { access: "viewer", perMinute: 60 } },
    async ({ params }, reply) => {
      const picture = await within(PATIENCE_MS, () => charts.draw(params.id));
      return reply.type(`${TYPE}; charset=utf-8`).send(picture);
    },
  );
}
