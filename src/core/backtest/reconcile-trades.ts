import { ensure } from "../base/assert.js";
import { lowerBound, upperBound } from "../base/search.js";
import type { Costs } from "../execution/costs.js";
import type { DeskEvent, FilledChange, OrderEvent } from "../execution/events.js";
import { type Traded, tickAt } from "../execution/instrument.js";
import { roundQuantity, timesMicros } from "../execution/money.js";
import type { Order, Side } from "../execution/order.js";
import type { Candles } from "../market/candles.js";
import { type ExitReason, signOf, type Trade } from "../performance/trade.js";
import { createTrades } from "../performance/trades.js";
import { barTime } from "./brief.js";
import { costsOfFill } from "./reconcile-fills.js";

/** One account with all that happened to it, from its first event on. */
export interface DeskRecord {
  readonly events: readonly DeskEvent[];
  readonly costs: Costs;
  /** What the trading of its symbols obeys. */
  readonly traded: ReadonlyMap<string, Traded>;
  /** Why orders were placed, by their id, in a word or two. */
  readonly reasons: ReadonlyMap<string, string>;
}

/** A split that the candles have in them, from an instant on; epoch ms, new shares for an old one. */
export interface SplitAt {
  readonly at: number;
  readonly ratio: number;
}

/** A symbol as the backtest saw it. */
export interface ReconcileMarket {
  readonly candles: Candles;
  /** Those that prices of the candles are adjusted for; none for an account that traded at these prices. */
  readonly splits: readonly SplitAt[];
}

/** Trades whose entry lies in [fromMs, toMs) are compared, as they stood at its end; epoch ms. */
export interface ReconcileWindow {
  readonly fromMs: number;
  readonly toMs: number;
}

/** One end of a trade: all its fills together. */
export interface TradeEnd {
  readonly fills: number;
  /** Half spreads and slippage in micros, as the cost model tells; null where it cannot. */
  readonly spread: number | null;
  readonly slippage: number | null;
  readonly reason: string | null;
  /**
   * The fill whose price before costs lies furthest outside of the bar of the candles, by more than a tick; null where
   * all lie within. Prices are of the candles.
   */
  readonly beyond: { readonly price: number; readonly low: number; readonly high: number } | null;
}

/** A round trip of one side. Shares are those of the candles, money in micros, instants in epoch ms. */
export interface SideTrade {
  readonly id: string;
  /** The order that opened it. */
  readonly orderId: string;
  readonly symbol: string;
  readonly side: "long" | "short";
  readonly entryMs: number;
  /** Null while it is open. */
  readonly exitMs: number | null;
  /** Bars of the candles; of what is open the last. -1 before the first. */
  readonly entryBar: number;
  readonly exitBar: number;
  /** Shares of the candles for one of the account; 1 where no split came since. */
  readonly ratio: number;
  readonly quantity: number;
  /** What its entry order was for; null where that is no quantity. */
  readonly ordered: number | null;
  /** Price times quantity; of what is open the worth at the last close of the window is among the exits. */
  readonly entryMicros: number;
  readonly exitMicros: number;
  readonly fees: number;
  readonly dividends: number;
  readonly borrow: number;
  /** What it gained, with what is open at that close. */
  readonly net: number;
  readonly exitReason: ExitReason | null;
  readonly entry: TradeEnd;
  readonly exit: TradeEnd;
  /** What the account would have more, had the path within its bars been the best and the worst; null where it is known. */
  readonly doubt: { readonly optimistic: number; readonly pessimistic: number } | null;
  readonly why: string | null;
  /** Of a price of the account, in that of the candles. */
  readonly tick: number;
}

/** An order to open something that opened nothing: refused, or ended without a fill. */
export interface LostOrder {
  readonly orderId: string;
  readonly symbol: string;
  /** Null where it is not known. */
  readonly side: Side | null;
  readonly at: number;
  readonly bar: number;
  readonly end: "rejected" | "expired" | "canceled";
  readonly reason: string;
}

export interface SideRecord {
  readonly trades: readonly SideTrade[];
  readonly lost: readonly LostOrder[];
}

interface EndSums {
  fills: number;
  spread: number | null;
  slippage: number | null;
  reason: string | null;
  beyond: TradeEnd["beyond"];
}

