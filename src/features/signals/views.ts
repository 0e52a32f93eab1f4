import type { z } from "zod";
import type { SourceSentiment } from "../../core/sentiment/aggregate.js";
import { badgeOfFusion } from "../../core/signals/badge.js";
import { type FusedLayer, type LayerFusion, type LayerName, layerStatus } from "../../core/signals/fuse.js";
import { isoTime } from "../../platform/http.js";
import { provenanceOf } from "../candles/views.js";
import { titleOf } from "../catalogue/pattern-names.js";
import type { Confidence } from "../evidence/evidence.js";
import { chanceView } from "../models/layers.js";
import type { DeepSaid } from "./deep.js";
import type { LedPattern } from "./lead.js";
import type { SeenPattern } from "./look.js";
import { type Found, isLook, type Reading, silenceOf } from "./reading.js";
import type { detectionSchema, evidenceSchema, layersSchema } from "./schema.js";

export const DIRECTIONS = { 1: "bullish", 0: "neutral", [-1]: "bearish" } as const;

export function evidenceView(confidence: Confidence): z.input<typeof evidenceSchema> {
  const { value, reason, n, hitRate, low, high, baseRate, regime, asOfMs } = confidence;
  return {
    confidence: value,
    reason,
    sample_size: n,
    hit_rate: hitRate,
    low,
    high,
    base_rate: baseRate,
    regime,
    measured_at: asOfMs === null ? null : isoTime(asOfMs),
  };
}

export function detectionView(
  { reading, pattern, fusion, chance }: LedPattern,
  nowMs: number,
): z.input<typeof detectionSchema> {
  const { detection, confidence, levels } = pattern;
  const { set } = reading.main;
  return {
    symbol: set.instrument.symbol,
    timeframe: detection.interval,
    pattern_type: detection.pattern,
    pattern_name: titleOf(detection.pattern),
    direction: DIRECTIONS[detection.direction],
    state: detection.state,
    quality: detection.quality,
    confidence: confidence.value,
    evidence: evidenceView(confidence),
    composite_score: fusion.composite,
    ...chanceView(chance),
    composite_direction: DIRECTIONS[fusion.direction],
    quality_badge: badgeOfFusion(fusion, detection.direction, set.stale),
    layers: layersView(reading, fusion),
    entry_price: levels?.entry ?? null,
    stop_loss: levels?.stop ?? null,
    take_profit: levels?.target ?? null,
    risk_reward_ratio: levels?.rewardRisk ?? null,
    regime: detection.regime,
    bar_time: isoTime(detection.barTime),
    closed_at: isoTime(detection.closedAt),
    timestamp: isoTime(nowMs),
    ...provenanceOf(set),
  };
}

/** The layers as they are read in the direction of a fusion. */
export function layersView(reading: Reading, fusion: LayerFusion): z.input<typeof layersSchema> {
  const { timeframes } = reading;
  return {
    rule_based: { ...layerView(fusion, "rules"), details: reading.live.map(voiceView) },
    deep_learning: { ...layerView(fusion, "deep"), boost: 0, ...netView(reading.main.deep) },
    multi_timeframe: {
      ...layerView(fusion, "multi_timeframe"),
      alignment: timeframes.alignment,
      divergence: timeframes.divergence,
      agreement: timeframes.agreement,
      weights_for: timeframes.mode,
      timeframes: timeframesView(reading, fusion.direction),
    },
    sentiment: {
      ...layerView(fusion, "sentiment"),
      boost: 0,
      sources: sourcesView(reading, fusion.direction),
    },
  };
}

function netView({ version, reading }: DeepSaid) {
  return {
    model_version: version,
    shape: reading?.shape ?? null,
    shape_name: reading?.title ?? null,
    probability: reading?.probability ?? null,
  };
}

function layerView({ layers }: LayerFusion, name: LayerName) {
  const layer = layers.find((each) => each.name === name) as FusedLayer;
  const { score, weight, contribution, value, reason } = layer;
  return { score, weight, contribution, status: layerStatus(layer), value, reason };
}

function voiceView({ detection, confidence, told }: SeenPattern) {
  const { pattern, direction, quality, closedAt } = detection;
  const serving = told.score?.serves === true ? told.score : null;
  return {
    pattern_type: pattern,
    direction: DIRECTIONS[direction],
    quality,
    confidence: confidence.value,
    ml_score: serving?.score ?? null,
    model_version: serving?.version ?? null,
    closed_at: isoTime(closedAt),
  };
}

/** A signed value as a score in a direction. */
function scored(value: number | null, direction: 1 | -1) {
  const score = value === null ? null : 50 + 50 * direction * value;
  return { score, value, status: statusOf(score) };
}

function statusOf(score: number | null) {
  return layerStatus({ score } as FusedLayer);
}

function timeframesView({ timeframes, looks }: Reading, direction: 1 | -1) {
  const views = timeframes.timeframes.map(({ interval, score, weight, knownAt }) => {
    const look = looks.find((each) => each.interval === interval);
    const seen = look !== undefined && isLook(look) ? look : null;
    return [
      interval,
      {
        ...scored(score, direction),
        weight,
        regime: seen?.regime ?? null,
        bar_closed_at: knownAt === null ? null : isoTime(knownAt),
        source: seen?.set.source ?? null,
        stale: seen?.set.stale ?? null,
        reason: look === undefined ? "it was not asked for" : silenceOf(look, looks),
      },
    ] as const;
  });
  return Object.fromEntries(views) as z.input<typeof layersSchema>["multi_timeframe"]["timeframes"];
}

function sourcesView({ sentiment }: Reading, direction: 1 | -1) {
  const { value: measure } = sentiment;
  const news = sourceOf(measure?.sources.get("news"), sentiment, direction);
  const counts = measure?.counts;
  const social = {
    ...scored(measure?.social ?? null, direction),
    reliability: null,
    count: counts === undefined ? 0 : counts.twitter + counts.reddit,
    reason: measure?.social === null ? "no posts about it are stored" : sentiment.reason,
  };
  const technical = {
    ...scored(null, direction),
    reliability: null,
    count: 0,
    reason: "what prices say is in the other layers",
  };
  return { news, social: plainSource(social), technical: plainSource(technical) };
}

function sourceOf(source: SourceSentiment | undefined, { reason }: Found<unknown>, direction: 1 | -1) {
  if (source?.available !== true) {
    const why = source?.reason ?? reason ?? "it has not been asked";
    return plainSource({ ...scored(null, direction), reliability: null, count: 0, reason: why });
  }
  const { score, confidence, volume } = source;
  return plainSource({ ...scored(score, direction), reliability: confidence, count: volume, reason: null });
}

/** Sources of sentiment have no status of their own. */
function plainSource<T extends { status: unknown }>({ status: _, ...source }: T): Omit<T, "status"> {
  return source;
}
