import { z } from "zod";
import type { HttpAnswer } from "../platform/http-client.js";
import { jsonOf, rateLimited, requireWell } from "./answer.js";
import { ProviderError, type ProviderFailure } from "./define.js";

const errorSchema = z.object({ code: z.string(), description: z.string().nullish() });
const failedSchema = z.record(z.string(), z.object({ error: errorSchema.nullish() }));

/**
 * The payload of an answer of any of the services.
 * @throws {ProviderError} for a status, text instead of JSON, or the error object under whatever name.
 */
export function bodyOf(answer: HttpAnswer, nowMs: number): unknown {
  const { status, text } = answer;
  if (status === 200 && /^\s*too many requests/i.test(text)) throw rateLimited(answer, nowMs);
  requireWell(answer, nowMs);
  const body = jsonOf(answer);
  const failed = failedSchema.safeParse(body);
  const error = failed.success
    ? Object.values(failed.data).find((part) => part.error !== undefined && part.error !== null)?.error
    : null;
  if (error) {
    throw new ProviderError(failureOf(status, error.code), (error.description ?? error.code).slice(0, 200));
  }
  if (status >= 400) throw new ProviderError(failureOf(status, ""), `answered ${status}`);
  return body;
}

/** What the service's own error means. */
export function failureOf(status: number, code: string): ProviderFailure {
  if (status === 404 || code === "Not Found") return "unknown_symbol";
  if (code === "Unauthorized") return "unauthorized";
  return status >= 400 ? "refused" : "unavailable";
}
