import { dayOf } from "../../core/market/day.js";
import { tradingDay } from "../../core/market/session.js";
import type { Asset, Assets } from "./assets.js";
import { type CalendarDay, calendarDays, clockView, exchange } from "./calendar.js";
import type { ContractRows } from "./contract-rows.js";
import { contractView, nextWeekend } from "./contracts.js";
import { invalid, notFound } from "./errors.js";
import type { DialectGroup } from "./http.js";
import {
  assetParams,
  assetSchema,
  assetsQuery,
  calendarDaySchema,
  calendarQuery,
  clockSchema,
  contractParams,
  contractSchema,
  contractsAnswer,
  contractsQuery,
  pairParams,
} from "./schema.js";
import { dateOfMoment } from "./times.js";

export interface ReferenceRouteOptions {
  readonly assets: Assets;
  readonly contracts: ContractRows;
  readonly now: () => number;
  /** The moment of the market, which a replay has in the past: that of orders and fills. */
  readonly marketNow: () => number;
}

/** When is traded, and what. */
export function referenceRoutes(routes: DialectGroup, options: ReferenceRouteOptions): void {
  const { assets, marketNow } = options;
  routes.get("/v2/clock", {
    id: "alpacaClock",
    summary: "Whether New York trades now, and when it opens and closes next",
    answer: clockSchema,
    handle: () => clockView(marketNow()),
  });
  routes.get("/v2/calendar", {
    id: "alpacaCalendar",
    summary: "Sessions of New York with their hours and days of settlement",
    query: calendarQuery,
    answer: calendarDaySchema.array(),
    handle({ query: { start, end, date_type } }): CalendarDay[] {
      const { zone } = exchange();
      const from = start === undefined ? "" : dateOfMoment(start, zone);
      const to = end === undefined ? "9999" : dateOfMoment(end, zone);
      return calendarDays(date_type, from, to);
    },
  });
  routes.get("/v2/assets", {
    id: "alpacaAssets",
    summary: "US shares, funds and coins that are known here",
    query: assetsQuery,
    answer: assetSchema.array(),
    async handle({ query: { status, asset_class, exchange: listed, attributes } }) {
      if (status === "inactive" || asset_class === "us_option" || attributes) return [];
      return assets.list({ market: asset_class, exchange: listed });
    },
  });
  async function requireAsset(text: string): Promise<Asset> {
    const asset = await assets.find(text);
    if (asset === null) throw notFound(`asset not found for ${text}`);
    return asset;
  }
  routes.get("/v2/assets/:symbol_or_asset_id", {
    id: "alpacaAsset",
    summary: "One asset by its symbol or id",
    params: assetParams,
    answer: assetSchema,
    handle: ({ params: { symbol_or_asset_id: text } }) => requireAsset(text),
  });
  // Older clients send the stroke of a pair as it is.
  routes.get("/v2/assets/:coin/:currency", {
    id: "alpacaCoinAsset",
    summary: "One pair of coins",
    params: pairParams,
    answer: assetSchema,
    handle: ({ params: { coin, currency } }) => requireAsset(`${coin}/${currency}`),
  });
  contractRoutes(routes, options);
}

function contractRoutes(routes: DialectGroup, { contracts, now }: ReferenceRouteOptions): void {
  routes.get("/v2/options/contracts", {
    id: "alpacaContracts",
    summary: "Options on US shares, as far as a source lists them or a chain is stored",
    query: contractsQuery,
    answer: contractsAnswer,
    async handle({ query }) {
      const { underlying_symbols: underlyings, root_symbol: root, status, style, limit, page_token } = query;
      const wanted = underlyings ?? (root === undefined ? [] : [root]);
      if (wanted.length === 0) throw invalid("underlying_symbols: names no share");
      if (status === "inactive" || style === "european")
        return { option_contracts: [], next_page_token: null };
      const today = tradingDay(exchange(), now());
      const { expiration_date: only, expiration_date_gte: least, expiration_date_lte: most } = query;
      const found = await contracts.list(
        {
          underlyings: wanted,
          fromDay: Math.max(today, dayOf(only ?? least ?? "1970-01-01")),
          toDay: (only ?? most) ? dayOf(only ?? most ?? "") : nextWeekend(today),
          right: query.type,
          strikeFrom: query.strike_price_gte ?? 0,
          strikeTo: query.strike_price_lte ?? Number.POSITIVE_INFINITY,
        },
        page_token ?? null,
        limit + 1,
        (each) => root === undefined || each.root === root,
      );
      const page = found.slice(0, limit).map((each) => contractView(each, today));
      const more = found.length > limit;
      return { option_contracts: page, next_page_token: more ? (page.at(-1)?.symbol ?? null) : null };
    },
  });
  routes.get("/v2/options/contracts/:symbol_or_id", {
    id: "alpacaContract",
    summary: "One option by its OCC symbol",
    params: contractParams,
    answer: contractSchema,
    async handle({ params: { symbol_or_id: text } }) {
      const symbol = text.toUpperCase();
      const row = (await contracts.find([symbol])).get(symbol);
      if (row === undefined) throw notFound(`option contract ${text} not found`);
      return contractView(row, tradingDay(exchange(), now()));
    },
  });
}
