import { onTick } from "../../core/execution/instrument.js";
import type { Interval } from "../../core/market/interval.js";
import { calendarOf } from "../../core/market/session.js";
import {
  fuseLayers,
  LAYERS,
  type LayerFusion,
  type LayerInput,
  type LayerName,
  rulesLayer,
} from "../../core/signals/fuse.js";
import { type Levels, levelsAt, levelsFor, levelsOnTicks } from "../../core/signals/levels.js";
import { type Decision, decideAction, type SignalEvidence } from "../../core/signals/signal.js";
import { type Fusion, fuseTimeframes, timeframeMode } from "../../core/signals/timeframes.js";
import { isoTime } from "../../platform/http.js";
import { lacksBars } from "../candles/freshness.js";
import type { PricedQuote } from "../candles/quotes.js";
import { shareOfCosts } from "../detections/levels.js";
import { tradedIfAny } from "../instruments/traded.js";
import { type CompositeChance, chanceOf, type LayerWeighing } from "../models/layers.js";
import type { Measure } from "../sentiment/measure.js";
import {
  type BlindTimeframe,
  leadingPattern,
  type SeenPattern,
  type TimeframeLook,
  voiceOf,
} from "./look.js";

/** Intervals whose directions are fused. */
export const FUSED_INTERVALS = ["1h", "4h", "1d"] as const satisfies readonly Interval[];
type FusedInterval = (typeof FUSED_INTERVALS)[number];

/** A value, or why there is none. */
export type Found<T> =
  | { readonly value: T; readonly reason: null }
  | { readonly value: null; readonly reason: string };

/** Layers that are not asked for, and why. */
export type Silenced = Partial<Readonly<Record<LayerName, string>>>;

/** What was loaded of a symbol. */
export interface Gathered {
  readonly looks: readonly (TimeframeLook | BlindTimeframe)[];
  readonly sentiment: Found<Measure>;
  readonly quote: Found<PricedQuote>;
  /** How layers are weighed: as decisions that ended taught, else as usual. */
  readonly weighing: LayerWeighing;
}

/** Everything that is known of a symbol now, and what follows from it. */
export interface Reading extends Gathered {
  /** The interval that was asked for. */
  readonly main: TimeframeLook;
  readonly timeframes: Fusion;
  readonly inputs: Readonly<Record<LayerName, LayerInput>>;
  /** Patterns whose trade is not over, newest first. */
  readonly live: readonly SeenPattern[];
  /** In the direction that the layers lean to together. */
  readonly fusion: LayerFusion;
  /** By how alerts with such a composite ended. */
  readonly chance: CompositeChance;
  /** The live pattern in that direction that says most. */
  readonly leading: SeenPattern | null;
  /** Of an entry at the price now; as planned where that has reached the stop or the target. */
  readonly levels: Levels | null;
  readonly decision: Decision;
}

export function isLook(look: TimeframeLook | BlindTimeframe): look is TimeframeLook {
  return "set" in look;
}

/**
 * Why an interval is left out beside those that are fresher; null where it is not. Old bars are not mixed with fresh
 * ones: while one interval is fresh those that are stale are silent, and where all are stale those that end before the
 * others do, by the bars that should be there. What has not been updated since the same time goes on together.
 */
export function behindOf(
  look: TimeframeLook | BlindTimeframe,
  looks: readonly (TimeframeLook | BlindTimeframe)[],
): string | null {
  if (!isLook(look) || !look.set.stale) return null;
  const seen = looks.filter(isLook);
  if (seen.some(({ set }) => !set.stale)) return "its newest bar is old, while other intervals are fresh";
  const { candles, instrument } = look.set;
  const furthest = Math.max(...seen.map(({ closedAt }) => closedAt));
  const newest = candles.time[candles.time.length - 1];
  if (!lacksBars(calendarOf(instrument.calendar), look.interval, newest, furthest)) return null;
  return `its bars end at ${isoTime(look.closedAt)}, and those of another interval at ${isoTime(furthest)}`;
}

/** Why an interval says nothing about the direction; null where it does. */
export function silenceOf(
  look: TimeframeLook | BlindTimeframe,
  looks: readonly (TimeframeLook | BlindTimeframe)[],
): string | null {
  if (!isLook(look)) return look.error.message;
  return look.direction === null ? "it has too few bars" : behindOf(look, looks);
}

