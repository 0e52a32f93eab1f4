import { isoTime } from "../../platform/http.js";

/** What is told, in words and as data; each channel writes it in its own way. */
export interface Message {
  readonly type: string;
  /** When it happened; epoch ms. */
  readonly time: number;
  readonly title: string;
  /** Sentences below the title, the most important first. */
  readonly lines: readonly string[];
  /** What programs read: a view as the API gives it. */
  readonly data: unknown;
  /** What can be drawn of it; null for nothing. */
  readonly detectionId: number | null;
}

/** What receivers that are programs get. */
export function envelopeOf({ type, time, data }: Message) {
  return { type, timestamp: isoTime(time), data };
}

const ELLIPSIS = "…";

/** The text as a channel writes it, cut so that no more than `limit` characters come of it; no entity is cut apart. */
export function fitted(text: string, limit: number, spell: (text: string) => string = (same) => same) {
  const whole = spell(text);
  if (whole.length <= limit) return whole;
  let cut = "";
  for (const character of text) {
    const escaped = spell(character);
    if (cut.length + escaped.length + ELLIPSIS.length > limit) break;
    cut += escaped;
  }
  return cut + ELLIPSIS;
}

export function textOf({ title, lines }: Message): string {
  return [title, ...lines].join("\n");
}

const ENTITIES: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };

/** For HTML, and for what Telegram and Slack read as such. */
export function escapeHtml(text: string): string {
  return text.replace(/[&<>"]/g, (character) => ENTITIES[character]);
}
