import { sharpeSample } from "../../core/backtest/overfitting.js";
import { sketchOf } from "../../core/backtest/trials.js";
import { sliceCandles } from "../../core/market/candles.js";
import { calendarOf, tradingDay } from "../../core/market/session.js";
import type { PatternBacktest } from "./backtests.js";
import type { Ledger, OverfittingView } from "./ledger.js";
import { hashOfSeries } from "./series.js";

const SEED = 1;

/** Counts a pattern that was traded by the policy of the evidence, and says what the result is worth. */
export async function countPattern(
  ledger: Ledger,
  userId: string,
  found: PatternBacktest,
): Promise<OverfittingView> {
  const { set, variant, from, costBps, summary } = found;
  const candles = sliceCandles(set.candles, from);
  const { day, returns } = dailyGains(found);
  const sample = sharpeSample(returns);
  const series = [candles];
  const terms = { calendar: set.instrument.calendar };
  const data = { series, sha256: hashOfSeries(series), synthetic: set.synthetic, terms };
  const trial = {
    strategy: `pattern:${variant}`,
    values: { pattern: variant },
    rules: `policy of the evidence, ${costBps} bps`,
    sample,
    totalReturn: summary.totalReturn,
    returns,
    sketch: sketchOf(day, returns),
  };
  const datasetId = await ledger.record(userId, data, [trial]);
  const permutation = heldReturns(found);
  return ledger.judge(datasetId, { sample, days: returns.length, permutation, seed: SEED });
}

/** Returns by day of the stretch, the gain of a trade on the day on which it ended. */
function dailyGains({ set, from, result }: PatternBacktest) {
  const { time } = set.candles;
  const calendar = calendarOf(set.instrument.calendar);
  const places = new Int32Array(time.length);
  const days: number[] = [];
  for (let i = from; i < time.length; i++) {
    const day = tradingDay(calendar, time[i]);
    if (day !== days[days.length - 1]) days.push(day);
    places[i] = days.length - 1;
  }
  const growth = new Float64Array(days.length).fill(1);
  for (const { exitAt, gain } of result.trades) growth[places[exitAt]] *= 1 + gain;
  return { day: Float64Array.from(days), returns: growth.map((each) => each - 1) };
}

/** Side that was held at each close, against the return to the next one. */
function heldReturns({ set, from, result }: PatternBacktest) {
  const { close } = set.candles;
  const n = Math.max(0, close.length - 1 - from);
  const positions = new Float64Array(n);
  for (const { at, exitAt, direction } of result.trades)
    positions.fill(direction, at + 1 - from, exitAt - from);
  const returns = Float64Array.from({ length: n }, (_, k) => close[from + k + 1] / close[from + k] - 1);
  return { positions, returns };
}
