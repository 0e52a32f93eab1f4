import type { Database } from "../../platform/database.js";
import type { Standpoint } from "./store.js";

export interface AlertStatistics {
  readonly total: number;
  readonly active: number;
  readonly dismissed: number;
  readonly accepted: number;
  readonly snoozed: number;
  readonly byType: readonly { pattern: string; count: number; score: number }[];
  readonly bySymbol: readonly { symbol: string; count: number }[];
  /** Mean measured confidence; null while no alert has one. */
  readonly averageConfidence: number | null;
  readonly averageScore: number | null;
}

interface Totals {
  total: number;
  active: number;
  dismissed: number;
  accepted: number;
  snoozed: number;
  confidence: number | null;
  score: number | null;
}

/** The status at $3: a snooze that is over leaves an active alert. */
const STATUS = `case when a.status = 'snoozed' and a.snoozed_until <= to_timestamp($3::float8 / 1000)
  then 'active' else a.status end`;
const ALERTS_SINCE = `from alerts a join instruments i on i.id = a.instrument_id
  where i.synthetic = $1 and a.created_at >= to_timestamp($2::float8 / 1000)`;
const TOP = 25;

/** Counts of the alerts created since a moment. */
export async function loadStatistics(
  database: Database,
  { synthetic, nowMs }: Standpoint,
  sinceMs: number,
): Promise<AlertStatistics> {
  const values = [synthetic, sinceMs];
  const [totals, byType, bySymbol] = await Promise.all([
    database.query<Totals>(
      `select count(*) as total,
         count(*) filter (where s.status = 'active') as active,
         count(*) filter (where s.status = 'dismissed') as dismissed,
         count(*) filter (where s.status = 'accepted') as accepted,
         count(*) filter (where s.status = 'snoozed') as snoozed,
         avg(s.confidence) as confidence, avg(s.score) as score
       from (select ${STATUS} as status, a.confidence, a.score ${ALERTS_SINCE}) s`,
      [...values, nowMs],
    ),
    database.query<{ pattern: string; count: number; score: number }>(
      `select a.pattern, count(*) as count, avg(a.score) as score ${ALERTS_SINCE}
       group by a.pattern order by count(*) desc, a.pattern limit ${TOP}`,
      values,
    ),
    database.query<{ symbol: string; count: number }>(
      `select i.symbol, count(*) as count ${ALERTS_SINCE}
       group by i.symbol order by count(*) desc, i.symbol limit ${TOP}`,
      values,
    ),
  ]);
  const { confidence, score, ...counts } = totals[0];
  return {
    ...counts,
    byType,
    bySymbol,
    averageConfidence: confidence,
    averageScore: score,
  };
}
