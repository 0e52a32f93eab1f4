import type { FastifyInstance } from "fastify";
import { z } from "zod";
import { scoresOf } from "../../core/signals/badge.js";
import { type RouteGroup, routeGroup } from "../../platform/http.js";
import type { Instruments } from "../instruments/instruments.js";
import type { Alerts, ResponseKind } from "./alerts.js";
import {
  alertDetailSchema,
  alertParams,
  alertSchema,
  alertsQuery,
  decisionSchema,
  decisionsQuery,
  dismissBody,
  historyQuery,
  paginationSchema,
  responseBody,
  statisticsSchema,
  windowQuery,
} from "./schema.js";
import type { AlertFilter, ResponseAction } from "./store.js";
import { alertDetailView, alertView, decisionView, statisticsView } from "./views.js";

const ACTIVE_LIMIT = 50;
const RESPONSE_KINDS: readonly string[] = ["accept", "dismiss", "snooze"] satisfies ResponseKind[];

export interface AlertRouteOptions {
  readonly alerts: Alerts;
  readonly instruments: Instruments;
}

export function alertRoutes(app: FastifyInstance, { alerts, instruments }: AlertRouteOptions): void {
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
      const scores = quality === undefined ? undefined : scoresOf(quality);
      const found = await page({ symbol: symbolOf(symbol), status, scores }, limit, offset);
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
    handle: async ({ query: { window } }) => ({
      data: statisticsView(await alerts.statistics(window), window),
    }),
  });
  routes.get("/api/alerts/:id", {
    id: "getAlert",
    summary: "One alert with the evidence and the rules behind it",
    params: alertParams,
    answer: { data: alertDetailSchema },
    errors: ["alert_not_found"],
    async handle({ params }) {
      const { alert, verdicts } = await alerts.get(params.id);
      return { data: alertDetailView(alert, verdicts) };
    },
  });
  routes.get("/api/decisions", {
    id: "listDecisions",
    summary: "What was decided about each candidate for an alert, and by which rule, newest first",
    query: decisionsQuery,
    answer: { data: z.array(decisionSchema), next: z.number().int().nullable().describe("Value of before") },
    errors: ["symbol_invalid", "symbol_unknown"],
    async handle({ query: { limit, symbol, ...filter } }) {
      const rows = await alerts.decisions({ ...filter, symbol: symbolOf(symbol) }, limit);
      return { data: rows.map(decisionView), next: rows.length < limit ? null : (rows.at(-1)?.id ?? null) };
    },
  });
  answerRoutes(routes, alerts);
}

function answerRoutes(routes: RouteGroup, alerts: Alerts): void {
  const dismissal = {
    summary: "Dismiss an alert",
    access: "trader" as const,
    perMinute: 10,
    params: alertParams,
    body: dismissBody,
    answer: { message: z.string() },
    errors: ["alert_not_found" as const],
    async handle({
      params,
      body,
    }: {
      params: { id: number };
      body: { reason?: string | undefined } | undefined;
    }) {
      await alerts.respond(params.id, "dismiss", null, body?.reason ?? null);
      return { message: `Alert ${params.id} is dismissed` };
    },
  };
  routes.post("/api/alerts/:id/dismiss", { id: "dismissAlert", ...dismissal });
  routes.post("/api/alerts/dismiss/:id", { id: "dismissAlertAlias", ...dismissal });
  routes.post("/api/handle_alert_response", {
    id: "answerAlert",
    summary: "Accept, dismiss or snooze an alert",
    description: "A snoozed alert is active again after an hour.",
    access: "trader",
    perMinute: 20,
    body: responseBody,
    answer: { message: z.string(), data: alertSchema },
    errors: ["alert_not_found"],
    async handle({ body: { alert_id, response, action, reason } }) {
      const isKind = action !== undefined && RESPONSE_KINDS.includes(action);
      const kind = response ?? (action as ResponseKind);
      const deed = isKind ? null : ((action as ResponseAction | undefined) ?? null);
      const alert = await alerts.respond(alert_id, kind, deed, reason ?? null);
      return { message: `Alert ${alert_id} is ${alert.status}`, data: alertView(alert) };
    },
  });
}
