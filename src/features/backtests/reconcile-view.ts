import type { ReconciledTrade, Reconciliation } from "../../core/backtest/reconcile.js";
import { CAUSES, type DifferenceCause, priceOf } from "../../core/backtest/reconcile-causes.js";
import type { ReconcileWindow, SideTrade } from "../../core/backtest/reconcile-trades.js";
import type { Costs } from "../../core/execution/costs.js";
import { isoTime } from "../../platform/http.js";
import type { PaperAccount } from "./paper-record.js";
import { timeOf } from "./report-view.js";

/** Trades that differ which an answer lists at most, the newest. */
const LISTED = 5_000;

const RULE =
  "Pairs are of one symbol and side, one to one and in the order of their entries. Two may be a pair whose entries lie at " +
  "most tolerance_bars apart. Of all such pairings the cheapest is taken: a pair costs the " +
  "bars between its entries; a trade left alone costs (tolerance_bars + 1) / 2; of " +
  "equal ones the one whose exits lie nearest, then whose quantities do.";

const money = (micros: number) => micros / 1e6;

/** A reconciliation as it is told. Money in the account's currency. */
export function reconciliationView(
  found: Reconciliation,
  context: {
    readonly account: PaperAccount;
    readonly costs: Costs;
    readonly window: ReconcileWindow;
    readonly tolerance: number;
    readonly onlyStrategy: boolean;
  },
) {
  const { account, costs, window, tolerance, onlyStrategy } = context;
  const differing = found.trades.filter(({ causes }) => causes.length > 0);
  const { difference, ofTrades, parts } = found;
  const ofParts = Object.values(parts).reduce((sum, each) => sum + each, 0);
  return {
    account: { ...account, costs: costsView(costs) },
    window: { start: isoTime(window.fromMs), end: isoTime(window.toMs) },
    tolerance_bars: tolerance,
    only_strategy: onlyStrategy,
    rule: RULE,
    counts: countsOf(found.trades, differing.length),
    totals: {
      paper: money(found.paperNet),
      backtest: money(found.backtestNet),
      difference: money(difference),
      sum_of_trades: money(ofTrades),
      sum_of_parts: money(ofParts),
      /** What the two sums leave of the difference. */
      unexplained: money(Math.abs(difference - ofTrades) + Math.abs(difference - ofParts)),
    },
    parts: moneyOf(parts),
    causes: found.causes.map(({ code, trades, micros }) => ({
      code,
      meaning: CAUSES[code],
      trades,
      pnl: micros === null ? null : money(micros),
    })),
    differences: differing.slice(-LISTED).map(differenceView),
  };
}

/** Costs of an account as they are told. */
export function costsView({ commission, spreadBps, slippage }: Costs) {
  return { commission, spread_bps: spreadBps, slippage };
}

function countsOf(trades: readonly ReconciledTrade[], differing: number) {
  const count = (is: (trade: ReconciledTrade) => boolean) => trades.filter(is).length;
  return {
    paper: count(({ paper }) => paper !== null),
    backtest: count(({ backtest }) => backtest !== null),
    paired: count(({ parts }) => parts !== null),
    equal: trades.length - differing,
    differing,
    only_in_paper: count(({ backtest }) => backtest === null),
    only_in_backtest: count(({ paper }) => paper === null),
  };
}

function moneyOf<K extends string>(parts: Readonly<Record<K, number>>): Record<K, number> {
  const names = Object.keys(parts) as K[];
  return Object.fromEntries(names.map((name) => [name, money(parts[name])])) as Record<K, number>;
}

function differenceView({ paper, backtest, difference, parts, causes }: ReconciledTrade) {
  const { symbol, side } = paper ?? backtest ?? { symbol: null, side: null };
  return {
    symbol,
    side,
    paper: tradeView(paper),
    backtest: tradeView(backtest),
    difference: money(difference),
    parts: parts === null ? null : moneyOf(parts),
    causes: causes.map(causeView),
  };
}

/** Prices and quantities in shares of the candles; of an open trade the exit is what it is worth at the end. */
function tradeView(trade: SideTrade | null) {
  if (trade === null) return null;
  return {
    id: trade.id,
    entry_date: isoTime(trade.entryMs),
    exit_date: timeOf(trade.exitMs),
    quantity: trade.quantity,
    entry_price: priceOf(trade, "entry"),
    exit_price: priceOf(trade, "exit"),
    fees: money(trade.fees),
    dividends: money(trade.dividends),
    borrow: money(trade.borrow),
    pnl: money(trade.net),
    exit_reason: trade.exitReason ?? "open",
    ambiguous: trade.doubt !== null,
    why: trade.why,
  };
}

function causeView({ code, micros, facts }: DifferenceCause) {
  const shown = Object.entries(facts).map(([name, fact]) => [
    name,
    name.endsWith("_at") && typeof fact === "number" ? isoTime(fact) : fact,
  ]);
  return { code, pnl: micros === null ? null : money(micros), facts: Object.fromEntries(shown) };
}
