import { describe, expect, it } from "vitest";
import { type Candles, sliceCandles } from "../../src/core/market/candles.js";
import { createBacktestAnswers } from "../../src/features/backtests/answers.js";
import { singleOrder } from "../../src/features/backtests/order.js";
import type { Database } from "../../src/platform/database.js";
import type { Workers } from "../../src/platform/workers.js";
import { backtestParts, candlesOfCloses, useBacktests } from "../fixtures/backtests.js";

let database: Database;
let workers: Workers;
useBacktests((parts) => {
  ({ database, workers } = parts);
});

const LENGTH = 500;
const candles = candlesOfCloses(Array.from({ length: LENGTH }, (_, i) => 100 + 20 * Math.sin(i / 15)));
const other = candlesOfCloses(Array.from({ length: LENGTH }, (_, i) => 50 + i / 10));

async function figuresAgainst(benchmark: Candles) {
  const parts = backtestParts(database, workers, candles);
  const traded = await parts.candles.loadRange(await parts.instruments.resolve("BTC-USD"), "1d", 0, 0);
  const answers = createBacktestAnswers({
    ...parts,
    candles: {
      loadRange: async ({ symbol }) =>
        symbol === "ETH-USD" ? { ...traded, candles: { ...benchmark, symbol } } : traded,
    },
    instruments: {
      ...parts.instruments,
      resolve: async (symbol) => ({ ...(await parts.instruments.resolve(symbol)), symbol }),
    },
  });
  const order = { symbol: "BTC-USD", start_date: "2015-01-01", benchmark: "ETH-USD" };
  const { report } = await answers.runSingle("ann", singleOrder.parse(order));
  const named = new Map(report.figures.map(({ name, value, reason }) => [name, { value, reason }]));
  return ["benchmark_return", "alpha", "beta"].map((name) => named.get(name as "alpha"));
}

describe("a benchmark of its own", () => {
  it("is compared with where it covers the run, but for bars that its market may lack", async () => {
    const [held, alpha] = await figuresAgainst(other);
    expect(held?.value).toBeCloseTo((50 + 49.9) / 50 - 1, 12);
    expect(alpha?.value).not.toBeNull();
    const [short] = await figuresAgainst(sliceCandles(other, 0, LENGTH - 2));
    expect(short?.value).toBeCloseTo((50 + 49.7) / 50 - 1, 12);
  });

  it.each([
    ["ends within the run", 0, 200, "has bars of 2015-01-01 to 2015-07-19 alone"],
    ["begins within the run", 100, LENGTH, "has bars of 2015-04-11 to 2016-05-14 alone"],
    ["lies within the run", 100, 200, "has bars of 2015-04-11 to 2015-07-19 alone"],
    ["has no bar there", 0, 0, "has no 1d bar in that stretch"],
  ])("has no figure, and says why, where it %s", async (_, from, to, reason) => {
    for (const figure of await figuresAgainst(sliceCandles(other, from, to))) {
      expect(figure).toEqual({ value: null, reason: expect.stringContaining(reason) });
    }
  });

  it("has none where many of its bars are missing in the middle, and where few are it is carried over them", async () => {
    const without = (from: number, to: number) => {
      const rows = [...other.time.keys()].filter((i) => i < from || i >= to);
      const column = (values: Float64Array) => Float64Array.from(rows, (i) => values[i]);
      const { time, open, high, low, close, volume } = other;
      const [times, opens, highs] = [column(time), column(open), column(high)];
      return {
        ...other,
        time: times,
        open: opens,
        high: highs,
        low: column(low),
        close: column(close),
        volume: column(volume),
      };
    };
    const [few] = await figuresAgainst(without(200, 205));
    expect(few?.value).toBeCloseTo((50 + 49.9) / 50 - 1, 12);
    for (const figure of await figuresAgainst(without(200, 260))) {
      const reason = expect.stringContaining("lacks its 60 bars of 2015-07-20 to 2015-09-17");
      expect(figure).toEqual({ value: null, reason });
    }
  });

  it("has none where it ends before the run begins", async () => {
    const year = 366 * 86_400_000;
    const before = { ...other, time: other.time.map((each) => each - 2 * year) };
    const [held] = await figuresAgainst(before);
    expect(held).toEqual({
      value: null,
      reason: expect.stringContaining("the benchmark ETH-USD has bars of"),
    });
  });
});
