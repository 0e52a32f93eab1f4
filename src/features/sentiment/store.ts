import type { Judgement } from "../../core/sentiment/judge.js";
import type { Database } from "../../platform/database.js";
import { numberArray, textArray } from "../../platform/sql-array.js";
import type { NewsKind } from "../../providers/news.js";

/** A text that a model has not scored. */
export interface PendingDocument {
  readonly id: number;
  readonly title: string;
  readonly summary: string;
  /** Symbols it is linked to. */
  readonly symbols: readonly string[];
}

export interface NewScore extends Pick<Judgement, "score" | "confidence" | "label"> {
  readonly documentId: number;
  /** Empty for the text as a whole. */
  readonly symbol: string;
  readonly terms: readonly string[];
}

/** What a text says of a symbol. */
export interface ScoredRow {
  readonly documentId: number;
  readonly symbol: string;
  readonly kind: NewsKind;
  /** Epoch ms of publication. */
  readonly time: number;
  readonly score: number;
  readonly confidence: number | null;
  readonly terms: readonly string[];
}

/** Which texts are wanted; times in epoch ms. */
export interface TextStretch {
  readonly fromMs: number;
  readonly toMs: number;
  readonly limit: number;
  readonly scoredByMs?: number | undefined;
}

const PENDING = `
select d.id, d.title, d.summary,
  array(select l.symbol from news_links l where l.document_id = d.id order by l.symbol) as symbols
from news_documents d
where d.id > $2 and not exists (
  select from document_scores s where s.document_id = d.id and s.model = $1 and s.symbol = '')
order by d.id limit $3`;

/** Terms come as JSON, since arrays of arrays must be of one length. A document may be gone by now. */
const SAVE = `
insert into document_scores (document_id, model, symbol, score, confidence, label, terms)
select s.document_id, $1, s.symbol, s.score, nullif(s.confidence, 'NaN'), s.label,
  array(select jsonb_array_elements_text(s.terms::jsonb))
from unnest($2::bigint[], $3::text[], $4::float8[], $5::float8[], $6::text[], $7::text[])
  as s(document_id, symbol, score, confidence, label, terms)
where exists (select from news_documents d where d.id = s.document_id)
on conflict (document_id, model, symbol) do nothing`;

const LOAD = `
select l.document_id as "documentId", l.symbol, d.kind, extract(epoch from l.published_at)::float8 * 1000 as time,
  coalesce(own.score, whole.score) as score,
  case when own.score is null then whole.confidence else own.confidence end as confidence, whole.terms
from news_links l
join news_documents d on d.id = l.document_id
join document_scores whole on whole.document_id = l.document_id and whole.model = $1 and whole.symbol = ''
left join document_scores own on own.document_id = l.document_id and own.model = $1 and own.symbol = l.symbol
where l.symbol = any($2::text[])
  and l.published_at >= to_timestamp($3::float8 / 1000) and l.published_at <= to_timestamp($4::float8 / 1000)
  and ($6::float8 is null or whole.scored_at <= to_timestamp($6::float8 / 1000))
order by l.published_at desc, l.document_id desc limit $5`;

export function createSentimentStore(database: Database) {
  return {
    /** Documents with ids above `afterId` that a model has not scored, in the order of their ids. */
    loadPending: (model: string, afterId: number, limit: number): Promise<PendingDocument[]> =>
      database.query<PendingDocument>(PENDING, [model, afterId, limit]),

    async save(model: string, scores: readonly NewScore[]): Promise<void> {
      await database.query(SAVE, [
        model,
        numberArray(scores.map(({ documentId }) => documentId)),
        textArray(scores.map(({ symbol }) => symbol)),
        numberArray(scores.map(({ score }) => score)),
        numberArray(scores.map(({ confidence }) => confidence ?? Number.NaN)),
        textArray(scores.map(({ label }) => label)),
        textArray(scores.map(({ terms }) => JSON.stringify(terms))),
      ]);
    },

    /** Scored texts about symbols, published in [fromMs, toMs] and scored by a moment where one is given, newest first. */
    load: (model: string, symbols: readonly string[], wanted: TextStretch): Promise<ScoredRow[]> => {
      const { fromMs, toMs, limit, scoredByMs = null } = wanted;
      return database.query<ScoredRow>(LOAD, [model, textArray(symbols), fromMs, toMs, limit, scoredByMs]);
    },
  };
}

export type SentimentStore = ReturnType<typeof createSentimentStore>;
