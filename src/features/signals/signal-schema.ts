import { z } from "zod";
import { INTERVALS } from "../../core/market/interval.js";
import { EXIT_REASONS } from "../../core/signals/signal.js";
import { decimalText, instantText } from "../../platform/http.js";
import { intervalText, provenance, symbolText } from "../candles/schema.js";
import { chanceFields } from "../models/layers.js";
import { toldFields } from "../models/told.js";
import { evidenceSchema, layersSchema } from "./schema.js";

const time = z.iso.datetime();
const nullable = z.number().nullable();
const hitRate = nullable.describe("Measured hit rate, 0..1; null while too few trades tell");
const priceText = decimalText(0, 1e12).pipe(z.number().positive());
const timeframe = intervalText.prefault("1d");
/** Above 1 a percentage. */
const share = (value: number) => (value > 1 ? value / 100 : value);

export const signalQuery = z.strictObject({
  symbol: symbolText,
  timeframe,
  type: z.enum(["all", "entry", "exit"]).default("all"),
});
export const SYMBOLS_LIMIT = 20;
export const signalBody = z.strictObject({
  symbols: z.array(symbolText).min(1).max(SYMBOLS_LIMIT),
  timeframe,
  min_confidence: z
    .number()
    .min(0)
    .max(100)
    .transform(share)
    .optional()
    .describe(
      "0..1 or 0..100; of the measured hit rate, or of the quality where too few trades tell. Without it 0.7 of the quality: hit rates hardly ever reach that",
    ),
});
export const entryQuery = z.strictObject({ timeframe });
export const exitQuery = z.strictObject({
  timeframe,
  entry_price: priceText.optional().describe("Of a position; without it the caller's open positions"),
  side: z
    .string()
    .transform((text) => text.toLowerCase())
    .pipe(z.enum(["buy", "sell", "long", "short"]))
    .transform((word) => (word === "buy" || word === "long" ? (1 as const) : (-1 as const)))
    .optional()
    .meta({ enum: ["buy", "sell", "long", "short"], description: "buy unless given" }),
  stop_loss: priceText.optional().describe("Without it the percentage of the caller's settings"),
  take_profit: priceText.optional().describe("Without it the percentage of the caller's settings"),
  quantity: priceText.optional().describe("Units that are held"),
  opened_at: instantText.optional().describe("For the best price since and the time that has passed"),
});
export const recommendQuery = z.strictObject({
  symbol: symbolText,
  timeframe,
  account_size: priceText.optional().describe("Equity, in place of that of the caller's account"),
});

const entrySchema = z.object({
  type: z.literal("entry"),
  action: z.enum(["BUY", "SELL"]),
  pattern: z.string(),
  pattern_type: z.string(),
  confidence: hitRate,
  evidence: evidenceSchema,
  quality: z.number(),
  judged_by: z.enum(["confidence", "quality"]).describe("What min_confidence was held against"),
  composite_score: nullable.describe("All layers in the direction of the signal, 0..100"),
  ...chanceFields,
  agrees: z.boolean().describe("Whether all layers together say to trade in this direction"),
  entry_price: z.number().describe("The price now, on a tick; stop and target are those of the pattern"),
  price_target: z.number(),
  take_profit: z.number(),
  stop_loss: z.number(),
  risk_reward_ratio: z.number(),
  levels_from: z.enum(["formation", "range"]),
  timeframe: z.enum(INTERVALS),
  regime: z.string().nullable(),
  ...toldFields,
  reasoning: z.string(),
  timestamp: time.describe("Close of the pattern's bar"),
});
const exitSchema = z.object({
  type: z.literal("exit"),
  action: z.enum(["SELL", "BUY"]).describe("What closes the position"),
  reason: z.enum(EXIT_REASONS),
  reasoning: z.string(),
  pattern: z.string().nullable(),
  current_price: z.number(),
  entry_price: z.number(),
  price_target: nullable,
  stop_loss: nullable,
  pnl_percent: z.number(),
  quantity: nullable,
  urgency: z.enum(["low", "medium", "high"]),
  value: nullable,
  limit: nullable,
  confidence: z.null().describe("Exits are rules, of which no hit rate is measured"),
  timeframe: z.enum(INTERVALS),
  sentiment: nullable.describe("-1..1"),
  timestamp: time,
});
export const signalSchema = z.discriminatedUnion("type", [entrySchema, exitSchema]);

const reasonSchema = z.object({ code: z.string(), text: z.string(), value: nullable, limit: nullable });
const decision = {
  action: z.enum(["BUY", "SELL", "HOLD", "AVOID"]),
  reasons: z.array(reasonSchema),
};
const leftOut = z
  .array(
    z.object({
      pattern: z.string(),
      pattern_type: z.string(),
      direction: z.enum(["bullish", "bearish", "neutral"]),
      reasons: z.array(reasonSchema),
    }),
  )
  .describe("Patterns whose trade is open and not to be taken: by evidence, settings or the recommendation");
