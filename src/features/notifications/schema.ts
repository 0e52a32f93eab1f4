import { z } from "zod";
import { nameText } from "../../platform/http.js";
import { STATES } from "./delivery-store.js";
import { CHANNELS } from "./index.js";
import { NOTIFIED_TOPICS } from "./topics.js";

const time = z.iso.datetime();
const TOPICS = NOTIFIED_TOPICS.map(({ name }) => name);
export const KINDS = CHANNELS.map(({ kind }) => kind);

const filtersBody = z
  .strictObject({
    topics: z.array(z.enum(TOPICS)).max(20).default([]).describe("All unless given"),
    symbols: z.array(z.string().min(1).max(40)).max(500).default([]).describe("All unless given"),
    min_confidence: z
      .number()
      .min(0)
      .max(1)
      .nullable()
      .default(null)
      .describe("Least measured hit rate; what has none passes only where this is null"),
  })
  .transform(({ topics, symbols, min_confidence: minConfidence }) => ({ topics, symbols, minConfidence }));

const shared = {
  name: nameText(100),
  filters: filtersBody.optional(),
};
const [socket, webhook, telegram, discord, slack, email, push] = CHANNELS;

export const newChannelBody = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal(socket.kind), settings: socket.input.optional(), ...shared }),
  z.strictObject({ kind: z.literal(webhook.kind), settings: webhook.input, ...shared }),
  z.strictObject({ kind: z.literal(telegram.kind), settings: telegram.input, ...shared }),
  z.strictObject({ kind: z.literal(discord.kind), settings: discord.input, ...shared }),
  z.strictObject({ kind: z.literal(slack.kind), settings: slack.input, ...shared }),
  z.strictObject({ kind: z.literal(email.kind), settings: email.input, ...shared }),
  z.strictObject({ kind: z.literal(push.kind), settings: push.input, ...shared }),
]);

export const channelChangeBody = z.strictObject({
  name: shared.name.optional(),
  settings: z
    .record(z.string().max(100), z.unknown())
    .optional()
    .describe("As when the channel is made; secrets that are left out stay"),
  filters: shared.filters,
  enabled: z.boolean().optional(),
});

export const channelSchema = z
  .object({
    id: z.uuid(),
    kind: z.enum(KINDS),
    name: z.string(),
    settings: z.record(z.string(), z.unknown()).describe("Without secrets"),
    enabled: z.boolean(),
    reason: z.string().nullable().describe("Why the server disabled it"),
    held_until: time
      .nullable()
      .describe("Nothing is sent before, as an answer asked for; new settings, or enabling it, lift that"),
    filters: z.object({
      topics: z.array(z.string()),
      symbols: z.array(z.string()),
      min_confidence: z.number().nullable(),
    }),
    topic: z.string().nullable().describe("What a websocket channel publishes on; null for others"),
    created_at: time,
    updated_at: time,
  })
  .meta({ id: "NotificationChannel" });

export const shownChannelSchema = channelSchema
  .extend({ secret: z.string().nullable().describe("Verifies signatures; shown this once") })
  .meta({ id: "NewNotificationChannel" });

export const kindSchema = z
  .object({
    kind: z.enum(KINDS),
    about: z.string(),
    available: z.boolean(),
    reason: z.string().nullable().describe("What the server lacks for it"),
    public_key: z.string().nullable().describe("What a browser subscribes with; null for other kinds"),
  })
  .meta({ id: "NotificationKind" });

export const deliverySchema = z
  .object({
    id: z.uuid().describe("The same at each attempt: `webhook-id` of webhooks"),
    channel_id: z.uuid(),
    kind: z.enum(KINDS),
    topic: z.string(),
    type: z.string(),
    title: z.string(),
    state: z.enum(STATES),
    attempts: z.number().int(),
    attempts_allowed: z.number().int(),
    next_attempt_at: time.nullable().describe("Null once it has ended"),
    last_status: z.number().int().nullable(),
    last_detail: z.string().nullable(),
    created_at: time,
    ended_at: time.nullable(),
  })
  .meta({ id: "NotificationDelivery" });

export const attemptSchema = z.object({
  number: z.number().int(),
  at: time,
  outcome: z.enum(["delivered", "retry", "refused", "gone"]),
  status: z.number().int().nullable(),
  detail: z.string(),
  took_ms: z.number(),
});
