import type { z } from "zod";
import type { Desk } from "../../core/execution/desk.js";
import { MICROS, roundQuantity } from "../../core/execution/money.js";
import { classifySymbol } from "../../core/market/instrument.js";
import { calendarOf, lastOpened } from "../../core/market/session.js";
import { tradedAs } from "../../features/instruments/traded.js";
import type { PositionNow } from "../../features/paper-trades/book.js";
import type { PaperDesk } from "../../features/paper-trades/feature.js";
import type { Account } from "../../features/paper-trades/ledger.js";
import type { ClosePart } from "../../features/paper-trades/placing.js";
import type { AccountRow } from "../../features/paper-trades/store.js";
import { AppError } from "../../platform/errors.js";
import { exchangeWire } from "./assets.js";
import { DialectError, dialectError, notFound } from "./errors.js";
import type { closedSchema, positionSchema } from "./order-schema.js";
import { amountWire, decimalWire, type WireOrder } from "./order-views.js";
import { refusedOn, wireOf } from "./orders.js";
import { refusedError } from "./refusals.js";
import { idOf, joinedSymbol } from "./symbols.js";

type WirePosition = z.input<typeof positionSchema>;

/** Positions of a user's account in the words of the dialect. */
export interface Positions {
  list(userId: string): Promise<WirePosition[]>;
  /** @throws {DialectError} 404 for one that is not held. */
  get(userId: string, symbolOrId: string): Promise<WirePosition>;
  /** @returns the order that closes it. */
  close(userId: string, symbolOrId: string, part: ClosePart): Promise<WireOrder>;
  /** Each by itself: one that cannot be closed has the status and body of its error. */
  closeAll(userId: string, cancelOrders: boolean): Promise<ClosedPosition[]>;
}

/** Whatever is placed is held against the account's own orders, what closes, too. */
const CLOSING = { refusesWash: true, intent: null };

type ClosedPosition = z.input<typeof closedSchema>[number];

export function createPositions({
  paper,
  now,
}: {
  paper: Pick<PaperDesk, "accounts" | "book" | "ledger" | "trading">;
  now: () => number;
}): Positions {
  const { accounts, book, ledger, trading } = paper;

  async function held(
    userId: string,
  ): Promise<{ row: AccountRow; shown: { symbol: string; view: WirePosition }[] }> {
    const row = await accounts.usual(userId);
    const { positions } = await book.portfolio(row);
    const shown = await ledger.look(row.id, (desk, account) =>
      positions.map((position) => ({
        symbol: position.symbol,
        view: positionWire(desk, account, position, now()),
      })),
    );
    return { row, shown };
  }

  async function find(userId: string, text: string) {
    const { row, shown } = await held(userId);
    const wanted = text.toUpperCase().replace(/[/-]/g, "");
    const found = shown.find(
      ({ symbol, view }) =>
        view.asset_id === text.toLowerCase() ||
        symbol.replace("-", "") === wanted ||
        symbol === text.toUpperCase(),
    );
    if (found === undefined) throw notFound("position does not exist");
    return { row, ...found };
  }

  async function closeOne(row: AccountRow, symbol: string, part: ClosePart): Promise<WireOrder> {
    try {
      const { order } = await trading.closePosition(row, symbol, part, { conditions: CLOSING });
      return await ledger.look(row.id, (desk, account) => {
        const placed = desk.state.orders.get(order.id);
        if (placed === undefined) throw notFound("order not found");
        return wireOf(desk, account, placed, true);
      });
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      throw refusedError(error, await ledger.look(row.id, (desk) => refusedOn(desk, symbol))) ?? error;
    }
  }

  async function closeWhole(row: AccountRow, symbol: string, shown: string): Promise<ClosedPosition> {
    try {
      return { symbol: shown, status: 200, body: await closeOne(row, symbol, { kind: "all" }) };
    } catch (error) {
      const said = error instanceof AppError ? dialectError(error) : null;
      if (error instanceof DialectError) return { symbol: shown, status: error.status, body: error.body };
      if (said !== null) return { symbol: shown, status: said.status, body: said.body };
      throw error;
    }
  }

  return {
    list: async (userId) => (await held(userId)).shown.map(({ view }) => view),
    get: async (userId, text) => (await find(userId, text)).view,
    async close(userId, text, part) {
      const { row, symbol } = await find(userId, text);
      return closeOne(row, symbol, part);
    },
    async closeAll(userId, cancelOrders) {
      const { row, shown } = await held(userId);
      if (cancelOrders) await trading.cancelAll(row);
      const closed: ClosedPosition[] = [];
      for (const { symbol, view } of shown) closed.push(await closeWhole(row, symbol, view.symbol));
      return closed;
    },
  };
}

function positionWire(
  desk: Desk,
  { history }: Account,
  { symbol, quantity, cost, quote, price, value, unrealised }: PositionNow,
  nowMs: number,
): WirePosition {
  const instrument = classifySymbol(symbol);
  if (instrument === null) throw new Error(`${symbol} is no symbol`);
  const lastDay = quote?.previousClose ?? price;
  const start = sessionStart(instrument.calendar, nowMs);
  // What is all of today gained the same, to the last digit.
  const isOfToday = history.trades.openOf(symbol).every(({ openedAt }) => openedAt >= start);
  const today = isOfToday
    ? { gain: unrealised, base: Math.abs(cost) }
    : intradayOf(history, symbol, price, lastDay, start);
  const promised = desk.promised(symbol);
  const isCoin = instrument.assetClass === "crypto";
  return {
    asset_id: idOf(symbol),
    symbol: joinedSymbol(instrument),
    exchange: exchangeWire(isCoin ? "CRYPTO" : instrument.exchange),
    asset_class: isCoin ? "crypto" : "us_equity",
    asset_marginable: tradedAs(symbol).marginable,
    avg_entry_price: decimalWire(roundQuantity(cost / quantity)),
    qty: decimalWire(quantity),
    qty_available: decimalWire(
      roundQuantity(Math.sign(quantity) * Math.max(0, Math.abs(quantity) - promised)),
    ),
    side: quantity > 0 ? "long" : "short",
    market_value: amountWire(value),
    cost_basis: amountWire(cost),
    unrealized_pl: amountWire(unrealised),
    unrealized_plpc: shareWire(unrealised, Math.abs(cost)),
    unrealized_intraday_pl: amountWire(today.gain),
    unrealized_intraday_plpc: shareWire(today.gain, today.base),
    current_price: decimalWire(price),
    lastday_price: decimalWire(lastDay),
    change_today: shareWire(price - lastDay, lastDay),
  };
}

function shareWire(part: number, whole: number): string {
  return whole === 0 ? "0" : decimalWire(Math.round((part / whole) * 1e9) / 1e9);
}

function sessionStart(calendarId: Parameters<typeof calendarOf>[0], nowMs: number): number {
  const calendar = calendarOf(calendarId);
  const index = lastOpened(calendar, nowMs);
  return index < 0 ? Number.NEGATIVE_INFINITY : calendar.open[index];
}

/** What open trades gained in the session: from the close before, or from their entry where that is of today. */
function intradayOf(
  { trades }: Account["history"],
  symbol: string,
  price: number,
  lastDay: number,
  startMs: number,
) {
  let gain = 0;
  let base = 0;
  for (const { side, openQuantity, openMicros, openedAt } of trades.openOf(symbol)) {
    const from = openedAt >= startMs ? openMicros / MICROS : lastDay * openQuantity;
    gain += (side === "long" ? 1 : -1) * (price * openQuantity - from);
    base += from;
  }
  return { gain, base };
}
