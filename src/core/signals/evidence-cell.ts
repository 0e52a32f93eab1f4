import { wilsonInterval } from "../base/inference.js";
import type { Interval } from "../market/interval.js";
import type { CostClass } from "./cost-class.js";
import { type BlockSums, type Edge, LEAST_BLOCKS, measureEdge, type Resamples } from "./evidence-edge.js";
import type { Pool } from "./evidence-pool.js";
import { OUTCOMES } from "./evidence-series.js";
import type { Blocks } from "./evidence-time.js";
import { type Foresight, priorTrades, shrunk } from "./evidence-walk.js";

/** Name of the cell that takes trades of every regime, or of every class of costs. */
export const ANY_REGIME = "any";
export const ANY_COSTS = "any";

/** Why a cell has no confidence. */
export type Shortage = "no_direction" | "few_trades" | "few_blocks" | "no_hits" | "no_base";

/** What was measured of one variant at one interval in one regime. Rates 0..1; null where nothing tells. */
export interface EvidenceRow {
  readonly variant: string;
  readonly pattern: string;
  readonly interval: Interval;
  /** Name of a regime, or `any`, which takes trades whose regime is unknown too. */
  readonly regime: string;
  /** Class of costs, or `any`. */
  readonly costs: CostClass | typeof ANY_COSTS;
  /** Confirmed patterns; below, what came of the trade on each: ended, not taken, not ended yet. */
  readonly occurrences: number;
  readonly n: number;
  readonly voided: number;
  readonly unsettled: number;
  readonly hits: number;
  readonly hitRate: number | null;
  /** Wilson's interval of the hit rate, 95 %. */
  readonly low: number | null;
  readonly high: number | null;
  /** Hit rate of the same trade without the pattern, at bars where costs are of the same class. */
  readonly baseRate: number | null;
  readonly edge: number | null;
  /** Interval of the edge by blocks of time, 99 %. */
  readonly edgeLow: number | null;
  readonly edgeHigh: number | null;
  readonly pValue: number | null;
  /** Corrected for all cells of the table that were tested. */
  readonly qValue: number | null;
  readonly meanR: number | null;
  /** Hit rate to be expected: measured, and shrunk by how little was measured. Null unless sufficient. */
  readonly confidence: number | null;
  /** Trades that the base rate counts for in it. */
  readonly priorTrades: number | null;
  /** Of the confidence as it was before each trade. */
  readonly predicted: number;
  readonly brier: number | null;
  readonly calibrationError: number | null;
  /** Blocks of time that the trades fell into. */
  readonly blocks: number;
  readonly status: "sufficient" | "insufficient";
  readonly shortage: Shortage | null;
  /** Close of the first and newest bar with an occurrence, epoch ms. */
  readonly firstMs: number | null;
  readonly lastMs: number | null;
  /** Trades on patterns that were seen while they happened. */
  readonly liveN: number;
  readonly liveHits: number;
}

/** Trades below which a cell has no confidence. */
export const LEAST_TRADES = 30;

interface CellParts {
  readonly pool: Pool;
  readonly blocks: Blocks;
  readonly resamples: Resamples;
}

interface CellHead {
  readonly variant: string;
  readonly pattern: string;
  readonly interval: Interval;
  readonly regime: string;
  readonly costs: EvidenceRow["costs"];
  /** False for shapes that expect neither rise nor fall: there is no trade on them. */
  readonly directed: boolean;
}

/** What is counted of a cell in one pass. */
interface Count {
  n: number;
  voided: number;
  hits: number;
  base: number;
  r: number;
  liveN: number;
  liveHits: number;
}

/**
 * Measures a cell; its confidence lies between its base rate and its hit rate. @param known its occurrences in order of
 * time.
 */
export function measureCell(
  parts: CellParts,
  known: Int32Array,
  { directed, ...head }: CellHead,
  foresight: Foresight,
): EvidenceRow {
  const ofRegime = head.regime !== ANY_REGIME;
  const { count, sums } = countCell(parts, known, ofRegime);
  const { n, hits, voided } = count;
  const edge = n >= LEAST_TRADES ? measureEdge(sums, hits, parts.resamples) : null;
  const shortage = shortageOf(directed, count, sums.block.length, edge);
  const baseRate = n === 0 ? null : count.base / n;
  const weight = edge === null || baseRate === null ? null : priorTrades(baseRate, n * edge.error ** 2);
  const [low, high] = wilsonInterval(hits, n);
  const { knownAt } = parts.pool;
  return {
    ...head,
    occurrences: known.length,
    n,
    voided,
    unsettled: directed ? known.length - n - voided : 0,
    hits,
    hitRate: n === 0 ? null : hits / n,
    low: n === 0 ? null : low,
    high: n === 0 ? null : high,
    baseRate,
    edge: edge?.edge ?? null,
    edgeLow: edge?.low ?? null,
    edgeHigh: edge?.high ?? null,
    pValue: edge?.pValue ?? null,
    qValue: null,
    meanR: n === 0 ? null : count.r / n,
    confidence: baseRate === null || weight === null ? null : shrunk(hits, n, baseRate, weight),
    priorTrades: weight,
    predicted: foresight.predicted,
    brier: foresight.predicted === 0 ? null : foresight.brier,
    calibrationError: foresight.predicted === 0 ? null : foresight.calibrationError,
    blocks: sums.block.length,
    status: shortage === null ? "sufficient" : "insufficient",
    shortage,
    firstMs: known.length === 0 ? null : knownAt[known[0]],
    lastMs: known.length === 0 ? null : knownAt[known[known.length - 1]],
    liveN: count.liveN,
    liveHits: count.liveHits,
  };
}

function shortageOf(
  directed: boolean,
  { n, hits }: Count,
  blocks: number,
  edge: Edge | null,
): Shortage | null {
  if (!directed) return "no_direction";
  if (n < LEAST_TRADES) return "few_trades";
  if (blocks < LEAST_BLOCKS) return "few_blocks";
  if (edge !== null) return null;
  return hits === 0 ? "no_hits" : "no_base";
}

function countCell(
  { pool, blocks: { blockOf } }: CellParts,
  known: Int32Array,
  ofRegime: boolean,
): { count: Count; sums: BlockSums } {
  const { outcome, base, regimeBase, r, live } = pool;
  const count: Count = { n: 0, voided: 0, hits: 0, base: 0, r: 0, liveN: 0, liveHits: 0 };
  const block: number[] = [];
  const trades: number[] = [];
  const excess: number[] = [];
  for (const i of known) {
    if (outcome[i] === OUTCOMES.void) count.voided++;
    if (outcome[i] !== OUTCOMES.hit && outcome[i] !== OUTCOMES.miss) continue;
    const hit = outcome[i] === OUTCOMES.hit ? 1 : 0;
    const rate = ofRegime ? regimeBase[i] : base[i];
    count.n++;
    count.hits += hit;
    count.base += rate;
    count.r += r[i];
    count.liveN += live[i];
    count.liveHits += live[i] * hit;
    if (block[block.length - 1] !== blockOf[i]) {
      block.push(blockOf[i]);
      trades.push(0);
      excess.push(0);
    }
    trades[trades.length - 1]++;
    excess[excess.length - 1] += hit - rate;
  }
  const sums = {
    block: Int32Array.from(block),
    n: Float64Array.from(trades),
    excess: Float64Array.from(excess),
  };
  return { count, sums };
}
