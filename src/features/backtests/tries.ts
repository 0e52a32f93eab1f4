import { randomUUID } from "node:crypto";
import type { BarRange } from "../../core/backtest/folds.js";
import type { Values } from "../../core/strategies/parameters.js";
import { defineTask, type Workers } from "../../platform/workers.js";
import type { Candidates } from "./candidates.js";
import type { Objective } from "./jobs-order.js";
import { type RunSeries, runSeriesOf } from "./listings.js";
import type { Chosen } from "./order.js";
import type { RunData } from "./series.js";
import type { TrialOfPoint, TrialsOrder } from "./trials-worker.js";

/** Tries values of a strategy in a thread. */
export const TRY = defineTask<TrialsOrder, TrialOfPoint[]>(new URL("./trials-worker.js", import.meta.url));
/**
 * Bars of the first tasks, and how long later ones should take: after that a thread is free for others. Below the least
 * one, more is lost between tasks than by threads that do not end together.
 */
const FIRST_BARS = 200_000;
const TASK_MS = 100;
const LEAST_MS = 10;
/** Tasks of one job at a time. */
const AT_ONCE = 2;

export interface Tried {
  readonly values: Values;
  readonly trial: TrialOfPoint;
  readonly score: number | null;
}

export interface TriesOptions {
  readonly workers: Workers;
  readonly data: RunSeries & Pick<RunData, "terms">;
  readonly objective: Objective;
  readonly window: BarRange | null;
  /** Whether columns by bar are wanted, too. */
  readonly byBar: boolean;
  readonly signal: AbortSignal;
  /** Is given each part that was tried, in their order, as soon as those before it are there. */
  onTried(tried: readonly Tried[]): Promise<void>;
}

/** Tries all candidates in threads; in the order in which they were given, whatever thread was first. */
export async function tryAll(
  { strategy }: Chosen,
  candidates: Candidates,
  options: TriesOptions,
): Promise<Tried[]> {
  const tried: Tried[] = [];
  const sweep = randomUUID();
  for (let points = candidates.next(); points.length > 0; points = candidates.next()) {
    for (const each of await tryPoints({ strategyId: strategy.id, sweep }, points, options)) {
      candidates.tell(each.values, each.score);
      tried.push(each);
    }
  }
  return tried;
}

async function tryPoints(
  named: Pick<TrialsOrder, "strategyId" | "sweep">,
  points: readonly Values[],
  options: TriesOptions,
): Promise<Tried[]> {
  const { workers, data, objective, window, byBar, signal, onTried } = options;
  const { series, terms } = data;
  const bars = Math.max(1, window?.to ?? series.reduce((sum, { time }) => sum + time.length, 0));
  let size = Math.max(1, Math.floor(FIRST_BARS / bars));
  /** The least that a point has taken, which is without waiting for a thread. */
  let pace = Number.POSITIVE_INFINITY;
  let begun = 0;
  let parts = 0;
  const found: Tried[][] = [];
  const told = inOrder(onTried);
  const work = async () => {
    while (begun < points.length) {
      signal.throwIfAborted();
      const part = points.slice(begun, begun + size);
      begun += part.length;
      const place = parts++;
      const order = { ...named, points: part, ...runSeriesOf(data), terms, window, byBar };
      const started = performance.now();
      const trials = await workers.run(TRY, order, { signal });
      pace = Math.min(pace, (performance.now() - started) / part.length);
      // The last tasks are small, so that all threads end together.
      const share = Math.ceil((points.length - begun) / (2 * AT_ONCE));
      size = Math.max(1, Math.floor(LEAST_MS / pace), Math.min(share, Math.floor(TASK_MS / pace)));
      found[place] = trials.map((trial, i) => {
        return { values: part[i], trial, score: scoreOf(trial, objective) };
      });
      await told.give(place, found[place]);
    }
  };
  const lanes = await Promise.allSettled(Array.from({ length: AT_ONCE }, work));
  // What was tried counts, whatever came of the rest.
  await told.end();
  for (const lane of lanes) if (lane.status === "rejected") throw lane.reason;
  return found.flat();
}

/** Hands parts on in their order, whichever was there first. */
function inOrder<T>(hand: (part: T) => Promise<void>) {
  const waiting = new Map<number, T>();
  let next = 0;
  let last = Promise.resolve();
  return {
    give(place: number, part: T): Promise<void> {
      waiting.set(place, part);
      for (let due = waiting.get(next); due !== undefined; due = waiting.get(next)) {
        const now = due;
        waiting.delete(next++);
        last = last.then(() => hand(now));
      }
      return last;
    },
    /** Hands on what is left where one before it never came. */
    async end(): Promise<void> {
      await last;
      const left = [...waiting].sort(([a], [b]) => a - b);
      waiting.clear();
      for (const [, part] of left) await hand(part);
    },
  };
}

/** The higher the better; null where there is nothing to tell of. */
export function scoreOf({ sample, totalReturn, trades }: TrialOfPoint, objective: Objective): number | null {
  if (objective === "total_return") return totalReturn;
  return trades === 0 && sample === null ? null : (sample?.sharpe ?? null);
}

/** The highest score, of equal ones the first; null where none has one. */
export function bestOf(tried: readonly Tried[]): Tried | null {
  let best: Tried | null = null;
  for (const each of tried) {
    if (each.score !== null && each.score > (best?.score ?? Number.NEGATIVE_INFINITY)) best = each;
  }
  return best;
}
