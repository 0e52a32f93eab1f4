import type { DeskEvent } from "../../core/execution/events.js";

export const ACCOUNT_TOPIC = "account";

/** What is published of an account, to its owner. */
export function topicOfAccount(id: string): string {
  return `${ACCOUNT_TOPIC}:${id}`;
}

/** Events of an account as they are published. */
export function announced(accountId: string, events: readonly DeskEvent[]) {
  const topic = topicOfAccount(accountId);
  return events.map((payload) => ({ topic, payload }));
}
