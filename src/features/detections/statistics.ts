import type { Database } from "../../platform/database.js";

/** Which detections are counted: those stored since a moment, of all patterns and symbols unless one is named. */
export interface CountFilter {
  readonly synthetic: boolean;
  readonly sinceMs: number;
  readonly pattern?: string | null;
  readonly symbol?: string | null;
}

/** A number of detections, with their means. */
export interface DetectionCount {
  readonly count: number;
  /** Null where there are none. */
  readonly quality: number | null;
  /** Null while no detection has one. */
  readonly confidence: number | null;
}

export interface PatternCount extends DetectionCount {
  readonly pattern: string;
  readonly quality: number;
}

export interface SymbolCount extends DetectionCount {
  readonly symbol: string;
}

const COUNTED = `from detections d join instruments i on i.id = d.instrument_id
  where i.synthetic = $1 and d.detected_at >= to_timestamp($2::float8 / 1000)
    and ($3::text is null or d.pattern = $3) and ($4::text is null or i.symbol = $4)`;
const FIGURES = "count(*) as count, avg(d.quality) as quality, avg(d.confidence) as confidence";

const given = ({ synthetic, sinceMs, pattern = null, symbol = null }: CountFilter) => [
  synthetic,
  sinceMs,
  pattern,
  symbol,
];

/** Detections by the UTC day on which they were stored; days without any are absent. */
export function countByDay(database: Database, filter: CountFilter) {
  return database.query<{ date: string; count: number }>(
    `select to_char(d.detected_at at time zone 'UTC', 'YYYY-MM-DD') as date, count(*) as count
     ${COUNTED} group by 1 order by 1`,
    given(filter),
  );
}

/** The symbols with most detections. */
export function countBySymbol(database: Database, filter: CountFilter, limit: number) {
  return database.query<SymbolCount>(
    `select i.symbol, ${FIGURES} ${COUNTED} group by i.symbol order by count(*) desc, i.symbol limit $5`,
    [...given(filter), limit],
  );
}

/** The patterns with most detections first. */
export function countByPattern(database: Database, filter: CountFilter) {
  return database.query<PatternCount>(
    `select d.pattern, ${FIGURES} ${COUNTED} group by d.pattern order by count(*) desc, d.pattern`,
    given(filter),
  );
}

/** All together, and of how many patterns and symbols they are. */
export async function countAll(
  database: Database,
  filter: CountFilter,
): Promise<DetectionCount & { readonly patterns: number; readonly symbols: number }> {
  const [row] = await database.query<DetectionCount & { patterns: number; symbols: number }>(
    `select ${FIGURES}, count(distinct d.pattern) as patterns, count(distinct d.instrument_id) as symbols ${COUNTED}`,
    given(filter),
  );
  return row;
}
