import { startOfDay } from "../../core/market/adjust.js";
import { openBefore } from "../../core/market/bar-times.js";
import { type Candles, dividedCandles, sliceCandles } from "../../core/market/candles.js";
import type { Interval } from "../../core/market/interval.js";
import { calendarOf } from "../../core/market/session.js";
import { isNearer, type Split } from "../../core/quality/splits.js";
import type { KnownInstrument } from "../instruments/store.js";
import type { CandleStore } from "./store.js";

/** Bars that are looked at and changed at a time. */
const CHUNK_BARS = 2_000;

/**
 * Applies a split to the stored bars before a moment that are said to have it and lack it: back to the first that is
 * adjusted otherwise, or at which prices rise by its ratio, since those before have it. What they were is kept.
 * @returns how many bars.
 */
export async function applySplitBefore(
  { store, now }: { readonly store: CandleStore; readonly now: () => number },
  { id, symbol, calendar: calendarId }: KnownInstrument,
  interval: Interval,
  { exDay, ratio }: Split,
  beforeMs: number,
): Promise<number> {
  const calendar = calendarOf(calendarId);
  const exMs = startOfDay(calendar, exDay);
  let changed = 0;
  let to = beforeMs;
  let openAfter = Number.NaN;
  for (;;) {
    const from = openBefore(calendar, interval, to, CHUNK_BARS);
    const { candles, adjustedAt, source } = await store.load(id, symbol, interval, from, to);
    const { length } = candles.time;
    if (length === 0 || adjustedAt === null) return changed;
    const first = lackingFrom(candles, adjustedAt, openAfter, exMs, ratio);
    const lacking = sliceCandles(candles, first, length);
    if (lacking.time.length === 0) return changed;
    const origin = { source: source ?? "unknown", basis: "split", atMs: now() } as const;
    await store.saveBars(id, dividedCandles(lacking, ratio, ratio), origin);
    changed += lacking.time.length;
    if (first > 0) return changed;
    to = candles.time[0];
    openAfter = candles.open[0];
  }
}

/** The first of the last bars that are said to have a split, without a rise by its ratio among them. */
function lackingFrom(
  { open, close }: Candles,
  adjustedAt: Float64Array,
  openAfter: number,
  exMs: number,
  ratio: number,
): number {
  let first = close.length;
  while (first > 0) {
    const until = adjustedAt[first - 1];
    if (!(Number.isFinite(until) && until >= exMs)) break;
    const moved = close[first - 1] / (first < close.length ? open[first] : openAfter);
    if (isNearer(moved, 1 / ratio)) break;
    first--;
  }
  return first;
}
