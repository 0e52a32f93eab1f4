import { z } from "zod";
import { INTERVALS } from "../../core/market/interval.js";
import { BADGES } from "../../core/signals/badge.js";
import { intervalText, provenance, symbolsText, symbolText } from "../candles/schema.js";
import { chanceFields } from "../models/layers.js";
import { BANDS, type Band } from "./heatmap.js";

const time = z.iso.datetime();
const nullable = z.number().nullable();
const score = nullable.describe("0..100 in the direction of the signal, 50 says nothing");
const hitRate = nullable.describe("Measured hit rate, 0..1; null while too few trades tell");
const reason = z.string().nullable().describe("Why it says nothing; null where it does");
const status = z.enum(["strong", "moderate", "weak", "unavailable"]);
export const DIRECTION_NAMES = ["bullish", "bearish", "neutral"] as const;
const direction = z.enum(DIRECTION_NAMES);

export const detectBody = z.strictObject({ symbol: symbolText, timeframe: intervalText.prefault("1d") });
/** Whatever clients sent to an address that is gone. */
export const anyBody = z.looseObject({}).optional();
const MOST_OTHERS = 11;
export const heatmapQuery = z.strictObject({
  symbol: symbolText,
  others: symbolsText(MOST_OTHERS)
    .optional()
    .describe(`Comma list of at most ${MOST_OTHERS} further symbols, whose maps come in "others"`),
});
export const confidenceQuery = z.strictObject({
  timeframe: intervalText.optional().describe("This interval alone, in place of 15m, 1h, 4h and 1d"),
});

export const evidenceSchema = z
  .object({
    confidence: hitRate,
    reason: z.string().nullable().describe("Why there is no confidence"),
    sample_size: z.number().int().describe("Trades that were measured"),
    hit_rate: nullable.describe("Before it is shrunk to the base rate, 0..1"),
    low: nullable.describe("Lower end of its 95 % interval"),
    high: nullable,
    base_rate: nullable.describe("Hit rate of the same trade taken at any time"),
    regime: z.string().describe("Regime it was measured in, or any"),
    measured_at: time.nullable(),
  })
  .meta({ id: "PatternConfidence" });

const layer = {
  score,
  weight: z.number().describe("Share of the composite; the weights of all layers sum to 1"),
  contribution: z.number().describe("weight * score; those of all layers add up to the composite"),
  status,
  value: nullable.describe("-1 falling .. 1 rising, whatever the direction of the signal"),
  reason,
};
const timeframeSchema = z.object({
  score,
  weight: z.number().describe("Within the layer"),
  status,
  value: nullable,
  regime: z.string().nullable(),
  bar_closed_at: time.nullable(),
  source: z.string().nullable(),
  stale: z.boolean().nullable(),
  reason,
});
const sourceSchema = z.object({
  score,
  value: nullable,
  reliability: nullable,
  count: z.number().int(),
  reason,
});

export const layersSchema = z
  .object({
    rule_based: z.object({
      ...layer,
      details: z.array(
        z.object({
          pattern_type: z.string(),
          direction,
          quality: z.number(),
          confidence: hitRate,
          ml_score: hitRate.describe("Of the active version when it was seen; it stands for the hit rate"),
          model_version: z.string().nullable(),
          closed_at: time,
        }),
      ),
    }),
    deep_learning: z.object({
      ...layer,
      boost: z.literal(0),
      model_version: z.string().nullable().describe("Of the sequence net that serves; null while none does"),
      shape: z.string().nullable().describe("Likeliest class of the newest fifty bars; none for no shape"),
      shape_name: z.string().nullable(),
      probability: nullable.describe("Calibrated probability of that class, 0..1"),
    }),
    multi_timeframe: z.object({
      ...layer,
      alignment: nullable.describe("1 where all intervals say the same"),
      divergence: z.boolean().nullable(),
      agreement: z.string().nullable(),
      weights_for: z.string().describe("Kind of market that the weights are for"),
      timeframes: z.record(z.enum(["1h", "4h", "1d"]), timeframeSchema),
    }),
    sentiment: z.object({
      ...layer,
      boost: z.literal(0),
      sources: z.object({ news: sourceSchema, social: sourceSchema, technical: sourceSchema }),
    }),
  })
  .meta({ id: "SignalLayers" });

