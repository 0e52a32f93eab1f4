import { classifySymbol } from "../../core/market/instrument.js";
import type { NewsDocument } from "../../features/news/store.js";
import { joinedSymbol } from "./symbols.js";
import { rfc3339 } from "./times.js";

/** A text as the dialect has it: who wrote it is not known here, its body is not kept, and it is not updated. */
export function newsView({ id, publisher, title, summary, url, publishedMs, links }: NewsDocument) {
  return {
    id,
    author: "",
    content: "",
    headline: title,
    summary,
    source: publisher,
    ...(url === null ? {} : { url }),
    images: [],
    symbols: links.map(({ symbol }) => {
      const instrument = classifySymbol(symbol);
      return instrument === null ? symbol : joinedSymbol(instrument);
    }),
    created_at: rfc3339(publishedMs),
    updated_at: rfc3339(publishedMs),
  };
}

const PLACE = /^(\d{1,15})-(\d{1,15})$/;

/** Where a page ended, as a token; and back. Null for what is no token. */
export function newsToken({ publishedMs, id }: Pick<NewsDocument, "publishedMs" | "id">): string {
  return Buffer.from(`${publishedMs}-${id}`).toString("base64url");
}

export function placeOf(token: string): { publishedMs: number; id: number } | null {
  const parts = PLACE.exec(Buffer.from(token, "base64url").toString("latin1"));
  return parts === null ? null : { publishedMs: Number(parts[1]), id: Number(parts[2]) };
}
