import { ensure } from "../core/base/assert.js";
import type { Config } from "../platform/config.js";
import { createHttpClient, type HttpClient } from "../platform/http-client.js";
import type { Log } from "../platform/log.js";
import type { Workers } from "../platform/workers.js";
import { createAlphaVantageProvider } from "./alphavantage.js";
import type { UnreadFile } from "./called.js";
import type { Provider } from "./define.js";
import { createFilesProvider, type Replay } from "./files.js";
import { createFinnhubProvider } from "./finnhub.js";
import { createPolygonProvider } from "./polygon.js";
import { createSyntheticProvider } from "./synthetic.js";
import { createTradierProvider } from "./tradier.js";
import { createUpstoxProvider } from "./upstox.js";
import { createYahooProvider } from "./yahoo.js";

export interface ProviderSetting {
  readonly config: Config;
  readonly workers: Workers;
  readonly now: () => number;
  readonly log: Log;
  /** The replay that recorded candles are shown in; null for none. */
  readonly replay: Replay | null;
  /** Hears of each listed file that cannot be read. */
  readonly onUnread?: (file: UnreadFile) => void;
}

const USER_AGENT = "Mozilla/5.0 (compatible; TX)";
const REQUEST_TIMEOUT_MS = 4_000;
const ANSWER_LIMIT_BYTES = 16 * 1024 * 1024;
const MINUTE_MS = 60_000;

/** The configuration is refused when a listed source has no key. */
const given = (key: string | undefined): string => ensure(key, "a listed source has its key");
/** 0 stands for no limit. */
const limitOf = (calls: number): number | null => (calls === 0 ? null : calls);

const FACTORIES = {
  synthetic: async ({ config, now }: ProviderSetting) => createSyntheticProvider(config.SYNTHETIC_SEED, now),
  files: async ({ config, onUnread, ...common }: ProviderSetting) =>
    createFilesProvider({
      ...common,
      folders: config.FILES_DIR ?? [],
      onUnread: (file) => onUnread?.({ source: "files", ...file }),
    }),
  yahoo: async ({ config, now }: ProviderSetting) =>
    createYahooProvider({
      baseUrl: config.YAHOO_BASE_URL,
      cookieUrl: config.YAHOO_COOKIE_URL,
      feedUrl: config.YAHOO_FEED_URL,
      http: vendorClient(),
      now,
    }),
  tradier: async ({ config, now }: ProviderSetting) =>
    createTradierProvider({
      baseUrl: config.TRADIER_BASE_URL,
      token: ensure(config.TRADIER_ACCESS_TOKEN, "TRADIER_ACCESS_TOKEN"),
      http: vendorClient(),
      now,
    }),
  upstox: async ({ config, now }: ProviderSetting) =>
    createUpstoxProvider({
      baseUrl: config.UPSTOX_BASE_URL,
      token: ensure(config.UPSTOX_ACCESS_TOKEN, "UPSTOX_ACCESS_TOKEN"),
      keys: config.UPSTOX_INSTRUMENT_KEYS ?? {},
      http: vendorClient(),
      now,
    }),
  polygon: async ({ config, now }: ProviderSetting) =>
    createPolygonProvider({
      baseUrl: config.POLYGON_BASE_URL,
      key: given(config.POLYGON_API_KEY),
      http: vendorClient(),
      now,
      callsPerMinute: limitOf(config.POLYGON_CALLS_PER_MINUTE),
      historyYears: config.POLYGON_HISTORY_YEARS,
      delayMs: config.POLYGON_DELAY_MINUTES * MINUTE_MS,
    }),
  finnhub: async ({ config, now }: ProviderSetting) =>
    createFinnhubProvider({
      baseUrl: config.FINNHUB_BASE_URL,
      key: given(config.FINNHUB_API_KEY),
      http: vendorClient(),
      now,
      callsPerMinute: limitOf(config.FINNHUB_CALLS_PER_MINUTE),
    }),
  alphavantage: async ({ config, now }: ProviderSetting) =>
    createAlphaVantageProvider({
      baseUrl: config.ALPHAVANTAGE_BASE_URL,
      key: given(config.ALPHAVANTAGE_API_KEY),
      http: vendorClient(),
      now,
      callsPerMinute: limitOf(config.ALPHAVANTAGE_CALLS_PER_MINUTE),
      callsPerDay: limitOf(config.ALPHAVANTAGE_CALLS_PER_DAY),
      premium: config.ALPHAVANTAGE_PREMIUM,
      delayMs: config.ALPHAVANTAGE_DELAY_MINUTES * MINUTE_MS,
    }),
};

export function vendorClient(): HttpClient {
  return createHttpClient({
    timeoutMs: REQUEST_TIMEOUT_MS,
    limitBytes: ANSWER_LIMIT_BYTES,
    userAgent: USER_AGENT,
  });
}

export type ProviderName = keyof typeof FACTORIES;

/** Every source there is. */
export const PROVIDER_NAMES = Object.freeze(Object.keys(FACTORIES)) as readonly ProviderName[];

/** The configured sources, in the order of preference. */
export async function createProviders(setting: ProviderSetting): Promise<Provider[]> {
  const providers: Provider[] = [];
  for (const name of setting.config.MARKET_DATA) providers.push(await FACTORIES[name](setting));
  return providers;
}