interface Draft {
  readonly entryMs: number;
  exitMs: number;
  quantity: number;
  openQuantity: number;
  readonly entry: EndSums;
  readonly exit: EndSums;
  optimistic: number;
  pessimistic: number;
}

interface Known {
  quantity: number;
  filled: number;
  readonly placed: Readonly<Order>;
}

/** The round trips of an account in a window, and its orders there that came to nothing. */
export function tradesWithin(
  record: DeskRecord,
  markets: ReadonlyMap<string, ReconcileMarket>,
  window: ReconcileWindow,
): SideRecord {
  const walk = new Walk(record, markets, window);
  for (const event of record.events) walk.take(event);
  return walk.found();
}

class Walk {
  readonly #record: DeskRecord;
  readonly #markets: ReadonlyMap<string, ReconcileMarket>;
  readonly #window: ReconcileWindow;
  readonly #book = createTrades();
  readonly #drafts = new Map<string, Draft>();
  readonly #orders = new Map<string, Known>();
  readonly #lost: LostOrder[] = [];
  /** Symbols whose events have come to the end of the window. */
  readonly #done = new Set<string>();

  constructor(record: DeskRecord, markets: ReadonlyMap<string, ReconcileMarket>, window: ReconcileWindow) {
    this.#record = record;
    this.#markets = markets;
    this.#window = window;
  }

  take(event: DeskEvent): void {
    const { symbol } = event;
    if (symbol === null || this.#done.has(symbol)) return;
    const market = this.#markets.get(symbol);
    if (market === undefined) return;
    const at = barTime(event);
    if (at >= this.#window.toMs) {
      this.#done.add(symbol);
      return;
    }
    if (event.kind === "order") this.#follow(event, market);
    for (const trade of this.#book.take(event)) this.#note(trade, event, at, market);
  }

  #follow(event: OrderEvent, market: ReconcileMarket): void {
    const { orderId, symbol, at } = event;
    if ("order" in event && event.order !== null) {
      this.#orders.set(orderId, { quantity: event.order.quantity, filled: 0, placed: event.order });
      return;
    }
    const known = this.#orders.get(orderId);
    if (known === undefined) return;
    if (event.event === "adjusted") Object.assign(known, { quantity: event.quantity, filled: event.filled });
    else if (event.event === "released" || event.event === "resized") known.quantity = event.quantity;
    else if ("fill" in event) known.filled = roundQuantity(known.filled + event.fill.quantity);
    else if (event.event === "rejected" || event.event === "expired" || event.event === "canceled") {
      const { side, role, closing, quantity } = known.placed;
      const opens = role !== "stop" && role !== "target" && (closing === 0 || closing < quantity);
      if (known.filled > 0 || !opens) return;
      const bar = upperBound(market.candles.time, at) - 1;
      const { event: end, reason } = event;
      this.#lost.push({ orderId, symbol, side, at, bar, end, reason });
    }
  }

  #note(trade: Trade, event: DeskEvent, at: number, market: ReconcileMarket): void {
    const { id, quantity, openQuantity } = trade;
    let draft = this.#drafts.get(id);
    if (draft === undefined) {
      const none = { quantity: 0, openQuantity: 0, optimistic: 0, pessimistic: 0 };
      draft = { entryMs: at, exitMs: at, entry: noFills(), exit: noFills(), ...none };
      this.#drafts.set(id, draft);
    }
    if (event.kind === "order" && "fill" in event) {
      const opened = roundQuantity(quantity - draft.quantity);
      const closed = roundQuantity(draft.openQuantity + opened - openQuantity);
      if (opened > 0) this.#add(draft, draft.entry, event, opened, market);
      if (closed > 0) this.#add(draft, draft.exit, event, closed, market);
    }
    if (trade.closedAt !== null) draft.exitMs = at;
    draft.quantity = quantity;
    draft.openQuantity = openQuantity;
  }

