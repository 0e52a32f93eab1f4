import { CALIBRATION_BINS, calibrationBin, calibrationError } from "../base/inference.js";
import type { Pool, VariantPool } from "./evidence-pool.js";
import { OUTCOMES } from "./evidence-series.js";

/**
 * Trades that the prior counts for. A share of two fifths that is believed within 5 points of what it is shrunk to, one
 * standard deviation, is worth 0.4 x 0.6 / 0.05^2 - 1 = 95 trades; published edges of such patterns are of that size.
 */
export const PRIOR_TRADES = 100;

/** The hit rate that is to be expected: what was measured, shrunk to a prior. */
export function shrunk(hits: number, n: number, prior: number): number {
  return (hits + PRIOR_TRADES * prior) / (n + PRIOR_TRADES);
}

/** How good the confidence was of a cell, each trade predicted from those that had ended before. */
export interface Foresight {
  /** Trades that were predicted. */
  readonly predicted: number;
  /** Mean squared distance from what happened. NaN of none. */
  readonly brier: number;
  readonly calibrationError: number;
}

/** What is known at a moment, by cell: 0 for any regime, k + 1 for regime k. */
interface Knowledge {
  readonly n: Float64Array;
  readonly hits: Float64Array;
  /** Sum and count of base rates of the occurrences so far. */
  readonly base: Float64Array;
  readonly seen: Float64Array;
}

/**
 * Goes through the occurrences of a variant in time.
 * @param each is told of every trade that ended, with what was predicted: by all trades, and by those of its regime.
 * @returns by cell, as `Knowledge`.
 */
export function walkForward(
  pool: Pool,
  { known, settled }: VariantPool,
  regimeCount: number,
  each?: (index: number, confidence: number, regimeConfidence: number) => void,
): Foresight[] {
  const cells = regimeCount + 1;
  const column = () => new Float64Array(cells);
  const knowledge: Knowledge = { n: column(), hits: column(), base: column(), seen: column() };
  const ledgers = Array.from({ length: cells }, createLedger);
  const { outcome, regime, knownAt, settledAt } = pool;
  let ended = 0;
  for (const i of known) {
    for (; ended < settled.length && settledAt[settled[ended]] <= knownAt[i]; ended++) {
      learn(knowledge, pool, settled[ended]);
    }
    meet(knowledge, pool, i);
    if (outcome[i] !== OUTCOMES.hit && outcome[i] !== OUTCOMES.miss) continue;
    const hit = outcome[i] === OUTCOMES.hit ? 1 : 0;
    const whole = expect(knowledge, 0, knowledge.base[0] / knowledge.seen[0]);
    const cell = regime[i] + 1;
    const part = cell === 0 ? Number.NaN : expect(knowledge, cell, whole);
    ledgers[0].add(whole, hit);
    if (cell > 0) ledgers[cell].add(part, hit);
    each?.(i, whole, part);
  }
  return ledgers.map(({ read }) => read());
}

/** A trade has ended. */
function learn({ n, hits }: Knowledge, { outcome, regime }: Pool, i: number): void {
  const hit = outcome[i] === OUTCOMES.hit ? 1 : 0;
  const cell = regime[i] + 1;
  n[0]++;
  hits[0] += hit;
  if (cell === 0) return;
  n[cell]++;
  hits[cell] += hit;
}

/** A pattern is seen, and with it the base rate that is known by then. */
function meet({ base, seen }: Knowledge, { baseBefore }: Pool, i: number): void {
  if (Number.isNaN(baseBefore[i])) return;
  base[0] += baseBefore[i];
  seen[0]++;
}

function expect({ n, hits }: Knowledge, cell: number, prior: number): number {
  return shrunk(hits[cell], n[cell], prior);
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
