import { describe, expect, it } from "vitest";
import type { FigureName } from "../../src/core/backtest/figures.js";
import { reportOf } from "../../src/core/backtest/report.js";
import { tradesOf } from "../../src/core/performance/trades.js";
import { DAY_MS, RUNS, replay } from "../fixtures/recorded-backtests.js";
import { sharedPath } from "../fixtures/shared.js";

const missing = sharedPath("data", "reference") === null;
const utcDay = (timeMs: number) => Math.floor(timeMs / DAY_MS);

/** Ours for each of theirs, and what ours is to be multiplied by. */
const NAMES: readonly [theirs: string, ours: FigureName, factor: number][] = [
  ["Exposure Time [%]", "exposure", 100],
  ["Equity Final [$]", "final_equity", 1e-6],
  ["Equity Peak [$]", "peak_equity", 1e-6],
  ["Return [%]", "total_return", 100],
  ["Buy & Hold Return [%]", "benchmark_return", 100],
  ["Return (Ann.) [%]", "annual_return", 100],
  ["Volatility (Ann.) [%]", "volatility", 100],
  ["CAGR [%]", "cagr", 100],
  ["Sharpe Ratio", "sharpe", 1],
  ["Sortino Ratio", "sortino", 1],
  ["Calmar Ratio", "calmar", 1],
  ["Alpha [%]", "alpha", 100],
  ["Beta", "beta", 1],
  ["Max. Drawdown [%]", "max_drawdown", -100],
  ["Avg. Drawdown [%]", "average_drawdown", -100],
  ["# Trades", "trades", 1],
  ["Win Rate [%]", "win_rate", 100],
  ["Best Trade [%]", "best_trade", 100],
  ["Worst Trade [%]", "worst_trade", 100],
  ["Avg. Trade [%]", "average_trade", 100],
  ["Profit Factor", "profit_factor", 1],
  ["Expectancy [%]", "expectancy_return", 100],
  ["SQN", "sqn", 1],
  ["Kelly Criterion", "kelly", 1],
];

/** Theirs are rounded up to days. */
const LENGTHS: readonly [theirs: string, ours: FigureName][] = [
  ["Max. Drawdown Duration", "max_drawdown_days"],
  ["Avg. Drawdown Duration", "average_drawdown_days"],
  ["Max. Trade Duration", "max_trade_days"],
  ["Avg. Trade Duration", "average_trade_days"],
];

/** Bars before the first at which both averages are there. */
const WARMUP = [29, 19, 49, 199];

describe.skipIf(missing)("the four runs of backtesting.py", () => {
  it.each(RUNS.map((run, k) => [run[0], run, WARMUP[k]] as const))("%s: every figure", (_, run, warmup) => {
    const equity: number[] = [];
    const { recorded, bars, events } = replay(run, (_day, desk) => equity.push(desk.equity()));
    const n = bars.length;
    const held = new Float64Array(n);
    const track = {
      capital: run[3] * 1e6,
      time: Float64Array.from(bars, ({ time }) => time),
      equity: Float64Array.from(equity),
      long: held,
      short: held,
    };
    const report = reportOf(track, tradesOf(events).trades, {
      convention: "compound",
      year: { days: 252, riskFree: 0 },
      dayAt: utcDay,
      benchmark: { close: Float64Array.from(bars, ({ close }) => close), from: warmup },
    });
    for (const [theirs, ours, factor] of NAMES) {
      const expected = recorded.stats[theirs];
      const found = (report.figures[ours].value ?? Number.NaN) * factor;
      expect(Math.abs(found / expected - 1), `${theirs}: ${found} for ${expected}`).toBeLessThan(1e-8);
    }
    const told = recorded.stats as unknown as Record<string, string>;
    for (const [theirs, ours] of LENGTHS) {
      const found = Math.ceil((report.figures[ours].value ?? Number.NaN) - 1e-9);
      expect(`${found} days 00:00:00`, theirs).toBe(told[theirs]);
    }
  });
});
