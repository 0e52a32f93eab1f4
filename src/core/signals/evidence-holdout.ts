import { CALIBRATION_BINS, calibrationBin, calibrationError } from "../base/inference.js";
import { ANY_REGIME, computeEvidence } from "./evidence.js";
import {
  type EvidenceSeries,
  type EvidenceSettings,
  measureSeries,
  OUTCOMES,
  variantsOf,
} from "./evidence-series.js";

/** How confidences that were learned from the time before a cut fared after it. */
export interface Holdout {
  readonly cutMs: number;
  /** Patterns with enough trades before the cut, and their trades after it. */
  readonly patterns: number;
  readonly trades: number;
  /** By bins of the confidence, all patterns together. NaN without trades. */
  readonly calibrationError: number;
  /** Mean distance of a pattern's confidence from its hit rate after the cut, weighted by trades. */
  readonly meanDistance: number;
  /** The distance that chance alone would give on average, were every confidence exact. */
  readonly chanceDistance: number;
}

/** The middle of the time that series span; NaN of none. */
export function middleOf(series: readonly EvidenceSeries[]): number {
  const times = series.map(({ candles }) => candles.time).filter(({ length }) => length > 0);
  const first = Math.min(...times.map((time) => time[0]));
  return times.length === 0
    ? Number.NaN
    : (first + Math.max(...times.map((time) => time[time.length - 1]))) / 2;
}

/**
 * Takes confidences from bars that were closed at a cut, and holds them against the trades on patterns after it.
 * @param series of one interval. @param leastN trades that a pattern needs before the cut.
 */
export function measureHoldout(
  series: readonly EvidenceSeries[],
  settings: EvidenceSettings,
  cutMs: number,
  leastN: number,
): Holdout {
  const before = computeEvidence(series, { ...settings, asOfMs: cutMs });
  const variants = variantsOf(settings.patterns);
  const confidences = new Map(
    before.rows
      .filter(({ regime, n }) => regime === ANY_REGIME && n >= leastN)
      .map(({ variant, confidence }) => [
        variants.findIndex((each) => each.variant.id === variant),
        confidence,
      ]),
  );
  const counted = variants.map(() => ({ n: 0, hits: 0 }));
  for (const each of series) {
    const { variant, outcome, knownAt } = measureSeries(each, settings);
    for (let i = 0; i < variant.length; i++) {
      if (knownAt[i] <= cutMs || (outcome[i] !== OUTCOMES.hit && outcome[i] !== OUTCOMES.miss)) continue;
      counted[variant[i]].n++;
      if (outcome[i] === OUTCOMES.hit) counted[variant[i]].hits++;
    }
  }
  return holdoutOf(cutMs, confidences, counted);
}

function holdoutOf(
  cutMs: number,
  confidences: ReadonlyMap<number, number | null>,
  counted: readonly { n: number; hits: number }[],
): Holdout {
  const counts = new Float64Array(CALIBRATION_BINS);
  const predicted = new Float64Array(CALIBRATION_BINS);
  const happened = new Float64Array(CALIBRATION_BINS);
  let patterns = 0;
  let trades = 0;
  let distance = 0;
  let chance = 0;
  for (const [index, confidence] of confidences) {
    const { n, hits } = counted[index];
    if (confidence === null || n === 0) continue;
    const bin = calibrationBin(confidence);
    counts[bin] += n;
    predicted[bin] += n * confidence;
    happened[bin] += hits;
    patterns++;
    trades += n;
    distance += Math.abs(hits - n * confidence);
    // Mean distance of a normal variate from its mean.
    chance += Math.sqrt((2 / Math.PI) * n * confidence * (1 - confidence));
  }
  return {
    cutMs,
    patterns,
    trades,
    calibrationError: calibrationError(counts, predicted, happened),
    meanDistance: trades === 0 ? Number.NaN : distance / trades,
    chanceDistance: trades === 0 ? Number.NaN : chance / trades,
  };
}
