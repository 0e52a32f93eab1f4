import type { OptionChain } from "../../core/options/chain.js";
import type { Database, Sql } from "../../platform/database.js";
import { numberArray } from "../../platform/sql-array.js";
import { compressChain, decompressChain } from "./encoding.js";
import type { ChainFigures, ExpiryFigures } from "./figures.js";

export interface NewSnapshot {
  readonly instrumentId: number;
  readonly chain: OptionChain;
  /** Trading day of the exchange, in days since 1970-01-01. */
  readonly session: number;
  readonly source: string;
  /** True when somebody loaded it, false when it was fetched. */
  readonly loaded: boolean;
  readonly legs: number;
  readonly figures: ChainFigures;
  /** Interest a year that the figures were computed with. */
  readonly rate: number;
}

export interface StoredChain {
  readonly chain: OptionChain;
  readonly source: string;
  readonly loaded: boolean;
}

/** What is known of a snapshot without its chain. Times in epoch ms; sums are null where no leg tells its figure. */
export interface SnapshotHeader {
  readonly time: number;
  readonly session: number;
  readonly spot: number | null;
  readonly source: string;
  readonly loaded: boolean;
  readonly legs: number;
  readonly callOpenInterest: number | null;
  readonly putOpenInterest: number | null;
  readonly callVolume: number | null;
  readonly putVolume: number | null;
  readonly thirtyDayVolatility: number | null;
  readonly rate: number;
  /** Whether the chain itself is still kept. */
  readonly kept: boolean;
}

/** What the options of one expiry said at a time; figures as in the table. */
export interface HistoryRow {
  readonly time: number;
  readonly spot: number | null;
  readonly source: string;
  readonly loaded: boolean;
  readonly expiry: number;
  readonly years: number;
  readonly callOpenInterest: number | null;
  readonly putOpenInterest: number | null;
  readonly callVolume: number | null;
  readonly putVolume: number | null;
  readonly callChange: number | null;
  readonly putChange: number | null;
  readonly maxPain: number | null;
  readonly support: number | null;
  readonly resistance: number | null;
  readonly atTheMoney: number | null;
  readonly riskReversal: number | null;
  readonly volatilityRatio: number | null;
}

/** The newest snapshot by the close of a bar, with what the first of its expiries that had not ended said. */
export interface AsOfRow {
  /** Place of the bar. */
  readonly bar: number;
  readonly time: number;
  readonly session: number;
  readonly spot: number | null;
  /** Open interest of all expiries. */
  readonly allCalls: number | null;
  readonly allPuts: number | null;
  readonly thirtyDay: number | null;
  readonly callOpenInterest: number | null;
  readonly putOpenInterest: number | null;
  readonly callChange: number | null;
  readonly putChange: number | null;
  readonly maxPain: number | null;
  readonly support: number | null;
  readonly resistance: number | null;
}

const SAVE = `
insert into option_snapshots (instrument_id, time, session, spot, source, loaded, legs, call_open_interest,
  put_open_interest, call_volume, put_volume, thirty_day_volatility, rate, chain)
values ($1, to_timestamp($2::float8 / 1000), $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)
on conflict (instrument_id, time, source) do nothing
returning id`;

const SAVE_FIGURES = `
insert into option_figures (snapshot_id, expiry, years, dividend_yield, call_open_interest, put_open_interest, call_volume,
  put_volume, call_change, put_change, max_pain, support, resistance, at_the_money, risk_reversal, volatility_ratio)
select $1, f.* from unnest($2::int[], $3::float8[], $4::float8[], $5::float8[], $6::float8[], $7::float8[], $8::float8[],
  $9::float8[], $10::float8[], $11::float8[], $12::float8[], $13::float8[], $14::float8[], $15::float8[], $16::float8[]) as f`;

const TIME = `(extract(epoch from s.time) * 1000)::float8 as time`;
const HEADER = `${TIME}, s.session, s.spot, s.source, s.loaded, s.legs, s.call_open_interest as "callOpenInterest",
  s.put_open_interest as "putOpenInterest", s.call_volume as "callVolume", s.put_volume as "putVolume",
  s.thirty_day_volatility as "thirtyDayVolatility", s.rate, s.chain is not null as kept`;
