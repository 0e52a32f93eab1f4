import type { FastifyInstance } from "fastify";
import { z } from "zod";
import { DAY_MS } from "../../core/market/day.js";
import type { LoadRuleDecisions } from "../../core/rules/decision.js";
import { AppError } from "../../platform/errors.js";
import { type RouteGroup, routeGroup } from "../../platform/http.js";
import type { Instruments } from "../instruments/instruments.js";
import type { Alerts } from "./alerts.js";
import { answerRoutes } from "./answer-routes.js";
import type { AlertOutcomes } from "./outcomes.js";
import {
  alertDetailSchema,
  alertParams,
  alertSchema,
  alertsQuery,
  decisionSchema,
  decisionsQuery,
  historyQuery,
  paginationSchema,
  statisticsSchema,
  windowQuery,
} from "./schema.js";
import type { AlertFilter } from "./store.js";
import { alertDetailView, alertView, decisionView, ruleDecisionView, statisticsView } from "./views.js";

const ACTIVE_LIMIT = 50;

export interface AlertRouteOptions {
  readonly alerts: Alerts;
  readonly instruments: Instruments;
  readonly outcomes: AlertOutcomes;
  readonly ruleDecisions: LoadRuleDecisions;
  readonly now: () => number;
}

export function alertRoutes(app: FastifyInstance, options: AlertRouteOptions): void {
  const { alerts, instruments, outcomes } = options;
  const routes = routeGroup(app, { tag: "Alerts", access: "viewer", perMinute: 30 });
  const symbolOf = (text: string | undefined) =>
    text === undefined ? undefined : instruments.identify(text).symbol;
  const many = z.array(alertSchema);

  async function page(filter: AlertFilter, limit: number, offset: number) {
    const { rows, total } = await alerts.list(filter, limit, offset);
    return { alerts: rows.map(alertView), pagination: { limit, offset, total } };
  }

  routes.get("/api/get_active_alerts", {
    id: "listActiveAlerts",
    aliases: [
      { path: "/api/get_active_alert", id: "listActiveAlertsSingular" },
      { path: "/api/alerts/active", id: "listActiveAlertsAlias" },
    ],
    summary: "The newest 50 alerts that nobody has answered",
    answer: { alerts: many },
    handle: async () => ({ alerts: (await alerts.listActive(ACTIVE_LIMIT)).map(alertView) }),
  });
  routes.get("/api/alerts", {
    id: "listAlerts",
    summary: "Alerts, newest first",
    query: alertsQuery,
    answer: { alerts: many, data: many, pagination: paginationSchema },
    errors: ["symbol_invalid", "symbol_unknown"],
    async handle({ query: { limit, offset, symbol, quality, status } }) {
      const found = await page({ symbol: symbolOf(symbol), status, badge: quality }, limit, offset);
      return { ...found, data: found.alerts };
    },
  });
  routes.get("/api/alerts/history", {
    id: "listAlertHistory",
    summary: "Alerts of a time and status, newest first",
    query: historyQuery,
    answer: { alerts: many, pagination: paginationSchema },
    errors: ["symbol_invalid", "symbol_unknown"],
    handle: ({ query: { limit, offset, symbol, status, from, to } }) =>
      page({ symbol: symbolOf(symbol), status, from, to }, limit, offset),
  });
  routes.get("/api/alerts/stats", {
    id: "getAlertStatistics",
    summary: "Counts of alerts by state, pattern and symbol",
    perMinute: 20,
    query: windowQuery,
    answer: { data: statisticsSchema },
    async handle({ query: { window } }) {
      const sinceMs = options.now() - window * DAY_MS;
      const [statistics, counts] = await Promise.all([alerts.statistics(window), outcomes.counts(sinceMs)]);
      return { data: statisticsView(statistics, counts, window) };
    },
  });
  routes.get("/api/alerts/:id", {
    id: "getAlert",
    summary: "One alert with the evidence and the rules behind it, and what became of it",
    params: alertParams,
    answer: { data: alertDetailSchema },
    errors: ["alert_not_found"],
    async handle({ params }) {
      const [{ alert, verdicts, layers }, settled] = await Promise.all([
        alerts.get(params.id),
        outcomes.ofAlert(params.id),
      ]);
      return { data: alertDetailView(alert, verdicts, settled, layers) };
    },
  });
  decisionRoute(routes, options, symbolOf);
  answerRoutes(routes, alerts);
}

function decisionRoute(
  routes: RouteGroup,
  { alerts, ruleDecisions }: AlertRouteOptions,
  symbolOf: (text: string | undefined) => string | undefined,
): void {
  routes.get("/api/decisions", {
    id: "listDecisions",
    summary: "What was decided about each candidate for an alert, and by which gate, newest first",
    description:
      "Of what the scanner saw, or of the caller's own rules. A rule is decided about when its condition becomes true, when it holds " +
      "already as the rule begins to look, and when what it asks for, or the bars of its symbol, can no longer be had.",
    query: decisionsQuery,
    answer: { data: z.array(decisionSchema), next: z.number().int().nullable().describe("Value of before") },
    errors: ["symbol_invalid", "symbol_unknown"],
    async handle({ query: { of, limit, symbol: text, pattern, rule_id: ruleId, ...rest }, principal }) {
      const filter = { ...rest, symbol: symbolOf(text) };
      refuseForeign(of === "rules" ? { pattern } : { rule_id: ruleId }, of);
      const data =
        of === "rules"
          ? (await ruleDecisions(principal.userId, { ...filter, ruleId }, limit)).map(ruleDecisionView)
          : (await alerts.decisions({ ...filter, pattern }, limit)).map(decisionView);
      return { data, next: data.length < limit ? null : (data.at(-1)?.id ?? null) };
    },
  });
}

/** @throws {AppError} `invalid_request` for a filter that the other kind of decisions has. */
function refuseForeign(filter: Readonly<Record<string, string | undefined>>, of: string): void {
  for (const [name, value] of Object.entries(filter)) {
    if (value === undefined) continue;
    throw new AppError("invalid_request", `query ${name}: decisions of ${of} have no ${name}`);
  }
}
