import { describe, expect, it } from "vitest";
import type { Candles } from "../../src/core/market/candles.js";
import { CANDLESTICKS } from "../../src/core/patterns/candlestick/index.js";
import type { Hit } from "../../src/core/patterns/define.js";
import { createPatternSeries } from "../../src/core/patterns/series.js";
import { QUALITIES, RARE } from "../fixtures/candlestick-qualities.js";
import { walkBars } from "../fixtures/series.js";

/** Walks in whose bars nearly every shape is seen: fine and coarse prices, and bars without shadows. */
function walks(): Candles[] {
  const length = 60_000;
  const series = (
    [
      [1, 0.25],
      [2, 0.5],
      [3, 0],
      [4, 1],
      [5, 0],
    ] as const
  ).map(([seed, tick]): Candles => ({ symbol: "X", interval: "1h", ...walkBars(length, seed, { tick }) }));
  const { open, high, low, close } = series[4];
  for (let i = 0; i < length; i++) {
    high[i] = Math.max(open[i], close[i]);
    low[i] = Math.min(open[i], close[i]);
  }
  return series;
}

/** Of each variant how often it is seen, the mean of its qualities and that of the bars it spans. */
function measured(): Map<string, readonly [number, number, number]> {
  const sums = new Map<string, [number, number, number]>();
  for (const candles of walks()) {
    const series = createPatternSeries(candles);
    for (const row of CANDLESTICKS) {
      const hits: Hit[] = [];
      row.find(series, 0, candles.time.length, hits);
      for (const { variant, quality, at, start } of hits) {
        const [count, sum, bars] = sums.get(variant.id) ?? [0, 0, 0];
        sums.set(variant.id, [count + 1, sum + quality, bars + at - start]);
      }
    }
  }
  return new Map([...sums].map(([id, [count, sum, bars]]) => [id, [count, sum / count, bars / count]]));
}

/**
 * What qualities are, so that none changes unnoticed: whoever changes one on purpose changes it here, too. What they
 * should be, the other tests of candlesticks say.
 */
describe("the quality of candlesticks", () => {
  const found = measured();

  it("is known of all that walks show", () => {
    const ids = CANDLESTICKS.flatMap(({ variants }) => variants.map(({ id }) => id));
    expect(ids.filter((id) => !found.has(id))).toEqual([...RARE]);
    expect(Object.keys(QUALITIES).sort()).toEqual(ids.filter((id) => found.has(id)).sort());
  });

  it.each(Object.entries(QUALITIES))("of %s is what it was", (id, [count, quality, bars]) => {
    const [seen, mean, span] = found.get(id) ?? [0, Number.NaN, Number.NaN];
    expect(seen).toBe(count);
    expect(mean).toBeCloseTo(quality, 9);
    expect(span).toBeCloseTo(bars, 9);
  });
});
