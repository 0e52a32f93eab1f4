import type { Fold } from "../../core/backtest/folds.js";
import { sharpeSample } from "../../core/backtest/overfitting.js";
import { sketchOf } from "../../core/backtest/trials.js";
import { sliceCandles } from "../../core/market/candles.js";
import type { Figure } from "../../core/performance/figure.js";
import { sliceFacts } from "../../core/strategies/facts.js";
import type { Values } from "../../core/strategies/parameters.js";
import { defineJob, type JobContext, type JobKind } from "../../platform/jobs.js";
import { defineTask } from "../../platform/workers.js";
import { checkCandidates, createCandidates } from "./candidates.js";
import type { FoldFound, FoldOrder } from "./fold-worker.js";
import {
  JOB_BARS,
  RUN_JOB,
  type RunResult,
  resultOf,
  type WalkForwardOrder,
  walkForwardOrder,
} from "./jobs-order.js";
import { runSeriesOf } from "./listings.js";
import { type Chosen, chosenBy, symbolsOf } from "./order.js";
import { joinTests } from "./outside.js";
import { type Asked, checkOrder, digestOf, keepRun, type PerformParts, trialRow } from "./perform.js";
import { growthOf, PERMUTED_BARS, type PermutedRun, permutedP } from "./permuted.js";
import { hashed } from "./report-hash.js";
import { reportView } from "./report-view.js";
import { hashOfSeries, loadRun, mostBars, type RunData } from "./series.js";
import { stitchTests } from "./stitch.js";
import { dayOf, rateOf, rulesText } from "./terms.js";
import { bestOf, tryAll } from "./tries.js";
import { plainWalk } from "./walk-order.js";
import { degradationView, foldView, outsideView } from "./walk-view.js";
import { foldsOf, requireFold, untestedNotes, type Walked } from "./walked.js";

const TEST = defineTask<FoldOrder, FoldFound>(new URL("./fold-worker.js", import.meta.url));
const TIMEOUT_MS = 4 * 3_600_000;
/** What is said of every such report. */
const STITCHED =
  "each test begins with the initial capital, as its trades are listed; equity, figures and bounds are of the tests one after another";

/** Chooses values on one window after another, and tries each choice on the bars that follow. */
export function createWalkForward(parts: PerformParts): JobKind<WalkForwardOrder, null, RunResult> {
  return defineJob({
    ...RUN_JOB,
    kind: "backtest-walk-forward",
    summary: "Order a walk-forward: values chosen in each training window, tried on the bars after it",
    description:
      "Windows roll, or are anchored at the first bar. Nothing of a test is known to the choice, and what is told of " +
      "the whole is of the tests alone. Of one symbol, or of several with the same bars.",
    input: walkForwardOrder,
    timeoutMs: TIMEOUT_MS,
    check(asked) {
      const order = plainWalk(parts, asked);
      checkCandidates(chosenBy(order), order);
      requireFold(order, mostBars(parts, symbolsOf(order), order, JOB_BARS));
      return checkOrder(parts, order);
    },
    run: (order, context) => runWalkForward(parts, plainWalk(parts, order), context),
  });
}

async function runWalkForward(
  parts: PerformParts,
  order: WalkForwardOrder,
  context: JobContext<null>,
): Promise<RunResult> {
  const { signal, report, job } = context;
  const chosen = chosenBy(order);
  const data = await loadRun(parts, [chosen], symbolsOf(order), order, JOB_BARS);
  const folds = foldsOf(data.series, order);
  const walked: Walked[] = [];
  for (const [i, fold] of folds.entries()) {
    report(`fold ${i + 1} of ${folds.length}`, i, folds.length);
    walked.push(await walkFold(parts, chosen, data, order, fold, { userId: job.userId, signal }));
  }
  report("report", folds.length, folds.length);
  const asked = { userId: job.userId, jobId: job.id, seed: order.seed, signal };
  return finish(parts, chosen, data, order, walked, asked);
}

async function walkFold(
  { workers, ledger }: PerformParts,
  chosen: Chosen,
  data: RunData,
  order: WalkForwardOrder,
  fold: Fold,
  { userId, signal }: { readonly userId: string; readonly signal: AbortSignal },
): Promise<Walked> {
  const { strategy } = chosen;
  const [train] = fold.train;
  const [test] = fold.test;
  const candidates = createCandidates(chosen, order);
  const tries = { workers, data, objective: order.objective, window: train, byBar: false, signal };
  const series = data.series.map((candles) => sliceCandles(candles, train.from, train.to));
  const known = data.facts.map((facts) => sliceFacts(facts, train.to, train.from));
  const trained = { ...data, series, facts: known, sha256: hashOfSeries(series, known) };
  const tried = await tryAll(chosen, candidates, {
    ...tries,
    async onTried(some) {
      const rows = some.map(({ values, trial }) => trialRow({ strategy, values }, trained, trial));
      await ledger.record(userId, trained, rows);
    },
  });
  const best = bestOf(tried);
  const returns = tried.map(({ trial }) => trial.returns);
  if (best === null) return { fold, best, trained: returns, tested: null };
  const testing = { strategyId: strategy.id, values: best.values, ...runSeriesOf(data), terms: data.terms };
  const tested = await workers.run(TEST, { ...testing, window: test }, { signal });
  return { fold, best, trained: returns, tested };
}

