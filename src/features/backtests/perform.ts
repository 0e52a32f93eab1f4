import { beyondRate } from "../../core/backtest/overfitting.js";
import type { Figure } from "../../core/performance/figure.js";
import { sha256 } from "../../platform/sha256.js";
import { defineTask, type Workers } from "../../platform/workers.js";
import { versionsOf } from "./followed.js";
import { JOB_BARS } from "./jobs-order.js";
import type { Ledger } from "./ledger.js";
import { runSeriesOf } from "./listings.js";
import { type Chosen, chosenBy, type RunFields, type SingleOrder, symbolsOf } from "./order.js";
import { growthOf, PERMUTED_BARS, permutedP } from "./permuted.js";
import { thinIndexes } from "./plots/thin.js";
import { type ReportView, reportView } from "./report-view.js";
import type { RunColumns, RunKind, RunStore } from "./run-store.js";
import type { RunFound, RunOrder } from "./run-worker.js";
import { checkSize, type RunData, type SeriesParts } from "./series.js";
import type { TrialRow } from "./store.js";
import { rateOf, rulesText } from "./terms.js";
import type { TrialFound } from "./trial.js";

const RUN = defineTask<RunOrder, RunFound>(new URL("./run-worker.js", import.meta.url));

export interface PerformParts extends SeriesParts {
  readonly workers: Workers;
  readonly ledger: Ledger;
  readonly runs: RunStore;
}

/** Who asks, and for which job; a signal ends the work. */
export interface Asked {
  readonly userId: string;
  readonly jobId: number | null;
  readonly seed: number;
  readonly signal?: AbortSignal;
}

/** A backtest in a thread. */
export function runOnce(
  { workers }: Pick<PerformParts, "workers">,
  chosen: Chosen,
  data: RunData,
  { signal }: Pick<Asked, "signal">,
): Promise<RunFound> {
  return workers.run(RUN, runOrder(chosen, data), signal === undefined ? {} : { signal });
}

export function runOrder({ strategy, values }: Chosen, data: RunData): RunOrder {
  const { terms, benchmark } = data;
  return { strategyId: strategy.id, values, ...runSeriesOf(data), terms, benchmark };
}

export function trialRow({ strategy, values }: Chosen, data: RunData, found: TrialFound): TrialRow {
  const { totalReturn, returns, sketch } = found;
  const sample = found.sample === null ? null : beyondRate(found.sample, -rateOf(data.terms));
  return {
    strategy: strategy.id,
    values,
    rules: rulesText(data.terms),
    sample,
    totalReturn,
    returns,
    sketch,
  };
}

/** A backtest whose trial is counted, and what it is worth after all trials on the same bars. */
export async function runCounted(
  parts: PerformParts,
  chosen: Chosen,
  data: RunData,
  asked: Asked,
): Promise<Counted> {
  return countRun(parts, chosen, data, await runOnce(parts, chosen, data, asked), asked);
}

export interface Counted {
  readonly found: RunFound;
  readonly report: ReportView;
  readonly datasetId: number;
}

/** Counts the trial of a run that was made. */
export async function countRun(
  parts: Pick<PerformParts, "ledger" | "workers">,
  chosen: Chosen,
  data: RunData,
  found: RunFound,
  asked: Asked,
): Promise<Counted> {
  asked.signal?.throwIfAborted();
  const datasetId = await parts.ledger.record(asked.userId, data, [trialRow(chosen, data, found.trial)]);
  const { sample, returns } = found.trial;
  const permutation = await permutationOf(parts, chosen, data, found, asked);
  const judged = { sample, rate: rateOf(data.terms), days: returns.length, permutation };
  const overfitting = await parts.ledger.judge(datasetId, judged, asked.signal);
  return { found, report: reportView(chosen, data, found, overfitting), datasetId };
}

/** The p-value of a run beside the same on permuted bars. */
export function permutationOf(
  { workers }: Pick<PerformParts, "workers">,
  chosen: Chosen,
  data: RunData,
  { bounds, trades, onDesk }: RunFound,
  { seed, signal, jobId }: Asked,
): Promise<Figure> {
  const most = jobId === null ? PERMUTED_BARS.answer : PERMUTED_BARS.job;
  const growth = growthOf(bounds.headline / data.terms.capital - 1);
  return permutedP([{ chosen, data, start: 0, onDesk }], growth, trades.length, {
    workers,
    seed,
    most,
    signal,
  });
}

/** Bars of which every one is kept; of more what a line needs. */
const BARS_KEPT = 50_000;

function thinned({ time, equity, benchmark }: RunColumns): RunColumns {
  if (time.length <= BARS_KEPT) return { time, equity, benchmark };
  const places = thinIndexes(equity);
  const take = (column: Float64Array) => Float64Array.from(places, (place) => column[place]);
  return { time: take(time), equity: take(equity), benchmark: take(benchmark) };
}

/** Keeps a run. @returns its id. */
export function keepRun(
  { runs }: Pick<PerformParts, "runs">,
  run: {
    readonly kind: RunKind;
    readonly strategy: string;
    readonly hash: string;
    readonly report: object;
    readonly columns: RunColumns | null;
  },
  { series, synthetic }: Pick<RunData, "series" | "synthetic">,
  { userId, jobId }: Asked,
): Promise<number> {
  const symbols = series.map(({ symbol }) => symbol);
  const columns = run.columns === null ? null : thinned(run.columns);
  return runs.save({ ...run, columns, userId, jobId, symbols, interval: series[0].interval, synthetic });
}

/** Reads what an order of a job names. @throws {AppError} as `chosenBy`, `checkSize` and `versionsOf`. */
export async function checkOrder<O extends SingleOrder>(parts: PerformParts, order: O): Promise<O> {
  await checkRun(parts, [chosenBy(order)], symbolsOf(order), order);
  return order;
}

/** What can be said against a run before it is begun. @throws {AppError} as `checkSize` and `versionsOf`. */
export async function checkRun(
  parts: PerformParts,
  chosen: readonly Chosen[],
  symbols: readonly string[],
  order: RunFields,
): Promise<void> {
  checkSize(parts, symbols, order, JOB_BARS);
  await versionsOf(parts, chosen, symbols.map(parts.instruments.identify), order);
}

/** A name for what was found: equal findings have the same. */
export function digestOf(value: unknown): string {
  return sha256(JSON.stringify(value)).slice(0, 32);
}
