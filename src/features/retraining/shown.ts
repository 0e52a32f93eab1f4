import { INTERVAL_MS, INTERVALS, type Interval } from "../../core/market/interval.js";
import type { Database } from "../../platform/database.js";
import { isOfTable } from "../models/scores.js";

/** What models were shown of an occasion. */
export interface Shown {
  readonly values: readonly number[];
  /** Interval and number of the stretch of time it falls in: values of one block follow from each other. */
  readonly block: string;
}

/** Days whose snapshots are looked through, and how many of them are, evenly by their numbers. */
const LATE_DAYS = 60;
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

/**
 * Interval and state of a detection are compared as one, so that it is found by its bar: by the index that begins with both
 * all of a series would be read for each row wherever the database has no statistics yet.
 *
 * An occasion has one row among those that are learned from: that of its best pattern, of equal ones the first of the table. Of a
 * block they are taken by chance, as the newest would be those of one hour.
 */
const SHOWN = `
with reach as (
  select (select max(id) from feature_snapshots) as last,
    (select id from feature_snapshots
      where created_at >= (select max(created_at) from feature_snapshots) - interval '${LATE_DAYS} days'
      order by created_at, id limit 1) as first
), picked as (
  select generate_series(last, first, -greatest(1, (last - first) / ${MOST_SHOWN})) as id from reach
)
select shown.values, shown.block from (
  select f.id, f.values, f.interval || ' ' || floor(extract(epoch from f.closed_at) / b.seconds) as block,
    row_number() over (
      partition by f.interval, floor(extract(epoch from f.closed_at) / b.seconds) order by md5(f.id::text)) as place
  from picked p join feature_snapshots f on f.id = p.id
  join unnest($6::text[], $7::float8[]) b (interval, seconds) on b.interval = f.interval
  join instruments i on i.id = f.instrument_id
  where i.synthetic = $1 and i.replay = $2 and ($3 = 'any' or i.asset_class = $3)
    and ($4 = 'any' or f.interval = $4) and f.schema = $5 and f.pattern = (
      select d.pattern from detections d where d.instrument_id = f.instrument_id and d.bar_time = f.bar_time
        and d.interval || d.state = f.interval || 'confirmed' and d.direction = f.direction and ${isOfTable("d.pattern")}
      order by d.quality desc, d.id limit 1)) shown
where shown.place <= $8 order by shown.id desc limit $9`;

const SECONDS = INTERVALS.map((each) => blockMsOf(each) / 1_000);

/**
 * What models were shown of late of all occasions that the scanner met, whether an alert was raised or not, the newest first,
 * of each block of time at most so many: as what they were trained on are all occasions, and no rule of alerts chose among
 * those. What a caller asks for is no such occasion.
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
