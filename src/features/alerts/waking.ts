import type { Database } from "../../platform/database.js";
import type { EventLog } from "../../platform/event-log.js";
import type { LoopDefinition } from "../../platform/loop.js";
import type { Alert, AlertStore } from "./store.js";
import { ALERT_TOPIC } from "./topics.js";
import { alertView } from "./views.js";

const EVERY_MS = 5_000;
const TIMEOUT_MS = 30_000;
/** Alerts that are told of in one transaction. */
const BATCH = 200;

/** The event of an alert that is answered, or awake again. */
export const updated = (alert: Alert) => ({
  topic: ALERT_TOPIC,
  payload: { kind: "updated", alert: alertView(alert) },
});

/** Writes down and tells which snoozes are over, each once over all instances. @returns how many, of one batch. */
export async function tellAwake({
  store,
  database,
  eventLog,
  synthetic,
  now,
}: {
  readonly store: Pick<AlertStore, "over" | "wake">;
  readonly database: Pick<Database, "transaction">;
  readonly eventLog: Pick<EventLog, "append" | "wake">;
  readonly synthetic: boolean;
  readonly now: () => number;
}): Promise<number> {
  const nowMs = now();
  const due = await store.over({ synthetic, nowMs }, BATCH);
  if (due.length === 0) return 0;
  const ids = due.map(({ id }) => id);
  const told = await database.transaction(async (sql) => {
    const woken = await store.wake(sql, ids, nowMs);
    const awake = due.filter(({ id }) => woken.has(id));
    await eventLog.append(sql, awake.map(updated));
    return awake.length;
  });
  if (told > 0) eventLog.wake();
  return told;
}

/** Every instance looks; what one has written down, the others find awake. */
export function createWaking(alerts: { wake(): Promise<number> }): LoopDefinition {
  return {
    name: "alert-snoozes",
    everyMs: () => EVERY_MS,
    timeoutMs: TIMEOUT_MS,
    async run(_nowMs, signal) {
      while (!signal.aborted && (await alerts.wake()) > 0);
    },
  };
}