const FIGURES = `f.expiry, f.years, f.call_open_interest as "callOpenInterest", f.put_open_interest as "putOpenInterest",
  f.call_volume as "callVolume", f.put_volume as "putVolume", f.call_change as "callChange", f.put_change as "putChange",
  f.max_pain as "maxPain", f.support, f.resistance, f.at_the_money as "atTheMoney", f.risk_reversal as "riskReversal",
  f.volatility_ratio as "volatilityRatio"`;

/** The newest snapshot of each session before a given one, newest first. */
const DAILY = `
select distinct on (session) session, thirty_day_volatility as volatility
from option_snapshots
where instrument_id = $1 and session < $2 and thirty_day_volatility is not null
order by session desc, time desc limit $3`;

const AS_OF = `
select c.bar::int - 1 as bar, ${TIME}, s.session, s.spot, s.call_open_interest as "allCalls", s.put_open_interest as "allPuts",
  s.thirty_day_volatility as "thirtyDay", f.call_open_interest as "callOpenInterest",
  f.put_open_interest as "putOpenInterest", f.call_change as "callChange", f.put_change as "putChange",
  f.max_pain as "maxPain", f.support, f.resistance
from unnest($2::float8[]) with ordinality as c(close, bar)
cross join lateral (
  select * from option_snapshots s where s.instrument_id = $1
    and s.time <= to_timestamp(c.close / 1000) and s.time > to_timestamp((c.close - $3) / 1000)
  order by s.time desc, s.id desc limit 1) s
left join lateral (
  select * from option_figures f where f.snapshot_id = s.id and f.years > 0 order by f.expiry limit 1) f on true
order by c.bar`;

/** Chains from before a moment, but for the last of each session. */
const THIN = `
update option_snapshots s set chain = null
where s.time < to_timestamp($1::float8 / 1000) and s.chain is not null and not s.loaded and exists (
  select from option_snapshots later
  where later.instrument_id = s.instrument_id and later.session = s.session and later.time > s.time
    and later.chain is not null)`;

export function createOptionStore(database: Database) {
  async function loadChain(where: string, values: readonly unknown[]): Promise<StoredChain | null> {
    const [row] = await database.query<{ source: string; loaded: boolean; chain: Uint8Array }>(
      `select source, loaded, chain from option_snapshots
       where chain is not null and ${where} order by time desc, id desc limit 1`,
      values,
    );
    if (row === undefined) return null;
    const chain = await decompressChain(row.chain);
    return chain === null ? null : { chain, source: row.source, loaded: row.loaded };
  }

  return {
    /** "kept" when it is there already, "different" when the source said something else of that time before. */
    async save(snapshot: NewSnapshot): Promise<"saved" | "kept" | "different"> {
      const chain = await compressChain(snapshot.chain);
      return database.transaction(async (sql) => {
        const [row] = await sql.query<{ id: number }>(SAVE, headerValues(snapshot, chain));
        if (row !== undefined) {
          await saveFigures(sql, row.id, snapshot.figures.byExpiry);
          return "saved";
        }
        const { instrumentId, source } = snapshot;
        const same = await sql.query(
          `select from option_snapshots where instrument_id = $1 and time = to_timestamp($2::float8 / 1000)
           and source = $3 and (chain is null or chain = $4)`,
          [instrumentId, snapshot.chain.time, source, chain],
        );
        return same.length > 0 ? "kept" : "different";
      });
    },

    /** The newest chain up to a moment; one that has an expiry, where that is given. */
    loadNewest: (instrumentId: number, atMs: number, expiry?: number): Promise<StoredChain | null> =>
      expiry === undefined
        ? loadChain("instrument_id = $1 and time <= to_timestamp($2::float8 / 1000)", [instrumentId, atMs])
        : loadChain(
            `instrument_id = $1 and time <= to_timestamp($2::float8 / 1000)
             and exists (select from option_figures f where f.snapshot_id = id and f.expiry = $3)`,
            [instrumentId, atMs, expiry],
          ),

    /** The last chain of a source from the newest session before a given one. */
    loadSessionBefore: (instrumentId: number, session: number, source: string): Promise<StoredChain | null> =>
      loadChain("instrument_id = $1 and session < $2 and source = $3", [instrumentId, session, source]),

    /** Volatilities for thirty days, one a session before a given one, ascending. */
    async loadDailyVolatility(instrumentId: number, session: number, limit: number): Promise<Float64Array> {
      const rows = await database.query<{ volatility: number }>(DAILY, [instrumentId, session, limit]);
      return Float64Array.from(rows.reverse(), ({ volatility }) => volatility);
    },

    /** Volatilities for thirty days with their sessions before a given one, ascending, the newest `limit`. */
    async loadSessionVolatility(
      instrumentId: number,
      session: number,
      limit: number,
    ): Promise<{ readonly session: number; readonly volatility: number }[]> {
      const rows = await database.query<{ session: number; volatility: number }>(DAILY, [
        instrumentId,
        session,
        limit,
      ]);
      return rows.reverse();
    },

    /** For each close, ascending, the newest snapshot up to it that is younger than `ageMs`; none where there is none. */
    loadAsOf: (instrumentId: number, closes: Float64Array, ageMs: number): Promise<AsOfRow[]> =>
      database.query<AsOfRow>(AS_OF, [instrumentId, numberArray([...closes]), ageMs]),

    /** Newest first, of [fromMs, toMs). */
    list: (instrumentId: number, fromMs: number, toMs: number, limit: number): Promise<SnapshotHeader[]> =>
      database.query<SnapshotHeader>(
        `select ${HEADER} from option_snapshots s where s.instrument_id = $1
         and s.time >= to_timestamp($2::float8 / 1000) and s.time < to_timestamp($3::float8 / 1000)
         order by s.time desc, s.id desc limit $4`,
        [instrumentId, fromMs, toMs, limit],
      ),

    /** Newest first, of [fromMs, toMs); of one expiry, or of the first of each snapshot that has not ended. */
    history: (
      instrumentId: number,
      fromMs: number,
      toMs: number,
      expiry: number | null,
      limit: number,
    ): Promise<HistoryRow[]> =>
      database.query<HistoryRow>(
        `select ${TIME}, s.spot, s.source, s.loaded, ${FIGURES}
         from option_snapshots s cross join lateral (
           select * from option_figures f where f.snapshot_id = s.id
             and case when $4::int is null then f.years > 0 else f.expiry = $4 end
           order by f.expiry limit 1) f
         where s.instrument_id = $1 and s.time >= to_timestamp($2::float8 / 1000)
           and s.time < to_timestamp($3::float8 / 1000)
         order by s.time desc, s.id desc limit $5`,
        [instrumentId, fromMs, toMs, expiry, limit],
      ),

    /** Lets go of fetched chains from before a moment, but for the last of each session; their figures stay. */
    async thin(beforeMs: number): Promise<void> {
      await database.query(THIN, [beforeMs]);
    },
  };
}

