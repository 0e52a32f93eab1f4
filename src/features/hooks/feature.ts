import type { Database } from "../../platform/database.js";
import type { LoopDefinition } from "../../platform/loop.js";
import { type CallStore, createCallStore } from "./call-store.js";
import { createHooks, type HookOptions, type Hooks } from "./hooks.js";
import { createHookLoop, type HookLoopOptions } from "./loop.js";
import { createHookOrders, type HookOrderOptions } from "./orders.js";
import { createHookStore } from "./store.js";

/** Calls are kept for so long; the ids of those that have one, for ever. */
const KEEP_MS = 90 * 86_400_000;

export interface HookFeature {
  readonly hooks: Hooks;
  readonly hookLoop: LoopDefinition;
  readonly hookPruning: LoopDefinition;
}

type Parts = Omit<
  HookOptions & HookOrderOptions & HookLoopOptions,
  "store" | "callStore" | "orders" | "paper" | "database"
> & {
  readonly database: Database;
  readonly paper: HookOptions["paper"] & HookOrderOptions["paper"];
};

/** Addresses that others call, and what their calls do. */
export function createHookFeature(parts: Parts): HookFeature {
  const store = createHookStore(parts.database);
  const callStore = createCallStore(parts.database);
  const orders = createHookOrders({ ...parts, callStore });
  return {
    hooks: createHooks({ ...parts, store, callStore }),
    hookLoop: createHookLoop({ ...parts, callStore, orders }),
    hookPruning: pruning(callStore, parts.now),
  };
}

function pruning(store: Pick<CallStore, "prune">, now: () => number): LoopDefinition {
  return {
    name: "hook-calls",
    everyMs: () => 3_600_000,
    timeoutMs: 30_000,
    run: () => store.prune(now() - KEEP_MS),
  };
}
