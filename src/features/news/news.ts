import type { Instrument } from "../../core/market/instrument.js";
import type { Aliases } from "../../core/sentiment/entities.js";
import type { Log } from "../../platform/log.js";
import type { NewsItem } from "../../providers/define.js";
import type { NewsFeed, NewsFeeds, NewsKind } from "../../providers/news.js";
import type { Instruments } from "../instruments/instruments.js";
import { cleanItem, type Refusal } from "./clean.js";
import { createLinker, type Linker } from "./link.js";
import type { NewDocument, NewsDocument, NewsFilter, NewsStore, Place } from "./store.js";

/** What became of texts that a feed gave. */
export interface Recording {
  readonly stored: number;
  /** Known already, by address or title. */
  readonly known: number;
  readonly refused: Partial<Record<Refusal, number>>;
}

export interface News {
  readonly feeds: NewsFeeds;
  /** Cleans, links and stores texts, each once. @param sought the instrument they were found by; null for none. */
  record(feed: NewsFeed, items: readonly NewsItem[], sought: Instrument | null): Promise<Recording>;
  /** Newest first unless the filter says otherwise. @param after where the page before ended; null for the first one. */
  list(filter: NewsFilter, limit: number, after: Place | null): Promise<NewsDocument[]>;
  /** Reads again which instruments there are and what they are called. */
  renewNames(): Promise<void>;
  aliases(): Promise<Aliases>;
  /** Why there can be no texts of a kind; null where a feed gives them. */
  absenceOf(kind: NewsKind): string | null;
  /** When a symbol was last collected, epoch ms; null for never. */
  lastCollected(symbol: string): Promise<number | null>;
}

const ABSENCES: Readonly<Record<NewsKind, string>> = {
  news: "no vendor with news is configured in MARKET_DATA",
  reddit: "REDDIT_CLIENT_ID and REDDIT_CLIENT_SECRET are not configured",
  twitter: "TWITTER_BEARER_TOKEN is not configured",
};

export function createNews(options: {
  readonly store: NewsStore;
  readonly feeds: NewsFeeds;
  readonly instruments: Pick<Instruments, "list">;
  readonly now: () => number;
  readonly log: Log;
}): News {
  const { store, feeds, instruments, now, log } = options;
  let linker: Promise<Linker> | null = null;

  function currentLinker(): Promise<Linker> {
    linker ??= instruments.list().then(createLinker);
    // A failure is tried again by the next caller.
    linker.catch(() => {
      linker = null;
    });
    return linker;
  }

  return {
    feeds,
    async record(feed, items, sought) {
      const { linksOf } = await currentLinker();
      const refused: Partial<Record<Refusal, number>> = {};
      const documents: NewDocument[] = [];
      for (const raw of items) {
        const item = cleanItem(raw, now());
        if (typeof item === "string") refused[item] = (refused[item] ?? 0) + 1;
        else documents.push({ item, links: linksOf(item, sought) });
      }
      const stored = await store.record(feed, documents);
      if (Object.keys(refused).length > 0) log.debug({ feed: feed.name, refused }, "texts refused");
      return { stored, known: documents.length - stored, refused };
    },
    list: (filter, limit, after) =>
      feeds.absence === null ? store.list(filter, limit, after) : Promise.resolve([]),
    async renewNames() {
      linker = null;
      await currentLinker();
    },
    aliases: async () => (await currentLinker()).aliases,
    absenceOf: (kind) =>
      feeds.absence ?? (feeds.list.some((feed) => feed.kind === kind) ? null : ABSENCES[kind]),
    lastCollected: (symbol) =>
      store.lastCollected(
        symbol,
        feeds.list.map(({ name }) => name),
      ),
  };
}
