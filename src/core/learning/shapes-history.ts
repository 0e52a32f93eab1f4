import { drawWord } from "../base/rng.js";
import type { Candles } from "../market/candles.js";
import { WINDOW_BARS, WINDOW_VALUES, writeWindow } from "./sequence-net/columns.js";
import { shapeClasses } from "./shapes-detected.js";
import type { LabelledWindows } from "./shapes-windows.js";

/** Windows of stored bars, with when each began and ended. */
export interface HistoryWindows extends LabelledWindows {
  /** Open of the first and of the last bar of each window, epoch ms UTC. */
  readonly begins: Float64Array;
  readonly ends: Float64Array;
}

/** Of windows without a shape about one in so many is kept. */
const NONE_EVERY = 8;

/**
 * Windows of one series, labelled by the chart detectors: one that ends at the bar whose close confirmed a shape which
 * lies within it, and, as `none`, some of those in which no detector confirmed a chart shape on any of the last ten bars.
 * Bars at which shapes of two classes were confirmed are left out.
 *
 * A label is what was known at the close of the last bar: with later bars added or changed, the windows up to a bar stay
 * the same.
 * @param seed draws which windows without a shape are kept, by the time of their last bar.
 */
export function historyWindows(candles: Candles, seed: number): HistoryWindows {
  const { time } = candles;
  const classes = shapeClasses(candles);
  const kept: number[] = [];
  for (let end = WINDOW_BARS - 1; end < time.length; end++) {
    if (classes[end] > 0 || (classes[end] === 0 && isDrawn(seed, time[end]))) kept.push(end);
  }
  const values = new Float32Array(kept.length * WINDOW_VALUES);
  const ends: number[] = [];
  for (const end of kept) {
    if (writeWindow(candles, end, values, ends.length * WINDOW_VALUES)) ends.push(end);
  }
  return {
    values: values.slice(0, ends.length * WINDOW_VALUES),
    labels: Uint8Array.from(ends, (end) => classes[end]),
    begins: Float64Array.from(ends, (end) => time[end - WINDOW_BARS + 1]),
    ends: Float64Array.from(ends, (end) => time[end]),
  };
}

function isDrawn(seed: number, time: number): boolean {
  return drawWord(seed, Math.floor(time / 60_000), 0) % NONE_EVERY === 0;
}

/**
 * Cuts windows of one or more series into parts that follow each other in time, of about the given shares of the windows.
 * A window belongs to the part in which it ends, and to none where it began before that part did, so that no bar is in two.
 * @param shares of all parts; they sum to 1.
 */
export function splitHistory(sets: readonly HistoryWindows[], shares: readonly number[]): LabelledWindows[] {
  const all = sets.flatMap(({ labels, begins, ends, values }) =>
    Array.from(labels, (label, n) => {
      const window = values.subarray(n * WINDOW_VALUES, (n + 1) * WINDOW_VALUES);
      return { label, begin: begins[n], end: ends[n], window };
    }),
  );
  const ordered = all.sort((a, b) => a.end - b.end);
  let [from, passed] = [Number.NEGATIVE_INFINITY, 0];
  return shares.map((share, part) => {
    passed += share;
    const place = Math.round(passed * ordered.length);
    const to = part === shares.length - 1 ? Number.POSITIVE_INFINITY : (ordered[place]?.end ?? from);
    const chosen = ordered.filter(({ begin, end }) => begin >= from && end < to);
    from = to;
    const values = new Float32Array(chosen.length * WINDOW_VALUES);
    for (const [n, { window }] of chosen.entries()) values.set(window, n * WINDOW_VALUES);
    return { values, labels: Uint8Array.from(chosen, ({ label }) => label) };
  });
}
