import type { BarRange, PurgedFolds } from "../../core/backtest/folds.js";
import { sharpeSample } from "../../core/backtest/overfitting.js";
import type { Objective } from "./jobs-order.js";

export interface CrossOrder {
  /** Returns of each trial bar by bar, columns of one length. */
  readonly columns: readonly Float64Array[];
  readonly folds: PurgedFolds;
  readonly objective: Objective;
  /** Return of a bar without risk, beyond which Sharpe ratios are. */
  readonly rate: number;
}

export interface CrossValidated {
  readonly folds: readonly {
    readonly groups: readonly number[];
    /** Bars that are left to choose by. */
    readonly trainBars: number;
    /** The trial that was best on the training bars; null where none has a score. */
    readonly chosen: number | null;
    readonly trainScore: number | null;
    readonly testScore: number | null;
  }[];
  /** Each has every bar tested once, by the choice of one of the folds; null where one of them had no bar to choose by. */
  readonly paths: readonly { readonly score: number | null; readonly total_return: number | null }[];
}

/** Chooses by the training bars of each fold and tells what it came to on the tested ones, in a thread. */
export default function crossValidate({ columns, folds, objective, rate }: CrossOrder): CrossValidated {
  /** Sharpe ratio by bar, or what the returns chain to; null of none. */
  function scoreOf(returns: Float64Array): number | null {
    if (returns.length === 0) return null;
    return objective === "sharpe" ? (sharpeSample(returns, rate)?.sharpe ?? null) : grown(returns);
  }

  const bars = columns[0].length;
  const groups = folds.paths[0].length;
  const chosen = folds.folds.map((fold) => {
    let best: { at: number; score: number } | null = null;
    for (const [at, column] of columns.entries()) {
      const score = scoreOf(joined(column, fold.train));
      if (score !== null && score > (best?.score ?? Number.NEGATIVE_INFINITY)) best = { at, score };
    }
    return {
      groups: fold.groups,
      trainBars: fold.train.reduce((sum, { from, to }) => sum + to - from, 0),
      chosen: best?.at ?? null,
      trainScore: best?.score ?? null,
      testScore: best === null ? null : scoreOf(joined(columns[best.at], fold.test)),
    };
  });
  const paths = folds.paths.map((path) => {
    if (path.some((fold) => chosen[fold].trainBars === 0)) return { score: null, total_return: null };
    const parts = path.map((fold, group) => {
      const from = Math.floor((group * bars) / groups);
      const to = Math.floor(((group + 1) * bars) / groups);
      const at = chosen[fold].chosen;
      return at === null ? new Float64Array(to - from) : columns[at].subarray(from, to);
    });
    const returns = concat(parts);
    return { score: scoreOf(returns), total_return: grown(returns) };
  });
  return { folds: chosen, paths };
}

function joined(column: Float64Array, ranges: readonly BarRange[]): Float64Array {
  return concat(ranges.map(({ from, to }) => column.subarray(from, to)));
}

function concat(parts: readonly Float64Array[]): Float64Array {
  const all = new Float64Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

function grown(returns: Float64Array): number {
  return returns.reduce((level, each) => level * (1 + each), 1) - 1;
}
