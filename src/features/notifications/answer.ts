import { messageOf } from "../../platform/errors.js";
import { type OutwardAnswer, OutwardError } from "../../platform/outward.js";
import type { Attempted } from "./define.js";

/** No answer keeps a channel silent for longer. */
const LONGEST_MS = 6 * 3_600_000;
/** So much of an answer is kept. */
const KEPT = 200;

/**
 * What an answer means where nothing else is agreed: 2xx is success, 410 the end, all others may pass. Its text is nobody's
 * business: users name the address, and what stands behind it may be the operator's.
 */
export function judged(answer: OutwardAnswer, nowMs: number): Attempted {
  const { status } = answer;
  const outcome = status >= 200 && status < 300 ? "delivered" : status === 410 ? "gone" : "retry";
  return { outcome, status, detail: statusOf(answer), retryAfterMs: retryAfterOf(answer, nowMs) };
}

/** Chats say in words what they refuse, and are always the same. */
export function judgedChat(answer: OutwardAnswer, nowMs: number): Attempted {
  return { ...judgedService(answer, nowMs, [401, 403, 404, 410]), detail: saidBy(answer) };
}

/** Services answer 4xx to what will never do: `refused` for the message, `gone` for the whole channel. */
export function judgedService(answer: OutwardAnswer, nowMs: number, gone: readonly number[]): Attempted {
  const found = judged(answer, nowMs);
  const { status } = answer;
  if (gone.includes(status)) return { ...found, outcome: "gone" };
  const passes = status === 408 || status === 425 || status === 429;
  return status >= 400 && status < 500 && !passes ? { ...found, outcome: "refused" } : found;
}

/** `Retry-After` in seconds or as a date; null where there is none. */
export function retryAfterOf({ headers }: OutwardAnswer, nowMs: number): number | null {
  const text = headers["retry-after"]?.trim();
  if (text === undefined || text === "") return null;
  const ms = /^\d+(\.\d+)?$/.test(text) ? 1_000 * Number(text) : Date.parse(text) - nowMs;
  return Number.isFinite(ms) ? limitedMs(ms) : null;
}

export const limitedMs = (ms: number) => Math.min(Math.max(ms, 0), LONGEST_MS);

function statusOf({ status }: OutwardAnswer): string {
  return status >= 300 && status < 400
    ? `answered ${status}: redirects are not followed`
    : `answered ${status}`;
}

/** The status, and the beginning of the text in one line where it refuses something. */
function saidBy(answer: OutwardAnswer): string {
  const said = answer.text
    .replace(/[^\P{C}\n]/gu, "")
    .replace(/\s+/g, " ")
    .trim()
    .slice(0, KEPT);
  const isFine = answer.status >= 200 && answer.status < 300;
  return isFine || said === "" ? statusOf(answer) : `${statusOf(answer)}: ${said}`;
}

/** What a failure to reach the other side means. */
export function failed(error: unknown): Attempted {
  const refused = error instanceof OutwardError && error.failure === "refused";
  return {
    outcome: refused ? "refused" : "retry",
    status: null,
    detail: messageOf(error),
    retryAfterMs: null,
  };
}
