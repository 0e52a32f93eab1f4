import type { SharpeOfReturns } from "../../core/backtest/overfitting.js";
import { NO_SKETCH, SKETCH_LENGTH } from "../../core/backtest/trials.js";
import type { Interval } from "../../core/market/interval.js";
import type { Values } from "../../core/strategies/parameters.js";
import type { Database } from "../../platform/database.js";
import { isoTime } from "../../platform/http.js";
import { sha256 } from "../../platform/sha256.js";
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
  /** Days since 1970-01-01 on which there are bars, ascending. */
  readonly days: Int32Array;
}

/** A trial for the ledger. */
export interface TrialRow {
  readonly strategy: string;
  readonly values: Values;
  /** The rules it ran under, as text: other costs are another trial. */
  readonly rules: string;
  /** By day beyond no rate, whatever rate it ran under: trials are compared beyond one. */
  readonly sample: SharpeOfReturns | null;
  readonly totalReturn: number | null;
  /** By day. */
  readonly returns: Float64Array;
  /** As `sketchOf` has it of the returns. */
  readonly sketch: Int8Array;
}

/** A data set whose trials count together with those of another. */
export interface FamilyDataset {
  readonly id: number;
  /** Days since 1970-01-01 on which there are bars, ascending; null where they were not kept. */
  readonly days: Int32Array | null;
}

/**
 * All trials of a user on bars that share a symbol, the interval and some of the time with a data set, those on itself
 * among them, as they came.
 */
export interface TrialFamily {
  readonly datasets: readonly FamilyDataset[];
  readonly ids: Float64Array;
  readonly datasetIds: Float64Array;
  /** Sharpe ratios by period beyond no rate, NaN of those without one, and how many returns they are of. */
  readonly sharpe: Float64Array;
  /** Of the returns by period; NaN where there is no ratio, and where it was not kept. */
  readonly deviation: Float64Array;
  readonly n: Float64Array;
  /** One after another, as `distinctTrials` takes them. */
  readonly sketches: Int8Array;
}

/** Days of returns beyond which they are not kept. */
const DAYS_LIMIT = 10_000;
const BATCH = 50;

const ADD_DATASET = `
insert into backtest_datasets (user_id, sha256, symbols, interval, first_bar, last_bar, bars, synthetic, days)
values ($1, $2, $3::text[], $4, $5, $6, $7, $8, $9)
on conflict (user_id, sha256) do update set sha256 = excluded.sha256 returning id`;

const ADD_TRIALS = `
insert into backtest_trials (dataset_id, key, strategy, values, sharpe, deviation, skewness, kurtosis, days, total_return, returns, sketch)
select $1, key, strategy, values::jsonb, sharpe, deviation, skewness, kurtosis, days, total_return, decode(returns, 'hex'), decode(sketch, 'hex')
from unnest($2::text[], $3::text[], $4::text[], $5::float8[], $6::float8[], $7::float8[], $8::float8[], $9::int4[], $10::float8[], $11::text[], $12::text[])
  as t (key, strategy, values, sharpe, deviation, skewness, kurtosis, days, total_return, returns, sketch)
on conflict (dataset_id, key) do nothing`;

const FAMILY_DATASETS = `
with own as (select * from backtest_datasets where id = $1)
select d.id, d.days from backtest_datasets d, own
where d.user_id = own.user_id and d.interval = own.interval and d.synthetic = own.synthetic
  and d.symbols && own.symbols and d.first_bar <= own.last_bar and d.last_bar >= own.first_bar
order by d.id`;

const FAMILY_TRIALS = `
select id, dataset_id as "datasetId", sharpe, deviation, days, sketch from backtest_trials
where dataset_id = any($1::bigint[]) order by id`;

