import { benchmarkCloses } from "../../core/backtest/benchmark.js";
import type { Held } from "../../core/backtest/positions.js";
import { type Report, reportOf } from "../../core/backtest/report.js";
import type { Track } from "../../core/backtest/track.js";
import type { Candles } from "../../core/market/candles.js";
import { type CalendarId, calendarOf } from "../../core/market/session.js";
import type { Trade } from "../../core/performance/trade.js";
import { dayOf, type RunTerms } from "./terms.js";

/** What could have been held instead: the symbols in equal parts, or a series of its own. */
export type BenchmarkOrder =
  | { readonly kind: "hold" }
  | { readonly kind: "none" }
  | {
      readonly kind: "series";
      readonly candles: Candles;
      readonly calendar: CalendarId;
    };

/** Worth of 1 from the close of the first bar on at which it is held. */
export interface Benchmark {
  /** NaN before, and of all bars where there is none. */
  readonly close: Float64Array;
  /** Why there is none; null where there is, and where none was asked for. */
  readonly reason: string | null;
}

export function benchmarkOf(
  order: BenchmarkOrder,
  time: Float64Array,
  held: readonly Pick<Held, "close">[],
): Benchmark {
  const none = () => new Float64Array(time.length).fill(Number.NaN);
  if (order.kind === "none") return { close: none(), reason: null };
  if (order.kind === "series") {
    const { close, reason } = benchmarkCloses(time, order.candles, calendarOf(order.calendar));
    return { close: close ?? none(), reason };
  }
  const from = time.findIndex((_, i) => held.every(({ close }) => !Number.isNaN(close[i])));
  const close = time.map((_, i) => {
    if (from < 0 || i < from) return Number.NaN;
    return held.reduce((sum, { close }) => sum + close[i] / close[from], 0) / held.length;
  });
  return { close, reason: from < 0 ? "there is no bar at which all symbols have a close" : null };
}

/** The report of a track beside its benchmark, and what the capital would have been in that. */
export function reportBeside(
  track: Track,
  trades: readonly Trade[],
  { close: benchmark, reason }: Benchmark,
  terms: RunTerms,
): { readonly report: Report; readonly worth: Float64Array } {
  const known = benchmark.findIndex((close) => !Number.isNaN(close));
  const from = Math.max(0, known);
  const report = reportOf(track, trades, {
    convention: terms.convention,
    year: { days: terms.yearReturns, riskFree: terms.riskFree },
    dayAt: dayOf(terms),
    benchmark:
      known < 0 ? null : { close: benchmark.map((close, i) => (i < from ? benchmark[from] : close)), from },
    ...(reason === null ? {} : { noBenchmark: reason }),
  });
  const worth = benchmark.map((close) => (known < 0 ? close : (close / benchmark[from]) * terms.capital));
  return { report, worth };
}
