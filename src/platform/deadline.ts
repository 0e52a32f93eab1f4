import { AsyncLocalStorage } from "node:async_hooks";

const deadlines = new AsyncLocalStorage<number>();

/** Runs work for somebody who waits no longer than this; whatever it asks of others shares the time. */
export function within<T>(ms: number, work: () => T): T {
  const end = Math.min(performance.now() + ms, deadlines.getStore() ?? Number.POSITIVE_INFINITY);
  return deadlines.run(end, work);
}

/** Runs work that outlives whoever set it off: it has this time of its own, and nothing of theirs. */
export function apart<T>(ms: number, work: () => T): T {
  return deadlines.run(performance.now() + ms, work);
}

/** How long the caller still waits; infinite where nobody does. May be negative. */
export function timeLeftMs(): number {
  return (deadlines.getStore() ?? Number.POSITIVE_INFINITY) - performance.now();
}

/** The outcome of work that others may have begun, unless it comes too late for the caller. */
export async function inTime<T>(work: Promise<T>, late: () => Error): Promise<T> {
  const ms = timeLeftMs();
  if (ms === Number.POSITIVE_INFINITY) return work;
  let timer: NodeJS.Timeout | undefined;
  const end = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(late()), Math.max(0, ms));
  });
  try {
    return await Promise.race([work, end]);
  } finally {
    clearTimeout(timer);
  }
}
