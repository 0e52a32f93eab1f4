import { type Fold, walkForwardFolds } from "../../core/backtest/folds.js";
import type { Candles } from "../../core/market/candles.js";
import { AppError } from "../../platform/errors.js";
import { isoTime } from "../../platform/http.js";
import type { FoldFound } from "./fold-worker.js";
import type { WalkForwardOrder } from "./jobs-order.js";
import type { Tried } from "./tries.js";

/** A fold, what was chosen on its training bars alone, and what that came to on the bars after them. */
export interface Walked {
  readonly fold: Fold;
  readonly best: Tried | null;
  /** Returns by day of all that was tried on the training bars. */
  readonly trained: readonly Float64Array[];
  readonly tested: FoldFound | null;
}

type FoldTerms = Pick<
  WalkForwardOrder,
  "mode" | "train_bars" | "test_bars" | "step_bars" | "embargo_bars" | "folds"
>;

/** @throws {AppError} `invalid_request` where no fold fits, or symbols have other bars than the first. */
export function foldsOf(series: readonly Pick<Candles, "time">[], order: FoldTerms): Fold[] {
  const [{ time }] = series;
  const isOther = (each: Float64Array) => each.length !== time.length || each.some((at, i) => at !== time[i]);
  if (series.some((each) => isOther(each.time))) {
    throw new AppError("invalid_request", "body symbols: a walk-forward needs the same bars of all of them");
  }
  requireFold(order, time.length);
  const { mode, train_bars: train, test_bars: test, step_bars, embargo_bars: embargo } = order;
  const folds = walkForwardFolds(time.length, { mode, train, test, step: step_bars ?? test, embargo });
  return folds.slice(-order.folds);
}

/** @param bars of the stretch, or more. @throws {AppError} `invalid_request` for fewer than a fold has. */
export function requireFold(order: FoldTerms, bars: number): void {
  const { train_bars: train, test_bars: test, embargo_bars: embargo } = order;
  if (train + embargo + test <= bars) return;
  const between = embargo === 0 ? "" : `, ${embargo} between`;
  const detail = `body train_bars: ${train}${between} and ${test} more are not within the ${bars} bars of the stretch`;
  throw new AppError("invalid_request", detail);
}

/** Which bars of the stretch are in no test, in words. */
export function untestedNotes(folds: readonly Fold[], time: Float64Array): string[] {
  const dayAt = (bar: number) => isoTime(time[bar]).slice(0, time[1] - time[0] < 86_400_000 ? 16 : 10);
  const span = (from: number, to: number) => `${to - from} bars from ${dayAt(from)} to ${dayAt(to - 1)}`;
  const notes: string[] = [];
  const [first] = folds[0].test;
  if (first.from > 0) notes.push(`${span(0, first.from)} are before the first test and in none`);
  let to = first.to;
  for (const {
    test: [test],
  } of folds) {
    if (test.from > to) notes.push(`${span(to, test.from)} are between two tests and in none`);
    to = Math.max(to, test.to);
  }
  if (to < time.length) {
    notes.push(
      `${span(to, time.length)} are after the last whole test and in none: tests end with ${dayAt(to - 1)}, though period.end is later`,
    );
  }
  return notes;
}
