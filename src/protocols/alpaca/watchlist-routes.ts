import { z } from "zod";
import type { DialectGroup } from "./http.js";
import {
  nameQuery,
  symbolBody,
  watchlistBody,
  watchlistHeadSchema,
  watchlistParams,
  watchlistSchema,
} from "./watchlist-schema.js";
import type { Watchlists } from "./watchlists.js";

/** Lists of assets that the caller keeps an eye on. */
export function watchlistRoutes(routes: DialectGroup, watchlists: Watchlists): void {
  routes.get("/v2/watchlists", {
    id: "alpacaWatchlists",
    summary: "The caller's watchlists, without their assets",
    answer: watchlistHeadSchema.array(),
    handle: ({ principal }) => watchlists.list(principal.userId),
  });
  routes.post("/v2/watchlists", {
    id: "alpacaCreateWatchlist",
    summary: "Make a watchlist",
    body: watchlistBody,
    answer: watchlistSchema,
    handle: ({ body, principal }) => watchlists.create(principal.userId, body),
  });
  routes.delete("/v2/watchlists/:watchlist_id/:symbol", {
    id: "alpacaRemoveFromWatchlist",
    summary: "Take an asset out of a watchlist",
    params: watchlistParams.extend({ symbol: z.string().max(40) }),
    answer: watchlistSchema,
    handle: ({ params, principal }) =>
      watchlists.remove(principal.userId, { id: params.watchlist_id }, params.symbol),
  });
  byId(routes, watchlists);
  byName(routes, watchlists);
}

function byId(routes: DialectGroup, watchlists: Watchlists): void {
  const path = "/v2/watchlists/:watchlist_id";
  const params = watchlistParams;
  routes.get(path, {
    id: "alpacaWatchlist",
    summary: "One watchlist",
    params,
    answer: watchlistSchema,
    handle: ({ params, principal }) => watchlists.get(principal.userId, { id: params.watchlist_id }),
  });
  routes.put(path, {
    id: "alpacaReplaceWatchlist",
    summary: "Rename a watchlist and, where they are said, replace its assets",
    params,
    body: watchlistBody,
    answer: watchlistSchema,
    handle: ({ params, body, principal }) =>
      watchlists.replace(principal.userId, { id: params.watchlist_id }, body),
  });
  routes.post(path, {
    id: "alpacaAddToWatchlist",
    summary: "Put an asset at the end of a watchlist, unless it is there",
    params,
    body: symbolBody,
    answer: watchlistSchema,
    handle: ({ params, body, principal }) =>
      watchlists.add(principal.userId, { id: params.watchlist_id }, body.symbol),
  });
  routes.delete(path, {
    id: "alpacaDeleteWatchlist",
    summary: "Delete a watchlist",
    params,
    answer: z.void(),
    status: 204,
    handle: ({ params, principal }) => watchlists.delete(principal.userId, { id: params.watchlist_id }),
  });
}

function byName(routes: DialectGroup, watchlists: Watchlists): void {
  const path = "/v2/watchlists::by_name";
  const query = nameQuery;
  routes.get(path, {
    id: "alpacaWatchlistByName",
    summary: "The watchlist of a name",
    query,
    answer: watchlistSchema,
    handle: ({ query, principal }) => watchlists.get(principal.userId, query),
  });
  routes.put(path, {
    id: "alpacaReplaceWatchlistByName",
    summary: "Rename the watchlist of a name and, where they are said, replace its assets",
    query,
    body: watchlistBody,
    answer: watchlistSchema,
    handle: ({ query, body, principal }) => watchlists.replace(principal.userId, query, body),
  });
  routes.post(path, {
    id: "alpacaAddToWatchlistByName",
    summary: "Put an asset at the end of the watchlist of a name, unless it is there",
    query,
    body: symbolBody,
    answer: watchlistSchema,
    handle: ({ query, body, principal }) => watchlists.add(principal.userId, query, body.symbol),
  });
  routes.delete(path, {
    id: "alpacaDeleteWatchlistByName",
    summary: "Delete the watchlist of a name",
    query,
    answer: z.void(),
    status: 204,
    handle: ({ query, principal }) => watchlists.delete(principal.userId, query),
  });
}
