import { z } from "zod";
import { isContractSymbol } from "./contract-rows.js";
import { DialectError, invalid } from "./errors.js";
import type { DialectGroup } from "./http.js";
import {
  closeAllQuery,
  closedSchema,
  closeQuery,
  contractPositionParams,
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
  exerciseRoutes(routes);
}

/** Options are not held here, so there are none to be exercised. */
function exerciseRoutes(routes: DialectGroup): void {
  for (const [path, id, summary] of [
    ["exercise", "alpacaExercise", "Exercise an option that is held: none is"],
    ["do-not-exercise", "alpacaDoNotExercise", "Let an option that is held expire: none is"],
  ] as const) {
    routes.post(`/v2/positions/:symbol_or_contract_id/${path}`, {
      id,
      summary,
      params: contractPositionParams,
      answer: z.void(),
      status: 204,
      handle({ params: { symbol_or_contract_id: text } }) {
        const isContract = isContractSymbol(text.toUpperCase()) || UUID.test(text);
        throw isContract
          ? new DialectError(403, {
              code: 40310000,
              message: "no available position for the specified contract",
            })
          : new DialectError(422, { code: 42210000, message: "invalid symbol" });
      },
    });
  }
}

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
