import type { Database } from "../../platform/database.js";
import type { EventLog } from "../../platform/event-log.js";
import type { Leases } from "../../platform/lease.js";
import { topicOfRules } from "./topics.js";
import { firingView } from "./views.js";
import type { WatchStore } from "./watch-store.js";
import { RULES_LEASE, RULES_LEASE_MS } from "./watching.js";

/** Tells what rules held. */
export interface Digests {
  /** All that is due to a user in one event. @returns how many firings were told. */
  tell(signal: AbortSignal): Promise<number>;
}

export function createDigests(options: {
  readonly database: Database;
  readonly store: Pick<WatchStore, "owed" | "tell">;
  readonly leases: Pick<Leases, "acquire" | "confirm">;
  readonly eventLog: Pick<EventLog, "append" | "wake">;
  readonly now: () => number;
}): Digests {
  const { database, store, leases, eventLog, now } = options;
  return {
    async tell(signal) {
      const lease = await leases.acquire(RULES_LEASE, RULES_LEASE_MS);
      if (lease === null) return 0;
      let told = 0;
      for (const userId of await store.owed(now())) {
        signal.throwIfAborted();
        told += await database.transaction(async (sql) => {
          await leases.confirm(sql, lease);
          const firings = await store.tell(sql, userId, now());
          if (firings.length === 0) return 0;
          const payload = {
            kind: "digest",
            count: firings.length,
            firings: firings.map(({ userId: _, ...firing }) => firingView(firing)),
          };
          await eventLog.append(sql, [{ topic: topicOfRules(userId), payload }]);
          return firings.length;
        });
      }
      if (told > 0) eventLog.wake();
      return told;
    },
  };
}
