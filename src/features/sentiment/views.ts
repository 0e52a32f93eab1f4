import type { z } from "zod";
import type { Aggregate, SourceSentiment } from "../../core/sentiment/aggregate.js";
import type { TextSentiment } from "../../core/sentiment/score.js";
import { isoTime } from "../../platform/http.js";
import type { NewsFeeds } from "../../providers/news.js";
import { API_VERSION } from "../../providers/twitter-search.js";
import type { Measure } from "./measure.js";
import type {
  analysisSchema,
  measureSchema,
  modelSchema,
  sentimentSchema,
  sourceSchema,
  twitterHealthSchema,
  twitterMetricsSchema,
} from "./schema.js";
import type { Sentiment, SymbolSentiment } from "./sentiment.js";

const NO_RATINGS = "no source of analysts' ratings is configured";

type MeasureView = z.output<typeof measureSchema>;

/** @param technical what prices say, where that was asked. */
export function measureView(
  measure: Measure & { readonly symbol: string },
  nowMs: number,
  technical: number | null = null,
): MeasureView {
  const { aggregate, sources } = measure;
  const scoreOf = (source: SourceSentiment | undefined) => (source?.available === true ? source.score : null);
  const weights = aggregate.available ? aggregate.weights : new Map<string, number>();
  const detail = (name: "twitter" | "reddit" | "news") =>
    sourceView(sources.get(name), weights.get(name) ?? null);
  const score = aggregate.available ? aggregate.score : null;
  return {
    symbol: measure.symbol,
    available: aggregate.available,
    reason: aggregate.available ? null : reasonOf(aggregate),
    overall_sentiment: score,
    sentiment_score: score,
    sentiment_label: aggregate.available ? sideLabel(aggregate.label) : null,
    sentiment_strength: aggregate.available ? aggregate.label : null,
    confidence: aggregate.available ? aggregate.confidence : null,
    volume: aggregate.available ? aggregate.volume : 0,
    sources: {
      twitter: scoreOf(sources.get("twitter")),
      reddit: scoreOf(sources.get("reddit")),
      news: scoreOf(sources.get("news")),
      social: measure.social,
      technical,
    },
    source_details: { twitter: detail("twitter"), reddit: detail("reddit"), news: detail("news") },
    timestamp: isoTime(nowMs),
  };
}

/** One reason for all sources says more than that none has data. */
function reasonOf({ reason, missing }: Extract<Aggregate, { available: false }>): string {
  const reasons = new Set(missing.values());
  return reasons.size === 1 ? [...reasons][0] : reason;
}

function sideLabel(label: string): "BULLISH" | "NEUTRAL" | "BEARISH" {
  if (label.endsWith("bullish")) return "BULLISH";
  return label.endsWith("bearish") ? "BEARISH" : "NEUTRAL";
}

function sourceView(
  source: SourceSentiment | undefined,
  weight: number | null,
): z.output<typeof sourceSchema> {
  if (source?.available !== true) {
    const reason = source?.reason ?? "not asked for";
    return { available: false, reason, score: null, confidence: null, volume: 0, weight: null, as_of: null };
  }
  const { score, confidence, volume, asOf } = source;
  return { available: true, reason: null, score, confidence, volume, weight, as_of: isoTime(asOf) };
}

export function modelView({ model, classifier }: Sentiment): z.output<typeof modelSchema> {
  return { version: model.version, method: model.method, onnx: { ...classifier } };
}

export function sentimentView(
  found: SymbolSentiment,
  sentiment: Sentiment,
  nowMs: number,
): z.output<typeof sentimentSchema> {
  const { technical, correlation, counts, buzz, trending, aggregate } = found;
  const none = aggregate.available ? null : reasonOf(aggregate);
  const reasons: Record<string, string | null> = {
    "sources.technical": technical.reason,
    price_correlation: correlation.reason,
    "metrics.volume_buzz": buzz === null ? (none ?? "no texts of the six days before") : null,
    trending_score: trending === null ? (none ?? "no texts of the last seven days") : null,
    "metrics.analyst_ratings": NO_RATINGS,
  };
  return {
    ...measureView(found, nowMs, technical.value),
    trending_score: trending,
    key_phrases: found.keywords.map(({ keyword }) => keyword),
    keywords: found.keywords.map(({ keyword, score, mentions }) => ({ keyword, sentiment: score, mentions })),
    metrics: {
      volume_buzz: buzz,
      social_mentions: counts.reddit + counts.twitter,
      news_articles: counts.news,
      analyst_ratings: { buy: null, hold: null, sell: null },
    },
    historical: found.history.map(({ date, score, volume }) => ({ date, sentiment: score, volume })),
    price_correlation: correlation.value,
    unavailable: Object.fromEntries(
      Object.entries(reasons).filter((entry): entry is [string, string] => entry[1] !== null),
    ),
    model: modelView(sentiment),
    last_updated: found.collectedMs === null ? null : isoTime(found.collectedMs),
  };
}

type TwitterHealth = z.output<typeof twitterHealthSchema>;

export function twitterHealthView(feeds: NewsFeeds): {
  data: TwitterHealth;
  metrics: z.output<typeof twitterMetricsSchema>;
} {
  const state = feeds.twitter?.state() ?? null;
  const health = feeds.health().find(({ name }) => name === "twitter") ?? null;
  const { requests = 0, failures = 0, lastSuccessAt = null, lastError = null } = health ?? {};
  const timeOf = (ms: number | null | undefined) => (ms === null || ms === undefined ? null : isoTime(ms));
  const { status, reason } = twitterStatus(feeds, health?.ok ?? null, lastError);
  return {
    data: {
      status,
      reason,
      last_update: timeOf(lastSuccessAt),
      rate_limit_limit: state?.limit ?? null,
      rate_limit_remaining: state?.remaining ?? null,
      rate_limit_reset: timeOf(state?.resetMs),
      api_version: API_VERSION,
    },
    metrics: {
      success: requests - failures,
      fail: failures,
      skipped: feeds.skipped("twitter"),
      last_status: state?.status ?? null,
      last_error: lastError,
      last_ts: timeOf(state?.atMs),
    },
  };
}

function twitterStatus(
  feeds: NewsFeeds,
  ok: boolean | null,
  lastError: string | null,
): { status: TwitterHealth["status"]; reason: string | null } {
  if (feeds.twitter === null) {
    return { status: "not_configured", reason: feeds.absence ?? "TWITTER_BEARER_TOKEN is not configured" };
  }
  if (ok === null) return { status: "unknown", reason: "it has not been asked yet" };
  if (ok) return { status: "healthy", reason: null };
  const failure = lastError?.split(":")[0];
  const status = failure === "rate_limited" || failure === "unauthorized" ? failure : "failing";
  return { status, reason: lastError };
}

export function analysisView(found: TextSentiment, version: string): z.output<typeof analysisSchema> {
  const { score, label, confidence, probabilities, lexiconScore, hits, learned, entities } = found;
  return {
    score,
    label,
    confidence,
    probabilities,
    lexicon_score: lexiconScore,
    words: hits.map(({ term, start, end, weight, negated, group }) => ({
      term,
      start,
      end,
      weight,
      negated,
      group,
    })),
    learned: learned.map(({ term, start, end, weight }) => ({ term, start, end, weight })),
    entities: entities.map((entity) => ({
      symbol: entity.symbol,
      score: entity.score,
      label: entity.label,
      confidence: entity.confidence,
    })),
    model: version,
  };
}
