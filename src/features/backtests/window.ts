import type { BarRange } from "../../core/backtest/folds.js";
import type { BacktestRules, Listing } from "../../core/backtest/rules.js";
import { upperBound } from "../../core/base/search.js";
import { sliceCandles } from "../../core/market/candles.js";
import { sliceFacts } from "../../core/strategies/facts.js";
import { listingsOf, type RunSeries, startOf } from "./listings.js";
import { type RunTerms, rulesOf } from "./terms.js";

/** A run over some of the bars. */
export interface Windowed {
  readonly listings: readonly Listing[];
  readonly rules: BacktestRules;
  /** Open of the first bar whose return counts, epoch ms. */
  readonly fromMs: number;
}

/** Cuts off what comes after a window of the first symbol's bars, in which alone it may trade; null for all bars. */
export function windowed(
  order: RunSeries & { readonly terms: RunTerms; readonly window: BarRange | null },
): Windowed {
  const { series, window, terms } = order;
  const [{ time }] = series;
  const from = window?.from ?? 0;
  const untilMs = window === null ? Number.POSITIVE_INFINITY : time[window.to - 1];
  const listings = listingsOf(order).map(({ candles, facts = {}, ...listing }) => {
    const to = upperBound(candles.time, untilMs);
    return { ...listing, candles: sliceCandles(candles, 0, to), facts: sliceFacts(facts, to) };
  });
  // What is decided at the close before a window is filled at its first open.
  const rules = rulesOf(terms, from === 0 ? startOf(order) : time[from - 1]);
  return { listings, rules, fromMs: window === null ? Number.NEGATIVE_INFINITY : time[from] };
}
