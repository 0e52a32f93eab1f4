const S = 1_000;
const MIN = 60 * S;
const H = 60 * MIN;

/** Waits after each failed attempt, as Standard Webhooks recommends, until the message has been tried for a day. */
export const WAITS_MS: readonly number[] = Object.freeze([
  5 * S,
  5 * MIN,
  30 * MIN,
  2 * H,
  5 * H,
  6 * H,
  6 * H,
  6 * H,
]);
/** Attempts of a message, the first included. */
export const ATTEMPTS = WAITS_MS.length + 1;
/** By so much waits are longer at random, so that what failed together does not come back together. */
const JITTER = 0.1;

/** @param left attempts that are still allowed. @param dice from 0 up to 1. */
export function waitMs(left: number, retryAfterMs: number | null, dice: number): number {
  const usual = WAITS_MS.at(-Math.max(1, Math.min(left, WAITS_MS.length))) ?? 0;
  return Math.max(usual * (1 + JITTER * dice), retryAfterMs ?? 0);
}
