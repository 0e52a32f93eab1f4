import { briefProblem } from "../../core/backtest/brief.js";
import { heldOf, trackOf } from "../../core/backtest/positions.js";
import type { Report } from "../../core/backtest/report.js";
import { type Backtest, type Doubt, hashOf } from "../../core/backtest/result.js";
import type { Listing } from "../../core/backtest/rules.js";
import { runBacktest } from "../../core/backtest/run.js";
import { ensure } from "../../core/base/assert.js";
import { findStrategy } from "../../core/strategies/index.js";
import type { Values } from "../../core/strategies/parameters.js";
import { moved } from "../../platform/workers.js";
import { type BenchmarkOrder, benchmarkOf, reportBeside } from "./benchmark.js";
import { type Breakdown, breakdownOf } from "./breakdown.js";
import { listingsOf, type RunSeries, startOf } from "./listings.js";
import { type RunTrade, tradesOf } from "./run-trades.js";
import { type RunTerms, rulesOf } from "./terms.js";
import { type TrialFound, trialOf } from "./trial.js";

export interface RunOrder extends RunSeries {
  readonly strategyId: string;
  readonly values: Values;
  readonly benchmark: BenchmarkOrder;
  readonly terms: RunTerms;
}

/** A backtest with its report. Money in the account's currency. */
export interface RunFound {
  readonly hash: string;
  readonly trial: TrialFound;
  readonly report: Pick<Report, "figures" | "months" | "drawdowns">;
  readonly time: Float64Array;
  readonly equity: Float64Array;
  /** NaN where there is none. */
  readonly benchmark: Float64Array;
  /** Final equity by the rule, and had all doubtful bars gone the worst or the best way. */
  readonly bounds: { readonly pessimistic: number; readonly headline: number; readonly optimistic: number };
  readonly doubts: readonly Doubt[];
  readonly trades: readonly RunTrade[];
  readonly breakdown: Breakdown;
  /** How often something was asked for and not to be had, by reason. */
  readonly turned: Readonly<Record<string, number>>;
  /** Whether another such run needs a desk, which takes several times as long. */
  readonly onDesk: boolean;
}

/** Runs a strategy over bars in a thread. */
export default function run(order: RunOrder): RunFound {
  const { found } = reportRun(order);
  return sentFound(found, found);
}

/** What is sent from a thread, whose long columns of a run are not copied. */
export function sentFound<T extends object>({ time, equity, benchmark }: RunFound, sent: T): T {
  return moved(sent, [time.buffer, equity.buffer, benchmark.buffer]);
}

/** A run with its report. */
export function reportRun(order: RunOrder): {
  readonly found: RunFound;
  readonly backtest: Backtest;
  readonly listings: readonly Listing[];
} {
  const { terms, values } = order;
  const strategy = ensure(findStrategy(order.strategyId), "the order names a strategy");
  const listings = listingsOf(order);
  const rules = rulesOf(terms, startOf(order));
  const backtest = runBacktest(strategy, listings, values, rules);
  const held = heldOf(backtest, listings);
  const benchmark = benchmarkOf(order.benchmark, backtest.time, held);
  const track = trackOf(backtest, held);
  const { report, worth } = reportBeside(track, backtest.trades, benchmark, terms);
  const { bounds, doubts } = backtest;
  const turned = turnedBy(backtest);
  const time = backtest.time.slice();
  const bars = listings.map(({ candles }) => candles);
  const trades = tradesOf(backtest, bars, order);
  const equity = backtest.equity.map((micros) => micros / 1e6);
  const found: RunFound = {
    hash: hashOf(backtest),
    trial: trialOf(
      backtest.time,
      backtest.equity,
      terms,
      backtest.trades.filter((t) => t.closedAt !== null).length,
    ),
    report: { figures: report.figures, months: report.months, drawdowns: report.drawdowns },
    time,
    equity,
    benchmark: worth,
    bounds: {
      pessimistic: bounds.pessimistic / 1e6,
      headline: bounds.equity / 1e6,
      optimistic: bounds.optimistic / 1e6,
    },
    doubts,
    trades,
    breakdown: breakdownOf(trades),
    turned,
    onDesk: briefProblem(strategy, listings, rules) !== null || turned.filled_in_part !== undefined,
  };
  return { found, backtest, listings };
}

/** How often something was not to be had, by reason. Orders that a bar's volume did not suffice for count once each, whatever came of the rest of them. */
export function turnedBy({ turned, events }: Backtest): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { reason } of turned) counts[reason] = (counts[reason] ?? 0) + 1;
  const parts = new Set(
    events.flatMap((event) =>
      event.kind === "order" && event.event === "partially_filled" ? [event.orderId] : [],
    ),
  );
  if (parts.size > 0) counts.filled_in_part = parts.size;
  return counts;
}
