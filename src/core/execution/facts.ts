import { barClose } from "../market/bar-times.js";
import type { Interval } from "../market/interval.js";
import { type Calendar, lastOpened } from "../market/session.js";

/** What is known of a bar beside its prices; instants in epoch ms. */
export interface BarFacts {
  /** First instant after the bar. */
  readonly until: number;
  /** Within a regular session, and its first and its last bar. */
  readonly regular: boolean;
  readonly first: boolean;
  readonly last: boolean;
  /** Average range of the bars before; NaN while it is not known. */
  readonly range: number;
}

/** Facts of a bar by the calendar; a weekly bar is the first and the last of its week. */
export function factsOf(
  calendar: Calendar,
  interval: Interval,
  timeMs: number,
  range = Number.NaN,
): BarFacts {
  const until = barClose(calendar, interval, timeMs);
  const index = lastOpened(calendar, timeMs);
  const regular = index >= 0 && timeMs < calendar.close[index];
  return {
    until,
    regular,
    first: regular && timeMs === calendar.open[index],
    last: regular && until >= calendar.close[index],
    range,
  };
}
