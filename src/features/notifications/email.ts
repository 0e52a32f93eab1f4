import { createTransport } from "nodemailer";
import { z } from "zod";
import { messageOf } from "../../platform/errors.js";
import { type Attempted, defineChannel, type Picture } from "./define.js";
import { escapeHtml, fitted, type Message, textOf } from "./message.js";

const SUBJECT_LIMIT = 150;
const PATIENCE_MS = 10_000;
const GAP_MS = 1_000;

const input = z.strictObject({ to: z.email().max(254) });

export const email = defineChannel({
  kind: "email",
  about: "A mail through the server at SMTP_URL",
  input,
  target: input,
  secret: [],
  gapMs: GAP_MS,
  lacks: ({ SMTP_URL, SMTP_FROM }) =>
    SMTP_URL === undefined || SMTP_FROM === undefined ? "SMTP_URL and SMTP_FROM are not set" : null,
  prepare: async (given) => given,
  async send({ to }, { id, message }, { config, picture }) {
    const mailer = createTransport({
      url: config.SMTP_URL ?? "",
      connectionTimeout: PATIENCE_MS,
      greetingTimeout: PATIENCE_MS,
      socketTimeout: PATIENCE_MS,
      dnsTimeout: PATIENCE_MS,
      disableFileAccess: true,
      disableUrlAccess: true,
    });
    try {
      const { response } = await mailer.sendMail({
        from: config.SMTP_FROM,
        to: { name: "", address: to },
        subject: fitted(message.title, SUBJECT_LIMIT),
        text: textOf(message),
        html: htmlOf(message),
        // The same at each attempt, so that mailboxes can tell.
        messageId: `<${id}@tx.invalid>`,
        attachments: attached(await picture(message)),
      });
      return { outcome: "delivered", status: codeOf(response), detail: response, retryAfterMs: null };
    } catch (error) {
      return refusalOf(error);
    } finally {
      mailer.close();
    }
  },
});

function htmlOf({ title, lines }: Message): string {
  const rest = lines.map((line) => `<p>${escapeHtml(line)}</p>`).join("");
  return `<h3>${escapeHtml(title)}</h3>${rest}`;
}

function attached(picture: Picture | null) {
  if (picture === null) return [];
  const { name: filename, bytes: content, type: contentType } = picture;
  return [{ filename, content, contentType }];
}

const answered = z.object({ responseCode: z.number().int() });
const codeOf = (response: string) => Number(/^\d{3}/.exec(response)?.[0] ?? 0) || null;

/** 5xx of SMTP is for good, but for a log-in, which its administrator may mend. */
function refusalOf(error: unknown): Attempted {
  const read = answered.safeParse(error);
  const status = read.success ? read.data.responseCode : null;
  const forGood = status !== null && status >= 550 && status < 560;
  return { outcome: forGood ? "refused" : "retry", status, detail: messageOf(error), retryAfterMs: null };
}
