import { randomBytes } from "node:crypto";
import { Webhook } from "standardwebhooks";
import { z } from "zod";
import { AppError } from "../../platform/errors.js";
import { judged } from "./answer.js";
import { defineChannel } from "./define.js";
import { envelopeOf } from "./message.js";

/** So long a secret signs beside those that came after it. */
export const ROTATION_MS = 24 * 3_600_000;
/** Secrets that sign beside the present one at most: each is a signature of every message. */
const MOST_PREVIOUS = 4;
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
  // Once there was one at most, or null.
  previous: z.preprocess(
    (kept) => (kept === null ? [] : [kept].flat()),
    z.array(z.object({ secret: z.string(), until: z.number() })),
  ),
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
      previous: secret === undefined && kept !== null ? kept.previous : [],
    };
  },
  rotate({ url, secret, previous }, nowMs) {
    const next = freshSecret();
    const still = previous.filter(({ until }) => until > nowMs);
    if (still.length >= MOST_PREVIOUS) {
      const detail = `${MOST_PREVIOUS} secrets sign beside the present one already: wait for a day after the first rotation, or give a secret in the settings, which ends them all`;
      throw new AppError("conflict", detail);
    }
    const kept = [{ secret, until: nowMs + ROTATION_MS }, ...still];
    return { target: { url, secret: next, previous: kept }, shown: next };
  },
  shown: ({ secret }) => secret,
  async send({ url, secret, previous }, { id, message, signal, nowMs }, { outward }) {
    const body = JSON.stringify(envelopeOf(message));
    const sentAt = new Date(nowMs);
    const before = previous.filter(({ until }) => until > nowMs);
    const secrets = [secret, ...before.map((each) => each.secret)];
    const headers = {
      "content-type": "application/json",
      "webhook-id": id,
      "webhook-timestamp": String(Math.floor(nowMs / 1_000)),
      "webhook-signature": secrets.map((each) => new Webhook(each).sign(id, sentAt, body)).join(" "),
    };
    return judged(await outward.post({ url, headers, body }, signal), nowMs);
  },
});
