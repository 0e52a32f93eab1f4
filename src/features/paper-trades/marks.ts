import type { Desk } from "../../core/execution/desk.js";
import type { PricedQuote } from "../candles/quotes.js";
import type { Account } from "./ledger.js";

/** A quote counts as the price of now for so long. */
export const FRESH_MS = 30_000;

/**
 * When the price is from that a desk has of a symbol, as far as it matters: of the bar or quote that it was last shown, or of
 * its last fill. Epoch ms, before all times where it has none.
 */
export function markedAt({ history, marked }: Account, symbol: string): number {
  return Math.max(
    marked.get(symbol) ?? Number.NEGATIVE_INFINITY,
    history.lastFill(symbol)?.at ?? Number.NEGATIVE_INFINITY,
  );
}

/** Notes that a desk was shown a price. @param at its instant, epoch ms. */
export function noteMark({ marked }: Account, symbol: string, at: number): void {
  marked.set(symbol, Math.max(at, marked.get(symbol) ?? at));
}

/**
 * Tells a desk the price of a quote, unless it knows a later one: sources tell quotes late and keep them for a while, and in
 * a replay that is long. A quote may be a little older than a bar, and than the fill that it made itself; no older than
 * the bar that filled an order.
 * @returns whether the quote counts.
 */
export function markBy(desk: Desk, account: Account, symbol: string, { price, time }: PricedQuote): boolean {
  const last = account.history.lastFill(symbol);
  const filled =
    last === null ? Number.NEGATIVE_INFINITY : last.at - (last.fill.moment === "quote" ? FRESH_MS : 0);
  const shown = (account.marked.get(symbol) ?? Number.NEGATIVE_INFINITY) - FRESH_MS;
  if (!desk.lists(symbol) || time < Math.max(filled, shown)) return false;
  desk.mark(symbol, price);
  noteMark(account, symbol, time);
  return true;
}
