import type { Desk } from "../../core/execution/desk.js";
import type { Standing } from "../../core/execution/margin.js";
import { MICROS, timesMicros } from "../../core/execution/money.js";
import type { Order } from "../../core/execution/order.js";
import type { Doubt } from "../../core/performance/doubts.js";
import { signOf, type Trade } from "../../core/performance/trade.js";
import { unrealisedOf } from "../../core/performance/trades.js";
import { AppError } from "../../platform/errors.js";
import type { PricedQuote, Quotes } from "../candles/quotes.js";
import type { Instruments } from "../instruments/instruments.js";
import type { OrderCause } from "./cause.js";
import type { Feed } from "./feed.js";
import type { History, OrderTimes } from "./history.js";
import type { Account, Ledger } from "./ledger.js";
import { markBy, markedAt } from "./marks.js";
import type { Matching } from "./matching.js";
import { type OrderNow, orderNow, requireOrder } from "./placing.js";
import { inSharesOf } from "./quote-shares.js";
import type { AccountRow } from "./store.js";

/** A position at the price of now. Money in the account's currency. */
export interface PositionNow {
  readonly symbol: string;
  /** Below 0 for a short one. */
  readonly quantity: number;
  /** What its open trades put in, the oldest closed first; below 0 for a short one. */
  readonly cost: number;
  /** Null where no source has one. */
  readonly quote: PricedQuote | null;
  /** Of the quote; or of the last bar or fill, where that is later or there is none. */
  readonly price: number;
  readonly isQuoted: boolean;
  /** When the price is from; epoch ms, null where nobody knows. */
  readonly pricedAt: number | null;
  readonly value: number;
  readonly unrealised: number;
  /** What the newest of its open trades was made for. */
  readonly cause: OrderCause | null;
}

/** A trade and what it is worth now. */
export interface TradeNow {
  readonly trade: Trade;
  readonly cause: OrderCause | null;
  /** The price it is valued by; null once it is closed. */
  readonly price: number | null;
  /** Of what is open, before fees; micros. */
  readonly unrealised: number;
  readonly doubt: Doubt | null;
}

export interface Portfolio {
  readonly row: AccountRow;
  readonly standing: Standing;
  readonly positions: readonly PositionNow[];
  /** Realised of all trades after fees, and interest; micros. */
  readonly realised: number;
  /** Of what is open, micros: with `realised` what the account gained. */
  readonly unrealised: number;
  /** Paid in less paid out; micros. */
  readonly capital: number;
}

/** Trades that were asked for, of how many, and what the account holds. */
export interface Overview {
  readonly rows: readonly TradeNow[];
  readonly total: number;
  readonly portfolio: Portfolio;
}

export interface TradeFilter {
  readonly status: "open" | "closed" | "all";
  readonly symbol?: string | undefined;
  readonly limit: number;
  readonly offset: number;
}

/** What an account looks like now. */
export interface Book {
  /** Looks at an account whose desk has the prices of now. */
  look<T>(row: AccountRow, look: (desk: Desk, account: Account) => T): Promise<T>;
  /** What of a trade is open gains at the price that the desk knows; micros, 0 for a closed one. */
  unrealisedOf(desk: Desk, history: History, trade: Trade): number;
  portfolio(row: AccountRow): Promise<Portfolio>;
  /** Both at once. */
  overview(row: AccountRow, filter: TradeFilter): Promise<Overview>;
  /** The newest first. */
  trades(row: AccountRow, filter: TradeFilter): Promise<{ rows: TradeNow[]; total: number }>;
  /** By the number of its first event. @throws {AppError} `trade_not_found`. */
  trade(row: AccountRow, id: number): Promise<TradeNow>;
  /** The newest first, at most so many; legs with their entries, and by themselves where those are not wanted. */
  orders(
    row: AccountRow,
    wanted: (order: Readonly<Order>, times: Readonly<OrderTimes>) => boolean,
    limit: number,
  ): Promise<OrderNow[]>;
  /** @throws {AppError} `order_not_found`. */
  order(row: AccountRow, id: string): Promise<OrderNow>;
}

export interface BookOptions {
  readonly ledger: Ledger;
  readonly quotes: Pick<Quotes, "loadMany">;
  readonly instruments: Pick<Instruments, "resolve">;
  readonly feed: Pick<Feed, "clock" | "actions" | "closeBefore">;
  readonly matching: Pick<Matching, "begin">;
}

