export const HOOK_TOPIC = "hooks";

/** What is told of the calls of a hook, to its owner. */
export function topicOfHook(id: string): string {
  return `${HOOK_TOPIC}:${id}`;
}
