import { z } from "zod";
import type { OutwardAnswer } from "../../platform/outward.js";
import { judgedChat, limitedMs } from "./answer.js";
import { type Attempted, defineChannel, type Picture } from "./define.js";
import { formBody, jsonBody, type Posted } from "./form.js";
import { escapeHtml, fitted, type Message } from "./message.js";

const TEXT_LIMIT = 4_096;
const CAPTION_LIMIT = 1_024;
const TITLE_LIMIT = 256;
/** What a chat takes: one a second, and groups twenty a minute. */
const GAP_MS = 1_000;
const GROUP_GAP_MS = 3_000;

const input = z.strictObject({
  chat_id: z
    .string()
    .regex(/^(-?\d{1,20}|@\w{4,64})$/, "must be the number of a chat, or @ and the name of a channel"),
  bot_token: z
    .string()
    .regex(/^\d{3,20}:[\w-]{20,100}$/, "must be a token as @BotFather gives it")
    .optional()
    .describe("TELEGRAM_BOT_TOKEN of the server unless given"),
});
const target = z.strictObject({ chat_id: z.string(), bot_token: z.string().nullable() });

export const telegram = defineChannel({
  kind: "telegram",
  about: "A bot that writes to a chat of Telegram",
  input,
  target,
  secret: ["bot_token"],
  gapMs: GAP_MS,
  async prepare({ chat_id, bot_token }, { config }, kept) {
    const token = bot_token ?? kept?.bot_token ?? null;
    if (token === null && config.TELEGRAM_BOT_TOKEN === undefined) {
      throw new z.ZodError([
        {
          code: "custom",
          path: ["bot_token"],
          message: "is required: the server has none",
          input: undefined,
        },
      ]);
    }
    return { chat_id, bot_token: token };
  },
  async send({ chat_id, bot_token }, { message, signal, nowMs }, { config, outward, picture }) {
    const token = bot_token ?? config.TELEGRAM_BOT_TOKEN ?? "";
    const { method, posted } = await written(chat_id, message, await picture(message));
    const url = `https://api.telegram.org/bot${token}/${method}`;
    return paced(chat_id, judgedTelegram(await outward.post({ url, ...posted }, signal), nowMs));
  },
});

/** A photo where there is one that Telegram shows; it takes SVG as a file alone. */
async function written(
  chatId: string,
  message: Message,
  picture: Picture | null,
): Promise<{ method: string; posted: Posted }> {
  if (picture === null) {
    const text = htmlOf(message, TEXT_LIMIT);
    const options = { parse_mode: "HTML", link_preview_options: { is_disabled: true } };
    return { method: "sendMessage", posted: jsonBody({ chat_id: chatId, text, ...options }) };
  }
  const [method, field] =
    picture.type === "image/png" ? ["sendPhoto", "photo"] : ["sendDocument", "document"];
  const fields = { chat_id: chatId, caption: htmlOf(message, CAPTION_LIMIT), parse_mode: "HTML" };
  return { method, posted: await formBody(fields, field, picture) };
}

function htmlOf({ title, lines }: Message, limit: number): string {
  const head = `<b>${fitted(title, TITLE_LIMIT, escapeHtml)}</b>`;
  const left = limit - head.length - 1;
  return lines.length === 0 ? head : `${head}\n${fitted(lines.join("\n"), left, escapeHtml)}`;
}

const refusal = z.object({ parameters: z.object({ retry_after: z.number() }) });

/** Telegram says in the body how long to wait. */
function judgedTelegram(answer: OutwardAnswer, nowMs: number): Attempted {
  const found = judgedChat(answer, nowMs);
  const read = refusal.safeParse(jsonOf(answer.text));
  return read.success
    ? { ...found, retryAfterMs: limitedMs(1_000 * read.data.parameters.retry_after) }
    : found;
}

/** Numbers of groups are below 0. */
function paced(chatId: string, found: Attempted): Attempted {
  const isGroup = chatId.startsWith("-") || chatId.startsWith("@");
  return isGroup && found.outcome === "delivered" ? { ...found, retryAfterMs: GROUP_GAP_MS } : found;
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // Whatever is no JSON says nothing of a wait.
    return null;
  }
}
