import type { FastifyInstance, FastifyPluginCallback } from "fastify";
import type { Actions } from "../../features/candles/actions.js";
import type { AdjustedCandles } from "../../features/candles/adjusted.js";
import type { CandleService } from "../../features/candles/candles.js";
import type { Live } from "../../features/candles/live.js";
import type { Quotes } from "../../features/candles/quotes.js";
import type { Instruments } from "../../features/instruments/instruments.js";
import { tradedOf } from "../../features/instruments/traded.js";
import type { News } from "../../features/news/news.js";
import type { Options } from "../../features/options/options.js";
import type { PaperDesk } from "../../features/paper-trades/feature.js";
import type { Scanner } from "../../features/scanner/scanner.js";
import type { Users } from "../../features/users/users.js";
import type { Watchlists } from "../../features/watchlists/watchlists.js";
import type { Bus } from "../../platform/bus.js";
import type { Clock } from "../../platform/clock.js";
import { AppError } from "../../platform/errors.js";
import type { Log } from "../../platform/log.js";
import type { Metrics } from "../../platform/metrics.js";
import type { Gateway } from "../../providers/gateway.js";
import { createAccountViews } from "./account.js";
import { type AccountNews, createAccountNews } from "./account-news.js";
import { accountRoutes } from "./account-routes.js";
import { activityEventRoutes } from "./activity-event-routes.js";
import { EVENT_STREAM_SETTINGS, type EventStreamSettings } from "./activity-lines.js";
import { createActivityEvents } from "./activity-stream.js";
import { createAssets, type TermsOf } from "./assets.js";
import { createFramedBars } from "./bars.js";
import { BINARY_JSON_CODEC, JSON_CODEC } from "./codec.js";
import { coinRoutes } from "./coin-routes.js";
import { CONNECTION_SETTINGS, type ConnectionSettings, createConnections } from "./connection.js";
import { createContractRows } from "./contract-rows.js";
import { createDataStreams } from "./data-stream.js";
import { createFeed } from "./feed.js";
import { historyRoutes } from "./history-routes.js";
import {
  type DialectGroup,
  dialectGroup,
  type ExplainError,
  PREFIXES,
  refuseUnknown,
  speakDialect,
} from "./http.js";
import { createLatest, type Latest } from "./latest.js";
import type { Identify } from "./login.js";
import { createMarketData } from "./market-data.js";
import { marketFactRoutes } from "./market-facts.js";
import { marketTimeRoutes } from "./market-times.js";
import { newsRoutes } from "./news-routes.js";
import { optionRoutes } from "./option-routes.js";
import { orderRoutes } from "./order-routes.js";
import { createOrders } from "./orders.js";
import { positionRoutes } from "./position-routes.js";
import { createPositions } from "./positions.js";
import { referenceRoutes } from "./reference-routes.js";
import { shareRoutes } from "./share-routes.js";
import { type SocketRoute, socketRoutes } from "./socket-routes.js";
import type { Market } from "./symbols.js";
import { openTradeStream } from "./trade-stream.js";
import { createTradeUpdates } from "./trade-updates.js";
import { watchlistRoutes } from "./watchlist-routes.js";
import { createWatchlistViews } from "./watchlists.js";

/** What the dialect speaks to. */
export interface AlpacaOptions {
  readonly instruments: Instruments;
  readonly adjusted: AdjustedCandles;
  readonly candles: CandleService;
  readonly actions: Actions;
  readonly scanner: Pick<Scanner, "config">;
  readonly quotes: Quotes;
  readonly live: Live;
  readonly gateway: Gateway;
  readonly options: Options;
  readonly news: News;
  readonly bus: Bus;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly users: Pick<Users, "stands">;
  readonly identify: Identify;
  readonly draining: () => boolean;
  readonly explain: ExplainError;
  readonly paper: PaperDesk;
  readonly watchlists: Watchlists;
  /** What tests set faster. */
  readonly sockets?: Partial<AlpacaSocketSettings>;
}

export interface AlpacaSocketSettings extends ConnectionSettings, EventStreamSettings {
  /** How often it is looked at what is wanted and not told by itself. */
  readonly lookEveryMs: number;
}

export interface Alpaca {
  /** Says goodbye to every socket. */
  close(): void;
}

