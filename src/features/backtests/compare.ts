import { AppError } from "../../platform/errors.js";
import { defineJob, type JobContext, type JobKind } from "../../platform/jobs.js";
import {
  type CompareOrder,
  compareOrder,
  JOB_BARS,
  RUN_JOB,
  type RunResult,
  resultOf,
} from "./jobs-order.js";
import type { Judged } from "./ledger.js";
import { chosenBy, symbolsOf } from "./order.js";
import { checkRun, keepRun, type PerformParts, permutationOf, runOnce, trialRow } from "./perform.js";
import { hashed } from "./report-hash.js";
import { reportView } from "./report-view.js";
import type { RunFound } from "./run-worker.js";
import { loadRun } from "./series.js";
import { rateOf } from "./terms.js";

const TIMEOUT_MS = 2 * 3_600_000;

/** Several strategies over the same bars under the same terms. */
export function createCompare(parts: PerformParts): JobKind<CompareOrder, null, RunResult> {
  return defineJob({
    ...RUN_JOB,
    kind: "backtest-compare",
    summary: "Order that several strategies are run over the same bars under the same terms",
    description: "All are counted as trials before any is judged. The report in full is that of the best.",
    input: compareOrder,
    timeoutMs: TIMEOUT_MS,
    async check(order) {
      await checkRun(parts, order.strategies.map(chosenBy), symbolsOf(order), order);
      return order;
    },
    run: (order, context) => runCompare(parts, order, context),
  });
}

async function runCompare(
  parts: PerformParts,
  order: CompareOrder,
  context: JobContext<null>,
): Promise<RunResult> {
  const { signal, report, job } = context;
  const all = order.strategies.map(chosenBy);
  const data = await loadRun(parts, all, symbolsOf(order), order, JOB_BARS);
  const asked = { userId: job.userId, jobId: job.id, seed: order.seed, signal };
  const found: RunFound[] = [];
  let datasetId = 0;
  for (const [i, chosen] of all.entries()) {
    report(chosen.strategy.id, i, all.length);
    const each = await runOnce(parts, chosen, data, asked);
    found.push(each);
    datasetId = await parts.ledger.record(job.userId, data, [trialRow(chosen, data, each.trial)]);
  }
  const judged: Judged[] = [];
  for (const [i, each] of found.entries()) {
    const { sample, returns } = each.trial;
    const permutation = await permutationOf(parts, all[i], data, each, asked);
    judged.push({ sample, rate: rateOf(data.terms), days: returns.length, permutation });
  }
  const overfitting = await parts.ledger.judgeAll(datasetId, judged, signal);
  const reports = found.map((each, i) => reportView(all[i], data, each, overfitting[i]));
  const best = bestPlace(found);
  const rows = reports.map(({ strategy, run_hash, figures, fills, overfitting }, i) => {
    const named = new Map(figures.map(({ name, value }) => [name, value]));
    return {
      ...strategy,
      run_hash,
      total_return: named.get("total_return") ?? null,
      annual_return: named.get("annual_return") ?? null,
      sharpe: named.get("sharpe") ?? null,
      max_drawdown: named.get("max_drawdown") ?? null,
      trades: named.get("trades") ?? null,
      pessimistic_return: fills.pessimistic.total_return,
      optimistic_return: fills.optimistic.total_return,
      overfitting,
      is_best: i === best,
    };
  });
  const { time, equity, benchmark } = found[best];
  const columns = { time, equity, benchmark };
  const full = hashed({ ...reports[best], compared: rows }, columns);
  const run = { kind: "compare", strategy: all[best].strategy.id, hash: full.hash, report: full } as const;
  const id = await keepRun(parts, { ...run, columns }, data, asked);
  return resultOf(id, full.hash, full);
}

/** The highest Sharpe ratio; those without one come last. */
function bestPlace(found: readonly RunFound[]): number {
  if (found.length === 0) throw new AppError("invalid_request", "body strategies: lists nothing");
  const score = ({ trial }: RunFound) => trial.sample?.sharpe ?? Number.NEGATIVE_INFINITY;
  let best = 0;
  for (const [i, each] of found.entries()) if (score(each) > score(found[best])) best = i;
  return best;
}
