import type { AssetClass } from "../../core/market/instrument.js";
import type { Interval } from "../../core/market/interval.js";
import type { CalendarId } from "../../core/market/session.js";
import type { Database } from "../../platform/database.js";
import { textArray } from "../../platform/sql-array.js";
import type { KnownInstrument, MarketName } from "../instruments/store.js";
import type { OutcomePolicy } from "./store.js";

/** An alert that a policy has not settled yet. Times in epoch ms. */
export interface PendingAlert {
  readonly id: number;
  readonly policy: OutcomePolicy;
  readonly terms: string;
  readonly instrument: KnownInstrument;
  readonly interval: Interval;
  readonly pattern: string;
  readonly direction: 1 | 0 | -1;
  /** Opens of the first bar of the shape and of the one at whose close it was known. */
  readonly startTime: number;
  readonly barTime: number;
  readonly closedAt: number;
  /** Close of that bar as it was then. */
  readonly price: number;
  readonly stop: number | null;
  readonly target: number | null;
  readonly confidence: number | null;
  /** Whether it is a formation, whose trade lasts as long as its shape. */
  readonly shaped: boolean;
}

export interface Policy {
  readonly policy: OutcomePolicy;
  readonly terms: string;
}

const PENDING = `
select a.id, p.policy, p.terms, a.interval, a.pattern, a.direction, a.price, a.stop, a.target, a.confidence,
  (extract(epoch from d.start_time) * 1000)::float8 as "startTime",
  (extract(epoch from a.bar_time) * 1000)::float8 as "barTime",
  (extract(epoch from a.closed_at) * 1000)::float8 as "closedAt",
  d.formation is not null as shaped, i.id as "instrumentId", i.symbol, i.synthetic, i.name, i.asset_class as "assetClass",
  i.exchange, i.currency, i.calendar
from alerts a
join instruments i on i.id = a.instrument_id and i.synthetic = $1 and i.replay = $2
join detections d on d.id = a.detection_id
cross join unnest($3::text[], $4::text[]) as p(policy, terms)
where a.id > $5 and not exists (
  select from outcomes o where o.alert_id = a.id and o.policy = p.policy and o.terms = p.terms)
order by a.id, p.policy desc limit $6`;

/** Numbers of alerts may become visible out of their order: one that is not older than this may yet be preceded. */
const NEWEST_OLD = `
select max(a.id) as id from alerts a join instruments i on i.id = a.instrument_id
where i.synthetic = $1 and i.replay = $2 and a.created_at < clock_timestamp() - interval '1 hour'`;

interface Row extends Omit<PendingAlert, "instrument"> {
  readonly instrumentId: number;
  readonly symbol: string;
  readonly synthetic: boolean;
  readonly name: string;
  readonly assetClass: string;
  readonly exchange: string;
  readonly currency: string;
  readonly calendar: string;
}

export function createPendingStore(database: Database, { synthetic, replay }: MarketName) {
  const market = [synthetic, replay ?? ""] as const;
  return {
    /** By alert, those above an id. */
    async load(policies: readonly Policy[], after: number, limit: number): Promise<PendingAlert[]> {
      const rows = await database.query<Row>(PENDING, [
        ...market,
        textArray(policies.map(({ policy }) => policy)),
        textArray(policies.map(({ terms }) => terms)),
        after,
        limit,
      ]);
      return rows.map(pendingOf);
    },
    /** The newest alert before which no other can appear any more; 0 without one. */
    async newestOld(): Promise<number> {
      const [row] = await database.query<{ id: number | null }>(NEWEST_OLD, [...market]);
      return row?.id ?? 0;
    },
  };
}

export type PendingStore = ReturnType<typeof createPendingStore>;

function pendingOf(row: Row): PendingAlert {
  const { instrumentId, symbol, name, assetClass, exchange, currency, calendar, ...alert } = row;
  const kept = { id: instrumentId, symbol, synthetic: row.synthetic, name, exchange, currency };
  return {
    ...alert,
    instrument: { ...kept, assetClass: assetClass as AssetClass, calendar: calendar as CalendarId },
  };
}
