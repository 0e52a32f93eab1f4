import { allocateTicks, joinTicks, type Ticks } from "../../core/ticks/tick.js";
import { AppError, messageOf } from "../../platform/errors.js";
import type { Log } from "../../platform/log.js";
import type { KeyedPart, TickGroup, TickLog } from "./tick-log.js";

/** Ticks that came together, by the numbers of the pipeline's symbols. */
export interface TickBatch {
  readonly ticks: Ticks;
  /** Chosen by the sender for one batch: sent again under it, it is answered and not taken again. */
  readonly key: string | null;
  /** Of all that was sent, where that was more than these ticks. */
  readonly fingerprint?: string | null;
  /** Symbols whose recording has ended: such a batch has no ticks. */
  readonly ended?: readonly number[];
}

export interface IntakeLimits {
  /** Ticks that are kept together at most. */
  readonly groupTicks: number;
  /** Ticks that may wait: more are refused until some are kept. */
  readonly waitingTicks: number;
  /** How often a group of which it is not known whether it is kept is tried again, and after what time, ms. */
  readonly attempts: number;
  readonly pauseMs: number;
}

export const INTAKE_LIMITS: IntakeLimits = Object.freeze({
  groupTicks: 50_000,
  waitingTicks: 1_000_000,
  attempts: 20,
  pauseMs: 250,
});

/** What is done with groups once they are kept: in their order, one verdict a tick. Without ticks or symbols that ended, time has passed. */
export type Feed = (group: TickGroup, ticks: Ticks, ended: readonly number[]) => Promise<Uint8Array>;

interface Waiting extends TickBatch {
  readonly settle: (verdicts: Uint8Array) => void;
  readonly fail: (error: unknown) => void;
}

/**
 * Takes ticks in: what arrives while a group is being kept makes the next one. A batch is answered once it is kept and
 * judged, so what was answered is never lost.
 */
export interface Intake {
  /**
   * A verdict for each tick.
   * @throws {AppError} `overloaded` where too many wait, `pipeline_elsewhere`, `database_unavailable` where it is not known
   * whether they were kept.
   */
  take(batch: TickBatch): Promise<Uint8Array>;
  /** Keeps that time has passed, after what came before. */
  pass(): Promise<void>;
  /** Keeps that the recordings of symbols have ended, after what came before. */
  end(symbols: readonly number[]): Promise<void>;
  waiting(): number;
  /** Resolves when nothing waits. */
  idle(): Promise<void>;
  /** Fails what waits: nothing is taken any more, and nothing tried again. */
  stop(error: unknown): void;
}

export interface IntakeParts {
  readonly log: Log;
  readonly tickLog: TickLog;
  readonly encode: (ticks: Ticks, ended: readonly number[]) => Uint8Array;
  readonly feed: Feed;
  /** Place of the newest group that is kept. */
  readonly newest: number;
  readonly now: () => number;
  readonly sleep: (ms: number) => Promise<void>;
  /** Called where the order of groups is not known any more: nothing is taken after it. */
  readonly onLost: (error: unknown) => void;
  readonly onKept?: (ms: number) => void;
  readonly limits?: IntakeLimits;
}

export function createIntake(parts: IntakeParts): Intake {
  const { log, tickLog, encode, feed, now, sleep, onLost, limits = INTAKE_LIMITS } = parts;
  const queue: Waiting[] = [];
  let waitingTicks = 0;
  let newest = parts.newest;
  let lost: unknown = null;
  let pumping: Promise<void> | null = null;

  function enqueue(batch: TickBatch): Promise<Uint8Array> {
    if (lost !== null) return Promise.reject(lost);
    const count = batch.ticks.time.length;
    if (waitingTicks > 0 && waitingTicks + count > limits.waitingTicks) {
      const detail = `${waitingTicks} ticks wait to be kept`;
      return Promise.reject(new AppError("overloaded", detail, { retryAfterS: 1 }));
    }
    return new Promise((settle, fail) => {
      queue.push({ ...batch, settle, fail });
      waitingTicks += count;
      start();
    });
  }

  function start(): void {
    pumping ??= pump().finally(() => {
      pumping = null;
      if (queue.length > 0) start();
    });
  }

  function end(error: unknown): void {
    lost ??= error;
    for (const { ticks, fail } of queue.splice(0)) {
      waitingTicks -= ticks.time.length;
      fail(error);
    }
  }

  async function pump(): Promise<void> {
    // What arrives in the same turn of the loop is kept together.
    await null;
    while (queue.length > 0) {
      const batches = nextOf(queue, limits.groupTicks);
      const ticks = joinTicks(batches.map((batch) => batch.ticks));
      const count = ticks.time.length;
      // One that has no ticks stands by itself.
      const { ended = [] } = batches[0];
      try {
        const group: TickGroup = {
          sequence: newest + 1,
          receivedAt: now(),
          ticks: count,
          frame: encode(ticks, ended),
          parts: partsOf(batches),
        };
        const started = performance.now();
        await keep(group);
        parts.onKept?.(performance.now() - started);
        newest = group.sequence;
        answer(batches, feed(group, ticks, ended));
      } catch (error) {
        const isStopped = lost !== null;
        for (const { fail } of batches) fail(error);
        end(error);
        if (!isStopped) onLost(error);
      } finally {
        waitingTicks -= count;
      }
    }
  }

  /** Tries until it is known that the group is kept. */
  async function keep(group: TickGroup): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      try {
        await tickLog.append(group);
        return;
      } catch (error) {
        const isElsewhere = error instanceof AppError && error.code === "pipeline_elsewhere";
        if (isElsewhere || lost !== null || attempt >= limits.attempts) throw error;
        log.warn({ attempt, reason: messageOf(error) }, "ticks are not kept yet; trying again");
        await sleep(limits.pauseMs);
      }
    }
  }

  return {
    take: enqueue,
    async pass() {
      await enqueue({ ticks: allocateTicks(0), key: null });
    },
    async end(ended) {
      await enqueue({ ticks: allocateTicks(0), key: null, ended });
    },
    waiting: () => waitingTicks,
    async idle() {
      while (pumping !== null) await pumping;
    },
    stop: end,
  };
}

/** Takes the batches of the next group from a queue: at least one, and so many as fit. */
function nextOf(queue: Waiting[], groupTicks: number): Waiting[] {
  let count = 0;
  let batches = 0;
  // A record of time stands by itself.
  const isTime = queue[0].ticks.time.length === 0;
  for (const { ticks } of queue) {
    const { length } = ticks.time;
    if (batches > 0 && (isTime || length === 0 || count + length > groupTicks)) break;
    count += length;
    batches++;
  }
  return queue.splice(0, batches);
}

function answer(batches: readonly Waiting[], verdicts: Promise<Uint8Array>): void {
  verdicts.then(
    (all) => {
      let from = 0;
      for (const { ticks, settle } of batches) {
        settle(all.subarray(from, from + ticks.time.length));
        from += ticks.time.length;
      }
    },
    (error: unknown) => {
      for (const { fail } of batches) fail(error);
    },
  );
}

/** Where batches with a key lie among the rows of their group. */
function partsOf(batches: readonly Waiting[]): KeyedPart[] {
  let from = 0;
  return batches.flatMap(({ ticks, key, fingerprint = null }) => {
    const part = { from, to: from + ticks.time.length };
    from = part.to;
    if (key === null) return [];
    return fingerprint === null ? [{ key, ...part }] : [{ key, ...part, fingerprint }];
  });
}
