import { describe, expect, it } from "vitest";
import { heldOf, trackOf } from "../../src/core/backtest/positions.js";
import { type Holding, randomEntries } from "../../src/core/backtest/random-entries.js";
import { PLAIN_RULES } from "../../src/core/backtest/rules.js";
import { runBacktest } from "../../src/core/backtest/run.js";
import { ensure } from "../../src/core/base/assert.js";
import { createRng } from "../../src/core/base/rng.js";
import { findStrategy } from "../../src/core/strategies/index.js";
import { walkBars } from "../fixtures/series.js";

const listings = [3, 4].map((seed) => ({
  candles: { symbol: `S${seed}`, interval: "1d" as const, ...walkBars(600, seed) },
}));

describe("what is held bar by bar", () => {
  it("is, with the cash that was left, the equity of every bar", () => {
    const strategy = ensure(findStrategy("golden_cross"), "there is a golden cross");
    const backtest = runBacktest(strategy, listings, { fast: 5, slow: 15 });
    const held = heldOf(backtest, listings);
    const { long, short, equity, capital } = trackOf(backtest, held);
    expect(backtest.trades.length).toBeGreaterThan(10);
    expect(short.every((worth) => worth === 0)).toBe(true);
    // Cash follows from the fills alone.
    let cash = capital;
    const cashAt = new Float64Array(equity.length);
    let event = 0;
    for (let i = 0; i < equity.length; i++) {
      const next = i + 1 < equity.length ? backtest.time[i + 1] : Number.POSITIVE_INFINITY;
      for (; event < backtest.events.length && backtest.events[event].at < next; event++) {
        const each = backtest.events[event];
        if (each.kind === "order" && "fill" in each) cash = each.fill.cash;
      }
      cashAt[i] = cash;
    }
    for (let i = 0; i < equity.length; i++)
      expect(Math.abs(cashAt[i] + long[i] - equity[i])).toBeLessThan(10);
    const exposure = long.map((each, i) => each - short[i]);
    for (let i = 0; i < exposure.length; i++) {
      expect(Math.abs(exposure[i] - backtest.exposure[i])).toBeLessThan(10);
    }
  });

  it("earns what the equity gains from close to close while nothing is traded", () => {
    const [listing] = listings;
    const strategy = ensure(findStrategy("golden_cross"), "there is a golden cross");
    const backtest = runBacktest(strategy, [listing], { fast: 5, slow: 15 }, PLAIN_RULES);
    const [{ units, close }] = heldOf(backtest, [listing]);
    const { equity } = backtest;
    let compared = 0;
    for (let i = 0; i + 1 < close.length; i++) {
      if (units[i] !== units[i + 1] || units[i] === 0) continue;
      const share = (units[i] * close[i] * 1e6) / equity[i];
      expect(share * (close[i + 1] / close[i] - 1)).toBeCloseTo(equity[i + 1] / equity[i] - 1, 9);
      compared++;
    }
    expect(compared).toBeGreaterThan(100);
  });
});

describe("entries at random", () => {
  const { candles } = listings[0];

  it("hold as often and as long as they are told, on the same sides, and never two at once", () => {
    const rng = createRng(9);
    for (let seed = 0; seed < 40; seed++) {
      const holdings: Holding[] = Array.from({ length: 1 + rng.below(30) }, () => ({
        bars: 1 + rng.below(12),
        way: rng.below(2) === 0 ? 1 : -1,
      }));
      const strategy = ensure(randomEntries(holdings, candles.time.length, seed), "they fit");
      const rules = {
        ...PLAIN_RULES,
        desk: {
          ...PLAIN_RULES.desk,
          account: { ...PLAIN_RULES.desk.account, kind: "margin" as const, shorting: true },
        },
      };
      const { trades, time } = runBacktest(strategy, [{ candles }], {}, rules);
      const barOf = (at: number) => time.findLastIndex((each) => each <= at);
      const held = trades.map(({ openedAt, closedAt, side }) => {
        return `${side === "long" ? 1 : -1} ${barOf(closedAt ?? 0) - barOf(openedAt)}`;
      });
      expect(held.sort()).toEqual(holdings.map(({ bars, way }) => `${way} ${bars}`).sort());
    }
  });

  it("come at each bar with the same chance", () => {
    const counts = new Int32Array(10);
    for (let seed = 0; seed < 2_000; seed++) {
      const strategy = ensure(randomEntries([{ bars: 1, way: 1 }], 13, seed), "it fits");
      const columns = strategy.declare(candles, {}) as { ways: Int8Array };
      counts[columns.ways.indexOf(1)]++;
    }
    // Eleven places: the last of them holds to the last bar.
    for (const count of counts) expect(Math.abs(count - 2_000 / 11)).toBeLessThan(5 * Math.sqrt(2_000 / 11));
  });

  it("are none where they do not fit", () => {
    expect(randomEntries([{ bars: 10, way: 1 }], 11, 1)).toBeNull();
    expect(randomEntries([], 100, 1)).toBeNull();
  });
});
