import { type Reconciliation, reconcile } from "../../core/backtest/reconcile.js";
import type { ChangedBar } from "../../core/backtest/reconcile-causes.js";
import type {
  DeskRecord,
  LostOrder,
  ReconcileMarket,
  ReconcileWindow,
  SplitAt,
} from "../../core/backtest/reconcile-trades.js";
import { type Backtest, hashOf } from "../../core/backtest/result.js";
import { tradedUnit } from "../../core/backtest/rules.js";
import { runBacktest } from "../../core/backtest/run.js";
import { ensure } from "../../core/base/assert.js";
import { findStrategy } from "../../core/strategies/index.js";
import type { Values } from "../../core/strategies/parameters.js";
import { listingsOf, type RunSeries, startOf } from "./listings.js";
import type { PaperRecord } from "./paper-record.js";
import { type RunTerms, rulesOf } from "./terms.js";
import { type TrialFound, trialOf } from "./trial.js";

/** A backtest that is to be held against a paper account. */
export interface ReconcileTask extends RunSeries {
  readonly strategyId: string;
  readonly values: Values;
  readonly terms: RunTerms;
  readonly paper: PaperRecord;
  /** By symbol, what prices of the series are adjusted for. */
  readonly splits: ReadonlyMap<string, readonly SplitAt[]>;
  readonly changed: ReadonlyMap<string, readonly ChangedBar[]>;
  readonly window: ReconcileWindow;
  readonly tolerance: number;
  /** Whether the backtest pays what the account pays, and not what its own terms say. */
  readonly accountCosts: boolean;
  /** Only paper trades whose order named the strategy. */
  readonly onlyStrategy: boolean;
}

export interface ReconcileFound {
  readonly hash: string;
  readonly trial: TrialFound;
  readonly found: Reconciliation;
}

/** Runs a backtest and holds it against a paper account, in a thread. */
export default function reconcileRun(task: ReconcileTask): ReconcileFound {
  const { series, terms, values, paper, splits, strategyId } = task;
  const strategy = ensure(findStrategy(strategyId), "the task names a strategy");
  const ordered = rulesOf(terms, startOf(task));
  const { accountCosts } = task;
  const rules = accountCosts ? { ...ordered, desk: { ...ordered.desk, costs: paper.costs } } : ordered;
  const traded = new Map(
    series.map(({ symbol }) => {
      const costs = accountCosts ? (paper.traded.get(symbol)?.costs ?? null) : null;
      return [symbol, { ...tradedUnit(symbol, rules.sizing), costs }] as const;
    }),
  );
  const listings = listingsOf(task).map((listing) => {
    const own = traded.get(listing.candles.symbol);
    return own === undefined ? listing : { ...listing, traded: own };
  });
  const backtest = runBacktest(strategy, listings, values, rules);
  const markets = new Map<string, ReconcileMarket>(
    series.map((candles) => [candles.symbol, { candles, splits: splits.get(candles.symbol) ?? [] }]),
  );
  const { events, reasons, time, equity } = backtest;
  const counts = new Set(
    [...paper.placedFor].flatMap(([id, { strategy: named }]) => (named === strategyId ? [id] : [])),
  );
  const found = reconcile({
    ...task,
    paper: recordOf(paper),
    backtest: { events, costs: rules.desk.costs, traded, reasons },
    refused: refusedOf(backtest, markets),
    markets,
    ...(task.onlyStrategy ? { counts } : {}),
  });
  const closed = backtest.trades.filter(({ closedAt }) => closedAt !== null).length;
  return { hash: hashOf(backtest), trial: trialOf(time, equity, terms, closed), found };
}

function recordOf({ events, costs, traded, placedFor }: PaperRecord): DeskRecord {
  const reasons = [...placedFor].map(
    ([id, { strategy, pattern, origin }]) => [id, strategy ?? pattern ?? origin] as const,
  );
  return { events, costs, traded, reasons: new Map(reasons) };
}

function refusedOf({ turned }: Backtest, markets: ReadonlyMap<string, ReconcileMarket>): LostOrder[] {
  return turned.map(({ bar, symbol, orderId, reason }) => {
    const at = markets.get(symbol)?.candles.time[bar] ?? 0;
    return { orderId, symbol, side: null, at, bar, end: "rejected", reason };
  });
}
