import type { Database, Sql } from "../../platform/database.js";
import type { Prisma } from "../../platform/prisma/client.js";
import { sha256 } from "../../platform/sha256.js";
import { textArray } from "../../platform/sql-array.js";
import type { NewsKind } from "../../providers/news.js";
import type { CleanItem } from "./clean.js";
import type { Link, LinkWay } from "./link.js";

/** A stored text. Times in epoch ms. */
export interface NewsDocument {
  readonly id: number;
  readonly kind: NewsKind;
  readonly publisher: string;
  readonly title: string;
  readonly summary: string;
  readonly url: string | null;
  readonly publishedMs: number;
  readonly firstSeenMs: number;
  readonly source: string;
  readonly carriers: readonly string[];
  readonly links: readonly Link[];
}

export interface NewDocument {
  readonly item: CleanItem;
  readonly links: readonly Link[];
}

/** Where a page of documents begins: after this one. */
export interface Place {
  readonly publishedMs: number;
  readonly id: number;
}

export interface NewsFilter {
  readonly symbol?: string | undefined;
  /** Any of these; all where absent. */
  readonly symbols?: readonly string[] | undefined;
  readonly kind?: NewsKind | undefined;
  /** Published in [fromMs, toMs). */
  readonly fromMs?: number | undefined;
  readonly toMs?: number | undefined;
  /** Newest first unless given. */
  readonly order?: "asc" | "desc" | undefined;
}

/** First key of the advisory lock under which documents are recorded, so that none is stored twice. */
const RECORD_LOCK = 0x6e657773;
/** The same title within this time is the same text; after it, a column that appears again. */
const TITLE_WINDOW_MS = 3 * 86_400_000;
const PRUNE_AT_A_TIME = 2_000;

const FIND = `
select id from news_documents
where url_key = $1 or (title_key = $2 and abs(extract(epoch from published_at) * 1000 - $3::float8) <= $4::float8)
order by url_key = $1 desc nulls last, id limit 1`;

const INSERT = `
insert into news_documents (kind, url_key, title_key, publisher, title, summary, url, published_at, source, carriers)
values ($1, $2, $3, $4, $5, $6, $7, to_timestamp($8::float8 / 1000), $9, array[$9])
returning id`;

const CARRY = `
update news_documents set carriers = array_append(carriers, $2) where id = $1 and not ($2 = any(carriers))`;

/** The first word on how a symbol is linked stays, unless a vendor says so itself. */
const LINK = `
insert into news_links as known (document_id, symbol, linked_by, published_at)
select d.id, l.symbol, l.linked_by, d.published_at
from news_documents d cross join unnest($2::text[], $3::text[]) as l(symbol, linked_by)
where d.id = $1
on conflict (document_id, symbol) do update set linked_by = excluded.linked_by
where excluded.linked_by = 'vendor' and known.linked_by <> 'vendor'`;

const PRUNE = `
delete from news_documents where id in (
  select id from news_documents where published_at < to_timestamp($1::float8 / 1000) order by published_at limit $2)
returning id`;

const NOTE = `
insert into news_collections as known (feed, symbol, asked_at, succeeded_at)
values ($1, $2, to_timestamp($3::float8 / 1000), to_timestamp($4::float8 / 1000))
on conflict (feed, symbol) do update set
  asked_at = excluded.asked_at, succeeded_at = coalesce(excluded.succeeded_at, known.succeeded_at)`;

const WITH_LINKS = {
  links: { select: { symbol: true, linkedBy: true }, orderBy: { symbol: "asc" } },
} as const;
type Row = Prisma.NewsDocumentGetPayload<{ include: typeof WITH_LINKS }>;

