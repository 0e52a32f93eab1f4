import { z } from "zod";
import { symbolsText, symbolText } from "../candles/schema.js";

const figure = z.number().nullable();
const score = figure.describe("-1..1");
const share = figure.describe("0..1");
const time = z.iso.datetime();

const LABELS = ["BULLISH", "NEUTRAL", "BEARISH"] as const;

const polarity = z
  .enum(["positive", "neutral", "negative"])
  .describe(
    "The likeliest of the three; the score is the chance of positive less that of negative, so that a text may be neutral and still lean to a side",
  );

export const MAX_SYMBOLS = 50;
export const MAX_TEXT = 20_000;

export const sourceSchema = z
  .object({
    available: z.boolean(),
    reason: z.string().nullable().describe("Why it says nothing; null where it does"),
    score,
    confidence: share.describe("Mean measured probability that a text's label is right, 0..1"),
    volume: z.number().int().describe("Texts that counted"),
    weight: figure.describe("Share in the whole; the shares of the available sources sum to 1"),
    as_of: time.nullable().describe("Newest text"),
  })
  .meta({ id: "SentimentSource" });

export const measureSchema = z
  .object({
    symbol: z.string(),
    available: z.boolean().describe("False where no source has texts about it"),
    reason: z.string().nullable().describe("Why it is not available"),
    overall_sentiment: score.describe("Of the available sources by their weights, -1..1"),
    sentiment_score: score.describe("The same"),
    sentiment_label: z.enum(LABELS).nullable(),
    sentiment_strength: z
      .enum(["strongly_bullish", "bullish", "neutral", "bearish", "strongly_bearish"])
      .nullable(),
    confidence: share.describe(
      "0.6 of the agreement of sources, 0.4 of the volume's share of 1000; no probability",
    ),
    volume: z.number().int().describe("Texts that counted"),
    sources: z
      .object({ twitter: score, reddit: score, news: score, social: score, technical: score })
      .describe("Score of each source; social is both networks, technical is of prices and not in the whole"),
    source_details: z.object({ twitter: sourceSchema, reddit: sourceSchema, news: sourceSchema }),
    timestamp: time,
  })
  .meta({ id: "SentimentMeasure" });

export const modelSchema = z
  .object({
    version: z.string(),
    method: z.enum(["lexicon and classifier", "onnx"]),
    onnx: z.object({ configured: z.boolean(), available: z.boolean(), reason: z.string().nullable() }),
  })
  .meta({ id: "SentimentModel" });

export const sentimentSchema = measureSchema
  .extend({
    trending_score: share.describe("Share of the last day in it and an average day before; 0.5 is as usual"),
    key_phrases: z.array(z.string()),
    keywords: z.array(z.object({ keyword: z.string(), sentiment: z.number(), mentions: z.number().int() })),
    metrics: z.object({
      volume_buzz: figure.describe("Texts of the last day against an average day of the six before"),
      social_mentions: z.number().int().describe("Posts of the last seven days that are stored"),
      news_articles: z.number().int().describe("News of the last seven days that are stored"),
      analyst_ratings: z.object({ buy: figure, hold: figure, sell: figure }),
    }),
    historical: z
      .array(z.object({ date: z.iso.date(), sentiment: score, volume: z.number().int() }))
      .describe("Days of UTC with texts, of the last ninety, oldest first"),
    price_correlation: figure.describe("Texts from close to close against the change of price between"),
    unavailable: z.record(z.string(), z.string()).describe("Why fields are null, by field"),
    model: modelSchema,
    last_updated: time.nullable().describe("When texts about it were last collected"),
  })
  .meta({ id: "Sentiment" });

export const aggregateSchema = z
  .object({
    overall: measureSchema.omit({ symbol: true }),
    by_symbol: z.array(measureSchema),
    model: modelSchema,
    as_of: time,
  })
  .meta({ id: "SentimentAggregate" });

export const twitterHealthSchema = z
  .object({
    status: z.enum(["not_configured", "unknown", "healthy", "rate_limited", "unauthorized", "failing"]),
    reason: z.string().nullable(),
    last_update: time.nullable().describe("When it last answered well"),
    rate_limit_limit: figure,
    rate_limit_remaining: figure,
    rate_limit_reset: time.nullable(),
    api_version: z.string(),
  })
  .meta({ id: "TwitterHealth" });

export const twitterMetricsSchema = z.object({
  success: z.number().int(),
  fail: z.number().int(),
  skipped: z.number().int().describe("Not asked, since it was set aside"),
  last_status: figure.describe("HTTP status of the last answer"),
  last_error: z.string().nullable(),
  last_ts: time.nullable().describe("When the last answer came"),
});

export const enhancedSchema = z.object({
  symbol: z.string(),
  pattern_type: z.string(),
  side: z.enum(["bullish", "bearish", "neutral"]).describe("Of the pattern; nothing changes for neutral"),
  base_confidence: z.number(),
  enhanced_confidence: z.number(),
  enhancement_factor: z.number().describe("What was added, -0.2..0.2"),
  reason: z.string().nullable().describe("Why nothing was added"),
  sentiment: measureSchema,
  timestamp: time,
});

export const conditionSchema = z.object({
  should_alert: z.boolean(),
  alert_reason: z.string(),
  priority: z.enum(["none", "medium", "high"]),
  sentiment_data: measureSchema,
});

const word = z.object({
  term: z.string(),
  start: z.number().int(),
  end: z.number().int(),
  weight: z.number(),
});

export const analysisSchema = z
  .object({
    score: z.number().describe("-1 bad news .. 1 good news"),
    label: polarity,
    confidence: share.describe(
      "Measured probability that the label is right; null for a text of no known word",
    ),
    probabilities: z.object({ negative: z.number(), neutral: z.number(), positive: z.number() }).nullable(),
    lexicon_score: z.number(),
    words: z
      .array(word.extend({ negated: z.boolean(), group: z.string() }))
      .describe("Terms of the lexicon with their places in the text"),
    learned: z.array(word).describe("Words that moved the classifier most; weights are log-odds"),
    entities: z.array(
      z.object({
        symbol: z.string(),
        score: z.number(),
        label: polarity,
        confidence: share,
      }),
    ),
    model: z.string(),
  })
  .meta({ id: "TextAnalysis" });

export const symbolParams = z.strictObject({ symbol: symbolText });
export const aggregateQuery = z.strictObject({
  symbols: symbolsText(MAX_SYMBOLS)
    .optional()
    .describe(`Comma list of at most ${MAX_SYMBOLS}; without it, what is scanned`),
});
export const enhanceBody = z.strictObject({
  symbol: symbolText,
  base_confidence: z.number().min(0).max(1).prefault(0.5),
  pattern_type: z.string().max(100).prefault("AUTO"),
});
/** Existing clients send the condition they keep, whatever else is in it. */
export const conditionBody = z.looseObject({
  symbol: symbolText,
  pattern_type: z.string().max(100).optional(),
  threshold: z
    .number()
    .min(0)
    .max(1)
    .optional()
    .describe("Size of the score from which on to alert; 0.5 unless given"),
});
export const analyseBody = z.strictObject({ text: z.string().min(1).max(MAX_TEXT) });
