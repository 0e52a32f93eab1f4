import type { Issue, Severity } from "../../core/quality/issue.js";
import type { Database } from "../../platform/database.js";
import { numberArray, textArray } from "../../platform/sql-array.js";

/** An issue as it is kept: told again, it is the same one seen later. */
export interface StoredIssue extends Issue {
  readonly id: number;
  /** Source of the data. */
  readonly source: string;
  readonly synthetic: boolean;
  readonly firstSeenMs: number;
  readonly lastSeenMs: number;
  /** How often it was found. */
  readonly seen: number;
}

export interface IssueCounts {
  readonly tracked: number;
  readonly criticalLastHour: number;
  readonly warningsLastHour: number;
}

export interface IssueQuery {
  readonly severity: Severity | null;
  readonly subject: string | null;
  readonly synthetic: boolean;
  /** Only those older than this id, in the order of the newest first; null for the first page. */
  readonly before: { readonly lastSeenMs: number; readonly id: number } | null;
  readonly limit: number;
}

const FIELDS = `id, code, severity, subject, detail, nullif(extract(epoch from datum_time) * 1000, 0)::float8 as time, count,
  source, synthetic, (extract(epoch from first_seen) * 1000)::float8 as "firstSeenMs",
  (extract(epoch from last_seen) * 1000)::float8 as "lastSeenMs", seen`;

const DETAIL_LENGTH = 500;
/** Issues kept; older ones make room. */
export const ISSUES_KEPT = 10_000;

export function createIssueStore(database: Database) {
  return {
    /** Writes what was found at a moment. @returns those that were not known before. */
    async save(
      issues: readonly Issue[],
      { source, synthetic, nowMs }: { source: string; synthetic: boolean; nowMs: number },
    ): Promise<readonly Issue[]> {
      if (issues.length === 0) return [];
      const texts = (pick: (issue: Issue) => string) => textArray(issues.map(pick));
      const rows = await database.query<{ code: string; subject: string; time: number; fresh: boolean }>(
        `insert into data_issues as known
           (code, severity, subject, detail, datum_time, count, source, synthetic, first_seen, last_seen)
         select distinct on (i.c, i.s, i.t) i.c, i.v, i.s, i.d, to_timestamp(i.t / 1000), i.n, $7, $8,
           to_timestamp($9::float8 / 1000), to_timestamp($9::float8 / 1000)
         from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::float8[], $6::int[]) as i(c, v, s, d, t, n)
         on conflict (code, subject, source, synthetic, datum_time) do update
           set last_seen = greatest(known.last_seen, excluded.last_seen), seen = known.seen + 1,
             severity = excluded.severity, detail = excluded.detail, count = excluded.count
         returning code, subject, (extract(epoch from datum_time) * 1000)::float8 as time, seen = 1 as fresh`,
        [
          texts(({ code }) => code),
          texts(({ severity }) => severity),
          texts(({ subject }) => subject),
          texts(({ detail }) => detail.slice(0, DETAIL_LENGTH)),
          numberArray(issues.map(({ time }) => time ?? 0)),
          numberArray(issues.map(({ count }) => count)),
          source,
          synthetic,
          nowMs,
        ],
      );
      const known = new Set(
        rows.filter(({ fresh }) => !fresh).map((row) => `${row.code} ${row.subject} ${row.time}`),
      );
      return issues.filter(({ code, subject, time }) => !known.has(`${code} ${subject} ${time ?? 0}`));
    },

    /** The newest first. */
    async load({ severity, subject, synthetic, before, limit }: IssueQuery): Promise<StoredIssue[]> {
      return database.query<StoredIssue>(
        `select ${FIELDS} from data_issues
         where synthetic = $1 and ($2::text is null or severity = $2) and ($3::text is null or subject = $3)
           and ($4::float8 is null or (last_seen, id) < (to_timestamp($4::float8 / 1000), $5::bigint))
         order by last_seen desc, id desc limit $6`,
        [synthetic, severity, subject, before?.lastSeenMs ?? null, before?.id ?? null, limit],
      );
    },

    async counts(synthetic: boolean, nowMs: number): Promise<IssueCounts> {
      const [row] = await database.query<IssueCounts>(
        `select count(*) as tracked,
           count(*) filter (where severity = 'critical' and recent) as "criticalLastHour",
           count(*) filter (where severity = 'warning' and recent) as "warningsLastHour"
         from (select severity, last_seen > to_timestamp($2::float8 / 1000) - interval '1 hour' as recent
               from data_issues where synthetic = $1) as issues`,
        [synthetic, nowMs],
      );
      return row;
    },

    /** Makes room. @returns how many went. */
    async prune(): Promise<number> {
      const rows = await database.query<{ id: number }>(
        `delete from data_issues where id in
           (select id from data_issues order by last_seen desc, id desc offset $1) returning id`,
        [ISSUES_KEPT],
      );
      return rows.length;
    },
  };
}

export type IssueStore = ReturnType<typeof createIssueStore>;