export function createNewsStore(database: Database) {
  const { prisma } = database;

  return {
    /** Stores documents that are not known yet, and what is new about known ones. @returns how many were new. */
    record: (feed: { name: string; kind: NewsKind }, documents: readonly NewDocument[]): Promise<number> =>
      database.transaction(async (sql) => {
        await sql.query("select pg_advisory_xact_lock($1)", [RECORD_LOCK]);
        let fresh = 0;
        for (const document of documents) if (await recordOne(sql, feed, document)) fresh++;
        return fresh;
      }),

    /** Newest first, or oldest first where the filter says so. */
    async list(filter: NewsFilter, limit: number, after: Place | null): Promise<NewsDocument[]> {
      const { order = "desc" } = filter;
      const rows = await prisma.newsDocument.findMany({
        where: whereOf(filter, after),
        include: WITH_LINKS,
        orderBy: [{ publishedAt: order }, { id: order }],
        take: limit,
      });
      return rows.map(documentOf);
    },

    /** Deletes what was published before a moment, a part at a time. @returns how many. */
    async prune(beforeMs: number): Promise<number> {
      let pruned = 0;
      for (;;) {
        const { length } = await database.query(PRUNE, [beforeMs, PRUNE_AT_A_TIME]);
        pruned += length;
        if (length < PRUNE_AT_A_TIME) return pruned;
      }
    },

    /** When a feed was last asked about each symbol, and last answered. */
    async loadCollections(
      feed: string,
    ): Promise<Map<string, { askedMs: number; succeededMs: number | null }>> {
      const rows = await prisma.newsCollection.findMany({ where: { feed } });
      return new Map(
        rows.map(({ symbol, askedAt, succeededAt }) => [
          symbol,
          { askedMs: askedAt.getTime(), succeededMs: succeededAt?.getTime() ?? null },
        ]),
      );
    },

    async noteCollection(feed: string, symbol: string, askedMs: number, succeeded: boolean): Promise<void> {
      await database.query(NOTE, [feed, symbol, askedMs, succeeded ? askedMs : null]);
    },

    /** When a symbol was last collected successfully by any of the feeds; null for never. */
    async lastCollected(symbol: string, feeds: readonly string[]): Promise<number | null> {
      const row = await prisma.newsCollection.aggregate({
        where: { symbol, feed: { in: [...feeds] } },
        _max: { succeededAt: true },
      });
      return row._max.succeededAt?.getTime() ?? null;
    },
  };
}

export type NewsStore = ReturnType<typeof createNewsStore>;

/** True when the document was new. */
async function recordOne(
  sql: Sql,
  feed: { name: string; kind: NewsKind },
  { item, links }: NewDocument,
): Promise<boolean> {
  // News and posts with one title are two voices.
  const titleKey = item.titleWords === null ? null : sha256(`${feed.kind}\n${item.titleWords}`);
  const [known] = await sql.query<{ id: number }>(FIND, [
    item.urlKey,
    titleKey,
    item.publishedMs,
    TITLE_WINDOW_MS,
  ]);
  const id = known?.id ?? (await insert(sql, feed, item, titleKey));
  if (known !== undefined) await sql.query(CARRY, [id, feed.name]);
  if (links.length > 0) {
    const symbols = textArray(links.map(({ symbol }) => symbol));
    await sql.query(LINK, [id, symbols, textArray(links.map(({ by }) => by))]);
  }
  return known === undefined;
}

async function insert(
  sql: Sql,
  feed: { name: string; kind: NewsKind },
  item: CleanItem,
  titleKey: string | null,
): Promise<number> {
  const { urlKey, publisher, title, summary, url, publishedMs } = item;
  const values = [feed.kind, urlKey, titleKey, publisher, title, summary, url, publishedMs, feed.name];
  const [row] = await sql.query<{ id: number }>(INSERT, values);
  return row.id;
}

function whereOf(filter: NewsFilter, after: Place | null): Prisma.NewsDocumentWhereInput {
  const { symbol, symbols = symbol === undefined ? undefined : [symbol], kind, fromMs, toMs, order } = filter;
  const beyond = order === "asc" ? "gt" : "lt";
  return {
    ...(symbols === undefined ? {} : { links: { some: { symbol: { in: [...symbols] } } } }),
    ...(fromMs === undefined && toMs === undefined ? {} : { AND: [{ publishedAt: stretch(fromMs, toMs) }] }),
    ...(kind === undefined ? {} : { kind }),
    ...(after === null
      ? {}
      : {
          OR: [
            { publishedAt: { [beyond]: new Date(after.publishedMs) } },
            { publishedAt: new Date(after.publishedMs), id: { [beyond]: after.id } },
          ],
        }),
  };
}

function stretch(fromMs: number | undefined, toMs: number | undefined): Prisma.DateTimeFilter {
  return {
    ...(fromMs === undefined ? {} : { gte: new Date(fromMs) }),
    ...(toMs === undefined ? {} : { lt: new Date(toMs) }),
  };
}

function documentOf(row: Row): NewsDocument {
  return {
    id: Number(row.id),
    kind: row.kind as NewsKind,
    publisher: row.publisher,
    title: row.title,
    summary: row.summary,
    url: row.url,
    publishedMs: row.publishedAt.getTime(),
    firstSeenMs: row.firstSeenAt.getTime(),
    source: row.source,
    carriers: row.carriers,
    links: row.links.map(({ symbol, linkedBy }) => ({ symbol, by: linkedBy as LinkWay })),
  };
}
