import { assert } from "../base/assert.js";
import { upperBound } from "../base/search.js";
import { barClose } from "../market/bar-times.js";
import type { Candles } from "../market/candles.js";
import type { Interval } from "../market/interval.js";
import type { Calendar } from "../market/session.js";
import type { Regime } from "../regime/define.js";
import type { RegimeColumns } from "../regime/regime.js";

/** How much each interval counts; they need not add up to 1. */
export type TimeframeWeights = Readonly<Partial<Record<Interval, number>>>;

/** In a trend the long intervals lead, in a range the short ones. */
export const TIMEFRAME_WEIGHTS = {
  default: { "1h": 0.25, "4h": 0.35, "1d": 0.4 },
  trending: { "1h": 0.2, "4h": 0.3, "1d": 0.5 },
  ranging: { "1h": 0.4, "4h": 0.35, "1d": 0.25 },
  volatile: { "1h": 0.35, "4h": 0.35, "1d": 0.3 },
} as const satisfies Readonly<Record<string, TimeframeWeights>>;
export type TimeframeMode = keyof typeof TIMEFRAME_WEIGHTS;

const MODES: Readonly<Record<Regime, TimeframeMode>> = {
  trending_bull: "trending",
  trending_bear: "trending",
  ranging: "ranging",
  low_volatility: "ranging",
  accumulation: "ranging",
  distribution: "ranging",
  high_volatility: "volatile",
  breakout: "volatile",
  reversal: "volatile",
};

/** The weights that a regime asks for; the default ones while it is unknown. */
export function timeframeMode(regime: Regime | null): TimeframeMode {
  return regime === null ? "default" : MODES[regime];
}

/** Scores of the bars of one interval, -1..1, NaN where unknown; each is known at its instant, epoch ms, ascending. */
export interface TimeframeScores {
  readonly interval: Interval;
  readonly knownAt: Float64Array;
  readonly score: Float64Array;
}

/** Scores by the bar, known when the bar has closed. @param score one value a bar. */
export function scoresOfBars(candles: Candles, calendar: Calendar, score: Float64Array): TimeframeScores {
  const { interval, time } = candles;
  assert(score.length === time.length, "one score a bar");
  return { interval, score, knownAt: time.map((open) => barClose(calendar, interval, open)) };
}

/** The direction of a market by its own bars, -1..1: the mean of trend and momentum. NaN while unknown. */
export function directionScores({ measures, momentum }: RegimeColumns): Float64Array {
  return measures.trend.map((trend, i) => (trend + momentum[i]) / 2);
}

/** What one interval says at an instant. */
export interface TimeframeReading {
  readonly interval: Interval;
  /** -1..1; null where no bar has closed or its score is unknown. */
  readonly score: number | null;
  /** When the bar closed, epoch ms; null without one. */
  readonly knownAt: number | null;
}

/** The newest score that is known at an instant: of a bar that forms nothing is seen. */
export function readingAt({ interval, knownAt, score }: TimeframeScores, atMs: number): TimeframeReading {
  const index = upperBound(knownAt, atMs) - 1;
  if (index < 0) return { interval, score: null, knownAt: null };
  return { interval, score: Number.isNaN(score[index]) ? null : score[index], knownAt: knownAt[index] };
}

export type Agreement = "very_high" | "high" | "medium" | "low";
export type Recommendation = "STRONG BUY" | "BUY" | "HOLD" | "NEUTRAL" | "SELL" | "STRONG SELL";

export interface FusedTimeframe extends TimeframeReading {
  /** Share among the intervals that have a score; 0 for the others. */
  readonly weight: number;
  /** Weight times score; those of all intervals add up to the fused score. */
  readonly contribution: number;
}

