import type { FastifyInstance } from "fastify";
import { AppError } from "../../platform/errors.js";
import { routeGroup } from "../../platform/http.js";
import { chartRoute } from "./chart-route.js";
import {
  detectionDetailSchema,
  detectionParams,
  feedbackBody,
  feedbackSummarySchema,
  proofSchema,
  validateBody,
  validationSchema,
} from "./detection-schema.js";
import { detectionDetailView, proofView, summaryView, validationView } from "./detection-views.js";
import type { Explain } from "./feature.js";

const DETECTION_ERRORS = [
  "detection_not_found",
  "symbol_unknown",
  "interval_unavailable",
  "no_data",
  "provider_unavailable",
] as const;

/** Routes about one detection, and whether there is one. */
export function detectionRoutes(app: FastifyInstance, explain: Explain): void {
  const routes = routeGroup(app, { tag: "Patterns", access: "viewer", perMinute: 60 });
  chartRoute(app, explain.charts);

  routes.get("/api/detections/:id", {
    id: "getDetection",
    summary: "A stored detection with what it is made of, what became of it and what users say of it",
    params: detectionParams,
    answer: { data: detectionDetailSchema },
    errors: DETECTION_ERRORS,
    async handle({ params, principal }) {
      const { detection, outcome, reliability } = await explain.detail(params.id);
      const feedback = await explain.feedback.summary(params.id, principal.userId);
      return { data: detectionDetailView(detection, feedback, outcome, reliability) };
    },
  });
  routes.get("/api/detections/:id/proof", {
    id: "proveDetection",
    summary: "A stored detection computed again from the bars that were known when it was stored",
    description:
      "Every value is compared to the last bit, except confidence, which is measured elsewhere. Where the source has " +
      "changed the bars since, the answer from those known now stands beside it.",
    perMinute: 30,
    params: detectionParams,
    answer: { data: proofSchema },
    errors: [...DETECTION_ERRORS, "pattern_unknown"],
    handle: async ({ params }) => ({ data: proofView(await explain.proofs.prove(params.id), explain.now()) }),
  });
  routes.post("/api/detections/:id/feedback", {
    id: "judgeDetection",
    summary: "Say whether a detected pattern is there",
    description: "One verdict a user counts: the newest. Older ones are kept.",
    access: "trader",
    perMinute: 30,
    params: detectionParams,
    body: feedbackBody,
    answer: { data: feedbackSummarySchema },
    errors: ["detection_not_found"],
    async handle({ params, body, principal }) {
      const note = body.note ?? null;
      const { summary } = await explain.feedback.give(params.id, principal.userId, body.verdict, note);
      return { data: summaryView(summary) };
    },
  });
  routes.post("/api/patterns/validate", {
    id: "validatePattern",
    summary: "Whether a pattern is on the newest closed bars of a symbol, now or at a moment",
    perMinute: 20,
    body: validateBody,
    answer: { data: validationSchema },
    errors: [
      "symbol_invalid",
      "symbol_unknown",
      "interval_unavailable",
      "pattern_unknown",
      "no_data",
      "provider_unavailable",
    ],
    async handle({ body: { symbol, pattern, timeframe, at } }) {
      if (at !== undefined && at > explain.now()) {
        throw new AppError("invalid_request", "body at: lies in the future");
      }
      return { data: validationView(await explain.validation.validate(symbol, pattern, timeframe, at)) };
    },
  });
}
