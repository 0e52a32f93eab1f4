export const ACCOUNT_TOPIC = "account";

/** What is published of an account, to its owner. */
export function topicOfAccount(id: string): string {
  return `${ACCOUNT_TOPIC}:${id}`;
}
