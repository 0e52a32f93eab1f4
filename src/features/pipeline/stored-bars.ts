import { BAR_COLUMNS } from "../../core/market/candles.js";
import type { Interval } from "../../core/market/interval.js";
import type { EngineTerms } from "../../core/synergy/engine.js";
import { RECALLED_BARS } from "../../core/synergy/recall.js";
import { type BarColumns, BarTable } from "../../core/ticks/bar-columns.js";
import { intervalsOf } from "./messages.js";
import { LATEST_MS, type PipelineStore, type TickBar } from "./store.js";

/** Columns that bars of ticks have beside those of all bars. */
const OF_TICKS = ["count", "vwap", "pressure", "slot"] as const;

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
    for (const name of [...BAR_COLUMNS, ...OF_TICKS]) columns[name][i] = bar[name];
  }
  // Without its class: it goes to another thread.
  return { ...columns };
}
