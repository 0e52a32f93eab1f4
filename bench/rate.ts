import { setTimeout as sleep } from "node:timers/promises";

/** Calls that come at a steady rate a second, whether those before are answered or not. @returns ms of each, ascending. */
export async function callsAt(
  rate: number,
  count: number,
  one: (n: number) => Promise<void>,
): Promise<number[]> {
  const times: number[] = [];
  const underway: Promise<void>[] = [];
  const started = performance.now();
  for (let n = 0; n < count; n++) {
    const due = started + (1_000 * n) / rate;
    while (performance.now() < due) await sleep(Math.max(0, due - performance.now()));
    const sent = performance.now();
    underway.push(one(n).then(() => void times.push(performance.now() - sent)));
  }
  await Promise.all(underway);
  return times.sort((a, b) => a - b);
}

/** The time that a share of calls, 0..1, took at most. @param times ascending. */
export function at(times: readonly number[], share: number): number {
  return times[Math.min(times.length - 1, Math.floor(share * times.length))];
}
