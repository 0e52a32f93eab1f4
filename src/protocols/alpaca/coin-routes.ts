import type { DialectGroup } from "./http.js";
import {
  barsAnswer,
  coinSnapshotsAnswer,
  coinsBarsQuery,
  coinsQuery,
  latestBarsAnswer,
  latestCoinQuotesAnswer,
  latestCoinTradesAnswer,
  locationParams,
} from "./schema.js";
import { type DataRouteOptions, pageView, viewed } from "./share-routes.js";
import { barView, coinQuoteView, coinSnapshotView, coinTradeView } from "./views.js";

const MARKET = "crypto";

/** Prices of coins, wherever the dialect says that they come from. */
export function coinRoutes(routes: DialectGroup, { data, latest }: DataRouteOptions): void {
  const params = locationParams;
  routes.get("/v1beta3/crypto/:loc/bars", {
    id: "alpacaCoinBars",
    summary: "Closed bars of several coins, one after the other",
    params,
    query: coinsBarsQuery,
    answer: barsAnswer,
    async handle({ query }) {
      const { page, token } = await data.loadPage(MARKET, query.symbols, query, "given");
      return { bars: pageView(page.bars, MARKET), next_page_token: token };
    },
  });
  routes.get("/v1beta3/crypto/:loc/latest/bars", {
    id: "alpacaLatestCoinBars",
    summary: "The newest closed minute of each coin",
    params,
    query: coinsQuery,
    answer: latestBarsAnswer,
    async handle({ query: { symbols } }) {
      const found = await data.each(MARKET, symbols, latest.minute);
      return { bars: viewed(found, (bar) => barView(bar, MARKET)) };
    },
  });
  routes.get("/v1beta3/crypto/:loc/latest/quotes", {
    id: "alpacaLatestCoinQuotes",
    summary: "Bid and ask of each coin, where a source tells both",
    params,
    query: coinsQuery,
    answer: latestCoinQuotesAnswer,
    async handle({ query: { symbols } }) {
      return { quotes: viewed(await data.each(MARKET, symbols, latest.quote), coinQuoteView) };
    },
  });
  routes.get("/v1beta3/crypto/:loc/latest/trades", {
    id: "alpacaLatestCoinTrades",
    summary: "The newest price at which each coin was traded",
    params,
    query: coinsQuery,
    answer: latestCoinTradesAnswer,
    async handle({ query: { symbols } }) {
      return { trades: viewed(await data.each(MARKET, symbols, latest.trade), coinTradeView) };
    },
  });
  routes.get("/v1beta3/crypto/:loc/snapshots", {
    id: "alpacaCoinSnapshots",
    summary: "Newest trade, quote, minute and days of each coin, as far as they are known",
    params,
    query: coinsQuery,
    answer: coinSnapshotsAnswer,
    async handle({ query: { symbols } }) {
      const found = await data.each(MARKET, symbols, latest.snapshot);
      return { snapshots: viewed(found, coinSnapshotView) };
    },
  });
}
