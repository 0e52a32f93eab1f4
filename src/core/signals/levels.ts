import type { Direction } from "../patterns/define.js";

/** Where a trade on a signal would be entered, given up and closed. */
export interface Levels {
  readonly entry: number;
  readonly stop: number;
  readonly target: number;
  /** Reward per unit of risk. */
  readonly rewardRisk: number;
}

/** Distances in average true ranges. */
const STOP_RANGES = 1.5;
const STRONG_TARGET_RANGES = 2;
const PLAIN_TARGET_RANGES = 1.5;
const STRONG_SCORE = 0.8;

/**
 * Levels from volatility: the stop 1.5 average true ranges against the signal, the target 2 with it, 1.5 for
 * scores under 0.8. Entry is the close of the signal's bar, for want of the open that follows.
 * @returns null without a direction, without a range, or where a level would not be a price.
 */
export function levelsFor(
  direction: Direction,
  close: number,
  range: number | null,
  score: number,
): Levels | null {
  if (direction === 0 || range === null || !(range > 0)) return null;
  const reward = score >= STRONG_SCORE ? STRONG_TARGET_RANGES : PLAIN_TARGET_RANGES;
  const stop = close - direction * STOP_RANGES * range;
  const target = close + direction * reward * range;
  if (stop <= 0 || target <= 0) return null;
  return { entry: close, stop, target, rewardRisk: reward / STOP_RANGES };
}
