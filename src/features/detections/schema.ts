import { z } from "zod";
import { INTERVALS } from "../../core/market/interval.js";
import { instantText, wholeNumberText } from "../../platform/http.js";
import { intervalText, provenance, symbolText } from "../candles/schema.js";

const time = z.iso.datetime();

/** A share between 0 and 1; a number over 1 is taken for a percentage. */
const shareText = z
  .string()
  .regex(/^\d{1,3}(\.\d{1,6})?$/, "must be a number from 0 to 100")
  .transform(Number)
  .pipe(z.number().max(100))
  .transform((value) => (value > 1 ? value / 100 : value))
  .meta({ type: "number", minimum: 0, maximum: 100, pattern: undefined });

const place = z.object({ time, price: z.number() });
const formationSchema = z
  .object({
    formed_at: time.describe("Open of the bar at whose close the last point was known"),
    points: z.array(
      z.object({
        role: z.string(),
        time,
        price: z.number(),
        known_at: time.describe("Open of the bar at whose close the point was known to be one"),
      }),
    ),
    boundaries: z.array(z.object({ role: z.string(), from: place, to: place })),
    trigger: z.number().nullable().describe("Price beyond which a close confirms"),
    target: z.number().nullable(),
    stop: z.number().nullable(),
    risk_reward_ratio: z
      .number()
      .nullable()
      .describe(
        "The way to the target per the way to the stop, from the close or from what a shape that forms waits for: 10 at most",
      ),
    risk_reward_reason: z.string().nullable().describe("Why there is none; null where there is"),
    checks: z.array(
      z.object({
        name: z.string(),
        passed: z.boolean().nullable(),
        value: z.number().nullable(),
        threshold: z.number().nullable(),
      }),
    ),
  })
  .meta({ id: "Formation" });

const patternFields = {
  pattern_type: z.string().describe("Variant of the pattern table, bullish_engulfing"),
  pattern_name: z.string(),
  direction: z.enum(["bullish", "bearish", "neutral"]),
  interval: z.enum(INTERVALS),
  confidence: z.number().nullable().describe("Measured hit rate, 0..1; null while there is no evidence"),
  quality: z.number().describe("How well the geometry fits, 0..1; not a probability"),
  state: z
    .enum(["forming", "confirmed", "failed", "expired"])
    .describe("Shapes that are complete at one bar are confirmed"),
  regime: z.string().nullable().describe("Market regime at the bar; null where too few bars tell"),
  price: z.number().describe("Close of the bar"),
  volume: z.number(),
  start_time: time.describe("Open of the first bar of the shape"),
  bar_time: time.describe("Open of the bar at whose close it is known"),
  closed_at: time,
  trend_met: z
    .boolean()
    .nullable()
    .describe("Whether the prior trend is as the pattern asks; null when it asks for none"),
  source: z.string(),
  metadata: z.object({
    trend: z.string().describe("Trend before the shape: up, down or flat"),
    average_true_range: z.number().nullable(),
  }),
  formation: formationSchema.nullable().describe("What it is made of; null for candlesticks"),
};

/** A pattern seen now, not stored. */
export const sightingSchema = z
  .object({ ...patternFields, timestamp: time.describe("The same as closed_at") })
  .meta({ id: "Sighting" });

export const detectionSchema = z
  .object({
    id: z.number().int(),
    symbol: z.string(),
    ...patternFields,
    synthetic: z.boolean(),
    detected_at: time.describe("When it was stored"),
  })
  .meta({ id: "Detection" });

export const examinationSchema = z
  .object({
    symbol: z.string(),
    timeframe: z.enum(INTERVALS),
    patterns: z.array(sightingSchema),
    count: z.number().int(),
    timestamp: time,
    ...provenance,
  })
  .meta({ id: "Examination" });

export const detectBody = z.strictObject({
  symbol: symbolText,
  timeframe: intervalText.prefault("1d"),
  bars: z.number().int().min(1).max(500).default(5).describe("Newest closed bars to look at"),
});
export const patternsQuery = z.strictObject({
  timeframe: intervalText.prefault("1d"),
  min_confidence: shareText
    .prefault("0")
    .describe("Least confidence, or quality while there is none; 0..1 or 0..100"),
  limit: wholeNumberText(1, 500).prefault("50"),
});
const page = {
  limit: wholeNumberText(1, 1_000).prefault("50"),
  offset: wholeNumberText(0, 1_000_000).prefault("0"),
};
const patternText = z.string().regex(/^[\w ,()-]{1,60}$/, "must be a pattern's id or name");
export const logsQuery = z.strictObject({
  ...page,
  symbol: symbolText.optional(),
  pattern: patternText.optional(),
  interval: intervalText.optional(),
});
export const historyQuery = z.strictObject({
  ...page,
  pattern: patternText.optional(),
  interval: intervalText.optional(),
  from: instantText.optional(),
  to: instantText.optional(),
});
export const exportQuery = z.strictObject({
  symbol: symbolText.optional(),
  pattern: patternText.optional(),
  days: wholeNumberText(1, 3_650).prefault("30").describe("Newest days"),
});
export const windowQuery = z.strictObject({ window: wholeNumberText(1, 365).prefault("1").describe("Days") });

export const paginationSchema = z.object({
  limit: z.number().int(),
  offset: z.number().int(),
  total: z.number().int(),
});
export const logsSchema = z
  .object({ logs: z.array(detectionSchema), pagination: paginationSchema })
  .meta({ id: "DetectionLogs" });
export const historySchema = z
  .object({ symbol: z.string(), detections: z.array(detectionSchema), pagination: paginationSchema })
  .meta({ id: "DetectionHistory" });
export const statsSchema = z
  .object({
    daily_detections: z
      .array(z.object({ date: z.iso.date(), count: z.number().int() }))
      .describe("Seven UTC days"),
    top_symbols: z.array(z.object({ symbol: z.string(), count: z.number().int() })),
  })
  .meta({ id: "DetectionStats" });
export const exportSchema = z
  .object({
    csv_content: z.string(),
    filename: z.string(),
    record_count: z.number().int(),
    truncated: z.boolean().describe("True when there are more than these, which are the newest"),
  })
  .meta({ id: "DetectionExport" });
export const patternStatSchema = z
  .object({
    pattern: z.string(),
    name: z.string(),
    count: z.number().int(),
    avg_confidence: z.number().nullable().describe("Null while there is no evidence"),
    avg_quality: z.number(),
  })
  .meta({ id: "PatternStat" });
