import type { z } from "zod";
import { spoken } from "../../core/base/words.js";
import { MEASURES, REGIMES } from "../../core/regime/define.js";
import type { Explanation } from "../../core/regime/explain.js";
import { REGIME_RULES } from "../../core/regime/rules.js";
import { isoTime } from "../../platform/http.js";
import { provenanceOf } from "../candles/views.js";
import { ADVICE, riskOf, strengthOf } from "./advice.js";
import type { RegimeReading, RegimeTimeline } from "./regimes.js";
import type {
  explanationSchema,
  marketRegimeSchema,
  readingSchema,
  timelineSchema,
  typesSchema,
} from "./schema.js";

export function readingView(reading: RegimeReading, nowMs: number): z.input<typeof readingSchema> {
  const { set, regime, explanation, volatilityLevel, index } = reading;
  const { time, interval } = set.candles;
  return {
    symbol: set.instrument.symbol,
    timeframe: interval,
    current_regime: regime,
    confidence: explanation.probability,
    regime_strength: strengthOf(explanation.fit),
    trend_direction: directionOf(reading.direction),
    volatility_level: volatilityLevel,
    momentum_score: reading.momentum,
    regime_duration: reading.duration,
    duration_complete: !reading.longer,
    regime_probabilities: probabilitiesOf(reading),
    key_indicators: indicatorsOf(reading),
    explanations: reading.explanations.map(explanationView),
    trading_implications: implicationsOf(reading),
    risk_level: riskOf(regime, volatilityLevel),
    recommended_strategies: [...ADVICE[regime].strategies],
    market_data: { symbol: "^VIX", value: index.value, source: index.source, reason: index.reason },
    settled: reading.settled,
    bar_time: isoTime(time[time.length - 1]),
    analysis_timestamp: isoTime(nowMs),
    ...provenanceOf(set),
  };
}

function directionOf(direction: number): "bullish" | "bearish" | "sideways" {
  return direction > 0 ? "bullish" : direction < 0 ? "bearish" : "sideways";
}

type Probabilities = z.input<typeof readingSchema>["regime_probabilities"];

function probabilitiesOf({ explanations }: RegimeReading): Probabilities {
  return Object.fromEntries(
    explanations.map(({ regime, probability }) => [regime, probability]),
  ) as Probabilities;
}

function indicatorsOf({ measures, yearlyVolatility, index }: RegimeReading) {
  return { ...measures, yearly_volatility: yearlyVolatility, volatility_index: index.value };
}

function explanationView({
  regime,
  fit,
  probability,
  reasons,
}: Explanation): z.input<typeof explanationSchema> {
  return {
    regime,
    fit,
    probability,
    reasons: reasons.map(({ measure, value, from, to, met }) => ({
      measure,
      meaning: MEASURES[measure],
      value,
      counts_from: from,
      full_at: to,
      met,
    })),
  };
}

/** The numbers behind the label, then what is commonly made of it. */
function implicationsOf({ regime, explanation }: RegimeReading): string[] {
  const numbers = explanation.reasons
    .filter(({ value }) => value !== null)
    .map(({ measure, value }) => `${spoken(measure)} ${value?.toFixed(2)}`);
  return [`${REGIME_RULES[regime].title}: ${numbers.join(", ")}`, ...ADVICE[regime].implications];
}

export function marketRegimeView(reading: RegimeReading, nowMs: number): z.input<typeof marketRegimeSchema> {
  const { set, regime, explanation } = reading;
  return {
    symbol: set.instrument.symbol,
    regime,
    confidence: explanation.probability,
    features: indicatorsOf(reading),
    cluster_id: null,
    cluster_reason: "Regimes are told by rules, not by clusters of a fitted model",
    recommended_strategies: [...ADVICE[regime].strategies],
    timestamp: isoTime(nowMs),
    ...provenanceOf(set),
  };
}

export function typesView(): z.input<typeof typesSchema> {
  return {
    regime_types: REGIMES.map((type) => {
      const { title, description, conditions } = REGIME_RULES[type];
      return {
        type,
        title,
        description,
        conditions: conditions.map(({ measure, from, to }) => ({
          measure,
          meaning: MEASURES[measure],
          counts_from: from,
          full_at: to,
        })),
      };
    }),
  };
}

export function timelineView({ set, from, result }: RegimeTimeline): z.input<typeof timelineSchema> {
  const { label, duration, probability, transitions } = result;
  const time = Array.from(set.candles.time.subarray(from), isoTime);
  return {
    symbol: set.instrument.symbol,
    timeframe: set.candles.interval,
    time,
    regime: Array.from(label, (each) => REGIMES[each] ?? null),
    probability: Array.from(probability, (each) => (Number.isNaN(each) ? null : each)),
    duration: [...duration],
    spells: spellsOf(label, time),
    transitions: {
      regimes: [...REGIMES],
      counts: transitions.counts.map((row) => [...row]),
      rates: transitions.rates.map((row) => (row === null ? null : [...row])),
    },
    ...provenanceOf(set),
  };
}

/** Stretches of one label; times are opens of their first and last bars. */
function spellsOf(label: Int8Array, time: readonly string[]): z.input<typeof timelineSchema>["spells"] {
  const spells: z.input<typeof timelineSchema>["spells"] = [];
  let start = 0;
  for (let i = 1; i <= label.length; i++) {
    if (i < label.length && label[i] === label[start]) continue;
    const regime = REGIMES[label[start]];
    if (regime !== undefined)
      spells.push({ regime, since: time[start], until: time[i - 1], bars: i - start });
    start = i;
  }
  return spells;
}
