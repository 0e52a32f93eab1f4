import { z } from "zod";
import type { RouteGroup } from "../../platform/http.js";
import type { Alerts, ResponseKind } from "./alerts.js";
import { alertParams, alertSchema, dismissBody, responseBody } from "./schema.js";
import type { ResponseAction } from "./store.js";
import { alertView } from "./views.js";

const RESPONSE_KINDS: readonly string[] = ["accept", "dismiss", "snooze"] satisfies ResponseKind[];

/** What users answer to alerts. */
export function answerRoutes(routes: RouteGroup, alerts: Alerts): void {
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
    description:
      "A snoozed alert is active again after an hour, or as long as is asked for; the stream tells when.",
    access: "trader",
    perMinute: 20,
    body: responseBody,
    answer: { message: z.string(), data: alertSchema },
    errors: ["alert_not_found"],
    async handle({ body: { alert_id, response, action, reason, snooze_minutes: minutes } }) {
      const isKind = action !== undefined && RESPONSE_KINDS.includes(action);
      const kind = response ?? (action as ResponseKind);
      const deed = isKind ? null : ((action as ResponseAction | undefined) ?? null);
      const snoozeMs = minutes === undefined ? undefined : 60_000 * minutes;
      const alert = await alerts.respond(alert_id, kind, deed, reason ?? null, snoozeMs);
      return { message: `Alert ${alert_id} is ${alert.status}`, data: alertView(alert) };
    },
  });
}
