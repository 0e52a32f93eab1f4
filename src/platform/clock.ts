import { setTimeout as delay } from "node:timers/promises";

/** Where the time comes from. `now` is wall time in epoch ms; `elapsed` is monotonic, for durations. */
export interface Clock {
  now(): number;
  elapsed(): number;
}

export const systemClock: Clock = {
  now: () => Date.now(),
  elapsed: () => performance.now(),
};

/** Resolves after `ms`, or at once when the signal aborts. Never rejects. */
export async function sleep(ms: number, signal?: AbortSignal): Promise<void> {
  try {
    await delay(ms, undefined, signal === undefined ? {} : { signal });
  } catch (error) {
    if (signal?.aborted !== true) throw error;
  }
}
