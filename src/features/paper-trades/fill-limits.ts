import type { Desk } from "../../core/execution/desk.js";
import { MICROS } from "../../core/execution/money.js";
import { type Order, wayOf } from "../../core/execution/order.js";
import { limitsBroken } from "../../core/risk/limits.js";
import { limitsOf } from "../risk/settings.js";
import { type Day, standingOf } from "./account-standing.js";
import type { Account } from "./ledger.js";
import { noteWorth } from "./peaks.js";
import type { Allowance } from "./placing.js";

/** Limits of an account's owner as fills are held to them, over the days that are walked. */
export interface FillLimits {
  /** Does something with the desk in which orders that would open what may not be opened are refused by the limit's code. */
  during<T>(work: () => T): T;
  /** A day begins with what the account is worth then. @param at its first instant, epoch ms. */
  begin(at: number): void;
}

/**
 * An order that rests was let through when it was placed. What may have been reached since is looked at when it would be
 * filled: the loss of the day, the fall below the peak, and how much is open. Its size was settled then.
 * @param checked an order that was just held against the same limits.
 */
export function fillLimits(
  desk: Desk,
  account: Account,
  { settings, day: first }: Allowance,
  checked: string | null = null,
): FillLimits {
  const limits = limitsOf(settings);
  const { trades } = account.history;
  let day: Day = first;

  function gate(order: Readonly<Order>): string | null {
    if (order.id === checked) return null;
    noteWorth(desk, account, day.startMs);
    const { equity, loss, drawdown } = standingOf(desk, account, day);
    const { positions } = desk.state;
    const facts = {
      ...{ equity, buyingPower: null, dayTrades: null, openRisk: null, symbolValue: null },
      openPositions: positions.size - (positions.has(order.symbol) ? 1 : 0),
      positionsInSymbol: entriesBeside(desk, trades.openOf(order.symbol), order),
      dayLoss: Math.max(0, loss),
      drawdown,
    };
    const planned = { side: order.side, quantity: null, entry: 0, stop: null, target: null };
    return limitsBroken(planned, limits, facts)[0]?.code ?? null;
  }

  return {
    during(work) {
      desk.guard(gate);
      try {
        return work();
      } finally {
        desk.guard(null);
      }
    },
    begin(at) {
      const equity = desk.equity() / MICROS;
      day = { startMs: at, startEquity: equity, peakEquity: Math.max(day.peakEquity ?? equity, equity) };
    },
  };
}

/** Open trades in the symbol of an order that stay beside what it opens; the one that it has opened already is its own. */
function entriesBeside(
  { state }: Desk,
  open: readonly { readonly orderId: string }[],
  order: Readonly<Order>,
): number {
  const held = state.positions.get(order.symbol)?.quantity ?? 0;
  if (held * wayOf(order.side) <= 0) return 0;
  return open.filter(({ orderId }) => orderId !== order.id).length;
}
