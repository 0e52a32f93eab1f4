import { assert } from "../base/assert.js";
import type { Hit } from "./weigh.js";

/** The seed's weights; they are renormalised over the sources that have data. */
export const SOURCE_WEIGHTS: Readonly<Record<string, number>> = { twitter: 0.4, reddit: 0.3, news: 0.3 };

export type SentimentLabel = "strongly_bullish" | "bullish" | "neutral" | "bearish" | "strongly_bearish";

/** One scored document of a source. */
export interface SourceText {
  /** Score and confidence of the text, or of the entity in question within it. */
  readonly score: number;
  readonly confidence: number | null;
  /** Epoch ms of publication. */
  readonly time: number;
}

/** What one source says. */
export type SourceSentiment =
  | {
      readonly available: true;
      /** Mean score in [-1, 1], each text halved in weight per half-life of age. */
      readonly score: number;
      /** Mean confidence of the texts, weighted alike, 0..1. */
      readonly confidence: number;
      /** Texts that counted. */
      readonly volume: number;
      /** Sum of their weights: what is left of the volume after ageing. */
      readonly weight: number;
      /** Epoch ms of the newest. */
      readonly asOf: number;
    }
  | { readonly available: false; readonly reason: string };

export interface Recency {
  readonly nowMs: number;
  /** Age at which a text counts half. */
  readonly halfLifeMs: number;
}

/** Texts of one source as one figure. Texts from after `nowMs` and texts that could not be read do not count. */
export function aggregateSource(
  texts: Iterable<SourceText>,
  { nowMs, halfLifeMs }: Recency,
): SourceSentiment {
  assert(halfLifeMs > 0, "a half-life is positive");
  let [weight, score, confidence, volume, seen] = [0, 0, 0, 0, 0];
  let asOf = Number.NEGATIVE_INFINITY;
  for (const text of texts) {
    seen++;
    if (text.time > nowMs || text.confidence === null) continue;
    const share = 0.5 ** ((nowMs - text.time) / halfLifeMs);
    volume++;
    weight += share;
    score += share * text.score;
    confidence += share * text.confidence;
    asOf = Math.max(asOf, text.time);
  }
  if (weight === 0) return { available: false, reason: reasonOf(seen, volume) };
  return { available: true, score: score / weight, confidence: confidence / weight, volume, weight, asOf };
}

function reasonOf(seen: number, volume: number): string {
  if (seen === 0) return "no documents";
  return volume === 0 ? "no document could be read" : "all documents are too old to count";
}

export interface SentimentAggregate {
  readonly available: true;
  /** Weighted mean of the available sources, in [-1, 1]. */
  readonly score: number;
  readonly label: SentimentLabel;
  /** 0.6 of the agreement between sources plus 0.4 of the volume's share of 1000; see `confidenceOf`. */
  readonly confidence: number;
  readonly volume: number;
  /** Population variance of the sources' scores; null for fewer than two. */
  readonly variance: number | null;
  /** Weights used, which sum to 1. */
  readonly weights: ReadonlyMap<string, number>;
  /** Every source asked for; null where it has nothing to say. */
  readonly scores: ReadonlyMap<string, number | null>;
  /** Why sources are missing. */
  readonly missing: ReadonlyMap<string, string>;
}

export type Aggregate =
  | SentimentAggregate
  | { readonly available: false; readonly reason: string; readonly missing: ReadonlyMap<string, string> };

const FULL_VOLUME = 1000;

export function labelOfScore(score: number): SentimentLabel {
  const size = Math.abs(score);
  if (size < 0.2) return "neutral";
  const side = score > 0 ? "bullish" : "bearish";
  return size >= 0.6 ? `strongly_${side}` : side;
}

/** One source cannot agree with itself: with no variance the agreement earns nothing. */
function confidenceOf(variance: number | null, volume: number): number {
  const agreement = variance === null ? 0 : Math.max(0, 1 - variance);
  return 0.6 * agreement + 0.4 * Math.min(1, volume / FULL_VOLUME);
}

