import type { Statement } from "../../core/learning/stated.js";
import type { Database } from "../../platform/database.js";
import { epochMs } from "../../platform/sql-epoch.js";
import type { MarketName } from "../instruments/store.js";
import { isOfTable, SNAPSHOT_OF_OUTCOME } from "../models/scores.js";
import { committedOutcome } from "./committed.js";
import { type MostShown, newestShown, type ShownOf } from "./shown.js";

/** A decision that has ended, with what was known when it was made. Times in epoch ms. */
export interface LabelledSnapshot {
  /** Of the outcome: later ones have greater numbers. */
  readonly outcome: number;
  readonly snapshotId: number;
  readonly assetClass: string;
  readonly interval: string;
  readonly regime: string | null;
  readonly pattern: string;
  readonly direction: 1 | -1;
  readonly values: readonly number[];
  readonly label: 0 | 1;
  readonly decidedAt: number;
  readonly settledAt: number;
  /** settled: an alert by its levels; paper: a trade of an account; user: as somebody reports it. */
  readonly source: string;
}

/** What versions said of decisions that have ended. */
export interface ScoredLabel {
  readonly modelId: number;
  readonly snapshotId: number;
  readonly score: number;
  readonly label: 0 | 1;
  readonly decidedAt: number;
  readonly settledAt: number;
}

/** What an outcome says of the trade on the pattern: by its levels for alerts, after costs for all others. */
const LABEL =
  "(case when o.source = 'settled' then (o.ending = 'target' and o.gain > 0)::int else (o.outcome = 'profit')::int end)";

const ENDED = `
from outcomes o
${SNAPSHOT_OF_OUTCOME}
join instruments i on i.id = f.instrument_id
where o.synthetic = $1 and i.replay = $2 and o.outcome is not null and (o.source <> 'settled' or o.policy = 'sltp')`;

/**
 * Trades that accounts closed and clients told of, in the direction of the pattern, and verdicts of users on whether it is
 * there, one a user; each with what models were shown of it.
 */
const STATEMENTS = `
with said as (
  select o.detection_id, case o.source when 'paper' then 'account' else 'client' end as kind, o.outcome = 'profit' as good,
    greatest(o.settled_at, o.created_at) as at, o.gain, o.r, o.direction
  from outcomes o
  where o.instrument_id = $1 and o.source in ('paper', 'user') and o.outcome is not null and o.detection_id is not null
  union all
  select v.detection_id, 'feedback', v.verdict = 'correct', v.created_at, null, null, null
  from (select distinct on (b.detection_id, b.user_id) b.detection_id, b.verdict, b.created_at
    from detection_feedback b join detections d on d.id = b.detection_id
    where d.instrument_id = $1 order by b.detection_id, b.user_id, b.id desc) v
  where v.verdict <> 'unsure'
)
select s.kind, ${epochMs("f.bar_time", "time")}, f.direction, f.pattern, f.values, s.good,
  ${epochMs("f.closed_at", "decidedAt")}, ${epochMs("s.at", "statedAt")}, s.gain, s.r
from said s join detections d on d.id = s.detection_id
join feature_snapshots f on f.instrument_id = d.instrument_id and f.interval = d.interval and f.bar_time = d.bar_time
  and f.pattern = d.pattern and f.direction = d.direction
where d.interval = $2 and f.schema = $3 and ${isOfTable("f.pattern")} and (s.direction is null or s.direction = d.direction)
order by s.at, f.id, s.kind`;

