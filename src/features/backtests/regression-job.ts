import { join } from "node:path";
import { regressionPassed } from "../../core/backtest/regression.js";
import { regressionText } from "../../core/backtest/regression-summary.js";
import type { SignalSnapshot } from "../../core/backtest/snapshot.js";
import { AppError } from "../../platform/errors.js";
import { instantText, isoTime } from "../../platform/http.js";
import { defineJob, type JobContext, type JobKind } from "../../platform/jobs.js";
import { defineTask } from "../../platform/workers.js";
import { strategyIdText } from "./baseline-file.js";
import { type RegressionOrder, RUN_JOB, type RunResult, regressionOrder, resultOf } from "./jobs-order.js";
import { digestOf, type PerformParts } from "./perform.js";
import { createRegressionSource, REGRESSION_MARKETS } from "./regression-source.js";
import type { RegressionTask, RegressionTaskResult } from "./regression-worker.js";
import { reportHash } from "./report-hash.js";

const REGRESS = defineTask<RegressionTask, RegressionTaskResult>(
  new URL("./regression-worker.js", import.meta.url),
);
const TIMEOUT_MS = 3_600_000;
const YEARS_LIMIT_MS = 20 * 366 * 86_400_000;
/** Signals of a kind that are listed for a strategy; all are counted. */
const LISTED = 50;

export interface RegressionParts extends Pick<PerformParts, "workers" | "runs"> {
  /** Where baselines are kept, in a folder for each user; and where those are that come with the program. */
  readonly folder: string;
  readonly committed: string;
}

/** The regression suite over generated bars: whether strategies still say what they said. */
export function createRegressionJob(parts: RegressionParts): JobKind<RegressionOrder, null, RunResult> {
  return defineJob({
    ...RUN_JOB,
    kind: "backtest-regression",
    summary:
      "Order that the signals of strategies are kept as baselines, or compared with those that were kept",
    description:
      "Over generated bars that are always the same, against the caller's own baselines or those that come with the program. Missing and extra signals, confidences that moved, and a strategy " +
      "without a baseline or with an empty one fail.",
    input: regressionOrder,
    timeoutMs: TIMEOUT_MS,
    check(order) {
      scopeOf(order);
      return order;
    },
    run: (order, context) => runRegression(parts, order, context),
  });
}

/** @throws {AppError} `invalid_request` for a stretch that is none, `strategy_unknown`. */
function scopeOf({ start, end, strategies }: RegressionOrder) {
  const [startMs, endMs] = [instantText.parse(start), instantText.parse(end)];
  if (startMs >= endMs) throw new AppError("invalid_request", "body start: must lie before end");
  if (endMs - startMs > YEARS_LIMIT_MS)
    throw new AppError("invalid_request", "body end: is more than 20 years after");
  const known = createRegressionSource().strategies;
  const unknown = strategies?.find((id) => !strategyIdText.safeParse(id).success || !known.includes(id));
  if (unknown !== undefined)
    throw new AppError("strategy_unknown", `There is no strategy ${unknown} to be compared`);
  return { startMs, endMs, strategies: strategies ?? null };
}

async function runRegression(
  { workers, runs, folder, committed }: RegressionParts,
  order: RegressionOrder,
  { signal, report, job }: JobContext<null>,
): Promise<RunResult> {
  const scope = scopeOf(order);
  report(order.mode, 0, 1);
  // A user's own: nobody's baselines are written over by another's.
  const own = join(folder, digestOf(job.userId));
  const where = order.against === "committed" ? committed : own;
  const task = { mode: order.mode, folder: where, scope, tolerance: order.tolerance };
  const { recorded, results } = await workers.run(REGRESS, task, { signal });
  report(order.mode, 1, 1);
  const passed =
    order.mode === "baseline" ? recorded.every(({ problem }) => problem === null) : regressionPassed(results);
  const full = {
    mode: order.mode,
    against: order.against,
    period: { start: isoTime(scope.startMs), end: isoTime(scope.endMs) },
    tolerance: order.tolerance,
    passed,
    summary: order.mode === "baseline" ? null : regressionText(results, order.tolerance),
    recorded: recorded.map(({ strategyId, signals, problem }) => ({
      strategy: strategyId,
      signals,
      problem,
    })),
    results: results.map((each) => ({
      strategy: each.strategyId,
      passed: each.passed,
      failures: each.failures,
      note: each.note,
      baseline: each.baseline,
      current: each.current,
      matched: each.matched,
      missing_signals: each.missing.length,
      missing: each.missing.slice(0, LISTED).map(signalView),
      extra_signals: each.extra.length,
      extra: each.extra.slice(0, LISTED).map(signalView),
      drifts: each.drifts
        .slice(0, LISTED)
        .map(({ signal: at, from, to }) => ({ ...signalView(at), from, to })),
      largest_drift: each.largestDrift,
    })),
  };
  // Of lists that are cut short the whole is in it.
  const hash = reportHash({ ...full, whole: [recorded, results] });
  const id = await runs.save({
    userId: job.userId,
    jobId: job.id,
    kind: "regression",
    strategy: order.strategies?.join(",") ?? "standard",
    symbols: REGRESSION_MARKETS.symbols,
    interval: REGRESSION_MARKETS.interval,
    synthetic: true,
    hash,
    report: full,
    columns: null,
  });
  return resultOf(id, hash, full);
}

function signalView({ symbol, interval, time, side, entry, asked, confidence }: SignalSnapshot) {
  return { symbol, interval, time: isoTime(time), side, entry, ...asked, confidence };
}
