import { lowerBound } from "../base/search.js";
import { cashRules } from "../execution/account.js";
import { type DeskRules, GTC_DAYS } from "../execution/context.js";
import { NO_COSTS } from "../execution/costs.js";
import type { Traded } from "../execution/instrument.js";
import type { Candles } from "../market/candles.js";
import type { Calendar } from "../market/session.js";
import type { Facts } from "../strategies/facts.js";

/** What an entry puts in: a share of the equity (null for equal shares of all symbols), an amount, or units. */
export type Stake =
  | { readonly kind: "share"; readonly share: number | null }
  | { readonly kind: "money"; readonly amount: number }
  | { readonly kind: "units"; readonly units: number };

/** How many units an entry is. */
export interface Sizing {
  readonly stake: Stake;
  /** The price by which it is counted: the open at which it fills, after costs, or the close at which it was decided. */
  readonly price: "open" | "close";
  /** Share of the equity that is left aside. */
  readonly buffer: number;
  /** Smallest step of a quantity. */
  readonly lot: number;
}

/**
 * Sizings by name. `whole`: floor of the equity over price times 1 and the commission, as backtesting.py has it.
 * `set_holdings`: LEAN's, by the last close, with a quarter of a percent left aside.
 */
export const SIZINGS = Object.freeze({
  whole: { stake: { kind: "share", share: null }, price: "open", buffer: 0, lot: 1 },
  fractional: { stake: { kind: "share", share: null }, price: "open", buffer: 0, lot: 1e-6 },
  set_holdings: { stake: { kind: "share", share: null }, price: "close", buffer: 0.0025, lot: 1 },
} as const satisfies Readonly<Record<string, Sizing>>);

/**
 * What becomes of positions that are open at the end: worth their last close and left open; closed at the last close;
 * or closed at the open of the last bar, as backtesting.py does.
 */
export const CLOSINGS = ["mark", "close", "last_open"] as const;
export type Closing = (typeof CLOSINGS)[number];

export interface BacktestRules {
  readonly desk: DeskRules;
  /** Paid in before the first bar, in the account's currency. */
  readonly capital: number;
  readonly sizing: Sizing;
  readonly closing: Closing;
  /** Of the symbols; null takes each bar for regular, and days for those of UTC. */
  readonly calendar: Calendar | null;
  /**
   * Open from which bars count, epoch ms: those before lead up to it, so that nothing is cold at the first of them, and
   * nothing is decided there nor told of them. Null for all.
   */
  readonly start: number | null;
}

/** An account in cash without costs that puts all it has in whole units. */
export const PLAIN_RULES: BacktestRules = Object.freeze({
  desk: { account: cashRules("USD"), costs: NO_COSTS, volumeShare: null, gtcDays: GTC_DAYS },
  capital: 100_000,
  sizing: SIZINGS.whole,
  closing: "mark",
  calendar: null,
  start: null,
});

/** Index of the first bar that counts; the length of the bars where none does. */
export function firstCounted({ start }: Pick<BacktestRules, "start">, time: Float64Array): number {
  return start === null ? 0 : lowerBound(time, start);
}

/** What happens to a symbol before the first bar that opens at or after `at`, epoch ms. */
export type Happening =
  | { readonly at: number; readonly kind: "split"; readonly ratio: number }
  /** A share, in the account's currency. */
  | { readonly at: number; readonly kind: "dividend"; readonly amount: number };

/** A symbol to be traded. */
export interface Listing {
  /** Prices at which orders fill. */
  readonly candles: Candles;
  /** What the strategy looks at, where that is not the same: prices adjusted for splits, of the same bars. */
  readonly seen?: Candles;
  /** What is known beside the bars, in columns of their length. */
  readonly facts?: Facts;
  /** By default units of the sizing's lot, prices to a millionth, can be sold short and bought on margin. */
  readonly traded?: Traded;
  /** In order of time. */
  readonly happenings?: readonly Happening[];
}

/** What is traded where nothing more is known of it. */
export function tradedUnit(symbol: string, { lot }: Sizing): Traded {
  return {
    symbol,
    tick: 1e-6,
    tickBelowOne: null,
    lot,
    fractions: lot < 1 ? "free" : "none",
    shortable: true,
    marginable: true,
    borrowRate: null,
    costs: null,
  };
}
