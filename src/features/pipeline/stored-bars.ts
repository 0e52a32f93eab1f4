import type { Interval } from "../../core/market/interval.js";
import type { EngineTerms } from "../../core/synergy/engine.js";
import { RECALLED_BARS } from "../../core/synergy/recall.js";
import { type BarColumns, BarTable } from "../../core/ticks/bar-columns.js";
import { intervalsOf } from "./messages.js";
import type { PipelineStore, TickBar } from "./store.js";

/** Later than any bar. */
const LATEST_MS = Date.UTC(2200, 0, 1);

/**
 * Bars of a symbol from which an engine can go on without a state: of the intervals that are followed as many as they need, of
 * others the newest, whose end and slot count. Nothing where none is stored.
 */
export async function readStoredBars(
  listBars: PipelineStore["listBars"],
  terms: Pick<EngineTerms, "bars" | "shorter" | "longer">,
  symbol: string,
): Promise<BarColumns> {
  const intervals = intervalsOf(terms);
  const all: TickBar[] = [];
  for (const interval of intervals) {
    const isFollowed = interval === terms.shorter || interval === terms.longer;
    const limit = isFollowed ? RECALLED_BARS : 1;
    all.push(...(await listBars(symbol, interval, { from: 0, to: LATEST_MS, limit })));
  }
  return columnsOf(all, intervals);
}

function columnsOf(bars: readonly TickBar[], intervals: readonly Interval[]): BarColumns {
  const columns = new BarTable(bars.length);
  for (const [i, bar] of bars.entries()) {
    columns.interval[i] = intervals.indexOf(bar.interval);
    columns.time[i] = bar.time;
    columns.open[i] = bar.open;
    columns.high[i] = bar.high;
    columns.low[i] = bar.low;
    columns.close[i] = bar.close;
    columns.volume[i] = bar.volume;
    columns.count[i] = bar.count;
    columns.vwap[i] = bar.vwap;
    columns.pressure[i] = bar.pressure;
    columns.slot[i] = bar.slot;
  }
  // Without its class: it goes to another thread.
  return { ...columns };
}
