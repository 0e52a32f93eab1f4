import { onTick, type Traded } from "../execution/instrument.js";
import type { AssetClass } from "../market/instrument.js";
import type { Direction } from "../patterns/define.js";

/** Where a trade on a signal would be entered, given up and closed. */
export interface Levels {
  readonly entry: number;
  readonly stop: number;
  readonly target: number;
  /** Reward per unit of risk. */
  readonly rewardRisk: number;
  /** Whether the shape gave stop and target, or the average true range. */
  readonly basis: "formation" | "range";
}

/** Stop and target of a shape; null where it has none. */
export interface OwnLevels {
  readonly stop: number | null;
  readonly target: number | null;
}

/**
 * The one policy by which signals are traded: measured by evidence, suggested by alerts. Distances in average true
 * ranges of 14 bars, horizons in bars after the bar of the signal.
 */
export const TRADE_POLICY = Object.freeze({
  stopRanges: 1.5,
  targetRanges: 2,
  leastRewardRisk: 0.5,
  mostRewardRisk: 10,
  horizonBars: 20,
  mostHorizonBars: 60,
});

/**
 * What a trade costs, in and out together, in basis points of its entry: half a spread twice, commission and a tick of
 * slippage of a retail account in a liquid instrument of the class. An assumption and stated with each result.
 */
export const ROUND_TRIP_BPS: Readonly<Record<AssetClass, number>> = Object.freeze({
  equity: 6,
  etf: 4,
  index: 4,
  crypto: 20,
  fx: 2,
  commodity: 5,
});

/**
 * Levels of a signal. A shape's own stop and target stand where both lie on their sides of the close and the reward
 * per risk is 0.5 to 10; otherwise the stop is 1.5 average true ranges against the signal and the target 2 with it.
 * Entry is the close of the signal's bar, for want of the open that follows.
 * @returns null without a direction, without a range, or where a level would not be a price.
 */
export function levelsFor(
  direction: Direction,
  close: number,
  range: number | null,
  own: OwnLevels | null = null,
): Levels | null {
  if (direction === 0) return null;
  const { stopRanges, targetRanges } = TRADE_POLICY;
  if (own !== null && own.stop !== null && own.target !== null) {
    const rewardRisk = rewardRiskOf(direction, close, own.stop, own.target);
    if (rewardRisk > 0) {
      return { entry: close, stop: own.stop, target: own.target, rewardRisk, basis: "formation" };
    }
  }
  if (range === null || !(range > 0)) return null;
  const stop = close - direction * stopRanges * range;
  const target = close + direction * targetRanges * range;
  if (stop <= 0 || target <= 0) return null;
  return { entry: close, stop, target, rewardRisk: targetRanges / stopRanges, basis: "range" };
}

/**
 * The same stop and target for whoever enters at a price: reward and risk are counted from there.
 * @returns null where that price has reached one of them.
 */
export function levelsAt(levels: Levels, price: number): Levels | null {
  const { stop, target } = levels;
  const up = target > stop ? 1 : -1;
  const risk = up * (price - stop);
  const reward = up * (target - price);
  return risk > 0 && reward > 0 ? { ...levels, entry: price, rewardRisk: reward / risk } : null;
}

/**
 * On the ticks that orders are given in: the stop not nearer than it was, the target not farther.
 * @returns null where no tick is left between them and the entry.
 */
export function levelsOnTicks({ entry, stop, target, basis }: Levels, instrument: Traded): Levels | null {
  const away = target > stop ? -1 : 1;
  const stands = { stop: onTick(stop, instrument, away), target: onTick(target, instrument, away) };
  return levelsAt({ ...stands, entry, rewardRisk: 0, basis }, onTick(entry, instrument, 0));
}

/** Reward per risk of a shape's own levels; 0 where the policy does not take them. */
export function rewardRiskOf(direction: 1 | -1, close: number, stop: number, target: number): number {
  const risk = direction * (close - stop);
  const reward = direction * (target - close);
  if (!(risk > 0 && reward > 0 && stop > 0 && target > 0)) return 0;
  const ratio = reward / risk;
  return ratio >= TRADE_POLICY.leastRewardRisk && ratio <= TRADE_POLICY.mostRewardRisk ? ratio : 0;
}

/** Bars that a trade has: 20, or as many as the shape of a formation spans, 60 at most. */
export function horizonOf(shapeBars: number | null): number {
  const { horizonBars, mostHorizonBars } = TRADE_POLICY;
  return shapeBars === null ? horizonBars : Math.min(mostHorizonBars, Math.max(horizonBars, shapeBars));
}
