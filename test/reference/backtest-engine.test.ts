import { describe, expect, it } from "vitest";
import { hashOf } from "../../src/core/backtest/result.js";
import { type BacktestRules, PLAIN_RULES } from "../../src/core/backtest/rules.js";
import { runBacktest } from "../../src/core/backtest/run.js";
import { cashRules, marginRules } from "../../src/core/execution/account.js";
import { NO_COSTS } from "../../src/core/execution/costs.js";
import { candlesFromRows } from "../../src/core/market/candles.js";
import { isClosed, signOf } from "../../src/core/performance/trade.js";
import { goldenCross } from "../../src/core/strategies/golden-cross.js";
import { days, lines, type Recorded, RUNS } from "../fixtures/recorded-backtests.js";
import { sharedPath } from "../fixtures/shared.js";

const missing = sharedPath("data", "reference") === null;

/** Averages and side of the recorded runs. */
const CROSSES = [
  { fast: 10, slow: 30, side: "both" },
  { fast: 10, slow: 20, side: "long" },
  { fast: 20, slow: 50, side: "long" },
  { fast: 50, slow: 200, side: "long" },
] as const;

/** An account without interest or margin calls, as backtesting.py has it. */
const FREE_MARGIN = { ...marginRules("USD", 1), maintenanceLong: 0, maintenanceShort: 0, initialShort: 1 };

describe.skipIf(missing)("runs of backtesting.py, decided by the strategy", () => {
  it.each(RUNS.map((run, k) => [run[0], run, CROSSES[k]] as const))("%s", (_, run, values) => {
    const [name, input, from, capital, rate] = run;
    const recorded = JSON.parse(lines("reference", `backtest-${name}.json.gz`).join("\n")) as Recorded;
    const bars = days(...input.split("/")).filter(({ time }) => from === "" || time >= Date.parse(from));
    const candles = candlesFromRows("AAA", "1d", bars);
    const rules: BacktestRules = {
      ...PLAIN_RULES,
      desk: {
        ...PLAIN_RULES.desk,
        account: values.side === "both" ? FREE_MARGIN : cashRules("USD"),
        costs: { ...NO_COSTS, commission: { kind: "percent", rate, minimum: 0 } },
      },
      capital,
      closing: "last_open",
    };
    const result = runBacktest(goldenCross, [{ candles }], values, rules);
    expect(result.turned).toEqual([]);
    const trades = result.trades.filter(isClosed);
    expect(trades).toHaveLength(recorded.trades.length);
    for (const [k, theirs] of recorded.trades.entries()) {
      const trade = trades[k];
      const { openedAt, closedAt } = trade;
      expect([openedAt, closedAt]).toEqual([bars[theirs.EntryBar].time, bars[theirs.ExitBar].time]);
      expect(signOf(trade) * trade.quantity).toBe(theirs.Size);
      expect(trade.entryPrice).toBeCloseTo(theirs.EntryPrice, 6);
      expect(trade.exitPrice).toBeCloseTo(theirs.ExitPrice, 6);
      expect(trade.net / 1e6).toBeCloseTo(theirs.PnL, 5);
    }
    expect(result.bounds.equity / 1e6).toBeCloseTo(recorded.stats["Equity Final [$]"], 4);
    expect(result.bounds).toEqual({
      pessimistic: result.bounds.equity,
      equity: result.bounds.equity,
      optimistic: result.bounds.equity,
    });
    expect(result.equity).toHaveLength(recorded.equity.length);
    for (const [k, theirs] of recorded.equity.entries()) {
      expect(Math.abs(result.equity[k] / 1e6 / theirs - 1)).toBeLessThan(1e-7);
    }
    expect(hashOf(runBacktest(goldenCross, [{ candles }], values, rules))).toBe(hashOf(result));
  });
});
