import { studentTail } from "../base/inference.js";
import { createRng } from "../base/rng.js";
import { INTERVAL_MS, type Interval } from "../market/interval.js";

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
  /** Standard error over blocks. */
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
 * Edge of a cell with an interval from blocks that are drawn anew (studentised, B. Efron 1979 and P. Hall 1988) and a
 * p-value from Student's distribution on the error that blocks as clusters have (CR1), whose tail reaches as far as a
 * correction for thousands of cells needs. The occurrences of a block may depend on each other as they like.
 * @returns null for fewer than ten blocks, or where nothing varies.
 */
export function measureEdge(sums: BlockSums, resamples: Resamples): Edge | null {
  const { block, n, excess } = sums;
  if (block.length < LEAST_BLOCKS) return null;
  const whole = ratioOf(sums, null, 0);
  if (!(whole.error > 0)) return null;
  const { blocks, counts } = resamples;
  const studentised = new Float64Array(RESAMPLES);
  let kept = 0;
  const drawn = new Float64Array(block.length);
  for (let resample = 0; resample < RESAMPLES; resample++) {
    const start = resample * blocks;
    for (let k = 0; k < block.length; k++) drawn[k] = counts[start + block[k]];
    const { edge, error } = ratioOf({ block, n, excess }, drawn, whole.edge);
    if (error > 0) studentised[kept++] = (edge - whole.edge) / error;
  }
  const sorted = studentised.subarray(0, kept).sort();
  const tail = (1 - EDGE_LEVEL) / 2;
  return {
    ...whole,
    low: whole.edge - quantile(sorted, 1 - tail) * whole.error,
    high: whole.edge - quantile(sorted, tail) * whole.error,
    pValue: studentTail(whole.edge / whole.error, block.length - 1),
  };
}

/** Excess per trade and its standard error over blocks, each as often as drawn. */
function ratioOf({ n, excess }: BlockSums, drawn: Float64Array | null, centre: number) {
  let trades = 0;
  let sum = 0;
  let used = 0;
  for (let k = 0; k < n.length; k++) {
    const times = drawn === null ? 1 : drawn[k];
    used += times;
    trades += times * n[k];
    sum += times * excess[k];
  }
  if (used < 2) return { edge: centre, error: 0 };
  const edge = sum / trades;
  let squares = 0;
  for (let k = 0; k < n.length; k++) {
    const rest = excess[k] - edge * n[k];
    squares += (drawn === null ? 1 : drawn[k]) * rest * rest;
  }
  return { edge, error: Math.sqrt((used / (used - 1)) * squares) / trades };
}

/** Of ascending values, with straight lines between them; infinite outside of none. */
function quantile(sorted: Float64Array, share: number): number {
  if (sorted.length === 0) return share > 0.5 ? Number.POSITIVE_INFINITY : Number.NEGATIVE_INFINITY;
  const place = share * (sorted.length - 1);
  const below = Math.floor(place);
  const above = Math.min(sorted.length - 1, below + 1);
  return sorted[below] + (place - below) * (sorted[above] - sorted[below]);
}
