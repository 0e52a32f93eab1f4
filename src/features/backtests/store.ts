import { createHash } from "node:crypto";
import type { SharpeSample } from "../../core/backtest/overfitting.js";
import type { Interval } from "../../core/market/interval.js";
import type { Values } from "../../core/strategies/parameters.js";
import type { Database } from "../../platform/database.js";
import { isoTime } from "../../platform/http.js";
import { numberArray, textArray } from "../../platform/sql-array.js";

/** The bars that trials were made on. */
export interface Dataset {
  readonly userId: string;
  readonly sha256: string;
  readonly symbols: readonly string[];
  readonly interval: Interval;
  /** Opens of the first and of the last bar, epoch ms. */
  readonly firstMs: number;
  readonly lastMs: number;
  readonly bars: number;
  readonly synthetic: boolean;
}

/** A trial for the ledger. */
export interface TrialRow {
  readonly strategy: string;
  readonly values: Values;
  /** The rules it ran under, as text: other costs are another trial. */
  readonly rules: string;
  readonly sample: SharpeSample | null;
  readonly totalReturn: number | null;
  /** By day. */
  readonly returns: Float64Array;
}

/** What the ledger knows of a data set. */
export interface DatasetState {
  readonly trials: number;
  /** Trials of the user on bars that share a symbol, the interval and some of the time, these among them. */
  readonly overlapping: number;
  /** Variance of the Sharpe ratios by day; NaN of fewer than two. */
  readonly variance: number;
}

/** Days of returns beyond which they are not kept. */
const DAYS_LIMIT = 10_000;
const BATCH = 50;

const ADD_DATASET = `
insert into backtest_datasets (user_id, sha256, symbols, interval, first_bar, last_bar, bars, synthetic)
values ($1, $2, $3::text[], $4, $5, $6, $7, $8)
on conflict (user_id, sha256) do update set sha256 = excluded.sha256 returning id`;

const ADD_TRIALS = `
insert into backtest_trials (dataset_id, key, strategy, values, sharpe, skewness, kurtosis, days, total_return, returns)
select $1, key, strategy, values::jsonb, sharpe, skewness, kurtosis, days, total_return, decode(returns, 'hex')
from unnest($2::text[], $3::text[], $4::text[], $5::float8[], $6::float8[], $7::float8[], $8::int4[], $9::float8[], $10::text[])
  as t (key, strategy, values, sharpe, skewness, kurtosis, days, total_return, returns)
on conflict (dataset_id, key) do nothing`;

const STATE = `
with own as (select * from backtest_datasets where id = $1)
select (select count(*) from backtest_trials t where t.dataset_id = $1) as trials,
  (select var_samp(sharpe) from backtest_trials t where t.dataset_id = $1) as variance,
  (select count(*) from backtest_trials t join backtest_datasets d on d.id = t.dataset_id, own
   where d.user_id = own.user_id and d.interval = own.interval and d.synthetic = own.synthetic
     and d.symbols && own.symbols and d.first_bar <= own.last_bar and d.last_bar >= own.first_bar) as overlapping`;

/** Trials by data set, counted once however often and wherever they are made. */
export function createLedgerStore(database: Database) {
  return {
    /** Adds what is not there yet. @returns the id of the data set. */
    async add(dataset: Dataset, trials: readonly TrialRow[]): Promise<number> {
      const { userId, sha256, symbols, interval, firstMs, lastMs, bars, synthetic } = dataset;
      const [row] = await database.query<{ id: number }>(ADD_DATASET, [
        userId,
        sha256,
        textArray(symbols),
        interval,
        isoTime(firstMs),
        isoTime(lastMs),
        bars,
        synthetic,
      ]);
      for (let from = 0; from < trials.length; from += BATCH) {
        await database.query(ADD_TRIALS, [row.id, ...columnsOf(trials.slice(from, from + BATCH))]);
      }
      return row.id;
    },

    async state(datasetId: number): Promise<DatasetState> {
      const [row] = await database.query<{ trials: number; overlapping: number; variance: number | null }>(
        STATE,
        [datasetId],
      );
      return { ...row, variance: row.variance ?? Number.NaN };
    },

    /** Returns of the newest trials of a data set over so many days. */
    async loadReturns(datasetId: number, days: number, most: number): Promise<Float64Array[]> {
      const rows = await database.query<{ returns: Buffer }>(
        `select returns from backtest_trials where dataset_id = $1 and days = $2 and returns is not null
         order by id desc limit $3`,
        [datasetId, days, most],
      );
      return rows.map(({ returns }) => doublesOf(returns));
    },
  };
}

export type LedgerStore = ReturnType<typeof createLedgerStore>;

function columnsOf(trials: readonly TrialRow[]): unknown[] {
  return [
    textArray(trials.map(keyOf)),
    textArray(trials.map(({ strategy }) => strategy)),
    textArray(trials.map(({ values }) => JSON.stringify(values))),
    numberArray(trials.map(({ sample }) => sample?.sharpe ?? null)),
    numberArray(trials.map(({ sample }) => sample?.skewness ?? null)),
    numberArray(trials.map(({ sample }) => sample?.kurtosis ?? null)),
    numberArray(trials.map(({ returns }) => returns.length)),
    numberArray(trials.map(({ totalReturn }) => totalReturn)),
    textArray(
      trials.map(({ returns }) => (returns.length > DAYS_LIMIT ? null : bytesOf([returns]).toString("hex"))),
    ),
  ];
}

function keyOf({ strategy, values, rules }: TrialRow): string {
  const sorted = Object.entries(values).sort(([a], [b]) => (a < b ? -1 : 1));
  return createHash("sha256")
    .update(JSON.stringify([strategy, sorted, rules]))
    .digest("hex");
}

/** Columns one after another, little-endian as every platform of Node is. */
export function bytesOf(columns: readonly Float64Array[]): Buffer {
  return Buffer.concat(
    columns.map(({ buffer, byteOffset, byteLength }) => Buffer.from(buffer, byteOffset, byteLength)),
  );
}

export function doublesOf(bytes: Buffer): Float64Array {
  return new Float64Array(new Uint8Array(bytes).buffer);
}
