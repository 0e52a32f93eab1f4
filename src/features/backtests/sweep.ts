import { purgedFolds } from "../../core/backtest/folds.js";
import { AppError } from "../../platform/errors.js";
import { defineJob, type JobContext, type JobKind } from "../../platform/jobs.js";
import { defineTask } from "../../platform/workers.js";
import { checkCandidates, createCandidates } from "./candidates.js";
import type { CrossOrder, CrossValidated } from "./cross-worker.js";
import { JOB_BARS, RUN_JOB, type RunResult, resultOf, type SweepOrder, sweepOrder } from "./jobs-order.js";
import { chosenBy, symbolsOf } from "./order.js";
import { checkOrder, keepRun, type PerformParts, runCounted, trialRow } from "./perform.js";
import { hashed } from "./report-hash.js";
import { loadRun, type RunData } from "./series.js";
import { rateOf } from "./terms.js";
import { bestOf, type Tried, tryAll } from "./tries.js";

const CROSS = defineTask<CrossOrder, CrossValidated>(new URL("./cross-worker.js", import.meta.url));
/** Returns that a cross-validation has of all its trials. */
const CROSS_LIMIT = 20_000_000;
const TIMEOUT_MS = 2 * 3_600_000;

/** Tries many values of a strategy over one stretch; all of them are counted. */
export function createSweep(parts: PerformParts): JobKind<SweepOrder, null, RunResult> {
  return defineJob({
    ...RUN_JOB,
    kind: "backtest-sweep",
    summary: "Order that many parameters of a strategy are tried on the same bars",
    description:
      "On a grid, at random or by a Parzen estimator, within what the strategy says that its values must fulfil. " +
      "Every trial is counted as soon as it was made, and the best is told with what it is worth after them.",
    input: sweepOrder,
    timeoutMs: TIMEOUT_MS,
    check(order) {
      checkCandidates(chosenBy(order), order);
      return checkOrder(parts, order);
    },
    run: (order, context) => runSweep(parts, order, context),
  });
}

async function runSweep(
  parts: PerformParts,
  order: SweepOrder,
  context: JobContext<null>,
): Promise<RunResult> {
  const { signal, report, job } = context;
  const chosen = chosenBy(order);
  const data = await loadRun(parts, [chosen], symbolsOf(order), order, JOB_BARS);
  const candidates = createCandidates(chosen, order);
  requireRoom(order, data, candidates.most);
  let done = 0;
  report("trials", 0, candidates.most);
  const { strategy } = chosen;
  const tried = await tryAll(chosen, candidates, {
    workers: parts.workers,
    data,
    objective: order.objective,
    window: null,
    byBar: order.cross_validation !== undefined,
    signal,
    async onTried(some) {
      done += some.length;
      const rows = some.map(({ values, trial }) => trialRow({ strategy, values }, data, trial));
      await parts.ledger.record(job.userId, data, rows);
      report("trials", done, candidates.most);
    },
  });
  const best = bestOf(tried);
  if (best === null) throw new AppError("no_data", "None of the values that were tried came to a score");
  report("report", done, candidates.most);
  const crossed = await crossValidate(parts, order, tried, rateOf(data.terms), signal);
  const asked = { userId: job.userId, jobId: job.id, seed: order.seed, signal };
  const { found, report: chosenReport } = await runCounted(
    parts,
    { strategy, values: best.values },
    data,
    asked,
  );
  const trials = tried.map(({ values, trial, score }) => ({
    parameters: values,
    score,
    sharpe: trial.sample === null ? null : trial.sample.sharpe * Math.sqrt(data.terms.yearReturns),
    total_return: trial.totalReturn,
    trades: trial.trades,
  }));
  const { time, equity, benchmark } = found;
  const columns = { time, equity, benchmark };
  const { method, objective } = order;
  const full = hashed({ ...chosenReport, method, objective, trials, cross_validation: crossed }, columns);
  const run = { kind: "sweep", strategy: strategy.id, hash: full.hash, report: full } as const;
  const id = await keepRun(parts, { ...run, columns }, data, asked);
  return resultOf(id, full.hash, full);
}

/** @throws {AppError} `invalid_request` where returns of all trials by bar are more than a process should hold. */
function requireRoom({ cross_validation }: SweepOrder, { series }: RunData, trials: number): void {
  const bars = Math.max(...series.map(({ time }) => time.length));
  if (cross_validation === undefined || bars * trials <= CROSS_LIMIT) return;
  const detail = `body cross_validation: ${trials} trials of ${bars} bars are more than ${CROSS_LIMIT} returns; ask for fewer`;
  throw new AppError("invalid_request", detail);
}

/** What choosing the best would have come to on bars that it was not chosen by; null where it was not asked for. */
async function crossValidate(
  { workers }: PerformParts,
  { cross_validation: terms, objective }: SweepOrder,
  tried: readonly Tried[],
  dayRate: number,
  signal: AbortSignal,
) {
  if (terms === undefined) return null;
  const columns = tried.map(({ trial }) => trial.bars);
  const bars = columns[0].length;
  if (bars < terms.groups) throw new AppError("no_data", "There are fewer bars than groups");
  const folds = purgedFolds(bars, {
    groups: terms.groups,
    testGroups: terms.test_groups,
    purge: terms.purge_bars,
    embargo: terms.embargo_bars,
  });
  // Of a day's rate each of its bars has the same part, as many as there are on average.
  const rate = (dayRate * tried[0].trial.returns.length) / bars;
  const found = await workers.run(CROSS, { columns, folds, objective, rate }, { signal });
  const untrained = found.folds.filter(({ trainBars }) => trainBars === 0).length;
  return {
    ...terms,
    reason:
      untrained === 0
        ? null
        : `purge_bars and embargo_bars leave ${untrained} of ${found.folds.length} folds nothing to choose by`,
    folds: found.folds.map(({ chosen, trainScore, testScore, groups, trainBars }) => ({
      test_groups: groups,
      train_bars: trainBars,
      parameters: chosen === null ? null : tried[chosen].values,
      train_score: trainScore,
      test_score: testScore,
    })),
    paths: found.paths,
  };
}
