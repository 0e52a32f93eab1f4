import { isPartial, isSplitUp, type Parts, partsOf } from "./reconcile-parts.js";
import type { ReconcileMarket, SideTrade, TradeEnd } from "./reconcile-trades.js";

/** Everything by which a trade of a paper account can differ from that of a backtest. */
export const CAUSES = {
  missing_in_paper: "Only the backtest has the trade",
  missing_in_backtest: "Only the paper account has the trade",
  refused_in_paper: "An order of the paper account was refused when it came to be filled",
  refused_in_backtest: "An order of the backtest was refused",
  unfilled_in_paper: "An order of the paper account ended without a fill",
  unfilled_in_backtest: "An order of the backtest ended without a fill",
  entry_bar_differs: "Entered in another bar, at another price of the market",
  exit_bar_differs: "Left in another bar, or still open in one of the two, at another price of the market",
  entry_price_differs: "Entered in the same bar at another price, or at other spread and slippage",
  exit_price_differs: "Left in the same bar at another price, or at other spread and slippage",
  exit_reason_differs: "Closed by another kind of order",
  quantity_differs: "Another number of units was ordered: the account's size or its sizing",
  partial_fill: "Filled in part, or in several fills, where the other was filled at once",
  costs_differ: "Other commissions",
  dividends_differ:
    "Other dividends: of other ex-days, amounts or numbers of shares, or not known to one of the two",
  borrow_differs: "Paid for borrowed shares",
  data_differs: "A price outside of the bar that the backtest saw, or a bar that has changed since",
  ambiguous_bar: "The path within a bar, which nobody knows, decided on a fill",
  split_adjusted: "Paper traded before a split, at prices the backtest has adjusted for it",
} as const satisfies Readonly<Record<string, string>>;
export type CauseCode = keyof typeof CAUSES;

export type Fact = number | string | boolean | null;

/** One named cause. */
export interface DifferenceCause {
  readonly code: CauseCode;
  /** What of the difference of gains it explains, micros; null for what says why and explains no part of its own. */
  readonly micros: number | null;
  /** What it follows from: money in the account's currency, names that end with `_at` are epoch ms. */
  readonly facts: Readonly<Record<string, Fact>>;
}

/** A bar whose prices are not what they were when the backtest ran. */
export interface ChangedBar {
  readonly bar: number;
  readonly column: string;
  readonly was: number | null;
  readonly is: number | null;
}

export interface CauseContext {
  readonly market: ReconcileMarket;
  /** By bar, ascending. */
  readonly changed: readonly ChangedBar[];
  /** Whether both accounts pay the same commission. */
  readonly sameCommission: boolean;
}

/** The causes of all that differs in a pair; they and the parts sum to the same. None where nothing differs. */
export function causesOfPair(
  paper: SideTrade,
  backtest: SideTrade,
  context: CauseContext,
): { readonly parts: Parts; readonly causes: readonly DifferenceCause[] } {
  const parts = partsOf(paper, backtest);
  const causes: DifferenceCause[] = [
    ...endCauses(paper, backtest, parts, "entry", context),
    ...endCauses(paper, backtest, parts, "exit", context),
    ...sizeCauses(paper, backtest, parts),
    ...moneyCauses(paper, backtest, parts, context),
  ];
  if (paper.exitReason !== backtest.exitReason) {
    const facts = { paper: paper.exitReason ?? "open", backtest: backtest.exitReason ?? "open" };
    causes.push({ code: "exit_reason_differs", micros: null, facts });
  }
  if (causes.length > 0 || paper.ratio !== 1) {
    causes.push(...doubtCauses(paper, backtest), ...changedCauses([paper, backtest], context));
  }
  if (paper.ratio !== 1) {
    const adjusted = priceOf(paper, "entry");
    const facts = { ratio: paper.ratio, paper: adjusted * paper.ratio, adjusted };
    causes.push({ code: "split_adjusted", micros: parts.rounding, facts });
  }
  return { parts, causes };
}

/** Average price of an end, in shares of the candles. */
export function priceOf(trade: SideTrade, end: "entry" | "exit"): number {
  const micros = end === "entry" ? trade.entryMicros : trade.exitMicros;
  return micros / trade.quantity / 1e6;
}

