import type { FastifyInstance } from "fastify";
import { z } from "zod";
import type { Clock } from "../../platform/clock.js";
import { type RouteGroup, routeGroup } from "../../platform/http.js";
import type { Means } from "./define.js";
import { deliveryRoutes } from "./delivery-routes.js";
import type { Notifications } from "./notifications.js";
import {
  channelChangeBody,
  channelSchema,
  deliverySchema,
  kindSchema,
  newChannelBody,
  shownChannelSchema,
} from "./schema.js";
import { channelView, deliveryView, kindViews, shownView } from "./views.js";

const params = z.strictObject({ id: z.uuid() });
const EVERYTHING = { topics: [], symbols: [], minConfidence: null };
const SETTINGS_ERRORS = [
  "address_refused",
  "channel_unavailable",
  "conflict",
  "symbol_invalid",
  "symbol_unknown",
] as const;

interface ChannelRoutes {
  readonly notifications: Notifications;
  readonly clock: Pick<Clock, "now">;
}

/** Where the caller is told of what happens. */
export function notificationRoutes(
  app: FastifyInstance,
  options: ChannelRoutes & { readonly config: Means["config"] },
): void {
  const { notifications, config, clock } = options;
  const routes = routeGroup(app, { tag: "Notifications", access: "trader", perMinute: 60 });
  deliveryRoutes(routes, notifications);
  ownChannelRoutes(routes, options);
  routes.get("/api/notifications/kinds", {
    id: "listNotificationKinds",
    summary: "Kinds of channels, and which of them this server can use",
    access: "viewer",
    answer: { data: z.array(kindSchema) },
    handle: () => ({ data: kindViews(config) }),
  });
  routes.get("/api/notifications/channels", {
    id: "listNotificationChannels",
    summary: "The caller's channels",
    answer: { data: z.array(channelSchema) },
    handle: async ({ principal }) => ({
      data: (await notifications.list(principal.userId)).map((each) => channelView(each, clock.now())),
    }),
  });
  routes.post("/api/notifications/channels", {
    id: "createNotificationChannel",
    summary: "Make a channel; its signing secret, where it has one, is shown this once",
    description: "It tells of what happens from now on.",
    perMinute: 20,
    body: newChannelBody,
    answer: { data: shownChannelSchema },
    status: 201,
    errors: SETTINGS_ERRORS,
    async handle({ body, principal }) {
      const { kind, name, settings = {}, filters = EVERYTHING } = body;
      return {
        data: shownView(
          await notifications.create(principal.userId, { kind, name, settings, filters }),
          clock.now(),
        ),
      };
    },
  });
}

/** What is done with a channel that there is. */
function ownChannelRoutes(routes: RouteGroup, { notifications, clock }: ChannelRoutes): void {
  routes.get("/api/notifications/channels/:id", {
    id: "getNotificationChannel",
    summary: "One of the caller's channels",
    params,
    answer: { data: channelSchema },
    errors: ["channel_not_found"],
    handle: async ({ params, principal }) => ({
      data: channelView(await notifications.get(principal.userId, params.id), clock.now()),
    }),
  });
  routes.patch("/api/notifications/channels/:id", {
    id: "changeNotificationChannel",
    summary: "Change a channel; what is left out stays",
    description: "What waits of a channel that is disabled is dead, and can be replayed once it is enabled.",
    perMinute: 20,
    params,
    body: channelChangeBody,
    answer: { data: channelSchema },
    errors: ["channel_not_found", ...SETTINGS_ERRORS],
    handle: async ({ params, body, principal }) => ({
      data: channelView(await notifications.change(principal.userId, params.id, body), clock.now()),
    }),
  });
  routes.delete("/api/notifications/channels/:id", {
    id: "deleteNotificationChannel",
    summary: "Delete a channel with its log and what waits of it",
    params,
    answer: { message: z.string() },
    errors: ["channel_not_found"],
    async handle({ params, principal }) {
      await notifications.delete(principal.userId, params.id);
      return { message: "The channel is deleted" };
    },
  });
  routes.post("/api/notifications/channels/:id/rotate", {
    id: "rotateNotificationSecret",
    summary: "A new signing secret, shown this once; the one before it signs beside it for 24 hours",
    description:
      "Of several at once, those that come too late are answered with 409 and show nothing. At most four secrets sign beside the newest; " +
      "a secret that is given with the settings ends them all.",
    perMinute: 10,
    params,
    answer: { data: shownChannelSchema },
    errors: ["channel_not_found", "conflict"],
    handle: async ({ params, principal }) => ({
      data: shownView(await notifications.rotate(principal.userId, params.id), clock.now()),
    }),
  });
  routes.post("/api/notifications/channels/:id/test", {
    id: "testNotificationChannel",
    summary: "Send a message of no meaning, once; its delivery tells what became of it",
    perMinute: 10,
    params,
    answer: { data: deliverySchema },
    status: 202,
    errors: ["channel_not_found", "conflict"],
    handle: async ({ params, principal }) => ({
      data: deliveryView(await notifications.test(principal.userId, params.id)),
    }),
  });
}