  #add(draft: Draft, end: EndSums, event: OrderEvent & FilledChange, units: number, market: ReconcileMarket) {
    const { fill, orderId, symbol } = event;
    const { costs, traded } = this.#record;
    const { placed } = ensure(this.#orders.get(orderId), `order ${orderId} is placed`);
    const { half, slip, before, reason } = costsOfFill(costs, fill, placed);
    end.fills++;
    end.spread = plus(end.spread, half, units);
    end.slippage = plus(end.slippage, slip, units);
    end.reason ??= reason;
    const share = units / fill.quantity;
    draft.optimistic += Math.round(fill.optimisticMicros * share);
    draft.pessimistic += Math.round(fill.pessimisticMicros * share);
    const at = barTime(event);
    const ratio = ratioAfter(market, at);
    const instrument = traded.get(symbol);
    const tick = instrument === undefined ? 0 : tickAt(instrument, fill.price);
    // Where the costs are not known, those that the model could have taken.
    const allowed = before === null ? (fill.price * costs.spreadBps) / 20_000 + (slip ?? 0) : 0;
    const beyond = beyondBar(market.candles, at, (before ?? fill.price) / ratio, (tick + allowed) / ratio);
    if (beyond !== null && distance(beyond) > (end.beyond === null ? 0 : distance(end.beyond))) {
      end.beyond = beyond;
    }
  }

  found(): SideRecord {
    const { fromMs, toMs } = this.#window;
    const trades = this.#book.trades.flatMap((trade) => {
      const draft = this.#drafts.get(trade.id);
      const market = this.#markets.get(trade.symbol);
      if (draft === undefined || market === undefined || draft.entryMs < fromMs) return [];
      return [this.#tradeOf(trade, draft, market, toMs)];
    });
    return { trades, lost: this.#lost.filter(({ at }) => at >= fromMs) };
  }

  #tradeOf(trade: Trade, draft: Draft, market: ReconcileMarket, toMs: number): SideTrade {
    const { id, orderId, symbol, side, entryMicros, openMicros, fees, dividends, borrow } = trade;
    const { time, close } = market.candles;
    const open = trade.closedAt === null;
    const last = lowerBound(time, toMs) - 1;
    const ratio = ratioAfter(market, open ? toMs - 1 : draft.exitMs);
    const worth = open && last >= 0 ? timesMicros(close[last], roundQuantity(trade.openQuantity * ratio)) : 0;
    // Without a bar to value it by, what is open is worth what was paid for it.
    const gain = signOf(trade) * trade.gross + (open && last < 0 ? 0 : worth - openMicros);
    const known = this.#orders.get(orderId);
    const whole = known !== undefined && known.placed.notional === null && known.filled > 0;
    const ordered = whole ? roundQuantity((trade.quantity * ratio * known.quantity) / known.filled) : null;
    const instrument = this.#record.traded.get(symbol);
    const { optimistic, pessimistic, entryMs, exitMs } = draft;
    return {
      id,
      orderId,
      symbol,
      side,
      entryMs,
      exitMs: open ? null : exitMs,
      entryBar: upperBound(time, entryMs) - 1,
      exitBar: open ? last : upperBound(time, exitMs) - 1,
      ratio,
      quantity: roundQuantity(trade.quantity * ratio),
      ordered,
      entryMicros,
      exitMicros: entryMicros + gain,
      fees,
      dividends,
      borrow,
      net: signOf(trade) * gain - fees + dividends - borrow,
      exitReason: trade.exitReason,
      entry: draft.entry,
      exit: draft.exit,
      doubt: trade.ambiguous ? { optimistic, pessimistic } : null,
      why: this.#record.reasons.get(orderId) ?? null,
      tick: instrument === undefined ? 0 : tickAt(instrument, trade.entryPrice) / ratio,
    };
  }
}

function noFills(): EndSums {
  return { fills: 0, spread: 0, slippage: 0, reason: null, beyond: null };
}

function plus(sum: number | null, each: number | null, units: number): number | null {
  return sum === null || each === null ? null : sum + Math.round(each * units * 1e6);
}

/** Shares of the candles for one of an instant. */
export function ratioAfter({ splits }: Pick<ReconcileMarket, "splits">, atMs: number): number {
  return splits.reduce((ratio, split) => (split.at > atMs ? ratio * split.ratio : ratio), 1);
}

function beyondBar(
  { time, low, high }: Candles,
  at: number,
  price: number,
  allowed: number,
): TradeEnd["beyond"] {
  const bar = upperBound(time, at) - 1;
  if (bar < 0) return null;
  const found = { price, low: low[bar], high: high[bar] };
  // What doubles lack is no difference.
  return distance(found) > allowed * (1 + 1e-9) + price * 1e-12 ? found : null;
}

function distance({ price, low, high }: NonNullable<TradeEnd["beyond"]>): number {
  return Math.max(0, low - price, price - high);
}
