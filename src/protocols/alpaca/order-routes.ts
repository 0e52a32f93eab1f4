import { z } from "zod";
import type { Instruments } from "../../features/instruments/instruments.js";
import { exchange } from "./calendar.js";
import type { DialectGroup } from "./http.js";
import {
  canceledSchema,
  changesBody,
  clientIdQuery,
  nestedQuery,
  orderBody,
  orderParams,
  orderSchema,
  ordersQuery,
} from "./order-schema.js";
import type { OrderFilter, Orders } from "./orders.js";
import { endOf, startOf } from "./times.js";

export interface OrderRouteOptions {
  readonly orders: Orders;
  readonly instruments: Pick<Instruments, "identify">;
}

/** Orders of the caller's account. */
export function orderRoutes(routes: DialectGroup, { orders, instruments }: OrderRouteOptions): void {
  routes.post("/v2/orders", {
    id: "alpacaPlaceOrder",
    summary: "Place an order on paper",
    body: orderBody,
    answer: orderSchema,
    handle: ({ body, principal }) => orders.submit(principal.userId, body),
  });
  routes.get("/v2/orders", {
    id: "alpacaOrders",
    summary: "Orders of the account, open ones unless asked otherwise",
    query: ordersQuery,
    answer: orderSchema.array(),
    handle: ({ query, principal }) => orders.list(principal.userId, filterOf(query, instruments)),
  });
  routes.delete("/v2/orders", {
    id: "alpacaCancelOrders",
    summary: "Cancel every open order",
    answer: canceledSchema,
    status: 207,
    handle: ({ principal }) => orders.cancelAll(principal.userId),
  });
  routes.get("/v2/orders::by_client_order_id", {
    id: "alpacaOrderByClientId",
    summary: "The order of a name that its client gave it",
    query: clientIdQuery,
    answer: orderSchema,
    handle: ({ query, principal }) => orders.byClientId(principal.userId, query.client_order_id),
  });
  routes.get("/v2/orders/:order_id", {
    id: "alpacaOrder",
    summary: "One order",
    params: orderParams,
    query: nestedQuery,
    answer: orderSchema,
    handle: ({ params, query, principal }) =>
      orders.get(principal.userId, params.order_id, query.nested === "true"),
  });
  routes.patch("/v2/orders/:order_id", {
    id: "alpacaReplaceOrder",
    summary: "Put an order with other terms in the place of one",
    params: orderParams,
    body: changesBody,
    answer: orderSchema,
    handle: ({ params, body, principal }) => orders.replace(principal.userId, params.order_id, body),
  });
  routes.delete("/v2/orders/:order_id", {
    id: "alpacaCancelOrder",
    summary: "Cancel an order",
    params: orderParams,
    answer: z.void(),
    status: 204,
    handle: ({ params, principal }) => orders.cancel(principal.userId, params.order_id),
  });
}

function filterOf(
  query: z.output<typeof ordersQuery>,
  instruments: Pick<Instruments, "identify">,
): OrderFilter {
  const { zone } = exchange();
  const { status, limit, after, until, direction, nested, symbols, side, asset_class: classes } = query;
  return {
    status,
    limit,
    after: after === undefined ? Number.NEGATIVE_INFINITY : startOf(after, zone),
    until: until === undefined ? Number.POSITIVE_INFINITY : endOf(until, zone),
    ascending: direction === "asc",
    nested: nested === "true",
    symbols: symbols === undefined ? null : new Set(symbols.map((text) => instruments.identify(text).symbol)),
    side: side ?? null,
    markets: classes === undefined ? null : new Set(classes),
    beforeId: query.before_order_id ?? null,
    afterId: query.after_order_id ?? null,
  };
}
