import { describe, expect, it } from "vitest";
import { createRng } from "../../src/core/base/rng.js";
import { type Bar, type Candles, candlesFromRows } from "../../src/core/market/candles.js";
import { CANDLESTICKS } from "../../src/core/patterns/candlestick/index.js";
import { createPatternSeries } from "../../src/core/patterns/series.js";
import { AVERAGE_RANGE, drawExample, EXAMPLES } from "../fixtures/candlestick-examples.js";
import { printRecall, recallBy } from "../fixtures/recall.js";
import { reflect, scale, shift } from "../fixtures/reflect.js";
import { sized } from "../fixtures/sizes.js";

/** In average ranges. At the lowest, prices that are drawn alike are still within the distance that counts as equal. */
const NOISES = [0.005, 0.01, 0.025, 0.05, 0.1];
const SEEDS = sized({ usual: 60, full: 200 });

/** The series with every price moved by chance; highs and lows still are the ends of their bars. */
function blur(candles: Candles, noise: number, seed: number): Candles {
  const rng = createRng(seed, 0x626c);
  const moved = (price: number) => price + noise * AVERAGE_RANGE * rng.normal();
  const rows = Array.from(candles.time, (time, i): Bar => {
    const [open, close] = [moved(candles.open[i]), moved(candles.close[i])];
    const [high, low] = [moved(candles.high[i]), moved(candles.low[i])];
    return {
      time,
      open,
      high: Math.max(open, high, close),
      low: Math.min(open, low, close),
      close,
      volume: candles.volume[i],
    };
  });
  return candlesFromRows(candles.symbol, candles.interval, rows);
}

const drawn = CANDLESTICKS.filter(({ name }) => name in EXAMPLES);
const names = drawn.map(({ name }) => name);

function isFound(name: string, candles: Candles, expected: number): boolean {
  const row = drawn.find((found) => found.name === name);
  const last = candles.time.length - 1;
  const out = new Int16Array(last + 1);
  row?.signal(createPatternSeries(candles), out, last, last + 1);
  return Math.sign(out[last]) === Math.sign(expected);
}

describe("planted candlesticks", () => {
  const curves = printRecall("candlesticks by noise in average ranges", names, NOISES, SEEDS, (name, noise) =>
    recallBy(SEEDS, (seed) => isFound(name, blur(drawExample(name), noise, seed), EXAMPLES[name][0])),
  );

  it.each(names)("%s is found at the lowest noise", (name) => {
    expect(curves.get(name)?.[0]).toBeGreaterThanOrEqual(0.95);
  });

  const twoWay = drawn.filter(
    ({ name, variants }) => variants.length > 1 && name !== "gap_side_by_side_white",
  );
  it.each(twoWay.map(({ name }) => name))("%s is found upside down", (name) => {
    const mirror = reflect(drawExample(name), 200);
    const recall = recallBy(SEEDS, (seed) =>
      isFound(name, blur(mirror, NOISES[0], SEEDS + seed), -EXAMPLES[name][0]),
    );
    expect(recall).toBeGreaterThanOrEqual(0.95);
  });

  it.each([
    { factor: 0.001, offset: 0 },
    { factor: 1, offset: 5_000 },
    { factor: 700, offset: 100_000 },
  ])("are found whatever the scale and offset: $factor and $offset", ({ factor, offset }) => {
    for (const name of names) {
      const recall = recallBy(20, (seed) => {
        const candles = shift(scale(blur(drawExample(name), NOISES[0], seed), factor), offset);
        return isFound(name, candles, EXAMPLES[name][0]);
      });
      expect(recall, name).toBeGreaterThanOrEqual(0.95);
    }
  });
});
