import type { Database } from "../../platform/database.js";

export interface PatternCount {
  readonly pattern: string;
  readonly count: number;
  readonly quality: number;
  /** Null while no detection has one. */
  readonly confidence: number | null;
}

const DETECTIONS_SINCE = `from detections d join instruments i on i.id = d.instrument_id
  where i.synthetic = $1 and d.detected_at >= to_timestamp($2::float8 / 1000)`;

/** Detections by the UTC day on which they were stored, since a moment; days without any are absent. */
export function countByDay(database: Database, synthetic: boolean, sinceMs: number) {
  return database.query<{ date: string; count: number }>(
    `select to_char(d.detected_at at time zone 'UTC', 'YYYY-MM-DD') as date, count(*) as count
     ${DETECTIONS_SINCE} group by 1 order by 1`,
    [synthetic, sinceMs],
  );
}

/** The symbols with most detections since a moment. */
export function countBySymbol(database: Database, synthetic: boolean, sinceMs: number, limit: number) {
  return database.query<{ symbol: string; count: number }>(
    `select i.symbol, count(*) as count ${DETECTIONS_SINCE}
     group by i.symbol order by count(*) desc, i.symbol limit $3`,
    [synthetic, sinceMs, limit],
  );
}

/** Detections and mean quality by pattern since a moment. */
export function countByPattern(database: Database, synthetic: boolean, sinceMs: number) {
  return database.query<PatternCount>(
    `select d.pattern, count(*) as count, avg(d.quality) as quality, avg(d.confidence) as confidence
     ${DETECTIONS_SINCE} group by d.pattern order by count(*) desc, d.pattern`,
    [synthetic, sinceMs],
  );
}
