import { z } from "zod";
import type { Database } from "../../platform/database.js";
import { numberArray, textArray } from "../../platform/sql-array.js";
import type { Moment } from "./scores.js";
import { shortHash } from "./telemetry-views.js";

/** What the version that counted said when a pattern was seen. */
export interface ToldScore {
  readonly scoreId: number;
  readonly modelId: number;
  readonly version: string;
  /** SHA-256 of its artefact, hexadecimal. */
  readonly hash: string;
  /** Calibrated chance that the target comes before the stop, 0..1. */
  readonly score: number;
}

/** The same with what it is to be read by now. */
export interface ServingScore extends ToldScore {
  /** Whether that version is the active one still. */
  readonly serves: boolean;
  /** Share of wins among the decisions that it learned from, 0..1; null where it does not tell. */
  readonly rate: number | null;
}

/** What models were shown of a pattern, and what was said of it. */
export interface Told<Score = ToldScore> {
  /** Null where no model was shown it. */
  readonly snapshotId: number | null;
  readonly score: Score | null;
}

/** What is looked at of a pattern. */
export type ToldOf = Pick<Moment, "instrumentId" | "interval" | "barTime" | "pattern" | "direction">;

/** The newest snapshot of each moment, with the first score on it that was no shadow's: later ones were not asked for then. */
const TOLD = `
select f.id as "snapshotId", s.id as "scoreId", s.score, m.id as "modelId", m.version, m.hash, m.status = 'active' as serves,
  (m.card -> 'learned_from' ->> 'wins')::float8 / nullif((m.card -> 'learned_from' ->> 'samples')::float8, 0) as rate
from unnest($1::int[], $2::text[], $3::float8[], $4::text[], $5::smallint[]) with ordinality
  as g(instrument, interval, bar, pattern, direction, place)
left join lateral (select id from feature_snapshots f where f.instrument_id = g.instrument and f.interval = g.interval
  and f.bar_time = to_timestamp(g.bar / 1000) and f.pattern = g.pattern and f.direction = g.direction
  order by f.id desc limit 1) f on true
left join lateral (select id, score, model_id from model_scores s where s.snapshot_id = f.id and not s.shadow
  order by s.id limit 1) s on true
left join models m on m.id = s.model_id
order by g.place`;

type Row = { readonly snapshotId: number | null } & (
  | { readonly scoreId: null }
  | (Omit<ServingScore, "scoreId"> & { readonly scoreId: number })
);

/** What is kept of patterns that models were shown. */
export function createToldScores(database: Pick<Database, "query">) {
  return {
    /** In the order in which they were given. */
    async of(moments: readonly ToldOf[]): Promise<Told<ServingScore>[]> {
      if (moments.length === 0) return [];
      const rows = await database.query<Row>(TOLD, [
        numberArray(moments.map(({ instrumentId }) => instrumentId)),
        textArray(moments.map(({ interval }) => interval)),
        numberArray(moments.map(({ barTime }) => barTime)),
        textArray(moments.map(({ pattern }) => pattern)),
        numberArray(moments.map(({ direction }) => direction)),
      ]);
      return rows.map((row) => {
        const { snapshotId } = row;
        if (row.scoreId === null) return { snapshotId, score: null };
        const { scoreId, modelId, version, hash, score, serves, rate } = row;
        return { snapshotId, score: { scoreId, modelId, version, hash, score, serves, rate } };
      });
    },
  };
}

export type ToldScores = ReturnType<typeof createToldScores>;

export const toldFields = {
  model_version: z.string().nullable().describe("Of the version that counted when the pattern was seen"),
  model_hash: z.string().nullable().describe("First sixteen digits of the SHA-256 of its artefact"),
  feature_snapshot_id: z
    .number()
    .int()
    .nullable()
    .describe("What was known then; null where no model was shown it"),
  score_id: z.number().int().nullable().describe("For GET /api/ml/scores/{id}/proof"),
  ml_score: z.number().nullable().describe("Calibrated chance that the target comes before the stop, 0..1"),
  ml_reason: z.string().nullable().describe("Why there is no score"),
};

/** @param direction of the pattern. */
export function toldView({ snapshotId, score }: Told, direction: 1 | 0 | -1) {
  const reason =
    direction === 0
      ? "A pattern without a direction is no trade to score"
      : snapshotId === null
        ? "No model was shown it when it was seen"
        : "No model had been promoted for it when it was seen";
  return {
    model_version: score?.version ?? null,
    model_hash: score === null ? null : shortHash(score.hash),
    feature_snapshot_id: snapshotId,
    score_id: score?.scoreId ?? null,
    ml_score: score?.score ?? null,
    ml_reason: score === null ? reason : null,
  };
}
