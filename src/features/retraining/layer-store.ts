import type { LayerVote } from "../../core/learning/layer-stack.js";
import { LAYERS, type LayerName } from "../../core/signals/fuse.js";
import type { Database } from "../../platform/database.js";
import { epochMs } from "../../platform/sql-epoch.js";
import type { MarketName } from "../instruments/store.js";

/** An alert whose layers were not read yet. Times in epoch ms. */
export interface BareAlert {
  readonly id: number;
  readonly symbol: string;
  readonly interval: string;
  readonly direction: 1 | -1;
  /** Close of its bar. */
  readonly closedAtMs: number;
  /** By when a model had to be made to speak of it: that close, and where bars are replayed, when the alert was raised. */
  readonly madeByMs: number;
}

/** What layers said as of the close of an alert's bar. Times in epoch ms. */
export interface LayerReading {
  readonly alertId: number;
  readonly direction: 1 | -1;
  /** Signed, -1..1; NaN for a layer that was silent. */
  readonly values: Readonly<Record<LayerName, number>>;
  readonly composite: number | null;
  /** What of alerts with such a composite hit, by the version of the weights; null while the usual ones serve. */
  readonly chance: number | null;
  readonly stackVersion: string | null;
  /** Id of the version of the net that was asked; null while none served. */
  readonly netId: number | null;
  readonly weights: Readonly<Record<LayerName, number>>;
  readonly asOfMs: number;
}

/** Whose votes are asked for: of all that there are without either. */
export interface VoteFilter {
  /** Id of the version of the net that gave the deep layer. */
  readonly netId?: number | undefined;
  /** Version of the weights by which layers were told. */
  readonly stackVersion?: string | undefined;
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
  readonly chance: number | null;
  readonly stackVersion: string | null;
  readonly netId: number | null;
  readonly weights: Record<LayerName, number>;
  readonly asOfMs: number;
  readonly label: 0 | 1 | null;
  readonly settledAtMs: number | null;
}

/** Alerts that were raised longer ago are not read any more: of evidence and models only the newest are at hand. */
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
        `select a.id, i.symbol, a.interval, a.direction, ${epochMs("a.closed_at", "closedAtMs")},
           ${epochMs("case when i.replay = '' then a.closed_at else a.created_at end", "madeByMs")}
         from alerts a join instruments i on i.id = a.instrument_id
         where i.synthetic = $1 and i.replay = $2 and a.direction <> 0
           and a.created_at > now() - make_interval(secs => $3)
           and not exists (select from alert_layers l where l.alert_id = a.id)
         order by a.id limit $4`,
        [...market, FRESH_S, limit],
      );
    },

    /** Keeps a reading; of one alert the first stays. */
    async save(reading: LayerReading): Promise<void> {
      const { alertId, direction, values, composite, chance, stackVersion, netId, weights, asOfMs } = reading;
      const known = (name: LayerName) => (Number.isNaN(values[name]) ? null : values[name]);
      await database.query(
        `insert into alert_layers (alert_id, direction, rules, deep, multi_timeframe, sentiment, composite, chance, stack_version, net_id, weights, as_of)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11::jsonb, to_timestamp($12::float8 / 1000)) on conflict do nothing`,
        [
          ...[alertId, direction, ...LAYERS.map(known), composite, chance, stackVersion, netId],
          ...[JSON.stringify(weights), asOfMs],
        ],
      );
    },

    /** Readings of alerts on bars that closed since a moment with what became of them by their levels, in the order in which they settled. */
    async since(sinceMs: number, limit: number): Promise<SettledReading[]> {
      const rows = await database.query<Row>(
        `select l.alert_id as "alertId", l.direction, l.rules, l.deep, l.multi_timeframe, l.sentiment, l.composite,
           l.chance, l.stack_version as "stackVersion", l.net_id as "netId", l.weights, ${epochMs("l.as_of", "asOfMs")},
           (extract(epoch from o.settled_at) * 1000)::float8 as "settledAtMs",
           case when o.id is null then null else (o.ending = 'target' and o.gain > 0)::int end as label
         from alert_layers l join alerts a on a.id = l.alert_id join instruments i on i.id = a.instrument_id
         left join outcomes o on o.alert_id = a.id and o.policy = 'sltp' and o.outcome is not null
         where i.synthetic = $1 and i.replay = $2 and l.as_of >= to_timestamp($3::float8 / 1000)
         order by o.settled_at nulls last, l.alert_id limit $4`,
        [...market, sinceMs, limit],
      );
      return rows.map(withValues);
    },

    /** The newest alerts with kept layers that have ended by their levels; in the order in which they ended. */
    async newestSettled({ netId, stackVersion }: VoteFilter, limit: number): Promise<SettledVote[]> {
      const rows = await database.query<Omit<SettledVote, "values"> & Said>(
        `select l.alert_id as "alertId", o.id as outcome, l.direction, l.rules, l.deep, l.multi_timeframe, l.sentiment,
           ${epochMs("l.as_of", "decidedAt")},
           (extract(epoch from o.settled_at) * 1000)::float8 as "settledAt",
           (o.ending = 'target' and o.gain > 0)::int as label
         from alert_layers l join alerts a on a.id = l.alert_id join instruments i on i.id = a.instrument_id
         join outcomes o on o.alert_id = a.id and o.policy = 'sltp' and o.outcome is not null
         where i.synthetic = $1 and i.replay = $2 and ($3::bigint is null or l.net_id = $3)
           and ($4::text is null or l.stack_version = $4)
         order by o.settled_at desc, o.id desc limit $5`,
        [...market, netId ?? null, stackVersion ?? null, limit],
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
