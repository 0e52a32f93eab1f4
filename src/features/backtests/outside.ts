import { returnsOfTrack } from "../../core/backtest/track.js";
import { growthOf } from "../../core/performance/returns.js";

/** A test of a walk-forward: its first bar, and the return of each of its bars; null where nothing was chosen. */
export interface TestedBars {
  readonly from: number;
  readonly bars: Float64Array | null;
}

/** What tests come to one after another, as one account that each leaves to the next. */
export interface Outside {
  /** Opens of the bars, epoch ms, and the return of each. */
  readonly time: Float64Array;
  readonly bars: Float64Array;
  /** Days since 1970-01-01 and the returns of them, chained out of those of their bars. */
  readonly day: Float64Array;
  readonly daily: Float64Array;
  /** Of 1 after each bar. */
  readonly growth: Float64Array;
  readonly totalReturn: number | null;
}

/**
 * Joins tests in their order: where they overlap a bar is of the first that has it, and where nothing was chosen nothing
 * is held. A day is one day, however many tests have a part of it.
 * @param length bars of each test. @param time opens of all bars.
 */
export function joinTests(
  tests: readonly TestedBars[],
  length: number,
  time: Float64Array,
  dayAt: (timeMs: number) => number,
): Outside {
  const times: number[] = [];
  const returns: number[] = [];
  let next = 0;
  for (const { from, bars } of tests) {
    for (let k = Math.max(0, next - from); k < length; k++) {
      times.push(time[from + k]);
      returns.push(bars?.[k] ?? 0);
    }
    next = Math.max(next, from + length);
  }
  const bars = Float64Array.from(returns);
  const growth = growthOf(bars);
  const track = { capital: 1, time: Float64Array.from(times), equity: growth };
  const { day, value } = returnsOfTrack(track, dayAt);
  const totalReturn = growth.length === 0 ? null : growth[growth.length - 1] - 1;
  return { time: track.time, bars, day, daily: value, growth, totalReturn };
}

/** What a fold was chosen by, and what came of it. */
export interface FoldScores {
  /** Of the choice on the training bars; null where nothing could be chosen. */
  readonly trainScore: number | null;
  readonly trainReturn: number | null;
  readonly trainBars: number;
}

/** How much of what choices had in training was left in the tests. */
export interface Degradation {
  readonly inSample: number | null;
  readonly outOfSample: number | null;
  /** Share of the score in training that was lost; null where that is not above 0. */
  readonly degradation: number | null;
}

/**
 * By Sharpe ratio: the mean of the choices in training against that of all tests together, by day. By return: growth a
 * bar. Folds in which nothing was traded are in both, for what is not traded gains nothing.
 * @param sharpe of the tests by day; null where they do not vary.
 */
export function degradationOf(
  objective: "sharpe" | "total_return",
  folds: readonly FoldScores[],
  { bars, totalReturn }: Pick<Outside, "bars" | "totalReturn">,
  sharpe: number | null,
): Degradation {
  const isSharpe = objective === "sharpe";
  const scores = folds.flatMap(({ trainScore, trainReturn, trainBars }) =>
    isSharpe ? (trainScore ?? []) : trainReturn === null ? [] : growthOfBar(trainReturn, trainBars),
  );
  if (scores.length === 0) return { inSample: null, outOfSample: null, degradation: null };
  const inSample = scores.reduce((sum, each) => sum + each, 0) / scores.length;
  const outOfSample = isSharpe
    ? (sharpe ?? 0)
    : totalReturn === null
      ? null
      : growthOfBar(totalReturn, bars.length);
  const isGain = inSample > 0 && outOfSample !== null;
  return { inSample, outOfSample, degradation: isGain ? 1 - outOfSample / inSample : null };
}

function growthOfBar(total: number, bars: number): number {
  return Math.max(0, 1 + total) ** (1 / bars) - 1;
}
