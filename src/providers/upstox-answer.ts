import { z } from "zod";
import type { HttpAnswer, HttpRequest } from "../platform/http-client.js";
import { addressAt } from "./address.js";
import { quotedText, rateLimited, readJson, refusalOf, requireJson, requireWell } from "./answer.js";
import { ProviderError } from "./define.js";

/** What all answers of the service have in common. */

export interface UpstoxAccess {
  readonly baseUrl: string;
  readonly token: string;
}

/** A request for a path; its parts are encoded, for keys have a bar and spaces. The token goes into a header. */
export function upstoxRequest(
  { baseUrl, token }: UpstoxAccess,
  path: readonly string[],
  query: Readonly<Record<string, string>> = {},
): HttpRequest {
  const url = addressAt(baseUrl, `/${path.map(encodeURIComponent).join("/")}`);
  for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value);
  return { url: url.href, headers: { authorization: `Bearer ${token}`, accept: "application/json" } };
}

const errorSchema = z.object({
  status: z.literal("error"),
  errors: z
    .array(
      z.object({
        errorCode: z.string().nullish(),
        error_code: z.string().nullish(),
        message: z.string().nullish(),
      }),
    )
    .min(1),
});

/** Codes that mean the same with whatever status. */
const TOO_MANY = "UDAPI10005";
const NO_ACCESS: ReadonlySet<string> = new Set(["UDAPI100050", "UDAPI100067"]);
/** A key of no instrument: of no valid format, or nothing is there. */
const NO_INSTRUMENT: ReadonlySet<string> = new Set([
  "UDAPI1011",
  "UDAPI1021",
  "UDAPI1087",
  "UDAPI100011",
  "UDAPI100060",
]);

/** Another plan is required for it: the rest is given none the less. */
const OTHER_PLAN = "UDAPI1149";

/**
 * The payload of an answer.
 * @throws {ProviderError} for every way the service says no, which it does with 200, too.
 */
export function bodyOf(answer: HttpAnswer, token: string, nowMs: number): unknown {
  const { status, text } = answer;
  const json = readJson(answer);
  const refusal = errorSchema.safeParse(json.value);
  if (refusal.success) throw refusalError(refusal.data, answer, token, nowMs);
  requireWell(answer, nowMs);
  if (status >= 400) {
    throw refusalOf(answer, json, `answered ${status}: ${quotedText(text.trim(), [token])}`);
  }
  return requireJson(json);
}

function refusalError(
  { errors }: z.output<typeof errorSchema>,
  answer: HttpAnswer,
  token: string,
  nowMs: number,
): ProviderError {
  const [first] = errors;
  const code = first.errorCode ?? first.error_code ?? "";
  const words = quotedText(`${code} ${first.message ?? ""}`.trim(), [token]);
  if (code === TOO_MANY || answer.status === 429) return rateLimited(answer, nowMs);
  if (NO_INSTRUMENT.has(code)) return new ProviderError("unknown_symbol", words);
  if (code === OTHER_PLAN) return new ProviderError("refused", words);
  if (NO_ACCESS.has(code) || answer.status === 401 || answer.status === 403) {
    return new ProviderError("unauthorized", words);
  }
  return new ProviderError(answer.status >= 500 ? "unavailable" : "refused", words);
}
