import type { FastifyInstance } from "fastify";
import { z } from "zod";
import type { Changes } from "../../core/execution/replace.js";
import { isTerminal } from "../../core/execution/states.js";
import { routeGroup, wholeNumberText } from "../../platform/http.js";
import { symbolText } from "../candles/schema.js";
import type { PaperDesk } from "./feature.js";
import type { OrderNow } from "./placing.js";
import { ORDER_ERRORS } from "./routes.js";
import { accountId, changesBody, orderBody, orderSchema } from "./schema.js";
import type { AccountRow } from "./store.js";
import { orderView } from "./views.js";

const one = z.strictObject({
  id: z
    .string()
    .regex(
      /^([0-9a-f-]{36}(\/(stop|target))?|call\/\d{1,15}\/[!-.0-~]{1,40})$/,
      "is the id of an order, of a leg with /stop or /target, or of a margin call",
    )
    .describe("Of an order; legs end with /stop or /target and margin calls begin with call/, written %2F"),
});
const ofAccount = z.strictObject({ account_id: accountId });

const answered = (_account: AccountRow, order: OrderNow) => ({ data: orderView(order) });

/** Orders of every type, as they stand. */
export function paperOrderRoutes(app: FastifyInstance, { paper }: { paper: PaperDesk }): void {
  const routes = routeGroup(app, { tag: "Paper trading", access: "trader", perMinute: 240 });
  const { native, doOnce } = paper;
  routes.post("/api/paper-trade/orders", {
    id: "placePaperOrder",
    summary: "Place an order of any type and class on paper",
    body: orderBody,
    status: 201,
    answer: { data: orderSchema },
    errors: ORDER_ERRORS,
    handle: ({ body, principal: { userId }, request, reply }) =>
      doOnce({ userId, operation: "placePaperOrder", request, reply }, answered, (sealOf) =>
        native.order(userId, body, sealOf),
      ),
  });
  readingRoutes(app, paper);
  changingRoutes(app, paper);
}

function readingRoutes(app: FastifyInstance, { book, identify, accountOf }: PaperDesk): void {
  const reads = routeGroup(app, { tag: "Paper trading", access: "viewer", perMinute: 240 });
  reads.get("/api/paper-trade/orders", {
    id: "listPaperOrders",
    summary: "Orders of an account, the newest first",
    description:
      "Targets and stops are shown with their entry, and by themselves where it is not listed: open ones of a filled entry.",
    query: z.strictObject({
      status: z.enum(["open", "closed", "all"]).default("open"),
      symbol: symbolText.optional(),
      limit: wholeNumberText(1, 500).prefault("50"),
      account_id: accountId,
    }),
    answer: { data: z.array(orderSchema) },
    errors: ["account_not_found", "trading_halted", "symbol_invalid", "symbol_unknown"],
    async handle({ query: { status, symbol: text, limit, account_id }, principal }) {
      const account = await accountOf(principal.userId, account_id);
      const symbol = text === undefined ? null : identify(text);
      const orders = await book.orders(
        account,
        (order) =>
          (symbol === null || order.symbol === symbol) &&
          (status === "all" || isTerminal(order.state) === (status === "closed")),
        limit,
      );
      return { data: orders.map(orderView) };
    },
  });
  reads.get("/api/paper-trade/orders/:id", {
    id: "getPaperOrder",
    summary: "One order",
    params: one,
    query: ofAccount,
    answer: { data: orderSchema },
    errors: ["account_not_found", "trading_halted", "order_not_found"],
    async handle({ params, query, principal }) {
      const account = await accountOf(principal.userId, query.account_id);
      return { data: orderView(await book.order(account, params.id)) };
    },
  });
}

function changingRoutes(app: FastifyInstance, { trading, accountOf, doOnce }: PaperDesk): void {
  const routes = routeGroup(app, { tag: "Paper trading", access: "trader", perMinute: 240 });
  routes.delete("/api/paper-trade/orders/:id", {
    id: "cancelPaperOrder",
    summary: "Cancel an order; its legs go with it",
    params: one,
    query: ofAccount,
    answer: { data: orderSchema },
    errors: [
      "account_not_found",
      "account_closed",
      "order_not_found",
      "order_refused",
      "trading_halted",
      "idempotency_key_reused",
      "provider_unavailable",
    ],
    handle: ({ params: { id }, query, principal: { userId }, request, reply }) =>
      doOnce({ userId, operation: `cancelPaperOrder ${id}`, request, reply }, answered, async (sealOf) => {
        const account = await accountOf(userId, query.account_id);
        return trading.cancel(account, id, sealOf(account));
      }),
  });
  routes.patch("/api/paper-trade/orders/:id", {
    id: "replacePaperOrder",
    summary: "Put an order with other terms in the place of one",
    params: one,
    body: changesBody,
    answer: { data: orderSchema },
    errors: [...ORDER_ERRORS, "order_not_found"],
    handle: ({ params: { id }, body, principal: { userId }, request, reply }) =>
      doOnce({ userId, operation: `replacePaperOrder ${id}`, request, reply }, answered, async (sealOf) => {
        const account = await accountOf(userId, body.account_id);
        return trading.replace(account, id, {
          ...{ changes: changesFrom(body), clientOrderId: body.client_order_id },
          seal: sealOf(account),
        });
      }),
  });
}

function changesFrom(body: z.output<typeof changesBody>): Changes {
  return {
    ...(body.quantity === undefined ? {} : { quantity: body.quantity }),
    ...(body.time_in_force === undefined ? {} : { timeInForce: body.time_in_force }),
    ...(body.limit_price === undefined ? {} : { limitPrice: body.limit_price }),
    ...(body.stop_price === undefined ? {} : { stopPrice: body.stop_price }),
    ...(body.trail === undefined ? {} : { trail: body.trail }),
  };
}
