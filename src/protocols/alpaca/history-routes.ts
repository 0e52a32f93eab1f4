import { AppError } from "../../platform/errors.js";
import type { DialectGroup } from "./http.js";
import {
  optionBarsAnswer,
  optionBarsQuery,
  optionHistoryAnswer,
  optionHistoryQuery,
} from "./option-schema.js";
import {
  coinQuotesAnswer,
  coinsHistoryQuery,
  coinTradesAnswer,
  locationParams,
  quotesAnswer,
  quotesOfOneAnswer,
  shareHistoryQuery,
  shareParams,
  sharesHistoryQuery,
  tradesAnswer,
  tradesOfOneAnswer,
} from "./schema.js";

/** An empty list would say that nothing was traded. */
function refuseHistory(): never {
  throw new AppError(
    "source_missing",
    "past quotes and trades are not kept here, and no source is asked for them",
  );
}

/** Past quotes and trades of shares and coins, and of options whatever is past. */
export function historyRoutes(routes: DialectGroup): void {
  const several = { query: sharesHistoryQuery, handle: refuseHistory };
  const single = { params: shareParams, query: shareHistoryQuery, handle: refuseHistory };
  routes.get("/v2/stocks/quotes", {
    ...several,
    id: "alpacaShareQuotes",
    summary: "Past quotes: not kept here, which is told by 404",
    answer: quotesAnswer,
  });
  routes.get("/v2/stocks/trades", {
    ...several,
    id: "alpacaShareTrades",
    summary: "Past trades: not kept here, which is told by 404",
    answer: tradesAnswer,
  });
  routes.get("/v2/stocks/:symbol/quotes", {
    ...single,
    id: "alpacaQuotesOfShare",
    summary: "Past quotes of a share: not kept here, which is told by 404",
    answer: quotesOfOneAnswer,
  });
  routes.get("/v2/stocks/:symbol/trades", {
    ...single,
    id: "alpacaTradesOfShare",
    summary: "Past trades of a share: not kept here, which is told by 404",
    answer: tradesOfOneAnswer,
  });
  coinHistoryRoutes(routes);
  optionHistoryRoutes(routes);
}

function coinHistoryRoutes(routes: DialectGroup): void {
  const shared = { params: locationParams, query: coinsHistoryQuery, handle: refuseHistory };
  routes.get("/v1beta3/crypto/:loc/quotes", {
    ...shared,
    id: "alpacaCoinQuotes",
    summary: "Past quotes: not kept here, which is told by 404",
    answer: coinQuotesAnswer,
  });
  routes.get("/v1beta3/crypto/:loc/trades", {
    ...shared,
    id: "alpacaCoinTrades",
    summary: "Past trades: not kept here, which is told by 404",
    answer: coinTradesAnswer,
  });
}

/** Chains are kept as they stood now and then, which makes no bars. */
function refuseOptionHistory(): never {
  throw new AppError(
    "source_missing",
    "bars and past trades of options are not kept here, and no source is asked for them",
  );
}

function optionHistoryRoutes(routes: DialectGroup): void {
  routes.get("/v1beta1/options/bars", {
    id: "alpacaOptionBars",
    summary: "Bars of contracts: not kept here, which is told by 404",
    query: optionBarsQuery,
    answer: optionBarsAnswer,
    handle: refuseOptionHistory,
  });
  routes.get("/v1beta1/options/trades", {
    id: "alpacaOptionTrades",
    summary: "Past trades of contracts: not kept here, which is told by 404",
    query: optionHistoryQuery,
    answer: optionHistoryAnswer,
    handle: refuseOptionHistory,
  });
}
