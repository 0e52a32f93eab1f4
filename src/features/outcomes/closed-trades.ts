import type { Desk } from "../../core/execution/desk.js";
import { MICROS } from "../../core/execution/money.js";
import { type ClosedTrade, isClosed, returnOf, signOf } from "../../core/performance/trade.js";
import type { Database } from "../../platform/database.js";
import { AppError } from "../../platform/errors.js";
import type { Lease, Leases } from "../../platform/lease.js";
import type { Instruments } from "../instruments/instruments.js";
import { amountText, decimalText } from "../paper-trades/amounts.js";
import type { OrderCause } from "../paper-trades/cause.js";
import type { Ledger } from "../paper-trades/ledger.js";
import type { BehindAccount, CursorStore } from "./cursor-store.js";
import { outcomeOfGain } from "./settle.js";
import { type NewOutcome, NOTHING_SAID, type OutcomeStore } from "./store.js";

/** Outcomes of the trades that accounts have closed. */
export interface ClosedTrades {
  /**
   * Writes those of every account that did something since it was looked at. A trade has one outcome, wherever a process
   * ends in between. @returns how many are new. @throws LeaseLostError
   */
  run(lease: Lease, signal: AbortSignal): Promise<number>;
}

export interface ClosedTradesOptions {
  readonly database: Database;
  readonly store: Pick<OutcomeStore, "save">;
  readonly cursors: CursorStore;
  readonly ledger: Pick<Ledger, "look">;
  readonly instruments: Pick<Instruments, "resolve">;
  readonly leases: Pick<Leases, "acquire" | "confirm">;
  readonly leaseMs: number;
}

/** Trades whose outcomes are written by one statement, as far as one event did not close more. */
const SLICE = 50;

interface Found {
  readonly trade: ClosedTrade;
  readonly cause: OrderCause | null;
  /** Of the first stop that was submitted with the entry; null without one. */
  readonly stop: number | null;
}

export function createClosedTrades(options: ClosedTradesOptions): ClosedTrades {
  const { database, store, cursors, ledger, instruments, leases } = options;

  async function instrumentIdOf(symbol: string): Promise<number | null> {
    try {
      return (await instruments.resolve(symbol)).id;
    } catch (error) {
      // A source that is configured no more.
      if (error instanceof AppError && error.code !== "database_unavailable") return null;
      throw error;
    }
  }

  async function write(account: BehindAccount, lease: Lease): Promise<number> {
    const { seq, found } = await ledger.look(account.id, (desk, { history, causes }) => ({
      seq: desk.state.seq,
      found: history.trades.trades
        .filter(isClosed)
        .flatMap((trade): Found[] => {
          if (trade.closedSeq <= account.since) return [];
          const cause = causes.get(trade.orderId) ?? null;
          return [{ trade: { ...trade }, cause, stop: stopOf(desk, trade.orderId) }];
        })
        .sort((a, b) => a.trade.closedSeq - b.trade.closedSeq),
    }));
    let written = 0;
    const slices = slicesOf(found);
    for (const [k, slice] of slices.entries()) {
      const outcomes: NewOutcome[] = [];
      for (const each of slice) {
        outcomes.push(outcomeOf(account, each, await instrumentIdOf(each.trade.symbol)));
      }
      const upTo = k < slices.length - 1 ? slice[slice.length - 1].trade.closedSeq : seq;
      written += await database.transaction(async (sql) => {
        await leases.confirm(sql, lease);
        const saved = await store.save(outcomes, sql);
        await cursors.move(sql, account.id, upTo);
        return saved.length;
      });
    }
    return written;
  }

  return {
    async run(lease, signal) {
      let written = 0;
      for (const account of await cursors.behind()) {
        if (signal.aborted) break;
        await leases.acquire(lease.name, options.leaseMs);
        written += await write(account, lease);
      }
      return written;
    },
  };
}

/**
 * Parts that are each written by themselves, so that no statement keeps others waiting for long. What one event closed
 * stays together. @param found ascending. @returns one part at least, empty where nothing was found.
 */
function slicesOf(found: readonly Found[]): Found[][] {
  const slices: Found[][] = [[]];
  for (const each of found) {
    const last = slices[slices.length - 1];
    const full = last.length >= SLICE && last[last.length - 1].trade.closedSeq < each.trade.closedSeq;
    if (full) slices.push([each]);
    else last.push(each);
  }
  return slices;
}

/** Stop that was planned with an entry, on the scale of the shares as they are now. */
function stopOf({ state }: Desk, orderId: string): number | null {
  // An entry that was replaced stays in its group.
  const entered = state.orders.get(orderId)?.group ?? null;
  if (entered === null) return null;
  for (const { group, role, replaces, stopPrice } of state.orders.values()) {
    if (group === entered && role === "stop" && replaces === null) return stopPrice;
  }
  return null;
}

function outcomeOf(
  { id, userId }: BehindAccount,
  { trade, cause, stop }: Found,
  instrumentId: number | null,
): NewOutcome {
  const { entryPrice, exitPrice, openedAt, closedAt, quantity, net, entryMicros } = trade;
  const risk = stop === null ? 0 : signOf(trade) * (entryPrice - stop) * quantity * MICROS;
  const planned = risk > 0;
  return {
    ...NOTHING_SAID,
    // What somebody brings in was not traded here.
    source: cause?.origin === "import" ? "user" : "paper",
    alertId: cause?.alertId ?? null,
    userId,
    accountId: id,
    tradeId: trade.id,
    instrumentId,
    symbol: trade.symbol,
    pattern: cause?.pattern ?? null,
    strategy: cause?.strategy ?? null,
    model: cause?.model ?? null,
    direction: signOf(trade),
    ending: trade.exitReason,
    outcome: outcomeOfGain(net),
    reason: planned ? null : "The trade had no stop at a loss: there is no risk to measure it by",
    entry: entryPrice,
    exit: exitPrice,
    enteredAt: openedAt,
    exitedAt: closedAt,
    costBps: entryMicros === 0 ? null : (10_000 * trade.fees) / entryMicros,
    gain: returnOf(trade),
    r: planned ? net / risk : null,
    ambiguous: trade.ambiguous,
    quantity: decimalText(quantity),
    pnl: amountText(net),
    confidence: cause?.confidence ?? null,
    durationMin: (closedAt - openedAt) / 60_000,
    settledAt: closedAt,
  };
}
