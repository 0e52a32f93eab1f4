import { assert } from "../base/assert.js";
import type { Interval } from "./interval.js";

/**
 * Open, high, low, close and volume as columns of one length.
 * `time` is the open of each bar in epoch ms UTC, strictly increasing. Prices are doubles; volume is in
 * units of the instrument and 0 where the source has none.
 */
export interface Bars {
  readonly time: Float64Array;
  readonly open: Float64Array;
  readonly high: Float64Array;
  readonly low: Float64Array;
  readonly close: Float64Array;
  readonly volume: Float64Array;
}

/** Bars of one symbol and interval. */
export interface Candles extends Bars {
  readonly symbol: string;
  readonly interval: Interval;
}

export const BAR_COLUMNS = ["time", "open", "high", "low", "close", "volume"] as const;
export type BarColumn = (typeof BAR_COLUMNS)[number];

/** One bar, for edges that speak in rows. */
export interface Bar {
  readonly time: number;
  readonly open: number;
  readonly high: number;
  readonly low: number;
  readonly close: number;
  readonly volume: number;
}

export function allocateBars(length: number): Bars {
  return {
    time: new Float64Array(length),
    open: new Float64Array(length),
    high: new Float64Array(length),
    low: new Float64Array(length),
    close: new Float64Array(length),
    volume: new Float64Array(length),
  };
}

export function emptyCandles(symbol: string, interval: Interval): Candles {
  return { symbol, interval, ...allocateBars(0) };
}

export function candlesFromRows(symbol: string, interval: Interval, rows: readonly Bar[]): Candles {
  const bars = allocateBars(rows.length);
  for (let i = 0; i < rows.length; i++) {
    const row = rows[i];
    for (const column of BAR_COLUMNS) bars[column][i] = row[column];
  }
  return { symbol, interval, ...bars };
}

export function barAt(bars: Bars, index: number): Bar {
  assert(index >= 0 && index < bars.time.length, `bar ${index} outside 0..${bars.time.length - 1}`);
  return {
    time: bars.time[index],
    open: bars.open[index],
    high: bars.high[index],
    low: bars.low[index],
    close: bars.close[index],
    volume: bars.volume[index],
  };
}

/** A view of bars [from, to): shares memory with the source. */
export function sliceCandles(candles: Candles, from: number, to = candles.time.length): Candles {
  return {
    symbol: candles.symbol,
    interval: candles.interval,
    time: candles.time.subarray(from, to),
    open: candles.open.subarray(from, to),
    high: candles.high.subarray(from, to),
    low: candles.low.subarray(from, to),
    close: candles.close.subarray(from, to),
    volume: candles.volume.subarray(from, to),
  };
}

/** The same bars in memory that threads share: they pass from one to another without being copied. */
export function sharedCandles(candles: Candles): Candles {
  const shared = (column: Float64Array) => {
    const copy = new Float64Array(new SharedArrayBuffer(column.byteLength));
    copy.set(column);
    return copy;
  };
  return {
    symbol: candles.symbol,
    interval: candles.interval,
    time: shared(candles.time),
    open: shared(candles.open),
    high: shared(candles.high),
    low: shared(candles.low),
    close: shared(candles.close),
    volume: shared(candles.volume),
  };
}

/** Candles with every price divided, and every volume multiplied. */
export function dividedCandles(candles: Candles, prices: number, volumes = 1): Candles {
  const divided = (column: Float64Array) => column.map((price) => price / prices);
  return {
    symbol: candles.symbol,
    interval: candles.interval,
    time: candles.time,
    open: divided(candles.open),
    high: divided(candles.high),
    low: divided(candles.low),
    close: divided(candles.close),
    volume: volumes === 1 ? candles.volume : candles.volume.map((volume) => volume * volumes),
  };
}

/** First bar of an invalid series and what is wrong with it; null when the whole series is sound. */
export function findInvalidBar(bars: Bars): { index: number; reason: string } | null {
  const { time, open, high, low, close, volume } = bars;
  for (const column of BAR_COLUMNS) {
    if (bars[column].length !== time.length)
      return { index: 0, reason: `column ${column} has another length` };
  }
  for (let i = 0; i < time.length; i++) {
    const o = open[i];
    const h = high[i];
    const l = low[i];
    const c = close[i];
    const reason = barProblem(o, h, l, c, volume[i]);
    if (reason !== null) return { index: i, reason };
    if (!Number.isFinite(time[i])) return { index: i, reason: "time is not a number" };
    if (i > 0 && time[i] <= time[i - 1]) {
      return { index: i, reason: "time does not increase" };
    }
  }
  return null;
}

/** What is wrong with the figures of a bar: the code of it, and the words. */
export type BarFault = (typeof BAR_FAULTS)[number];

const NOT_FINITE = { code: "price_not_finite", reason: "price is not finite" } as const;
const NOT_POSITIVE = { code: "price_not_positive", reason: "price is not positive" } as const;
const CROSSED = { code: "high_below_low", reason: "low is above open, close or high" } as const;
const LOW_INSIDE = { code: "price_out_of_range", reason: "low is above open, close or high" } as const;
const HIGH_INSIDE = { code: "price_out_of_range", reason: "high is below open or close" } as const;
const NO_VOLUME = { code: "volume_invalid", reason: "volume is negative or not finite" } as const;
const BAR_FAULTS = [NOT_FINITE, NOT_POSITIVE, CROSSED, LOW_INSIDE, HIGH_INSIDE, NO_VOLUME] as const;

/** Why one bar cannot be real, or null. */
export function barFault(
  open: number,
  high: number,
  low: number,
  close: number,
  volume: number,
): BarFault | null {
  // A sum is finite only when each part is (opposite infinities give NaN).
  if (!Number.isFinite(open + high + low + close)) return NOT_FINITE;
  if (low <= 0 || open <= 0 || high <= 0 || close <= 0) return NOT_POSITIVE;
  if (low > high) return CROSSED;
  if (low > open || low > close) return LOW_INSIDE;
  if (high < open || high < close) return HIGH_INSIDE;
  if (!(volume >= 0) || volume === Number.POSITIVE_INFINITY) return NO_VOLUME;
  return null;
}

/** The same in words alone. */
export function barProblem(
  open: number,
  high: number,
  low: number,
  close: number,
  volume: number,
): string | null {
  return barFault(open, high, low, close, volume)?.reason ?? null;
}
