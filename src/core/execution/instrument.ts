import type { Costs } from "./costs.js";
import { roundQuantity } from "./money.js";

/** What the trading of a symbol obeys. */
export interface Traded {
  readonly symbol: string;
  /** Prices of orders and fills are multiples of it. */
  readonly tick: number;
  /** The same below a price of 1; null where it is one tick throughout. */
  readonly tickBelowOne: number | null;
  /** Smallest step of a quantity: a billionth where anything goes. */
  readonly lot: number;
  /**
   * Fractions of a unit: `none`; `day` in simple orders for the day alone, as brokers have them for shares; `free` as
   * with coins.
   */
  readonly fractions: "none" | "day" | "free";
  readonly shortable: boolean;
  /** Whether it is bought with borrowed money, and lent on. What is not needs its whole worth as equity, and cash. */
  readonly marginable: boolean;
  /** Of a short position's value a year; null for the account's. */
  readonly borrowRate: number | null;
  /** Null for the desk's. */
  readonly costs: Costs | null;
}

/** Dollar shares: cents, fractions for the day, all can be borrowed. */
export function tradedShare(symbol: string): Traded {
  return {
    symbol,
    tick: 0.01,
    tickBelowOne: 0.0001,
    lot: 1e-9,
    fractions: "day",
    shortable: true,
    marginable: true,
    borrowRate: null,
    costs: null,
  };
}

export function tickAt({ tick, tickBelowOne }: Traded, price: number): number {
  return price < 1 && tickBelowOne !== null ? tickBelowOne : tick;
}

/** What counts as on a tick, in ticks. */
const ON_TICK = 1e-7;

/** To a multiple of the tick, `way` 1 up, -1 down, 0 to the nearest, halves up; at least one tick. */
export function roundToTick(price: number, tick: number, way: 1 | -1 | 0): number {
  const ticks = price / tick;
  const nearest = Math.floor(ticks + 0.5 + ON_TICK);
  const off = Math.abs(ticks - nearest) > ON_TICK + ticks * 1e-15;
  const whole = way === 0 || !off ? nearest : way > 0 ? Math.ceil(ticks) : Math.floor(ticks);
  const count = Math.max(1, whole);
  const perUnit = Math.round(1 / tick);
  // Dividing by ticks per unit gives the nearest double to the decimal, where multiplying would not.
  return Math.abs(perUnit * tick - 1) < 1e-12 ? count / perUnit : roundQuantity(count * tick);
}

/** The same on the tick that an instrument has at the price. */
export function onTick(price: number, instrument: Traded, way: 1 | -1 | 0): number {
  return roundToTick(price, tickAt(instrument, price), way);
}

export function isOnTick(price: number, instrument: Traded): boolean {
  return onTick(price, instrument, 0) === price;
}
