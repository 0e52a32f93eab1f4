import type { Database } from "../../platform/database.js";

export const VERDICTS = ["correct", "wrong", "unsure"] as const;
export type FeedbackVerdict = (typeof VERDICTS)[number];

/** What a user says of a detection. Times in epoch ms. */
export interface Feedback {
  readonly id: number;
  readonly userId: string;
  readonly verdict: FeedbackVerdict;
  readonly note: string | null;
  readonly createdAt: number;
}

/** The verdict of a user that counts, with what it is about: something to learn from. */
export interface FeedbackLabel {
  readonly detectionId: number;
  readonly userId: string;
  readonly verdict: FeedbackVerdict;
  readonly pattern: string;
  readonly interval: string;
  readonly symbol: string;
  readonly barTime: number;
  readonly createdAt: number;
}

export interface LabelFilter {
  readonly pattern?: string | undefined;
  /** Given in [from, to), epoch ms. */
  readonly from?: number | undefined;
  readonly to?: number | undefined;
}

const FIELDS = `f.id, f.user_id as "userId", f.verdict, f.note, (extract(epoch from f.created_at) * 1000)::float8 as "createdAt"`;

/** Says nothing twice: the same verdict and note as the user's newest are not stored again. */
const SAVE = `
insert into detection_feedback (detection_id, user_id, verdict, note, created_at)
select $1::bigint, $2::text, $3::text, $4::text, to_timestamp($5::float8 / 1000)
where not exists (
  select 1 from (
    select verdict, note from detection_feedback where detection_id = $1::bigint and user_id = $2::text order by id desc limit 1
  ) as newest where newest.verdict = $3::text and newest.note is not distinct from $4::text
)`;

const LABELS = `
select l.*, d.pattern, d.interval, i.symbol, (extract(epoch from d.bar_time) * 1000)::float8 as "barTime"
from (
  select distinct on (f.detection_id, f.user_id) f.detection_id as "detectionId", f.user_id as "userId", f.verdict,
    (extract(epoch from f.created_at) * 1000)::float8 as "createdAt"
  from detection_feedback f order by f.detection_id, f.user_id, f.id desc
) as l
join detections d on d.id = l."detectionId" join instruments i on i.id = d.instrument_id
where i.synthetic = $1 and ($2::text is null or d.pattern = $2)
  and ($3::float8 is null or l."createdAt" >= $3) and ($4::float8 is null or l."createdAt" < $4)
order by l."detectionId" desc, l."userId" limit $5`;

export function createFeedbackStore(database: Database) {
  return {
    async save(
      detectionId: number,
      userId: string,
      verdict: FeedbackVerdict,
      note: string | null,
      atMs: number,
    ): Promise<void> {
      await database.query(SAVE, [detectionId, userId, verdict, note, atMs]);
    },

    /** The verdicts that count, one a user, the newest first. */
    newest: (detectionId: number): Promise<Feedback[]> =>
      database.query<Feedback>(
        `select * from (
           select distinct on (f.user_id) ${FIELDS} from detection_feedback f where f.detection_id = $1
           order by f.user_id, f.id desc
         ) as newest order by id desc`,
        [detectionId],
      ),

    /** All that a user has said of a detection, the newest first. */
    history: (detectionId: number, userId: string): Promise<Feedback[]> =>
      database.query<Feedback>(
        `select ${FIELDS} from detection_feedback f where f.detection_id = $1 and f.user_id = $2 order by f.id desc`,
        [detectionId, userId],
      ),

    /** Verdicts that count, the newest detections first. */
    labels: (
      synthetic: boolean,
      { pattern, from, to }: LabelFilter,
      limit: number,
    ): Promise<FeedbackLabel[]> =>
      database.query<FeedbackLabel>(LABELS, [synthetic, pattern ?? null, from ?? null, to ?? null, limit]),
  };
}

export type FeedbackStore = ReturnType<typeof createFeedbackStore>;
