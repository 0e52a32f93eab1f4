import { CALIBRATION_BINS, calibrationBin, calibrationError } from "../base/inference.js";
import { COST_CLASSES, costClassOf } from "./cost-class.js";
import { LEAST_BLOCKS } from "./evidence-edge.js";
import type { Pool, VariantPool } from "./evidence-pool.js";
import { OUTCOMES } from "./evidence-series.js";
import type { Blocks } from "./evidence-time.js";

/**
 * How far true edges lie from what they are shrunk to, one standard deviation. Studies of such patterns that take costs
 * and chance into account find edges that cannot be told from 0 (B. Marshall, M. Young and L. Rose 2006; A. Lo,
 * H. Mamaysky and J. Wang 2000 find differences, not profits), so that one beyond 4 points is held for unlikely.
 */
export const EDGE_SPREAD = 0.02;

/**
 * Trades that the prior counts for: the variance of one trade by that of true edges, 600 for a rate of two fifths.
 * Where trades come in clusters, over symbols and days, each tells less and the prior counts for more.
 * @param clustered variance of one trade by blocks of time, NaN while unknown.
 */
export function priorTrades(rate: number, clustered: number): number {
  const alone = rate * (1 - rate);
  return (clustered > alone ? clustered : alone) / EDGE_SPREAD ** 2;
}

/** The hit rate that is to be expected: what was measured, shrunk to a rate that counts for `weight` trades. */
export function shrunk(hits: number, n: number, rate: number, weight: number): number {
  return (hits + weight * rate) / (n + weight);
}

/** How good the confidence was of a cell, each trade predicted from those that had ended before. */
export interface Foresight {
  /** Trades that were predicted. */
  readonly predicted: number;
  /** Mean squared distance from what happened. NaN of none. */
  readonly brier: number;
  readonly calibrationError: number;
}

/**
 * Goes through the occurrences of a variant in time.
 * @param blocks the block of time of each occurrence, and how many there are.
 * @param each is told of every trade that ended, with what was predicted: by all trades, and by those of its regime.
 * @returns by cell: 0 for all trades, k + 1 for regime k, and after the regimes one for each class of costs.
 */
export function walkForward(
  pool: Pool,
  { known, settled }: VariantPool,
  regimeCount: number,
  blocks: Blocks,
  each?: (index: number, confidence: number, regimeConfidence: number) => void,
): Foresight[] {
  const cells = Array.from({ length: regimeCount + 1 + COST_CLASSES.length }, () => createCell(blocks.count));
  const [whole] = cells;
  const { outcome, regime, knownAt, settledAt, baseBefore, regimeBefore, costShare } = pool;
  const ofRegime = (i: number) => (regime[i] < 0 ? undefined : cells[regime[i] + 1]);
  const ofCosts = (i: number) => cells[regimeCount + 1 + costClassOf(costShare[i])];
  let ended = 0;
  for (const i of known) {
    for (; ended < settled.length && settledAt[settled[ended]] <= knownAt[i]; ended++) {
      const k = settled[ended];
      const hit = outcome[k] === OUTCOMES.hit ? 1 : 0;
      whole.learn(hit, blocks.blockOf[k], baseBefore[k]);
      ofCosts(k).learn(hit, blocks.blockOf[k], baseBefore[k]);
      ofRegime(k)?.learn(hit, blocks.blockOf[k], regimeBefore[k]);
    }
    whole.see(baseBefore[i]);
    ofCosts(i).see(baseBefore[i]);
    ofRegime(i)?.see(regimeBefore[i]);
    if (outcome[i] !== OUTCOMES.hit && outcome[i] !== OUTCOMES.miss) continue;
    const hit = outcome[i] === OUTCOMES.hit ? 1 : 0;
    const expected = whole.expect();
    const part = ofRegime(i)?.expect() ?? Number.NaN;
    whole.ledger.add(expected, hit);
    ofCosts(i).ledger.add(ofCosts(i).expect(), hit);
    ofRegime(i)?.ledger.add(part, hit);
    each?.(i, expected, part);
  }
  return cells.map(({ ledger }) => ledger.read());
}

/** What is known of a cell at a moment. */
function createCell(blocks: number) {
  const trades = new Float64Array(blocks);
  const excesses = new Float64Array(blocks);
  let n = 0;
  let hits = 0;
  let sum = 0;
  // Base rates of the trades that were seen, and how many had one.
  let base = 0;
  let seen = 0;
  // Sums over blocks of trades and excess, squared and multiplied, and blocks that have any.
  let nn = 0;
  let dd = 0;
  let nd = 0;
  let used = 0;

  function clustered(): number {
    if (used < LEAST_BLOCKS) return Number.NaN;
    const edge = sum / n;
    return ((used / (used - 1)) * (dd - 2 * edge * nd + edge * edge * nn)) / n;
  }

  return {
    ledger: createLedger(),
    /** A trade is about to be taken, with its base rate as it was known then; NaN where it was not. */
    see(rate: number): void {
      if (Number.isNaN(rate)) return;
      base += rate;
      seen++;
    },
    /** A trade has ended. */
    learn(hit: number, block: number, rate: number): void {
      const excess = Number.isNaN(rate) ? 0 : hit - rate;
      const t = trades[block];
      const d = excesses[block];
      if (t === 0) used++;
      trades[block] = t + 1;
      excesses[block] = d + excess;
      nn += 2 * t + 1;
      dd += excess * (2 * d + excess);
      nd += (t + 1) * (d + excess) - t * d;
      n++;
      hits += hit;
      sum += excess;
    },
    expect(): number {
      const prior = base / seen;
      return shrunk(hits, n, prior, priorTrades(prior, clustered()));
    },
  };
}

function createLedger() {
  const counts = new Float64Array(CALIBRATION_BINS);
  const predicted = new Float64Array(CALIBRATION_BINS);
  const happened = new Float64Array(CALIBRATION_BINS);
  let squares = 0;
  let total = 0;
  return {
    add(confidence: number, hit: number): void {
      if (Number.isNaN(confidence)) return;
      const bin = calibrationBin(confidence);
      counts[bin]++;
      predicted[bin] += confidence;
      happened[bin] += hit;
      squares += (confidence - hit) ** 2;
      total++;
    },
    read: (): Foresight => ({
      predicted: total,
      brier: total === 0 ? Number.NaN : squares / total,
      calibrationError: calibrationError(counts, predicted, happened),
    }),
  };
}
