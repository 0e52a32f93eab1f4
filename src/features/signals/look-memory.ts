import { LRUCache } from "lru-cache";
import type { Candles } from "../../core/market/candles.js";
import { defineTask, type Workers } from "../../platform/workers.js";
import type { Look, LookTask } from "./worker.js";

const LOOK = defineTask<LookTask, Look>(new URL("./worker.js", import.meta.url));
/** Windows that are remembered, of 25 kB each: four intervals of a hundred symbols. */
const MOST = 400;
const COLUMNS = ["time", "open", "high", "low", "close", "volume"] as const;

/** @param key of a symbol and interval, of which the newest window is remembered. */
export type LookAt = (key: string, task: LookTask) => Promise<Look>;

/**
 * Looks at windows of bars in a thread, and at one that was looked at last not again: of the intervals of a signal most have
 * had no bar since the one before. What a look finds hangs on the bars alone, which are compared to the last number.
 */
export function createLookMemory(workers: Pick<Workers, "run">, most = MOST): LookAt {
  const known = new LRUCache<string, { readonly task: LookTask; readonly look: Promise<Look> }>({
    max: most,
  });

  return (key, task) => {
    const before = known.get(key);
    if (before !== undefined && isSame(before.task, task)) return before.look;
    const entry = { task, look: workers.run(LOOK, task) };
    known.set(key, entry);
    entry.look.catch(() => {
      if (known.peek(key) === entry) known.delete(key);
    });
    return entry.look;
  };
}

function isSame(one: LookTask, other: LookTask): boolean {
  return one.from === other.from && isSameWindow(one.candles, other.candles);
}

function isSameWindow(one: Candles, other: Candles): boolean {
  if (one.symbol !== other.symbol || one.interval !== other.interval) return false;
  if (one.time.length !== other.time.length) return false;
  for (const name of COLUMNS) {
    const [a, b] = [one[name], other[name]];
    // From the newest bar back, where two windows differ if they do; values that are not known are the same.
    for (let i = a.length - 1; i >= 0; i--) if (!Object.is(a[i], b[i])) return false;
  }
  return true;
}
