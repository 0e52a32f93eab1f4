import type { LayerVote } from "../../core/learning/layer-stack.js";
import { LAYERS, type LayerName } from "../../core/signals/fuse.js";
import type { Database } from "../../platform/database.js";
import type { MarketName } from "../instruments/store.js";

/** An alert whose layers were not read yet. */
export interface BareAlert {
  readonly id: number;
  readonly symbol: string;
  readonly interval: string;
  readonly direction: 1 | -1;
}

/** What layers said when an alert was raised. Times in epoch ms. */
export interface LayerReading {
  readonly alertId: number;
  readonly direction: 1 | -1;
  /** Signed, -1..1; NaN for a layer that was silent. */
  readonly values: Readonly<Record<LayerName, number>>;
  readonly composite: number | null;
  readonly weights: Readonly<Record<LayerName, number>>;
  readonly readAtMs: number;
}

/** A reading with what became of the alert; null while that is open. */
export interface SettledReading extends LayerReading {
  readonly label: 0 | 1 | null;
  readonly settledAtMs: number | null;
}

/** A reading of an alert that has ended. Times in epoch ms. */
export interface SettledVote extends LayerVote {
  readonly alertId: number;
  /** Of its outcome: later ones have greater numbers. */
  readonly outcome: number;
}

type Said = Readonly<Record<LayerName, number | null>>;

interface Row {
  readonly alertId: number;
  readonly direction: 1 | -1;
  readonly rules: number | null;
  readonly deep: number | null;
  readonly multi_timeframe: number | null;
  readonly sentiment: number | null;
  readonly composite: number | null;
  readonly weights: Record<LayerName, number>;
  readonly readAtMs: number;
  readonly label: 0 | 1 | null;
  readonly settledAtMs: number | null;
}

/** Alerts that were raised longer ago are not read any more: layers would say what they say now. */
const FRESH_S = 600;

/** What layers said by their names; NaN for those that were silent. */
function withValues<Of extends Said>({ rules, deep, multi_timeframe, sentiment, ...row }: Of) {
  return {
    ...row,
    values: {
      rules: rules ?? Number.NaN,
      deep: deep ?? Number.NaN,
      multi_timeframe: multi_timeframe ?? Number.NaN,
      sentiment: sentiment ?? Number.NaN,
    },
  };
}

export function createLayerStore(database: Database, { synthetic, replay }: MarketName) {
  const market = [synthetic, replay ?? ""] as const;

  return {
    /** Alerts with a direction that were raised a moment ago, the oldest first. */
    async bare(limit: number): Promise<BareAlert[]> {
      return database.query<BareAlert>(
        `select a.id, i.symbol, a.interval, a.direction from alerts a join instruments i on i.id = a.instrument_id
         where i.synthetic = $1 and i.replay = $2 and a.direction <> 0
           and a.created_at > now() - make_interval(secs => $3)
           and not exists (select from alert_layers l where l.alert_id = a.id)
         order by a.id limit $4`,
        [...market, FRESH_S, limit],
      );
    },

    /** Keeps a reading; of one alert the first stays. */
    async save({ alertId, direction, values, composite, weights, readAtMs }: LayerReading): Promise<void> {
      const known = (name: LayerName) => (Number.isNaN(values[name]) ? null : values[name]);
      await database.query(
        `insert into alert_layers (alert_id, direction, rules, deep, multi_timeframe, sentiment, composite, weights, read_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8::jsonb, to_timestamp($9::float8 / 1000)) on conflict do nothing`,
        [alertId, direction, ...LAYERS.map(known), composite, JSON.stringify(weights), readAtMs],
      );
    },

    /** Readings of alerts since a moment with what became of them by their levels, in the order in which they settled. */
    async since(sinceMs: number, limit: number): Promise<SettledReading[]> {
      const rows = await database.query<Row>(
        `select l.alert_id as "alertId", l.direction, l.rules, l.deep, l.multi_timeframe, l.sentiment, l.composite,
           l.weights, (extract(epoch from l.read_at) * 1000)::float8 as "readAtMs",
           (extract(epoch from o.settled_at) * 1000)::float8 as "settledAtMs",
           case when o.id is null then null else (o.ending = 'target' and o.gain > 0)::int end as label
         from alert_layers l join alerts a on a.id = l.alert_id join instruments i on i.id = a.instrument_id
         left join outcomes o on o.alert_id = a.id and o.policy = 'sltp' and o.outcome is not null
         where i.synthetic = $1 and i.replay = $2 and l.read_at >= to_timestamp($3::float8 / 1000)
         order by o.settled_at nulls last, l.alert_id limit $4`,
        [...market, sinceMs, limit],
      );
      return rows.map(withValues);
    },

    /** The newest alerts with kept layers that have ended by their levels, read since a moment; in the order in which they ended. */
    async newestSettled(sinceMs: number, limit: number): Promise<SettledVote[]> {
      const rows = await database.query<Omit<SettledVote, "values"> & Said>(
        `select l.alert_id as "alertId", o.id as outcome, l.direction, l.rules, l.deep, l.multi_timeframe, l.sentiment,
           (extract(epoch from l.read_at) * 1000)::float8 as "decidedAt",
           (extract(epoch from o.settled_at) * 1000)::float8 as "settledAt",
           (o.ending = 'target' and o.gain > 0)::int as label
         from alert_layers l join alerts a on a.id = l.alert_id join instruments i on i.id = a.instrument_id
         join outcomes o on o.alert_id = a.id and o.policy = 'sltp' and o.outcome is not null
         where i.synthetic = $1 and i.replay = $2 and l.read_at >= to_timestamp($3::float8 / 1000)
         order by o.settled_at desc, o.id desc limit $4`,
        [...market, sinceMs, limit],
      );
      return rows.reverse().map(withValues);
    },

    /** Alerts with kept layers whose outcome came after a number. */
    async settledAfter(outcome: number): Promise<number> {
      const [row] = await database.query<{ count: number }>(
        `select count(*)::int as count from alert_layers l join alerts a on a.id = l.alert_id
         join instruments i on i.id = a.instrument_id
         join outcomes o on o.alert_id = a.id and o.policy = 'sltp' and o.outcome is not null
         where i.synthetic = $1 and i.replay = $2 and o.id > $3`,
        [...market, outcome],
      );
      return row.count;
    },
  };
}

export type LayerStore = ReturnType<typeof createLayerStore>;
