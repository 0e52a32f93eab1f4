import { EventEmitter } from "node:events";
import type { Bar, Candles } from "../src/core/market/candles.js";

/** Orders and fills, as bars, are objects that are handed on as events. */
interface Order {
  readonly side: "buy" | "sell";
  readonly quantity: number;
}

interface Fill extends Order {
  readonly time: number;
  readonly price: number;
}

/** The average of the last closes, one close at a time. */
class Average {
  readonly #values: number[] = [];
  readonly #period: number;
  #sum = 0;

  constructor(period: number) {
    this.#period = period;
  }

  next(value: number): number | null {
    this.#values.push(value);
    this.#sum += value;
    if (this.#values.length > this.#period) this.#sum -= this.#values.shift() ?? 0;
    return this.#values.length < this.#period ? null : this.#sum / this.#period;
  }
}

/**
 * A backtest as engines in JavaScript are mostly written: feed, strategy, broker and portfolio that send each other
 * objects as events. Buys where a fast average crosses above a slow one and sells where it crosses back, at the next
 * open, without costs. @returns round trips that were closed.
 */
export function runEmitterEngine(candles: Candles, fast: number, slow: number): number {
  const bus = new EventEmitter();
  const equity: { readonly time: number; readonly value: number }[] = [];
  const trades: { readonly entry: Fill; readonly exit: Fill; readonly profit: number }[] = [];
  const portfolio = { cash: 1e7, held: 0, entry: null as Fill | null };
  let orders: Order[] = [];
  const averages = { fast: new Average(fast), slow: new Average(slow) };
  let before: number | null = null;

  bus.on("bar", (bar: Bar) => {
    const waiting = orders;
    orders = [];
    for (const order of waiting) bus.emit("fill", { ...order, time: bar.time, price: bar.open });
  });
  bus.on("bar", (bar: Bar) => {
    const [short, long] = [averages.fast.next(bar.close), averages.slow.next(bar.close)];
    if (short === null || long === null) return;
    const side = Math.sign(short - long);
    if (before !== null && side > 0 && before <= 0 && portfolio.held === 0) {
      bus.emit("order", { side: "buy", quantity: 10 });
    } else if (before !== null && side < 0 && before >= 0 && portfolio.held > 0) {
      bus.emit("order", { side: "sell", quantity: 10 });
    }
    before = side;
  });
  bus.on("bar", (bar: Bar) => {
    equity.push({ time: bar.time, value: portfolio.cash + portfolio.held * bar.close });
  });
  bus.on("order", (order: Order) => orders.push(order));
  bus.on("fill", (fill: Fill) => {
    const sign = fill.side === "buy" ? 1 : -1;
    portfolio.cash -= sign * fill.quantity * fill.price;
    portfolio.held += sign * fill.quantity;
    if (fill.side === "buy") portfolio.entry = fill;
    else if (portfolio.entry !== null) {
      trades.push({
        entry: portfolio.entry,
        exit: fill,
        profit: fill.quantity * (fill.price - portfolio.entry.price),
      });
    }
  });

  const { time, open, high, low, close, volume } = candles;
  for (let i = 0; i < time.length; i++) {
    bus.emit("bar", {
      time: time[i],
      open: open[i],
      high: high[i],
      low: low[i],
      close: close[i],
      volume: volume[i],
    });
  }
  return trades.length;
}
