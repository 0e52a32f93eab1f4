import { runBrief } from "../../core/backtest/brief.js";
import { syntheticCandles } from "../../core/backtest/monte-carlo.js";
import { permutedBars } from "../../core/backtest/permuted-bars.js";
import { type Holding, randomEntries } from "../../core/backtest/random-entries.js";
import { ensure } from "../../core/base/assert.js";
import type { Strategy } from "../../core/strategies/define.js";
import { findStrategy } from "../../core/strategies/index.js";
import type { Values } from "../../core/strategies/parameters.js";
import { listingsOf, type RunSeries } from "./listings.js";
import { type RunTerms, rulesOf } from "./terms.js";
import { trialOf } from "./trial.js";
import { startingAt } from "./trials-worker.js";

/** What a run is tried against; paths are drawn from the seed and their own number. */
export type StressOrder = RunSeries & {
  readonly strategyId: string;
  readonly values: Values;
  readonly terms: RunTerms;
  readonly seed: number;
} & (
    | { readonly kind: "bars"; readonly from: number; readonly to: number; readonly blockBars: number }
    | {
        readonly kind: "random";
        readonly from: number;
        readonly to: number;
        readonly holdings: readonly Holding[];
      }
    | { readonly kind: "costs"; readonly others: readonly RunTerms[] }
    | {
        readonly kind: "permuted";
        readonly from: number;
        readonly to: number;
        /** Bar of the first symbol from which on bars change places, and before which nothing is decided. */
        readonly start: number;
      }
  );

/** What one path came to. */
export interface Stressed {
  readonly totalReturn: number;
  /** By day; null where the returns do not vary. */
  readonly sharpe: number | null;
  readonly trades: number;
}

/** Runs a strategy over drawn or permuted bars or under other costs, or others over the same bars, in a thread. */
export default function stress(order: StressOrder): Stressed[] {
  const { series, values, terms, seed } = order;
  const strategy = ensure(findStrategy(order.strategyId), "the order names a strategy");
  if (order.kind === "costs") return order.others.map((other) => pathOf(strategy, order, values, other));
  if (order.kind === "permuted") return permutedPaths(strategy, order);
  return Array.from({ length: order.to - order.from }, (_, k) => {
    const path = seed + order.from + k;
    if (order.kind === "bars") {
      const { blockBars } = order;
      // Of one seed series of one length are drawn alike, so that what moves together stays together.
      const drawn = series.map((candles) => syntheticCandles(candles, { seed: path, blockBars }));
      return pathOf(strategy, { series: drawn, facts: [] }, values, terms);
    }
    const random = ensure(
      randomEntries(order.holdings, series[0].time.length, path),
      "holdings of a run fit into its bars",
    );
    return pathOf(random, order, {}, terms);
  });
}

function permutedPaths(strategy: Strategy, order: StressOrder & { readonly kind: "permuted" }): Stressed[] {
  const { series, values, terms, seed, from, to, start } = order;
  const { calendar } = rulesOf(terms);
  const fromMs = series[0].time[start];
  const draw = permutedBars(series, start === 0 ? { calendar } : { calendar, fromMs });
  const begun = startingAt(strategy, start);
  return Array.from({ length: to - from }, (_, k) =>
    pathOf(begun, { series: draw(seed, from + k), facts: [] }, values, terms),
  );
}

function pathOf(strategy: Strategy, series: RunSeries, values: Values, terms: RunTerms): Stressed {
  const listings = listingsOf(series);
  const { time, equity, trades } = runBrief(strategy, listings, values, rulesOf(terms));
  const { sample, totalReturn } = trialOf(time, equity, terms, 0);
  return { totalReturn: totalReturn ?? 0, sharpe: sample?.sharpe ?? null, trades: trades.entryBar.length };
}
