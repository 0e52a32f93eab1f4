import { describe, expect, it } from "vitest";
import { ensure } from "../../src/core/base/assert.js";
import { computeIndicator } from "../../src/core/indicators/define.js";
import { findIndicator } from "../../src/core/indicators/index.js";
import { allocateBars, type Bars } from "../../src/core/market/candles.js";

type Row = readonly [open: number, high: number, low: number, close: number, volume?: number];

function barsOf(rows: readonly Row[]): Bars {
  const bars = allocateBars(rows.length);
  for (const [i, [open, high, low, close, volume = 100]] of rows.entries()) {
    bars.time[i] = i * 60_000;
    bars.open[i] = open;
    bars.high[i] = high;
    bars.low[i] = low;
    bars.close[i] = close;
    bars.volume[i] = volume;
  }
  return bars;
}

function outputsOf(name: string, bars: Bars, values: Readonly<Record<string, number>>) {
  const indicator = ensure(findIndicator(name), name);
  const columns = computeIndicator(indicator, bars, values);
  return Object.fromEntries(indicator.outputs.map((output, k) => [output.name, [...columns[k]]]));
}

describe("MLMI, worked out by hand", () => {
  // A mean of 2 bars less one of 3 has the sign of the change over two bars: it turns at bars 4, 6 and 9.
  const prices = [10, 11, 12, 11, 10, 11, 12, 13, 12, 11, 12];
  const bars = barsOf(prices.map((price) => [price, price, price, price]));
  const values = { fast: 2, slow: 3, short: 2, long: 2, smooth: 1, points: 5 };

  it("asks the one point most like the bar, once what came of it is known", () => {
    // Both indices are 25 at bar 4, after which the close rose to 12, and 81.25 at bar 6, after which it fell to 11.
    // They are 22.66 at bar 9, nearer the first, and 61.33 at bar 10, nearer the second.
    const { mlmi, cross } = outputsOf("mlmi", bars, { ...values, neighbours: 1 });
    expect(mlmi).toEqual([NaN, NaN, NaN, 50, 50, 50, 100, 100, 100, 100, 0]);
    expect(cross).toEqual([NaN, NaN, NaN, 0, -1, 0, 1, 0, 0, -1, 0]);
  });

  it("is the mean of those that are asked, and forgets the oldest", () => {
    expect(outputsOf("mlmi", bars, { ...values, neighbours: 2 }).mlmi.slice(6)).toEqual([
      100, 100, 100, 50, 50,
    ]);
    const short = outputsOf("mlmi", bars, { ...values, neighbours: 1, points: 1 });
    expect(short.mlmi.slice(6)).toEqual([100, 100, 100, 0, 0]);
  });
});

describe("fair value gap, worked out by hand", () => {
  const quiet: Row = [10, 10.5, 9.5, 10.2];
  const bars = barsOf([
    ...Array.from({ length: 7 }, () => quiet),
    [10.4, 13, 10.4, 12.9],
    // Its low lies 1.5 above the high of bar 6.
    [12.9, 13.5, 12, 13],
    [13, 13.2, 11, 11.5],
    // Fills that gap, and leaves one of 0.4 below the low of bar 8.
    [11.5, 11.6, 10.5, 10.6, 300],
    [10.6, 11.2, 10.3, 10.6],
    ...Array.from({ length: 4 }, (): Row => [10.6, 10.9, 10.3, 10.6]),
  ]);
  const found = outputsOf("fair_value_gap", bars, { life: 4, bodies: 2, factor: 1 });

  function expectColumn(name: string, expected: readonly number[]): void {
    expect(found[name].slice(0, 7).every(Number.isNaN), name).toBe(true);
    for (const [k, value] of expected.entries())
      expect(found[name][7 + k], `${name} ${k}`).toBeCloseTo(value, 12);
  }

  it("is seen at the third bar, is open until it is filled or too old", () => {
    expectColumn("gap", [0, 1.5, 0, -0.4, 0, 0, 0, 0, 0]);
    expectColumn("bullish", [0, 1, 1, 0, 0, 0, 0, 0, 0]);
    expectColumn("bearish", [0, 0, 0, 1, 1, 1, 1, 1, 0]);
    expectColumn("distance", [0, -1, 0.5, 1, 1, 1, 1, 1, 0]);
    expectColumn("age", [1, 0, 0.25, 0, 0.25, 0.5, 0.75, 1, 1]);
  });

  it("is filled at its far edge, the stronger the quicker, the louder and the younger", () => {
    expectColumn("bullish_fill", [0, 0, 0, 1.5, 0, 0, 0, 0, 0]);
    expectColumn("bearish_fill", [0, 0, 0, 0, 0, 0, 0, 0, 0]);
    // One bar after it was entered, at three times the volume, half of its life over.
    expectColumn("strength", [0, 0, 0, 0.4 + 0.3 * 0.95 + 0.2 + 0.1 * 0.5, 0, 0, 0, 0, 0]);
  });

  it("needs a large body between", () => {
    const { gap } = outputsOf("fair_value_gap", bars, { life: 4, bodies: 2, factor: 20 });
    expect(gap.slice(7).every((size) => size === 0)).toBe(true);
  });
});

