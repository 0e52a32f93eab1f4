import type { Database } from "../../platform/database.js";
import { type CountFilter, countAll, countByPattern, countBySymbol } from "../detections/statistics.js";

/** Outcomes of trades that users reported, of a pattern or a symbol. */
export interface ReportedGroup {
  readonly key: string;
  readonly trades: number;
  readonly wins: number;
  /** Of the trades that tell one, in the currency of their instruments. */
  readonly pnl: number | null;
}

export function createPerformanceStore(database: Database) {
  return {
    total: (filter: CountFilter) => countAll(database, filter),
    byPattern: (filter: CountFilter) => countByPattern(database, filter),
    bySymbol: (filter: CountFilter, limit: number) => countBySymbol(database, filter, limit),

    reportedBy: (column: "pattern" | "symbol", synthetic: boolean, sinceMs: number) =>
      database.query<ReportedGroup>(
        `select o.${column} as key, count(*) as trades, count(*) filter (where o.outcome = 'profit') as wins,
           avg(o.pnl)::float8 as pnl
         from outcomes o
         where o.source = 'user' and o.${column} is not null and o.synthetic = $1
           and o.created_at >= to_timestamp($2::float8 / 1000)
         group by 1 order by 2 desc, 1`,
        [synthetic, sinceMs],
      ),
  };
}

export type PerformanceStore = ReturnType<typeof createPerformanceStore>;
