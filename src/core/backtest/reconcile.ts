import { assert, ensure } from "../base/assert.js";
import type { Costs } from "../execution/costs.js";
import {
  type CauseCode,
  type ChangedBar,
  causesOfPair,
  changedCauses,
  type DifferenceCause,
} from "./reconcile-causes.js";
import { pairTrades, type TradePair } from "./reconcile-pairs.js";
import { PARTS, type PartName, type Parts } from "./reconcile-parts.js";
import {
  type DeskRecord,
  type LostOrder,
  type ReconcileMarket,
  type ReconcileWindow,
  type SideRecord,
  type SideTrade,
  tradesWithin,
} from "./reconcile-trades.js";

/** A trade, or a pair of two, and why the two sides differ in it. Money in micros. */
export interface ReconciledTrade extends TradePair {
  /** Net of paper less that of the backtest, a side without the trade counting as nothing. */
  readonly difference: number;
  /** Null for a trade of one side alone, whose whole net is the difference. */
  readonly parts: Parts | null;
  /** Empty where nothing differs; what they explain sums to the difference. */
  readonly causes: readonly DifferenceCause[];
}

/** Parts of a total: those of pairs, and the trades of one side alone. */
export type TotalPart = PartName | "missing_in_paper" | "missing_in_backtest";

export interface CauseTotal {
  readonly code: CauseCode;
  readonly trades: number;
  /** Null for a cause that explains no part of its own. */
  readonly micros: number | null;
}

/** A paper account beside a backtest. Money in micros. */
export interface Reconciliation {
  /** By entry. */
  readonly trades: readonly ReconciledTrade[];
  readonly paperNet: number;
  readonly backtestNet: number;
  /** `paperNet - backtestNet`. */
  readonly difference: number;
  /** The same summed over the trades, and over the parts. */
  readonly ofTrades: number;
  readonly parts: Readonly<Record<TotalPart, number>>;
  /** Those that were found, the largest share first. */
  readonly causes: readonly CauseTotal[];
}

export interface ReconcileTerms {
  readonly paper: DeskRecord;
  readonly backtest: DeskRecord;
  /** What the backtest asked for and was refused at once, which its events do not tell. */
  readonly refused: readonly LostOrder[];
  readonly markets: ReadonlyMap<string, ReconcileMarket>;
  readonly window: ReconcileWindow;
  /** Bars that the entries of a pair may lie apart, whole, 0 or more. */
  readonly tolerance: number;
  /** Entry orders of paper that count; all without it. */
  readonly counts?: ReadonlySet<string>;
  /** By symbol, what has changed of the bars since the backtest ran. */
  readonly changed?: ReadonlyMap<string, readonly ChangedBar[]>;
}

/** Compares the round trips of a paper account in a window with those of a backtest, and names why they differ. */
export function reconcile(terms: ReconcileTerms): Reconciliation {
  const { markets, window, counts } = terms;
  const own = new Map([...markets].map(([symbol, { candles }]) => [symbol, { candles, splits: [] }]));
  const paper = tradesWithin(terms.paper, markets, window);
  const backtest = tradesWithin(terms.backtest, own, window);
  const known = new Set(backtest.lost.map(({ orderId }) => orderId));
  const lost = [...backtest.lost, ...terms.refused.filter(({ orderId }) => !known.has(orderId))];
  const wanted = paper.trades.filter(({ orderId }) => counts === undefined || counts.has(orderId));
  return reconcileTrades({ ...paper, trades: wanted }, { ...backtest, lost }, terms);
}

/** The same of trades that are known. */
export function reconcileTrades(
  paper: SideRecord,
  backtest: SideRecord,
  terms: Pick<ReconcileTerms, "tolerance" | "markets" | "changed"> & {
    readonly paper: { readonly costs: Costs };
    readonly backtest: { readonly costs: Costs };
  },
): Reconciliation {
  const { tolerance, markets, changed } = terms;
  assert(Number.isInteger(tolerance) && tolerance >= 0, "a tolerance is a whole number of bars");
  const same =
    JSON.stringify(terms.paper.costs.commission) === JSON.stringify(terms.backtest.costs.commission);
  const trades = pairTrades(paper.trades, backtest.trades, tolerance).map((pair) => {
    const { symbol } = ensure(pair.paper ?? pair.backtest, "a pair has a trade");
    const market = ensure(markets.get(symbol), `${symbol} has bars`);
    const context = { market, changed: changed?.get(symbol) ?? [], sameCommission: same };
    if (pair.paper !== null && pair.backtest !== null) {
      const difference = pair.paper.net - pair.backtest.net;
      return { ...pair, difference, ...causesOfPair(pair.paper, pair.backtest, context) };
    }
    const losts = pair.paper === null ? paper.lost : backtest.lost;
    return aloneOf(pair, losts, tolerance, (trade) => changedCauses([trade], context));
  });
  return summed(trades, paper.trades, backtest.trades);
}

