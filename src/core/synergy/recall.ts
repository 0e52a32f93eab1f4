import type { BarColumns } from "../ticks/bar-columns.js";
import type { TickEngine } from "./engine.js";

/**
 * Bars of each interval from which a symbol is rebuilt: more than three times what the slowest row needs before its first
 * value, which is 130 half hours.
 */
export const RECALLED_BARS = 500;

/**
 * Brings a symbol that was just opened, and cut, to where an engine is that made these bars: indicators, matrices, legs and
 * slots. What it finds on the way was told before, and is not told again. Of the ticks that led there nothing is known: the
 * guard begins anew, and all ticks before the end of the newest bar are late.
 * @param stored closed bars of one symbol in any order, their intervals as places among those of the engine.
 */
export function recallBars(engine: TickEngine, symbol: number, stored: BarColumns): void {
  const { findings, intake } = engine;
  const { builder } = intake;
  const { interval, time } = stored;
  const ends = Float64Array.from(time, (_, i) => builder.endOf(symbol, interval[i], time, i));
  const order = [...ends.keys()]
    .filter((i) => Number.isFinite(ends[i]))
    .sort((a, b) => ends[a] - ends[b] || interval[a] - interval[b]);
  for (const [k, i] of order.entries()) {
    builder.recall(symbol, stored, i);
    if (k + 1 < order.length && ends[order[k + 1]] === ends[i]) continue;
    engine.drain();
    findings.clear();
  }
}
