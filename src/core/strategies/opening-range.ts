import type { Candles } from "../market/candles.js";
import { INTERVAL_MS, isIntraday } from "../market/interval.js";
import { defineStrategy } from "./define.js";
import { bars, choice, number } from "./parameters.js";
import { isOver, mayEnter, type SessionColumns, sessionColumns } from "./sessions.js";

interface Ranges {
  /** Highest and lowest price of the first minutes of the day; NaN while they last. */
  readonly high: Float64Array;
  readonly low: Float64Array;
  /** Side of the first close beyond them, at its bar alone; 0 elsewhere. */
  readonly breaks: Int8Array;
}

function rangesOf(
  { time, high, low, close }: Candles,
  { session, minutes }: SessionColumns,
  rangeMinutes: number,
): Ranges {
  const { length } = time;
  const top = new Float64Array(length).fill(Number.NaN);
  const bottom = new Float64Array(length).fill(Number.NaN);
  const breaks = new Int8Array(length);
  let most = Number.NaN;
  let least = Number.NaN;
  let broken = false;
  for (let i = 0; i < length; i++) {
    if (i === 0 || session[i] !== session[i - 1]) {
      most = Number.NEGATIVE_INFINITY;
      least = Number.POSITIVE_INFINITY;
      broken = false;
    }
    if (minutes[i] < rangeMinutes) {
      most = Math.max(most, high[i]);
      least = Math.min(least, low[i]);
      continue;
    }
    // Its first minutes may be missing.
    if (most < least) continue;
    top[i] = most;
    bottom[i] = least;
    if (broken || (close[i] <= most && close[i] >= least)) continue;
    breaks[i] = close[i] > most ? 1 : -1;
    broken = true;
  }
  return { high: top, low: bottom, breaks };
}

export const openingRange = defineStrategy({
  id: "opening_range",
  title: "Opening Range",
  description:
    "Enters at the first close of the day beyond the range of its first minutes, with the other end for a stop and a multiple of the range for a target, and leaves late in the day, at the open of the last bar of the session at the latest.",
  needs: ["intraday"],
  parameters: {
    rangeMinutes: bars(30, "minutes of the opening range", 1, 240),
    targetRanges: number(1.5, [0.25, 10, 0.25], "distance of the target in ranges"),
    lastMinutes: bars(360, "minutes of the day after which it leaves", 2, 1_440),
    side: choice(["long", "both"], "both", "long alone, or both ways"),
  },
  constraints: [
    {
      text: "rangeMinutes must come before lastMinutes",
      holds: ({ rangeMinutes, lastMinutes }) => rangeMinutes < lastMinutes,
    },
  ],
  warmup: () => 1,
  misfit: (interval, { rangeMinutes }) =>
    isIntraday(interval) && INTERVAL_MS[interval] > rangeMinutes * 60_000
      ? `needs bars no longer than the opening range of ${rangeMinutes} minutes, not ${interval}`
      : null,
  declare(candles, { rangeMinutes, targetRanges, lastMinutes, side }, _, calendar = null) {
    const sessions = sessionColumns(candles, calendar);
    return {
      ...rangesOf(candles, sessions, rangeMinutes),
      sessions,
      close: candles.close,
      targetRanges,
      lastMinutes,
      isShort: side === "both",
    };
  },
  walk(stand) {
    const { i } = stand;
    const { high, low, breaks, sessions, close, targetRanges, lastMinutes, isShort } = stand.columns;
    const isLate = sessions.minutes[i] >= lastMinutes || isOver(sessions, i);
    if (isLate && (stand.held !== 0 || stand.waiting)) stand.exit("the day is over");
    const way = breaks[i];
    if (way === 0 || isLate || !mayEnter(sessions, i) || (way < 0 && !isShort)) return;
    const target = close[i] + way * targetRanges * (high[i] - low[i]);
    const stop = way > 0 ? low[i] : high[i];
    if (target > 0) stand.enter(way > 0 ? 1 : -1, { stop, target, why: "left the opening range" });
  },
});
