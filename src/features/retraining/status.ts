import type { z } from "zod";
import { finiteOrNull } from "../../core/base/finite.js";
import { attributeLayers, type LayerPart } from "../../core/learning/layer-attribution.js";
import { compositeOf } from "../../core/learning/layer-stack.js";
import { areaUnderCurve } from "../../core/learning/metrics.js";
import type { PrequentialFigures } from "../../core/learning/prequential.js";
import type { Database } from "../../platform/database.js";
import { isoTime } from "../../platform/http.js";
import type { MarketName } from "../instruments/store.js";
import { metricsSchema } from "../models/card.js";
import type { ModelFeature } from "../models/feature.js";
import type { OnlineStatus } from "../models/online.js";
import { type ModelVersion, nameOf } from "../models/store.js";
import { type Drift, measureDrift } from "./drift.js";
import type { LabelStore } from "./label-store.js";
import type { LayerStore } from "./layer-store.js";
import type { RetrainingLoop } from "./loop.js";
import type {
  attributionSchema,
  learningSchema,
  onlineStatusAnswer,
  performanceSchema,
  statsSchema,
} from "./status-schema.js";

type Answer<T extends Record<string, z.ZodType>> = { [K in keyof T]: z.input<T[K]> };

const DAY_MS = 86_400_000;
const MOST_VERSIONS = 500;
const MOST_READINGS = 20_000;
const RECENT = 10;
const NAMES = {
  rules: "rule_based",
  deep: "deep_learning",
  multi_timeframe: "multi_timeframe",
  sentiment: "sentiment",
} as const;

export interface LearningStatus {
  online(): Promise<Answer<typeof onlineStatusAnswer>>;
  learning(): Promise<z.input<typeof learningSchema>>;
  performance(): Promise<z.input<typeof performanceSchema>>;
  /** What each layer did to decisions of so many days. */
  attribution(days: number): Promise<z.input<typeof attributionSchema>>;
  stats(): Promise<z.input<typeof statsSchema>>;
}

type StatusModels = Pick<ModelFeature, "registry" | "modelStore" | "online" | "telemetry">;

export interface StatusParts {
  readonly database: Database;
  readonly market: MarketName;
  readonly models: StatusModels;
  readonly labels: LabelStore;
  readonly layers: LayerStore;
  /** Null where models are not retrained by themselves. */
  readonly loop: RetrainingLoop | null;
  readonly now: () => number;
}

export function figuresView({ n, logLoss, brier, area }: PrequentialFigures) {
  return { labels: n, log_loss: finiteOrNull(logLoss), brier: finiteOrNull(brier), auc: finiteOrNull(area) };
}

export function createLearningStatus(parts: StatusParts): LearningStatus {
  const { models, labels, layers, loop, now } = parts;
  const { registry, modelStore, online } = models;

  async function waiting(): Promise<number> {
    const taught = loop === null ? 0 : (await loop.state()).taughtOutcome;
    return labels.waiting(taught);
  }

  async function modelStats(taught: readonly OnlineStatus[]) {
    const versions = await modelStore.list({ learner: "gradient_trees" }, MOST_VERSIONS);
    const patterns = registry
      .allServing()
      .flatMap(({ version, opened }) =>
        version.grouping === "pattern" && opened.learner === "gradient_trees"
          ? [...opened.model.trees.groups.keys()]
          : [],
      );
    const newest = Math.max(...taught.map(({ updatedAtMs }) => updatedAtMs), versions[0]?.createdAtMs ?? 0);
    return {
      total_patterns_learned: new Set(patterns).size,
      training_samples: taught.reduce((sum, { samples }) => sum + samples, 0),
      last_update: newest > 0 ? isoTime(newest) : null,
      next_update_seconds: nextLook(),
      accuracy_trend: trendOf(versions),
    };
  }

  function nextLook(): number | null {
    if (loop === null) return null;
    return Math.max(0, Math.ceil(((loop.nextAtMs() ?? now()) - now()) / 1_000));
  }

  const recent = () =>
    (loop?.recent() ?? []).slice(0, RECENT).map(({ atMs, type, description, count, of = "decisions" }) => ({
      ...{ timestamp: isoTime(atMs), type, description },
      impact: `${count} ${count === 1 ? of.slice(0, -1) : of}`,
    }));

  return {
    async online() {
      const taught = await online.status();
      return {
        status: {
          total_models: taught.length,
          models: Object.fromEntries(taught.map((each) => [each.key, onlineView(each)])),
          queue_size: await waiting(),
          refused: online.refused().map(({ key, reason }) => ({ model: key, reason })),
        },
        model_stats: await modelStats(taught),
        is_learning: loop?.busy() ?? false,
        recent_updates: recent(),
        feature_names: [...online.names],
      };
    },

    async learning() {
      const taught = await online.status();
      return {
        is_learning: loop?.busy() ?? false,
        queue_size: await waiting(),
        total_models: taught.length,
        serving: registry.allServing().length,
        recent_updates: recent(),
        next_update_in: nextLook(),
        model_stats: await modelStats(taught),
      };
    },

    performance: () => performanceOf(models, now()),
    attribution: (days) => attributionOf(layers, days, now()),
    async stats() {
      const [taught, counted, drift] = await Promise.all([
        online.status(),
        labels.counts(),
        measureDrift(registry, labels),
      ]);
      return {
        ...(await standingOf(models)),
        ...counted,
        online_models: taught.length,
        online_labels: taught.reduce((sum, { samples }) => sum + samples, 0),
        labels_waiting: await waiting(),
        next_look: nextLook(),
        drift: drift.map((each: Drift) => ({ ...each, most: each.most.map((one) => ({ ...one })) })),
      };
    },
  };
}

