import { type Bar, barProblem, type Candles, candlesFromRows } from "./candles.js";
import type { Interval } from "./interval.js";

/** A row that cannot be a bar, and why. */
export interface RejectedBar {
  readonly time: number;
  readonly reason: string;
}

export interface CollectedCandles {
  readonly candles: Candles;
  readonly rejected: readonly RejectedBar[];
}

/**
 * Candles from rows as a source sends them: sorted by time, impossible rows left out and named. Of two rows with
 * one time the later in the list stands, being the newer word of the source; a differing one is named.
 */
export function collectCandles(symbol: string, interval: Interval, rows: readonly Bar[]): CollectedCandles {
  const rejected: RejectedBar[] = [];
  const byTime = new Map<number, Bar>();
  for (const row of rows) {
    const reason = Number.isFinite(row.time)
      ? barProblem(row.open, row.high, row.low, row.close, row.volume)
      : "time is not a number";
    if (reason !== null) {
      rejected.push({ time: row.time, reason });
      continue;
    }
    const earlier = byTime.get(row.time);
    if (earlier !== undefined && !sameBar(earlier, row)) {
      rejected.push({ time: row.time, reason: "replaced by a later row of the same time" });
    }
    byTime.set(row.time, row);
  }
  const kept = [...byTime.values()].sort((a, b) => a.time - b.time);
  return { candles: candlesFromRows(symbol, interval, kept), rejected };
}

function sameBar(a: Bar, b: Bar): boolean {
  return (
    a.open === b.open && a.high === b.high && a.low === b.low && a.close === b.close && a.volume === b.volume
  );
}
