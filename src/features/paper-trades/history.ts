import {
  type AccountEvent,
  type DeskEvent,
  type Fill,
  marketInstant,
  type OrderEvent,
} from "../../core/execution/events.js";
import { createTrades, type TradeBook } from "../../core/performance/trades.js";

/** When what happened to an order; epoch ms, null for what has not. */
export interface OrderTimes {
  readonly placedSeq: number;
  updatedAt: number;
  filledAt: number | null;
  canceledAt: number | null;
  expiredAt: number | null;
  failedAt: number | null;
  replacedAt: number | null;
  /** Realised by what it closed, before fees; micros. */
  gain: number;
}

export interface DoneFill {
  readonly seq: number;
  readonly at: number;
  readonly orderId: string;
  readonly symbol: string;
  readonly fill: Fill;
  /** Whether the order was filled with it. */
  readonly whole: boolean;
}

/** What a desk does not remember of its events, taken in one by one. */
export interface History {
  take(event: DeskEvent): void;
  readonly times: ReadonlyMap<string, OrderTimes>;
  /** Ids of orders in the order in which they were placed. */
  readonly placed: readonly string[];
  readonly fills: readonly DoneFill[];
  /** Money and shares that came and went without an order. */
  readonly postings: readonly AccountEvent[];
  readonly trades: TradeBook;
  /** Number of the first trade that an order opened; null for one that opened none. */
  tradeOf(orderId: string): number | null;
  /** All events, for whoever computes from them. */
  readonly events: readonly DeskEvent[];
  /** Whether a split or dividends were applied to a symbol within [from, until). */
  applied(symbol: string, kind: "split" | "dividend", from: number, until: number): boolean;
  /** The newest fill of a symbol; null for none. */
  lastFill(symbol: string): DoneFill | null;
  /** When something last happened to an account's holding of a symbol; null for never. */
  lastTouched(symbol: string): number | null;
}

export function createHistory(): History {
  const times = new Map<string, OrderTimes>();
  const placed: string[] = [];
  const fills: DoneFill[] = [];
  const postings: AccountEvent[] = [];
  const events: DeskEvent[] = [];
  const trades = createTrades();
  const opened = new Map<string, number>();
  const actions = new Map<string, number[]>();
  const touched = new Map<string, number>();
  const newest = new Map<string, DoneFill>();

  const nameOf = (symbol: string, kind: string) => `${kind} ${symbol}`;
  function act(symbol: string, kind: string, at: number): void {
    const known = actions.get(nameOf(symbol, kind));
    if (known === undefined) actions.set(nameOf(symbol, kind), [at]);
    else known.push(at);
  }

  function takeOrder(event: OrderEvent): void {
    const { at, seq, orderId, symbol } = event;
    const known = times.get(orderId);
    if (known === undefined) {
      const unset = { canceledAt: null, expiredAt: null, failedAt: null, replacedAt: null };
      times.set(orderId, { placedSeq: seq, updatedAt: at, filledAt: null, gain: 0, ...unset });
      placed.push(orderId);
      return;
    }
    known.updatedAt = at;
    if (event.event === "filled" || event.event === "partially_filled") {
      const done = { seq, at, orderId, symbol, fill: event.fill, whole: event.event === "filled" };
      fills.push(done);
      newest.set(symbol, done);
      touched.set(symbol, marketInstant(event));
      known.gain += event.fill.gain;
      if (event.event === "filled") known.filledAt = at;
    } else if (event.event === "canceled") known.canceledAt = at;
    else if (event.event === "expired") known.expiredAt = at;
    else if (event.event === "rejected") known.failedAt = at;
    else if (event.event === "replaced") known.replacedAt = at;
    else if (event.event === "adjusted") act(symbol, event.cause ?? "split", marketInstant(event));
  }

  return {
    take(event) {
      events.push(event);
      for (const { orderId, openedSeq } of trades.take(event)) {
        if (!opened.has(orderId)) opened.set(orderId, openedSeq);
      }
      if (event.kind === "order") {
        takeOrder(event);
        return;
      }
      postings.push(event);
      if (event.symbol === null) return;
      const { event: name, symbol } = event;
      if (name === "split" || name === "dividend") act(symbol, name, marketInstant(event));
    },
    times,
    placed,
    fills,
    postings,
    trades,
    tradeOf: (orderId) => opened.get(orderId) ?? null,
    events,
    applied: (symbol, kind, from, until) =>
      actions.get(nameOf(symbol, kind))?.some((at) => at >= from && at < until) ?? false,
    lastFill: (symbol) => newest.get(symbol) ?? null,
    lastTouched: (symbol) => touched.get(symbol) ?? null,
  };
}
