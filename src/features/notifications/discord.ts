import { z } from "zod";
import { judgedChat } from "./answer.js";
import { defineChannel } from "./define.js";
import { formBody, jsonBody } from "./form.js";
import { fitted } from "./message.js";

const TITLE_LIMIT = 256;
const DESCRIPTION_LIMIT = 2_000;
/** Thirty a minute go through one address. */
const GAP_MS = 2_000;

const input = z.strictObject({
  url: z
    .string()
    .max(400)
    .regex(
      /^https:\/\/((canary|ptb)\.)?(discord|discordapp)\.com\/api\/(v\d+\/)?webhooks\/\d+\/[\w-]+$/,
      "must be the address of a webhook of Discord",
    ),
});

export const discord = defineChannel({
  kind: "discord",
  about: "A webhook of a Discord channel",
  input,
  target: input,
  secret: ["url"],
  gapMs: GAP_MS,
  prepare: async (given) => given,
  async send({ url }, { message, signal, nowMs }, { outward, picture }) {
    const body = {
      embeds: [
        {
          title: fitted(message.title, TITLE_LIMIT, escapeMarkdown),
          description: fitted(message.lines.join("\n"), DESCRIPTION_LIMIT, escapeMarkdown),
          timestamp: new Date(message.time).toISOString(),
        },
      ],
      // Nobody is called by a name that happens to be in a text.
      allowed_mentions: { parse: [] },
    };
    const drawn = await picture(message);
    const posted =
      drawn === null
        ? jsonBody(body)
        : await formBody({ payload_json: JSON.stringify(body) }, "files[0]", drawn);
    // The body has said the wait in milliseconds and in seconds: the header is what counts.
    return judgedChat(await outward.post({ url, ...posted }, signal), nowMs);
  },
});

function escapeMarkdown(text: string): string {
  return text.replace(/[\\*_~`|>#[\]()@<]/g, "\\$&");
}
