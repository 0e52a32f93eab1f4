import type { FastifyInstance } from "fastify";
import { z } from "zod";
import { AppError } from "../../platform/errors.js";
import { routeGroup } from "../../platform/http.js";
import type { ModelFeature } from "./feature.js";
import type { RefusedVersion } from "./registry.js";
import {
  importanceSchema,
  infoQuery,
  metadataSchema,
  modelsAnswer,
  type purposeQuery,
  scoreParams,
} from "./schema.js";
import { worthOfColumns } from "./scoring.js";
import { ANY, deepPurpose, type ModelVersion, nameOf, type Purpose } from "./store.js";
import { capitalised, toldOf, unreadableOf } from "./unreadable.js";
import { groupsView, metadataView, versionView } from "./views.js";

const MOST = 500;
const NONE = "No model has been promoted yet: POST /api/ml/train trains some";
export const MODEL_ERRORS = ["model_not_found", "model_refused"] as const;

type Asked = Pick<z.output<typeof purposeQuery>, "learner" | "pattern"> & {
  readonly asset_class?: string | undefined;
  readonly timeframe?: string | undefined;
};

/** Why nothing serves. @param purpose of what is asked for; of anything without it. */
export function absenceOf(refused: readonly RefusedVersion[], purpose?: Purpose): string {
  if (purpose !== undefined) {
    const told = unreadableOf(refused, purpose);
    return told === null ? NONE : capitalised(told);
  }
  return refused.length === 0 ? NONE : capitalised(toldOf(refused[0]));
}

/** The purpose that a caller means, and the group within its model. */
export function purposeOf({
  learner,
  asset_class: assetClass = ANY,
  timeframe: interval = ANY,
  pattern,
}: Asked): Purpose {
  if (learner !== "gradient_trees") return deepPurpose(learner);
  return { learner, assetClass, interval, grouping: pattern === undefined ? "regime" : "pattern" };
}

/** Versions, what serves, and who decided: what is there to be read, promoted and taken back. */
export function modelRoutes(app: FastifyInstance, { models }: { models: ModelFeature }): void {
  const { registry, modelStore } = models;
  const routes = routeGroup(app, { tag: "Models", access: "viewer", perMinute: 30 });

  async function versionOf(asked: Asked, version: string): Promise<ModelVersion> {
    const purpose = purposeOf(asked);
    const [found] = await modelStore.list(version === "latest" ? purpose : { ...purpose, version }, 1);
    if (found !== undefined) return found;
    const what = nameOf(purpose);
    throw new AppError(
      "model_not_found",
      `There is no version${version === "latest" ? "" : ` ${version}`} of ${what}`,
    );
  }

  routes.get("/api/ml/models", {
    id: "listModels",
    summary: "Versions of models, and what serves by regime and by pattern",
    answer: modelsAnswer,
    async handle() {
      const versions = await modelStore.list({}, MOST);
      const serving = registry.allServing();
      return {
        data: versions.map(versionView),
        models: { global: groupsView(serving, "regime"), pattern: groupsView(serving, "pattern") },
        refused: registry.refused().map(({ purpose, version, reason, servedBy }) => {
          return { model: nameOf(purpose), version, reason, served_by: servedBy };
        }),
        reason: serving.length === 0 ? absenceOf(registry.refused()) : null,
      };
    },
  });
  routes.get("/api/ml/models/:id", {
    id: "getModel",
    summary: "One version with its card",
    params: scoreParams,
    answer: { data: metadataSchema },
    errors: ["model_not_found"],
    async handle({ params: { id } }) {
      const version = await modelStore.find(id);
      if (version === null) throw new AppError("model_not_found", `There is no model ${id}`);
      return { data: metadataView(version) };
    },
  });
  routes.get("/api/ml/model-info", {
    id: "getModelInfo",
    summary: "A version with its metrics, its card and what its features weigh",
    query: infoQuery,
    answer: { data: metadataSchema, metadata: metadataSchema, feature_importance: z.array(importanceSchema) },
    errors: MODEL_ERRORS,
    async handle({ query }) {
      const version = await versionOf(query, query.version);
      const { opened } = await registry.open(version);
      // A net and an agent are explained by window and state, not by what their columns weigh.
      const weights = opened.learner === "gradient_trees" ? worthOfColumns(opened.model) : [];
      const importances = weights.map(({ share, splits }, k) => ({
        feature: version.columns[k],
        importance: share,
        splits,
      }));
      const metadata = metadataView(version);
      importances.sort((a, b) => b.importance - a.importance);
      return { data: metadata, metadata, feature_importance: importances };
    },
  });
}