/** Fuses the directions of 1h, 4h and 1d, weighed for the regime by the day. */
export function fuseLooks(looks: readonly (TimeframeLook | BlindTimeframe)[]): Fusion {
  const fused = looks.filter(({ interval }) => FUSED_INTERVALS.includes(interval as FusedInterval));
  const daily = fused.find((look) => look.interval === "1d");
  const tells = daily !== undefined && isLook(daily) && behindOf(daily, looks) === null;
  const mode = timeframeMode(tells ? daily.regime : null);
  const readings = fused.map((look) => ({
    interval: look.interval,
    score: isLook(look) && silenceOf(look, looks) === null ? look.direction : null,
    knownAt: isLook(look) ? look.closedAt : null,
  }));
  return fuseTimeframes(readings, mode);
}

/** What each layer says of an interval, the rules by the patterns that are given. */
export function layersOf(
  { deep }: Pick<TimeframeLook, "deep">,
  patterns: readonly SeenPattern[],
  timeframes: Fusion,
  sentiment: Found<Measure>,
  silenced: Silenced = {},
): Record<LayerName, LayerInput> {
  const inputs: Record<LayerName, LayerInput> = {
    rules: rulesLayer(patterns.map(voiceOf)),
    deep: deep.layer,
    multi_timeframe:
      timeframes.fused === null
        ? { value: null, reason: "no interval tells a direction" }
        : { value: bounded(timeframes.fused) },
    sentiment: sentimentLayer(sentiment),
  };
  for (const name of LAYERS) {
    const reason = silenced[name];
    if (reason !== undefined) inputs[name] = { value: null, reason };
  }
  return inputs;
}

function sentimentLayer({ value: measure, reason }: Found<Measure>): LayerInput {
  if (measure === null) return { value: null, reason };
  const { aggregate } = measure;
  return aggregate.available
    ? { value: bounded(aggregate.score) }
    : { value: null, reason: aggregate.reason };
}

/** Rounding may carry a weighted mean past its bounds. */
const bounded = (value: number) => Math.min(1, Math.max(-1, value));

/** Reads a symbol, without what the interval itself says where others are fresher. @param main one of the looks. */
export function readMarket(gathered: Gathered, main: TimeframeLook, asked: Silenced = {}): Reading {
  const { looks, sentiment, quote, weighing } = gathered;
  const behind = behindOf(main, looks);
  const silenced = behind === null ? asked : { rules: behind, deep: behind, ...asked };
  const timeframes = fuseLooks(looks);
  const live = main.patterns.filter(({ over }) => !over);
  const inputs = layersOf(main, live, timeframes, sentiment, silenced);
  const fusion = fuseLayers(inputs, null, weighing.weights);
  const chance = chanceOf(weighing, fusion);
  const leading = silenced.rules === undefined ? leadingPattern(live, fusion.direction) : null;
  const price = quote.value?.price ?? null;
  const planned = leading?.levels ?? levelsFor(fusion.direction, price ?? main.close, main.range);
  const levels = planned === null ? null : levelsNow({ main, quote }, planned);
  const decision = decideAction({
    fusion,
    levels,
    evidence: evidenceOf(leading),
    volatility: main.volatility,
    costShare: shareOfCosts(levels, main.set.instrument.assetClass),
    price,
    stale: main.set.stale,
  });
  return { ...gathered, main, timeframes, inputs, live, fusion, chance, leading, levels, decision };
}

/** Planned levels as they are at the price now, on the ticks of the symbol. */
export function levelsNow(reading: Pick<Reading, "quote" | "main">, planned: Levels): Levels {
  const traded = tradedIfAny(reading.main.set.instrument);
  const price = priceOf(reading);
  if (traded === null) return levelsAt(planned, price) ?? planned;
  const levels = levelsOnTicks(planned, traded) ?? planned;
  return levelsAt(levels, onTick(price, traded, 0)) ?? levels;
}

/** What is measured of trades on a pattern; null where too few cases tell. */
export function evidenceOf(pattern: SeenPattern | null): SignalEvidence | null {
  if (pattern === null) return null;
  const { value, high, baseRate, edgeHigh, n } = pattern.confidence;
  return value === null || baseRate === null
    ? null
    : { confidence: value, most: high, base: baseRate, n, edgeHigh };
}

/** The price now: that of the quote, else the close of the newest bar. */
export function priceOf({ quote, main }: Pick<Reading, "quote" | "main">): number {
  return quote.value?.price ?? main.close;
}
