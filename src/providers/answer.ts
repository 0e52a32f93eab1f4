import type { z } from "zod";
import {
  type HttpAnswer,
  type HttpClient,
  HttpClientError,
  type HttpFailure,
  type HttpPost,
  type HttpPoster,
  type HttpRequest,
} from "../platform/http-client.js";
import { ProviderError, type ProviderFailure } from "./define.js";

/** What vendors' answers have in common. All but `fetchAnswer` and `postAnswer` is pure. */

/** What it means for the source that no answer came. */
const HTTP_FAILURES: Readonly<Record<HttpFailure, ProviderFailure>> = {
  timeout: "timeout",
  network: "unavailable",
  aborted: "unavailable",
  too_large: "bad_payload",
  redirect: "bad_payload",
};

/** One request. @throws {ProviderError} when no answer arrives; any status is an answer. */
export function fetchAnswer(
  http: HttpClient,
  request: HttpRequest,
  signal: AbortSignal,
): Promise<HttpAnswer> {
  return answered(http.get(request, signal));
}

/** One POST. @throws {ProviderError} as `fetchAnswer`. */
export function postAnswer(http: HttpPoster, request: HttpPost, signal: AbortSignal): Promise<HttpAnswer> {
  return answered(http.post(request, signal));
}

async function answered(work: Promise<HttpAnswer>): Promise<HttpAnswer> {
  try {
    return await work;
  } catch (error) {
    if (!(error instanceof HttpClientError)) throw error;
    throw new ProviderError(HTTP_FAILURES[error.failure], error.message, { cause: error });
  }
}

/**
 * Statuses that mean the same everywhere.
 * @throws {ProviderError} `rate_limited` for 429 and 999, `unauthorized` for 401 and 403, `unavailable` from 500 on.
 */
export function requireWell(answer: HttpAnswer, nowMs: number): void {
  const { status } = answer;
  if (status === 429 || status === 999) throw rateLimited(answer, nowMs);
  if (status === 401 || status === 403) throw new ProviderError("unauthorized", `refused with ${status}`);
  if (status >= 500) {
    throw new ProviderError("unavailable", `answered ${status}`, {
      retryAfterMs: retryAfterMs(answer, nowMs),
    });
  }
}

/** The error of an answer that says, with whatever status, that there were too many requests. */
export function rateLimited(answer: HttpAnswer, nowMs: number): ProviderError {
  return new ProviderError("rate_limited", "too many requests", {
    retryAfterMs: retryAfterMs(answer, nowMs),
  });
}

/** What `Retry-After` says, in seconds or as a date; null when it says nothing that can be kept. */
export function retryAfterMs({ headers }: HttpAnswer, nowMs: number): number | null {
  const text = headers.get("retry-after")?.trim() ?? "";
  if (/^\d+$/.test(text)) return Number(text) * 1_000;
  // Only HTTP dates, which begin with a weekday: Date.parse takes "-5" for a date, too.
  const ms = /^[A-Z][a-z]{2,8},? /.test(text) ? Date.parse(text) - nowMs : Number.NaN;
  return Number.isFinite(ms) ? Math.max(0, ms) : null;
}

/** Deeper than any vendor's answer. Millions of levels would take seconds to parse, and hold up everybody. */
const DEPTH_LIMIT = 64;

function isTooDeep(text: string): boolean {
  let depth = 0;
  for (let i = 0; i < text.length; i++) {
    const character = text[i];
    if (character === "[" || character === "{") {
      if (++depth > DEPTH_LIMIT) return true;
    } else if (character === "]" || character === "}") depth--;
    else if (character === '"') {
      for (i++; i < text.length && text[i] !== '"'; i++) if (text[i] === "\\") i++;
    }
  }
  return false;
}

/** The JSON of an answer, read once; null, and why, for text that is none or nested beyond reason. */
export interface JsonBody {
  readonly value: unknown;
  readonly error: ProviderError | null;
}

export function readJson({ text }: HttpAnswer): JsonBody {
  const unread = (detail: string, cause?: unknown) => ({
    value: null,
    error: new ProviderError("bad_payload", detail, { cause }),
  });
  if (isTooDeep(text)) return unread("answered with JSON that is nested too deeply");
  try {
    return { value: JSON.parse(text) as unknown, error: null };
  } catch (error) {
    return unread("answered with text that is not JSON", error);
  }
}

/** @throws {ProviderError} `bad_payload` for text that is not JSON, or nested beyond reason. */
export function jsonOf(answer: HttpAnswer): unknown {
  return requireJson(readJson(answer));
}

/** The same of a body that was read. @throws {ProviderError} why it could not be. */
export function requireJson({ value, error }: JsonBody): unknown {
  if (error !== null) throw error;
  return value;
}

/**
 * The error of an answer with a status from 400 on that means nothing by itself. A service that refuses says so in a
 * body of its own; pages and silence come from what stands before it, or from another address.
 * @param words the service's own, safe to show.
 */
export function refusalOf(
  { status }: HttpAnswer,
  { value }: JsonBody,
  words: string,
  failure: "refused" | "unknown_symbol" = "refused",
): ProviderError {
  if (typeof value !== "object" || value === null) {
    return new ProviderError("bad_payload", `answered ${status} without a body of its own`);
  }
  return new ProviderError(failure, words || `refused with ${status}`);
}

/** The same of a frame of a socket. */
export function jsonText(frame: string | Uint8Array): unknown {
  try {
    return JSON.parse(typeof frame === "string" ? frame : new TextDecoder().decode(frame));
  } catch (error) {
    throw new ProviderError("bad_payload", "a frame that is not JSON", { cause: error });
  }
}

/** A payload as its schema has it. @param what what was asked for: `chart`. @throws {ProviderError} `bad_payload`. */
export function payloadOf<Schema extends z.ZodType>(
  schema: Schema,
  body: unknown,
  what: string,
): z.output<Schema> {
  const read = schema.safeParse(body);
  if (read.success) return read.data;
  const [issue] = read.error.issues;
  throw new ProviderError("bad_payload", `not a ${what}: ${issue?.path.join(".")} ${issue?.message ?? ""}`);
}

/** A vendor's own words, cut short and without keys: they go into logs and answers. */
export function quotedText(text: string, secrets: readonly (string | undefined)[]): string {
  return secrets
    .filter((secret) => secret !== undefined && secret !== "")
    .reduce<string>((left, secret) => left.replaceAll(secret as string, "***"), text)
    .slice(0, 200);
}
