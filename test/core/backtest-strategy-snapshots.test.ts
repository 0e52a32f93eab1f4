import { describe, expect, it } from "vitest";
import { compareSnapshots } from "../../src/core/backtest/regression.js";
import { strategySnapshots } from "../../src/core/backtest/strategy-snapshots.js";
import { createRng } from "../../src/core/base/rng.js";
import { candlesFromRows } from "../../src/core/market/candles.js";
import { goldenCross } from "../../src/core/strategies/golden-cross.js";
import { momentumRotation } from "../../src/core/strategies/momentum-rotation.js";
import type { Values } from "../../src/core/strategies/parameters.js";
import { patternList } from "../../src/core/strategies/pattern-list.js";
import { rsiReversal } from "../../src/core/strategies/rsi-reversal.js";
import { synergy } from "../../src/core/strategies/synergy.js";

const DAY = 86_400_000;
const START = Date.UTC(2022, 0, 3);

function walk(seed: number, length = 600) {
  const rng = createRng(seed);
  let close = 100;
  const rows = Array.from({ length }, (_, i) => {
    const open = close;
    close = Math.max(1, open * (1 + (rng.next() - 0.5) * 0.05));
    const [high, low] = [Math.max(open, close) * 1.005, Math.min(open, close) * 0.995];
    return { time: START + i * DAY, open, high, low, close, volume: 1_000 };
  });
  return candlesFromRows("AAA", "1d", rows);
}

/** Crosses of two averages of the closes, by sums anew at each bar. */
function crosses({ time, close }: ReturnType<typeof walk>, fast: number, slow: number) {
  const mean = (i: number, n: number) => close.slice(i - n + 1, i + 1).reduce((a, b) => a + b, 0) / n;
  const found: [number, string, number][] = [];
  for (let i = slow; i < time.length; i++) {
    const [now, before] = [mean(i, fast) - mean(i, slow), mean(i - 1, fast) - mean(i - 1, slow)];
    if (now > 0 && before <= 0) found.push([time[i], "buy", close[i]]);
    if (now < 0 && before >= 0 && found.length > 0) found.push([time[i], "sell", close[i]]);
  }
  return found;
}

describe("signals of a strategy", () => {
  it("are its decisions, with the side of what they do and the close that they were made at", () => {
    for (let seed = 1; seed <= 10; seed++) {
      const candles = walk(seed);
      const found = strategySnapshots(goldenCross, [candles], START, START + 1_000 * DAY);
      expect(found.map(({ time, side, entry }) => [time, side, entry])).toEqual(crosses(candles, 20, 50));
      const from = START + 300 * DAY;
      expect(strategySnapshots(goldenCross, [candles], from, START + 400 * DAY)).toEqual(
        found.filter(({ time }) => time >= from && time < START + 400 * DAY),
      );
    }
  });

  it.each([
    ["a stop", synergy, { stopRanges: 2 }],
    ["a target", synergy, { reward: 3 }],
    ["a stop in percent", patternList, { stopLossPct: 5.001 }],
    ["a target in percent", patternList, { takeProfitPct: 10.001 }],
    ["a share", momentumRotation, { hold: 1 }],
  ] as const)("differ where %s was changed by one word of a strategy", (_, strategy, values) => {
    const series = ["AAA", "BBB", "CCC"].map((symbol, k) => ({ ...walk(3 + k, 900), symbol }));
    const group = strategy.scope === "universe" ? series : [series[0]];
    const busy =
      strategy === synergy ? { group: 1, window: 80, conviction: 0.2, slope: 0.05, holdBars: 9 } : {};
    const signals = (change: Values) =>
      strategySnapshots(strategy, group, START, START + 2_000 * DAY, { values: { ...busy, ...change } });
    const baseline = signals({});
    expect(baseline.length).toBeGreaterThan(3);
    expect(compareSnapshots(strategy.id, baseline, signals({})).passed).toBe(true);
    expect(compareSnapshots(strategy.id, baseline, signals(values)).passed).toBe(false);
  });

  it("differ where a threshold was changed, and not elsewhere", () => {
    const candles = walk(3);
    const signals = (values = {}) =>
      strategySnapshots(rsiReversal, [candles], START, START + 1_000 * DAY, { values });
    const baseline = signals();
    expect(baseline.length).toBeGreaterThan(4);
    expect(compareSnapshots(rsiReversal.id, baseline, signals(), 0.05).passed).toBe(true);
    const changed = compareSnapshots(rsiReversal.id, baseline, signals({ low: 25 }), 0.05);
    expect(changed.passed).toBe(false);
    expect(changed.missing.length + changed.extra.length).toBeGreaterThan(0);
  });
});
