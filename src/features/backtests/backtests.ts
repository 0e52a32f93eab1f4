import { lowerBound } from "../../core/base/search.js";
import { barClose, barOpensBetween } from "../../core/market/bar-times.js";
import { INTERVAL_MS, type Interval } from "../../core/market/interval.js";
import { type Calendar, calendarOf } from "../../core/market/session.js";
import { LEAD_BARS } from "../../core/signals/lead.js";
import { ROUND_TRIP_BPS } from "../../core/signals/levels.js";
import { summariseTrades, type TradeSummary } from "../../core/signals/pattern-trades.js";
import { AppError } from "../../platform/errors.js";
import { defineTask, type Workers } from "../../platform/workers.js";
import type { CandleService, CandleSet } from "../candles/candles.js";
import type { Instruments } from "../instruments/instruments.js";
import type { PatternTask, PatternTaskResult } from "./worker.js";

/** How the trades on a pattern would have gone. */
export interface PatternBacktest {
  readonly set: CandleSet;
  readonly variant: string;
  /** First bar of the set whose patterns count, and the close of the last. */
  readonly from: number;
  readonly untilMs: number;
  readonly costBps: number;
  readonly result: PatternTaskResult;
  readonly summary: TradeSummary;
}

export interface Backtests {
  /**
   * Trades one pattern on the closed bars that open in [fromMs, toMs).
   * @throws {AppError} `no_data` without bars there, `invalid_request` for too many, and as candles do.
   */
  tradePattern(
    symbol: string,
    interval: Interval,
    variant: string,
    fromMs: number,
    toMs: number,
  ): Promise<PatternBacktest>;
}

/** Bars of one backtest at most: 80 years of days, a month of minutes. */
export const BACKTEST_BARS = 20_000;
/** Markets that close trade for a sixth of the time at least. */
const LEAST_OPEN = 1 / 8;
const TRADE = defineTask<PatternTask, PatternTaskResult>(new URL("./worker.js", import.meta.url));

export function createBacktests(options: {
  candles: Pick<CandleService, "loadRange">;
  instruments: Pick<Instruments, "resolve">;
  workers: Workers;
}): Backtests {
  const { candles, instruments, workers } = options;
  return {
    async tradePattern(symbol, interval, variant, fromMs, toMs) {
      const instrument = await instruments.resolve(symbol);
      const calendar = calendarOf(instrument.calendar);
      const wanted = countBars(calendar, interval, fromMs, toMs);
      const limit = wanted + LEAD_BARS;
      const set = await candles.loadRange(instrument, interval, leadOf(fromMs, toMs, wanted), toMs, limit);
      const { time } = set.candles;
      const from = lowerBound(time, fromMs);
      if (from >= time.length) {
        throw new AppError("no_data", `${instrument.symbol} has no ${interval} candles in that stretch`);
      }
      const costBps = ROUND_TRIP_BPS[instrument.assetClass];
      const result = await workers.run(TRADE, {
        candles: set.candles,
        variant,
        from,
        costBps,
        calendar: instrument.calendar,
      });
      const untilMs = barClose(calendar, interval, time[time.length - 1]);
      const summary = summariseTrades(result.trades, untilMs - time[from]);
      return { set, variant, from, untilMs, costBps, result, summary };
    },
  };
}

/** As long before the stretch as the bars that lead up to it may take, in the same density of bars. */
function leadOf(fromMs: number, toMs: number, bars: number): number {
  return fromMs - ((toMs - fromMs) / Math.max(1, bars)) * LEAD_BARS * 1.5;
}

/** @throws {AppError} `invalid_request` for more than one backtest takes. */
function countBars(calendar: Calendar, interval: Interval, fromMs: number, toMs: number): number {
  const least = ((toMs - fromMs) / INTERVAL_MS[interval]) * LEAST_OPEN;
  const count = least > BACKTEST_BARS ? least : barOpensBetween(calendar, interval, fromMs, toMs).length;
  if (count <= BACKTEST_BARS) return count;
  const detail = `body: more than ${BACKTEST_BARS} bars of ${interval} lie between start_date and end_date`;
  throw new AppError("invalid_request", detail);
}
