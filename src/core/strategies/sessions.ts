import { DAY_MS } from "../market/day.js";

/** Minutes from the open of the first bar of each bar's day, which is one of UTC, to its own. */
export function minutesIn(time: Float64Array): Float64Array {
  const minutes = new Float64Array(time.length);
  let start = 0;
  for (let i = 0; i < time.length; i++) {
    if (i === 0 || Math.floor(time[i] / DAY_MS) !== Math.floor(time[i - 1] / DAY_MS)) start = time[i];
    minutes[i] = (time[i] - start) / 60_000;
  }
  return minutes;
}