/** Trials by data set, counted once however often and wherever they are made. */
export function createLedgerStore(database: Database) {
  return {
    /** Adds what is not there yet. @returns the id of the data set. */
    async add(dataset: Dataset, trials: readonly TrialRow[]): Promise<number> {
      const { userId, sha256, symbols, interval, firstMs, lastMs, bars, synthetic, days } = dataset;
      const [row] = await database.query<{ id: number }>(ADD_DATASET, [
        userId,
        sha256,
        textArray(symbols),
        interval,
        isoTime(firstMs),
        isoTime(lastMs),
        bars,
        synthetic,
        Buffer.from(days.buffer, days.byteOffset, days.byteLength),
      ]);
      for (let from = 0; from < trials.length; from += BATCH) {
        await database.query(ADD_TRIALS, [row.id, ...columnsOf(trials.slice(from, from + BATCH))]);
      }
      return row.id;
    },

    async family(datasetId: number): Promise<TrialFamily> {
      const datasets = await database.query<{ id: number; days: Buffer | null }>(FAMILY_DATASETS, [
        datasetId,
      ]);
      const rows = await database.query<TrialHead>(FAMILY_TRIALS, [
        numberArray(datasets.map(({ id }) => id)),
      ]);
      return {
        datasets: datasets.map(({ id, days }) => ({ id, days: days === null ? null : integersOf(days) })),
        ids: Float64Array.from(rows, ({ id }) => id),
        datasetIds: Float64Array.from(rows, (row) => row.datasetId),
        sharpe: Float64Array.from(rows, ({ sharpe }) => sharpe ?? Number.NaN),
        deviation: Float64Array.from(rows, ({ deviation }) => deviation ?? Number.NaN),
        n: Float64Array.from(rows, ({ days }) => days),
        sketches: sketchesOf(rows),
      };
    },

    /** Returns of trials, in the order of their ids; those that were too long to be kept are left out. */
    async loadReturns(ids: readonly number[]): Promise<readonly KeptReturns[]> {
      const rows = await database.query<{ id: number; datasetId: number; returns: Buffer }>(
        `select id, dataset_id as "datasetId", returns from backtest_trials
         where id = any($1::bigint[]) and returns is not null order by id`,
        [numberArray(ids)],
      );
      return rows.map(({ id, datasetId, returns }) => ({ id, datasetId, returns: doublesOf(returns) }));
    },
  };
}

/** Returns of a trial by day of its data set. */
export interface KeptReturns {
  readonly id: number;
  readonly datasetId: number;
  readonly returns: Float64Array;
}

interface TrialHead {
  readonly id: number;
  readonly datasetId: number;
  readonly sharpe: number | null;
  readonly deviation: number | null;
  readonly days: number;
  readonly sketch: Buffer | null;
}

function sketchesOf(rows: readonly TrialHead[]): Int8Array {
  const all = new Int8Array(rows.length * SKETCH_LENGTH);
  for (const [k, { sketch }] of rows.entries()) {
    if (sketch === null) all[k * SKETCH_LENGTH] = NO_SKETCH;
    else all.set(new Int8Array(sketch.buffer, sketch.byteOffset, SKETCH_LENGTH), k * SKETCH_LENGTH);
  }
  return all;
}

export type LedgerStore = ReturnType<typeof createLedgerStore>;

function columnsOf(trials: readonly TrialRow[]): unknown[] {
  return [
    textArray(trials.map(keyOf)),
    textArray(trials.map(({ strategy }) => strategy)),
    textArray(trials.map(({ values }) => JSON.stringify(values))),
    numberArray(trials.map(({ sample }) => sample?.sharpe ?? null)),
    numberArray(trials.map(({ sample }) => sample?.deviation ?? null)),
    numberArray(trials.map(({ sample }) => sample?.skewness ?? null)),
    numberArray(trials.map(({ sample }) => sample?.kurtosis ?? null)),
    numberArray(trials.map(({ returns }) => returns.length)),
    numberArray(trials.map(({ totalReturn }) => totalReturn)),
    textArray(
      trials.map(({ returns }) => (returns.length > DAYS_LIMIT ? null : bytesOf([returns]).toString("hex"))),
    ),
    textArray(trials.map(({ sketch }) => Buffer.from(sketch).toString("hex"))),
  ];
}

function keyOf({ strategy, values, rules }: TrialRow): string {
  const sorted = Object.entries(values).sort(([a], [b]) => (a < b ? -1 : 1));
  return sha256(JSON.stringify([strategy, sorted, rules]));
}

/** Columns one after another, little-endian as every platform of Node is. */
export function bytesOf(columns: readonly Float64Array[]): Buffer {
  return Buffer.concat(
    columns.map(({ buffer, byteOffset, byteLength }) => Buffer.from(buffer, byteOffset, byteLength)),
  );
}

function integersOf(bytes: Buffer): Int32Array {
  return new Int32Array(new Uint8Array(bytes).buffer);
}

export function doublesOf(bytes: Buffer): Float64Array {
  return new Float64Array(new Uint8Array(bytes).buffer);
}
