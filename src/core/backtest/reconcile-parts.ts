import { roundQuantity, shareMicros } from "../execution/money.js";
import { signOf } from "../performance/trade.js";
import type { SideTrade, TradeEnd } from "./reconcile-trades.js";

/** Names of the parts of a difference of two gains. */
export const PARTS = [
  "entry_spread",
  "entry_slippage",
  "entry_market",
  "entry_unsplit",
  "exit_spread",
  "exit_slippage",
  "exit_market",
  "exit_unsplit",
  "sizing",
  "partial_fill",
  "commissions",
  "dividends",
  "borrow",
  "rounding",
] as const;
export type PartName = (typeof PARTS)[number];

/** Paper less backtest, micros; they sum to the difference of the two nets, to the micro. */
export type Parts = Readonly<Record<PartName, number>>;

/**
 * What two trades that are a pair gained differently, part by part. What the backtest put in and got is counted anew for
 * the units of paper: what that changes, with the commissions that go with it, is `sizing`, of units that were not ordered,
 * and `partial_fill`, of those that were ordered and not filled. What is left of either price beside its spread and
 * slippage is the market's: another bar, a gap, another path; where a fill does not tell both of them, costs and market together are `unsplit`. `rounding` holds what no price of a tick can differ by.
 */
export function partsOf(paper: SideTrade, backtest: SideTrade): Parts {
  const sign = signOf(paper);
  const [units, own] = [paper.quantity, backtest.quantity];
  const gainAt = (quantity: number) =>
    sign * (scaled(backtest.exitMicros, quantity, own) - scaled(backtest.entryMicros, quantity, own)) -
    scaled(backtest.fees, quantity, own);
  const ordered = paper.ordered !== null && isPartial(paper) ? paper.ordered : units;
  const entry = endParts(
    sign * -(paper.entryMicros - scaled(backtest.entryMicros, units, own)),
    paper,
    backtest,
    "entry",
  );
  const exit = endParts(
    sign * (paper.exitMicros - scaled(backtest.exitMicros, units, own)),
    paper,
    backtest,
    "exit",
  );
  const commissions = -(paper.fees - scaled(backtest.fees, units, own));
  const few = isRounding(commissions, paper, backtest);
  return {
    entry_spread: entry.spread,
    entry_slippage: entry.slippage,
    entry_market: entry.market,
    entry_unsplit: entry.unsplit,
    exit_spread: exit.spread,
    exit_slippage: exit.slippage,
    exit_market: exit.market,
    exit_unsplit: exit.unsplit,
    sizing: gainAt(ordered) - gainAt(own),
    partial_fill: gainAt(units) - gainAt(ordered),
    commissions: few ? 0 : commissions + 0,
    dividends: paper.dividends - backtest.dividends,
    borrow: -(paper.borrow - backtest.borrow) + 0,
    rounding: entry.rounding + exit.rounding + (few ? commissions + 0 : 0),
  };
}

/** Whether less was filled of the order than it was for. */
export function isPartial({ ordered, quantity }: SideTrade): boolean {
  return ordered !== null && ordered > quantity;
}

/** Whether one was filled in more parts than the other, at an end that both have. */
export function isSplitUp(paper: SideTrade, backtest: SideTrade): boolean {
  if (paper.entry.fills !== backtest.entry.fills) return true;
  const open = paper.exitMs === null || backtest.exitMs === null;
  return !open && paper.exit.fills !== backtest.exit.fills;
}

interface EndParts {
  readonly spread: number;
  readonly slippage: number;
  readonly market: number;
  readonly unsplit: number;
  readonly rounding: number;
}

function endParts(all: number, paper: SideTrade, backtest: SideTrade, end: "entry" | "exit"): EndParts {
  const [theirs, own] = [paper[end], backtest[end]];
  if (isRounding(all, paper, backtest)) {
    return { spread: 0, slippage: 0, market: 0, unsplit: 0, rounding: all + 0 };
  }
  const of = (name: "spread" | "slippage") => costPart(theirs, own, name, paper.quantity, backtest.quantity);
  const [spread, slippage] = [of("spread"), of("slippage")];
  const rest = all - (spread ?? 0) - (slippage ?? 0);
  const isTold = spread !== null && slippage !== null;
  return {
    spread: spread ?? 0,
    slippage: slippage ?? 0,
    market: isTold ? rest : 0,
    unsplit: isTold ? 0 : rest,
    rounding: 0,
  };
}

/** What more was paid of one kind of cost, below 0; null where either model cannot tell. */
function costPart(
  theirs: TradeEnd,
  own: TradeEnd,
  name: "spread" | "slippage",
  units: number,
  ownUnits: number,
): number | null {
  const [paid, ownPaid] = [theirs[name], own[name]];
  return paid === null || ownPaid === null ? null : scaled(ownPaid, units, ownUnits) - paid;
}

/**
 * Whether an amount is no more than what rounding makes of it: half a micro a fill and a scaling, and where splits came
 * between the two, a tick of the backtest's prices. Of equal units filled at once there is none.
 */
function isRounding(all: number, paper: SideTrade, backtest: SideTrade): boolean {
  if (all === 0) return true;
  const isSplit = paper.ratio !== 1;
  if (!isSplit && paper.quantity === backtest.quantity && !isSplitUp(paper, backtest)) return false;
  const fills = (trade: SideTrade) => trade.entry.fills + trade.exit.fills;
  const scale = Math.max(1, paper.quantity / backtest.quantity);
  const micros = 0.5 * (fills(paper) + scale * fills(backtest)) + 1;
  const split = isSplit ? paper.quantity * backtest.tick * 1e6 + paper.entryMicros * 1e-9 : 0;
  return Math.abs(all) <= micros + split;
}

/** Micros of one quantity, for another. */
function scaled(micros: number, units: number, of: number): number {
  return of === 0 ? micros : shareMicros(micros, roundQuantity(units), of);
}
