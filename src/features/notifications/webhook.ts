import { randomBytes } from "node:crypto";
import { Webhook } from "standardwebhooks";
import { z } from "zod";
import { judged } from "./answer.js";
import { defineChannel } from "./define.js";
import { envelopeOf } from "./message.js";

/** So long the secret before the present one signs too. */
export const ROTATION_MS = 24 * 3_600_000;
const SECRET_BYTES = 32;
const PREFIX = "whsec_";

const isBase64 = (text: string) => Buffer.from(text, "base64").toString("base64") === text;

const secretText = z
  .string()
  .regex(/^whsec_[A-Za-z0-9+/]{32,88}={0,2}$/, "must be whsec_ and 24 to 64 bytes in base64")
  .refine((text) => isBase64(text.slice(PREFIX.length)), { message: "must be base64 after whsec_" });
const input = z.strictObject({
  url: z.url().max(2_000).describe("https, on the public internet, or at an origin of WEBHOOK_ORIGINS"),
  secret: secretText.optional().describe("Signs messages; made and shown once unless given"),
});
const target = z.strictObject({
  url: z.string(),
  secret: z.string(),
  previous: z.object({ secret: z.string(), until: z.number() }).nullable(),
});

const freshSecret = () => `${PREFIX}${randomBytes(SECRET_BYTES).toString("base64")}`;

/** Standard Webhooks 1.0: signed, and known by `webhook-id` however often it comes. */
export const webhook = defineChannel({
  kind: "webhook",
  about: "A POST to an address, signed as Standard Webhooks says",
  input,
  target,
  secret: ["secret", "previous"],
  gapMs: 0,
  async prepare({ url, secret }, { outward }, kept) {
    await outward.check(url);
    return {
      url,
      secret: secret ?? kept?.secret ?? freshSecret(),
      previous: secret === undefined && kept !== null ? kept.previous : null,
    };
  },
  rotate({ url, secret }, nowMs) {
    const next = freshSecret();
    return { target: { url, secret: next, previous: { secret, until: nowMs + ROTATION_MS } }, shown: next };
  },
  shown: ({ secret }) => secret,
  async send({ url, secret, previous }, { id, message, signal, nowMs }, { outward }) {
    const body = JSON.stringify(envelopeOf(message));
    const sentAt = new Date(nowMs);
    const secrets = previous !== null && previous.until > nowMs ? [secret, previous.secret] : [secret];
    const headers = {
      "content-type": "application/json",
      "webhook-id": id,
      "webhook-timestamp": String(Math.floor(nowMs / 1_000)),
      "webhook-signature": secrets.map((each) => new Webhook(each).sign(id, sentAt, body)).join(" "),
    };
    return judged(await outward.post({ url, headers, body }, signal), nowMs);
  },
});
