import type { FastifyInstance } from "fastify";
import { AppError } from "../../platform/errors.js";
import { routeGroup } from "../../platform/http.js";
import { sha256 } from "../../platform/sha256.js";
import { exportOf, exportSchema } from "./exchange.js";
import type { ModelFeature } from "./feature.js";
import { MODEL_ERRORS } from "./routes.js";
import { scoreParams } from "./schema.js";

/** Versions as files that other servers take in. */
export function exchangeRoutes(app: FastifyInstance, { models }: { models: ModelFeature }): void {
  const routes = routeGroup(app, { tag: "Models", access: "trader", perMinute: 10 });
  routes.get("/api/ml/models/:id/export", {
    id: "exportModel",
    summary: "A version as a file: artefact, card, metrics and what it reads",
    description: "What POST /api/ml/import takes, as it is answered.",
    params: scoreParams,
    answer: { data: exportSchema },
    errors: MODEL_ERRORS,
    async handle({ params: { id }, reply }) {
      const version = await models.modelStore.find(id);
      if (version === null) throw new AppError("model_not_found", `There is no model ${id}`);
      const artefact = await models.modelStore.artefact(id);
      if (artefact === null || sha256(artefact) !== version.hash)
        throw new AppError("model_refused", `Version ${version.version} is not the one that was stored`);
      const { learner, assetClass, interval, grouping } = version;
      const name = [learner, assetClass, interval, grouping, version.version].join("-");
      void reply.header("content-disposition", `attachment; filename="${name}.json"`);
      return { data: exportOf(version, artefact) };
    },
  });
}
