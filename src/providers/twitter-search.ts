import { z } from "zod";
import type { Instrument } from "../core/market/instrument.js";
import type { HttpAnswer, HttpRequest } from "../platform/http-client.js";
import { addressAt } from "./address.js";
import { jsonOf, payloadOf, rateLimited, requireWell } from "./answer.js";
import { type NewsItem, ProviderError } from "./define.js";
import { searchTerms } from "./search-terms.js";

export const API_VERSION = "2";
/** Most that the service gives at a time. */
const PAGE = 100;
/** The service searches seven days; a little less, since it counts from its own now. */
const REACH_MS = 7 * 86_400_000 - 60_000;
/** Start of the count of milliseconds in ids. */
const ID_EPOCH_MS = 1_288_834_974_657n;

/** The newest original posts in English about an instrument. */
export function searchRequest(
  baseUrl: string,
  token: string,
  instrument: Instrument,
  stretch: { readonly fromMs: number; readonly nowMs: number },
): HttpRequest {
  const { cashtag, ticker, name } = searchTerms(instrument);
  // A name alone is mostly about something else; beside a word of the trade it is about the share.
  const named = name === null ? null : `("${name}" (stock OR shares OR price OR market))`;
  const words = [cashtag, cashtag === null ? ticker && `"${ticker}"` : null, named].filter(Boolean);
  const start = Math.max(stretch.fromMs, stretch.nowMs - REACH_MS);
  const query = new URLSearchParams({
    query: `(${words.join(" OR ")}) lang:en -is:retweet`,
    max_results: String(PAGE),
    "tweet.fields": "created_at",
    start_time: `${new Date(start).toISOString().slice(0, 19)}Z`,
  });
  return {
    url: `${addressAt(baseUrl, "/2/tweets/search/recent").href}?${query}`,
    headers: { authorization: `Bearer ${token}` },
  };
}

/** What the service says of its limit with each answer; null where it does not. */
export interface RateLimit {
  readonly limit: number | null;
  readonly remaining: number | null;
  /** When the count begins anew, epoch ms. */
  readonly resetMs: number | null;
}

export function rateLimitOf({ headers }: HttpAnswer): RateLimit {
  const count = (name: string): number | null => {
    const text = headers.get(name)?.trim() ?? "";
    return /^\d{1,12}$/.test(text) ? Number(text) : null;
  };
  const reset = count("x-rate-limit-reset");
  return {
    limit: count("x-rate-limit-limit"),
    remaining: count("x-rate-limit-remaining"),
    resetMs: reset === null ? null : reset * 1_000,
  };
}

const answerSchema = z.object({
  data: z.array(z.unknown()).optional(),
  meta: z.object({ result_count: z.number().int().min(0) }).optional(),
  errors: z.array(z.object({ title: z.string().optional() })).optional(),
});
const postSchema = z.object({
  id: z.string().regex(/^\d{1,19}$/),
  text: z.string(),
  created_at: z.iso.datetime({ offset: true }).optional(),
});

/** Posts as they come; those that are no posts are left out, unless none is one. @throws {ProviderError} */
export function parseSearch(answer: HttpAnswer, nowMs: number): NewsItem[] {
  if (answer.status === 429) throw limited(answer, nowMs);
  requireWell(answer, nowMs);
  const body = jsonOf(answer);
  if (answer.status !== 200) throw new ProviderError("refused", `the search was refused (${answer.status})`);
  const { data, meta, errors } = payloadOf(answerSchema, body, "search");
  if (data === undefined) {
    if (errors !== undefined && errors.length > 0) {
      throw new ProviderError("refused", "the search was answered with errors only");
    }
    if (meta?.result_count === 0) return [];
    throw new ProviderError("bad_payload", "not a search: neither posts nor a count of 0");
  }
  const items = data.map(postOf).filter((item) => item !== null);
  if (items.length === 0 && data.length > 0)
    throw new ProviderError("bad_payload", "the answer holds no posts");
  return items;
}

function postOf(row: unknown): NewsItem | null {
  const read = postSchema.safeParse(row);
  if (!read.success) return null;
  const { id, text, created_at: createdAt } = read.data;
  return {
    id,
    publisher: "X",
    title: text.replace(/^RT @\w{1,15}: /, ""),
    summary: "",
    url: `https://x.com/i/status/${id}`,
    publishedMs: createdAt === undefined ? idTime(id) : Date.parse(createdAt),
    symbols: [],
  };
}

/** When a post was made, epoch ms: ids begin with it. */
export function idTime(id: string): number {
  return Number((BigInt(id) >> 22n) + ID_EPOCH_MS);
}

function limited(answer: HttpAnswer, nowMs: number): ProviderError {
  const error = rateLimited(answer, nowMs);
  const { resetMs } = rateLimitOf(answer);
  if (error.retryAfterMs !== null || resetMs === null) return error;
  return new ProviderError("rate_limited", error.message, { retryAfterMs: Math.max(0, resetMs - nowMs) });
}
