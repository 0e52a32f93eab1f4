import { sleep } from "../platform/clock.js";
import { messageOf } from "../platform/errors.js";
import { announcing } from "../platform/http-client.js";
import type { Log } from "../platform/log.js";
import type { Metrics } from "../platform/metrics.js";
import { createBreaker, isAnswer, isOutage } from "./breaker.js";
import { type Budget, type BudgetStore, createBudget, UNLIMITED } from "./budget.js";
import type { SourceCall } from "./called.js";
import { type Provider, ProviderError } from "./define.js";
import { createRecord, type ProviderHealth, type ProviderRecord, type Scope } from "./record.js";
import { createTurns } from "./turns.js";

export type { ProviderHealth } from "./record.js";

export interface Guard {
  /**
   * Work that only reads, so that it may be done again. Its requests are counted against the budget of the source.
   * Work that makes none says nothing of how the source is: it counts as neither success nor failure.
   * @param scope what a failure says something of. On this machine, where one file may be broken, it is the thing that
   * was asked for unless this says otherwise, elsewhere the source.
   * @throws {ProviderError} for every way of not getting an answer within the limit.
   */
  run<T>(work: (signal: AbortSignal) => Promise<T>, limitMs: number, scope?: Scope): Promise<T>;
  /** Work that makes no call, as a look at what there is: only a failure of it counts. @throws {ProviderError} */
  look<T>(work: () => Promise<T>): Promise<T>;
  /** Whether it would be asked now. */
  isReady(): boolean;
  health(): ProviderHealth;
  /** Looks at what all instances used of its budget. */
  refresh(): Promise<void>;
}

/** What a guard has to know of a source. */
export type Guarded = Pick<Provider, "name" | "title" | "synthetic" | "remote" | "concurrency" | "quota">;

export interface GuardTools {
  readonly now: () => number;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly budgets: BudgetStore;
  /** Uniform in [0, 1): so that those who wait do not come back all at once. */
  readonly dice: () => number;
  /** Hears of each question to a source. */
  readonly onCall?: (call: SourceCall) => void;
  /** Takes keys out of a text. */
  readonly scrub: (text: string) => string;
}

const RETRIES = 2;
const PAUSE_MS = 150;

/** Limits, repeats and, after refusals and repeated failures, withholds the calls to one source. */
export function createGuard(provider: Guarded, tools: GuardTools): Guard {
  const { now, metrics, scrub, budgets: store } = tools;
  const { name, quota } = provider;
  const labels = { provider: name };
  const budget =
    quota === undefined ? UNLIMITED : createBudget({ provider: provider.name, quota, store, now });
  const record = createRecord(provider, tools);
  const breaker = createBreaker({ now, onOpen: record.onOpen, onClose: record.onClose });
  const turns = createTurns(provider.concurrency);
  const attempt = createAttempt(provider, budget, scrub);
  metrics.providerAvailable.set(labels, 1);

  /** Tries again after failures that pass, and after the pause that a refusal asks for, while there is time. */
  async function repeated<T>(
    work: (signal: AbortSignal) => Promise<T>,
    time: Time,
    reach: Reach,
  ): Promise<T> {
    const { signal, endsAt } = time;
    let waitedUntil = 0;
    for (let tries = 0; ; tries++) {
      // A refusal counts at once, for those that wait for their turn, too.
      record.requireWelcome(waitedUntil);
      try {
        return await attempt(() => work(signal), reach);
      } catch (error) {
        if (!(error instanceof ProviderError)) throw error;
        const pause = tries < RETRIES && !signal.aborted ? pauseMs(error, tries, tools.dice()) : null;
        waitedUntil = record.onRefusal(error);
        if (pause === null || performance.now() + pause >= endsAt) throw error;
        await sleep(pause, signal);
      }
    }
  }

  return {
    async run(work, limitMs, scope = provider.remote ? "source" : "thing") {
      record.requireWelcome(0);
      const started = performance.now();
      let outcome = "ok";
      let ok = false;
      const time = createTime(limitMs);
      const reach: Reach = { asked: false };
      try {
        // The breaker hears of a source that lets the time run out, whatever becomes of the work.
        const result = await breaker.run(
          () => turns.take(time.signal, () => Promise.race([repeated(work, time, reach), time.over])),
          time.over,
          // One thing on this machine that cannot be read is no reason to do without the others.
          () => reach.asked && provider.remote,
        );
        if (reach.asked) record.onSuccess(performance.now() - started);
        ok = true;
        return result;
      } catch (thrown) {
        const error = redacted(thrown, scrub);
        outcome = error.failure;
        const counts = reach.asked && record.onFailure(error, scope);
        ok = isAnswer(error) && !counts;
        throw error;
      } finally {
        time.close();
        const ms = performance.now() - started;
        if (outcome === "set_aside" || reach.asked) {
          metrics.providerRequests.inc({ ...labels, outcome });
          metrics.providerSeconds.observe(labels, ms / 1_000);
        }
        if (outcome !== "set_aside" && reach.asked) tools.onCall?.({ source: name, ms, ok });
      }
    },
    async look(work) {
      const started = performance.now();
      try {
        return await work();
      } catch (thrown) {
        if (!(thrown instanceof ProviderError)) throw thrown;
        const error = redacted(thrown, scrub);
        record.onFailure(error, "thing");
        metrics.providerRequests.inc({ ...labels, outcome: error.failure });
        if (!isAnswer(error)) tools.onCall?.({ source: name, ms: performance.now() - started, ok: false });
        throw error;
      }
    },
    isReady: () => asideUntil(record, breaker, budget) <= now(),
    health: () => record.health(breaker, budget),
    refresh: budget.refresh,
  };
}

