import { z } from "zod";
import type { Instrument } from "../core/market/instrument.js";
import type { HttpAnswer, HttpRequest } from "../platform/http-client.js";
import { addressAt } from "./address.js";
import {
  quotedText,
  rateLimited,
  readJson,
  refusalOf,
  requireJson,
  requireWell,
  retryAfterMs,
} from "./answer.js";
import { ProviderError } from "./define.js";

/** What all answers of the market data service (v1) have in common. */

/** Indices that it carries, by our spelling. */
const INDEX_SYMBOLS: Readonly<Record<string, string>> = {
  "^GSPC": "SPX",
  "^NDX": "NDX",
  "^RUT": "RUT",
  "^VIX": "VIX",
};

/** How the service spells an instrument, with a stroke before a share class: BRK/B. Null where it carries none. */
export function vendorSymbolOf({ symbol, assetClass, calendar }: Instrument): string | null {
  if (Object.hasOwn(INDEX_SYMBOLS, symbol)) return INDEX_SYMBOLS[symbol];
  if (calendar !== "XNYS" || (assetClass !== "equity" && assetClass !== "etf")) return null;
  return /^[A-Z]{1,6}(\.[A-Z])?$/.test(symbol) ? symbol.replace(".", "/") : null;
}

export interface TradierAccess {
  readonly baseUrl: string;
  readonly token: string;
}

/** A request for a resource below `/v1/markets/`. The token goes into a header, never into the address. */
export function marketsRequest(
  { baseUrl, token }: TradierAccess,
  resource: string,
  query: Readonly<Record<string, string>> = {},
): HttpRequest {
  const url = addressAt(baseUrl, `/v1/markets/${resource}`);
  for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value);
  return { url: url.href, headers: { authorization: `Bearer ${token}`, accept: "application/json" } };
}

/** Lists of one element arrive as that element, lists of none as null, the word, or not at all. */
export function listOf<Schema extends z.ZodType>(schema: Schema) {
  return z
    .union([
      z.array(schema),
      nothing.transform((): z.output<Schema>[] => []),
      schema.transform((one) => [one]),
    ])
    .optional()
    .transform((list) => list ?? []);
}

/** Where it has nothing to say it sends null, or the word. */
export const nothing = z.union([z.null(), z.literal("null")]);

const faultSchema = z.object({
  fault: z.object({
    faultstring: z.string(),
    detail: z.object({ errorcode: z.string().optional() }).optional(),
  }),
});
const errorsSchema = z.object({ errors: z.object({ error: z.union([z.string(), z.array(z.string())]) }) });

/**
 * The payload of an answer.
 * @throws {ProviderError} for every way the service says no: a fault of its gateway, which says with 500, too, that
 * the token has expired; a status; text instead of JSON; a list of errors.
 */
export function bodyOf(answer: HttpAnswer, token: string, nowMs: number): unknown {
  const { status, text } = answer;
  const json = readJson(answer);
  const fault = faultSchema.safeParse(json.value);
  if (fault.success) throw faultError(fault.data.fault, answer, nowMs);
  if (status === 429) throw limited(answer, nowMs);
  requireWell(answer, nowMs);
  if (status >= 400) {
    const words = `answered ${status}: ${quotedText(text.trim(), [token])}`;
    // It refuses in a line of plain text, too.
    if (/^\s*[a-z][^<>]*$/i.test(text)) throw new ProviderError("refused", words);
    throw refusalOf(answer, json, words);
  }
  const body = requireJson(json);
  const errors = errorsSchema.safeParse(body);
  if (errors.success) {
    const words = [errors.data.errors.error].flat().join("; ");
    throw new ProviderError("refused", quotedText(words, [token]));
  }
  return body;
}

function faultError(
  { faultstring, detail }: z.output<typeof faultSchema>["fault"],
  answer: HttpAnswer,
  nowMs: number,
): ProviderError {
  const code = detail?.errorcode ?? "";
  if (/^keymanagement\.|access_token|oauth/i.test(code) || /access token/i.test(faultstring)) {
    return new ProviderError("unauthorized", "the access token is not valid or has expired");
  }
  if (answer.status === 429 || /ratelimit|quota/i.test(code)) return limited(answer, nowMs);
  return new ProviderError("unavailable", `answered ${answer.status} with a fault of its gateway`);
}

/** Every answer says when the count of calls begins anew; that is when to come back. */
function limited(answer: HttpAnswer, nowMs: number): ProviderError {
  const expiry = Number(answer.headers.get("x-ratelimit-expiry") ?? Number.NaN);
  if (retryAfterMs(answer, nowMs) !== null || !(expiry > 0)) return rateLimited(answer, nowMs);
  return new ProviderError("rate_limited", "too many requests", {
    retryAfterMs: Math.max(0, expiry - nowMs),
  });
}
