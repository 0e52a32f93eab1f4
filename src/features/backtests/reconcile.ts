import { AppError } from "../../platform/errors.js";
import { defineJob, type JobContext, type JobKind } from "../../platform/jobs.js";
import { defineTask } from "../../platform/workers.js";
import { splitsOf } from "./corporate-actions.js";
import {
  JOB_BARS,
  type ReconcileOrder,
  RUN_JOB,
  type RunResult,
  reconcileOrder,
  resultOf,
} from "./jobs-order.js";
import { runSeriesOf } from "./listings.js";
import type { Chosen } from "./order.js";
import type { PaperReader } from "./paper-record.js";
import { keepRun, type PerformParts, trialRow } from "./perform.js";
import {
  checkReconcileOrder,
  datedOrder,
  keptRun,
  paysAsAccount,
  type ReconcileSource,
  sourceOfKept,
  sourceOfOrder,
  stretchOfKept,
  windowOf,
} from "./reconcile-source.js";
import { costsView, reconciliationView } from "./reconcile-view.js";
import type { ReconcileFound, ReconcileTask } from "./reconcile-worker.js";
import { hashed } from "./report-hash.js";
import { chosenView, headView } from "./report-view.js";
import type { RunData } from "./series.js";
import type { TrialRow } from "./store.js";
import { stretchOf } from "./stretch.js";

const TIMEOUT_MS = 2 * 3_600_000;
const RECONCILE = defineTask<ReconcileTask, ReconcileFound>(
  new URL("./reconcile-worker.js", import.meta.url),
);

export interface ReconcileParts extends PerformParts {
  readonly paper: PaperReader;
}

/** A backtest beside a paper account over the same stretch, each trade that differs with its named cause. */
export function createReconcile(parts: ReconcileParts): JobKind<ReconcileOrder, null, RunResult> {
  return defineJob({
    ...RUN_JOB,
    kind: "backtest-reconcile",
    summary: "Order that a backtest is held against a paper account, trade by trade, with named causes",
    description:
      `Of at most ${JOB_BARS} bars. Trades are compared as they stood at the end of the window, open ones at its last ` +
      "close. What causes explain sums to the difference of the two results.",
    input: reconcileOrder,
    timeoutMs: TIMEOUT_MS,
    async check(order, userId) {
      const dated = datedOrder(order);
      const account = await parts.paper.find(userId, order.account_id);
      const whole =
        dated === null
          ? await stretchOfKept(parts, (await keptRun(parts, userId, order.run_id ?? 0)).report)
          : await checkReconcileOrder(parts, dated);
      windowOf(order, whole);
      return { ...order, account_id: account.id };
    },
    run: (order, context) => runReconcile(parts, order, context),
  });
}

async function runReconcile(
  parts: ReconcileParts,
  order: ReconcileOrder,
  context: JobContext<null>,
): Promise<RunResult> {
  const { signal, report, job } = context;
  report("bars", 0, 1);
  const { source, whole } = await sourceOf(parts, order, job.userId);
  const window = windowOf(order, whole);
  const { id } = await parts.paper.find(job.userId, order.account_id);
  const paper = await parts.paper.read(job.userId, id);
  requireCurrency(paper.account.currency, source.tries[0]);
  report("backtest", 0, 1);
  const asked = {
    window,
    paper,
    tolerance: order.tolerance_bars,
    onlyStrategy: order.only_strategy,
    accountCosts: paysAsAccount(order),
  };
  const { data, done } = await firstThatIs(parts, source, asked, signal);
  const { chosen, kept } = source;
  const by = { userId: job.userId, jobId: job.id, seed: 1 };
  // A run that is kept was counted when it was made.
  const { account, costs } = paper;
  if (kept === null) await parts.ledger.record(job.userId, data, [trialOfRun(chosen, data, done, asked)]);
  const view = reconciliationView(done.found, { ...asked, account, costs });
  const told = {
    strategy: chosenView(chosen),
    ...headOf(data, asked),
    run_hash: done.hash,
    changed_bars: [...source.changed.values()].reduce(
      (sum, bars) => sum + new Set(bars.map(({ bar }) => bar)).size,
      0,
    ),
    ...view,
  };
  const { hash } = hashed(told);
  const full = { ...told, hash, backtest_id: kept?.id ?? null };
  const run = { kind: "reconcile", strategy: chosen.strategy.id, hash, report: full, columns: null } as const;
  const runId = await keepRun(parts, run, data, by);
  return resultOf(runId, hash, full);
}

/** A trial with the costs that it was run under. */
function trialOfRun(
  chosen: Chosen,
  data: RunData,
  { trial }: ReconcileFound,
  { accountCosts, paper }: Pick<ReconcileTask, "accountCosts" | "paper">,
): TrialRow {
  const row = trialRow(chosen, data, trial);
  return accountCosts ? { ...row, rules: `${row.rules} ${JSON.stringify(paper.costs)}` } : row;
}

function headOf(data: RunData, { accountCosts, paper }: Pick<ReconcileTask, "accountCosts" | "paper">) {
  const head = headView(data);
  const costs = accountCosts ? costsView(paper.costs) : head.terms.costs;
  return { ...head, terms: { ...head.terms, costs, costs_of: accountCosts ? "account" : "order" } };
}

async function sourceOf(parts: ReconcileParts, order: ReconcileOrder, userId: string) {
  const dated = datedOrder(order);
  if (dated !== null) {
    return { source: await sourceOfOrder(parts, dated), whole: stretchOf(dated, parts.now()) };
  }
  const kept = await keptRun(parts, userId, order.run_id ?? 0);
  return { source: await sourceOfKept(parts, kept), whole: await stretchOfKept(parts, kept.report) };
}

/**
 * Runs a backtest, a kept one on the bars it saw.
 * @throws {AppError} `conflict` for a kept one that comes out otherwise on these bars and on those of now.
 */
async function firstThatIs(
  { workers }: ReconcileParts,
  { chosen, tries, kept, changed }: ReconcileSource,
  asked: Pick<ReconcileTask, "window" | "paper" | "tolerance" | "onlyStrategy" | "accountCosts">,
  signal: AbortSignal,
): Promise<{ data: RunData; done: ReconcileFound }> {
  const { strategy, values } = chosen;
  for (const data of tries) {
    const { terms, sets } = data;
    const splits = new Map(sets.map((set) => [set.candles.symbol, splitsOf(set)]));
    const task = { strategyId: strategy.id, values, ...runSeriesOf(data), terms, splits, changed, ...asked };
    const done = await workers.run(RECONCILE, task, { signal });
    if (kept === null || done.hash === kept.hash) return { data, done };
  }
  throw new AppError(
    "conflict",
    `Backtest ${kept?.id} comes out otherwise when it is run again: its bars or its strategy have changed; give its order instead`,
  );
}

/** @throws {AppError} `invalid_request` where the account cannot have traded the symbols. */
function requireCurrency(currency: string, { terms }: RunData): void {
  if (currency === terms.currency) return;
  const detail = `body account_id: the account is kept in ${currency}, and the symbols trade in ${terms.currency}`;
  throw new AppError("invalid_request", detail);
}
