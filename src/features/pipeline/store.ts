import type { Bar } from "../../core/market/candles.js";
import type { Interval } from "../../core/market/interval.js";
import type { Database, Sql } from "../../platform/database.js";
import { prepared } from "../../platform/prepared.js";
import { numberArray, textArray } from "../../platform/sql-array.js";
import { epochMs } from "../../platform/sql-epoch.js";
import type { MarketName } from "../instruments/store.js";
import { createDecisionStore } from "./decision-store.js";
import { type StoredSynergy, SYNERGY_FIELDS, type Synergy } from "./synergy-rows.js";

/** Later than any bar, epoch ms. */
export const LATEST_MS = Date.UTC(2200, 0, 1);

/** A bar made of trades; times in epoch ms. */
export interface TickBar extends Bar {
  readonly symbol: string;
  readonly interval: Interval;
  readonly count: number;
  /** NaN without volume, as pressure. */
  readonly vwap: number;
  readonly pressure: number;
  readonly slot: number;
}

/** How many of each are stored. */
export interface Totals {
  readonly bars: number;
  readonly synergies: number;
  readonly decisions: number;
  readonly refused: number;
}

/** The name under which all rows of a market stand. */
export const marketKey = ({ synthetic, replay }: MarketName) =>
  `${synthetic ? "synthetic" : "real"}${replay === null ? "" : `:${replay}`}`.slice(0, 60);

const RECORD_BARS = prepared(`
with added as (
insert into tick_bars (market, symbol, interval, time, open, high, low, close, volume, count, vwap, pressure, slot)
select $1, b.s, b.i, to_timestamp(b.t / 1000), b.o, b.h, b.l, b.c, b.v, b.n, nullif(b.w, 'NaN'), nullif(b.p, 'NaN'), b.x
from unnest($2::text[], $3::text[], $4::float8[], $5::float8[], $6::float8[], $7::float8[], $8::float8[], $9::float8[],
  $10::int[], $11::float8[], $12::float8[], $13::int[]) as b(s, i, t, o, h, l, c, v, n, w, p, x)
on conflict do nothing returning 1)
select count(*)::int as count from added`);

const ADD_TOTALS = prepared(`
insert into pipeline_totals as t (market, bars, synergies, decisions, refused) values ($1, $2, $3, $4, $5)
on conflict (market) do update set bars = t.bars + excluded.bars, synergies = t.synergies + excluded.synergies,
  decisions = t.decisions + excluded.decisions, refused = t.refused + excluded.refused`);

const RECORD_SYNERGY = prepared(`
insert into synergies (market, symbol, type, way, begun_at, known_at, quality, legs, context)
values ($1, $2, $3, $4, to_timestamp($5::float8 / 1000), to_timestamp($6::float8 / 1000), $7, $8::jsonb, $9::jsonb)
on conflict (market, symbol, known_at) do nothing returning id`);

const UNSTORED = prepared(`
select g.place::int as place from unnest($2::text[], $3::float8[]) with ordinality as g(symbol, known, place)
where not exists (select from synergies s
  where s.market = $1 and s.symbol = g.symbol and s.known_at = to_timestamp(g.known / 1000))
order by g.place`);

const BAR_FIELDS = [
  `symbol, interval, open, high, low, close, volume, count, slot`,
  `coalesce(vwap, 'NaN') as vwap, coalesce(pressure, 'NaN') as pressure`,
  epochMs("time", "time"),
].join(", ");

