import type { z } from "zod";
import { spoken } from "../../core/base/words.js";
import type { Interval } from "../../core/market/interval.js";
import { isIntraday } from "../../core/market/interval.js";
import { findVariant, PATTERNS } from "../../core/patterns/index.js";
import type { Levels } from "../../core/signals/levels.js";
import type { Action } from "../../core/signals/signal.js";
import { isoTime } from "../../platform/http.js";
import { provenanceOf } from "../candles/views.js";
import { titleOf } from "../catalogue/pattern-names.js";
import type { RegimeReading } from "../regimes/regimes.js";
import { readingView } from "../regimes/views.js";
import type { insightsSchema, patternsSchema, typesSchema } from "./insight-schema.js";
import { countStrengths, riskLevel, sharesOf, strengthOf } from "./insights.js";
import { type SeenPattern, strengthOf as weightOf } from "./look.js";
import type { ListedPattern, PatternList } from "./pattern-list.js";
import { PATTERN_TYPES, typeOf } from "./pattern-types.js";
import type { Found, Reading } from "./reading.js";
import type { Recommendation } from "./recommend.js";
import { decisionView, sentimentBrief } from "./signal-views.js";
import { factorText, plain } from "./texts.js";
import { DIRECTIONS, evidenceView } from "./views.js";

const TOP = 3;

export function patternListView(list: PatternList, nowMs: number): z.input<typeof patternsSchema> {
  const { set, patterns, below, beyond } = list;
  return {
    symbol: set.instrument.symbol,
    timeframe: set.candles.interval,
    patterns: patterns.map(listedView),
    total_patterns: patterns.length,
    below_min_confidence: below,
    older_left_out: beyond,
    confidence_summary: countStrengths(patterns.map(({ judged }) => judged.value)),
    analysis_timestamp: isoTime(nowMs),
    ...provenanceOf(set),
  };
}

function listedView(listed: ListedPattern) {
  const { detection, confidence, judged, levels, over, volumeConfirms, trendAligns, keyLevels } = listed;
  return {
    pattern_type: detection.pattern,
    type: typeOf(detection.pattern),
    pattern_name: titleOf(detection.pattern),
    confidence: confidence.value,
    evidence: evidenceView(confidence),
    quality: detection.quality,
    judged_by: judged.basis,
    strength: strengthOf(judged.value),
    direction: DIRECTIONS[detection.direction],
    state: detection.state,
    target_price: levels?.target ?? null,
    stop_loss: levels?.stop ?? null,
    risk_reward_ratio: levels?.rewardRisk ?? null,
    timeframe: spanOf(detection.interval),
    volume_confirmation: volumeConfirms,
    trend_alignment: trendAligns,
    key_levels: [...keyLevels],
    regime: detection.regime,
    description: findVariant(detection.pattern)?.pattern.description ?? "",
    trading_suggestion: over === null ? suggestion(detection.direction, levels) : `No trade: ${over}`,
    closed_at: isoTime(detection.closedAt),
  };
}

function spanOf(interval: Interval): "short" | "medium" | "long" {
  if (isIntraday(interval)) return "short";
  return interval === "1d" ? "medium" : "long";
}

/** The trade on a pattern, in words. */
function suggestion(direction: 1 | 0 | -1, levels: Levels | null): string {
  if (direction === 0) return "No trade: the pattern expects neither rise nor fall";
  if (levels === null) return "No trade: too few bars tell where stop and target would lie";
  const { entry, stop, target } = levels;
  return `${direction > 0 ? "Buy" : "Sell"} near ${plain(entry)}, stop ${plain(stop)}, target ${plain(target)}`;
}

/** The trade on a pattern where the answer as a whole says to trade its way. */
function suggestionWithin(action: Action, direction: 1 | 0 | -1, levels: Levels | null): string {
  const own = direction > 0 ? "BUY" : "SELL";
  return direction === 0 || levels === null || action === own
    ? suggestion(direction, levels)
    : `No trade: the recommendation is ${action}`;
}

export interface InsightParts {
  readonly patterns: boolean;
  readonly sentiment: boolean;
}

