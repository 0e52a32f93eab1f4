import type { Database } from "../../platform/database.js";

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
  /** As users reported them. */
  readonly outcomes: { readonly wins: number; readonly losses: number; readonly winRate: number | null };
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

const ALERTS_SINCE = `from alerts a join instruments i on i.id = a.instrument_id
  where i.synthetic = $1 and a.created_at >= to_timestamp($2::float8 / 1000)`;
const TOP = 25;

/** Counts of the alerts created since a moment. */
export async function loadStatistics(
  database: Database,
  synthetic: boolean,
  sinceMs: number,
): Promise<AlertStatistics> {
  const values = [synthetic, sinceMs];
  const [totals, byType, bySymbol, outcomes] = await Promise.all([
    database.query<Totals>(
      `select count(*) as total,
         count(*) filter (where a.status = 'active') as active,
         count(*) filter (where a.status = 'dismissed') as dismissed,
         count(*) filter (where a.status = 'accepted') as accepted,
         count(*) filter (where a.status = 'snoozed') as snoozed,
         avg(a.confidence) as confidence, avg(a.score) as score ${ALERTS_SINCE}`,
      values,
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
    database.query<{ wins: number; losses: number }>(
      `select count(*) filter (where outcome = 'profit') as wins, count(*) filter (where outcome = 'loss') as losses
       from logged_outcomes where created_at >= to_timestamp($1::float8 / 1000)`,
      [sinceMs],
    ),
  ]);
  const { confidence, score, ...counts } = totals[0];
  const { wins, losses } = outcomes[0];
  return {
    ...counts,
    byType,
    bySymbol,
    averageConfidence: confidence,
    averageScore: score,
    outcomes: { wins, losses, winRate: wins + losses === 0 ? null : wins / (wins + losses) },
  };
}
