import { describe, expect, it } from "vitest";
import { briefOf, runBrief } from "../../src/core/backtest/brief.js";
import { type Masks, maskStrategy } from "../../src/core/backtest/mask.js";
import { runMasks } from "../../src/core/backtest/mask-run.js";
import { type BacktestRules, PLAIN_RULES } from "../../src/core/backtest/rules.js";
import { runBacktest } from "../../src/core/backtest/run.js";
import { createRng } from "../../src/core/base/rng.js";
import type { Strategy } from "../../src/core/strategies/define.js";
import { STRATEGIES } from "../../src/core/strategies/index.js";
import { wanderingCandles } from "../fixtures/market-walks.js";
import { walkingFacts } from "../fixtures/walking-facts.js";

const LENGTH = 700;
const LEAD = 420;

/** The same strategy that may decide from a bar on. */
function from(strategy: Strategy, bar: number): Strategy {
  return { ...strategy, warmup: (values) => Math.max(bar, strategy.warmup(values)) };
}

describe("a run with bars that lead up to it", () => {
  it.each(
    STRATEGIES.filter(({ needs }) => !needs.includes("several_symbols")).map((row) => [row.id, row] as const),
  )("%s decides from its first bar on as it does over all bars, and tells of those bars alone", (_, row) => {
    const interval = row.needs.includes("intraday") ? "5m" : "1d";
    const candles = wanderingCandles("AAA", interval, LENGTH, 11);
    const listings = [{ candles, facts: walkingFacts(row.facts, LENGTH, 3) }];
    const rules: BacktestRules = { ...PLAIN_RULES, start: candles.time[LEAD] };
    const led = runBacktest(row, listings, {}, rules);
    const whole = runBacktest(from(row, LEAD), listings);
    expect(led.trades).toEqual(whole.trades);
    expect(led.decisions).toEqual(whole.decisions);
    expect(led.time).toEqual(candles.time.subarray(LEAD));
    expect(led.equity).toEqual(whole.equity.subarray(LEAD));
    expect(led.exposure).toEqual(whole.exposure.subarray(LEAD));
    expect(led.decisions.every(({ at }) => at >= candles.time[LEAD])).toBe(true);
    expect(led.events[0].at).toBe(candles.time[LEAD]);
    expect({ ...runBrief(row, listings, {}, rules), desk: "" }).toEqual(briefOf(led, ""));
  });

  it("is warm at its first bar, where one without them is cold", () => {
    const candles = wanderingCandles("AAA", "1d", LENGTH, 4);
    const start = candles.time[LENGTH - 100];
    const [golden] = STRATEGIES;
    const led = runBacktest(golden, [{ candles }], {}, { ...PLAIN_RULES, start });
    const whole = runBacktest(golden, [{ candles }]);
    const crossings = whole.decisions.filter(({ at, does }) => at >= start && does === "enter");
    expect(crossings.length).toBeGreaterThan(0);
    expect(led.decisions.filter(({ does }) => does === "enter").map(({ at }) => at)).toEqual(
      crossings.map(({ at }) => at),
    );
  });

  it("is the same over several symbols that begin at different times", () => {
    const rotation = STRATEGIES.find(({ id }) => id === "momentum_rotation");
    if (rotation === undefined) throw new Error("there is no rotation");
    const whole = ["AAA", "BBB", "CCC"].map((symbol, k) => wanderingCandles(symbol, "1d", LENGTH, 30 + k));
    const listings = whole.map((candles, k) => {
      const cut = (column: Float64Array) => column.subarray(k * 60);
      const { time, open, high, low, close, volume } = candles;
      return {
        candles: {
          ...candles,
          time: cut(time),
          open: cut(open),
          high: cut(high),
          low: cut(low),
          close: cut(close),
          volume: cut(volume),
        },
      };
    });
    const values = { lookback: 40, hold: 1, every: 10 };
    const start = whole[0].time[LEAD];
    const led = runBacktest(rotation, listings, values, { ...PLAIN_RULES, start });
    expect(led.time).toEqual(whole[0].time.subarray(LEAD));
    expect(led.trades.length).toBeGreaterThan(3);
    expect(led.trades[0].openedAt).toBeGreaterThan(start);
    expect(led.equity[0]).toBe(100_000e6);
  });

  it("trades masks as events do", () => {
    const rng = createRng(9);
    const mask = () => Uint8Array.from({ length: LENGTH }, () => (rng.next() < 0.1 ? 1 : 0));
    const candles = wanderingCandles("AAA", "1d", LENGTH, 2);
    for (const start of [
      candles.time[0],
      candles.time[300],
      candles.time[LENGTH - 1],
      candles.time[LENGTH - 1] + 1,
    ]) {
      const masks: Masks = { entries: mask(), exits: mask(), side: "long" };
      const rules = { ...PLAIN_RULES, start };
      const fast = runMasks({ candles }, masks, rules);
      const slow = briefOf(runBacktest(maskStrategy(masks), [{ candles }], {}, rules), "");
      expect(fast.trades).toEqual(slow.trades);
      expect(fast.equity).toEqual(slow.equity);
    }
  });
});
