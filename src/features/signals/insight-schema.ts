import { z } from "zod";
import { INTERVALS } from "../../core/market/interval.js";
import { intervalText, provenance, symbolText } from "../candles/schema.js";
import { readingSchema } from "../regimes/schema.js";
import { RISKS, STRENGTHS } from "./insights.js";
import { CATEGORIES } from "./pattern-types.js";
import { DIRECTION_NAMES, evidenceSchema } from "./schema.js";

const time = z.iso.datetime();
const nullable = z.number().nullable();
const hitRate = nullable.describe("Measured hit rate, 0..1; null while too few trades tell");
const direction = z.enum(DIRECTION_NAMES);
const strengths = z
  .object({
    very_strong: z.number().int().describe("From 0.8"),
    strong: z.number().int().describe("From 0.7"),
    moderate: z.number().int().describe("From 0.6"),
    weak: z.number().int(),
  })
  .describe("By the measured hit rate, or the quality where there is none");

export const patternsBody = z.strictObject({
  symbol: symbolText,
  timeframe: intervalText.prefault("1d"),
  lookback_days: z.int().min(1).max(3_650).default(90).describe("At most 5,000 bars are looked at"),
  min_confidence: z
    .number()
    .min(0)
    .max(100)
    .default(0.6)
    .transform((value) => (value > 1 ? value / 100 : value))
    .describe("0..1 or 0..100; of the measured hit rate, or of the quality where too few trades tell"),
});
export const insightsBody = z.strictObject({
  symbol: symbolText,
  analysis_type: z.literal("comprehensive").default("comprehensive"),
  include_patterns: z.boolean().default(true),
  include_regime: z.boolean().default(true),
  include_sentiment: z.boolean().default(true),
});

export const patternsSchema = z
  .object({
    symbol: z.string(),
    timeframe: z.enum(INTERVALS),
    patterns: z
      .array(
        z.object({
          pattern_type: z.string().describe("Variant of the pattern table"),
          type: z.string().nullable().describe("Which of the 22 types it is; null for others"),
          pattern_name: z.string(),
          confidence: hitRate,
          evidence: evidenceSchema,
          quality: z.number().describe("How well the geometry fits, 0..1; not a probability"),
          judged_by: z.enum(["confidence", "quality"]).describe("What min_confidence and strength go by"),
          strength: z.enum(STRENGTHS),
          direction,
          state: z.string(),
          target_price: nullable,
          stop_loss: nullable,
          risk_reward_ratio: nullable,
          timeframe: z.enum(["short", "medium", "long"]),
          volume_confirmation: z
            .boolean()
            .nullable()
            .describe("More than 1.2 times the mean of 20 bars before"),
          trend_alignment: z.boolean().nullable(),
          key_levels: z.array(z.number()),
          regime: z.string().nullable(),
          description: z.string(),
          trading_suggestion: z.string(),
          closed_at: time,
        }),
      )
      .describe("Confirmed ones, newest first"),
    total_patterns: z.number().int().describe("Those listed"),
    below_min_confidence: z.number().int(),
    older_left_out: z.number().int(),
    confidence_summary: strengths,
    analysis_timestamp: time,
    ...provenance,
  })
  .meta({ id: "DetectedPatterns" });

const regimeSchema = readingSchema.pick({
  current_regime: true,
  confidence: true,
  trend_direction: true,
  volatility_level: true,
  risk_level: true,
  recommended_strategies: true,
  trading_implications: true,
});

export const insightsSchema = z
  .object({
    symbol: z.string(),
    analysis_timestamp: time,
    patterns: z
      .object({
        total_patterns: z.number().int(),
        top_patterns: z.array(
          z.object({
            pattern_type: z.string(),
            pattern_name: z.string(),
            confidence: hitRate,
            quality: z.number(),
            direction,
            trading_suggestion: z.string(),
          }),
        ),
        confidence_distribution: strengths,
      })
      .nullable(),
    regime: regimeSchema.nullable(),
    sentiment: z
      .object({
        overall_sentiment: z.string().nullable(),
        sentiment_score: nullable.describe("-1..1"),
        news_sentiment: nullable,
        social_sentiment: nullable,
        analyst_sentiment: z.null(),
      })
      .nullable(),
    unavailable: z.record(z.string(), z.string()).describe("Why parts are null, by part"),
    overall_score: nullable.describe("0 falling .. 100 rising, 50 says nothing"),
    trading_recommendation: z.enum(["BUY", "SELL", "HOLD"]),
    action: z
      .enum(["BUY", "SELL", "HOLD", "AVOID"])
      .describe("AVOID is a HOLD with something against a trade"),
    reasons: z.array(z.object({ code: z.string(), text: z.string(), value: nullable, limit: nullable })),
    risk_assessment: z.enum(RISKS).nullable(),
    key_insights: z.array(z.string()),
    ...provenance,
  })
  .meta({ id: "Insights" });

export const typesSchema = z.object({
  pattern_types: z.array(
    z.object({
      type: z.string(),
      category: z.enum(CATEGORIES),
      description: z.string(),
      variants: z.array(z.string()).describe("Variants of the pattern table that are it"),
      available: z.boolean().describe("False for a type that is not detected"),
    }),
  ),
  total: z.number().int(),
  available: z.number().int(),
  variants_in_types: z.number().int(),
  variants_in_table: z.number().int(),
});

const serviceSchema = z.object({
  status: z.enum(["healthy", "unhealthy"]),
  detail: z.string(),
  ms: z.number().describe("Time that the detector took in a thread"),
});
export const healthAnswer = {
  status: z.enum(["healthy", "unhealthy"]),
  services: z.object({ pattern_detector: serviceSchema, regime_detector: serviceSchema }),
  evidence: z.object({ measured_at: time.nullable(), reason: z.string().nullable() }),
  timestamp: time,
};
