import { z } from "zod";
import { SAMPLE_NAMES } from "../../core/learning/samples.js";
import { INTERVALS } from "../../core/market/interval.js";
import { REGIMES } from "../../core/regime/define.js";
import { metricsSchema } from "../models/card.js";
import { MOST_VALUE } from "../models/online.js";
import { ASSET_CLASSES } from "../models/schema.js";

const number = z.number().nullable();
const time = z.iso.datetime();
const count = z.number().int();

const feature = z.number().min(-MOST_VALUE).max(MOST_VALUE).nullable();
const key = {
  asset_class: z.enum(ASSET_CLASSES),
  timeframe: z.enum(INTERVALS),
  regime: z.enum([...REGIMES, "all"]).default("all"),
  features: z
    .union([
      z.array(feature).length(SAMPLE_NAMES.length),
      z.partialRecord(z.enum(SAMPLE_NAMES as [string, ...string[]]), feature),
    ])
    .describe(
      `Values by name, or all ${SAMPLE_NAMES.length} of them in the order of feature_names in /api/ml/online-status; null for what is not known`,
    ),
};
export const predictBody = z.strictObject(key);
export const updateBody = z.strictObject({ ...key, label: z.union([z.literal(0), z.literal(1)]) });

export const figuresSchema = z.object({
  labels: count,
  log_loss: number.describe("Of scores that were each given before their label was known"),
  brier: number,
  auc: number.describe("Over the newest 200 labels"),
});

const explanationSchema = z
  .object({
    log_odds: z
      .number()
      .describe("Of label 1: the base and all contributions; its logistic is the probability"),
    base: z.number().describe("Log-odds of a row whose values are all at their means"),
    contributions: z
      .array(
        z.object({
          feature: z.string(),
          value: number.describe("Null where it is not known"),
          mean: z.number().describe("Of the values that were learned from"),
          standard_deviation: z.number(),
          coefficient: z
            .number()
            .describe("Log-odds by standard deviation above the mean; values count up to ten of them"),
          missing_coefficient: z.number().describe("Log-odds where the value is not known"),
          contribution: z.number().describe("What it adds to the log-odds"),
        }),
      )
      .describe("Of every feature, the greatest contribution first"),
  })
  .nullable()
  .describe("The linear model and where its answer comes from; null before anything was learned")
  .meta({ id: "OnlineExplanation" });

export const predictionAnswer = {
  prediction: z
    .union([z.literal(0), z.literal(1)])
    .nullable()
    .describe("Null before anything was learned"),
  probabilities: z.array(z.number()).length(2).nullable().describe("Of label 0 and of label 1"),
  model_key: z.string(),
  n_samples_seen: count,
  performance: figuresSchema,
  explanation: explanationSchema,
};

const onlineModel = z.object({
  n_samples: count,
  is_fitted: z.boolean(),
  performance: figuresSchema,
  drifts: count.describe("Times that it began anew because its errors grew"),
  updated_at: time,
});

export const updateSchema = z.object({
  timestamp: time,
  description: z.string(),
  impact: z.string(),
  type: z.string(),
});

export const modelStats = z.object({
  total_patterns_learned: count.describe("Patterns that a promoted model has a group for"),
  training_samples: count.describe("Labels that online models have learned from"),
  last_update: time.nullable(),
  next_update_seconds: number.describe(
    "Until the next pass of this process begins, 0 during one; null where models are not retrained by themselves",
  ),
  accuracy_trend: number.describe(
    "Accuracy of the newest version on its tail less that of the one before, in percentage points; null without two",
  ),
});

export const onlineStatusAnswer = {
  status: z.object({
    total_models: count.describe("Models that are taught label by label"),
    models: z.record(z.string(), onlineModel),
    queue_size: count.describe("Decisions that have ended and wait to be learned from"),
    refused: z
      .array(z.object({ model: z.string(), reason: z.string() }))
      .describe("Those whose stored state cannot be read"),
  }),
  model_stats: modelStats,
  is_learning: z.boolean(),
  recent_updates: z.array(updateSchema),
  feature_names: z.array(z.string()),
};

export const learningSchema = z.object({
  is_learning: z.boolean(),
  queue_size: count,
  total_models: count.describe("Models that are taught label by label"),
  serving: count.describe("Versions that serve, of those that are trained as a whole"),
  recent_updates: z.array(updateSchema),
  next_update_in: number.describe("As next_update_seconds"),
  model_stats: modelStats,
});

const recordSchema = z.object({
  pattern: z.string().nullable(),
  confidence: z.number(),
  outcome: z.string().nullable(),
  return: number,
});
export const performanceSchema = z.object({
  models: z.array(
    z.object({
      name: z.string(),
      version: z.string(),
      status: z.string(),
      last_updated: time,
      metrics: metricsSchema.pick({ accuracy: true, precision: true, recall: true, f1_score: true }).extend({
        auc: number,
        calibration_error: number,
        samples: count,
      }),
      accuracy_history: z.array(z.object({ date: z.string(), version: z.string(), accuracy: number })),
      recent_predictions: z.array(recordSchema),
    }),
  ),
  timestamp: time,
  reason: z.string().nullable(),
});

export const attributionSchema = z.object({
  period: z.string(),
  decisions: count,
  settled: count,
  layers: z.array(
    z.object({
      name: z.string(),
      decisions: count.describe("In which it spoke"),
      mean_contribution: number.describe(
        "Mean of the composite less that without the layer, in points of 100 towards the direction",
      ),
      mean_absolute: number,
      settled: count,
      auc_with: number,
      auc_without: number,
      marginal_auc: number.describe("What the layer adds to the order of decisions that have ended"),
      reason: z
        .string()
        .nullable()
        .describe("Why there is no AUC with and without the layer; null where there is"),
    }),
  ),
  composite: z.object({ auc: number, settled: count }),
  reason: z.string().nullable().describe("Why there is no AUC of the composite; null where there is"),
});
export const periodQuery = z.strictObject({
  period: z
    .string()
    .regex(/^[1-9]\d{0,3}d$/, "must be a number of days from 1 to 9999, 30d")
    .default("30d")
    .describe("How far back alerts are looked at")
    .meta({ type: "string", pattern: undefined }),
});

export const statsSchema = z.object({
  models: z.record(z.string(), count).describe("Versions by where they stand"),
  serving: count,
  refused: count.describe("Active versions that cannot be read"),
  snapshots: count,
  scores: count,
  online_models: count,
  online_labels: count,
  labels_waiting: count,
  last_trained: time.nullable(),
  next_look: number.describe(
    "Seconds until the next pass of this process, 0 during one; null where models are not retrained by themselves",
  ),
  drift: z.array(
    z.object({
      model: z.string(),
      version: z.string(),
      compared: count.describe(
        "Newest occasions that the scanner met, alerts or not, beside what was trained on",
      ),
      steady: count,
      moved: count.describe("Features with a population stability index from 0.1 on, beyond chance"),
      shifted: count.describe("From 0.25 on"),
      most: z.array(z.object({ feature: z.string(), index: z.number() })),
    }),
  ),
});
