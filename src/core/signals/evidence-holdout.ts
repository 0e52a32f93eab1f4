import { CALIBRATION_BINS, calibrationBin, calibrationError } from "../base/inference.js";
import { COST_CLASSES, type CostClass, costClassOf } from "./cost-class.js";
import { ANY_COSTS, computeEvidence } from "./evidence.js";
import { blockMsOf } from "./evidence-edge.js";
import {
  type EvidenceSeries,
  type EvidenceSettings,
  measureSeries,
  OUTCOMES,
  variantsOf,
} from "./evidence-series.js";

/** A pattern at one class of costs: what was learned before the cut and what came after it. */
export interface HeldCell {
  readonly variant: string;
  readonly costs: CostClass;
  readonly confidence: number;
  readonly n: number;
  readonly hits: number;
}

/** How confidences that were learned from the time before a cut fared after it, by pattern and class of costs. */
export interface Holdout {
  readonly cutMs: number;
  /** Patterns with enough trades before the cut and any after it. */
  readonly patterns: number;
  readonly cells: readonly HeldCell[];
  /** Trades after it, and blocks of calendar time that they fell into. */
  readonly trades: number;
  readonly blocks: number;
  /** By bins of the confidence, all patterns together. NaN without trades. */
  readonly calibrationError: number;
  /** Mean distance of a pattern's confidence from its hit rate after the cut, weighted by trades. */
  readonly meanDistance: number;
  /** The distance that chance alone would give on average, were every confidence exact. */
  readonly chanceDistance: number;
}

/**
 * The open of the bar before which half of all bars of the series lie; NaN of none. Bars are counted and not the time
 * that they span: between series of different years there may be years without any.
 */
export function middleOf(series: readonly EvidenceSeries[]): number {
  const times = series.flatMap(({ candles }) => [...candles.time]);
  if (times.length === 0) return Number.NaN;
  const sorted = Float64Array.from(times).sort();
  return sorted[sorted.length >> 1];
}

/**
 * Takes confidences from bars that were closed at a cut, and holds them against the trades on patterns after it.
 * @param series of one interval. @param leastN trades that a pattern needs before the cut, at
 * one class of costs.
 */
export function measureHoldout(
  series: readonly EvidenceSeries[],
  settings: EvidenceSettings,
  cutMs: number,
  leastN: number,
): Holdout {
  const before = computeEvidence(series, { ...settings, asOfMs: cutMs });
  const ids = variantsOf(settings.patterns).map(({ variant }) => variant.id);
  const keyOf = (variant: string, costs: string) => `${variant} ${costs}`;
  const cells = new Map<string, { -readonly [Field in keyof HeldCell]: HeldCell[Field] }>();
  for (const { variant, costs, n, confidence } of before.rows) {
    if (costs === ANY_COSTS || n < leastN || confidence === null) continue;
    cells.set(keyOf(variant, costs), { variant, costs, confidence, n: 0, hits: 0 });
  }
  const blocks = new Set<number>();
  for (const each of series) {
    const { variant, outcome, knownAt, costShare, interval } = measureSeries(each, settings);
    for (let i = 0; i < variant.length; i++) {
      if (knownAt[i] <= cutMs || (outcome[i] !== OUTCOMES.hit && outcome[i] !== OUTCOMES.miss)) continue;
      const cell = cells.get(keyOf(ids[variant[i]], COST_CLASSES[costClassOf(costShare[i])]));
      if (cell === undefined) continue;
      cell.n++;
      if (outcome[i] === OUTCOMES.hit) cell.hits++;
      blocks.add(Math.floor(knownAt[i] / blockMsOf(interval)));
    }
  }
  const held = [...cells.values()].filter(({ n }) => n > 0);
  return { cutMs, blocks: blocks.size, cells: held, ...summaryOf(held) };
}

function summaryOf(cells: readonly HeldCell[]) {
  const counts = new Float64Array(CALIBRATION_BINS);
  const predicted = new Float64Array(CALIBRATION_BINS);
  const happened = new Float64Array(CALIBRATION_BINS);
  let trades = 0;
  let distance = 0;
  let chance = 0;
  for (const { confidence, n, hits } of cells) {
    const bin = calibrationBin(confidence);
    counts[bin] += n;
    predicted[bin] += n * confidence;
    happened[bin] += hits;
    trades += n;
    distance += Math.abs(hits - n * confidence);
    // Mean distance of a normal variate from its mean.
    chance += Math.sqrt((2 / Math.PI) * n * confidence * (1 - confidence));
  }
  return {
    patterns: new Set(cells.map(({ variant }) => variant)).size,
    trades,
    calibrationError: calibrationError(counts, predicted, happened),
    meanDistance: trades === 0 ? Number.NaN : distance / trades,
    chanceDistance: trades === 0 ? Number.NaN : chance / trades,
  };
}
