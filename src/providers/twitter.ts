import type { HttpClient } from "../platform/http-client.js";
import { fetchAnswer } from "./answer.js";
import { type NewsSource, ProviderError } from "./define.js";
import { parseSearch, type RateLimit, rateLimitOf, searchRequest } from "./twitter-search.js";

/** What the last answer said. */
export interface TwitterState extends RateLimit {
  /** HTTP status; null before the first answer. */
  readonly status: number | null;
  /** When it came, epoch ms. */
  readonly atMs: number | null;
}

export interface TwitterNews extends NewsSource {
  state(): TwitterState;
}

/**
 * Posts on X of the last seven days, the newest hundred of a stretch. When an answer says that no request is left, the
 * next one is not made before the count begins anew.
 */
export function createTwitterNews(options: {
  readonly baseUrl: string;
  readonly token: string;
  readonly http: HttpClient;
  readonly now: () => number;
}): TwitterNews {
  const { baseUrl, token, http, now } = options;
  let state: TwitterState = { status: null, atMs: null, limit: null, remaining: null, resetMs: null };

  return {
    state: () => state,
    async fetchNews({ instrument, fromMs, toMs }, signal) {
      if (instrument === null) return [];
      if (state.remaining === 0 && state.resetMs !== null && now() < state.resetMs) {
        throw new ProviderError("rate_limited", "no request is left", {
          retryAfterMs: state.resetMs - now(),
        });
      }
      const request = searchRequest(baseUrl, token, instrument, { fromMs, nowMs: now() });
      const answer = await fetchAnswer(http, request, signal);
      state = { status: answer.status, atMs: now(), ...rateLimitOf(answer) };
      return parseSearch(answer, now()).filter(
        ({ publishedMs }) => publishedMs >= fromMs && publishedMs < toMs,
      );
    },
  };
}
