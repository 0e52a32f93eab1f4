import type { HttpAnswer, HttpClient, HttpPoster } from "../platform/http-client.js";
import { fetchAnswer, postAnswer } from "./answer.js";
import type { NewsSource } from "./define.js";
import {
  parseSearch,
  parseToken,
  type RedditCredentials,
  type RedditToken,
  searchRequest,
  tokenRequest,
} from "./reddit-search.js";

/** How long before its end a token is renewed. */
const RENEW_MS = 60_000;

/**
 * Posts of Reddit's subreddits about markets, the newest hundred of a stretch. A token is fetched once for all callers
 * and renewed a minute before its end, or when the service no longer takes it.
 */
export function createRedditNews(options: {
  readonly baseUrl: string;
  readonly authUrl: string;
  readonly credentials: RedditCredentials;
  readonly http: HttpClient & HttpPoster;
  readonly now: () => number;
}): NewsSource {
  const { baseUrl, authUrl, credentials, http, now } = options;
  let known: RedditToken | null = null;
  let fetching: Promise<RedditToken> | null = null;

  async function fetchToken(signal: AbortSignal): Promise<RedditToken> {
    const token = parseToken(await postAnswer(http, tokenRequest(authUrl, credentials), signal), now());
    known = token;
    return token;
  }

  async function tokenFor(signal: AbortSignal): Promise<RedditToken> {
    if (known !== null && now() < known.expiresMs - RENEW_MS) return known;
    fetching ??= fetchToken(signal).finally(() => {
      fetching = null;
    });
    return fetching;
  }

  return {
    async fetchNews({ instrument, fromMs, toMs }, signal) {
      if (instrument === null) return [];
      const search = async (): Promise<{ answer: HttpAnswer; used: RedditToken }> => {
        const used = await tokenFor(signal);
        const request = searchRequest(baseUrl, used.token, instrument, { fromMs, nowMs: now() });
        return { answer: await fetchAnswer(http, request, signal), used };
      };
      let { answer, used } = await search();
      if (answer.status === 401) {
        // A token may be revoked before its end; a new one tells whether it is that.
        if (known === used) known = null;
        ({ answer, used } = await search());
        if (answer.status === 401 && known === used) known = null;
      }
      return parseSearch(answer, now()).filter(
        ({ publishedMs }) => publishedMs >= fromMs && publishedMs < toMs,
      );
    },
  };
}
