import { z } from "zod";
import type { Instrument } from "../core/market/instrument.js";
import type { HttpAnswer, HttpPost, HttpRequest } from "../platform/http-client.js";
import { addressAt } from "./address.js";
import { jsonOf, payloadOf, rateLimited, requireWell } from "./answer.js";
import { type NewsItem, ProviderError } from "./define.js";
import { searchTerms } from "./search-terms.js";

/** Where posts are about markets; elsewhere most that name a company are not about its shares. */
const SUBREDDITS = "stocks+investing+StockMarket+wallstreetbets+options+CryptoCurrency+Forex";
/** Most that the service gives at a time. */
const PAGE = 100;
const HOUR_MS = 3_600_000;
/** Stretches that the service knows, shortest first. */
const STRETCHES: readonly (readonly [name: string, ms: number])[] = [
  ["hour", HOUR_MS],
  ["day", 24 * HOUR_MS],
  ["week", 168 * HOUR_MS],
  ["month", 720 * HOUR_MS],
  ["year", 8_760 * HOUR_MS],
];

export interface RedditCredentials {
  readonly clientId: string;
  readonly clientSecret: string;
}

export interface RedditToken {
  readonly token: string;
  readonly expiresMs: number;
}

export function tokenRequest(authUrl: string, { clientId, clientSecret }: RedditCredentials): HttpPost {
  return {
    url: authUrl,
    headers: {
      authorization: `Basic ${Buffer.from(`${clientId}:${clientSecret}`).toString("base64")}`,
      "content-type": "application/x-www-form-urlencoded",
    },
    body: "grant_type=client_credentials",
  };
}

const tokenSchema = z.object({
  access_token: z.string().regex(/^[\x21-\x7e]{1,4096}$/),
  token_type: z.string().regex(/^bearer$/i),
  /** Seconds. */
  expires_in: z.number().positive(),
});

/** @throws {ProviderError} `unauthorized` for credentials that the service does not know. */
export function parseToken(answer: HttpAnswer, nowMs: number): RedditToken {
  requireOpen(answer, nowMs);
  const body = jsonOf(answer);
  const refused = refusalSchema.safeParse(body).data;
  if (refused !== undefined) throw new ProviderError("unauthorized", "the credentials were refused");
  if (answer.status !== 200) throw new ProviderError("bad_payload", `answered ${answer.status}`);
  const { access_token: token, expires_in: seconds } = payloadOf(tokenSchema, body, "token");
  return { token, expiresMs: nowMs + seconds * 1_000 };
}

/** The newest posts about an instrument since `fromMs`, of at most the last year. */
export function searchRequest(
  baseUrl: string,
  token: string,
  instrument: Instrument,
  stretch: { readonly fromMs: number; readonly nowMs: number },
): HttpRequest {
  const { cashtag, ticker, name } = searchTerms(instrument);
  const words = [cashtag, ticker, name].filter((word) => word !== null).map((word) => `"${word}"`);
  const age = stretch.nowMs - stretch.fromMs;
  const query = new URLSearchParams({
    q: words.join(" OR "),
    restrict_sr: "true",
    include_over_18: "false",
    sort: "new",
    t: STRETCHES.find(([, ms]) => age <= ms)?.[0] ?? "all",
    limit: String(PAGE),
    type: "link",
    raw_json: "1",
  });
  return {
    url: `${addressAt(baseUrl, `/r/${SUBREDDITS}/search`).href}?${query}`,
    headers: { authorization: `Bearer ${token}` },
  };
}

const refusalSchema = z.object({ error: z.union([z.number(), z.string()]), message: z.string().optional() });
const listingSchema = z.object({
  kind: z.literal("Listing"),
  data: z.object({ children: z.array(z.unknown()) }),
});
const postSchema = z.object({
  kind: z.literal("t3"),
  data: z.object({
    id: z.string().min(1),
    title: z.string(),
    selftext: z.string().nullish(),
    subreddit: z.string(),
    /** Epoch seconds. */
    created_utc: z.number().positive().max(1e11),
    permalink: z.string().startsWith("/"),
  }),
});

/** Posts as they come; those that are no posts are left out, unless none is one. @throws {ProviderError} */
export function parseSearch(answer: HttpAnswer, nowMs: number): NewsItem[] {
  requireOpen(answer, nowMs);
  if (answer.status !== 200) throw new ProviderError("bad_payload", `answered ${answer.status}`);
  const body = jsonOf(answer);
  // Too many requests may be said with status 200.
  const refused = refusalSchema.safeParse(body).data;
  if (refused?.error === 429) throw limited(answer, nowMs);
  if (refused !== undefined) throw new ProviderError("refused", "the search was refused");
  const { children } = payloadOf(listingSchema, body, "listing").data;
  const items = children.map(postOf).filter((item) => item !== null);
  if (items.length === 0 && children.length > 0) {
    throw new ProviderError("bad_payload", "the listing holds no posts");
  }
  return items;
}

function postOf(child: unknown): NewsItem | null {
  const read = postSchema.safeParse(child);
  if (!read.success) return null;
  const { id, title, selftext, subreddit, created_utc: seconds, permalink } = read.data.data;
  return {
    id: `t3_${id}`,
    publisher: `r/${subreddit}`,
    title,
    summary: selftext ?? "",
    url: `https://www.reddit.com${permalink}`,
    publishedMs: seconds * 1_000,
    symbols: [],
  };
}

/** @throws {ProviderError} for refusals, of which those by the network's filter are pages of HTML. */
function requireOpen(answer: HttpAnswer, nowMs: number): void {
  if (answer.status === 429) throw limited(answer, nowMs);
  if (answer.status === 403 && answer.text.trimStart().startsWith("<")) {
    throw new ProviderError("unauthorized", "blocked by the network policy of the service (403)");
  }
  requireWell(answer, nowMs);
}

/** The service says in seconds when its count begins anew. */
function limited(answer: HttpAnswer, nowMs: number): ProviderError {
  const error = rateLimited(answer, nowMs);
  const seconds = Number(answer.headers.get("x-ratelimit-reset") ?? Number.NaN);
  if (error.retryAfterMs !== null || !Number.isFinite(seconds) || seconds < 0) return error;
  return new ProviderError("rate_limited", error.message, { retryAfterMs: seconds * 1_000 });
}
