import type { z } from "zod";
import { isoTime } from "../../platform/http.js";
import { provenanceOf } from "../candles/views.js";
import { type Examination, titleOf } from "./detections.js";
import type { detectionSchema, examinationSchema, sightingSchema } from "./schema.js";
import type { NewDetection, StoredDetection } from "./store.js";

const DIRECTIONS = { 1: "bullish", 0: "neutral", [-1]: "bearish" } as const;

function patternFields(detection: NewDetection, confidence: number | null) {
  const { pattern, direction, interval, quality, price, volume, trendMet, source, facts } = detection;
  return {
    pattern_type: pattern,
    pattern_name: titleOf(pattern),
    direction: DIRECTIONS[direction],
    interval,
    confidence,
    quality,
    price,
    volume,
    source,
    start_time: isoTime(detection.startTime),
    bar_time: isoTime(detection.barTime),
    closed_at: isoTime(detection.closedAt),
    trend_met: trendMet,
    metadata: { trend: facts.trend, average_true_range: facts.range },
  };
}

export function sightingView(detection: NewDetection): z.input<typeof sightingSchema> {
  return { ...patternFields(detection, null), timestamp: isoTime(detection.closedAt) };
}

export function detectionView(detection: StoredDetection): z.input<typeof detectionSchema> {
  const { id, symbol, synthetic, confidence, detectedAt } = detection;
  return { id, symbol, ...patternFields(detection, confidence), synthetic, detected_at: isoTime(detectedAt) };
}

/** Newest first, as many as asked for, leaving out those under a quality. */
export function examinationView(
  { set, detections }: Examination,
  nowMs: number,
  { leastQuality = 0, limit = Number.POSITIVE_INFINITY } = {},
): z.input<typeof examinationSchema> {
  const patterns = detections
    .filter(({ quality }) => quality >= leastQuality)
    .reverse()
    .slice(0, limit)
    .map(sightingView);
  return {
    symbol: set.instrument.symbol,
    timeframe: set.candles.interval,
    patterns,
    count: patterns.length,
    timestamp: isoTime(nowMs),
    ...provenanceOf(set),
  };
}
