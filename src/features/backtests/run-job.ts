import { defineJob, type JobContext, type JobKind } from "../../platform/jobs.js";
import { JOB_BARS, RUN_JOB, type RunJobOrder, type RunResult, resultOf, runJobOrder } from "./jobs-order.js";
import { chosenBy, symbolsOf } from "./order.js";
import { checkOrder, keepRun, type PerformParts, runCounted } from "./perform.js";
import { hashed } from "./report-hash.js";
import { loadRun } from "./series.js";
import { stressRun } from "./stress.js";

const TIMEOUT_MS = 2 * 3_600_000;

/** A backtest of any size, with what its result is worth beside other bars, other costs and chance. */
export function createRunJob(parts: PerformParts): JobKind<RunJobOrder, null, RunResult> {
  return defineJob({
    ...RUN_JOB,
    kind: "backtest",
    summary: "Order a backtest of any size, and of what its result is worth beside chance",
    description:
      `Of at most ${JOB_BARS} bars. With it come other draws of its trades, runs over bars drawn in blocks, entries at ` +
      "random times, and other costs.",
    input: runJobOrder,
    timeoutMs: TIMEOUT_MS,
    check: (order) => checkOrder(parts, order),
    run: (order, context) => runJob(parts, order, context),
  });
}

async function runJob(
  parts: PerformParts,
  order: RunJobOrder,
  context: JobContext<null>,
): Promise<RunResult> {
  const { signal, report, job } = context;
  const chosen = chosenBy(order);
  report("bars", 0, 1);
  const data = await loadRun(parts, [chosen], symbolsOf(order), order, JOB_BARS);
  const asked = { userId: job.userId, jobId: job.id, seed: order.seed, signal };
  report("backtest", 0, 1);
  const { found, report: told } = await runCounted(parts, chosen, data, asked);
  const { workers } = parts;
  const stress = await stressRun({ workers, signal, report }, chosen, data, found, order);
  const { time, equity, benchmark } = found;
  const columns = { time, equity, benchmark };
  const full = hashed({ ...told, stress }, columns);
  const run = { kind: "backtest", strategy: chosen.strategy.id, hash: full.hash, report: full } as const;
  const id = await keepRun(parts, { ...run, columns }, data, asked);
  return resultOf(id, full.hash, full);
}