export interface Fusion {
  readonly mode: TimeframeMode | "custom";
  readonly timeframes: readonly FusedTimeframe[];
  /** Intervals that have a score. */
  readonly scored: number;
  /** -1..1; null without any score. */
  readonly fused: number | null;
  /** The same from 0 for falling to 1 for rising. */
  readonly share: number | null;
  /** 1 where all intervals say the same, 0 where they are as far apart as can be; null with fewer than two. */
  readonly alignment: number | null;
  /** Whether one clearly rises while another clearly falls; null with fewer than two. */
  readonly divergence: boolean | null;
  /** Low with fewer than two: one interval agrees with nothing. */
  readonly agreement: Agreement | null;
  /** Null without any score. */
  readonly recommendation: Recommendation | null;
  readonly reason: string | null;
}

/** Shares beyond which an interval clearly rises or falls. */
const RISING = 0.6;
const FALLING = 0.4;
/** The standard deviation of shares half of which are 0 and half 1. */
const FULL_SPREAD = 0.5;

/**
 * Joins what several intervals say: the mean of their scores, weighted over those that have one. What has no score is
 * left out, never stood in for.
 */
export function fuseTimeframes(
  readings: readonly TimeframeReading[],
  mode: TimeframeMode | TimeframeWeights = "default",
): Fusion {
  const weights: TimeframeWeights = typeof mode === "string" ? TIMEFRAME_WEIGHTS[mode] : mode;
  const scored = readings.filter(({ score }) => score !== null);
  for (const { interval, score } of scored) {
    assert(score !== null && Math.abs(score) <= 1, `score ${score} of ${interval}`);
    assert((weights[interval] ?? 0) > 0, `${interval} has no weight`);
  }
  const total = scored.reduce((sum, { interval }) => sum + (weights[interval] ?? 0), 0);
  const timeframes = readings.map((reading) => {
    const weight = reading.score === null ? 0 : (weights[reading.interval] ?? 0) / total;
    return { ...reading, weight, contribution: weight * (reading.score ?? 0) };
  });
  const head = {
    mode: typeof mode === "string" ? mode : "custom",
    timeframes,
    scored: scored.length,
  } as const;
  if (scored.length === 0) return { ...head, ...NOTHING };
  const fused = timeframes.reduce((sum, { contribution }) => sum + contribution, 0);
  const share = (fused + 1) / 2;
  const shares = scored.map(({ score }) => ((score ?? 0) + 1) / 2);
  const spread = scored.length < 2 ? null : spreadOf(shares);
  const agreement = agreementOf(share, spread);
  return {
    ...head,
    fused,
    share,
    alignment: spread === null ? null : 1 - spread / FULL_SPREAD,
    divergence:
      spread === null ? null : shares.some((each) => each > RISING) && shares.some((each) => each < FALLING),
    agreement,
    recommendation: recommendationOf(share, agreement),
    reason: spread === null ? "Only one interval has a score, so there is nothing it agrees with" : null,
  };
}

const NOTHING = {
  fused: null,
  share: null,
  alignment: null,
  divergence: null,
  agreement: null,
  recommendation: null,
  reason: "No interval has a score",
} as const;

/** Standard deviation. */
function spreadOf(shares: readonly number[]): number {
  const mean = shares.reduce((sum, share) => sum + share, 0) / shares.length;
  return Math.sqrt(shares.reduce((sum, share) => sum + (share - mean) ** 2, 0) / shares.length);
}

function agreementOf(share: number, spread: number | null): Agreement {
  if (spread === null) return "low";
  if (spread < 0.1 && (share > 0.7 || share < 0.3)) return "very_high";
  if (spread < 0.15 && (share > 0.65 || share < 0.35)) return "high";
  return spread < 0.2 ? "medium" : "low";
}

function recommendationOf(share: number, agreement: Agreement): Recommendation {
  const sure = agreement === "very_high" || agreement === "high";
  if (share >= 0.75 && sure) return "STRONG BUY";
  if (share <= 0.25 && sure) return "STRONG SELL";
  if (share >= 0.65) return "BUY";
  if (share <= 0.35) return "SELL";
  return share >= 0.45 && share <= 0.55 ? "NEUTRAL" : "HOLD";
}
