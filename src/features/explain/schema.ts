import { z } from "zod";
import { INTERVALS } from "../../core/market/interval.js";
import { BADGES } from "../../core/signals/badge.js";
import { intervalText, symbolText } from "../candles/schema.js";
import { RISK_LABELS } from "./recommendation.js";
import { STEP_STATUSES } from "./steps.js";

const time = z.iso.datetime();
const rate = z.number().nullable();
const level = z.number().nullable();

export const outcomeSchema = z
  .object({
    status: z
      .enum(["target", "stop", "time", "void", "open", "none"])
      .describe("How the trade by the one policy ended; open while bars do not tell, none without a trade"),
    hit: z.boolean().nullable().describe("Whether it reached its target first and gained after costs"),
    r: z.number().nullable().describe("Gain after costs in units of the planned risk"),
    return: z.number().nullable().describe("The same as a share of the entry"),
    entry: level,
    exit: level,
    exit_time: time.nullable().describe("Open of the bar that ended it"),
    ambiguous: z.boolean().describe("One bar held both stop and target, so that the stop was assumed"),
    reason: z.string().nullable(),
  })
  .meta({ id: "CaseOutcome" });

export const reliabilitySchema = z
  .object({
    confidence: rate.describe("Measured hit rate, shrunk by sample size, 0..1; null without evidence"),
    reason: z.string().nullable().describe("Why there is none"),
    regime: z.string(),
    sample_size: z.number().int(),
    hit_rate: rate,
    hit_rate_low: rate.describe("95 % interval"),
    hit_rate_high: rate,
    base_rate: rate.describe("The same trade without the pattern"),
    avg_return: rate.describe("Mean gain after costs in units of the planned risk"),
  })
  .meta({ id: "Reliability" });

const exampleSchema = z.object({
  detection_id: z.number().int(),
  symbol: z.string(),
  interval: z.enum(INTERVALS),
  bar_time: time,
  price: z.number(),
  quality: z.number(),
  regime: z.string().nullable(),
  synthetic: z.boolean(),
  outcome: outcomeSchema,
});

export const entrySchema = z
  .object({
    name: z.string(),
    pattern_type: z.string().describe("Variant of the pattern table, bullish_engulfing"),
    family: z.string(),
    direction: z.enum(["bullish", "bearish", "neutral"]),
    outlook: z.string(),
    prior_trend: z.enum(["up", "down"]).nullable(),
    bars: z.number().int().describe("Bars that the shape spans"),
    source: z.string().describe("Where the definition comes from"),
    variants: z.array(z.string()).describe("All variants of the same pattern"),
    meant: z
      .array(
        z.object({
          pattern_type: z.string(),
          name: z.string(),
          direction: z.enum(["bullish", "bearish", "neutral"]),
        }),
      )
      .describe("All that the name means, the explained one first: several for a name like wedge"),
    description: z.string(),
    how_it_works: z.string(),
    entry_strategy: z.string(),
    exit_strategy: z.string(),
    risk_management: z.string(),
    market_conditions: z.string(),
    success_rate: rate.describe("Measured hit rate on the timeframe, 0..1; null without enough evidence"),
    avg_return: rate.describe("Mean gain after costs in units of the planned risk"),
    timeframe: z.enum(INTERVALS),
    evidence: reliabilitySchema.describe("What was measured on the timeframe"),
    evidence_by_timeframe: z.array(z.object({ timeframe: z.enum(INTERVALS), evidence: reliabilitySchema })),
    examples: z.array(exampleSchema).describe("The newest stored detections with what became of them"),
  })
  .meta({ id: "PatternExplanation" });

export const similarSchema = z
  .object({
    compared_by: z.string(),
    count: z.number().int(),
    settled: z.number().int().describe("Trades that had ended when the bar in question closed"),
    hits: z.number().int(),
    avg_r: rate,
    avg_return: rate.describe("Share of the entry"),
    cases: z.array(
      z.object({
        detection_id: z.number().int(),
        symbol: z.string(),
        bar_time: time,
        closed_at: time,
        quality: z.number(),
        regime: z.string().nullable(),
        trend: z.string(),
        distance: z.number().describe("0 for the same regime, trend and quality"),
        outcome: outcomeSchema.describe("As it was known when the bar in question closed"),
      }),
    ),
  })
  .meta({ id: "SimilarCases" });

const factorSchema = z.object({ name: z.string(), present: z.boolean().nullable(), text: z.string() });

export const alertExplanationSchema = z
  .object({
    alert_id: z.number().int(),
    symbol: z.string(),
    pattern_type: z.string(),
    pattern_name: z.string(),
    explanation: z.string(),
    market_context: z.string(),
    recommended_action: z
      .enum(["BUY", "SELL", "WATCH", "HOLD"])
      .describe("Now: HOLD where the trade is over or prices are old, or what is measured speaks against it"),
    risk_factors: z.array(z.string()),
    confidence_factors: z
      .record(z.string(), z.number().nullable())
      .describe("What the score is made of and compared with; null where it is not known"),
    timestamp: time,
    confidence: rate,
    detected_at: time,
    additional_data: z.object({
      detection_id: z.number().int(),
      interval: z.enum(INTERVALS),
      entry: level,
      stop_loss: level,
      take_profit: level,
      risk_reward_ratio: level,
      trade: outcomeSchema.describe("How the trade on it stands now"),
      evidence: reliabilitySchema,
      similar_cases: similarSchema,
    }),
  })
  .meta({ id: "AlertExplanation" });

