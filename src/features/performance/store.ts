import type { Database } from "../../platform/database.js";

/** Which detections are counted; those stored from `sinceMs` on. */
export interface PerformanceFilter {
  readonly synthetic: boolean;
  readonly sinceMs: number;
  readonly pattern: string | null;
  readonly symbol: string | null;
}

/** Detections of a group; means are null where nothing has the value. */
export interface DetectionGroup {
  /** Pattern or symbol; null for all together. */
  readonly key: string | null;
  readonly detections: number;
  readonly confidence: number | null;
  readonly quality: number | null;
}

/** Outcomes of trades that users reported, of a pattern or a symbol. */
export interface ReportedGroup {
  readonly key: string;
  readonly trades: number;
  readonly wins: number;
  /** Of the trades that tell one, in the currency of their instruments. */
  readonly pnl: number | null;
}

const DETECTIONS = `from detections d join instruments i on i.id = d.instrument_id
  where i.synthetic = $1 and d.detected_at >= to_timestamp($2::float8 / 1000)
    and ($3::text is null or d.pattern = $3) and ($4::text is null or i.symbol = $4)`;
const FIGURES = `count(*) as detections, avg(d.confidence) as confidence, avg(d.quality) as quality`;

export function createPerformanceStore(database: Database) {
  const given = ({ synthetic, sinceMs, pattern, symbol }: PerformanceFilter) => [
    synthetic,
    sinceMs,
    pattern,
    symbol,
  ];
  return {
    async total(filter: PerformanceFilter): Promise<DetectionGroup & { patterns: number; symbols: number }> {
      const [row] = await database.query<DetectionGroup & { patterns: number; symbols: number }>(
        `select null as key, ${FIGURES}, count(distinct d.pattern) as patterns,
           count(distinct d.instrument_id) as symbols ${DETECTIONS}`,
        given(filter),
      );
      return row;
    },

    byPattern: (filter: PerformanceFilter) =>
      database.query<DetectionGroup>(
        `select d.pattern as key, ${FIGURES} ${DETECTIONS} group by 1 order by 2 desc, 1`,
        given(filter),
      ),

    bySymbol: (filter: PerformanceFilter, limit: number) =>
      database.query<DetectionGroup>(
        `select i.symbol as key, ${FIGURES} ${DETECTIONS} group by 1 order by 2 desc, 1 limit $5`,
        [...given(filter), limit],
      ),

    reportedBy: (column: "pattern" | "symbol", synthetic: boolean, sinceMs: number) =>
      database.query<ReportedGroup>(
        `select o.${column} as key, count(*) as trades, count(*) filter (where o.outcome = 'profit') as wins,
           avg(o.pnl) as pnl
         from logged_outcomes o join instruments i on i.id = o.instrument_id
         where i.synthetic = $1 and o.created_at >= to_timestamp($2::float8 / 1000)
         group by 1 order by 2 desc, 1`,
        [synthetic, sinceMs],
      ),
  };
}

export type PerformanceStore = ReturnType<typeof createPerformanceStore>;
