import type { Candles } from "../../core/market/candles.js";
import type { Facts } from "../../core/strategies/facts.js";

/** Bars of the symbols of a run, and what is known beside them, in the same order. */
export interface RunSeries {
  readonly series: readonly Candles[];
  readonly facts: readonly Facts[];
}

export function listingsOf({ series, facts }: RunSeries) {
  return series.map((candles, k) => ({ candles, facts: facts[k] ?? {} }));
}