export const detectionSchema = z
  .object({
    symbol: z.string(),
    timeframe: z.enum(INTERVALS),
    pattern_type: z.string(),
    pattern_name: z.string(),
    direction,
    state: z.string(),
    quality: z.number().describe("How well the geometry fits, 0..1; not a probability"),
    confidence: hitRate,
    evidence: evidenceSchema,
    composite_score: score,
    ...chanceFields,
    composite_direction: z
      .enum(["bullish", "bearish"])
      .describe(
        "Direction that composite_score is read in: the pattern's, or that of all layers where it has none",
      ),
    quality_badge: z
      .enum(BADGES)
      .nullable()
      .describe(
        "Band of the composite score; null for a pattern without a direction, MODERATE at most where one layer speaks or prices are old",
      ),
    layers: layersSchema,
    entry_price: nullable,
    stop_loss: nullable,
    take_profit: nullable,
    risk_reward_ratio: nullable,
    regime: z.string().nullable(),
    bar_time: time,
    closed_at: time,
    timestamp: time,
    ...provenance,
  })
  .meta({ id: "FusedDetection" });

const band = z.enum(Object.keys(BANDS) as [Band, ...Band[]]);
const cellSchema = z.object({
  detected: z.boolean(),
  confidence: hitRate,
  quality: nullable,
  score,
  status: band.describe("By the score; NEUTRAL for patterns without a direction"),
  color: z.string(),
  closed_at: time.nullable(),
  stale: z
    .boolean()
    .nullable()
    .describe("Whether newer bars should exist, of which no cell is above MODERATE; null without bars"),
  reason: z
    .string()
    .nullable()
    .describe("Why the interval could not be looked at, or that others are fresher"),
});
const row = {
  pattern_type: z.string(),
  direction,
  max_confidence: hitRate,
  avg_confidence: hitRate,
  avg_score: score,
};

const heatRows = z.array(
  z.object({ ...row, pattern: z.string(), timeframes: z.partialRecord(z.enum(INTERVALS), cellSchema) }),
);
const consensus = z
  .array(
    z.object({
      pattern: z.string(),
      pattern_type: z.string(),
      direction,
      avg_score: score,
      timeframes: z.array(z.enum(INTERVALS)),
    }),
  )
  .describe("A mean score of 70 and at least two intervals of 70");
const intervals = z.array(
  z.object({
    timeframe: z.enum(INTERVALS),
    ...provenance,
    as_of: time.nullable(),
    synthetic: z.boolean(),
    stale: z.boolean().nullable(),
    reason,
  }),
);

/** Fields of an answer, beside `success`: two clients read two shapes of the same rows. */
export const heatmapAnswer = {
  symbol: z.string(),
  timestamp: time,
  heatmap: heatRows,
  patterns: z.array(
    z.object({
      ...row,
      pattern_name: z.string(),
      timeframes: z.array(cellSchema.extend({ timeframe: z.enum(INTERVALS) })),
    }),
  ),
  consensus_patterns: consensus,
  timeframes: z.array(z.enum(INTERVALS)),
  legend: z.record(band, z.object({ min: nullable, color: z.string() })),
  intervals,
  others: z
    .array(
      z.object({
        symbol: z.string(),
        heatmap: heatRows,
        consensus_patterns: consensus,
        intervals,
        reason: z.string().nullable().describe("Why a symbol could not be looked at; null where it was"),
      }),
    )
    .describe("Maps of the further symbols, in the order in which they were asked for"),
  recent_bars: z.number().int().describe("Newest closed bars of each interval that count"),
};

export const confidenceSchema = z
  .object({
    symbol: z.string(),
    scores: z.array(
      z.object({
        pattern: z.string(),
        pattern_type: z.string(),
        direction,
        timeframe: z.enum(INTERVALS),
        confidence: hitRate,
        evidence: evidenceSchema,
        quality: z.number(),
        score,
        badge: z.enum(BADGES).nullable().describe("Of the score"),
      }),
    ),
    consensus,
    intervals,
    timestamp: time,
  })
  .meta({ id: "PatternConfidences" });