/** What the tests come to one after another, counted as a trial of its own on the whole. */
async function finish(
  parts: PerformParts,
  chosen: Chosen,
  data: RunData,
  order: WalkForwardOrder,
  walked: readonly Walked[],
  asked: Asked,
): Promise<RunResult> {
  const tests = walked.map(({ fold, tested }) => ({ from: fold.test[0].from, bars: tested?.bars ?? null }));
  const outside = joinTests(tests, order.test_bars, data.series[0].time, dayOf(data.terms));
  const rate = rateOf(data.terms);
  const sample = sharpeSample(outside.daily, rate);
  const datasetId = await parts.ledger.record(asked.userId, data, [
    {
      strategy: `walk_forward:${chosen.strategy.id}`,
      values: settingsOf(chosen, order),
      rules: rulesText(data.terms),
      sample: sharpeSample(outside.daily),
      totalReturn: outside.totalReturn,
      returns: outside.daily,
      sketch: sketchOf(outside.day, outside.daily),
    },
  ]);
  const judged = {
    sample,
    rate,
    days: outside.daily.length,
    permutation: await permutedTests(parts, chosen, data, walked, asked),
    sets: walked.map(({ trained }) => equalOnes(trained)),
  };
  const overfitting = await parts.ledger.judge(datasetId, judged, asked.signal);
  const { time } = data.series[0];
  const folds = walked.map((each, place) => foldView(each, place, time, order));
  const done = digestOf([chosen.strategy.id, folds, Array.from(outside.bars)]);
  const { found, columns } = await stitchTests(parts, data, walked, outside, asked.signal);
  const untested = untestedNotes(
    walked.map(({ fold }) => fold),
    time,
  );
  const noted = { ...data, notes: [...data.notes, ...untested, STITCHED] };
  const oos = outsideView(outside, sample, folds, data.terms);
  const told = {
    ...reportView(chosen, noted, { ...found, hash: done }, overfitting),
    mode: order.mode,
    method: order.method,
    objective: order.objective === "sharpe" ? "Sharpe ratio by day" : "return",
    folds,
    out_of_sample: oos,
    oos,
    ...degradationView(walked, order, outside, sample?.sharpe ?? null),
  };
  const report = hashed(told, columns);
  const { hash } = report;
  const run = { kind: "walk-forward", strategy: chosen.strategy.id, hash, report } as const;
  const id = await keepRun(parts, { ...run, columns }, data, asked);
  return resultOf(id, hash, report);
}

/** Those of the length of the first: an account that was lost has fewer days. */
function equalOnes(columns: readonly Float64Array[]): Float64Array[] {
  return columns.filter(({ length }) => length === columns[0].length);
}

/**
 * The choices of all folds on their tests, whose bars alone are permuted: what was chosen before knows nothing of their
 * order, so that it is not chosen anew.
 */
function permutedTests(
  { workers }: PerformParts,
  chosen: Chosen,
  data: RunData,
  walked: readonly Walked[],
  { seed, signal }: Asked,
): Promise<Figure> {
  const [runs, growths]: [PermutedRun[], number[]] = [[], []];
  let trades = 0;
  for (const { fold, best, tested } of walked) {
    if (best === null || tested === null || tested.totalReturn === null) continue;
    const [{ from, to }] = fold.test;
    const series = data.series.map((candles) => sliceCandles(candles, 0, to));
    const choice = { strategy: chosen.strategy, values: best.values };
    runs.push({ chosen: choice, data: { ...data, series }, start: from, onDesk: tested.onDesk });
    growths.push(growthOf(tested.totalReturn));
    trades += tested.trades + tested.open;
  }
  const growth = growths.reduce((sum, each) => sum + each, 0);
  return permutedP(runs, growth, trades, { workers, seed, most: PERMUTED_BARS.job, signal });
}

/** Everything that the tests depend on, so that another search is another trial. */
function settingsOf({ values }: Chosen, order: WalkForwardOrder): Values {
  const { mode, train_bars, test_bars, step_bars = 0, embargo_bars, method, trials, objective, seed } = order;
  const space = order.space === undefined ? "all" : JSON.stringify(order.space);
  return {
    ...values,
    mode,
    train_bars,
    test_bars,
    step_bars,
    embargo_bars,
    method,
    trials,
    objective,
    seed,
    space,
  };
}