const contextSchema = z.object({
  price: z.number(),
  price_from: z.enum(["quote", "candle"]),
  change_percent: nullable,
  volume: nullable.describe("Of the session"),
  sentiment_label: z.string().nullable(),
  sentiment_overall: nullable.describe("-1..1"),
  sentiment_reason: z.string().nullable(),
  quote_reason: z.string().nullable().describe("Why there is no quote"),
});

export const symbolSignalsSchema = z
  .object({
    symbol: z.string(),
    timeframe: z.enum(INTERVALS),
    ...decision,
    direction: z.enum(["bullish", "bearish"]).describe("That all layers lean to"),
    composite_score: nullable.describe("In the direction that all layers lean to, 0..100"),
    ...chanceFields,
    signals: z.array(signalSchema),
    left_out: leftOut,
    exits_reason: z.string().nullable().describe("Why no exits were looked for"),
    market_context: contextSchema,
    last_updated: time,
    timestamp: time,
    ...provenance,
  })
  .meta({ id: "SymbolSignals" });

export const manySignalsSchema = z
  .object({
    signals_by_symbol: z.record(
      z.string(),
      z.object({
        ...decision,
        signals: z.array(signalSchema),
        left_out: leftOut,
        market_data: contextSchema,
        sentiment: z.object({ score: nullable, label: z.string().nullable(), reason: z.string().nullable() }),
        ...provenance,
      }),
    ),
    missing: z.array(z.object({ symbol: z.string(), reason: z.string() })),
    summary: z.object({
      total_symbols_analyzed: z.number().int(),
      symbols_with_signals: z.number().int(),
      total_signals: z.number().int(),
      min_confidence_threshold: z.number(),
    }),
    timestamp: time,
  })
  .meta({ id: "ManySignals" });

export const exitsSchema = z
  .object({
    symbol: z.string(),
    timeframe: z.enum(INTERVALS),
    current_price: z.number(),
    positions: z.number().int().describe("Positions that were looked at"),
    signals: z.array(exitSchema),
    reason: z.string().nullable().describe("Why none was looked at"),
    timestamp: time,
    ...provenance,
  })
  .meta({ id: "ExitSignals" });

export const recommendationSchema = z
  .object({
    symbol: z.string(),
    timeframe: z.enum(INTERVALS),
    ...decision,
    direction: z.enum(["bullish", "bearish"]).describe("That the layers lean to; levels are for it"),
    confidence: nullable.describe(
      "Measured hit rate of the leading pattern, 0..100; null while too few trades tell",
    ),
    confidence_ratio: hitRate,
    confidence_reason: z.string().nullable(),
    composite_score: nullable.describe("All layers in the direction, 0..100"),
    ...chanceFields,
    layers: layersSchema,
    current_price: z.number(),
    price_from: z.enum(["quote", "candle"]),
    entry_price: nullable,
    target_price: nullable,
    stop_loss: nullable,
    risk_reward_ratio: nullable,
    position_size: nullable.describe("Units; null where no equity is known"),
    patterns_detected: z.array(
      z.object({
        pattern: z.string(),
        pattern_type: z.string(),
        direction: z.string(),
        confidence: hitRate,
        quality: z.number(),
        closed_at: time,
      }),
    ),
    sentiment: z.object({ score: nullable, label: z.string().nullable(), reason: z.string().nullable() }),
    reasoning: z.string(),
    risk_analysis: z.object({
      max_loss: nullable.describe("Money at the stop"),
      max_gain: nullable.describe("Money at the target"),
      probability_success: hitRate,
    }),
    risk_assessment: z.object({
      risk_score: z.number().int().describe("0..100"),
      risk_factors: z.array(z.string()),
      risk_mitigation: z.array(z.string()),
      factors: z.array(reasonSchema),
      unchecked: z.array(z.string()).describe("The same as unchecked beside it"),
    }),
    complete: z.boolean().describe("Whether every limit could be looked at"),
    unchecked: z.array(z.string()).describe("Limits that could not, for what they compare is not known"),
    position_sizing: z.object({
      unit: z.literal("percent_of_equity"),
      recommended_size: z.number().describe("0 where there is no trade"),
      max_size: z.number(),
      kelly_criterion: z.number().describe("Share of the equity by Kelly; 0 while no edge is measured"),
      kelly_measured: z.boolean(),
      risk_percent: z.number().describe("Of the equity, lost at the stop"),
      equity: nullable,
      quantity: nullable,
      notional: nullable,
      reason: z.string().nullable().describe("Why there is no quantity"),
    }),
    last_updated: time,
    timestamp: time,
    ...provenance,
  })
  .meta({ id: "Recommendation" });