/** Labels of decisions that were stored when they were made, of one market. */
export function createLabelStore(database: Database, { synthetic, replay }: MarketName) {
  const market = [synthetic, replay ?? ""] as const;

  return {
    /**
     * Decisions whose outcome came after a number, in the order of their outcomes, up to the last that no open transaction
     * can commit one before.
     */
    async after(outcome: number, schema: string, limit: number): Promise<LabelledSnapshot[]> {
      const until = await committedOutcome(database);
      if (until === null || until <= outcome) return [];
      return database.query<LabelledSnapshot>(
        `select o.id as outcome, f.id as "snapshotId", i.asset_class as "assetClass", f.interval, f.regime, f.pattern,
           f.direction, f.values, ${LABEL} as label, ${epochMs("f.closed_at", "decidedAt")},
           ${epochMs("o.settled_at", "settledAt")}, o.source
         ${ENDED} and o.id > $3 and f.schema = $4 and o.id <= $6 order by o.id limit $5`,
        [...market, outcome, schema, limit, until],
      );
    },

    /** What was said of decisions on a series, in the order in which it was. */
    statements: (instrumentId: number, interval: string, schema: string): Promise<Statement[]> =>
      database.query<Statement>(STATEMENTS, [instrumentId, interval, schema]),

    /** Names what has been said of decisions so far: by their count too, since one may be committed after a later one. */
    async stated(): Promise<string> {
      const [row] = await database.query<{ outcomes: string; verdicts: string }>(
        `select (select count(*) || '-' || coalesce(max(id), 0) from outcomes
             where synthetic = $1 and source in ('paper', 'user')) as outcomes,
           (select count(*) || '-' || coalesce(max(id), 0) from detection_feedback) as verdicts`,
        [synthetic],
      );
      return `${row.outcomes} ${row.verdicts}`;
    },

    /** How many decisions have ended, each once, whatever and whoever says how. */
    async count(): Promise<{ count: number }> {
      const [row] = await database.query<{ count: number }>(
        `select count(distinct o.detection_id)::int as count
         from outcomes o join detections d on d.id = o.detection_id join instruments i on i.id = d.instrument_id
         where o.synthetic = $1 and i.replay = $2 and o.outcome is not null
           and (o.source <> 'settled' or o.policy = 'sltp')`,
        [...market],
      );
      return row;
    },

    /** How many decisions with a snapshot have ended as outcomes after one say, each once. */
    async waiting(outcome: number): Promise<number> {
      const [row] = await database.query<{ count: number }>(
        `select count(distinct d.id)::int as count ${ENDED} and o.id > $3`,
        [...market, outcome],
      );
      return row.count;
    },

    /** Snapshots and scores that are kept. */
    async counts(): Promise<{ snapshots: number; scores: number }> {
      const [row] = await database.query<{ snapshots: number; scores: number }>(
        `select count(*)::int as snapshots,
           (select count(*)::int from model_scores s join models m on m.id = s.model_id
            where m.synthetic = $1 and m.replay = $2) as scores
         from feature_snapshots f join instruments i on i.id = f.instrument_id where i.synthetic = $1 and i.replay = $2`,
        [...market],
      );
      return row;
    },

    /** What the given versions said of decisions that ended since a moment, in the order in which they settled. */
    async scored(modelIds: readonly number[], sinceMs: number): Promise<ScoredLabel[]> {
      return database.query<ScoredLabel>(
        `select distinct on (o.settled_at, o.id, s.model_id) s.model_id as "modelId", f.id as "snapshotId", s.score,
           ${LABEL} as label, ${epochMs("f.closed_at", "decidedAt")}, ${epochMs("o.settled_at", "settledAt")}
         from outcomes o
         ${SNAPSHOT_OF_OUTCOME}
         join model_scores s on s.snapshot_id = f.id
         where o.synthetic = $1 and o.source = 'settled' and o.policy = 'sltp' and o.outcome is not null
           and s.model_id = any($2::bigint[]) and o.settled_at >= to_timestamp($3::float8 / 1000)
         order by o.settled_at, o.id, s.model_id`,
        [synthetic, `{${modelIds.join(",")}}`, sinceMs],
      );
    },

    /**
     * What a version said of the newest decisions that ended since it became active last, in the order in which they
     * settled.
     */
    async newestScored(modelId: number, limit: number): Promise<ScoredLabel[]> {
      const rows = await database.query<ScoredLabel>(
        `select distinct on (o.settled_at, o.id) s.model_id as "modelId", f.id as "snapshotId", s.score,
           ${LABEL} as label, ${epochMs("f.closed_at", "decidedAt")}, ${epochMs("o.settled_at", "settledAt")}
         from outcomes o
         ${SNAPSHOT_OF_OUTCOME}
         join model_scores s on s.snapshot_id = f.id and s.model_id = $2
         where o.synthetic = $1 and o.source = 'settled' and o.policy = 'sltp' and o.outcome is not null
           and o.settled_at >= (
             select coalesce(max(a.created_at), max(m.created_at)) from models m
             left join model_audits a on a.model_id = m.id and a.action = 'promoted' where m.id = $2)
         order by o.settled_at desc, o.id desc limit $3`,
        [synthetic, modelId, limit],
      );
      return rows.reverse();
    },

    /** What models were shown of the newest occasions: `newestShown`. */
    snapshots: (purpose: ShownOf, schema: string, most: MostShown) =>
      newestShown(database, market, purpose, schema, most),
  };
}

export type LabelStore = ReturnType<typeof createLabelStore>;
