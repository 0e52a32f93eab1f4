import type { DailyIndicators } from "../candles/market.js";

/** How far from its averages, in average true ranges, a price is as far as it counts. */
const FULL_RANGE = 3;

/**
 * What prices say, -1..1: the mean of RSI 14 about its middle and of the distances of the price from its averages of 20
 * and 50 days in average true ranges, three of which count full. Null without any of them.
 */
export function technicalScore(
  price: number,
  { rsi14, sma20, sma50, atr14 }: DailyIndicators,
): number | null {
  const parts: number[] = [];
  if (rsi14 !== null) parts.push((rsi14 - 50) / 50);
  if (atr14 !== null && atr14 > 0) {
    for (const average of [sma20, sma50]) {
      if (average !== null) parts.push(Math.max(-1, Math.min(1, (price - average) / (FULL_RANGE * atr14))));
    }
  }
  return parts.length === 0 ? null : parts.reduce((sum, part) => sum + part, 0) / parts.length;
}
