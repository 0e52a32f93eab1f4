import { type Fold, walkForwardFolds } from "../../core/backtest/folds.js";
import { sharpeSample } from "../../core/backtest/overfitting.js";
import { sketchOf } from "../../core/backtest/trials.js";
import { sliceCandles } from "../../core/market/candles.js";
import type { Figure } from "../../core/performance/figure.js";
import { sliceFacts } from "../../core/strategies/facts.js";
import type { Values } from "../../core/strategies/parameters.js";
import { AppError } from "../../platform/errors.js";
import { isoTime } from "../../platform/http.js";
import { defineJob, type JobContext, type JobKind } from "../../platform/jobs.js";
import { checkCandidates, createCandidates } from "./candidates.js";
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
import { degradationOf, joinTests, type Outside } from "./outside.js";
import { type Asked, checkOrder, keepRun, type PerformParts, trialRow } from "./perform.js";
import { growthOf, PERMUTED_BARS, type PermutedRun, permutedP } from "./permuted.js";
import { hashed } from "./report-hash.js";
import { chosenView, headView } from "./report-view.js";
import { hashOfSeries, loadRun, type RunData } from "./series.js";
import { dayOf, rateOf, rulesText } from "./terms.js";
import type { TrialOfPoint } from "./trials-worker.js";
import { bestOf, scoreOf, TRY, type Tried, tryAll } from "./tries.js";

const TIMEOUT_MS = 4 * 3_600_000;

/** A fold, what was chosen on its training bars alone, and what that came to on the bars after them. */
interface Walked {
  readonly fold: Fold;
  readonly best: Tried | null;
  /** Returns by day of all that was tried on the training bars. */
  readonly trained: readonly Float64Array[];
  readonly tested: TrialOfPoint | null;
}

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
    check(order) {
      checkCandidates(chosenBy(order), order);
      return checkOrder(parts, order);
    },
    run: (order, context) => runWalkForward(parts, order, context),
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
  const folds = foldsOf(data, order);
  const walked: Walked[] = [];
  for (const [i, fold] of folds.entries()) {
    report(`fold ${i + 1} of ${folds.length}`, i, folds.length);
    walked.push(await walkFold(parts, chosen, data, order, fold, { userId: job.userId, signal }));
  }
  report("report", folds.length, folds.length);
  const asked = { userId: job.userId, jobId: job.id, seed: order.seed, signal };
  return finish(parts, chosen, data, order, walked, asked);
}

/** @throws {AppError} `invalid_request` where no fold fits, or symbols have other bars than the first. */
function foldsOf({ series }: RunData, order: WalkForwardOrder): Fold[] {
  const [{ time }] = series;
  if (series.some((each) => each.time.length !== time.length || each.time[0] !== time[0])) {
    throw new AppError("invalid_request", "body symbols: a walk-forward needs the same bars of all of them");
  }
  const { mode, train_bars: train, test_bars: test, step_bars, embargo_bars: embargo } = order;
  const step = step_bars ?? test;
  const folds = walkForwardFolds(time.length, { mode, train, test, step, embargo });
  if (folds.length === 0) {
    const detail = `body train_bars: ${train} and ${test} more are not within the ${time.length} bars of the stretch`;
    throw new AppError("invalid_request", detail);
  }
  return folds.slice(-order.folds);
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
  const points = [best.values];
  const testing = {
    strategyId: strategy.id,
    points,
    ...runSeriesOf(data),
    terms: data.terms,
    window: test,
    byBar: true,
  };
  const [tested] = await workers.run(TRY, testing, { signal });
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
  const time = data.series[0].time;
  const folds = walked.map((each) => foldView(each, time, order));
  const yearly = Math.sqrt(data.terms.yearReturns);
  const columns = columnsOf(outside, data);
  const told = {
    strategy: chosenView(chosen),
    ...headView(data),
    mode: order.mode,
    method: order.method,
    objective: order.objective === "sharpe" ? "Sharpe ratio by day" : "return",
    folds,
    out_of_sample: {
      bars: outside.bars.length,
      total_return: outside.totalReturn,
      sharpe: sample === null ? null : sample.sharpe * yearly,
      trades: folds.reduce((sum, { test_trades }) => sum + test_trades, 0),
      folds_that_gained: folds.filter(({ test_return }) => (test_return ?? 0) > 0).length,
    },
    ...degradationView(walked, order, outside, sample?.sharpe ?? null),
    overfitting,
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

function columnsOf({ time, growth }: Outside, { series, terms }: RunData) {
  const [candles] = series;
  const from = candles.time.indexOf(time[0]);
  const held = time.map((at) => candles.close[candles.time.indexOf(at)] / candles.open[from]);
  return {
    time,
    equity: growth.map((each) => each * terms.capital),
    benchmark: held.map((each) => each * terms.capital),
  };
}

function foldView({ fold, best, tested }: Walked, time: Float64Array, { objective }: WalkForwardOrder) {
  const [train] = fold.train;
  const [test] = fold.test;
  return {
    train: { start: isoTime(time[train.from]), end: isoTime(time[train.to - 1]) },
    test: { start: isoTime(time[test.from]), end: isoTime(time[test.to - 1]) },
    parameters: best?.values ?? null,
    train_score: best?.score ?? null,
    train_return: best?.trial.totalReturn ?? null,
    test_score: tested === null ? null : (scoreOf(tested, objective) ?? 0),
    test_return: tested?.totalReturn ?? null,
    test_trades: tested === null ? 0 : tested.trades + tested.open,
    test_trades_open: tested?.open ?? 0,
  };
}

function degradationView(
  walked: readonly Walked[],
  order: WalkForwardOrder,
  outside: Outside,
  sharpe: number | null,
) {
  const folds = walked.map(
    ({
      fold: {
        train: [train],
      },
      best,
    }) => ({
      trainScore: best?.score ?? null,
      trainReturn: best?.trial.totalReturn ?? null,
      trainBars: train.to - train.from,
    }),
  );
  const found = degradationOf(order.objective, folds, outside, sharpe);
  return {
    in_sample_score: found.inSample,
    out_of_sample_score: found.outOfSample,
    is_vs_oos_degradation: found.degradation,
  };
}
