import type { FastifyInstance } from "fastify";
import { z } from "zod";
import { DAY_MS } from "../../core/market/day.js";
import { AppError } from "../../platform/errors.js";
import { type RouteGroup, routeGroup } from "../../platform/http.js";
import { chainRoutes } from "./chain-routes.js";
import type { Options } from "./options.js";
import { priceOption, volatilityOfPrice } from "./price.js";
import {
  expiriesQuery,
  expiriesSchema,
  historyQuery,
  historyRowSchema,
  loadedSchema,
  pricedSchema,
  priceQuery,
  recordedBody,
  snapshotSchema,
  snapshotsQuery,
  underlyingParams,
} from "./schema.js";
import { expiriesView, historyRowView, loadedView, pricedView, quoteOf, snapshotView } from "./views.js";

const SYMBOL_ERRORS = ["symbol_invalid", "symbol_unknown"] as const;
const BODY_LIMIT = 4 * 1024 * 1024;
const AHEAD_DAYS = 92;
const MOST_DAYS = 1_100;
/** Later than any chain, and a time that Postgres has. */
const FOR_EVER = Date.UTC(9999, 0, 1);

export function optionRoutes(
  app: FastifyInstance,
  { options, clock }: { options: Options; clock: { now(): number } },
): void {
  const routes = routeGroup(app, { tag: "Options", access: "viewer", perMinute: 60 });
  chainRoutes(routes, options);
  storedRoutes(routes, options);

  routes.get("/api/options/expiries/:symbol", {
    id: "listOptionExpiries",
    summary: "When options expire, by the rules of the exchange and by the source, with holidays",
    params: underlyingParams,
    query: expiriesQuery,
    answer: { data: expiriesSchema },
    errors: [...SYMBOL_ERRORS],
    async handle({ params, query }) {
      const from = query.from ?? Math.floor(clock.now() / DAY_MS);
      const to = query.to ?? from + AHEAD_DAYS;
      if (to < from) throw new AppError("invalid_request", "query to: must not lie before from");
      if (to - from > MOST_DAYS)
        throw new AppError("invalid_request", `query to: at most ${MOST_DAYS} days after from`);
      return { data: expiriesView(await options.loadCalendar(params.symbol, from, to)) };
    },
  });
  routes.get("/api/options/price", {
    id: "priceOption",
    summary: "Price and greeks of a European option from its volatility, or its volatility from a price",
    query: priceQuery,
    answer: { data: pricedSchema },
    handle({ query: { right, spot, strike, years, rate, dividend_yield, volatility, price } }) {
      const terms = { right, spot, strike, years, rate, dividendYield: dividend_yield };
      if (volatility !== undefined && price === undefined) {
        return { data: pricedView(priceOption(terms, volatility)) };
      }
      if (price !== undefined && volatility === undefined) {
        return { data: pricedView(volatilityOfPrice(terms, price)) };
      }
      throw new AppError("invalid_request", "query: give either volatility or price");
    },
  });
}

function storedRoutes(routes: RouteGroup, options: Options): void {
  routes.get("/api/options/snapshots/:symbol", {
    id: "listOptionSnapshots",
    summary: "Stored chains of an underlying, the newest first",
    params: underlyingParams,
    query: snapshotsQuery,
    answer: { data: z.array(snapshotSchema) },
    errors: [...SYMBOL_ERRORS],
    async handle({ params, query: { from = 0, to = FOR_EVER, limit } }) {
      return { data: (await options.listSnapshots(params.symbol, from, to, limit)).map(snapshotView) };
    },
  });
  routes.get("/api/options/history/:symbol", {
    id: "getOptionHistory",
    summary: "What stored chains said of an expiry over time, the newest first",
    params: underlyingParams,
    query: historyQuery,
    answer: { data: z.array(historyRowSchema) },
    errors: [...SYMBOL_ERRORS],
    async handle({ params, query: { from = 0, to = FOR_EVER, expiry = null, limit } }) {
      return { data: (await options.history(params.symbol, from, to, expiry, limit)).map(historyRowView) };
    },
  });
  routes.post("/api/options/snapshots", {
    id: "loadOptionSnapshot",
    summary: "Stores a recorded chain; legs that cannot be are left out and named",
    access: "admin",
    body: recordedBody,
    bodyLimit: BODY_LIMIT,
    answer: { data: loadedSchema },
    errors: [...SYMBOL_ERRORS, "conflict"],
    async handle({ body: { quotes, ...facts } }) {
      return { data: loadedView(await options.saveRecorded({ ...facts, quotes: quotes.map(quoteOf) })) };
    },
  });
}
