import type { z } from "zod";
import { TRADE_POLICY } from "../../core/signals/levels.js";
import { isoTime } from "../../platform/http.js";
import { provenanceOf } from "../candles/views.js";
import { titleOf } from "../catalogue/pattern-names.js";
import type { Examination } from "./detections.js";
import type { StoredFormation } from "./formation.js";
import type { detectionSchema, examinationSchema, sightingSchema } from "./schema.js";
import type { NewDetection, StoredDetection } from "./store.js";

const DIRECTIONS = { 1: "bullish", 0: "neutral", [-1]: "bearish" } as const;

const NO_LEVELS = "It has no target or no stop, or the price is beyond one of them";

/**
 * Reward per risk as long as it tells of a trade: where the price is all but at the stop the figure would tell of that
 * alone, and no trade is planned by such levels either.
 */
function rewardRiskView(ratio: number | null) {
  const most = TRADE_POLICY.mostRewardRisk;
  if (ratio !== null && ratio <= most) return { risk_reward_ratio: ratio, risk_reward_reason: null };
  const near = `The stop is so near the price that the target is more than ${most} times as far: no trade is planned by it`;
  return { risk_reward_ratio: null, risk_reward_reason: ratio === null ? NO_LEVELS : near };
}

function formationView(formation: StoredFormation) {
  const { formedTime, points, boundaries, trigger, target, stop, rewardRisk, checks } = formation;
  const place = ({ time, price }: { time: number; price: number }) => ({ time: isoTime(time), price });
  return {
    formed_at: isoTime(formedTime),
    points: points.map(({ role, knownTime, ...point }) => ({
      role,
      ...place(point),
      known_at: isoTime(knownTime),
    })),
    boundaries: boundaries.map(({ role, from, to }) => ({ role, from: place(from), to: place(to) })),
    trigger,
    target,
    stop,
    ...rewardRiskView(rewardRisk),
    checks: checks.map((check) => ({ ...check })),
  };
}

function patternFields(detection: NewDetection) {
  const { pattern, direction, interval, quality, price, volume, trendMet, source, facts } = detection;
  return {
    pattern_type: pattern,
    pattern_name: titleOf(pattern),
    direction: DIRECTIONS[direction],
    interval,
    confidence: detection.confidence,
    quality,
    state: detection.state,
    regime: detection.regime,
    price,
    volume,
    source,
    start_time: isoTime(detection.startTime),
    bar_time: isoTime(detection.barTime),
    closed_at: isoTime(detection.closedAt),
    trend_met: trendMet,
    metadata: { trend: facts.trend, average_true_range: facts.range },
    formation: detection.formation && formationView(detection.formation),
  };
}

export function sightingView(detection: NewDetection): z.input<typeof sightingSchema> {
  return { timestamp: isoTime(detection.closedAt), ...patternFields(detection) };
}

export function detectionView(detection: StoredDetection): z.input<typeof detectionSchema> {
  const { id, symbol, synthetic, detectedAt } = detection;
  return { id, symbol, ...patternFields(detection), synthetic, detected_at: isoTime(detectedAt) };
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