/**
 * Alpaca's Trading API v2, market data API and their streams, in a scope of their own: errors are theirs there and
 * nowhere else. Sockets must be possible on the server.
 */
export function alpacaRoutes(app: FastifyInstance, parts: AlpacaOptions): Alpaca {
  const { explain } = parts;
  const { now } = parts.clock;
  const latest = createLatest(parts);
  const accountNews = createAccountNews(parts.bus);
  const sockets = createSockets(app, parts, { latest, news: accountNews });
  void app.register((scope, _options, done) => {
    speakDialect(scope, explain, now);
    const routes = dialectGroup(scope);
    const assets = createAssets({ ...parts, termsOf });
    const contracts = createContractRows(parts.options);
    const { marketNow } = parts.paper;
    referenceRoutes(routes, { now, marketNow, assets, contracts });
    optionRoutes(routes, { options: parts.options, contracts, now });
    marketTimeRoutes(routes, marketNow);
    marketFactRoutes(routes, { ...parts, universe: () => parts.scanner.config().symbols, now });
    newsRoutes(routes, parts);
    tradingRoutes(routes, parts);
    watchlistRoutes(routes, createWatchlistViews({ ...parts, ...parts.paper, assets }));
    const dataOptions = {
      data: createMarketData({ ...parts, now, bars: createFramedBars(parts) }),
      latest,
    };
    shareRoutes(routes, dataOptions);
    coinRoutes(routes, dataOptions);
    historyRoutes(routes);
    socketRoutes(scope, sockets.routes, { ...parts, connections: sockets.connections });
    activityEventRoutes(scope, {
      ...parts,
      events: createActivityEvents({ ...parts, news: accountNews, elapsed: parts.clock.elapsed }),
      stands: parts.users.stands,
      settings: { ...EVENT_STREAM_SETTINGS, ...parts.sockets },
    });
    done();
  });
  for (const prefix of PREFIXES) {
    const unknown: FastifyPluginCallback = (scope, _options, done) => {
      refuseUnknown(scope);
      done();
    };
    void app.register(unknown, { prefix });
  }
  return sockets;
}

/** The account of whoever asks, and what it trades. */
function tradingRoutes(routes: DialectGroup, { paper, instruments }: AlpacaOptions): void {
  const now = paper.marketNow;
  accountRoutes(routes, createAccountViews({ paper, now }));
  orderRoutes(routes, { orders: createOrders({ paper, instruments }), instruments });
  positionRoutes(routes, createPositions({ paper, now }));
}

function createSockets(
  app: FastifyInstance,
  parts: AlpacaOptions,
  { latest, news }: { readonly latest: Latest; readonly news: AccountNews },
) {
  const { live, users, clock, identify } = parts;
  const updates = createTradeUpdates({ ...parts, news });
  const settings = { ...CONNECTION_SETTINGS, lookEveryMs: LOOK_EVERY_MS, ...parts.sockets };
  const { loginMs } = settings;
  const connections = createConnections({ ...parts, settings, stands: users.stands });
  const feed = createFeed({ ...parts, ...settings, latest, follow: live.follow, now: clock.now });
  const openData = createDataStreams({ feed, identify, loginMs, synthetic: app.synthetic });
  const prices = (id: string, path: string, market: Market): SocketRoute => ({
    id,
    path,
    summary: `WebSocket of prices of ${market === "crypto" ? "coins" : "US shares"}`,
    plain: JSON_CODEC,
    open: (connection) => openData(connection, market),
  });
  const routes: SocketRoute[] = [
    prices("alpacaShareStream", "/v2/iex", "us_equity"),
    prices("alpacaSipStream", "/v2/sip", "us_equity"),
    prices("alpacaCoinStream", "/v1beta3/crypto/us", "crypto"),
    {
      id: "alpacaTradeStream",
      path: "/stream",
      summary: "WebSocket of changes of one's own orders",
      plain: BINARY_JSON_CODEC,
      open: (connection) => openTradeStream({ updates, identify, loginMs }, connection),
    },
  ];
  return {
    routes,
    connections,
    feed,
    close() {
      feed.close();
      connections.close();
    },
  };
}

const LOOK_EVERY_MS = 5_000;

/** What is not traded here is an asset without terms. */
const termsOf: TermsOf = (instrument) => {
  try {
    return tradedOf(instrument);
  } catch (error) {
    if (error instanceof AppError) return null;
    throw error;
  }
};
