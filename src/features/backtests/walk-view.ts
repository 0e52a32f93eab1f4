import type { SharpeSample } from "../../core/backtest/overfitting.js";
import { isoTime } from "../../platform/http.js";
import type { WalkForwardOrder } from "./jobs-order.js";
import { degradationOf, type Outside } from "./outside.js";
import type { RunTerms } from "./terms.js";
import { scoreOf } from "./tries.js";
import type { Walked } from "./walked.js";

/** A fold as it is told. Money in the account's currency. */
export function foldView(
  { fold, best, tested }: Walked,
  place: number,
  time: Float64Array,
  { objective }: WalkForwardOrder,
) {
  const [train] = fold.train;
  const [test] = fold.test;
  const told = {
    fold: place + 1,
    train: { start: isoTime(time[train.from]), end: isoTime(time[train.to - 1]) },
    test: { start: isoTime(time[test.from]), end: isoTime(time[test.to - 1]) },
    parameters: best?.values ?? null,
    train_score: best?.score ?? null,
    train_return: best?.trial.totalReturn ?? null,
    test_score: tested === null ? null : (scoreOf(tested, objective) ?? 0),
    test_return: tested?.totalReturn ?? null,
    test_trades: tested === null ? 0 : tested.trades + tested.open,
    test_trades_open: tested?.open ?? 0,
    fills: tested === null ? null : foldFills(tested),
  };
  const { train_score, train_return, test_score, test_return, test_trades } = told;
  // The words of existing clients.
  const metrics = { train_score, train_return, test_score, test_return, test_trades };
  return { ...told, params: told.parameters, metrics };
}

export type FoldView = ReturnType<typeof foldView>;

function foldFills({ bounds, told }: NonNullable<Walked["tested"]>) {
  return {
    pessimistic: bounds.pessimistic / 1e6,
    headline: bounds.equity / 1e6,
    optimistic: bounds.optimistic / 1e6,
    ambiguous_trades: told.filter(({ ambiguous }) => ambiguous).length,
  };
}

/** How much of what choices had in training was left in the tests. @param sharpe of the tests by day; null where they do not vary. */
export function degradationView(
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

/** What the tests come to, one after another. */
export function outsideView(
  { time, bars, totalReturn }: Outside,
  sample: SharpeSample | null,
  folds: readonly FoldView[],
  { yearReturns }: Pick<RunTerms, "yearReturns">,
) {
  return {
    start: isoTime(time[0]),
    end: isoTime(time[time.length - 1]),
    bars: bars.length,
    total_return: totalReturn,
    sharpe: sample === null ? null : sample.sharpe * Math.sqrt(yearReturns),
    trades: folds.reduce((sum, { test_trades }) => sum + test_trades, 0),
    folds_that_gained: folds.filter(({ test_return }) => (test_return ?? 0) > 0).length,
  };
}
