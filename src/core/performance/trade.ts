import type { Fees } from "../execution/commission.js";

/** What closed a trade: the last order or event that took of it. */
export const EXIT_REASONS = [
  /** The target, and the stop, that was submitted with an entry or as one of a pair. */
  "target",
  "stop",
  /** A trailing stop. */
  "trailing_stop",
  /** Any other order of the trader. */
  "trader",
  "margin_call",
  /** The end of the account, whether its market traded or not. */
  "settlement",
  "delisted",
  /** A split left less than a lot, which was paid in cash. */
  "split",
] as const;
export type ExitReason = (typeof EXIT_REASONS)[number];

/**
 * What one entry order opened, until it is closed: by its target and stop and by what names it, otherwise first in,
 * first out. Money in micros, instants in epoch ms. While it
 * is open, quantities and prices are those after the latest split. One that is closed stays as it is.
 */
export interface Trade {
  /** Id of the entry order; with `#2` and so on for what it opened after its first trade was closed. */
  readonly id: string;
  /** The entry order that opened it; one that replaces it goes on with the same trade. */
  readonly orderId: string;
  readonly symbol: string;
  readonly side: "long" | "short";
  /** Units that were opened in all, and those that still are. */
  readonly quantity: number;
  readonly openQuantity: number;
  /** Averages over the fills; null before the first exit. */
  readonly entryPrice: number;
  readonly exitPrice: number | null;
  /** Price times quantity of all entries and of all exits, both 0 or more. */
  readonly entryMicros: number;
  readonly exitMicros: number;
  /** Entries of what is still open. */
  readonly openMicros: number;
  /** Instant and number of the event of its first entry, and of its last exit; null while any of it is open. */
  readonly openedAt: number;
  readonly openedSeq: number;
  readonly closedAt: number | null;
  readonly closedSeq: number | null;
  /** Realised, before all that follows. */
  readonly gross: number;
  /** Of entries and exits. */
  readonly fees: number;
  readonly feesByKind: Fees;
  /** Received; below 0 for what a short trade paid. */
  readonly dividends: number;
  /** Paid for what was borrowed. */
  readonly borrow: number;
  /** `gross - fees + dividends - borrow`. */
  readonly net: number;
  readonly exitReason: ExitReason | null;
  /** The path within a bar decided on an entry or an exit. */
  readonly ambiguous: boolean;
}

/** A trade that has been closed. */
export type ClosedTrade = Trade & {
  readonly closedAt: number;
  readonly closedSeq: number;
  readonly exitReason: ExitReason;
};

export function isClosed(trade: Trade): trade is ClosedTrade {
  return trade.closedAt !== null;
}

/** 1 for a long trade, -1 for a short one. */
export function signOf({ side }: Pick<Trade, "side">): 1 | -1 {
  return side === "long" ? 1 : -1;
}

/** Net of a trade per what was put into it; null of nothing. */
export function returnOf({ net, entryMicros }: Pick<Trade, "net" | "entryMicros">): number | null {
  return entryMicros === 0 ? null : net / entryMicros;
}

/** Closed trades in the order of their exits. */
export function byExit(trades: readonly ClosedTrade[]): ClosedTrade[] {
  return trades.toSorted((a, b) => a.closedAt - b.closedAt || a.closedSeq - b.closedSeq);
}

/** Trades by a key, in the order given. */
export function grouped<K>(
  trades: Iterable<ClosedTrade>,
  keyOf: (trade: ClosedTrade) => K,
): Map<K, ClosedTrade[]> {
  const groups = new Map<K, ClosedTrade[]>();
  for (const trade of trades) {
    const key = keyOf(trade);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [trade]);
    else group.push(trade);
  }
  return groups;
}
