import { ensure } from "../core/base/assert.js";
import type { Config } from "../platform/config.js";
import { createHttpClient } from "../platform/http-client.js";
import { type NewsItem, type NewsSource, type Provider, ProviderError, type Quota } from "./define.js";
import type { Gateway } from "./gateway.js";
import { createGuard, type Guard, type GuardTools, type ProviderHealth } from "./guard.js";
import { createRedditNews } from "./reddit.js";
import { createTwitterNews, type TwitterNews } from "./twitter.js";

/** Sources of texts alone. */
export const NETWORK_NAMES = ["reddit", "twitter"] as const;

export type NewsKind = "news" | "reddit" | "twitter";

/** A named source of texts. */
export interface NewsFeed {
  readonly name: string;
  readonly title: string;
  readonly kind: NewsKind;
  readonly source: NewsSource;
  readonly quota: Quota;
}

/** The configured feeds, each behind the guard of its vendor. */
export interface NewsFeeds {
  readonly list: readonly NewsFeed[];
  /** Why there are none at all; null where there are. */
  readonly absence: string | null;
  /** @throws {ProviderError} */
  fetch(feed: NewsFeed, query: Parameters<NewsSource["fetchNews"]>[0]): Promise<readonly NewsItem[]>;
  /** Of the feeds that are no market data sources too; those are in the gateway's. */
  health(): readonly ProviderHealth[];
  /** Questions to a feed that were not asked, since it was set aside. */
  skipped(name: string): number;
  /** Null where X is not configured. */
  readonly twitter: TwitterNews | null;
}

const UNLIMITED: Quota = { perMinute: null, perDay: null };
/** What the services grant an application: 100 a minute, and 450 in 15 minutes. */
const REDDIT_QUOTA: Quota = { perMinute: 100, perDay: null };
const TWITTER_QUOTA: Quota = { perMinute: 30, perDay: null };
const REQUEST_TIMEOUT_MS = 4_000;
/** A feed has answered by then, repeats included. */
const ANSWER_MS = 4_500;
const ANSWER_LIMIT_BYTES = 8 * 1024 * 1024;
/** Reddit refuses names of browsers and libraries. */
const USER_AGENT = "server:tx:0.1 (self-hosted trading intelligence)";

export interface NewsFeedOptions extends GuardTools {
  readonly config: Config;
  readonly gateway: Pick<Gateway, "providers" | "synthetic" | "replay" | "ask">;
}

/** Invented and replayed markets have no news: those of today would be about another market. */
export function createNewsFeeds(options: NewsFeedOptions): NewsFeeds {
  const { config, gateway, now } = options;
  const absent = absenceOf(gateway);
  const networks = absent === null ? createNetworks(config, now) : { list: [], twitter: null };
  const vendors = absent === null ? gateway.providers.flatMap(vendorFeed) : [];
  const list = [...vendors, ...networks.list];
  const guards = new Map<string, Guard>(
    networks.list.map((feed) => [
      feed.name,
      createGuard({ ...feed, synthetic: false, remote: true, concurrency: 2 }, options),
    ]),
  );
  const skips = new Map<string, number>();

  /** Vendors of market data have one guard for all that they are asked for. */
  function askerOf({ name }: NewsFeed): <T>(work: (signal: AbortSignal) => Promise<T>) => Promise<T> {
    const guard = guards.get(name);
    if (guard !== undefined) return (work) => guard.run(work, ANSWER_MS);
    const provider = ensure(
      gateway.providers.find((each) => each.name === name),
      `provider ${name}`,
    );
    return (work) => gateway.ask(provider, performance.now() + ANSWER_MS, work);
  }

  const none =
    "no news source is configured: name a vendor with news in MARKET_DATA, or set keys of Reddit or X";
  return {
    list,
    absence: absent ?? (list.length === 0 ? none : null),
    twitter: networks.twitter,
    async fetch(feed, query) {
      const work = (signal: AbortSignal) => feed.source.fetchNews(query, signal);
      try {
        return await askerOf(feed)(work);
      } catch (error) {
        if (error instanceof ProviderError && error.failure === "set_aside") {
          skips.set(feed.name, (skips.get(feed.name) ?? 0) + 1);
        }
        throw error;
      }
    },
    skipped: (name) => skips.get(name) ?? 0,
    health: () => [...guards.values()].map((guard) => guard.health()),
  };
}

function absenceOf({ synthetic, replay }: NewsFeedOptions["gateway"]): string | null {
  if (synthetic) return "the market is synthetic: nothing is written about it";
  return replay === null ? null : "the market is a replay: today's texts are not about it";
}

function vendorFeed({ name, title, news, quota }: Provider): NewsFeed[] {
  return news === undefined ? [] : [{ name, title, kind: "news", source: news, quota: quota ?? UNLIMITED }];
}

function createNetworks(
  config: Config,
  now: () => number,
): { list: NewsFeed[]; twitter: TwitterNews | null } {
  const http = createHttpClient({
    timeoutMs: REQUEST_TIMEOUT_MS,
    limitBytes: ANSWER_LIMIT_BYTES,
    userAgent: USER_AGENT,
  });
  const list: NewsFeed[] = [];
  const {
    REDDIT_CLIENT_ID: clientId,
    REDDIT_CLIENT_SECRET: clientSecret,
    TWITTER_BEARER_TOKEN: token,
  } = config;
  if (clientId !== undefined && clientSecret !== undefined) {
    const source = createRedditNews({
      baseUrl: config.REDDIT_BASE_URL,
      authUrl: config.REDDIT_AUTH_URL,
      credentials: { clientId, clientSecret },
      http,
      now,
    });
    list.push({ name: "reddit", title: "Reddit", kind: "reddit", source, quota: REDDIT_QUOTA });
  }
  if (token === undefined) return { list, twitter: null };
  const twitter = createTwitterNews({ baseUrl: config.TWITTER_BASE_URL, token, http, now });
  list.push({ name: "twitter", title: "X", kind: "twitter", source: twitter, quota: TWITTER_QUOTA });
  return { list, twitter };
}