describe("low volume node, worked out by hand", () => {
  const values = { bins: 10, share: 0.3 };
  // In steps of 1 from 100: heavy below 103 and above 107, 10 or 20 between.
  const bars = barsOf([
    [101, 103, 100, 102, 300],
    // Through it to the other side.
    [102, 110, 100, 109, 100],
    [109, 110, 107, 108, 300],
    // Into it from above, and out again by the next close.
    [108, 109, 105, 108, 40],
    [108, 110, 107, 109, 300],
    [109, 109, 108, 108.5, 10],
  ]);

  it("lies between what is busier, and is stronger once what came to it has left where it came from", () => {
    // 15 a step between 103 and 107, 120 in the busiest. The visit of the last bar is not over.
    const before = outputsOf("low_volume_node", bars, { ...values, period: 4 });
    expect(before.below[3]).toBeCloseTo(-3, 12);
    expect(before.below_strength[3]).toBeCloseTo(0.4 * (1 - 15 / 120) + 0.1 * (1 - 3 / 10), 12);
    // Two visits: one went through, one was sent back, which was known one bar ago.
    const { below, below_strength, has_below, above, above_strength, has_above } = outputsOf(
      "low_volume_node",
      bars,
      { ...values, period: 6 },
    );
    expect(below[5]).toBeCloseTo(-3.5, 12);
    const tried = 0.15 / 5 + 0.15 / 2 + 0.2 * (1 - 1 / 6);
    expect(below_strength[5]).toBeCloseTo(0.4 * (1 - 15 / 230) + tried + 0.1 * (1 - 3.5 / 10), 12);
    expect([has_below[5], above[5], above_strength[5], has_above[5]]).toEqual([1, 0, 0, 0]);
  });

  it("is no empty tail", () => {
    const tail = barsOf([
      [101, 102, 100, 101, 500],
      [101, 110, 100, 101, 20],
      [101, 102, 100, 101, 500],
    ]);
    const { has_below, has_above } = outputsOf("low_volume_node", tail, { ...values, period: 3 });
    expect([has_below[2], has_above[2]]).toEqual([0, 0]);
  });
});

describe("slope of the rational quadratic estimate, worked out by hand", () => {
  it("is a weighted mean of changes in true ranges, and turns where its sign does", () => {
    // Weights 1 and 2/3; the range of a bar is its change.
    const bars = barsOf([10, 11, 12, 10, 9, 12].map((price): Row => [price, price, price, price]));
    const values = { period: 2, bandwidth: 1, weighting: 1, range: 1 };
    const { estimate, slope, turn } = outputsOf("rational_quadratic_slope", bars, values);
    const expected = [1, (-2 + 2 / 3) / (5 / 3) / 2, (-1 - 4 / 3) / (5 / 3), (3 - 2 / 3) / (5 / 3) / 3];
    for (const [k, value] of expected.entries()) expect(slope[2 + k]).toBeCloseTo(value, 12);
    expect(estimate[2]).toBeCloseTo((12 + 22 / 3) / (5 / 3), 12);
    expect(turn).toEqual([NaN, NaN, 0, -1, 0, 1]);
  });
});
