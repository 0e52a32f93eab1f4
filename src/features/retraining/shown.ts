import { INTERVAL_MS, INTERVALS, type Interval } from "../../core/market/interval.js";
import type { Database } from "../../platform/database.js";

/** What models were shown of an alert. */
export interface Shown {
  readonly values: readonly number[];
  /** Interval and number of the stretch of time it falls in: values of one block follow from each other. */
  readonly block: string;
}

/** Newest alerts that are looked through for what models were shown. */
const MOST_SHOWN = 20_000;
/** Bars that most features look back over. */
const BLOCK_BARS = 20;

/** Length of a stretch whose values are taken to follow from each other: a day at least, ms. */
function blockMsOf(interval: Interval): number {
  return Math.max(INTERVAL_MS["1d"], BLOCK_BARS * INTERVAL_MS[interval]);
}

/** What a model is for; `any` stands for all. */
export interface ShownOf {
  readonly assetClass: string;
  readonly interval: string;
}

export interface MostShown {
  readonly limit: number;
  readonly ofBlock: number;
}

const SHOWN = `
select shown.values, shown.block from (
  select f.id, f.values, f.interval || ' ' || floor(extract(epoch from f.closed_at) / b.seconds) as block,
    row_number() over (
      partition by f.interval, floor(extract(epoch from f.closed_at) / b.seconds) order by f.id desc) as place
  from (select * from alerts order by id desc limit ${MOST_SHOWN}) a
  join feature_snapshots f on f.instrument_id = a.instrument_id and f.interval = a.interval
    and f.bar_time = a.bar_time and f.pattern = a.pattern and f.direction = a.direction
  join unnest($6::text[], $7::float8[]) b (interval, seconds) on b.interval = f.interval
  join instruments i on i.id = f.instrument_id
  where i.synthetic = $1 and i.replay = $2 and ($3 = 'any' or i.asset_class = $3)
    and ($4 = 'any' or f.interval = $4) and f.schema = $5) shown
where shown.place <= $8 order by shown.id desc limit $9`;

const SECONDS = INTERVALS.map((each) => blockMsOf(each) / 1_000);

/**
 * What models were shown of the newest alerts, the newest first, of each block of time at most so many: what a caller asks
 * for is no decision.
 * @param market whether it is synthetic, and its replay as rows of instruments have it.
 */
export function newestShown(
  database: Pick<Database, "query">,
  market: readonly unknown[],
  { assetClass, interval }: ShownOf,
  schema: string,
  { limit, ofBlock }: MostShown,
): Promise<readonly Shown[]> {
  const blocks = [`{${INTERVALS.join(",")}}`, `{${SECONDS.join(",")}}`];
  return database.query<Shown>(SHOWN, [...market, assetClass, interval, schema, ...blocks, ofBlock, limit]);
}
