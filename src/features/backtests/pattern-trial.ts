import { sharpeSample } from "../../core/backtest/overfitting.js";
import { sketchOf } from "../../core/backtest/trials.js";
import { sliceCandles } from "../../core/market/candles.js";
import { calendarOf, tradingDay } from "../../core/market/session.js";
import type { PatternBacktest } from "./backtests.js";
import type { Ledger, OverfittingView } from "./ledger.js";
import { hashOfSeries } from "./series.js";

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
  return ledger.judge(datasetId, { sample, days: returns.length, permutation: found.result.permutation });
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