function asideUntil(
  record: ProviderRecord,
  breaker: { openUntil(): number },
  budget: { returnsAt(): number },
): number {
  return Math.max(record.refusedUntil(), breaker.openUntil(), budget.returnsAt());
}

/** Whether a question has reached its source so far. */
interface Reach {
  asked: boolean;
}

/** One try, each request of which is in the budget. */
function createAttempt({ remote }: Guarded, budget: Budget, scrub: (text: string) => string) {
  return async function attempt<T>(work: () => Promise<T>, reach: Reach): Promise<T> {
    const announce = async () => {
      await budget.take();
      reach.asked = true;
    };
    // A source on this machine makes no requests: it is asked at once, and has nothing of the kind where it gives null.
    reach.asked ||= !remote;
    try {
      const value = await announcing(announce, work);
      if (!remote && value === null) reach.asked = false;
      return value;
    } catch (error) {
      throw redacted(error, scrub);
    }
  };
}

interface Time {
  readonly signal: AbortSignal;
  /** As `performance.now` counts. */
  readonly endsAt: number;
  /** Rejects when the time is over. */
  readonly over: Promise<never>;
  close(): void;
}

function createTime(limitMs: number): Time {
  const giving = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  const over = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () => {
        reject(new ProviderError("timeout", "no answer in time"));
        giving.abort();
      },
      Math.max(0, limitMs),
    );
  });
  // Nobody may be left to hear it.
  over.catch(() => undefined);
  return {
    signal: giving.signal,
    endsAt: performance.now() + limitMs,
    over,
    close: () => clearTimeout(timer),
  };
}

/** How long to wait before the next try; null for none. @param die uniform in [0, 1). */
function pauseMs(error: ProviderError, tries: number, die: number): number | null {
  const { failure, retryAfterMs } = error;
  const passes = isOutage(error) && failure !== "bad_payload";
  const invited = failure === "rate_limited" && retryAfterMs !== null;
  if (!passes && !invited) return null;
  const pause = PAUSE_MS * 2 ** tries * (0.5 + die);
  return Math.max(pause, retryAfterMs ?? 0);
}

/** The error of a source as it may be shown: no keys, whoever wrote the text. */
function redacted(error: unknown, scrub: (text: string) => string): ProviderError {
  const message = scrub(messageOf(error)).replace(KEYS, "$1***");
  if (!(error instanceof ProviderError)) return new ProviderError("unavailable", message, { cause: error });
  if (message === error.message) return error;
  const { failure, retryAfterMs, cause, whole } = error;
  return new ProviderError(failure, message, { cause, retryAfterMs, whole });
}

const KEYS = /\b((?:api_?key|access_token|token|crumb|secret)=)[^&\s"']+/gi;
