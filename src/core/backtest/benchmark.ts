import type { Candles } from "../market/candles.js";
import { DAY_MS, dateOf } from "../market/day.js";
import { missingBars, reachesTo } from "../market/owed-bars.js";
import type { Calendar } from "../market/session.js";
import { closesAt } from "./positions.js";

/** What a run is compared with, or why it cannot be. */
export type BenchmarkCloses =
  | { readonly close: Float64Array; readonly reason: null }
  | { readonly close: null; readonly reason: string };

const day = (ms: number) => dateOf(Math.floor(ms / DAY_MS));

/** From the first to the last of bars that are missing within a run: below it the close before stands for them. */
const HOLE_MS = 7 * DAY_MS;

/**
 * Closes of a series of its own at the bars of a run. It must have one at the first bar and at the last, each no older
 * than its calendar explains, and no hole of many bars between: a close that is carried on over years would be a return
 * that nobody had.
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
    if (covers) {
      const within = candles.time.filter((at) => at >= have[0] && at <= last);
      const missing = missingBars(calendar, interval, within);
      if (missing === null || missing.toMs - missing.fromMs < HOLE_MS)
        return { close: closesAt(time, candles.time, candles.close), reason: null };
      const reason = `the benchmark ${symbol} lacks its ${missing.longest} bars of ${day(missing.fromMs)} to ${day(missing.toMs)}`;
      return { close: null, reason };
    }
  }
  return {
    close: null,
    reason: `the benchmark ${symbol} has bars of ${day(begun)} to ${day(ended)} alone, and the run is of ${day(first)} to ${day(last)}`,
  };
}
