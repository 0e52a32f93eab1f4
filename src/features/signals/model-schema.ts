import { z } from "zod";
import { TIMEFRAME_WEIGHTS, type TimeframeMode } from "../../core/signals/timeframes.js";
import { wholeNumberText } from "../../platform/http.js";
import { intervalText, provenance, symbolText } from "../candles/schema.js";

const number = z.number().nullable();
const time = z.iso.datetime();
const modes = Object.keys(TIMEFRAME_WEIGHTS) as [TimeframeMode, ...TimeframeMode[]];

export const scoreQuery = z.strictObject({ symbol: symbolText, timeframe: intervalText.prefault("1h") });
export const timeframesQuery = z.strictObject({
  symbol: symbolText,
  regime: z
    .enum(modes)
    .optional()
    .describe("Weights of the intervals; those of the regime by the day without it"),
});

export const modelOfScore = z.object({
  version: z.string(),
  hash: z.string(),
  learner: z.string(),
  asset_class: z.string(),
  timeframe: z.string(),
  group: z.string().nullable().describe("Regime or pattern that it was scored by; null for what all share"),
  auc: number.describe("On the stretch of time that nothing was chosen by"),
  calibration_error: number,
  href: z.string(),
});

/** Fields that existing clients read at the top level, beside `data`. */
export const scoreAnswer = {
  symbol: z.string(),
  timeframe: z.string(),
  asset_class: z.string(),
  regime: z.string().nullable(),
  pattern: z.string(),
  direction: z.enum(["bullish", "bearish"]),
  bar_time: time,
  score: z.number().describe("Calibrated chance that the target comes before the stop, 0..1"),
  score_id: z.number().int().describe("Its snapshot and proof: /api/ml/scores/:id/proof"),
  counts: z
    .boolean()
    .describe(
      "Whether telemetry tells trades by it: false where another version, or none, served when it was seen",
    ),
  prediction: z.union([z.literal(0), z.literal(1)]).describe("1 where the score is a half or more"),
  confidence: z.number().describe("Twice the distance of the score from a half"),
  model_metadata: modelOfScore,
  data_fresh: z.boolean(),
  timestamp: time,
};
export const scoreSchema = z.object({ ...scoreAnswer, ...provenance }).meta({ id: "SymbolScore" });

export const contributionSchema = z.object({
  feature: z.string(),
  value: number.describe("Null where it was not known"),
  importance: z.number().describe("Share of the gain of all splits of the model, 0..1"),
  contribution: z.number().describe("Added to the log-odds before calibration: the exact SHAP value"),
});

const MOST_CONTRIBUTIONS = 1_000;
export const contributionsQuery = scoreQuery.extend({
  limit: wholeNumberText(1, MOST_CONTRIBUTIONS)
    .prefault("10")
    .describe("Features that are told, those that added most first"),
});
export const contributionsAnswer = {
  contributions: z.array(contributionSchema).describe("Those that added most, either way"),
  base_value: z.number().describe("Expected log-odds of the model while no feature is known"),
  rest: z.number().describe("Sum of what all features added that are not told"),
  log_odds: z
    .number()
    .describe(
      "base_value, contributions and rest together: before calibration, which makes the score of them",
    ),
};

const breakdownSchema = z.object({
  prediction: number.describe("0 falling to 1 rising"),
  confidence: number.describe("Twice the distance of the prediction from a half"),
  success: z.boolean(),
  weight: z.number(),
  bar_closed_at: time.nullable(),
  reason: z.string().nullable().describe("Why it says nothing"),
});

export const timeframesAnswer = {
  symbol: z.string(),
  fused_score: number.describe("0 falling to 1 rising; null where no interval says anything"),
  confidence: z.enum(["very_high", "high", "medium", "low"]).nullable(),
  recommendation: z.string().nullable(),
  timeframe_breakdown: z.record(z.string(), breakdownSchema),
  metadata: z.object({
    regime: z.string().describe("Whose weights they are"),
    weights_applied: z.record(z.string(), z.number()),
    timeframes_scored: z.number().int(),
    alignment_score: number,
    divergence_detected: z.boolean().nullable(),
  }),
};
