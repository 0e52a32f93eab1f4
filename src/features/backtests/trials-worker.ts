import { runBrief } from "../../core/backtest/brief.js";
import type { BarRange } from "../../core/backtest/folds.js";
import { ensure } from "../../core/base/assert.js";
import { lowerBound } from "../../core/base/search.js";
import { keepColumns } from "../../core/strategies/columns.js";
import { findStrategy } from "../../core/strategies/index.js";
import type { Values } from "../../core/strategies/parameters.js";
import type { RunSeries } from "./listings.js";
import type { RunTerms } from "./terms.js";
import { type TrialFound, trialOf } from "./trial.js";
import { windowed } from "./window.js";

export interface TrialsOrder extends RunSeries {
  readonly strategyId: string;
  readonly points: readonly Values[];
  readonly terms: RunTerms;
  /** Bars of the first symbol in which it may trade, whose returns count; null for all. Those after are cut off. */
  readonly window: BarRange | null;
  /** Whether columns by bar are wanted, too. */
  readonly byBar: boolean;
}

/** A trial, with columns by bar where they were asked for; empty otherwise. */
export interface TrialOfPoint extends TrialFound {
  /** Trades that were open at the end. */
  readonly open: number;
  /** Returns. */
  readonly bars: Float64Array;
  /** Whether it needed a desk, which takes several times as long. */
  readonly onDesk: boolean;
}

/** Tries values of a strategy, one after another, in a thread. */
export default function tryPoints(order: TrialsOrder): TrialOfPoint[] {
  const { terms, points } = order;
  const strategy = ensure(findStrategy(order.strategyId), "the order names a strategy");
  const { listings, rules, fromMs } = windowed(order);
  for (const { candles } of listings) keepColumns(candles);
  // New memory for each point would take longer than to walk its bars.
  const room = new Float64Array(listings[0].candles.time.length);
  return points.map((values) => {
    const brief = runBrief(strategy, listings, values, rules, room);
    const { time, equity, trades } = brief;
    const first = lowerBound(time, fromMs);
    const [times, levels] = [time.subarray(first), equity.subarray(first)];
    const closed = trades.exitBar.reduce((count, bar) => count + Number(bar >= 0), 0);
    const capital = terms.capital * 1e6;
    const trial = {
      ...trialOf(times, levels, terms, closed),
      open: trades.exitBar.length - closed,
      onDesk: brief.desk !== null,
    };
    if (!order.byBar) return { ...trial, bars: new Float64Array(0) };
    const bars = levels.map((level, i) => level / (i === 0 ? capital : levels[i - 1]) - 1);
    return { ...trial, bars };
  });
}
