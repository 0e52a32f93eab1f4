import { describe, expect, it } from "vitest";
import { checkScale } from "../../src/core/quality/scale.js";

/** Bars of one price each, a little apart. */
function barsOf(prices: readonly number[]) {
  const column = (factor: number) =>
    Float64Array.from(prices, (price, i) => price * factor * (1 + 0.001 * (i % 3)));
  return {
    time: Float64Array.from(prices, (_, i) => i * 86_400_000),
    open: column(1),
    high: column(1.01),
    low: column(0.99),
    close: column(1),
    volume: new Float64Array(prices.length).fill(1_000),
  };
}
const run = (count: number, price: number) => Array.from({ length: count }, () => price);

describe("the scale of a stretch", () => {
  it("is that of most bars: a few that are off by a hundred are slips with one remedy", () => {
    const { slips, doubts } = checkScale(barsOf([...run(80, 130), ...run(10, 13_000)]));
    expect(slips).toEqual([{ from: 80, to: 90, factor: 0.01 }]);
    expect(doubts).toEqual([]);
  });

  it.each([
    [58, 32],
    [48, 42],
    [30, 60 - 1],
  ])("is not told by %d bars against %d: nothing is mended, all are in doubt", (before, after) => {
    const { slips, doubts } = checkScale(barsOf([...run(before, 130), ...run(after, 13_000)]));
    expect(slips).toEqual([]);
    const held = doubts.reduce((sum, { from, to }) => sum + to - from, 0);
    expect(held).toBe(before + after);
  });
});
