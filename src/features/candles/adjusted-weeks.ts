import { lowerBound } from "../../core/base/search.js";
import type { Effect } from "../../core/market/adjust.js";
import { startOfDay } from "../../core/market/adjust.js";
import { barClose } from "../../core/market/bar-times.js";
import type { Candles } from "../../core/market/candles.js";
import { resample } from "../../core/market/resample.js";
import { calendarOf } from "../../core/market/session.js";
import type { CandleSet } from "./candles.js";

/**
 * Weeks in whose midst an action falls are made anew, of days in the same view: as they are stored they mix prices from
 * before and after it. Where there are no days they stay, by the price of their open.
 */
export async function mendWeeks(
  shown: Candles,
  { instrument }: CandleSet,
  effects: readonly Effect[],
  daysOf: (from: number, to: number) => Promise<Candles | null>,
): Promise<Candles> {
  if (shown.interval !== "1w") return shown;
  const calendar = calendarOf(instrument.calendar);
  const moved = new Set<number>();
  for (const { action, effect } of effects) {
    if (effect !== "applied" && effect !== "undone") continue;
    const at = startOfDay(calendar, action.exDay);
    const week = lowerBound(shown.time, at) - 1;
    if (week >= 0 && at < barClose(calendar, "1w", shown.time[week])) moved.add(week);
  }
  if (moved.size === 0) return shown;
  const mended = structuredClone(shown);
  for (const week of moved) {
    const open = shown.time[week];
    const days = await daysOf(open, barClose(calendar, "1w", open));
    const made = days === null ? null : resample(days, "1w", calendar);
    if (made === null || made.time[0] !== open) continue;
    for (const column of ["open", "high", "low", "close", "volume"] as const) {
      mended[column][week] = made[column][0];
    }
  }
  return mended;
}