export function insightsView(
  advice: Recommendation,
  regime: Found<RegimeReading>,
  parts: InsightParts,
  nowMs: number,
): z.input<typeof insightsSchema> {
  const { reading, action } = advice;
  const { fusion, main } = reading;
  const { signed } = fusion;
  const brief = sentimentBrief(reading);
  const absent: Record<string, string> = {
    ...(regime.value === null ? { regime: regime.reason, risk_assessment: regime.reason } : {}),
    ...(parts.patterns ? {} : { patterns: NOT_ASKED }),
    ...(parts.sentiment ? {} : { sentiment: NOT_ASKED }),
    ...(parts.sentiment && brief.reason !== null ? { "sentiment.sentiment_score": brief.reason } : {}),
    ...(parts.sentiment
      ? { "sentiment.analyst_sentiment": "no source of analysts' ratings is configured" }
      : {}),
  };
  return {
    symbol: main.set.instrument.symbol,
    analysis_timestamp: isoTime(nowMs),
    patterns: parts.patterns ? patternsView(reading.live, action) : null,
    regime: regime.value === null ? null : regimeView(regime.value, nowMs),
    sentiment: parts.sentiment ? sentimentView(reading) : null,
    unavailable: absent,
    overall_score: signed === null ? null : 50 + 50 * signed,
    trading_recommendation: action === "AVOID" ? "HOLD" : action,
    ...decisionView(advice),
    risk_assessment: riskLevel(reading, regime),
    key_insights: keyInsights(advice, regime, parts),
    ...provenanceOf(main.set),
  };
}

export const NOT_ASKED = "it was not asked for";

function patternsView(live: readonly SeenPattern[], action: Action) {
  const top = [...live].sort((a, b) => weightOf(b) - weightOf(a)).slice(0, TOP);
  return {
    total_patterns: live.length,
    top_patterns: top.map(({ detection, confidence, levels }) => ({
      pattern_type: detection.pattern,
      pattern_name: titleOf(detection.pattern),
      confidence: confidence.value,
      quality: detection.quality,
      direction: DIRECTIONS[detection.direction],
      trading_suggestion: suggestionWithin(action, detection.direction, levels),
    })),
    confidence_distribution: countStrengths(sharesOf(live)),
  };
}

function regimeView(regime: RegimeReading, nowMs: number) {
  const view = readingView(regime, nowMs);
  return {
    current_regime: view.current_regime,
    confidence: view.confidence,
    trend_direction: view.trend_direction,
    volatility_level: view.volatility_level,
    risk_level: view.risk_level,
    recommended_strategies: view.recommended_strategies,
    trading_implications: view.trading_implications,
  };
}

function sentimentView(reading: Reading) {
  const { score, label } = sentimentBrief(reading);
  const measure = reading.sentiment.value;
  const news = measure?.sources.get("news");
  return {
    overall_sentiment: label,
    sentiment_score: score,
    news_sentiment: news?.available === true ? news.score : null,
    social_sentiment: measure?.social ?? null,
    analyst_sentiment: null,
  };
}

/** What is worth knowing, in sentences with numbers. */
function keyInsights(advice: Recommendation, regime: Found<RegimeReading>, parts: InsightParts): string[] {
  const { reading, action, reasons } = advice;
  const { timeframes, leading } = reading;
  const insights = reasons.map((reason) => `${action}: ${factorText(reason)}`);
  if (parts.patterns && leading !== null) {
    const { detection, confidence } = leading;
    const { value, n } = confidence;
    const rate = value === null ? "hit rate unknown" : `hit rate ${plain(100 * value)} % of ${n} trades`;
    insights.push(`${titleOf(detection.pattern)} says most of its direction, ${rate}`);
  }
  if (regime.value !== null) {
    const { explanation, duration } = regime.value;
    const name = spoken(regime.value.regime);
    insights.push(`Regime ${name} for ${duration} bars, fit ${plain(explanation.fit)}`);
  }
  if (timeframes.recommendation !== null) {
    insights.push(`Intervals: ${timeframes.recommendation}, agreement ${timeframes.agreement}`);
  }
  const { score, label } = sentimentBrief(reading);
  if (parts.sentiment && score !== null) insights.push(`Sentiment ${label}, ${plain(score)} of -1..1`);
  return insights;
}

export function typesView(): z.input<typeof typesSchema> {
  const types = PATTERN_TYPES.map(({ variants, ...type }) => ({
    ...type,
    variants: [...variants],
    available: variants.length > 0,
  }));
  return {
    pattern_types: types,
    total: types.length,
    available: types.filter(({ available }) => available).length,
    variants_in_types: types.reduce((sum, { variants }) => sum + variants.length, 0),
    variants_in_table: PATTERNS.reduce((sum, { variants }) => sum + variants.length, 0),
  };
}
