import type { z } from "zod";
import { isoTime } from "../../platform/http.js";
import { type Composite, noComposite } from "./composite.js";
import type { Reading } from "./reading.js";
import { type Recommendation, recommend } from "./recommendation.js";
import type { Reliability } from "./reliability.js";
import type { reasoningAnswer, recommendationSchema } from "./schema.js";
import { reasoningSteps, type Step } from "./steps.js";
import type { Unseen } from "./subject.js";
import { accuracyView, NO_SIMILAR, outcomeView, similarView, stepView } from "./views.js";

type ReasoningView = { [Field in keyof typeof reasoningAnswer]: z.input<(typeof reasoningAnswer)[Field]> };

function recommendationView(advice: Recommendation): z.input<typeof recommendationSchema> {
  return {
    action: advice.action,
    confidence: advice.confidence,
    entry_price: advice.entry,
    target_price: advice.target,
    stop_loss: advice.stop,
    risk_reward_ratio: advice.rewardRisk,
    risk_score: advice.riskScore,
    risk_label: advice.riskLabel,
    risk_level: advice.riskLabel,
    position_size: null,
    reasoning: advice.reasoning,
  };
}

function compositeView({ score, badge, asOfMs, reason }: Composite) {
  return {
    composite_score: score,
    composite_as_of: asOfMs === null ? null : isoTime(asOfMs),
    composite_reason: reason,
    quality_badge: badge,
  };
}

/** The reasoning in both shapes that clients read: in `data`, and beside it. */
export function reasoningView(reading: Reading, composite: Composite): ReasoningView {
  const { subject, reliability, similar, standing } = reading;
  const { instrument, variant, detection, alert, detectionId } = subject;
  const advice = recommend(reading);
  const steps = reasoningSteps(reading).map(stepView);
  const shared = {
    symbol: instrument.symbol,
    pattern: variant.title,
    recommendation: recommendationView(advice),
    historical_accuracy: accuracyView(variant.id, detection.interval, reliability),
  };
  return {
    ...shared,
    ...compositeView(composite),
    shape_quality: detection.quality,
    reasoning: steps,
    data: {
      title: `${variant.title} on ${instrument.symbol} ${detection.interval}`,
      ...shared,
      pattern_type: variant.id,
      interval: detection.interval,
      alert_id: alert?.id ?? null,
      detection_id: detectionId,
      timestamp: isoTime(detection.closedAt),
      reasoning_steps: steps,
      risk_assessment: { score: advice.riskScore, label: advice.riskLabel, factors: [...advice.factors] },
      similar_cases: similarView(similar),
      trade: outcomeView(standing.outcome),
      age_ms: standing.ageMs,
      stale: standing.stale,
      summary: advice.reasoning,
    },
  };
}

/** The reasoning where the pattern is not there: nothing to trade, and why. */
export function unseenView(
  { instrument, variant, interval, bars }: Unseen,
  reliability: Reliability,
): ReasoningView {
  const { symbol } = instrument;
  const text = `${variant.title} is stored nowhere for ${symbol} and not seen on its newest ${bars} closed ${interval} bars`;
  const step: Step = { title: "Shape", status: "failed", description: text, details: [], confidence: null };
  const summary = `HOLD: ${text}.`;
  const none = { entry_price: null, target_price: null, stop_loss: null, risk_reward_ratio: null };
  const shared = {
    symbol,
    pattern: variant.title,
    recommendation: {
      action: "HOLD" as const,
      confidence: null,
      ...none,
      risk_score: null,
      risk_label: null,
      risk_level: null,
      position_size: null,
      reasoning: summary,
    },
    historical_accuracy: accuracyView(variant.id, interval, reliability),
  };
  return {
    ...shared,
    ...compositeView(noComposite(text)),
    shape_quality: null,
    reasoning: [stepView(step)],
    data: {
      title: `${variant.title} on ${symbol} ${interval}`,
      ...shared,
      pattern_type: variant.id,
      interval,
      alert_id: null,
      detection_id: null,
      timestamp: null,
      reasoning_steps: [stepView(step)],
      risk_assessment: { score: null, label: null, factors: [] },
      similar_cases: similarView(NO_SIMILAR),
      trade: null,
      age_ms: null,
      stale: null,
      summary,
    },
  };
}
