import type { z } from "zod";
import { isoTime } from "../../platform/http.js";
import { provenanceOf } from "../candles/views.js";
import type { StoredDetection } from "../detections/store.js";
import { detectionView } from "../detections/views.js";
import type {
  detectionDetailSchema,
  feedbackSummarySchema,
  proofSchema,
  validationSchema,
} from "./detection-schema.js";
import type { FeedbackSummary } from "./feedback.js";
import type { Outcome } from "./outcome.js";
import type { Proof, Recomputation } from "./proof.js";
import type { Reliability } from "./reliability.js";
import type { Feedback } from "./store.js";
import type { Validation } from "./validation.js";
import { outcomeView, reliabilityView } from "./views.js";

const feedbackView = ({ verdict, note, createdAt }: Feedback) => ({
  verdict,
  note,
  created_at: isoTime(createdAt),
});

export function summaryView({
  counts,
  own,
  history,
}: FeedbackSummary): z.input<typeof feedbackSummarySchema> {
  return { ...counts, own: own && feedbackView(own), history: history.map(feedbackView) };
}

export function detectionDetailView(
  detection: StoredDetection,
  feedback: FeedbackSummary,
  outcome: Outcome,
  reliability: Reliability,
): z.input<typeof detectionDetailSchema> {
  const href = `/api/detections/${detection.id}`;
  return {
    ...detectionView(detection),
    feedback: summaryView(feedback),
    outcome: outcomeView(outcome),
    evidence: reliabilityView(reliability),
    chart_href: `${href}/chart.svg`,
    proof_href: `${href}/proof`,
  };
}

function recomputationView({ verdict, reason, bars, firstMs, hash, fields }: Recomputation) {
  return {
    verdict,
    reason,
    bars,
    first_bar: firstMs === null ? null : isoTime(firstMs),
    bars_hash: hash,
    differences: fields.filter(({ same }) => !same).length,
    fields: fields.map((field) => ({ ...field })),
  };
}

export function proofView(
  { detection, asOfMs, known, restated, now }: Proof,
  nowMs: number,
): z.input<typeof proofSchema> {
  return {
    detection_id: detection.id,
    symbol: detection.symbol,
    pattern_type: detection.pattern,
    interval: detection.interval,
    bar_time: isoTime(detection.barTime),
    as_of: isoTime(asOfMs),
    ...recomputationView(known),
    restated,
    now: now && { ...recomputationView(now), as_of: isoTime(nowMs) },
  };
}

export function validationView(validation: Validation): z.input<typeof validationSchema> {
  const { set, pattern, valid, reliability, detection, checks } = validation;
  return {
    symbol: set.instrument.symbol,
    pattern,
    timeframe: set.candles.interval,
    valid,
    confidence: reliability.value,
    evidence: reliabilityView(reliability),
    state: detection?.state ?? null,
    quality: detection?.quality ?? null,
    bar_time: detection === null ? null : isoTime(detection.barTime),
    checks: checks.map((check) => ({ ...check })),
    ...provenanceOf(set),
  };
}
