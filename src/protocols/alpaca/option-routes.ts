import type { z } from "zod";
import { dayOf } from "../../core/market/day.js";
import { tradingDay } from "../../core/market/session.js";
import type { Options } from "../../features/options/options.js";
import { exchange } from "./calendar.js";
import { type ContractRow, type ContractRows, isContractSymbol } from "./contract-rows.js";
import { invalid } from "./errors.js";
import type { DialectGroup } from "./http.js";
import { createOptionSnapshots, optionQuoteView, optionTradeView } from "./option-data.js";
import {
  chainParams,
  chainQuery,
  optionQuotesAnswer,
  optionSnapshotsAnswer,
  optionSnapshotsQuery,
  optionsQuery,
  optionTradesAnswer,
} from "./option-schema.js";
import { startOf } from "./times.js";

export interface OptionRouteOptions {
  readonly options: Pick<Options, "assume">;
  readonly contracts: ContractRows;
  readonly now: () => number;
}

/** Prices of options on US shares, as the newest chain has them. */
export function optionRoutes(routes: DialectGroup, options: OptionRouteOptions): void {
  snapshotRoutes(routes, options);
  latestRoutes(routes, options);
}

function snapshotRoutes(routes: DialectGroup, { options, contracts, now }: OptionRouteOptions): void {
  const snapshot = createOptionSnapshots(options);
  const pageView = (rows: readonly ContractRow[], limit: number) => {
    const page = rows.slice(0, limit);
    const last = rows.length > limit ? page.at(-1) : undefined;
    return {
      snapshots: Object.fromEntries(page.map((row) => [row.symbol, snapshot(row)])),
      next_page_token: last === undefined ? null : Buffer.from(last.symbol).toString("base64"),
    };
  };

  routes.get("/v1beta1/options/snapshots", {
    id: "alpacaOptionSnapshots",
    summary: "Newest price, quote and greeks of contracts, as far as a chain has them",
    query: optionSnapshotsQuery,
    answer: optionSnapshotsAnswer,
    async handle({ query }) {
      const after = contractAfter(query.page_token);
      const found = [...(await contracts.find(query.symbols)).values()].filter(
        (row) => (after === null || row.symbol > after) && isUpdated(row, query),
      );
      found.sort((a, b) => (a.symbol < b.symbol ? -1 : 1));
      return pageView(found, query.limit);
    },
  });
  routes.get("/v1beta1/options/snapshots/:underlying_symbol", {
    id: "alpacaOptionChain",
    summary: "The same of the contracts on a share, by expiry, right and strike",
    params: chainParams,
    query: chainQuery,
    answer: optionSnapshotsAnswer,
    async handle({ params, query }) {
      const { expiration_date: only, expiration_date_gte: least, expiration_date_lte: most } = query;
      const found = await contracts.list(
        {
          underlyings: [params.underlying_symbol],
          fromDay: Math.max(tradingDay(exchange(), now()), dayOf(only ?? least ?? "1970-01-01")),
          toDay:
            only === undefined && most === undefined ? Number.POSITIVE_INFINITY : dayOf(only ?? most ?? ""),
          right: query.type,
          strikeFrom: query.strike_price_gte ?? 0,
          strikeTo: query.strike_price_lte ?? Number.POSITIVE_INFINITY,
        },
        contractAfter(query.page_token),
        query.limit + 1,
        (row) => (query.root_symbol === undefined || row.root === query.root_symbol) && isUpdated(row, query),
      );
      return pageView(found, query.limit);
    },
  });
}

/** The contract that a page ended with; null for the first. @throws {AppError} `invalid_request` for no token of ours. */
function contractAfter(token: string | undefined): string | null {
  if (token === undefined) return null;
  const symbol = Buffer.from(token, "base64").toString("utf8");
  if (!isContractSymbol(symbol)) throw invalid("invalid page_token");
  return symbol;
}

/** Whether the chain that a contract is in is as new as it is asked to be. */
function isUpdated(
  { read: { chain } }: ContractRow,
  { updated_since: since }: Pick<z.output<typeof chainQuery>, "updated_since">,
): boolean {
  return since === undefined || chain.time >= startOf(since, exchange().zone);
}

function latestRoutes(routes: DialectGroup, { contracts }: OptionRouteOptions): void {
  /** What there is of each contract, by symbol. */
  async function each<T>(symbols: readonly string[], view: (row: ContractRow) => T | null) {
    const found: Record<string, T> = {};
    const rows = await contracts.find(symbols);
    for (const symbol of [...rows.keys()].sort()) {
      const row = rows.get(symbol);
      const told = row === undefined ? null : view(row);
      if (told !== null) found[symbol] = told;
    }
    return found;
  }

  routes.get("/v1beta1/options/quotes/latest", {
    id: "alpacaLatestOptionQuotes",
    summary: "Bid and ask of contracts",
    query: optionsQuery,
    answer: optionQuotesAnswer,
    handle: async ({ query: { symbols } }) => ({ quotes: await each(symbols, optionQuoteView) }),
  });
  routes.get("/v1beta1/options/trades/latest", {
    id: "alpacaLatestOptionTrades",
    summary: "The last price of contracts",
    query: optionsQuery,
    answer: optionTradesAnswer,
    handle: async ({ query: { symbols } }) => ({ trades: await each(symbols, optionTradeView) }),
  });
}
