import type { FastifyInstance } from "fastify";
import { z } from "zod";
import { type RouteGroup, routeGroup } from "../../platform/http.js";
import { CANDLE_ERRORS } from "../candles/schema.js";
import { readCondition } from "./language.js";
import type { Rules } from "./rules.js";
import { firingSchema, firingsQuery, placeText, ruleBody, ruleParams, ruleSchema } from "./schema.js";
import type { RuleDraft, StoredRule } from "./store.js";
import { firingView, ruleView } from "./views.js";

const RULE_ERRORS = [...CANDLE_ERRORS, "conflict"] as const;

export function ruleRoutes(
  app: FastifyInstance,
  { rules, marketNow }: { rules: Rules; marketNow: () => number },
): void {
  const routes = routeGroup(app, { tag: "Rules", access: "trader", perMinute: 30 });
  firingRoute(routes, rules);
  const view = (rule: StoredRule) => ({ data: ruleView(rule, marketNow()) });

  routes.get("/api/rules", {
    id: "listRules",
    summary: "The caller's rules, the newest first",
    access: "viewer",
    answer: { data: z.array(ruleSchema) },
    handle: async ({ principal }) => ({
      data: (await rules.list(principal.userId)).map((rule) => ruleView(rule, marketNow())),
    }),
  });
  routes.post("/api/rules", {
    id: "createRule",
    summary: "Define an alert; it looks from now on, and a level that holds already is no edge",
    body: ruleBody,
    answer: { data: ruleSchema },
    status: 201,
    errors: RULE_ERRORS,
    handle: async ({ body, principal }) =>
      view(await rules.create(principal.userId, draftOf(body), body.symbols)),
  });
  routes.get("/api/rules/:id", {
    id: "getRule",
    summary: "One of the caller's rules, and where it stands for each symbol",
    access: "viewer",
    params: ruleParams,
    answer: { data: ruleSchema },
    errors: ["rule_not_found"],
    handle: async ({ params, principal }) => view(await rules.get(principal.userId, params.id)),
  });
  routes.put("/api/rules/:id", {
    id: "replaceRule",
    summary: "Put another rule in the place of one",
    description:
      "It begins anew where it looks at something else, by another interval, or fires by another frequency or until another end; " +
      "else each symbol that it keeps stands where it stood. When it fired last counts in any case.",
    params: ruleParams,
    body: ruleBody,
    answer: { data: ruleSchema },
    errors: [...RULE_ERRORS, "rule_not_found"],
    handle: async ({ params, body, principal }) =>
      view(await rules.replace(principal.userId, params.id, draftOf(body), body.symbols)),
  });
  routes.delete("/api/rules/:id", {
    id: "deleteRule",
    summary: "Delete a rule; what it told stays in the history",
    params: ruleParams,
    answer: { message: z.string() },
    errors: ["rule_not_found"],
    async handle({ params, principal }) {
      await rules.delete(principal.userId, params.id);
      return { message: "The rule is deleted" };
    },
  });
  pauseRoutes(routes, rules, view);
}

/** By the view of a rule. */
function pauseRoutes(
  routes: RouteGroup,
  rules: Rules,
  view: (rule: StoredRule) => { data: z.input<typeof ruleSchema> },
): void {
  for (const [verb, paused, summary] of [
    ["pause", true, "Let a rule look at nothing"],
    ["resume", false, "Let a rule look from now on; what happened meanwhile is not told"],
  ] as const) {
    routes.post(`/api/rules/:id/${verb}`, {
      id: `${verb}Rule`,
      summary,
      params: ruleParams,
      answer: { data: ruleSchema },
      errors: ["rule_not_found", "conflict"],
      handle: async ({ params, principal }) => view(await rules.pause(principal.userId, params.id, paused)),
    });
  }
}

function firingRoute(routes: RouteGroup, rules: Rules): void {
  routes.get("/api/rules/firings", {
    id: "listRuleFirings",
    summary: "When the caller's rules fired, the newest first",
    access: "viewer",
    query: firingsQuery,
    answer: {
      data: z.array(firingSchema),
      next: z.string().nullable().describe("Value of before, to go on with; null where nothing is left"),
    },
    async handle({ query: { rule_id: ruleId = null, before = null, limit }, principal }) {
      const firings = await rules.firings(principal.userId, { ruleId, before, limit });
      const last = firings.length < limit ? undefined : firings.at(-1);
      return { data: firings.map(firingView), next: last === undefined ? null : placeText(last) };
    },
  });
}

function draftOf(body: z.output<typeof ruleBody>): RuleDraft {
  const { name, interval, watch, frequency, cooldown_s, quiet_hours, digest, expires_at } = body;
  return {
    name,
    condition: readCondition(body.when, "when"),
    rearm: body.rearm === null ? null : readCondition(body.rearm, "rearm"),
    interval,
    watch,
    terms: { frequency, cooldownS: cooldown_s, expiresAt: expires_at, quiet: quiet_hours, digest },
  };
}
