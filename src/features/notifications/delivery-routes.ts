import { z } from "zod";
import { type RouteGroup, wholeNumberText } from "../../platform/http.js";
import { STATES } from "./delivery-store.js";
import type { Notifications } from "./notifications.js";
import { attemptSchema, deliverySchema } from "./schema.js";
import { attemptView, deliveryView } from "./views.js";

const params = z.strictObject({ id: z.uuid() });

/** What was sent to the caller, what waits, and what never arrived. */
export function deliveryRoutes(routes: RouteGroup, notifications: Notifications): void {
  routes.get("/api/notifications/deliveries", {
    id: "listNotificationDeliveries",
    summary: "Deliveries to the caller's channels, the newest first, for 30 days",
    query: z.strictObject({
      channel_id: z.uuid().optional().describe("Those of one channel"),
      state: z.enum(STATES).optional(),
      topic: z.string().max(40).optional().describe("What they tell of: alerts, or test"),
      limit: wholeNumberText(1, 500).default(50),
      offset: wholeNumberText(0, 100_000).default(0),
    }),
    answer: { data: z.array(deliverySchema), total: z.number().int() },
    async handle({ query, principal }) {
      const { channel_id = null, state = null, topic = null, limit, offset } = query;
      const filter = { channelId: channel_id, state, topic };
      const { rows, total } = await notifications.deliveries(principal.userId, filter, limit, offset);
      return { data: rows.map(deliveryView), total };
    },
  });
  routes.get("/api/notifications/deliveries/:id", {
    id: "getNotificationDelivery",
    summary: "A delivery with each of its attempts",
    params,
    answer: { data: deliverySchema.extend({ log: z.array(attemptSchema) }) },
    errors: ["delivery_not_found"],
    async handle({ params, principal }) {
      const { delivery, attempts } = await notifications.delivery(principal.userId, params.id);
      return { data: { ...deliveryView(delivery), log: attempts.map(attemptView) } };
    },
  });
  routes.post("/api/notifications/deliveries/:id/replay", {
    id: "replayNotificationDelivery",
    summary: "Send again what has ended, under the same id and with as many attempts as a new one",
    params,
    answer: { data: deliverySchema },
    status: 202,
    errors: ["delivery_not_found", "conflict"],
    handle: async ({ params, principal }) => ({
      data: deliveryView(await notifications.replay(principal.userId, params.id)),
    }),
  });
  routes.post("/api/notifications/deliveries/replay", {
    id: "replayDeadNotifications",
    summary: "Send again all that is dead, of one channel or of all that are enabled",
    perMinute: 10,
    body: z.strictObject({ channel_id: z.uuid().optional() }).optional(),
    answer: { data: z.object({ replayed: z.number().int() }) },
    status: 202,
    errors: ["channel_not_found"],
    handle: async ({ body, principal }) => ({
      data: { replayed: await notifications.replayDead(principal.userId, body?.channel_id ?? null) },
    }),
  });
}
