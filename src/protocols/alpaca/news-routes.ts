import type { Instruments } from "../../features/instruments/instruments.js";
import type { News } from "../../features/news/news.js";
import { exchange } from "./calendar.js";
import { invalid } from "./errors.js";
import type { DialectGroup } from "./http.js";
import { newsToken, newsView, placeOf } from "./news.js";
import { newsAnswer, newsQuery } from "./schema.js";
import { findInstrument } from "./symbols.js";
import { endOf, startOf } from "./times.js";

export interface NewsRouteOptions {
  readonly instruments: Pick<Instruments, "identify" | "resolve">;
  readonly news: Pick<News, "list">;
}

export function newsRoutes(routes: DialectGroup, { news, instruments }: NewsRouteOptions): void {
  routes.get("/v1beta1/news", {
    id: "alpacaNews",
    summary: "Collected news without posts, newest first",
    query: newsQuery,
    answer: newsAnswer,
    async handle({ query }) {
      const { start, end, sort, symbols, limit, exclude_contentless, page_token: token } = query;
      const after = token === undefined ? null : placeOf(token);
      if (token !== undefined && after === null) throw invalid("invalid page_token");
      if (exclude_contentless === "true") return { news: [], next_page_token: null };
      const { zone } = exchange();
      const filter = {
        kind: "news",
        symbols: symbols === undefined ? undefined : await spelled(instruments, symbols),
        fromMs: start === undefined ? undefined : startOf(start, zone),
        toMs: end === undefined ? undefined : endOf(end, zone),
        order: sort,
      } as const;
      const rows = await news.list(filter, limit + 1, after);
      const page = rows.slice(0, limit);
      const last = rows.length > limit ? page.at(-1) : undefined;
      return { news: page.map(newsView), next_page_token: last === undefined ? null : newsToken(last) };
    },
  });
}

/** Symbols as they are spelled here; those that nobody knows have no news. */
async function spelled(
  instruments: NewsRouteOptions["instruments"],
  texts: readonly string[],
): Promise<string[]> {
  const found = await Promise.all(
    texts.flatMap((text) => [
      findInstrument(instruments, "us_equity", text),
      findInstrument(instruments, "crypto", text),
    ]),
  );
  return found.flatMap((instrument) => (instrument === null ? [] : [instrument.symbol]));
}
