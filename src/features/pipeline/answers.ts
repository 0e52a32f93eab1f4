import { AppError } from "../../platform/errors.js";
import type { Answer } from "./session.js";

/** Keys of batches that are remembered. */
const KEYS = 10_000;

/** Answers to batches by their keys, the newest of them. */
export function createAnswers() {
  const answered = new Map<string, { readonly fingerprint: string; readonly answer: Promise<Answer> }>();

  function remember(key: string, fingerprint: string, answer: Promise<Answer>): void {
    const known = { fingerprint, answer };
    answered.set(key, known);
    answer.catch(() => {
      if (answered.get(key) === known) answered.delete(key);
    });
    if (answered.size > KEYS) answered.delete(answered.keys().next().value ?? key);
  }

  return {
    remember,
    /** @throws {AppError} `idempotency_key_reused`, and what the work throws, after which the key is free. */
    async once(key: string, fingerprint: string, work: () => Promise<Answer>): Promise<Answer> {
      const known = answered.get(key);
      if (known === undefined) {
        const answer = work();
        remember(key, fingerprint, answer);
        return answer;
      }
      if (known.fingerprint !== fingerprint) {
        throw new AppError("idempotency_key_reused", "The key was sent with other ticks");
      }
      return { ...(await known.answer), repeated: true };
    },
  };
}
