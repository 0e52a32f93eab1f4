import { binomialTails, bisect, exactInterval, studentQuantile, studentTail } from "../base/inference.js";
import { createRng } from "../base/rng.js";
import { INTERVAL_MS, type Interval } from "../market/interval.js";
import { normalCdf } from "../options/normal.js";

/**
 * Length of a block of calendar time in intervals: at least the longest horizon, 60 bars, at an exchange that is open
 * for six and a half hours a day, so that trades of two blocks hardly overlap.
 */
const BLOCK_INTERVALS: Readonly<Record<Interval, number>> = {
  "1m": 1_440,
  "5m": 288,
  "15m": 672,
  "30m": 336,
  "1h": 336,
  "4h": 336,
  "1d": 91,
  "1w": 60,
};

export function blockMsOf(interval: Interval): number {
  return BLOCK_INTERVALS[interval] * INTERVAL_MS[interval];
}

/** Probability that the interval of an edge holds it: high, since hundreds of cells are looked at side by side. */
export const EDGE_LEVEL = 0.99;
/** Blocks below which their spread says too little. */
export const LEAST_BLOCKS = 10;
const RESAMPLES = 2_000;

/** What fell into blocks of time: trades, and by how much their hits exceed their base rates. Blocks ascending. */
export interface BlockSums {
  readonly block: Int32Array;
  readonly n: Float64Array;
  readonly excess: Float64Array;
}

export interface Edge {
  /** Hit rate less base rate. */
  readonly edge: number;
  /** Standard error over blocks, at least that of independent trades at the base rate. */
  readonly error: number;
  readonly low: number;
  readonly high: number;
  /** That an edge this far from 0 comes by chance, two-sided. */
  readonly pValue: number;
}

/** How often each block of a pool is drawn in each resample, `blocks` counts a resample. */
export interface Resamples {
  readonly blocks: number;
  readonly counts: Uint16Array;
}

/** Draws as many blocks as there are, with replacement, 2,000 times. */
export function drawResamples(blocks: number, seed: number): Resamples {
  const rng = createRng(seed, blocks);
  const counts = new Uint16Array(blocks * RESAMPLES);
  for (let start = 0; start < counts.length; start += blocks) {
    for (let draw = 0; draw < blocks; draw++) counts[start + rng.below(blocks)]++;
  }
  return { blocks, counts };
}

/**
 * Edge of a cell, with an interval and a p-value that agree: p is below 0.01 exactly where the interval leaves 0 out.
 * Both come from the exact binomial distribution at an effective number of trades (Clopper and Pearson 1934, Korn and
 * Graubard 1998), which holds for rare hits too, and no hit at all. The effective number is what the spread over blocks
 * leaves of the trades, each block with whatever depends on each other in it: the larger of the error with blocks as
 * clusters (CR1) and of that over blocks drawn anew (B. Efron 1979), and never more trades than there are. As the spread
 * over few blocks is uncertain itself, tails are those of Student's distribution with as many degrees as blocks less one.
 * @param hits of all trades. @returns null for fewer than ten blocks, or where the base rate is 0 or 1: what never or
 * always happens has no chance to be told from.
 */
export function measureEdge(sums: BlockSums, hits: number, resamples: Resamples): Edge | null {
  const { block, n } = sums;
  if (block.length < LEAST_BLOCKS) return null;
  const trades = n.reduce((sum, count) => sum + count, 0);
  const rate = hits / trades;
  const { edge, error: clustered } = ratioOf(sums, null);
  const base = rate - edge;
  if (!(base > NOTHING && base < 1 - NOTHING)) return null;
  const error = Math.max(clustered, resampledError(sums, resamples));
  const alone = rate * (1 - rate);
  const effect = alone > 0 ? Math.min(trades, Math.max(1, (trades * error * error) / alone)) : 1;
  const effective = trades / effect;
  const degrees = block.length - 1;
  const [below, above] = binomialTails(rate * effective, effective, base);
  const [low, high] = exactInterval(rate * effective, effective, edgeTail(degrees));
  return {
    edge,
    error: Math.sqrt(Math.max(error * error, (base * (1 - base)) / trades)),
    low: low - base,
    high: high - base,
    pValue: Math.min(1, studentTail(deviation(Math.min(below, above)), degrees)),
  };
}

/** What rounding leaves of 0 in a sum of rates. */
const NOTHING = 1e-9;
const FARTHEST = 38;

/** How many standard deviations of the normal distribution leave a tail of `share`; 0 for a half or more. */
function deviation(share: number): number {
  return share >= 0.5 ? 0 : bisect((z) => normalCdf(-z) > share, 0, FARTHEST);
}

const edgeTails = new Map<number, number>();

/** The tail of the normal distribution that Student's has beyond either end of an interval of `EDGE_LEVEL`. */
function edgeTail(degrees: number): number {
  const known = edgeTails.get(degrees);
  if (known !== undefined) return known;
  const tail = normalCdf(-studentQuantile(1 - EDGE_LEVEL, degrees));
  edgeTails.set(degrees, tail);
  return tail;
}

/** Standard deviation of the edge over blocks that are drawn anew. */
function resampledError(sums: BlockSums, { blocks, counts }: Resamples): number {
  const { block } = sums;
  const drawn = new Float64Array(block.length);
  let kept = 0;
  let sum = 0;
  let squares = 0;
  for (let resample = 0; resample < RESAMPLES; resample++) {
    const start = resample * blocks;
    for (let k = 0; k < block.length; k++) drawn[k] = counts[start + block[k]];
    const { edge, used } = ratioOf(sums, drawn);
    if (used === 0) continue;
    kept++;
    sum += edge;
    squares += edge * edge;
  }
  const mean = sum / kept;
  return kept === 0 ? 0 : Math.sqrt(Math.max(0, squares / kept - mean * mean));
}

/** Excess per trade and its standard error over blocks, each as often as drawn. */
function ratioOf({ n, excess }: BlockSums, drawn: Float64Array | null) {
  let trades = 0;
  let sum = 0;
  let used = 0;
  for (let k = 0; k < n.length; k++) {
    const times = drawn === null ? 1 : drawn[k];
    used += times;
    trades += times * n[k];
    sum += times * excess[k];
  }
  if (used < 2) return { edge: used === 0 ? 0 : sum / trades, error: 0, used };
  const edge = sum / trades;
  let squares = 0;
  for (let k = 0; k < n.length; k++) {
    const rest = excess[k] - edge * n[k];
    squares += (drawn === null ? 1 : drawn[k]) * rest * rest;
  }
  return { edge, error: Math.sqrt((used / (used - 1)) * squares) / trades, used };
}
