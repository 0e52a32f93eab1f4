import type { z } from "zod";
import { isoTime } from "../../platform/http.js";
import type { OpenModel } from "./artefact.js";
import { cardSchema, modelMetricsSchema } from "./card.js";
import type { OpenVersion } from "./registry.js";
import {
  ALL_REGIMES,
  type auditSchema,
  type metadataSchema,
  type proofSchema,
  type versionSchema,
} from "./schema.js";
import type { StoredScore } from "./scores.js";
import { type AuditRow, type ModelVersion, nameOf } from "./store.js";
import { shortHash, snapshotOf } from "./telemetry-views.js";

const timeOf = (ms: number | null) => (ms === null ? null : isoTime(ms));

export function versionView(version: ModelVersion): z.input<typeof versionSchema> {
  const { auc } = version.metrics;
  return {
    id: version.id,
    name: nameOf(version),
    learner: version.learner,
    asset_class: version.assetClass,
    timeframe: version.interval,
    grouping: version.grouping,
    version: version.version,
    status: version.status,
    hash: version.hash,
    data_hash: version.dataHash,
    feature_schema: version.featureSchema,
    samples: version.samples,
    first_decision: timeOf(version.firstDecisionMs),
    last_decision: timeOf(version.lastDecisionMs),
    last_updated: isoTime(version.createdAtMs),
    auc: typeof auc === "number" ? auc : null,
    href: `/api/ml/models/${version.id}`,
  };
}

export function metadataView(version: ModelVersion): z.input<typeof metadataSchema> {
  const metrics = modelMetricsSchema.safeParse(version.metrics);
  const card = cardSchema.safeParse(version.card);
  return {
    ...versionView(version),
    seed: version.seed,
    parameters: version.parameters,
    features: [...version.columns],
    metrics: metrics.success ? metrics.data : null,
    card: card.success ? card.data : null,
  };
}

/** The groups of what serves: what all share, then each by itself. */
export function groupsView(
  serving: readonly OpenVersion<OpenModel>[],
  grouping: "regime" | "pattern",
): { asset_class: string; timeframe: string; regime: string; version: string; pattern?: string }[] {
  return serving.flatMap(({ version, opened }) => {
    if (version.grouping !== grouping || opened.learner !== "gradient_trees") return [];
    const names = { asset_class: version.assetClass, timeframe: version.interval, version: version.version };
    const keys = [...opened.model.trees.groups.keys()];
    if (grouping === "pattern") return keys.map((pattern) => ({ ...names, regime: ALL_REGIMES, pattern }));
    return [ALL_REGIMES, ...keys].map((regime) => ({ ...names, regime }));
  });
}

export function auditView(audit: AuditRow): z.input<typeof auditSchema> {
  const { checks, ...numbers } = audit.numbers;
  return {
    id: audit.id,
    model_id: audit.modelId,
    version: audit.version,
    asset_class: audit.purpose.assetClass,
    timeframe: audit.purpose.interval,
    learner: audit.purpose.learner,
    action: audit.action,
    from: audit.from,
    to: audit.to,
    actor: audit.actor,
    reason: audit.reason,
    checks: Array.isArray(checks) ? checks : [],
    numbers,
    at: isoTime(audit.createdAtMs),
  };
}

/** A stored score beside the one that its snapshot and its version give now. */
export function proofView(
  score: StoredScore,
  again: { score: number; raw: number } | { reason: string },
  artefactHash: string,
): z.input<typeof proofSchema> {
  const recomputed = "reason" in again ? null : { score: again.score, raw: again.raw };
  return {
    score_id: score.id,
    symbol: score.symbol,
    timeframe: score.interval,
    pattern: score.pattern === "" ? null : score.pattern,
    direction: score.direction === 1 ? "long" : "short",
    bar_time: isoTime(score.barTime),
    model_version: score.version,
    model_hash: shortHash(score.hash),
    artefact_hash: artefactHash,
    feature_schema: score.featureSchema,
    features: snapshotOf(score.columns, score.values),
    stored: { score: score.score, raw: score.raw },
    recomputed,
    identical:
      recomputed !== null && Object.is(recomputed.score, score.score) && Object.is(recomputed.raw, score.raw),
    reason: "reason" in again ? again.reason : null,
  };
}
