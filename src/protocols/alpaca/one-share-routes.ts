import { notFound } from "./errors.js";
import type { DialectGroup } from "./http.js";
import {
  latestBarAnswer,
  latestQuoteAnswer,
  latestTradeAnswer,
  shareParams,
  shareQuery,
  snapshotAnswer,
} from "./schema.js";
import type { DataRouteOptions } from "./share-routes.js";
import { barView, quoteView, snapshotView, tradeView } from "./views.js";

const MARKET = "us_equity";

/** What is newest of one share; 404 where nothing is known. */
export function oneShareRoutes(routes: DialectGroup, { data, latest }: DataRouteOptions): void {
  async function one<T>(text: string, kind: string, work: Parameters<typeof data.each<T>>[2]) {
    const [found] = await data.each(MARKET, [text], work);
    if (found === undefined) throw notFound(`no ${kind} found for ${text}`);
    return { symbol: found[0], value: found[1] };
  }
  const path = { params: shareParams, query: shareQuery };

  routes.get("/v2/stocks/:symbol/bars/latest", {
    ...path,
    id: "alpacaLatestBarOfShare",
    summary: "The newest closed minute of a share",
    answer: latestBarAnswer,
    async handle({ params }) {
      const { symbol, value } = await one(params.symbol, "bar", latest.minute);
      return { symbol, bar: barView(value, MARKET) };
    },
  });
  routes.get("/v2/stocks/:symbol/quotes/latest", {
    ...path,
    id: "alpacaLatestQuoteOfShare",
    summary: "Bid and ask of a share, where a source tells both",
    answer: latestQuoteAnswer,
    async handle({ params }) {
      const { symbol, value } = await one(params.symbol, "quote", latest.quote);
      return { symbol, quote: quoteView(value) };
    },
  });
  routes.get("/v2/stocks/:symbol/trades/latest", {
    ...path,
    id: "alpacaLatestTradeOfShare",
    summary: "The newest price at which a share was traded",
    answer: latestTradeAnswer,
    async handle({ params }) {
      const { symbol, value } = await one(params.symbol, "trade", latest.trade);
      return { symbol, trade: tradeView(value) };
    },
  });
  routes.get("/v2/stocks/:symbol/snapshot", {
    ...path,
    id: "alpacaSnapshotOfShare",
    summary: "Newest trade, quote, minute and days of a share, as far as they are known",
    answer: snapshotAnswer,
    async handle({ params }) {
      const { symbol, value } = await one(params.symbol, "snapshot", latest.snapshot);
      return { symbol, ...snapshotView(value) };
    },
  });
}
