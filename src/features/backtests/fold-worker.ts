import { briefProblem } from "../../core/backtest/brief.js";
import type { BarRange } from "../../core/backtest/folds.js";
import { heldOf, trackOf } from "../../core/backtest/positions.js";
import type { Bounds, Doubt } from "../../core/backtest/result.js";
import { runBacktest } from "../../core/backtest/run.js";
import { ensure } from "../../core/base/assert.js";
import { lowerBound } from "../../core/base/search.js";
import { isClosed, type Trade } from "../../core/performance/trade.js";
import { findStrategy } from "../../core/strategies/index.js";
import type { Values } from "../../core/strategies/parameters.js";
import type { RunSeries } from "./listings.js";
import { type RunTrade, tradesOf } from "./run-trades.js";
import { turnedBy } from "./run-worker.js";
import type { RunTerms } from "./terms.js";
import { trialOf } from "./trial.js";
import type { TrialOfPoint } from "./trials-worker.js";
import { windowed } from "./window.js";

export interface FoldOrder extends RunSeries {
  readonly strategyId: string;
  readonly values: Values;
  readonly terms: RunTerms;
  /** Bars of the first symbol in which it may trade. */
  readonly window: BarRange;
}

/** The test of a fold, which begins with the initial capital; columns are of the bars of its window, in micros. */
export interface FoldFound extends TrialOfPoint {
  readonly equity: Float64Array;
  readonly long: Float64Array;
  readonly short: Float64Array;
  readonly bounds: Bounds;
  readonly doubts: readonly Doubt[];
  /** The same trades as a report reckons with them and as it tells them. */
  readonly entered: readonly Trade[];
  readonly told: readonly RunTrade[];
  readonly turned: Readonly<Record<string, number>>;
}

/** Tries what a fold has chosen on the bars of its test, in a thread. */
export default function testFold(order: FoldOrder): FoldFound {
  const { terms, values } = order;
  const strategy = ensure(findStrategy(order.strategyId), "the order names a strategy");
  const { listings, rules, fromMs } = windowed(order);
  const backtest = runBacktest(strategy, listings, values, rules);
  const { time, trades, bounds, doubts } = backtest;
  const first = lowerBound(time, fromMs);
  const track = trackOf(backtest, heldOf(backtest, listings));
  const equity = track.equity.slice(first);
  const closed = trades.filter(isClosed).length;
  const told = tradesOf(
    backtest,
    listings.map(({ candles }) => candles),
    order,
  );
  const turned = turnedBy(backtest);
  return {
    ...trialOf(time.subarray(first), equity, terms, closed),
    open: trades.length - closed,
    onDesk: briefProblem(strategy, listings, rules) !== null || turned.filled_in_part !== undefined,
    bars: equity.map((level, i) => level / (i === 0 ? track.capital : equity[i - 1]) - 1),
    ...{ equity, long: track.long.slice(first), short: track.short.slice(first) },
    ...{ bounds, doubts, entered: trades, told, turned },
  };
}
