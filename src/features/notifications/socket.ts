import { z } from "zod";
import { defineChannel } from "./define.js";
import { envelopeOf } from "./message.js";

/** To whoever listens to the topic of the channel; kept for those who come back. */
export const socket = defineChannel({
  kind: "websocket",
  about: "The topic notifications:ID on /ws, /api/events and /socket.io",
  input: z.strictObject({}),
  target: z.strictObject({}),
  secret: [],
  gapMs: 0,
  prepare: async () => ({}),
  async send(_target, { id, channelId, message }, { publish }) {
    await publish(channelId, { id, ...envelopeOf(message) });
    return { outcome: "delivered", status: null, detail: "published", retryAfterMs: null };
  },
});

export const NOTIFICATION_TOPIC = "notifications";
export const topicOfChannel = (id: string) => `${NOTIFICATION_TOPIC}:${id}`;