function aloneOf(
  pair: TradePair,
  lost: readonly LostOrder[],
  tolerance: number,
  changes: (trade: SideTrade) => readonly DifferenceCause[],
): ReconciledTrade {
  const trade = ensure(pair.paper ?? pair.backtest, "a pair has a trade");
  const where = pair.paper === null ? "paper" : "backtest";
  const difference = pair.paper === null ? -trade.net + 0 : trade.net;
  const causes: DifferenceCause[] = [
    { code: `missing_in_${where}`, micros: difference, facts: { bar: trade.entryBar, why: trade.why } },
  ];
  const order = nearestLost(trade, lost, tolerance);
  if (order !== null) {
    const { orderId, at, end, reason, bar } = order;
    const code = end === "rejected" ? (`refused_in_${where}` as const) : (`unfilled_in_${where}` as const);
    const facts = { code: reason, order: orderId, end, asked_at: at, bars: bar - trade.entryBar };
    causes.push({ code, micros: null, facts });
  }
  return { ...pair, difference, parts: null, causes: [...causes, ...changes(trade)] };
}

/** An order that would have opened the trade, the nearest within the tolerance; of equal ones the first. */
function nearestLost(trade: SideTrade, lost: readonly LostOrder[], tolerance: number): LostOrder | null {
  const side = trade.side === "long" ? "buy" : "sell";
  let found: LostOrder | null = null;
  const away = ({ bar }: LostOrder) => Math.abs(bar - trade.entryBar);
  // One that was asked for at the close before was refused there.
  for (const order of lost) {
    if (order.symbol !== trade.symbol || (order.side !== null && order.side !== side)) continue;
    if (away(order) > tolerance + 1) continue;
    if (
      found === null ||
      away(order) < away(found) ||
      (away(order) === away(found) && isBefore(order, found))
    ) {
      found = order;
    }
  }
  return found;
}

function isBefore(a: LostOrder, b: LostOrder): boolean {
  return a.at < b.at || (a.at === b.at && a.orderId < b.orderId);
}

function summed(
  trades: readonly ReconciledTrade[],
  paper: readonly SideTrade[],
  backtest: readonly SideTrade[],
): Reconciliation {
  const netOf = (side: readonly SideTrade[]) => side.reduce((sum, { net }) => sum + net, 0);
  const [paperNet, backtestNet] = [netOf(paper), netOf(backtest)];
  const parts = Object.fromEntries(
    [...PARTS, "missing_in_paper", "missing_in_backtest"].map((name) => [name, 0]),
  ) as Record<TotalPart, number>;
  const totals = new Map<CauseCode, { trades: number; micros: number | null }>();
  for (const trade of trades) {
    if (trade.parts !== null) for (const name of PARTS) parts[name] += trade.parts[name];
    else parts[trade.paper === null ? "missing_in_paper" : "missing_in_backtest"] += trade.difference;
    const told = new Set<CauseCode>();
    for (const { code, micros } of trade.causes) {
      const total = totals.get(code) ?? { trades: 0, micros: null };
      if (!told.has(code)) total.trades++;
      told.add(code);
      if (micros !== null) total.micros = (total.micros ?? 0) + micros;
      totals.set(code, total);
    }
  }
  const causes = [...totals].map(([code, total]) => ({ code, ...total }));
  return {
    trades,
    paperNet,
    backtestNet,
    difference: paperNet - backtestNet,
    ofTrades: trades.reduce((sum, { difference }) => sum + difference, 0),
    parts,
    causes: causes.sort((a, b) => size(b) - size(a) || (a.code < b.code ? -1 : 1)),
  };
}

function size({ micros }: { readonly micros: number | null }): number {
  return Math.abs(micros ?? 0);
}
