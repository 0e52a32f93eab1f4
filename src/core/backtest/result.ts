import { hash32 } from "../base/rng.js";
import type { DeskEvent } from "../execution/events.js";
import type { Order } from "../execution/order.js";
import { orderList } from "../execution/order-list.js";
import type { Trade } from "../performance/trade.js";
import type { Values } from "../strategies/parameters.js";
import type { Decision, Turned } from "./lane.js";
import type { BacktestRules } from "./rules.js";

/** A fill, or one that was not, which the path within a bar decides: what the account would have more, micros. */
export interface Doubt {
  readonly at: number;
  readonly symbol: string;
  readonly orderId: string;
  /** Whether it was filled. */
  readonly filled: boolean;
  readonly optimisticMicros: number;
  readonly pessimisticMicros: number;
}

/** Equity at the end, micros: by the rule, and with every doubtful fill gone the worst or the best way. */
export interface Bounds {
  readonly pessimistic: number;
  readonly equity: number;
  readonly optimistic: number;
}

/** What a strategy did over a stretch of bars. Money in micros, instants in epoch ms. */
export interface Backtest {
  readonly strategy: string;
  readonly values: Values;
  readonly symbols: readonly string[];
  readonly rules: BacktestRules;
  /** Opens of the bars of all symbols, merged, ascending; as long as what follows. */
  readonly time: Float64Array;
  /** Cash and what the positions are worth at the closes of those bars. */
  readonly equity: Float64Array;
  /** What the positions are worth at them, without their signs. */
  readonly exposure: Float64Array;
  /** Of runs of their own, in which what a fill gained or lost is put in again, and decided on. */
  readonly bounds: Bounds;
  /** In the order of their entries; those that are open at the end come with them. */
  readonly trades: readonly Trade[];
  /** Why entries and exits were made, by the id of the order, where the strategy said so. */
  readonly reasons: ReadonlyMap<string, string>;
  readonly doubts: readonly Doubt[];
  readonly decisions: readonly Decision[];
  readonly turned: readonly Turned[];
  readonly orders: readonly Readonly<Order>[];
  readonly events: readonly DeskEvent[];
}

/** Trades whose entry or exit the path within a bar decided. */
export function ambiguousTrades({ trades }: Backtest): Trade[] {
  return trades.filter(({ ambiguous }) => ambiguous);
}

export function doubtOf(event: DeskEvent): Doubt | null {
  if (event.kind !== "order") return null;
  const { at, symbol, orderId } = event;
  if (event.event === "unproven") {
    const { optimisticMicros } = event;
    return { at, symbol, orderId, filled: false, optimisticMicros, pessimisticMicros: 0 };
  }
  if (!("fill" in event) || !event.fill.ambiguous) return null;
  const { optimisticMicros, pessimisticMicros } = event.fill;
  return { at, symbol, orderId, filled: true, optimisticMicros, pessimisticMicros };
}

/**
 * 32 hexadecimal digits that follow from every order, fill, trade, mark and bound of a backtest, to the last bit: equal
 * runs have equal ones on every machine. No protection against who would forge one.
 */
export function hashOf({ orders, events, equity, time, bounds, values, strategy, turned }: Backtest): string {
  const text = [
    strategy,
    JSON.stringify(Object.entries(values).sort(([a], [b]) => (a < b ? -1 : 1))),
    `${bounds.pessimistic} ${bounds.equity} ${bounds.optimistic}`,
    ...turned.map(({ bar, symbol, orderId, reason }) => `${bar} ${symbol} ${orderId} ${reason}`),
    orderList(orders, events),
  ].join("\n");
  const lanes = [0, 1, 2, 3].map((lane) => {
    let hash = hash32(`${lane}${text}`);
    for (const column of [time, equity]) hash = mixColumn(hash, column, lane);
    return hash.toString(16).padStart(8, "0");
  });
  return lanes.join("");
}

/** FNV-1a over the words of a column's doubles, little end first. */
function mixColumn(seed: number, column: Float64Array, lane: number): number {
  const view = new DataView(new ArrayBuffer(8));
  let hash = seed;
  for (const value of column) {
    view.setFloat64(0, value, true);
    hash = Math.imul(hash ^ view.getUint32(0, true), 0x01000193 + 2 * lane);
    hash = Math.imul(hash ^ view.getUint32(4, true), 0x01000193 + 2 * lane);
    hash ^= hash >>> 15;
  }
  return hash >>> 0;
}
