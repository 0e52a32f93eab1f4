import type { FastifyInstance } from "fastify";
import { z } from "zod";
import { isoTime, routeGroup } from "../../platform/http.js";
import type { OnlineExplanation, OnlineModels, OnlinePrediction } from "../models/online.js";
import type { Retraining } from "./feature.js";
import { layerProofRoutes } from "./layer-proof.js";
import type { LearningStatus } from "./status.js";
import { figuresView } from "./status.js";
import {
  attributionSchema,
  learningSchema,
  onlineStatusAnswer,
  performanceSchema,
  periodQuery,
  predictBody,
  predictionAnswer,
  statsSchema,
  updateBody,
} from "./status-schema.js";

export interface StatusRouteOptions {
  readonly retraining: Retraining;
  readonly now: () => number;
}

/** How learning goes, and the models that are taught label by label. */
export function learningRoutes(app: FastifyInstance, { retraining, now }: StatusRouteOptions): void {
  const { status } = retraining;
  const routes = routeGroup(app, { tag: "Models", access: "viewer", perMinute: 30 });
  onlineRoutes(app, retraining.online);
  layerProofRoutes(app, retraining.layerProofs);

  routes.get("/api/ml/online-status", {
    id: "getOnlineStatus",
    summary: "Models that are taught label by label, and how they fared before each",
    answer: { data: z.object(onlineStatusAnswer), ...onlineStatusAnswer },
    async handle() {
      const view = await status.online();
      return { data: view, ...view };
    },
  });
  routes.get("/api/ml/learning-status", {
    id: "getLearningStatus",
    summary: "Whether something is being learned, what waits, and what was done last",
    perMinute: 60,
    answer: { data: learningSchema },
    handle: async () => ({ data: await status.learning() }),
  });
  routes.get("/api/ml/model-performance", {
    id: "getModelPerformance",
    aliases: [{ path: "/api/ml/performance", id: "getModelPerformanceAlias" }],
    summary: "What was measured of models, version by version, and what became of what they scored",
    answer: { data: performanceSchema },
    handle: async () => ({ data: await status.performance() }),
  });
  routes.get("/api/ml/layer-attribution", {
    id: "attributeLayers",
    summary: "What each layer did to the composites of alerts, by leaving it out when the alert was raised",
    perMinute: 20,
    query: periodQuery,
    answer: { data: attributionSchema, timestamp: z.iso.datetime() },
    async handle({ query: { period } }) {
      return { data: await status.attribution(Number.parseInt(period, 10)), timestamp: isoTime(now()) };
    },
  });
  statsRoutes(app, status);
}

function statsRoutes(app: FastifyInstance, status: LearningStatus): void {
  const routes = routeGroup(app, { tag: "Models", access: "viewer", perMinute: 20 });
  routes.get("/api/stats/ml", {
    id: "getModelStatistics",
    summary:
      "How many models and labels there are, when models were trained, and how far features have drifted",
    answer: { data: statsSchema },
    handle: async () => ({ data: await status.stats() }),
  });
}

function onlineRoutes(app: FastifyInstance, online: OnlineModels): void {
  const routes = routeGroup(app, { tag: "Models", access: "trader", perMinute: 30 });
  routes.post("/api/ml/online-predict", {
    id: "predictOnline",
    summary: "What the model that is taught label by label says of features",
    access: "viewer",
    perMinute: 60,
    body: predictBody,
    answer: { data: z.object(predictionAnswer), ...predictionAnswer },
    errors: ["model_refused"],
    async handle({ body }) {
      const view = predictionView(await online.predict(keyOf(body), rowOf(online.names, body.features)));
      return { data: view, ...view };
    },
  });
  routes.post("/api/ml/online-update", {
    id: "teachOnline",
    summary: "Teach the model of a regime one label",
    description: "It is scored before it is learned; the answer tells how the model fared so far.",
    body: updateBody,
    answer: { data: z.object(predictionAnswer), ...predictionAnswer },
    errors: ["model_refused"],
    async handle({ body }) {
      const key = keyOf(body);
      const row = rowOf(online.names, body.features);
      await online.learn(key, [{ row, label: body.label, outcome: null }]);
      const view = predictionView(await online.predict(key, row));
      return { data: view, ...view };
    },
  });
}

type Asked = z.output<typeof predictBody>;

const keyOf = ({ asset_class, timeframe, regime }: Asked) => `${asset_class}:${timeframe}:${regime}`;

/** Values in the order of the names; NaN for what is null or left out. */
function rowOf(names: readonly string[], features: Asked["features"]): Float64Array {
  const value = (name: string, k: number) =>
    Array.isArray(features) ? features[k] : Object.hasOwn(features, name) ? features[name] : null;
  return Float64Array.from(names, (name, k) => value(name, k) ?? Number.NaN);
}

function predictionView({ key, score, samples, figures, explanation }: OnlinePrediction) {
  return {
    prediction: score === null ? null : score >= 0.5 ? (1 as const) : (0 as const),
    probabilities: score === null ? null : [1 - score, score],
    model_key: key,
    n_samples_seen: samples,
    performance: figuresView(figures),
    explanation: explanation === null ? null : explanationView(explanation),
  };
}

function explanationView({ base, logOdds, columns }: OnlineExplanation) {
  const greatest = [...columns].sort((a, b) => Math.abs(b.contribution) - Math.abs(a.contribution));
  return {
    log_odds: logOdds,
    base,
    contributions: greatest.map(({ deviation, missing, ...column }) => ({
      ...column,
      standard_deviation: deviation,
      missing_coefficient: missing,
    })),
  };
}
