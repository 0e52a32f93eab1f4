import type { FastifyInstance } from "fastify";
import { z } from "zod";
import { AppError } from "../../platform/errors.js";
import { routeGroup } from "../../platform/http.js";
import { sha256 } from "../../platform/sha256.js";
import type { ModelFeature } from "./feature.js";
import { absenceOf, MODEL_ERRORS, purposeOf } from "./routes.js";
import {
  ALL_REGIMES,
  auditSchema,
  auditsQuery,
  promoteBody,
  proofSchema,
  purposeQuery,
  rollbackBody,
  scoreParams,
  versionSchema,
} from "./schema.js";
import { auditView, proofView, versionView } from "./views.js";

const DEFAULTS = { tag: "Models", access: "viewer", perMinute: 30 } as const;

/** What is decided about versions, and proofs of what they said. */
export function governanceRoutes(app: FastifyInstance, { models }: { models: ModelFeature }): void {
  const { registry } = models;
  const routes = routeGroup(app, DEFAULTS);
  routes.get("/api/ml/active-version", {
    id: "getActiveVersion",
    summary: "The version that serves an asset class and interval",
    query: purposeQuery,
    answer: {
      data: versionSchema.nullable(),
      active_version: z.string().nullable(),
      group: z
        .string()
        .nullable()
        .describe("Group of the model that scores; all where it has none of that name"),
      reason: z.string().nullable(),
    },
    async handle({ query }) {
      const purpose = purposeOf(query);
      const open = registry.serving(purpose);
      if (open === null) {
        const reason = absenceOf(registry.refused(), purpose);
        return { data: null, active_version: null, group: null, reason };
      }
      const { version, opened } = open;
      const key = query.pattern ?? query.regime;
      const known = opened.learner === "gradient_trees" && opened.model.trees.groups.has(key);
      const group = known ? key : ALL_REGIMES;
      return { data: versionView(version), active_version: version.version, group, reason: null };
    },
  });
  routes.post("/api/ml/promote", {
    id: "promoteModel",
    summary: "Make a shadow, or a version that was active before, the active one",
    description:
      "Regimes and patterns are groups within the version of an asset class and interval, and go with it. What a rule of " +
      "promotion refused stays refused. What was taken back serves again only where force says so, and neither when the same " +
      "bytes are trained or imported anew.",
    access: "admin",
    perMinute: 10,
    body: promoteBody,
    answer: { data: versionSchema, active_version: z.string() },
    errors: [...MODEL_ERRORS, "promotion_refused", "conflict"],
    async handle({ body, principal }) {
      const audit = { actor: principal.userId, reason: body.reason, numbers: {} };
      const version = await registry.promote(purposeOf(body), body.to_version, audit, { force: body.force });
      return { data: versionView(version), active_version: version.version };
    },
  });
  routes.post("/api/ml/rollback", {
    id: "rollBackModel",
    summary: "Take the active version back; the one before it serves again",
    access: "admin",
    perMinute: 10,
    body: rollbackBody,
    answer: { data: versionSchema.nullable(), active_version: z.string().nullable() },
    errors: ["model_not_found", "conflict"],
    async handle({ body, principal }) {
      const audit = { actor: principal.userId, reason: body.reason, numbers: {} };
      const version = await registry.rollBack(purposeOf(body), audit);
      return {
        data: version === null ? null : versionView(version),
        active_version: version?.version ?? null,
      };
    },
  });
  proofRoutes(app, models);
}

/** Why versions stand where they stand, and whether what they said is what they say. */
function proofRoutes(app: FastifyInstance, { modelStore, registry, scores, scoring }: ModelFeature): void {
  const routes = routeGroup(app, DEFAULTS);
  routes.get("/api/ml/audits", {
    id: "listModelAudits",
    summary: "What was decided about versions, by whom and by which numbers, newest first",
    query: auditsQuery,
    answer: { data: z.array(auditSchema), total: z.number().int() },
    async handle({ query: { model_id: modelId, limit } }) {
      const rows = await modelStore.audits({ modelId }, limit);
      return { data: rows.map(auditView), total: await modelStore.countAudits({ modelId }) };
    },
  });
  routes.get("/api/ml/scores/:id/proof", {
    id: "proveScore",
    summary: "A stored score, computed again from its snapshot by the version of its hash",
    params: scoreParams,
    answer: { data: proofSchema },
    errors: ["score_not_found"],
    async handle({ params: { id } }) {
      const score = await scores.find(id);
      if (score === null) throw new AppError("score_not_found", `There is no score ${id}`);
      const artefact = await modelStore.artefact(score.modelId);
      const hash = artefact === null ? "" : sha256(artefact);
      try {
        return { data: proofView(score, await scoring.recompute(score), hash) };
      } catch (error) {
        if (!(error instanceof AppError) || error.code !== "model_refused") throw error;
        // What serves may have been altered, too.
        await registry.refresh();
        return { data: proofView(score, { reason: error.message }, hash) };
      }
    },
  });
}
