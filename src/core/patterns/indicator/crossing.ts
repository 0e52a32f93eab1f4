import type { Sign } from "../candlestick/define.js";

/** Mark of a bar at which a line has no value; others are 1 above what it is compared with, -1 below, 0 on it. */
export const UNKNOWN = 2;

export function sideOf(difference: number): number {
  if (difference > 0) return 1;
  return difference < 0 ? -1 : difference === 0 ? 0 : UNKNOWN;
}

/** Bars that a line may lie on the other before it is on the far side. */
export const TOUCH_BARS = 10;

/**
 * 1 where the line is above at bar `at` and was below when it was last on a side, -1 the other way round, else 0.
 * A line that leaves the other on the side it came from has not crossed it.
 */
export function crossing(sides: Int8Array, at: number): Sign | 0 {
  const now = sides[at];
  if (now !== 1 && now !== -1) return 0;
  const least = Math.max(0, at - 1 - TOUCH_BARS);
  let i = at - 1;
  while (i >= least && sides[i] === 0) i--;
  return i >= least && sides[i] === -now ? now : 0;
}

/** The bars in [from, to) at which the line crosses the other. */
export function crossingsIn(sides: Int8Array, from: number, to: number): number[] {
  const bars: number[] = [];
  for (let at = from; at < to; at++) if (crossing(sides, at) !== 0) bars.push(at);
  return bars;
}

/** Where a crossing has gone: the side that it leaves its line on. */
export function wentTo(sides: Int8Array, at: number): Sign {
  return sides[at] === 1 ? 1 : -1;
}