/** What the pipeline of one market found. */
export function createPipelineStore(database: Database, market: string) {
  return {
    ...createDecisionStore(database, market),

    /** Bars that are there already stay as they are. @returns how many were not. */
    async recordBars(sql: Sql, bars: readonly TickBar[]): Promise<number> {
      if (bars.length === 0) return 0;
      const numbers = (of: (bar: TickBar) => number) => numberArray(bars.map(of));
      const [row] = await sql.query<{ count: number }>(RECORD_BARS, [
        market,
        textArray(bars.map(({ symbol }) => symbol)),
        textArray(bars.map(({ interval }) => interval)),
        ...[numbers(({ time }) => time), numbers(({ open }) => open), numbers(({ high }) => high)],
        ...[numbers(({ low }) => low), numbers(({ close }) => close), numbers(({ volume }) => volume)],
        ...[numbers(({ count }) => count), numbers(({ vwap }) => vwap), numbers(({ pressure }) => pressure)],
        numbers(({ slot }) => slot),
      ]);
      return row.count;
    },

    /** Counts what was stored anew, within the transaction that stores it. */
    async addTotals(sql: Sql, { bars, synergies, decisions, refused }: Totals): Promise<void> {
      if (bars + synergies + decisions === 0) return;
      await sql.query(ADD_TOTALS, [market, bars, synergies, decisions, refused]);
    },

    /** @returns its number; null for one that is there already. */
    async recordSynergy(sql: Sql, synergy: Synergy): Promise<number | null> {
      const { symbol, type, way, begunAt, knownAt, quality, legs, context } = synergy;
      const rows = await sql.query<{ id: number }>(RECORD_SYNERGY, [
        ...[market, symbol, type, way, begunAt, knownAt, quality],
        ...[JSON.stringify(legs), JSON.stringify(context)],
      ]);
      return rows[0]?.id ?? null;
    },

    /** Those of some synergies that are not stored yet: each is known by its symbol and close. */
    async unstored<T extends { symbol: string; found: { knownAt: number } }>(
      some: readonly T[],
    ): Promise<readonly T[]> {
      if (some.length === 0) return some;
      const rows = await database.query<{ place: number }>(UNSTORED, [
        market,
        textArray(some.map(({ symbol }) => symbol)),
        numberArray(some.map(({ found }) => found.knownAt)),
      ]);
      return rows.map(({ place }) => some[place - 1]);
    },

    /** The newest first. */
    listSynergies: (symbol: string, limit: number): Promise<StoredSynergy[]> =>
      database.query<StoredSynergy>(
        `select ${SYNERGY_FIELDS} from synergies s where s.market = $1 and s.symbol = $2
         order by s.known_at desc limit $3`,
        [market, symbol, limit],
      ),

    /** Bars of [from, to), the newest of them first, at most so many. */
    listBars: (
      symbol: string,
      interval: Interval,
      { from, to, limit }: { from: number; to: number; limit: number },
    ): Promise<TickBar[]> =>
      database.query<TickBar>(
        `select ${BAR_FIELDS} from tick_bars where market = $1 and symbol = $2 and interval = $3
           and time >= to_timestamp($4::float8 / 1000) and time < to_timestamp($5::float8 / 1000)
         order by time desc limit $6`,
        [market, symbol, interval, from, to, limit],
      ),

    /** Whether there is anything of a symbol: bars, or what is known of its ticks. */
    isKnown: (symbol: string): Promise<boolean> => isKnown(database, market, symbol),

    /** Whether ticks have been taken here before. */
    async isBegun(): Promise<boolean> {
      const [row] = await database.query<{ begun: boolean }>(
        `select exists (select from tick_batches where market = $1)
           or exists (select from pipeline_states where market = $1) as begun`,
        [market],
      );
      return row.begun;
    },

    /** How many of each are stored. */
    async count(): Promise<Totals> {
      const rows = await database.query<Totals>(
        `select bars::float8, synergies::float8, decisions::float8, refused::float8
         from pipeline_totals where market = $1`,
        [market],
      );
      return rows[0] ?? { bars: 0, synergies: 0, decisions: 0, refused: 0 };
    },
  };
}

async function isKnown(database: Database, market: string, symbol: string): Promise<boolean> {
  const [row] = await database.query<{ known: boolean }>(
    `select exists (select from tick_bars where market = $1 and symbol = $2)
       or exists (select from pipeline_states where market = $1 and symbol = $2) as known`,
    [market, symbol],
  );
  return row.known;
}

export type PipelineStore = ReturnType<typeof createPipelineStore>;
