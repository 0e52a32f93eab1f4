import { setTimeout as delay } from "node:timers/promises";
import { parseDay } from "../core/market/day.js";

/** Where the time comes from. `now` is wall time in epoch ms; `elapsed` is monotonic, for durations. */
export interface Clock {
  now(): number;
  elapsed(): number;
}

export const systemClock: Clock = {
  now: () => Date.now(),
  elapsed: () => performance.now(),
};

/** A timer set for longer than this fires at once. */
export const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** Resolves after `ms`, however long, or at once when the signal aborts. Never rejects. */
export async function sleep(ms: number, signal?: AbortSignal): Promise<void> {
  try {
    for (let left = ms; left >= 0; left -= LONGEST_TIMER_MS) {
      await delay(Math.min(left, LONGEST_TIMER_MS), undefined, signal === undefined ? {} : { signal });
    }
  } catch (error) {
    if (signal?.aborted !== true) throw error;
  }
}

const INSTANT =
  /^(?<date>\d{4}-\d{2}-\d{2})(?<time>T\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?)?(?<zone>Z|[+-]\d{2}:\d{2})?$/;

/** Epoch ms of an ISO 8601 date or date-time; UTC where it names no offset. Null for any other text. */
export function parseInstant(text: string): number | null {
  const { date = "", time, zone = "Z" } = INSTANT.exec(text)?.groups ?? {};
  if (parseDay(date) === null || (time === undefined && zone !== "Z")) return null;
  const ms = Date.parse(`${date}${time ?? "T00:00"}${zone}`);
  return Number.isNaN(ms) ? null : ms;
}
