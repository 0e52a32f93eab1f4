import { lowerBound } from "../base/search.js";
import { barTime } from "./brief.js";
import type { Backtest } from "./result.js";
import type { Listing } from "./rules.js";
import type { Track } from "./track.js";

/** Units held of a symbol, and its close, at the closes of the bars of all symbols. Close is NaN before its first bar. */
export interface Held {
  readonly symbol: string;
  readonly units: Float64Array;
  readonly close: Float64Array;
}

/** What was held of each symbol, out of what the desk said of its positions. */
export function heldOf({ time, events }: Backtest, listings: readonly Listing[]): Held[] {
  const n = time.length;
  return listings.map(({ candles }) => {
    const { symbol } = candles;
    const units = new Float64Array(n);
    let from = 0;
    let held = 0;
    for (const event of events) {
      const position =
        event.kind === "account"
          ? event.symbol === symbol
            ? event.position
            : null
          : event.symbol === symbol && "fill" in event
            ? event.fill.position
            : null;
      if (position === null) continue;
      const bar = Math.max(0, lowerBound(time, barTime(event) + 1) - 1);
      units.fill(held, from, bar);
      [from, held] = [bar, position.quantity];
    }
    units.fill(held, from);
    return { symbol, units, close: closesAt(time, candles.time, candles.close) };
  });
}

/** Last close at or before each instant; NaN before the first. */
export function closesAt(at: Float64Array, time: Float64Array, close: Float64Array): Float64Array {
  let next = 0;
  return at.map((instant) => {
    while (next < time.length && time[next] <= instant) next++;
    return next === 0 ? Number.NaN : close[next - 1];
  });
}

/** The columns that a report is made of, money in micros. */
export function trackOf(backtest: Backtest, held: readonly Held[]): Track {
  const { time, equity, rules } = backtest;
  const [long, short] = [new Float64Array(time.length), new Float64Array(time.length)];
  for (const { units, close } of held) {
    for (let i = 0; i < units.length; i++) {
      if (units[i] > 0) long[i] += units[i] * close[i] * 1e6;
      else if (units[i] < 0) short[i] += units[i] * close[i] * 1e6;
    }
  }
  return { capital: Math.round(rules.capital * 1e6), time, equity, long, short };
}
