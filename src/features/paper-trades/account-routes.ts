import type { FastifyInstance } from "fastify";
import { z } from "zod";
import { NO_BODY, type RouteGroup, routeGroup } from "../../platform/http.js";
import { termsFrom } from "./account-terms.js";
import type { PaperDesk } from "./feature.js";
import { accountBody, accountSchema, resetBody } from "./schema.js";
import type { AccountRow } from "./store.js";
import { accountView } from "./views.js";

export const one = z.strictObject({ id: z.uuid() });

/** Accounts: opened, reset, halted and resumed by their owner. */
export function paperAccountRoutes(app: FastifyInstance, { paper }: { paper: PaperDesk }): void {
  const routes = routeGroup(app, { tag: "Paper trading", access: "trader", perMinute: 30 });
  const { accounts, doOnce } = paper;
  const answered = (account: AccountRow, _same: AccountRow) => ({ data: accountView(account) });
  const answer = { data: accountSchema };

  routes.get("/api/paper-trade/accounts", {
    id: "listPaperAccounts",
    summary: "The caller's accounts, the newest first, closed ones too",
    access: "viewer",
    perMinute: 120,
    answer: { data: z.array(accountSchema) },
    handle: async ({ principal }) => ({ data: (await accounts.list(principal.userId)).map(accountView) }),
  });
  routes.post("/api/paper-trade/accounts", {
    id: "openPaperAccount",
    summary: "Open an account with money in it",
    body: accountBody,
    status: 201,
    answer,
    errors: ["conflict", "idempotency_key_reused"],
    handle: ({ body, principal: { userId }, request, reply }) =>
      doOnce({ userId, operation: "openPaperAccount", request, reply }, answered, (sealOf) =>
        accounts.open(userId, { name: body.name, ...termsFrom(body) }, async (sql, row) =>
          sealOf(row)?.(sql, row),
        ),
      ),
  });
  routes.get("/api/paper-trade/accounts/:id", {
    id: "getPaperAccount",
    summary: "One account, open or closed",
    access: "viewer",
    perMinute: 120,
    params: one,
    answer,
    errors: ["account_not_found", "trading_halted"],
    handle: async ({ params, principal }) => ({
      data: accountView(await accounts.find(principal.userId, params.id)),
    }),
  });
  routes.post("/api/paper-trade/accounts/:id/reset", {
    id: "resetPaperAccount",
    summary:
      "Close an account with all that it holds and open another in its stead, halted if it was; until the next day, limits count its loss and trades of the day and its fall below the peak. What it did stays to be read",
    params: one,
    body: resetBody,
    answer,
    errors: ENDING_ERRORS,
    handle: ({ params: { id }, body, principal: { userId }, request, reply }) =>
      doOnce({ userId, operation: `resetPaperAccount ${id}`, request, reply }, answered, (sealOf) =>
        accounts.reset(userId, id, termsFrom(body ?? {}), async (sql, row) => sealOf(row)?.(sql, row)),
      ),
  });
  stateRoutes(routes, paper);
}

/** Why an account cannot be ended. */
const ENDING_ERRORS = [
  "account_not_found",
  "account_closed",
  "trading_halted",
  "order_refused",
  "idempotency_key_reused",
] as const;

/** What ends an account or keeps it from trading. */
function stateRoutes(routes: RouteGroup, { accounts, doOnce }: PaperDesk): void {
  routes.post("/api/paper-trade/accounts/:id/close", {
    id: "closePaperAccount",
    summary: "Close an account with all that it holds; it is not traded any more and stands still",
    params: one,
    body: NO_BODY,
    answer: { message: z.string() },
    errors: ENDING_ERRORS,
    handle: ({ params: { id }, principal: { userId }, request, reply }) =>
      doOnce(
        { userId, operation: `closePaperAccount ${id}`, request, reply },
        (_account: AccountRow, _same: AccountRow) => ({ message: "The account is closed" }),
        async (sealOf) => {
          const row = await accounts.find(userId, id);
          await accounts.close(userId, id, sealOf(row));
          return row;
        },
      ),
  });
  routes.post("/api/paper-trade/accounts/:id/halt", {
    id: "haltPaperAccount",
    summary: "Kill switch: cancel what could open a position, and take nothing that would",
    params: one,
    body: NO_BODY,
    answer: { message: z.string(), canceled: z.number().int() },
    errors: ["account_not_found", "account_closed", "trading_halted"],
    async handle({ params, principal }) {
      const { canceled } = await accounts.halt(principal.userId, params.id);
      return { message: "Nothing is opened until the account is resumed", canceled };
    },
  });
  routes.post("/api/paper-trade/accounts/:id/resume", {
    id: "resumePaperAccount",
    summary: "Trade again after the kill switch",
    params: one,
    body: NO_BODY,
    answer: { message: z.string() },
    errors: ["account_not_found", "account_closed", "trading_halted"],
    async handle({ params, principal }) {
      await accounts.resume(principal.userId, params.id);
      return { message: "The account trades again" };
    },
  });
}
