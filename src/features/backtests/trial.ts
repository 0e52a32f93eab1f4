import { type SharpeOfReturns, sharpeSample } from "../../core/backtest/overfitting.js";
import { daysOfTrack, returnsOfDays } from "../../core/backtest/track.js";
import { sketchOf } from "../../core/backtest/trials.js";
import { dayOf, type RunTerms, rateOf } from "./terms.js";

/** What a trial came to, as the ledger keeps it. */
export interface TrialFound {
  /** Returns by day. */
  readonly returns: Float64Array;
  /** As `sketchOf` has it of the returns. */
  readonly sketch: Int8Array;
  /** By day beyond the rate of the terms, as the Sharpe ratio of the report is; null where the returns do not vary. */
  readonly sample: SharpeOfReturns | null;
  /** Final equity over capital, less 1; null without a bar. */
  readonly totalReturn: number | null;
  readonly trades: number;
}

/** @param equity of the bars, micros. */
export function trialOf(
  time: Float64Array,
  equity: Float64Array,
  terms: RunTerms,
  trades: number,
): TrialFound {
  const days = daysOfTrack(time, dayOf(terms));
  const ends = Float64Array.from(days.last, (bar) => equity[bar]);
  return trialOfDays(days.day, ends, terms, trades);
}

/** @param equity at the end of each day that has a bar, micros. */
export function trialOfDays(
  day: Float64Array,
  equity: Float64Array,
  terms: RunTerms,
  trades: number,
): TrialFound {
  const capital = Math.round(terms.capital * 1e6);
  const returns = returnsOfDays(capital, day, equity);
  return {
    returns: returns.value,
    sketch: sketchOf(returns.day, returns.value),
    sample: sharpeSample(returns.value, rateOf(terms)),
    totalReturn: equity.length === 0 ? null : equity[equity.length - 1] / capital - 1,
    trades,
  };
}
