import type { z } from "zod";
import { spoken } from "../../core/base/words.js";
import type { Interval } from "../../core/market/interval.js";
import { isoTime } from "../../platform/http.js";
import type { Alert } from "../alerts/store.js";
import type { Entry } from "./encyclopaedia.js";
import type { Outcome } from "./outcome.js";
import type { Reading } from "./reading.js";
import type { Recommendation } from "./recommendation.js";
import type { Reliability } from "./reliability.js";
import type {
  accuracySchema,
  alertExplanationSchema,
  entrySchema,
  outcomeSchema,
  reliabilitySchema,
  similarSchema,
  stepSchema,
} from "./schema.js";
import { CASE_WEIGHTS, type Similar } from "./similar.js";
import { ICONS, type Step } from "./steps.js";
import { DIRECTIONS, percent } from "./words.js";

export function outcomeView({ gain, exitTime, ...outcome }: Outcome): z.input<typeof outcomeSchema> {
  return { ...outcome, return: gain, exit_time: exitTime === null ? null : isoTime(exitTime) };
}

export function reliabilityView(reliability: Reliability): z.input<typeof reliabilitySchema> {
  const { value, reason, regime, n, hitRate, low, high, baseRate, meanR } = reliability;
  return {
    confidence: value,
    reason,
    regime,
    sample_size: n,
    hit_rate: hitRate,
    hit_rate_low: low,
    hit_rate_high: high,
    base_rate: baseRate,
    avg_return: meanR,
  };
}

export function entryView(entry: Entry): z.input<typeof entrySchema> {
  const { pattern, variant, meant, texts, interval, reliability, measured, examples } = entry;
  return {
    name: variant.title,
    pattern_type: variant.id,
    family: pattern.family,
    direction: DIRECTIONS[variant.direction],
    outlook: variant.outlook,
    prior_trend: variant.priorTrend,
    bars: pattern.bars,
    source: pattern.source,
    variants: pattern.variants.map(({ id }) => id),
    meant: meant.map(({ id, title, direction }) => ({
      pattern_type: id,
      name: title,
      direction: DIRECTIONS[direction],
    })),
    description: texts.description,
    how_it_works: texts.howItWorks,
    entry_strategy: texts.entry,
    exit_strategy: texts.exit,
    risk_management: texts.risk,
    market_conditions: texts.conditions,
    success_rate: reliability.value === null ? null : reliability.hitRate,
    avg_return: reliability.value === null ? null : reliability.meanR,
    timeframe: interval,
    evidence: reliabilityView(reliability),
    evidence_by_timeframe: measured.map((each) => ({
      timeframe: each.interval,
      evidence: reliabilityView(each.reliability),
    })),
    examples: examples.map(({ detection, outcome }) => ({
      detection_id: detection.id,
      symbol: detection.symbol,
      interval: detection.interval,
      bar_time: isoTime(detection.barTime),
      price: detection.price,
      quality: detection.quality,
      regime: detection.regime,
      synthetic: detection.synthetic,
      outcome: outcomeView(outcome),
    })),
  };
}

const COMPARED_BY =
  "Same pattern and interval; nearest by regime, trend before and quality, weighted " +
  `${CASE_WEIGHTS.regime}, ${CASE_WEIGHTS.trend} and ${CASE_WEIGHTS.quality}; nothing later than the bar in question`;

export function similarView({
  cases,
  settled,
  hits,
  meanR,
  meanGain,
}: Similar): z.input<typeof similarSchema> {
  return {
    compared_by: COMPARED_BY,
    count: cases.length,
    settled,
    hits,
    avg_r: meanR,
    avg_return: meanGain,
    cases: cases.map(({ detection, distance, outcome }) => ({
      detection_id: detection.id,
      symbol: detection.symbol,
      bar_time: isoTime(detection.barTime),
      closed_at: isoTime(detection.closedAt),
      quality: detection.quality,
      regime: detection.regime,
      trend: detection.facts.trend,
      distance,
      outcome: outcomeView(outcome),
    })),
  };
}

export const NO_SIMILAR: Similar = { cases: [], settled: 0, hits: 0, meanR: null, meanGain: null };

export function stepView({ details, status, ...step }: Step): z.input<typeof stepSchema> {
  return { icon: ICONS[status], status, ...step, details: details.join("; ") };
}

export function accuracyView(
  pattern: string,
  interval: Interval,
  reliability: Reliability,
): z.input<typeof accuracySchema> {
  const { value, reason, n, hitRate, low, high, baseRate, regime, meanR } = reliability;
  const measured = value !== null && hitRate !== null;
  return {
    pattern_type: pattern,
    accuracy: measured ? hitRate : null,
    win_rate: measured ? hitRate : null,
    sample_size: n,
    low: measured ? low : null,
    high: measured ? high : null,
    base_rate: measured ? baseRate : null,
    avg_return: measured ? meanR : null,
    description: measured
      ? `${percent(hitRate)} of ${n} trades on ${interval} bars (regime: ${spoken(regime)}) reached the target before the stop, after costs`
      : (reason ?? "There is no measured hit rate"),
  };
}

export function alertExplanationView(
  reading: Reading,
  alert: Alert,
  advice: Recommendation,
  steps: readonly Step[],
): z.input<typeof alertExplanationSchema> {
  const { subject, levels, reliability, similar, volumeRatio, regime, standing } = reading;
  const { detection, variant } = subject;
  const context = steps.filter(({ title }) => ["Prior trend", "Market regime", "Volume"].includes(title));
  const sentences = (chosen: readonly Step[]) => chosen.map(({ description }) => `${description}.`).join(" ");
  return {
    alert_id: alert.id,
    symbol: subject.instrument.symbol,
    pattern_type: variant.id,
    pattern_name: variant.title,
    explanation: `${sentences(steps.filter((step) => !context.includes(step)))} ${advice.reasoning}`,
    market_context: sentences(context),
    recommended_action: advice.action,
    risk_factors: advice.factors.filter(({ present }) => present).map(({ text }) => text),
    confidence_factors: {
      score: advice.score,
      shape_quality: detection.quality,
      confidence_when_raised: alert.confidence,
      measured_confidence: reliability.value,
      base_rate: reliability.baseRate,
      regime_probability: regime?.probability ?? null,
      volume_ratio: volumeRatio,
    },
    timestamp: isoTime(alert.createdAt),
    confidence: alert.confidence,
    detected_at: isoTime(subject.storedBy),
    additional_data: {
      detection_id: subject.detectionId ?? 0,
      interval: detection.interval,
      entry: levels?.entry ?? null,
      stop_loss: levels?.stop ?? null,
      take_profit: levels?.target ?? null,
      risk_reward_ratio: levels?.rewardRisk ?? null,
      trade: outcomeView(standing.outcome),
      evidence: reliabilityView(reliability),
      similar_cases: similarView(similar),
    },
  };
}
