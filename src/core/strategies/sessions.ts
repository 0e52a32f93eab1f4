import type { Candles } from "../market/candles.js";
import { DAY_MS } from "../market/day.js";
import { INTERVAL_MS } from "../market/interval.js";
import { type Calendar, sessionsOpened } from "../market/session.js";

/** Where bars lie in their sessions; columns of the length of the bars. */
export interface SessionColumns {
  /** Number of the session, ascending. */
  readonly session: Float64Array;
  /** Minutes from the open of the session to that of the bar. */
  readonly minutes: Float64Array;
  /**
   * Bars that are still to open in the session by the clock, half days with them: what is decided where there are none is filled in the
   * next session. Infinity where the hours are not known.
   */
  readonly left: Float64Array;
}

/**
 * @param calendar null, and before its first session, takes days of UTC for sessions, from the first bar of each, whose ends nobody knows.
 */
export function sessionColumns({ time, interval }: Candles, calendar: Calendar | null): SessionColumns {
  const { length } = time;
  const session = new Float64Array(length);
  const minutes = new Float64Array(length);
  const left = new Float64Array(length).fill(Number.POSITIVE_INFINITY);
  const opened = calendar === null ? null : sessionsOpened(calendar, time);
  let start = 0;
  for (let i = 0; i < length; i++) {
    const index = opened === null ? -1 : opened[i];
    if (calendar === null || index < 0) {
      session[i] = Math.floor(time[i] / DAY_MS);
      if (i === 0 || session[i] !== session[i - 1]) start = time[i];
    } else {
      session[i] = index;
      start = calendar.open[index];
      left[i] = Math.ceil((calendar.close[index] - time[i]) / INTERVAL_MS[interval]) - 1;
    }
    minutes[i] = (time[i] - start) / 60_000;
  }
  return { session, minutes, left };
}

/**
 * Whether a position of the day has to be left at the close of bar `i`: the order is filled at the open of the last bar of the session, or
 * later where that is missing.
 */
export function isOver({ session, left }: SessionColumns, i: number): boolean {
  return left[i] <= 1 || (i > 0 && session[i] !== session[i - 1]);
}

/** Whether what is entered after bar `i` can be left again in its session. */
export function mayEnter({ left }: SessionColumns, i: number): boolean {
  return left[i] >= 2;
}
