import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Candles, candlesFromRows, sliceCandles } from "../../src/core/market/candles.js";
import type { Hit } from "../../src/core/patterns/define.js";
import { hasPriorTrend, priorTrend, TREND_BARS } from "../../src/core/patterns/trend.js";
import { gridWalk } from "../fixtures/grid-walk.js";
import { reflect, scale } from "../fixtures/reflect.js";

/** Bars of range 2 whose closes are given. */
function closing(closes: readonly number[]): Candles {
  const rows = closes.map((close, i) => ({
    open: close,
    high: close + 1,
    low: close - 1,
    close,
    time: i,
    volume: 0,
  }));
  return candlesFromRows("LINE", "1d", rows);
}

/** Closes that rise by `slope` average ranges a bar. */
function line(slope: number, length = 15): number[] {
  return Array.from({ length }, (_, i) => 100 + 2 * slope * i);
}

describe("prior trend", () => {
  it("is the side and slope of a ten-bar average", () => {
    expect(priorTrend(closing(line(0.125)), 15)).toBe("up");
    expect(priorTrend(closing(line(-0.125)), 15)).toBe("down");
    expect(priorTrend(closing(line(0.0625)), 15)).toBe("flat");
    expect(priorTrend(closing(line(-0.0625)), 15)).toBe("flat");
    expect(priorTrend(closing(line(0)), 15)).toBe("flat");
  });

  it("ends with a close beyond the average", () => {
    expect(priorTrend(closing([...line(0.5, 14), 104]), 15)).toBe("flat");
    expect(priorTrend(closing([...line(-0.5, 14), 96]), 15)).toBe("flat");
  });

  it("is flat where there are too few bars or a price is missing", () => {
    expect(priorTrend(closing(line(1)), TREND_BARS - 1)).toBe("flat");
    const candles = closing(line(1));
    candles.close[3] = Number.NaN;
    expect(priorTrend(candles, 15)).toBe("flat");
  });

  it("reads the 15 bars before the shape and no others", () => {
    const candles = gridWalk(600, 9);
    for (let start = TREND_BARS; start <= 600; start++) {
      const alone = priorTrend(sliceCandles(candles, start - TREND_BARS, start), TREND_BARS);
      expect(alone).toBe(priorTrend(candles, start));
    }
  });

  it("turns over in a mirror and keeps its sign under a scale", () => {
    const candles = gridWalk(2_000, 10);
    const mirrored = reflect(candles, 300);
    const turned = { up: "down", down: "up", flat: "flat" } as const;
    const seen = new Set<string>();
    for (let start = 0; start <= 2_000; start++) {
      const trend = priorTrend(candles, start);
      seen.add(trend);
      expect(priorTrend(mirrored, start)).toBe(turned[trend]);
    }
    expect(seen.size).toBe(3);
    fc.assert(
      fc.property(fc.integer({ min: -30, max: 30 }), fc.integer({ min: 0, max: 2_000 }), (power, start) => {
        expect(priorTrend(scale(candles, 2 ** power), start)).toBe(priorTrend(candles, start));
      }),
    );
  });

  it("is compared with what a variant asks for", () => {
    const hit = (trend: "up" | "down" | null): Hit => ({
      variant: { id: "a", title: "A", direction: 1, outlook: "reversal", priorTrend: trend },
      at: 16,
      start: 15,
      quality: 1,
      state: "confirmed",
      formation: null,
    });
    const rising = closing(line(0.5, 17));
    expect(hasPriorTrend(hit("up"), rising)).toBe(true);
    expect(hasPriorTrend(hit("down"), rising)).toBe(false);
    expect(hasPriorTrend(hit(null), rising)).toBeNull();
  });
});
