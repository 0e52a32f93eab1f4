import { ACCOUNT_TOPIC, topicOfAccount } from "../../features/paper-trades/topics.js";
import type { Bus } from "../../platform/bus.js";
import { eventCommitted } from "../../platform/event-log.js";

/** Tells that something happened to accounts. What it was is read from them, so that nothing hangs on being told. */
export interface AccountNews {
  /** @returns the function that ends it. */
  onChange(accountId: string, listener: () => void): () => void;
  /** Told where any account begins, as by a reset. @returns the function that ends it. */
  onOpened(listener: () => void): () => void;
}

export function createAccountNews(bus: Bus): AccountNews {
  const changes = new Map<string, Set<() => void>>();
  const openings = new Set<() => void>();
  bus.subscribe(eventCommitted, ({ topic, payload }) => {
    for (const listener of changes.get(topic) ?? []) listener();
    if (topic.startsWith(`${ACCOUNT_TOPIC}:`) && isFirst(payload))
      for (const listener of openings) listener();
  });
  return {
    onChange(accountId, listener) {
      const topic = topicOfAccount(accountId);
      const listening = changes.get(topic) ?? new Set();
      changes.set(topic, listening.add(listener));
      return () => {
        listening.delete(listener);
        if (listening.size === 0 && changes.get(topic) === listening) changes.delete(topic);
      };
    },
    onOpened(listener) {
      openings.add(listener);
      return () => openings.delete(listener);
    },
  };
}

/** Whether an event is the first of an account. */
function isFirst(payload: unknown): boolean {
  return typeof payload === "object" && payload !== null && "seq" in payload && payload.seq === 1;
}