async function performanceOf(
  { modelStore, telemetry }: StatusModels,
  nowMs: number,
): Promise<z.input<typeof performanceSchema>> {
  const versions = await modelStore.list({ learner: "gradient_trees" }, MOST_VERSIONS);
  const { trades } = await telemetry.trades({}, MOST_VERSIONS);
  const newest = newestOfEach(versions);
  return {
    models: newest.map((version) => performanceView(version, versions, trades)),
    timestamp: isoTime(nowMs),
    reason: newest.length === 0 ? "No model has been trained yet: POST /api/ml/train trains some" : null,
  };
}

async function attributionOf(
  layers: LayerStore,
  days: number,
  nowMs: number,
): Promise<z.input<typeof attributionSchema>> {
  const readings = await layers.since(nowMs - days * DAY_MS, MOST_READINGS);
  const ended = readings.flatMap((reading) =>
    reading.label === null ? [] : [{ ...reading, label: reading.label }],
  );
  const auc = areaUnderCurve({
    scores: Float64Array.from(ended, (vote) => compositeOf(vote.weights, vote)),
    labels: Float64Array.from(ended, ({ label }) => label),
  });
  return {
    period: `${days}d`,
    decisions: readings.length,
    settled: ended.length,
    layers: attributeLayers(readings).map(layerView),
    composite: { auc: finiteOrNull(auc), settled: ended.length },
    reason:
      readings.length === 0
        ? "The layers of no alert were read in that time"
        : noAreaReason(readings.length, ended.length, ended.filter(({ label }) => label === 1).length),
  };
}

/** Why no AUC can be told of alerts, by how many have ended and hit; null where one can. */
function noAreaReason(alerts: number, ended: number, hits: number): string | null {
  if (hits > 0 && hits < ended) return null;
  const needed = "an AUC needs one that hit and one that did not";
  if (ended === 0) return `None of ${alerts} alerts has ended: ${needed}`;
  return `${hits === 0 ? "None" : "All"} of ${ended} alerts that have ended hit: ${needed}`;
}

/** Versions by where they stand. */
async function standingOf({ modelStore, registry }: StatusModels) {
  const versions = await modelStore.list({}, MOST_VERSIONS);
  const models: Record<string, number> = {};
  for (const { status } of versions) models[status] = (models[status] ?? 0) + 1;
  return {
    models,
    serving: registry.allServing().length,
    refused: registry.refused().length,
    last_trained: versions[0] === undefined ? null : isoTime(versions[0].createdAtMs),
  };
}

function onlineView({ samples, figures, drifts, updatedAtMs }: OnlineStatus) {
  const performance = figuresView(figures);
  return {
    n_samples: samples,
    is_fitted: samples > 0,
    performance,
    drifts,
    updated_at: isoTime(updatedAtMs),
  };
}

function layerView({
  name,
  decisions,
  meanMarginal,
  meanAbsolute,
  settled,
  wins,
  aucWith,
  aucWithout,
}: LayerPart) {
  return {
    name: NAMES[name],
    decisions,
    mean_contribution: meanMarginal === null ? null : 100 * meanMarginal,
    mean_absolute: meanAbsolute === null ? null : 100 * meanAbsolute,
    settled,
    auc_with: aucWith,
    auc_without: aucWithout,
    marginal_auc: aucWith === null || aucWithout === null ? null : aucWith - aucWithout,
    reason: decisions === 0 ? "The layer was silent on every alert" : noAreaReason(decisions, settled, wins),
  };
}

/** The version of each purpose that is active, else the newest. @param versions newest first. */
function newestOfEach(versions: readonly ModelVersion[]): ModelVersion[] {
  const newest = new Map<string, ModelVersion>();
  for (const version of versions) {
    const name = nameOf(version);
    if (!newest.has(name) || version.status === "active") newest.set(name, version);
  }
  return [...newest.values()];
}

function accuracyOf({ metrics }: ModelVersion): number | null {
  const { accuracy } = metrics;
  return typeof accuracy === "number" ? accuracy : null;
}

/** Newest less the one before of the same purpose, in percentage points. @param versions newest first. */
function trendOf(versions: readonly ModelVersion[]): number | null {
  const [newest] = versions;
  if (newest === undefined) return null;
  const before = versions.slice(1).find((version) => nameOf(version) === nameOf(newest));
  const [is, was] = [accuracyOf(newest), before === undefined ? null : accuracyOf(before)];
  return is === null || was === null ? null : 100 * (is - was);
}

function performanceView(
  version: ModelVersion,
  versions: readonly ModelVersion[],
  trades: Awaited<ReturnType<ModelFeature["telemetry"]["trades"]>>["trades"],
): z.input<typeof performanceSchema>["models"][number] {
  const metrics = metricsSchema.safeParse(version.metrics).data;
  const own = trades.filter(({ score }) => score.modelId === version.id).slice(0, RECENT);
  const history = versions.filter((each) => nameOf(each) === nameOf(version)).toReversed();
  return {
    name: nameOf(version),
    version: version.version,
    status: version.status,
    last_updated: isoTime(version.createdAtMs),
    metrics: {
      accuracy: metrics?.accuracy ?? null,
      precision: metrics?.precision ?? null,
      recall: metrics?.recall ?? null,
      f1_score: metrics?.f1_score ?? null,
      auc: metrics?.auc ?? null,
      calibration_error: metrics?.calibration_error ?? null,
      samples: metrics?.samples ?? 0,
    },
    accuracy_history: history.map((each) => ({
      date: isoTime(each.createdAtMs).slice(0, 10),
      version: each.version,
      accuracy: accuracyOf(each),
    })),
    recent_predictions: own.map(({ pattern, score, outcome, gain }) => ({
      ...{ pattern, confidence: score.score, outcome, return: gain },
    })),
  };
}
