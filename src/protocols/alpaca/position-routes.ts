import { invalid } from "./errors.js";
import type { DialectGroup } from "./http.js";
import {
  closeAllQuery,
  closedSchema,
  closeQuery,
  orderSchema,
  positionParams,
  positionSchema,
} from "./order-schema.js";
import type { Positions } from "./positions.js";

/** What the caller's account holds. */
export function positionRoutes(routes: DialectGroup, positions: Positions): void {
  routes.get("/v2/positions", {
    id: "alpacaPositions",
    summary: "Open positions",
    answer: positionSchema.array(),
    handle: ({ principal }) => positions.list(principal.userId),
  });
  routes.delete("/v2/positions", {
    id: "alpacaClosePositions",
    summary: "Close every position at the market",
    query: closeAllQuery,
    answer: closedSchema,
    status: 207,
    handle: ({ query, principal }) => positions.closeAll(principal.userId, query.cancel_orders === "true"),
  });
  routes.get("/v2/positions/:symbol_or_asset_id", {
    id: "alpacaPosition",
    summary: "One position by symbol or id of the asset",
    params: positionParams,
    answer: positionSchema,
    handle: ({ params, principal }) => positions.get(principal.userId, params.symbol_or_asset_id),
  });
  routes.delete("/v2/positions/:symbol_or_asset_id", {
    id: "alpacaClosePosition",
    summary: "Close a position, or a part of it, at the market",
    params: positionParams,
    query: closeQuery,
    answer: orderSchema,
    handle({ params, query, principal }) {
      const { qty, percentage } = query;
      if (qty !== undefined && percentage !== undefined)
        throw invalid("only one of qty and percentage is accepted");
      const part =
        qty !== undefined
          ? ({ kind: "quantity", quantity: qty } as const)
          : percentage !== undefined
            ? ({ kind: "percent", percent: percentage } as const)
            : ({ kind: "all" } as const);
      return positions.close(principal.userId, params.symbol_or_asset_id, part);
    },
  });
}
