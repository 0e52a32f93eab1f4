import { describe, expect, it } from "vitest";
import { PLAIN_RULES } from "../../src/core/backtest/rules.js";
import { runBacktest } from "../../src/core/backtest/run.js";
import { candlesFromRows } from "../../src/core/market/candles.js";
import { STRATEGIES } from "../../src/core/strategies/index.js";
import { resolveValues } from "../../src/core/strategies/parameters.js";
import { rsiReversal } from "../../src/core/strategies/rsi-reversal.js";

const DAY_MS = 86_400_000;

function candlesOf(closes: readonly number[]) {
  const rows = closes.map((close, i) => ({
    time: Date.UTC(2020, 0, 1) + i * DAY_MS,
    open: close,
    high: close,
    low: close,
    close,
    volume: 1_000,
  }));
  return candlesFromRows("AAA", "1d", rows);
}

function ordersOf(strategy: (typeof STRATEGIES)[number], closes: readonly number[]) {
  const { values } = resolveValues(strategy.parameters, {});
  return runBacktest(strategy, [{ candles: candlesOf(closes) }], values, PLAIN_RULES).orders;
}

describe("a series that never moves", () => {
  const still = Array.from({ length: 200 }, () => 10);
  const singles = STRATEGIES.slice(0, 3);

  it.each(singles.map((strategy) => [strategy.id, strategy] as const))(
    "is not traded by %s",
    (_, strategy) => {
      expect(ordersOf(strategy, still)).toEqual([]);
    },
  );

  it("is none that fell before it stood still", () => {
    const fall = Array.from({ length: 15 }, (_, i) => 100 - i);
    expect(ordersOf(rsiReversal, [...fall, 86, 86, 86, 86])).toHaveLength(1);
  });
});