/** Sources as one figure; a source of no weight in the table is a mistake of the caller. */
export function aggregateSources(
  sources: ReadonlyMap<string, SourceSentiment>,
  weights: Readonly<Record<string, number>> = SOURCE_WEIGHTS,
): Aggregate {
  const missing = new Map<string, string>();
  const present: { name: string; score: number; weight: number; volume: number }[] = [];
  for (const [name, source] of sources) {
    const weight = weights[name];
    assert(weight !== undefined && weight > 0, `source ${name} has a weight`);
    if (source.available) present.push({ name, score: source.score, weight, volume: source.volume });
    else missing.set(name, source.reason);
  }
  if (present.length === 0) return { available: false, reason: "no source has data", missing };
  const total = present.reduce((sum, source) => sum + source.weight, 0);
  const volume = present.reduce((sum, source) => sum + source.volume, 0);
  const score = present.reduce((sum, source) => sum + source.score * (source.weight / total), 0);
  const variance = varianceOf(present.map((source) => source.score));
  return {
    available: true,
    score,
    label: labelOfScore(score),
    confidence: confidenceOf(variance, volume),
    volume,
    variance,
    weights: new Map(present.map((source) => [source.name, source.weight / total])),
    scores: new Map([...sources].map(([name, source]) => [name, source.available ? source.score : null])),
    missing,
  };
}

function varianceOf(values: readonly number[]): number | null {
  if (values.length < 2) return null;
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  return values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length;
}

/**
 * A pattern's confidence moved by sentiment that speaks for or against its side: at most a fifth either way, by
 * `side * score * confidence`. Without sentiment, or for a pattern with no side, it stays as it is.
 */
export function confidenceWith(
  confidence: number,
  side: 1 | 0 | -1,
  sentiment: Aggregate,
): { readonly confidence: number; readonly change: number; readonly reason: string | null } {
  if (!sentiment.available) return { confidence, change: 0, reason: sentiment.reason };
  const moved = confidence + side * sentiment.score * sentiment.confidence * 0.2;
  const clipped = Math.max(0, Math.min(1, moved));
  return {
    confidence: clipped,
    change: clipped - confidence,
    reason: side === 0 ? "the pattern has no side" : null,
  };
}

/**
 * Whether sentiment alone is worth an alert, and if not, everything it falls short of.
 * @param leastScore size of the score from which on it is.
 */
export function alertCondition(
  sentiment: Aggregate,
  leastScore = 0.5,
): {
  readonly met: boolean;
  readonly shortfalls: readonly string[];
} {
  if (!sentiment.available) return { met: false, shortfalls: [sentiment.reason] };
  const shortfalls = [
    ...(sentiment.confidence >= 0.7 ? [] : ["confidence is below 0.7"]),
    ...(Math.abs(sentiment.score) >= leastScore
      ? []
      : [`the score is between -${leastScore} and ${leastScore}`]),
    ...(sentiment.volume >= FULL_VOLUME ? [] : [`fewer than ${FULL_VOLUME} documents`]),
  ];
  return { met: shortfalls.length === 0, shortfalls };
}

export interface Keyword {
  readonly keyword: string;
  /** Texts that hold it. */
  readonly mentions: number;
  /** Mean score of those texts. */
  readonly score: number;
}

/** The lexicon's terms that most texts hold, most frequent first and in alphabetical order among equals. */
export function keywordsOf(
  texts: Iterable<{ readonly hits: readonly Pick<Hit, "term">[]; readonly score: number }>,
  limit: number,
): Keyword[] {
  const sums = new Map<string, { mentions: number; score: number }>();
  for (const text of texts) {
    for (const keyword of new Set(text.hits.map((hit) => hit.term.toLowerCase()))) {
      const entry = sums.get(keyword) ?? { mentions: 0, score: 0 };
      entry.mentions++;
      entry.score += text.score;
      sums.set(keyword, entry);
    }
  }
  return [...sums]
    .map(([keyword, { mentions, score }]) => ({ keyword, mentions, score: score / mentions }))
    .sort((a, b) => b.mentions - a.mentions || (a.keyword < b.keyword ? -1 : 1))
    .slice(0, limit);
}
