import { describe, expect, it } from "vitest";
import type { Candles } from "../../src/core/market/candles.js";
import type { Candlestick } from "../../src/core/patterns/candlestick/define.js";
import { CANDLESTICKS } from "../../src/core/patterns/candlestick/index.js";
import { createPatternSeries } from "../../src/core/patterns/series.js";
import { drawExample, EXAMPLES } from "../fixtures/candlestick-examples.js";
import { reflect } from "../fixtures/reflect.js";

function lastValue(row: Candlestick, candles: Candles): number {
  const last = candles.time.length - 1;
  const out = new Int16Array(last + 1);
  row.signal(createPatternSeries(candles), out, last, last + 1);
  return out[last];
}

const drawn = CANDLESTICKS.filter(({ name }) => name in EXAMPLES);

describe("drawn candlesticks", () => {
  it("has one for each row that TA-Lib has, and none of nothing", () => {
    const needed = CANDLESTICKS.filter(({ talib }) => talib !== null).map(({ name }) => name);
    expect(needed.filter((name) => !(name in EXAMPLES))).toEqual([]);
    const names = CANDLESTICKS.map(({ name }) => name);
    expect(Object.keys(EXAMPLES).filter((name) => !names.includes(name))).toEqual([]);
  });

  it.each(drawn.map((row) => [row.name, row] as const))("%s is seen as drawn", (name, row) => {
    expect(lastValue(row, drawExample(name))).toBe(EXAMPLES[name][0]);
  });

  it.each(drawn.map((row) => [row.name, row] as const))("%s is not seen in calm bars", (name, row) => {
    const values = new Int16Array(16);
    row.signal(createPatternSeries(drawExample(name)), values, 0, 16);
    expect(values).toEqual(new Int16Array(16));
  });

  const twoWay = drawn.filter(({ variants }) => variants.length > 1);
  it.each(twoWay.map((row) => [row.name, row] as const))("%s turns over in a mirror", (name, row) => {
    // Side-by-side white lines are white on both sides.
    const expected = name === "gap_side_by_side_white" ? 0 : -EXAMPLES[name][0];
    expect(lastValue(row, reflect(drawExample(name), 200))).toBe(expected + 0);
  });
});
