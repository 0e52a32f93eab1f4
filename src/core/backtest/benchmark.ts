import type { Candles } from "../market/candles.js";
import { DAY_MS, dateOf } from "../market/day.js";
import { reachesTo } from "../market/owed-bars.js";
import type { Calendar } from "../market/session.js";
import { closesAt } from "./positions.js";

/** What a run is compared with, or why it cannot be. */
export type BenchmarkCloses =
  | { readonly close: Float64Array; readonly reason: null }
  | { readonly close: null; readonly reason: string };

/**
 * Closes of a series of its own at the bars of a run. It must have one at the first bar and at the last, each no older
 * than its calendar explains: a close that is carried on over years would be a return that nobody had.
 * @param time opens of the bars of the run, ascending.
 */
export function benchmarkCloses(time: Float64Array, candles: Candles, calendar: Calendar): BenchmarkCloses {
  const { symbol, interval } = candles;
  if (time.length === 0) return { close: null, reason: "no bar" };
  if (candles.time.length === 0) {
    return { close: null, reason: `the benchmark ${symbol} has no ${interval} bar in that stretch` };
  }
  const [first, last] = [time[0], time[time.length - 1]];
  const [begun, ended] = [candles.time[0], candles.time[candles.time.length - 1]];
  const have = closesAt(Float64Array.of(first, last), candles.time, candles.time);
  if (!Number.isNaN(have[0])) {
    const covers = [first, last].every((at, k) => reachesTo(calendar, interval, have[k], at));
    if (covers) return { close: closesAt(time, candles.time, candles.close), reason: null };
  }
  const day = (ms: number) => dateOf(Math.floor(ms / DAY_MS));
  return {
    close: null,
    reason: `the benchmark ${symbol} has bars of ${day(begun)} to ${day(ended)} alone, and the run is of ${day(first)} to ${day(last)}`,
  };
}
