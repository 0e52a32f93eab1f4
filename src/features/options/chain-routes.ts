import { AppError } from "../../platform/errors.js";
import type { RouteGroup } from "../../platform/http.js";
import { chooseExpiry, pricingOf } from "./figures.js";
import type { ReadChain } from "./loading.js";
import type { Options } from "./options.js";
import { analyticsQuery, analyticsSchema, chainQuery, chainSchema, underlyingParams } from "./schema.js";
import { analyticsView, chainView } from "./views.js";

const CHAIN_ERRORS = [
  "symbol_invalid",
  "symbol_unknown",
  "options_unavailable",
  "expiry_unknown",
  "no_data",
  "provider_unavailable",
] as const;

/** What a chain holds and what it says. */
export function chainRoutes(routes: RouteGroup, options: Options): void {
  routes.get("/api/options/chain/:symbol", {
    id: "getOptionChain",
    summary: "Strikes of one expiry with prices, open interest, volatilities and greeks",
    params: underlyingParams,
    query: chainQuery,
    answer: { data: chainSchema },
    errors: CHAIN_ERRORS,
    async handle({ params, query }) {
      const { expiry, at, filter, within, always_within, min_oi, min_volume, volume_waived_within } = query;
      const read = await options.loadChain(params.symbol, { at, scope: { which: "one", expiry } });
      const rows = requireExpiry(read, expiry);
      const pricing = pricingOf(read.underlying, read.chain, rows, assumed(options, read, query));
      const rules = {
        within,
        alwaysWithin: always_within,
        minOpenInterest: min_oi,
        minVolume: min_volume,
        volumeWaivedWithin: volume_waived_within,
      };
      return { data: chainView(read, rows, pricing, filter === "true" ? rules : null) };
    },
  });
  routes.get("/api/options/analytics/:symbol", {
    id: "getOptionAnalytics",
    summary: "Put-call ratio of the whole chain, max pain, open interest, skew and rank of volatility",
    params: underlyingParams,
    query: analyticsQuery,
    answer: { data: analyticsSchema },
    errors: CHAIN_ERRORS,
    async handle({ params, query }) {
      const { expiry, at, scope } = query;
      const read = await options.loadChain(params.symbol, { at, scope: { which: scope, expiry } });
      const rows = requireExpiry(read, expiry);
      const figures = options.figures(read, assumed(options, read, query));
      const selected = figures.byExpiry[read.chain.expiries.indexOf(rows)];
      return { data: analyticsView(read, figures, selected, await options.rank(read, figures)) };
    },
  });
}

/** @throws {AppError} `expiry_unknown` where the chain does not have it, `no_data` where it has none. */
function requireExpiry({ underlying, chain }: ReadChain, expiry: number | undefined) {
  const rows = chooseExpiry(underlying, chain, expiry);
  if (rows !== null) return rows;
  if (expiry === undefined) throw new AppError("no_data", `The chain of ${underlying.symbol} has no strikes`);
  throw new AppError("expiry_unknown", `The chain of ${underlying.symbol} has no such expiry`);
}

interface PricingQuery {
  readonly rate?: number | undefined;
  readonly dividend_yield?: number | undefined;
  readonly price?: "mid" | "last" | undefined;
}

function assumed(options: Options, { underlying }: ReadChain, query: PricingQuery) {
  const { rate, dividend_yield: dividendYield, price } = query;
  return options.assume(underlying, { rate, dividendYield, price });
}
