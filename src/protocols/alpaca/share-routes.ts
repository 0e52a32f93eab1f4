import type { DialectGroup } from "./http.js";
import type { Latest } from "./latest.js";
import { type MarketData, viewOf } from "./market-data.js";
import { oneShareRoutes } from "./one-share-routes.js";
import {
  barsAnswer,
  barsOfOneAnswer,
  latestBarsAnswer,
  latestQuotesAnswer,
  latestTradesAnswer,
  shareBarsQuery,
  shareParams,
  sharesBarsQuery,
  sharesQuery,
  snapshotsAnswer,
} from "./schema.js";
import { barView, quoteView, snapshotView, tradeView } from "./views.js";

export interface DataRouteOptions {
  readonly data: MarketData;
  readonly latest: Latest;
}

const MARKET = "us_equity";

/** Prices of US shares. */
export function shareRoutes(routes: DialectGroup, options: DataRouteOptions): void {
  barRoutes(routes, options);
  latestRoutes(routes, options);
  oneShareRoutes(routes, options);
}

function barRoutes(routes: DialectGroup, { data }: DataRouteOptions): void {
  routes.get("/v2/stocks/bars", {
    id: "alpacaShareBars",
    summary: "Closed bars of several shares, one after the other",
    query: sharesBarsQuery,
    answer: barsAnswer,
    async handle({ query }) {
      const view = viewOf(query.adjustment);
      const { page, token } = await data.loadPage(MARKET, query.symbols, query, view);
      return { bars: pageView(page.bars, MARKET), next_page_token: token };
    },
  });
  routes.get("/v2/stocks/:symbol/bars", {
    id: "alpacaBarsOfShare",
    summary: "Closed bars of a share",
    params: shareParams,
    query: shareBarsQuery,
    answer: barsOfOneAnswer,
    async handle({ params: { symbol }, query }) {
      const { page, token } = await data.loadPage(MARKET, [symbol], query, viewOf(query.adjustment));
      const [bars = []] = Object.values(pageView(page.bars, MARKET));
      return { symbol: symbol.toUpperCase(), bars, next_page_token: token };
    },
  });
}

export function pageView(
  bars: Awaited<ReturnType<MarketData["loadPage"]>>["page"]["bars"],
  market: Parameters<typeof barView>[1],
) {
  return Object.fromEntries(
    Object.entries(bars).map(([symbol, each]) => [symbol, each.map((bar) => barView(bar, market))]),
  );
}

function latestRoutes(routes: DialectGroup, { data, latest }: DataRouteOptions): void {
  routes.get("/v2/stocks/bars/latest", {
    id: "alpacaLatestShareBars",
    summary: "The newest closed minute of each share",
    query: sharesQuery,
    answer: latestBarsAnswer,
    async handle({ query: { symbols } }) {
      const found = await data.each(MARKET, symbols, latest.minute);
      return { bars: viewed(found, (bar) => barView(bar, MARKET)) };
    },
  });
  routes.get("/v2/stocks/quotes/latest", {
    id: "alpacaLatestShareQuotes",
    summary: "Bid and ask of each share, where a source tells both",
    query: sharesQuery,
    answer: latestQuotesAnswer,
    async handle({ query: { symbols } }) {
      return { quotes: viewed(await data.each(MARKET, symbols, latest.quote), quoteView) };
    },
  });
  routes.get("/v2/stocks/trades/latest", {
    id: "alpacaLatestShareTrades",
    summary: "The newest price at which each share was traded",
    query: sharesQuery,
    answer: latestTradesAnswer,
    async handle({ query: { symbols } }) {
      return { trades: viewed(await data.each(MARKET, symbols, latest.trade), tradeView) };
    },
  });
  routes.get("/v2/stocks/snapshots", {
    id: "alpacaShareSnapshots",
    summary: "Newest trade, quote, minute and days of each share, as far as they are known",
    query: sharesQuery,
    answer: snapshotsAnswer,
    async handle({ query: { symbols } }) {
      const found = await data.each(MARKET, symbols, latest.snapshot);
      return viewed(found, snapshotView);
    },
  });
}

export function viewed<T, V>(found: ReadonlyMap<string, T>, view: (value: T) => V): Record<string, V> {
  return Object.fromEntries([...found].map(([symbol, value]) => [symbol, view(value)]));
}