export type OptionStore = ReturnType<typeof createOptionStore>;

function headerValues(snapshot: NewSnapshot, chain: Buffer): unknown[] {
  const { instrumentId, session, source, loaded, legs, figures, rate } = snapshot;
  const { time, spot } = snapshot.chain;
  const { callOpenInterest, putOpenInterest, callVolume, putVolume } = figures.totals;
  const sums = [callOpenInterest, putOpenInterest, callVolume, putVolume];
  const known = Number.isNaN(spot) ? null : spot;
  const { value } = figures.thirtyDay;
  return [instrumentId, time, session, known, source, loaded, legs, ...sums, value, rate, chain];
}

async function saveFigures(sql: Sql, snapshotId: number, rows: readonly ExpiryFigures[]): Promise<void> {
  const numbers = (pick: (row: ExpiryFigures) => number) => numberArray(rows.map(pick));
  const nullable = (pick: (row: ExpiryFigures) => number | null | undefined) =>
    `{${rows.map((row) => pick(row) ?? "NULL").join(",")}}`;
  await sql.query(SAVE_FIGURES, [
    snapshotId,
    numbers(({ expiry }) => expiry),
    numbers(({ pricing }) => pricing.years),
    numbers(({ pricing }) => pricing.dividendYield),
    nullable((row) => row.totals.callOpenInterest),
    nullable((row) => row.totals.putOpenInterest),
    nullable((row) => row.totals.callVolume),
    nullable((row) => row.totals.putVolume),
    nullable(({ change }) => change.call.value),
    nullable(({ change }) => change.put.value),
    nullable((row) => row.maxPain.value),
    nullable(({ walls }) => walls.support?.strike),
    nullable(({ walls }) => walls.resistance?.strike),
    nullable((row) => row.atTheMoney.value),
    nullable((row) => row.riskReversal.value),
    nullable((row) => row.volatilityRatio.value),
  ]);
}
