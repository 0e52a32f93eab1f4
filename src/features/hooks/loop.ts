import type { Database, Sql } from "../../platform/database.js";
import { AppError } from "../../platform/errors.js";
import type { EventLog } from "../../platform/event-log.js";
import { type Lease, LeaseLostError, type Leases } from "../../platform/lease.js";
import type { Log } from "../../platform/log.js";
import type { LoopDefinition } from "../../platform/loop.js";
import type { CallStore, HookCall, Outcome } from "./call-store.js";
import { commandOf } from "./command.js";
import { type HookOrders, refusalOf } from "./orders.js";
import type { Hook } from "./store.js";
import { topicOfHook } from "./topics.js";
import { callView } from "./views.js";

export const HOOK_LEASE = "hooks";
const EVERY_MS = 1_000;
const LEASE_MS = 15_000;
const RENEW_MS = 3_000;
const TIMEOUT_MS = 120_000;
const BATCH = 100;

/** Another process, or this one before it lost the answer, has ended the call. */
class Settled extends Error {
  override readonly name = "Settled";
}

export interface HookLoopOptions {
  readonly database: Pick<Database, "transaction">;
  readonly eventLog: Pick<EventLog, "append" | "wake">;
  readonly leases: Leases;
  readonly callStore: CallStore;
  readonly orders: HookOrders;
  readonly now: () => number;
  readonly log: Log;
}

/** Does what calls ask for, one process for all, those of one hook in the order in which they came. */
export function createHookLoop(options: HookLoopOptions): LoopDefinition {
  const { leases, callStore, now } = options;
  const settle = createSettling(options);

  return {
    name: HOOK_LEASE,
    everyMs: () => EVERY_MS,
    timeoutMs: TIMEOUT_MS,
    async run(_nowMs, signal) {
      let lease = await leases.acquire(HOOK_LEASE, LEASE_MS);
      let renewedAt = now();
      /** Hooks of which a call waits for something that may pass: those after it wait with it. */
      const held = new Set<string>();
      while (lease !== null && !signal.aborted) {
        const batch = await callStore.waiting([...held], BATCH);
        if (batch.length === 0) return;
        const byHook = new Map<string, typeof batch>();
        for (const each of batch) byHook.set(each.hook.id, [...(byHook.get(each.hook.id) ?? []), each]);
        const holder = lease;
        const works = [...byHook].map(async ([id, calls]) => {
          for (const { call, hook } of calls) {
            if (signal.aborted) return;
            if (await settle(hook, call, holder)) continue;
            held.add(id);
            return;
          }
        });
        // All are over before a run is: the next one must not meet what this one is still at.
        const failed = (await Promise.allSettled(works)).find(({ status }) => status === "rejected");
        if (failed?.status === "rejected") throw failed.reason;
        if (now() - renewedAt < RENEW_MS) continue;
        lease = await leases.acquire(HOOK_LEASE, LEASE_MS);
        renewedAt = now();
      }
    },
  };
}

/** Ends one call. @returns false where it has to wait for something that may pass. */
type Settle = (hook: Hook, call: HookCall, lease: Lease) => Promise<boolean>;

function createSettling({
  database,
  eventLog,
  leases,
  callStore,
  orders,
  now,
  log,
}: HookLoopOptions): Settle {
  async function end(sql: Sql, hook: Hook, call: HookCall, lease: Lease, outcome: Outcome): Promise<void> {
    await leases.confirm(sql, lease);
    const ended = await callStore.settle(sql, call.id, outcome, now());
    if (ended === null) throw new Settled(`call ${call.id} has ended`);
    if (hook.mode !== "log") {
      await eventLog.append(sql, [{ topic: topicOfHook(hook.id), payload: callView(ended) }]);
    }
  }

  async function work(hook: Hook, call: HookCall, lease: Lease): Promise<void> {
    const finish = (outcome: Outcome) => database.transaction((sql) => end(sql, hook, call, lease, outcome));
    const isOnce = call.givenId !== null || hook.dedupeMinutes > 0;
    const duplicateOf = isOnce ? await callStore.same(call, hook.dedupeMinutes * 60_000) : null;
    if (duplicateOf !== null) return finish({ status: "duplicate", duplicateOf });
    if (hook.mode !== "order") return finish({ status: hook.mode === "log" ? "logged" : "noticed" });
    const waitedS = (now() - call.receivedAt) / 1_000;
    if (waitedS > hook.maxAgeS) {
      const detail = `It waited ${Math.round(waitedS)} seconds, and may wait ${hook.maxAgeS}`;
      return finish({ status: "refused", code: "too_old", detail });
    }
    const command = commandOf(call.fields, call.problem);
    if (command.kind === "unclear") return finish({ ...command, status: "refused" });
    try {
      await orders.perform(
        hook,
        call,
        command,
        (outcomeOf) => (sql, placed) => end(sql, hook, call, lease, outcomeOf(placed)),
      );
    } catch (error) {
      const refusal = refusalOf(error);
      if (refusal === null) throw error;
      await finish({ status: "refused", ...refusal });
    }
  }

  /** Ends a call whose work failed as nobody expects, unless it was done all the same. */
  async function fail(hook: Hook, call: HookCall, lease: Lease): Promise<void> {
    const outcome = { status: "refused", code: "internal", detail: "The server failed" } as const;
    try {
      await database.transaction((sql) => end(sql, hook, call, lease, outcome));
    } catch (error) {
      if (!(error instanceof Settled)) throw error;
    }
  }

  return async (hook, call, lease) => {
    try {
      await work(hook, call, lease);
    } catch (error) {
      if (error instanceof LeaseLostError) throw error;
      if (error instanceof Settled) return true;
      const passing = error instanceof AppError;
      log[passing ? "debug" : "error"](
        { err: error, call: call.id, hook: hook.id },
        "a call of a hook could not be done",
      );
      if (passing) return false;
      await fail(hook, call, lease);
    }
    // Published by whoever reads the log next; at once, where it is this process.
    eventLog.wake();
    return true;
  };
}
