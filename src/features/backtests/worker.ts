import { ensure } from "../../core/base/assert.js";
import type { Candles } from "../../core/market/candles.js";
import { findVariant } from "../../core/patterns/index.js";
import { REGIMES, type Regime } from "../../core/regime/define.js";
import { computeRegimes } from "../../core/regime/regime.js";
import { type PatternTrades, tradePattern } from "../../core/signals/pattern-trades.js";

export interface PatternTask {
  readonly candles: Candles;
  readonly variant: string;
  /** First bar whose patterns are traded. */
  readonly from: number;
  readonly costBps: number;
}

export interface PatternTaskResult extends PatternTrades {
  /** Regime of the market at the bar of each trade; null where too few bars tell. */
  readonly regimes: readonly (Regime | null)[];
}

/** Trades a pattern in a thread. */
export default function trade({ candles, variant, from, costBps }: PatternTask): PatternTaskResult {
  const { pattern } = ensure(findVariant(variant), "the route knows the pattern");
  const found = tradePattern(candles, pattern, variant, from, costBps);
  const { label } = computeRegimes(candles);
  return { ...found, regimes: found.trades.map(({ at }) => REGIMES[label[at]] ?? null) };
}
