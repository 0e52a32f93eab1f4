import {
  KNOWLEDGE_REACH_MS,
  type Knowledge,
  type KnownText,
  type MeasuredEdges,
} from "../../core/learning/features/knowledge.js";
import type { Database } from "../../platform/database.js";
import { epochMs } from "../../platform/sql-epoch.js";
import type { MarketName } from "../instruments/store.js";

/** The run that was the newest at the first moment, and those that ended from then to the last. */
const EDGES = `
select ${epochMs("known_at", "knownAt")}, edges from evidence_edges
where synthetic = $1 and replay = $2 and interval = $3 and known_at <= to_timestamp($5::float8 / 1000)
  and known_at >= coalesce((select max(known_at) from evidence_edges
    where synthetic = $1 and replay = $2 and interval = $3 and known_at <= to_timestamp($4::float8 / 1000)), '-infinity')
order by known_at, id`;

/** Of several models the one that read a text first counts: what a later one says of it was known later. */
const TEXTS = `
select ${epochMs("l.published_at", "publishedAt")},
  ${epochMs("greatest(l.published_at, whole.scored_at)", "knownAt")}, coalesce(own.score, whole.score) as score
from news_links l
join lateral (select s.model, s.score, s.confidence, s.scored_at from document_scores s
  where s.document_id = l.document_id and s.symbol = '' order by s.scored_at, s.model limit 1) whole on true
left join document_scores own on own.document_id = l.document_id and own.model = whole.model and own.symbol = l.symbol
where l.symbol = $1 and l.published_at >= to_timestamp($2::float8 / 1000)
  and l.published_at <= to_timestamp($3::float8 / 1000) and whole.scored_at <= to_timestamp($3::float8 / 1000)
  and case when own.score is null then whole.confidence else own.confidence end is not null
order by greatest(l.published_at, whole.scored_at), l.document_id`;

/** What was known beside bars, of one market: trainings and what is shown live read the same. */
export function createKnowledgeStore(database: Database, { synthetic, replay }: MarketName) {
  // Texts are of today's market: none are of one that is made up or replayed.
  const hasTexts = !synthetic && replay === null;

  return {
    /** What may speak at the closes of bars from one moment to another, epoch ms. */
    async load(
      { symbol, interval }: { readonly symbol: string; readonly interval: string },
      fromMs: number,
      toMs: number,
    ): Promise<Knowledge> {
      const [edges, texts] = await Promise.all([
        database.query<MeasuredEdges>(EDGES, [synthetic, replay ?? "", interval, fromMs, toMs]),
        hasTexts
          ? database.query<KnownText>(TEXTS, [symbol, fromMs - KNOWLEDGE_REACH_MS, toMs])
          : Promise.resolve([]),
      ]);
      return { edges, texts };
    },
  };
}

export type KnowledgeStore = ReturnType<typeof createKnowledgeStore>;
