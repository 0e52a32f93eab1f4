import webPush from "web-push";
import { z } from "zod";
import { judgedService } from "./answer.js";
import { defineChannel } from "./define.js";
import { envelopeOf, fitted } from "./message.js";

/** Services keep a message so long for a device that is off. */
const LIFETIME_S = 86_400;
const TITLE_LIMIT = 100;
/** Payloads of 4,096 bytes are taken, of which encryption needs some. */
const TEXT_LIMIT = 600;
/** What a service says of a subscription that ended. */
const GONE = [404, 410];

const input = z.strictObject({
  endpoint: z.url().max(2_000),
  keys: z.strictObject({
    p256dh: z.string().regex(/^[\w-]{87}=?$/, "must be a key of 65 bytes in base64url"),
    auth: z.string().regex(/^[\w-]{22}(==)?$/, "must be 16 bytes in base64url"),
  }),
  expirationTime: z.number().nullish(),
});
const target = z.strictObject({
  endpoint: z.string(),
  keys: z.object({ p256dh: z.string(), auth: z.string() }),
});

export const push = defineChannel({
  kind: "web_push",
  about: "A browser that subscribed with the public key of the server",
  input,
  target,
  secret: ["endpoint", "keys"],
  gapMs: 0,
  lacks: ({ VAPID_PUBLIC_KEY, VAPID_PRIVATE_KEY, VAPID_SUBJECT }) =>
    VAPID_PUBLIC_KEY === undefined || VAPID_PRIVATE_KEY === undefined || VAPID_SUBJECT === undefined
      ? "VAPID_PUBLIC_KEY, VAPID_PRIVATE_KEY and VAPID_SUBJECT are not set"
      : null,
  async prepare({ endpoint, keys }, { outward }) {
    await outward.check(endpoint);
    return { endpoint, keys };
  },
  async send({ endpoint, keys }, { id, message, signal, nowMs }, { config, outward }) {
    const payload = JSON.stringify({
      id,
      title: fitted(message.title, TITLE_LIMIT),
      body: fitted(message.lines.join("\n"), TEXT_LIMIT),
      type: message.type,
      timestamp: envelopeOf(message).timestamp,
    });
    const { headers, body } = webPush.generateRequestDetails({ endpoint, keys }, payload, {
      TTL: LIFETIME_S,
      urgency: "high",
      vapidDetails: {
        subject: config.VAPID_SUBJECT ?? "",
        publicKey: config.VAPID_PUBLIC_KEY ?? "",
        privateKey: config.VAPID_PRIVATE_KEY ?? "",
      },
    });
    const request = { url: endpoint, headers: written(headers), body: body ?? "" };
    return judgedService(await outward.post(request, signal), nowMs, GONE);
  },
});

/** Each as a text; how long the body is, is said by whoever sends it. */
function written(headers: object): Record<string, string> {
  const told = Object.entries(headers).filter(([name]) => name.toLowerCase() !== "content-length");
  return Object.fromEntries(told.map(([name, value]) => [name, String(value)]));
}
