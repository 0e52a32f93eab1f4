import { z } from "zod";
import { INTERVALS } from "../../core/market/interval.js";
import { MEASURES, REGIMES, VOLATILITY_LEVELS } from "../../core/regime/define.js";
import { instantText, wholeNumberText } from "../../platform/http.js";
import { intervalText, provenance, symbolText } from "../candles/schema.js";
import { RISK_LEVELS, STRENGTHS } from "./advice.js";

const regime = z.enum(REGIMES);
const measure = z.enum(Object.keys(MEASURES) as [keyof typeof MEASURES, ...(keyof typeof MEASURES)[]]);
const share = z.number().min(0).max(1);
const time = z.iso.datetime();

export const detectBody = z.strictObject({
  symbol: symbolText,
  timeframe: intervalText.prefault("1d"),
  lookback_days: z.int().min(30).max(3_650).default(252).describe("How far back the duration is counted"),
  include_market_data: z
    .boolean()
    .default(true)
    .describe("Whether the VIX counts, for daily bars of US markets"),
});
export const marketRegimeQuery = z.strictObject({
  symbol: symbolText.default("SPY"),
  lookback_days: wholeNumberText(30, 365).prefault("90").describe("How far back the duration is counted"),
});
export const timelineQuery = z.strictObject({
  timeframe: intervalText.prefault("1d"),
  limit: wholeNumberText(1, 5_000).prefault("252").describe("The newest bars"),
  as_of: instantText
    .optional()
    .describe("On the bars that had closed at this moment, as they were known then"),
});

const reasonSchema = z.object({
  measure,
  meaning: z.string(),
  value: z.number().nullable().describe("Null where it is not known"),
  counts_from: z.number(),
  full_at: z.number(),
  met: share,
});

export const explanationSchema = z
  .object({
    regime,
    fit: share.describe("The least of its reasons, mean of three bars"),
    probability: share,
    reasons: z.array(reasonSchema).describe("At the newest bar, those that hold it back first"),
  })
  .meta({ id: "RegimeExplanation" });

const probabilities = z.record(regime, share).describe("Add up to 1");
const keyIndicators = z
  .record(z.string(), z.number().nullable())
  .describe("Null where not known: those of volume without volume, the VIX without a source");

export const readingSchema = z
  .object({
    symbol: z.string(),
    timeframe: z.enum(INTERVALS),
    current_regime: regime,
    confidence: share.describe("Probability of the label by its fit; no measured hit rate"),
    regime_strength: z
      .enum(STRENGTHS)
      .describe("By the fit of the label: strong from 0.7, moderate from 0.4"),
    trend_direction: z.enum(["bullish", "bearish", "sideways"]),
    volatility_level: z.enum(VOLATILITY_LEVELS).describe("By the last 252 bars"),
    momentum_score: z.number().min(-1).max(1),
    regime_duration: z.number().int().describe("Bars in a row, as far back as was looked"),
    duration_complete: z.boolean().describe("False when it may have begun before that"),
    regime_probabilities: probabilities,
    key_indicators: keyIndicators,
    explanations: z.array(explanationSchema).describe("The most probable first"),
    trading_implications: z.array(z.string()),
    risk_level: z.enum(RISK_LEVELS),
    recommended_strategies: z
      .array(z.string())
      .describe("Kinds that traders commonly use in the regime; their worth is not measured"),
    market_data: z.object({
      symbol: z.string(),
      value: z.number().nullable(),
      source: z.string().nullable(),
      reason: z.string().nullable().describe("Why it does not count"),
    }),
    settled: z.boolean().describe("True when earlier candles would change nothing but the duration"),
    bar_time: time.describe("Open of the newest closed bar"),
    analysis_timestamp: time,
    ...provenance,
  })
  .meta({ id: "RegimeReading" });

export const marketRegimeSchema = z
  .object({
    symbol: z.string(),
    regime,
    confidence: share,
    features: keyIndicators,
    cluster_id: z.null(),
    cluster_reason: z.string().describe("Why there is no cluster"),
    recommended_strategies: z.array(z.string()),
    timestamp: time,
    ...provenance,
  })
  .meta({ id: "MarketRegime" });

export const typesSchema = z.object({
  regime_types: z.array(
    z.object({
      type: regime,
      title: z.string(),
      description: z.string(),
      conditions: z
        .array(z.object({ measure, meaning: z.string(), counts_from: z.number(), full_at: z.number() }))
        .describe("The label fits as well as the least of these"),
    }),
  ),
});

export const timelineSchema = z
  .object({
    symbol: z.string(),
    timeframe: z.enum(INTERVALS),
    time: z.array(time).describe("Opens of the bars, oldest first"),
    regime: z.array(regime.nullable()).describe("Null while there are too few bars"),
    probability: z.array(z.number().nullable()),
    duration: z.array(z.number().int()),
    spells: z.array(z.object({ regime, since: time, until: time, bars: z.number().int() })),
    transitions: z.object({
      regimes: z.array(regime),
      counts: z.array(z.array(z.number().int())).describe("counts[from][to], one bar apart"),
      rates: z.array(z.array(z.number()).nullable()).describe("Rows add up to 1; null where never seen"),
    }),
    ...provenance,
  })
  .meta({ id: "RegimeTimeline" });
