import { type Brief, runBrief } from "../../core/backtest/brief.js";
import { maskProblem, runMasks } from "../../core/backtest/mask-run.js";
import { syntheticCandles } from "../../core/backtest/monte-carlo.js";
import { permutedListings } from "../../core/backtest/permuted-bars.js";
import { type Holding, randomEntries, randomMasks } from "../../core/backtest/random-entries.js";
import type { BacktestRules, Listing } from "../../core/backtest/rules.js";
import { ensure } from "../../core/base/assert.js";
import { lowerBound } from "../../core/base/search.js";
import { type Candles, sliceCandles } from "../../core/market/candles.js";
import type { Strategy } from "../../core/strategies/define.js";
import { findStrategy } from "../../core/strategies/index.js";
import type { Values } from "../../core/strategies/parameters.js";
import { listingsOf, type RunSeries, startOf } from "./listings.js";
import { dayOf, type RunTerms, rulesOf } from "./terms.js";
import { trialOf } from "./trial.js";

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
  const { series, values, seed } = order;
  const listings = listingsOf(order);
  const start = startOf(order);
  const strategy = ensure(findStrategy(order.strategyId), "the order names a strategy");
  if (order.kind === "costs")
    return order.others.map((other) => pathOf(strategy, listings, values, rulesOf(other, start), other));
  if (order.kind === "permuted") return permutedPaths(strategy, order);
  return Array.from({ length: order.to - order.from }, (_, k) => {
    const path = seed + order.from + k;
    if (order.kind === "bars") {
      const { blockBars } = order;
      // Of one seed series of one length are drawn alike, so that what moves together stays together.
      const terms = { seed: path, blockBars, dayAt: dayOf(order.terms) };
      const drawn = equallyLed(listings, start).map((candles) => ({
        candles: syntheticCandles(candles, terms),
      }));
      return pathOf(strategy, drawn, values, rulesOf(order.terms, start), order.terms);
    }
    const traded = series.map((candles, k) => ({ candles, happenings: order.happenings[k] ?? [] }));
    return randomPath(order, traded, path);
  });
}

/** As many trades of the same lengths at random times; without orders where all is bought and sold at the open alone. */
export function randomPath(
  { holdings, terms }: Pick<StressOrder & { readonly kind: "random" }, "holdings" | "terms">,
  listings: readonly Listing[],
  seed: number,
): Stressed {
  const [listing] = listings;
  const { time } = listing.candles;
  const rules = rulesOf(terms);
  const masks = randomMasks(holdings, time.length, seed);
  if (masks !== null && listings.length === 1 && maskProblem(rules, listing, masks) === null) {
    const { equity, trades } = runMasks(listing, masks, rules);
    return stressedOf({ time, equity, trades }, terms);
  }
  const random = ensure(randomEntries(holdings, time.length, seed), "holdings of a run fit into its bars");
  return pathOf(random, listings, {}, rules, terms);
}

function permutedPaths(strategy: Strategy, order: StressOrder & { readonly kind: "permuted" }): Stressed[] {
  const { series, values, terms, seed, from, to, start } = order;
  const isWhole = start === 0;
  // What is decided at the close before it is filled at its open.
  const rules = rulesOf(terms, isWhole ? startOf(order) : series[0].time[start - 1]);
  const fromMs = isWhole ? startOf(order) : series[0].time[start];
  const draw = permutedListings(listingsOf(order), { calendar: rules.calendar, fromMs });
  return Array.from({ length: to - from }, (_, k) =>
    pathOf(strategy, draw(seed, from + k), values, rules, terms),
  );
}

/** Bars of all symbols, with as many before the start as each has. */
function equallyLed(listings: readonly Listing[], start: number): Candles[] {
  const before = Math.min(...listings.map(({ candles }) => lowerBound(candles.time, start)));
  return listings.map(({ candles }) => sliceCandles(candles, lowerBound(candles.time, start) - before));
}

function pathOf(
  strategy: Strategy,
  listings: readonly Listing[],
  values: Values,
  rules: BacktestRules,
  terms: RunTerms,
): Stressed {
  return stressedOf(runBrief(strategy, listings, values, rules), terms);
}

function stressedOf({ time, equity, trades }: Pick<Brief, "time" | "equity" | "trades">, terms: RunTerms) {
  const { sample, totalReturn } = trialOf(time, equity, terms, 0);
  return { totalReturn: totalReturn ?? 0, sharpe: sample?.sharpe ?? null, trades: trades.entryBar.length };
}
