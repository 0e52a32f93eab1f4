import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { z } from "zod";
import { fromMicros } from "../../core/execution/money.js";
import type { ErrorCode } from "../../platform/errors.js";
import { type Principal, routeGroup } from "../../platform/http.js";
import type { OrderNow } from "./placing.js";
import { ORDER_ERRORS, type PaperRouteOptions } from "./routes.js";
import { closeBody, placedSchema, tradeParams } from "./schema.js";
import { placedText, placedView } from "./views.js";

/** Positions and trades closed at the market. */
export function paperCloseRoutes(app: FastifyInstance, { paper }: PaperRouteOptions): void {
  const routes = routeGroup(app, { tag: "Paper trading", access: "trader", perMinute: 120 });
  const { trading, accountOf, doOnce } = paper;

  async function close(
    { userId }: Principal,
    wanted: {
      symbol?: string | undefined;
      trade?: number | undefined;
      quantity?: number | undefined;
      account?: string | undefined;
    },
    { request, reply, operation }: { request: FastifyRequest; reply: FastifyReply; operation: string },
  ) {
    return doOnce(
      { userId, operation, request, reply },
      (row, placed: OrderNow) => {
        const trade = placedView(row, placed);
        const pnl = placed.order.filled === 0 ? null : fromMicros(placed.times.gain);
        return { trade, data: { ...trade, pnl }, pnl, message: placedText(placed) };
      },
      async (sealOf) => {
        const account = await accountOf(userId, wanted.account);
        const { symbol, part } = await paper.toClose(account, wanted);
        const seal = sealOf(account);
        return trading.closePosition(account, symbol, part, seal === undefined ? {} : { seal });
      },
    );
  }
  const closing = {
    trade: placedSchema,
    data: placedSchema.extend({ pnl: z.number().nullable() }),
    pnl: z.number().nullable().describe("Realised by it before fees; null while it waits"),
    message: z.string(),
  };
  const closeErrors: readonly ErrorCode[] = [...ORDER_ERRORS, "position_not_found", "trade_not_found"];

  routes.post("/api/close-position", {
    id: "closePosition",
    aliases: [{ path: "/api/paper-trade/close", id: "closePaperTrade" }],
    summary: "Close a position by its symbol, or what one trade opened, at the market",
    description:
      "Targets and stops of what is closed are canceled with it: by its symbol all of them, by a trade its own, which stay for what is left of it.",
    body: closeBody,
    answer: closing,
    errors: closeErrors,
    handle: ({ body, principal, request, reply }) => {
      const { symbol, trade_id: trade, quantity, account_id: account } = body;
      return close(
        principal,
        { symbol, trade, quantity, account },
        { request, reply, operation: "closePosition" },
      );
    },
  });
  routes.post("/api/paper-trades/:id/close", {
    id: "closePaperTradeById",
    summary: "Close what one trade opened, at the market",
    description: "Its target and stop go with it, and stay for what is left of it. Other trades keep theirs.",
    params: tradeParams,
    body: closeBody.omit({ symbol: true, trade_id: true }).optional(),
    answer: closing,
    errors: closeErrors,
    handle: ({ params, body, principal, request, reply }) =>
      close(
        principal,
        { trade: params.id, quantity: body?.quantity, account: body?.account_id },
        { request, reply, operation: `closePaperTradeById ${params.id}` },
      ),
  });
}
