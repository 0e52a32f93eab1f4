export const RULE_TOPIC = "rules";

/** What is published of a user's rules, to that user. */
export function topicOfRules(userId: string): string {
  return `${RULE_TOPIC}:${userId}`;
}

/** The user whose rules a topic is of; null for other topics. */
export function userOfTopic(topic: string): string | null {
  return /^rules:([\w.@-]{1,64})$/.exec(topic)?.[1] ?? null;
}