export const stepSchema = z.object({
  icon: z.string(),
  title: z.string(),
  status: z.enum(STEP_STATUSES),
  description: z.string(),
  details: z.string(),
  confidence: rate.describe("Only where a rate of coming true was measured"),
});

export const recommendationSchema = z.object({
  action: z
    .enum(["BUY", "SELL", "WATCH", "HOLD"])
    .describe(
      "HOLD where the pattern is not there, its trade is over or prices are old, or what is measured speaks against it",
    ),
  confidence: rate,
  entry_price: level,
  target_price: level,
  stop_loss: level,
  risk_reward_ratio: level,
  risk_score: z.number().nullable().describe("Share of the known risk factors that are present, in percent"),
  risk_label: z.enum(RISK_LABELS).nullable(),
  risk_level: z.enum(RISK_LABELS).nullable().describe("The same as risk_label"),
  position_size: z.null().describe("Needs an account: POST /api/position-sizing"),
  reasoning: z.string(),
});

export const accuracySchema = z.object({
  pattern_type: z.string(),
  accuracy: rate.describe("Measured hit rate, 0..1"),
  win_rate: rate.describe("The same as accuracy"),
  sample_size: z.number().int(),
  low: rate,
  high: rate,
  base_rate: rate,
  avg_return: rate.describe("Mean gain after costs in units of the planned risk"),
  description: z.string(),
});

const reasoningFields = {
  symbol: z.string(),
  pattern: z.string(),
  recommendation: recommendationSchema,
  historical_accuracy: accuracySchema,
};

export const reasoningSchema = z
  .object({
    title: z.string(),
    ...reasoningFields,
    pattern_type: z.string(),
    interval: z.enum(INTERVALS),
    alert_id: z.number().int().nullable(),
    detection_id: z.number().int().nullable(),
    timestamp: time.nullable().describe("Close of the bar; null where the pattern is not there"),
    reasoning_steps: z.array(stepSchema),
    risk_assessment: z.object({
      score: z.number().nullable(),
      label: z.enum(RISK_LABELS).nullable(),
      factors: z.array(factorSchema),
    }),
    similar_cases: similarSchema,
    trade: outcomeSchema.nullable().describe("How the trade on it stands now; null where it is not there"),
    age_ms: z.number().nullable().describe("Since its bar closed"),
    stale: z.boolean().nullable().describe("Whether newer bars should exist than those known now"),
    summary: z.string(),
  })
  .meta({ id: "Reasoning" });

/** What existing clients read beside `data`. */
export const reasoningAnswer = {
  data: reasoningSchema,
  ...reasoningFields,
  composite_score: z
    .number()
    .nullable()
    .describe(
      "All layers in the direction of the pattern, 0..100: of an alert as of the close of its bar, else as of now",
    ),
  composite_as_of: time.nullable().describe("Close of the bar as of which layers were read"),
  composite_reason: z.string().nullable().describe("Why there is no composite score; null where there is"),
  quality_badge: z
    .enum(BADGES)
    .nullable()
    .describe("Band of the composite score, MODERATE at most where one layer speaks or prices are old"),
  shape_quality: z
    .number()
    .nullable()
    .describe("How well the geometry fits, 0..1; null where it is not there"),
  reasoning: z.array(stepSchema),
};

const patternText = z
  .string()
  .min(1)
  .max(60)
  .describe("A pattern by its words in any spelling: bullish_engulfing, Head & Shoulders, wedge");
export const patternParams = z.strictObject({ pattern: patternText });
const timeframe = intervalText.prefault("1d").describe("Whose evidence is told first");
export const entryQuery = z.strictObject({ timeframe });
export const explainQuery = z.strictObject({ pattern: patternText, timeframe });
export const explainBody = z.strictObject({
  pattern: patternText,
  timeframe,
  symbol: symbolText.optional().describe("Accepted and not needed"),
});

const alertId = z.union([
  z.number().int().positive(),
  z
    .string()
    .regex(/^\d{1,15}$/)
    .transform(Number)
    .pipe(z.number().positive()),
]);
export const alertBody = z
  .strictObject({
    alert_id: alertId.optional(),
    alert_type: patternText.optional(),
    symbol: symbolText.optional(),
  })
  .refine(
    ({ alert_id, alert_type, symbol }) =>
      alert_id !== undefined || (alert_type !== undefined && symbol !== undefined),
    { message: "alert_id, or alert_type and symbol, must be given", path: ["alert_id"] },
  );
export const reasoningBody = z
  .strictObject({
    symbol: symbolText,
    pattern: patternText.optional(),
    pattern_name: patternText.optional().describe("The same as pattern"),
    timeframe: intervalText.optional().describe("Without it the newest alert or detection on any"),
    alert_id: alertId.optional(),
  })
  .refine(({ pattern, pattern_name, alert_id }) => (pattern ?? pattern_name ?? alert_id) !== undefined, {
    message: "must be given",
    path: ["pattern"],
  });
