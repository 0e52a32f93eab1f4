import type { FastifyInstance } from "fastify";
import { z } from "zod";
import type { ErrorCode } from "../../platform/errors.js";
import { routeGroup } from "../../platform/http.js";
import { SYMBOL_ERRORS } from "../candles/schema.js";
import type { PaperDesk } from "./feature.js";
import type { OrderNow } from "./placing.js";
import {
  accountId,
  alertTradeBody,
  listQuery,
  placedSchema,
  portfolioSchema,
  tradeBody,
  tradeParams,
  tradeSchema,
} from "./schema.js";
import type { AccountRow } from "./store.js";
import { placedText, placedView, portfolioView, tradeView } from "./views.js";

const ACCOUNT_ERRORS = ["account_not_found", "account_closed", "trading_halted"] as const;
export const ORDER_ERRORS: readonly ErrorCode[] = [
  ...SYMBOL_ERRORS,
  ...ACCOUNT_ERRORS,
  "order_refused",
  "confirmation_refused",
  "conflict",
  "idempotency_key_reused",
];

export interface PaperRouteOptions {
  readonly paper: PaperDesk;
}

/** Trades as the native API has them: placed and listed. */
export function paperTradeRoutes(app: FastifyInstance, options: PaperRouteOptions): void {
  openingRoutes(app, options);
  readingRoutes(app, options);
}

function openingRoutes(app: FastifyInstance, { paper }: PaperRouteOptions): void {
  const routes = routeGroup(app, { tag: "Paper trading", access: "trader", perMinute: 120 });
  const { native, doOnce } = paper;

  const executed = (account: AccountRow, placed: OrderNow) => {
    const trade = placedView(account, placed);
    return { trade, data: trade, message: placedText(placed) };
  };
  const execution = { trade: placedSchema, data: placedSchema, message: z.string() };

  routes.post("/api/paper-trades", {
    id: "placePaperTrade",
    aliases: [{ path: "/api/paper-trade/execute", id: "executePaperTrade" }],
    summary: "Buy or sell on paper, at the market or at a limit, with a stop and a target if wanted",
    description:
      "In an open market the order meets a quote of the last half minute at once; otherwise it waits for the next bar " +
      "or quote, and the answer says why. With `Idempotency-Key` it is done once however often it is sent.",
    body: tradeBody,
    answer: execution,
    errors: ORDER_ERRORS,
    handle: ({ body, principal: { userId }, request, reply }) =>
      doOnce({ userId, operation: "placePaperTrade", request, reply }, executed, (sealOf) =>
        native.trade(userId, body, sealOf),
      ),
  });
  routes.post("/api/paper-trade/execute-from-alert", {
    id: "executePaperTradeFromAlert",
    summary: "Trade an alert on paper, with its stop and its target",
    body: alertTradeBody,
    answer: execution,
    errors: [...ORDER_ERRORS, "alert_not_found"],
    handle: ({ body, principal: { userId }, request, reply }) =>
      doOnce({ userId, operation: "executePaperTradeFromAlert", request, reply }, executed, (sealOf) =>
        native.fromAlert(userId, body, sealOf),
      ),
  });
}

function readingRoutes(app: FastifyInstance, { paper }: PaperRouteOptions): void {
  const reads = routeGroup(app, { tag: "Paper trading", access: "viewer", perMinute: 120 });
  const { book, accountOf } = paper;

  reads.get("/api/paper-trades", {
    id: "listPaperTrades",
    aliases: [{ path: "/api/paper-trade/portfolio", id: "getPaperPortfolio" }],
    summary: "Trades of an account, the newest first, and what it holds",
    query: z.strictObject(listQuery),
    answer: {
      data: z.array(tradeSchema),
      portfolio: portfolioSchema,
      pagination: z.object({ limit: z.number(), offset: z.number(), total: z.number() }),
    },
    errors: [...ACCOUNT_ERRORS, ...SYMBOL_ERRORS],
    async handle({ query, principal }) {
      const { status, limit, offset } = query;
      const account = await accountOf(principal.userId, query.account_id);
      const symbol = query.symbol === undefined ? undefined : paper.identify(query.symbol);
      const found = await book.overview(account, { status, symbol, limit, offset });
      return {
        data: found.rows.map((trade) => tradeView(account, trade)),
        portfolio: portfolioView(found.portfolio, paper.marketNow()),
        pagination: { limit, offset, total: found.total },
      };
    },
  });
  reads.get("/api/paper-trades/:id", {
    id: "getPaperTrade",
    summary: "One trade",
    params: tradeParams,
    query: z.strictObject({ account_id: accountId }),
    answer: { data: tradeSchema },
    errors: [...ACCOUNT_ERRORS, "trade_not_found"],
    async handle({ params, query, principal }) {
      const account = await accountOf(principal.userId, query.account_id);
      return { data: tradeView(account, await book.trade(account, params.id)) };
    },
  });
}
