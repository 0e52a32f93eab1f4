import type { FastifyInstance } from "fastify";
import { routeGroup } from "../../platform/http.js";
import { searchAnswer, searchQuery } from "./schema.js";
import type { Match, Search } from "./search.js";

export function instrumentRoutes(app: FastifyInstance, { search }: { search: Search }): void {
  const routes = routeGroup(app, { tag: "Market data", access: "viewer", perMinute: 30 });

  routes.get("/api/search", {
    id: "searchSymbols",
    summary: "Instruments whose symbol or name fits a text",
    query: searchQuery,
    answer: searchAnswer,
    async handle({ query: { q, limit } }) {
      const { matches, stale, ageMs, trouble } = await search.find(q, limit);
      return { data: matches.map(matchView), query: q, stale, age_ms: ageMs, trouble };
    },
  });
}

function matchView({ instrument, source, synthetic, vendorSymbol, hasCandles }: Match) {
  const { symbol, name, assetClass, exchange, currency, calendar } = instrument;
  return {
    symbol,
    name,
    asset_class: assetClass,
    exchange,
    currency,
    calendar,
    source,
    synthetic,
    vendor_symbol: vendorSymbol,
    has_candles: hasCandles,
  };
}