export function createBook({ ledger, quotes, instruments, feed, matching }: BookOptions): Book {
  /** Looks at an account whose desk has the prices of now. */
  async function priced<T>(
    row: AccountRow,
    look: (desk: Desk, account: Account, prices: ReadonlyMap<string, PricedQuote>) => T,
  ): Promise<T> {
    const held = await ledger.look(row.id, ({ state }) => [...state.positions.keys()], row);
    const known = await Promise.all(held.map((symbol) => instruments.resolve(symbol)));
    const { quotes: found } = await quotes.loadMany(known);
    const clocks = await Promise.all(known.map(feed.clock));
    if (clocks.length > 0) await matching.begin(row, Math.max(...clocks));
    const told = new Map(found.map((quote) => [quote.symbol, quote]));
    const prices = new Map<string, PricedQuote>();
    for (const [k, instrument] of known.entries()) {
      const quote = told.get(instrument.symbol);
      const priced = quote === undefined ? null : await inSharesOf(feed, instrument, quote, clocks[k]);
      if (priced !== null) prices.set(instrument.symbol, priced);
    }
    const marked = (desk: Desk, account: Account) => {
      for (const [symbol, quote] of prices) markBy(desk, account, symbol, quote);
      return look(desk, account, prices);
    };
    return ledger.look(row.id, marked, row);
  }

  return {
    look: priced,
    unrealisedOf: gainOpen,
    portfolio: (row) => priced(row, portfolioOf),
    trades: (row, filter) => priced(row, (desk, account) => tradesOf(desk, account, filter)),
    overview: (row, filter) =>
      priced(row, (desk, account, prices) => ({
        portfolio: portfolioOf(desk, account, prices),
        ...tradesOf(desk, account, filter),
      })),
    trade: (row, id) =>
      priced(row, (desk, account) => {
        const trade = account.history.trades.trades.find(({ openedSeq }) => openedSeq === id);
        if (trade === undefined) throw new AppError("trade_not_found", `There is no trade ${id}`);
        return tradeNow(desk, account, trade);
      }),
    orders: (row, wanted, limit) =>
      ledger.look(row.id, (desk, account) => {
        const { placed, times } = account.history;
        const isWanted = (id: string) => {
          const at = times.get(id);
          return at !== undefined && wanted(requireOrder(desk, id), at);
        };
        const found: OrderNow[] = [];
        for (let k = placed.length - 1; k >= 0 && found.length < limit; k--) {
          if (!isWanted(placed[k])) continue;
          const above = shownWith(desk, requireOrder(desk, placed[k]));
          if (above === null || !isWanted(above)) found.push(orderNow(desk, account, placed[k], null));
        }
        return found;
      }),
    order: (row, id) => ledger.look(row.id, (desk, account) => orderNow(desk, account, id, null)),
  };
}

function portfolioOf(desk: Desk, account: Account, prices: ReadonlyMap<string, PricedQuote>): Portfolio {
  const { trades } = account.history;
  const { capital } = trades;
  const standing = desk.standing();
  // What trades come to is what the account gained less what of it is open: summed over positions and not over trades.
  let unrealised = 0;
  for (const symbol of desk.state.positions.keys()) {
    unrealised += gainsOf(trades.openOf(symbol), desk.priceOf(symbol)).sum;
  }
  const realised = standing.equity - capital - unrealised;
  const positions = [...desk.state.positions.values()].map((position) =>
    positionNow(desk, account, position, prices.get(position.symbol) ?? null),
  );
  return { row: account.row, standing, positions, realised, unrealised, capital };
}

/** The order that a leg is shown with: its entry, or the target beside a stop that has none; null for all others. */
function shownWith({ state }: Desk, { id, group, role }: Readonly<Order>): string | null {
  if (group === null || (role !== "stop" && role !== "target")) return null;
  const { parent = null, target = null } = state.groups.get(group) ?? {};
  const above = parent ?? target;
  return above === id ? null : above;
}

/** The newest first. */
function tradesOf(desk: Desk, account: Account, { status, symbol, limit, offset }: TradeFilter) {
  const { trades } = account.history.trades;
  const rows: TradeNow[] = [];
  if (symbol === undefined && status === "all") {
    const last = trades.length - 1 - offset;
    for (let k = last; k >= 0 && k > last - limit; k--) rows.push(tradeNow(desk, account, trades[k]));
    return { rows, total: trades.length };
  }
  let total = 0;
  for (let k = trades.length - 1; k >= 0; k--) {
    const trade = trades[k];
    if (symbol !== undefined && trade.symbol !== symbol) continue;
    if (status !== "all" && (trade.closedAt === null) !== (status === "open")) continue;
    if (total >= offset && rows.length < limit) rows.push(tradeNow(desk, account, trade));
    total++;
  }
  return { rows, total };
}

function positionNow(
  desk: Desk,
  account: Account,
  { symbol, quantity }: { symbol: string; quantity: number },
  quote: PricedQuote | null,
): PositionNow {
  const price = desk.priceOf(symbol);
  const isQuoted = quote !== null && quote.price === price;
  const known = markedAt(account, symbol);
  const value = timesMicros(price, quantity);
  const { history, causes } = account;
  const open = history.trades.openOf(symbol);
  const cost = open.reduce((sum, trade) => sum + signOf(trade) * trade.openMicros, 0);
  const newest = open.at(-1);
  return {
    symbol,
    quantity,
    cost: cost / MICROS,
    quote,
    price,
    isQuoted,
    pricedAt: isQuoted ? quote.time : Number.isFinite(known) ? known : null,
    value: value / MICROS,
    unrealised: (value - cost) / MICROS,
    cause: newest === undefined ? null : (causes.get(newest.orderId) ?? null),
  };
}

function tradeNow(desk: Desk, { history, causes }: Account, trade: Trade): TradeNow {
  const cause = causes.get(trade.orderId) ?? null;
  const doubt = history.trades.doubtOf(trade);
  if (trade.closedAt !== null) return { trade, cause, price: null, unrealised: 0, doubt };
  const price = desk.priceOf(trade.symbol);
  return { trade, cause, price, unrealised: gainOpen(desk, history, trade), doubt };
}

function gainOpen(desk: Desk, { trades }: History, trade: Trade): number {
  if (trade.closedAt !== null) return 0;
  return gainsOf(trades.openOf(trade.symbol), desk.priceOf(trade.symbol)).of.get(trade) ?? 0;
}

/** What open trades of one symbol gain at a price, each and all together; micros. */
interface Gains {
  readonly price: number;
  readonly of: ReadonlyMap<Trade, number>;
  readonly sum: number;
}

/** By the list of trades, which is another one after each change of them. */
const gains = new WeakMap<readonly Trade[], Gains>();

function gainsOf(open: readonly Trade[], price: number): Gains {
  const known = gains.get(open);
  if (known !== undefined && known.price === price) return known;
  const each = unrealisedOf(open, price);
  const of = new Map(open.map((trade, k) => [trade, each[k]]));
  const made = { price, of, sum: each.reduce((sum, gain) => sum + gain, 0) };
  gains.set(open, made);
  return made;
}
