import { z } from "zod";
import { INTERVALS } from "../../core/market/interval.js";
import { instantText, wholeNumberText } from "../../platform/http.js";
import { intervalText, provenance, symbolText } from "../candles/schema.js";
import { detectionSchema } from "../detections/schema.js";
import { outcomeSchema, reliabilitySchema } from "./schema.js";
import { VERDICTS } from "./store.js";

const time = z.iso.datetime();

const feedbackSchema = z.object({
  verdict: z.enum(VERDICTS),
  note: z.string().nullable(),
  created_at: time,
});

export const feedbackSummarySchema = z
  .object({
    correct: z.number().int(),
    wrong: z.number().int(),
    unsure: z.number().int(),
    own: feedbackSchema.nullable().describe("The caller's own verdict that counts"),
    history: z.array(feedbackSchema).describe("All that the caller has said, the newest first"),
  })
  .meta({ id: "FeedbackSummary" });

export const detectionDetailSchema = detectionSchema
  .extend({
    feedback: feedbackSummarySchema,
    outcome: outcomeSchema.describe("What became of the trade on it, on the bars known now"),
    evidence: reliabilitySchema,
    chart_href: z.string(),
    proof_href: z.string(),
  })
  .meta({ id: "DetectionDetail" });

const value = z.union([z.string(), z.number(), z.boolean()]).nullable();
const recomputationFields = {
  verdict: z.enum(["identical", "different"]),
  reason: z.string().nullable().describe("Why nothing was computed; null where the pattern was found again"),
  bars: z.number().int().describe("Bars that it was computed from, the detection's own being the last"),
  first_bar: time.nullable(),
  bars_hash: z
    .string()
    .describe(
      "SHA-256 of the bars: time (epoch ms of the open), open, high, low, close and volume, each column whole as little-endian doubles",
    ),
  differences: z.number().int(),
  fields: z.array(
    z.object({
      field: z.string().describe("Path of the value in a detection: formation.points.0.price"),
      stored: value,
      recomputed: value,
      same: z.boolean().describe("To the last bit"),
    }),
  ),
};

export const proofSchema = z
  .object({
    detection_id: z.number().int(),
    symbol: z.string(),
    pattern_type: z.string(),
    interval: z.enum(INTERVALS),
    bar_time: time,
    as_of: time.describe("The bars are those that were known then: when the detection was stored"),
    ...recomputationFields,
    restated: z
      .boolean()
      .describe("Whether the bars are otherwise by now: restated by their source, or on another scale"),
    now: z
      .object({ ...recomputationFields, as_of: time })
      .nullable()
      .describe("The same from the bars known now, where they differ"),
  })
  .meta({ id: "Proof" });

export const validationSchema = z
  .object({
    symbol: z.string(),
    pattern: z.string(),
    timeframe: z.enum(INTERVALS),
    valid: z.boolean().describe("Every required check is passed"),
    confidence: z
      .number()
      .nullable()
      .describe("Measured hit rate, 0..1; null where the pattern is not valid, and without evidence of then"),
    evidence: reliabilitySchema.describe("What had been measured by the moment; its reason says why nothing"),
    state: z.string().nullable(),
    quality: z.number().nullable(),
    bar_time: time.nullable().describe("Open of the bar at which it was seen"),
    checks: z.array(
      z.object({
        name: z.string(),
        passed: z.boolean().nullable().describe("Null where it is not known or not asked for"),
        value: z.number().nullable(),
        threshold: z.number().nullable(),
        required: z.boolean(),
      }),
    ),
    ...provenance,
  })
  .meta({ id: "Validation" });

export const detectionParams = z.strictObject({ id: wholeNumberText(1, Number.MAX_SAFE_INTEGER) });
export const feedbackBody = z.strictObject({
  verdict: z.enum(VERDICTS).describe("Whether the pattern is there"),
  note: z.string().max(500).nullish(),
});
export const validateBody = z.strictObject({
  symbol: symbolText,
  pattern: z.string().min(1).max(60).describe("Any spelling"),
  timeframe: intervalText.prefault("1d"),
  at: instantText.optional().describe("On the bars that had closed at this moment, as they were known then"),
});
