import type { FastifyInstance } from "fastify";
import { AppError } from "../../platform/errors.js";
import { routeGroup } from "../../platform/http.js";
import { CANDLE_ERRORS } from "../candles/schema.js";
import { detectionRoutes } from "./detection-routes.js";
import { requireVariant } from "./encyclopaedia.js";
import type { Explain } from "./feature.js";
import { type LookaheadRouteOptions, lookaheadRoutes } from "./lookahead-routes.js";
import type { Reading } from "./reading.js";
import { reasoningView, unseenView } from "./reasoning-view.js";
import { recommend } from "./recommendation.js";
import {
  alertBody,
  alertExplanationSchema,
  entryQuery,
  entrySchema,
  explainBody,
  explainQuery,
  patternParams,
  reasoningAnswer,
  reasoningBody,
} from "./schema.js";
import { reasoningSteps } from "./steps.js";
import { alertExplanationView, entryView } from "./views.js";

export interface ExplainRouteOptions extends Pick<LookaheadRouteOptions, "jobs"> {
  readonly explain: Explain;
}

const ALERT_DESCRIPTION =
  "Bars, levels, cases and `confidence` are those of when it was raised. What has been measured of the pattern by now " +
  "stands beside them as `evidence`, with its date, and the action is that of now.";

export function explainRoutes(app: FastifyInstance, options: ExplainRouteOptions): void {
  const { explain } = options;
  const routes = routeGroup(app, { tag: "Explain", access: "viewer", perMinute: 20 });
  const entry = { data: entrySchema };
  const errors = ["pattern_unknown", ...CANDLE_ERRORS] as const;
  const summary = "What a pattern is, how it is traded, and how often it came true";

  routes.get("/api/explain/pattern/:pattern", {
    id: "explainPattern",
    summary,
    params: patternParams,
    query: entryQuery,
    answer: entry,
    errors,
    handle: async ({ params, query }) => ({
      data: entryView(await explain.encyclopaedia.explain(params.pattern, query.timeframe)),
    }),
  });
  routes.get("/api/patterns/explain", {
    id: "explainPatternByQuery",
    summary,
    query: explainQuery,
    answer: entry,
    errors,
    handle: async ({ query }) => ({
      data: entryView(await explain.encyclopaedia.explain(query.pattern, query.timeframe)),
    }),
  });
  routes.post("/api/patterns/explain", {
    id: "explainPatternByBody",
    summary,
    body: explainBody,
    answer: entry,
    errors,
    handle: async ({ body }) => ({
      data: entryView(await explain.encyclopaedia.explain(body.pattern, body.timeframe)),
    }),
  });
  routes.post("/api/explain/alert", {
    id: "explainAlert",
    summary: "Why an alert was raised, with the numbers that were known then",
    description: ALERT_DESCRIPTION,
    body: alertBody,
    answer: { data: alertExplanationSchema },
    errors: ["alert_not_found", "detection_not_found", ...errors],
    async handle({ body: { alert_id, alert_type = "", symbol = "" } }) {
      const subject =
        alert_id === undefined
          ? await explain.subjects.ofNewestAlert(symbol, alert_type)
          : await explain.subjects.ofAlert(alert_id);
      return { data: explanationOf(await explain.read(subject)) };
    },
  });
  routes.post("/api/explain/reasoning", {
    id: "explainReasoning",
    summary: "Step by step, what speaks for and against a pattern on a symbol",
    description:
      "Of the alert that is named, or else the newest alert or stored detection of the pattern, or what is seen now. " +
      "Bars and cases are those known when its bar closed; the measured hit rate is that of now, with its date, and so is " +
      "how the trade stands: none is recommended that is over or of which old prices do not tell.",
    perMinute: 30,
    body: reasoningBody,
    answer: reasoningAnswer,
    errors: ["alert_not_found", "detection_not_found", ...errors],
    async handle({ body: { symbol, timeframe = null, alert_id, ...named } }) {
      const pattern = patternOf(named);
      const found =
        alert_id === undefined
          ? await explain.subjects.find(symbol, pattern?.id ?? "", timeframe)
          : await explain.subjects.ofAlertOn(alert_id, symbol);
      if (pattern !== null && pattern.id !== found.variant.id) {
        throw new AppError("invalid_request", `body alert_id: is an alert of ${found.variant.title}`);
      }
      if (!("detection" in found)) {
        const { variant, interval } = found;
        return unseenView(found, explain.evidence.confidenceOf(variant.id, interval, null));
      }
      const [reading, composite] = await Promise.all([explain.read(found), explain.composite(found)]);
      return reasoningView(reading, composite);
    },
  });
  detectionRoutes(app, explain);
  lookaheadRoutes(app, { jobs: options.jobs, kind: explain.lookahead });
}

/** @throws {AppError} `alert_not_found` of what is none. */
function explanationOf(reading: Reading) {
  const { alert } = reading.subject;
  if (alert === null) throw new AppError("alert_not_found", "There is no such alert");
  return alertExplanationView(reading, alert, recommend(reading), reasoningSteps(reading));
}

/** What both fields name; null without either. @throws {AppError} `pattern_unknown`, `invalid_request` where they differ. */
function patternOf({
  pattern,
  pattern_name,
}: {
  pattern?: string | undefined;
  pattern_name?: string | undefined;
}) {
  const [first = null, second = null] = [pattern, pattern_name].map((text) =>
    text === undefined ? null : requireVariant(text).variant,
  );
  if (first !== null && second !== null && first.id !== second.id) {
    const text = `body pattern_name: names ${second.title}, and pattern ${first.title}`;
    throw new AppError("invalid_request", text);
  }
  return first ?? second;
}
