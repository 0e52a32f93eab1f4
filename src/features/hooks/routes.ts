import type { FastifyInstance } from "fastify";
import { z } from "zod";
import { routeGroup } from "../../platform/http.js";
import type { Hooks } from "./hooks.js";
import {
  callParams,
  callSchema,
  callsQuery,
  hookBody,
  hookChanges,
  hookParams,
  hookSchema,
  newHookSchema,
} from "./schema.js";
import { callView, changesOf, hookView, newHookView, termsOf } from "./views.js";

const TERM_ERRORS = [
  "conflict",
  "account_not_found",
  "symbol_invalid",
  "symbol_unknown",
  "no_data",
  "provider_unavailable",
] as const;

/** Hooks of a user, and what became of their calls. */
export function hookRoutes(app: FastifyInstance, { hooks }: { hooks: Hooks }): void {
  const routes = routeGroup(app, { tag: "Hooks", access: "trader", perMinute: 60 });
  routes.post("/api/incoming-hooks", {
    id: "createHook",
    summary:
      "Make an address that others may call, such as alerts of TradingView; its secret is shown this once",
    body: hookBody,
    status: 201,
    answer: { data: newHookSchema },
    errors: TERM_ERRORS,
    handle: async ({ body, principal: { userId } }) => ({
      data: newHookView(await hooks.create(userId, termsOf(body))),
    }),
  });
  routes.patch("/api/incoming-hooks/:id", {
    id: "changeHook",
    summary: "Change a hook; what is left out stays as it is",
    params: hookParams,
    body: hookChanges,
    answer: { data: hookSchema },
    errors: ["hook_not_found", ...TERM_ERRORS],
    handle: async ({ params, body, principal: { userId } }) => ({
      data: hookView(await hooks.change(userId, params.id, changesOf(body))),
    }),
  });
  routes.post("/api/incoming-hooks/:id/rotate", {
    id: "rotateHook",
    summary: "Another secret for a hook; the one before stands for nothing from then on",
    params: hookParams,
    answer: { data: newHookSchema },
    errors: ["hook_not_found"],
    handle: async ({ params, principal: { userId } }) => ({
      data: newHookView(await hooks.rotate(userId, params.id)),
    }),
  });
  routes.delete("/api/incoming-hooks/:id", {
    id: "deleteHook",
    summary: "Delete a hook and the log of its calls; orders stay",
    params: hookParams,
    answer: { message: z.string() },
    errors: ["hook_not_found"],
    async handle({ params, principal: { userId } }) {
      await hooks.delete(userId, params.id);
      return { message: "The hook is deleted" };
    },
  });
  readingRoutes(app, hooks);
}

function readingRoutes(app: FastifyInstance, hooks: Hooks): void {
  const reads = routeGroup(app, { tag: "Hooks", access: "trader", perMinute: 120 });
  reads.get("/api/incoming-hooks", {
    id: "listHooks",
    summary: "The caller's hooks, the newest first",
    answer: { data: z.array(hookSchema) },
    handle: async ({ principal }) => ({ data: (await hooks.list(principal.userId)).map(hookView) }),
  });
  reads.get("/api/incoming-hooks/:id", {
    id: "getHook",
    summary: "One hook",
    params: hookParams,
    answer: { data: hookSchema },
    errors: ["hook_not_found"],
    handle: async ({ params, principal }) => ({
      data: hookView(await hooks.get(principal.userId, params.id)),
    }),
  });
  reads.get("/api/incoming-hooks/:id/calls", {
    id: "listHookCalls",
    summary: "Calls of a hook and what became of each, the newest first",
    params: hookParams,
    query: callsQuery,
    answer: { data: z.array(callSchema), next: z.number().int().nullable().describe("Value of before") },
    errors: ["hook_not_found"],
    async handle({ params, query: { status = null, before = null, limit }, principal }) {
      const calls = await hooks.calls(principal.userId, params.id, { status, before }, limit);
      return { data: calls.map(callView), next: calls.length < limit ? null : (calls.at(-1)?.id ?? null) };
    },
  });
  reads.get("/api/incoming-hooks/:id/calls/:call", {
    id: "getHookCall",
    summary: "One call of a hook",
    params: callParams,
    answer: { data: callSchema },
    errors: ["hook_not_found"],
    handle: async ({ params, principal }) => ({
      data: callView(await hooks.call(principal.userId, params.id, params.call)),
    }),
  });
}
