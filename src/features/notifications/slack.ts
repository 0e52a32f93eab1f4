import { z } from "zod";
import { judgedChat } from "./answer.js";
import { defineChannel } from "./define.js";
import { jsonBody } from "./form.js";
import { fitted, textOf } from "./message.js";

/** Of a section. */
const TEXT_LIMIT = 3_000;
const TITLE_LIMIT = 150;
/** One a second goes through one address. */
const GAP_MS = 1_000;

const input = z.strictObject({
  url: z
    .string()
    .max(400)
    .regex(
      /^https:\/\/hooks\.slack(-gov)?\.com\/(services|workflows|triggers)\/[\w/-]+$/,
      "must be the address of an incoming webhook of Slack",
    ),
});

/** Pictures cannot be sent this way. */
export const slack = defineChannel({
  kind: "slack",
  about: "An incoming webhook of a Slack channel",
  input,
  target: input,
  secret: ["url"],
  gapMs: GAP_MS,
  prepare: async (given) => given,
  async send({ url }, { message, signal, nowMs }, { outward }) {
    const body = {
      text: fitted(textOf(message), TEXT_LIMIT, escapeSlack),
      blocks: [
        {
          type: "header",
          text: { type: "plain_text", text: fitted(message.title, TITLE_LIMIT), emoji: false },
        },
        {
          type: "section",
          text: {
            type: "mrkdwn",
            text: fitted(message.lines.join("\n") || message.title, TEXT_LIMIT, escapeSlack),
            verbatim: true,
          },
        },
      ],
    };
    return judgedChat(await outward.post({ url, ...jsonBody(body) }, signal), nowMs);
  },
});

const ENTITIES: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;" };

/** Marks of emphasis get a space of no width before them, which is what takes their meaning. */
function escapeSlack(text: string): string {
  return text.replace(/[&<>]/g, (character) => ENTITIES[character]).replace(/[*_~`]/g, "\u200b$&");
}
