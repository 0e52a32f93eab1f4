import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type BacktestRules, PLAIN_RULES, SIZINGS } from "../../src/core/backtest/rules.js";
import { runBacktest } from "../../src/core/backtest/run.js";
import { marginRules } from "../../src/core/execution/account.js";
import { type Candles, candlesFromRows } from "../../src/core/market/candles.js";
import { doing } from "../fixtures/doing.js";
import { wanderingCandles } from "../fixtures/market-walks.js";

const DAY_MS = 86_400_000;

/** Long at every open with a stop and a target so near that many bars reach both. */
const near = doing((stand) => {
  const close = stand.candles.close[stand.i];
  stand.enter(1, { stop: close * 0.995, target: close * 1.005 });
});

const ALL: BacktestRules = { ...PLAIN_RULES, sizing: SIZINGS.fractional };

/** The same by a loop of its own, all of the equity in each trade; the target first where `best`. */
function looped({ open, high, low, close }: Candles, best: boolean): { equity: number; doubts: number } {
  let [equity, entry, stop, target, doubts] = [100_000, Number.NaN, 0, 0, 0];
  for (let i = 1; i < open.length; i++) {
    let atOpen = Number.NaN;
    if (Number.isNaN(entry)) {
      [stop, target] = [close[i - 1] * 0.995, close[i - 1] * 1.005];
      if (open[i] > stop && open[i] < target) entry = open[i];
    } else if (open[i] <= stop || open[i] >= target) atOpen = open[i];
    if (Number.isNaN(entry)) continue;
    const [isStop, isTarget] = [low[i] <= stop, high[i] >= target];
    if (isStop && isTarget && Number.isNaN(atOpen)) doubts++;
    const within = isTarget && (best || !isStop) ? target : isStop ? stop : Number.NaN;
    const exit = Number.isNaN(atOpen) ? within : atOpen;
    if (Number.isNaN(exit)) continue;
    equity *= exit / entry;
    entry = Number.NaN;
  }
  if (!Number.isNaN(entry)) equity *= close[close.length - 1] / entry;
  return { equity, doubts };
}

describe("the bounds of a result", () => {
  it("compound, as a loop does that takes the target first", () => {
    for (let seed = 0; seed < 6; seed++) {
      const candles = wanderingCandles("AAA", "1d", 300, seed);
      const { bounds, doubts } = runBacktest(near, [{ candles }], {}, ALL);
      const [rule, best] = [looped(candles, false), looped(candles, true)];
      expect(doubts.length).toBe(rule.doubts);
      expect(doubts.length).toBeGreaterThan(20);
      // Prices are rounded to a millionth and units to a millionth.
      expect(bounds.equity / 1e6 / rule.equity).toBeCloseTo(1, 5);
      expect(bounds.optimistic / 1e6 / best.equity).toBeCloseTo(1, 5);
      expect(bounds.pessimistic).toBe(bounds.equity);
      const summed = doubts.reduce((sum, { optimisticMicros }) => sum + optimisticMicros, bounds.equity);
      expect(Math.abs(bounds.optimistic / summed - 1)).toBeGreaterThan(0.01);
    }
  });

  it("lie on either side of the headline, whatever is decided after a doubtful fill", () => {
    const ways = new Set<string>();
    const turning = doing((stand) => {
      const close = stand.candles.close[stand.i];
      if (stand.i % 7 === 3) stand.exit();
      // What is decided hangs on what was gained.
      const way = Math.floor(stand.equity) % 2 === 0 ? 1 : -1;
      stand.enter(way, { stop: close * (1 - way * 0.006), target: close * (1 + way * 0.004) });
    });
    const rules = { ...ALL, desk: { ...ALL.desk, account: marginRules("USD") } };
    for (let seed = 0; seed < 10; seed++) {
      const candles = wanderingCandles("AAA", "1d", 200, 50 + seed);
      const { pessimistic, equity, optimistic } = runBacktest(turning, [{ candles }], {}, rules).bounds;
      expect(pessimistic).toBeLessThanOrEqual(equity);
      expect(optimistic).toBeGreaterThanOrEqual(equity);
      ways.add(optimistic > equity ? "apart" : "as one");
    }
    expect(ways).toContain("apart");
  });

  it("are those of the worst and the best path of a trailing stop in the last bar", () => {
    const units: BacktestRules = {
      ...PLAIN_RULES,
      sizing: { ...SIZINGS.whole, stake: { kind: "units", units: 10 } },
    };
    const trailing = doing((stand) => {
      if (stand.i === 0) stand.enter(1);
      if (stand.i !== 1) return;
      stand.order({
        side: "sell",
        type: "trailing_stop",
        timeInForce: "gtc",
        quantity: 10,
        notional: null,
        limitPrice: null,
        stopPrice: null,
        trailAmount: 2,
        trailPercent: null,
        extendedHours: false,
        orderClass: "simple",
        takeProfit: null,
        stopLoss: null,
      });
    });
    const price = fc.integer({ min: 90, max: 110 });
    let doubtful = 0;
    fc.assert(
      fc.property(fc.tuple(price, price, price, price), ([a, b, c, d]) => {
        const row = { open: 100, high: 100, low: 100, close: 100, volume: 1 };
        const last = { open: a, high: Math.max(a, b, c, d), low: Math.min(a, b, c, d), close: d, volume: 1 };
        const candles = candlesFromRows(
          "AAA",
          "1d",
          [row, row, last].map((each, i) => ({ ...each, time: i * DAY_MS })),
        );
        const { bounds, doubts } = runBacktest(trailing, [{ candles }], {}, units);
        // With one fill nothing compounds: the two runs part by what the fill itself tells.
        const [doubt = { optimisticMicros: 0, pessimisticMicros: 0 }] = doubts;
        expect(bounds.optimistic - bounds.equity).toBe(doubt.optimisticMicros);
        expect(bounds.pessimistic - bounds.equity).toBe(doubt.pessimisticMicros + 0);
        doubtful += doubts.length;
      }),
      { numRuns: 300, seed: 5 },
    );
    expect(doubtful).toBeGreaterThan(50);
  });
});
