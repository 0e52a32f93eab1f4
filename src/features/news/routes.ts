import type { FastifyInstance } from "fastify";
import { z } from "zod";
import { isoTime, routeGroup } from "../../platform/http.js";
import type { Instruments } from "../instruments/instruments.js";
import type { News } from "./news.js";
import { newsQuery, newsSchema } from "./schema.js";
import type { NewsDocument } from "./store.js";

export function newsRoutes(
  app: FastifyInstance,
  { news, instruments }: { readonly news: News; readonly instruments: Instruments },
): void {
  const routes = routeGroup(app, { tag: "Sentiment", access: "viewer", perMinute: 30 });
  routes.get("/api/news", {
    id: "listNews",
    summary: "Collected news and posts, newest first",
    query: newsQuery,
    answer: {
      data: z.array(newsSchema),
      next: z.string().nullable().describe("Value of after for the next page; null at the end"),
      available: z.boolean().describe("False where no source of texts is configured"),
      reason: z.string().nullable().describe("Why nothing is available"),
    },
    errors: ["symbol_invalid", "symbol_unknown"],
    async handle({ query: { symbol, kind, limit, after } }) {
      const wanted = symbol === undefined ? undefined : instruments.identify(symbol).symbol;
      const rows = await news.list({ symbol: wanted, kind }, limit, after ?? null);
      const last = rows.length < limit ? undefined : rows.at(-1);
      const reason = kind === undefined ? news.feeds.absence : news.absenceOf(kind);
      return {
        data: rows.map(newsView),
        next: last === undefined ? null : `${last.publishedMs}-${last.id}`,
        available: reason === null,
        reason,
      };
    },
  });
}

function newsView(document: NewsDocument): z.output<typeof newsSchema> {
  const { id, kind, publisher, title, summary, url, source } = document;
  return {
    id,
    kind,
    publisher,
    title,
    summary,
    url,
    published_at: isoTime(document.publishedMs),
    first_seen_at: isoTime(document.firstSeenMs),
    source,
    carriers: [...document.carriers],
    symbols: document.links.map(({ symbol, by }) => ({ symbol, linked_by: by })),
  };
}