function endCauses(
  paper: SideTrade,
  backtest: SideTrade,
  parts: Parts,
  end: "entry" | "exit",
  { market }: CauseContext,
): DifferenceCause[] {
  const [spread, slippage] = [parts[`${end}_spread`], parts[`${end}_slippage`]];
  // One of the two is 0.
  const gap = parts[`${end}_market`] + parts[`${end}_unsplit`];
  const [bar, ownBar] = [barOf(paper, end), barOf(backtest, end)];
  const { beyond } = paper[end];
  const causes: DifferenceCause[] = [];
  const moved = bar !== ownBar;
  if (moved) {
    const facts = {
      paper_bar_at: timeOfBar(market, bar),
      backtest_bar_at: timeOfBar(market, ownBar),
      bars: bar === null || ownBar === null ? null : bar - ownBar,
      paper: priceOf(paper, end),
      backtest: priceOf(backtest, end),
    };
    causes.push({ code: `${end}_bar_differs`, micros: gap, facts });
  }
  const strays = beyond !== null && !moved && gap !== 0;
  if (beyond !== null && gap !== 0) {
    causes.push({ code: "data_differs", micros: strays ? gap : null, facts: { end, ...beyond } });
  }
  const own = moved || strays ? 0 : gap;
  if (own !== 0 || spread !== 0 || slippage !== 0) {
    const facts = {
      paper: priceOf(paper, end),
      backtest: priceOf(backtest, end),
      ...costFacts(paper[end], backtest[end], spread, slippage),
      gap: moved || strays || parts[`${end}_unsplit`] !== 0 ? null : gap / 1e6,
    };
    causes.push({ code: `${end}_price_differs`, micros: own + spread + slippage, facts });
  }
  return causes;
}

/** What of a price's difference the cost models of both tell, and why they do not. */
function costFacts(paper: TradeEnd, backtest: TradeEnd, spread: number, slippage: number) {
  const known = (name: "spread" | "slippage", micros: number) =>
    paper[name] === null || backtest[name] === null ? null : micros / 1e6;
  return {
    spread: known("spread", spread),
    slippage: known("slippage", slippage),
    reason: paper.reason ?? backtest.reason,
  };
}

/** Null while it is open. */
function barOf(trade: SideTrade, end: "entry" | "exit"): number | null {
  if (end === "entry") return trade.entryBar;
  return trade.exitMs === null ? null : trade.exitBar;
}

function timeOfBar({ candles }: ReconcileMarket, bar: number | null): number | null {
  return bar === null ? null : (candles.time[bar] ?? null);
}

function sizeCauses(paper: SideTrade, backtest: SideTrade, parts: Parts): DifferenceCause[] {
  const causes: DifferenceCause[] = [];
  const partial = isPartial(paper);
  const ordered = partial ? paper.ordered : paper.quantity;
  // What rounding leaves belongs to the first of these that there is.
  let rest = paper.ratio === 1 ? parts.rounding : 0;
  if (ordered !== backtest.quantity) {
    const facts = { paper: ordered, backtest: backtest.quantity, ratio: (ordered ?? 0) / backtest.quantity };
    causes.push({ code: "quantity_differs", micros: parts.sizing + rest, facts });
    rest = 0;
  }
  if (partial || isSplitUp(paper, backtest)) {
    const facts = {
      ordered: paper.ordered,
      filled: paper.quantity,
      paper_fills: paper.entry.fills + paper.exit.fills,
      backtest_fills: backtest.entry.fills + backtest.exit.fills,
    };
    causes.push({ code: "partial_fill", micros: parts.partial_fill + rest, facts });
  }
  return causes;
}

function moneyCauses(
  paper: SideTrade,
  backtest: SideTrade,
  parts: Parts,
  { sameCommission }: CauseContext,
): DifferenceCause[] {
  const rows = [
    ["costs_differ", parts.commissions, paper.fees, backtest.fees],
    ["dividends_differ", parts.dividends, paper.dividends, backtest.dividends],
    ["borrow_differs", parts.borrow, paper.borrow, backtest.borrow],
  ] as const;
  return rows.flatMap(([code, micros, theirs, own]) => {
    if (micros === 0) return [];
    // Of one model they differ with what was traded.
    const model = code === "costs_differ" ? { same_model: sameCommission } : {};
    return [{ code, micros, facts: { paper: theirs / 1e6, backtest: own / 1e6, ...model } }];
  });
}

function doubtCauses(paper: SideTrade, backtest: SideTrade): DifferenceCause[] {
  return [["paper", paper.doubt] as const, ["backtest", backtest.doubt] as const].flatMap(([of, doubt]) => {
    if (doubt === null) return [];
    const facts = { of, optimistic: doubt.optimistic / 1e6, pessimistic: doubt.pessimistic / 1e6 };
    return [{ code: "ambiguous_bar" as const, micros: null, facts }];
  });
}

/** The first bar that has changed, from the one at whose close a trade was decided to that of its exit. */
export function changedCauses(
  trades: readonly SideTrade[],
  { market, changed }: CauseContext,
): DifferenceCause[] {
  const from = Math.min(...trades.map(({ entryBar }) => entryBar)) - 1;
  const to = Math.max(...trades.map(({ exitBar }) => exitBar));
  const found = changed.filter(({ bar }) => bar >= from && bar <= to);
  const [first] = found;
  if (first === undefined) return [];
  const { bar, column, was, is } = first;
  const bars = new Set(found.map((each) => each.bar)).size;
  const facts = { bar_at: timeOfBar(market, bar), column, was, is, bars };
  return [{ code: "data_differs", micros: null, facts }];
}
