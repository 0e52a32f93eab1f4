import { describe, expect, it } from "vitest";
import type { Candles } from "../../src/core/market/candles.js";
import { type DrawnFold, plotFolds } from "../../src/features/backtests/plots/folds.js";
import { COLORS, MARGIN, WIDTH } from "../../src/features/backtests/plots/render.js";
import { type DrawnTrade, MOST_TRADES, plotTrades } from "../../src/features/backtests/plots/trades.js";
import { walkBars } from "../fixtures/series.js";
import { axisOf, cornersOf, drawnIn, filled, marksOf, money, placeOf } from "../fixtures/svg.js";

const DAY = 86_400_000;
const SINCE = Date.UTC(2020, 0, 1);
const RIGHT = WIDTH - MARGIN.right;
const TEXT = { title: "Golden Cross on AAPL", subtitle: "after costs" };

function candlesOf(length: number): Candles {
  const bars = walkBars(length, 9);
  return { ...bars, time: bars.time.map((_, i) => SINCE + i * DAY), symbol: "AAPL", interval: "1d" };
}

describe("the plot of trades", () => {
  const candles = candlesOf(200);
  const { open, high, low } = candles;
  const trades: DrawnTrade[] = [
    { direction: 1, entryAt: 10, entry: open[10], exitAt: 30, exit: open[10] + 2, stop: open[10] - 3 },
    {
      direction: -1,
      entryAt: 50,
      entry: open[50],
      exitAt: 70,
      exit: open[50] + 1,
      stop: 1.3 * Math.max(...high),
    },
    { direction: 1, entryAt: 90, entry: open[90], exitAt: 90, exit: low[90], stop: low[90] },
    { direction: 1, entryAt: 150, entry: open[150], exitAt: null, exit: null, stop: open[150] - 2 },
  ];
  const drawn = drawnIn(plotTrades(TEXT, candles, trades, "USD"));
  const value = axisOf(drawn, "y", money);
  const step = Math.abs(value(0) - value(1));
  const middle = (bar: number, count: number) => MARGIN.left + ((RIGHT - MARGIN.left) * (bar + 0.5)) / count;

  function expectAt([x, y]: [number, number], bar: number, price: number, count = 200) {
    expect(Math.abs(x - middle(bar, count))).toBeLessThan(0.6);
    expect(Math.abs(value(y) - price)).toBeLessThan(1.1 * step);
  }

  it("marks entries, exits and stops at their bars and prices", () => {
    const [long, , open4] = marksOf(drawn, COLORS.line).map(placeOf);
    expectAt(long, 10, trades[0].entry);
    expectAt(open4, 150, trades[3].entry);
    const [short] = marksOf(drawn, COLORS.other).map(placeOf);
    expectAt(short, 50, trades[1].entry);
    const exits = marksOf(drawn, COLORS.ink).map(placeOf);
    expect(exits).toHaveLength(3);
    expectAt(exits[1], 70, open[50] + 1);
    const stops = drawn
      .filter(({ attributes }) => attributes["stroke-dasharray"] !== undefined)
      .map(cornersOf);
    expect(stops).toHaveLength(3);
    expectAt(stops[0][0], 10, open[10] - 3);
    expectAt(stops[0][1], 30, open[10] - 3);
    expectAt(stops[1][0], 50, 1.3 * Math.max(...high));
    expectAt(stops[2][1], 199, open[150] - 2);
    for (const corner of stops.flat()) expect(corner[1]).toBeGreaterThanOrEqual(MARGIN.top);
    const [dash] = marksOf(drawn, COLORS.mark).map(placeOf);
    expectAt(dash, 90, low[90]);
  });

  it("tells what gained from what lost by the way from entry to exit", () => {
    const ways = (color: string) =>
      drawn
        .filter(({ attributes }) => attributes.stroke === color && attributes["stroke-width"] === "1.5")
        .map(cornersOf);
    expect(ways(COLORS.gain)).toHaveLength(1);
    expectAt(ways(COLORS.gain)[0][1], 30, open[10] + 2);
    expect(ways(COLORS.loss)).toHaveLength(2);
    expectAt(ways(COLORS.loss)[0][0], 50, open[50]);
  });

  it("of 5,000 bars has candles of several, with every extreme, and the newest of many trades", () => {
    const long = candlesOf(5_000);
    const many = Array.from({ length: 600 }, (_, i) => ({
      ...trades[0],
      entryAt: 8 * i,
      entry: long.open[8 * i],
      exitAt: 8 * i + 6,
      exit: long.close[8 * i + 6],
      stop: null,
    }));
    const svg = plotTrades(TEXT, long, many, "USD");
    expect(svg.length).toBeLessThan(300_000);
    const elements = drawnIn(svg);
    const subtitle = `after costs; a candle is 18 bars; the newest ${MOST_TRADES} of 600 trades`;
    expect(elements.map(({ text }) => text)).toContain(subtitle);
    expect(marksOf(elements, COLORS.line)).toHaveLength(MOST_TRADES);
    const read = axisOf(elements, "y", money);
    const edges = elements
      .filter(({ attributes }) => attributes["stroke-opacity"] === "0.45" || attributes.opacity === "0.45")
      .flatMap(cornersOf)
      .map(([, y]) => read(y));
    expect(edges.length).toBeGreaterThan(4 * 278);
    const unit = Math.abs(read(0) - read(1));
    expect(Math.abs(Math.max(...edges) - Math.max(...long.high))).toBeLessThan(1.2 * unit);
    expect(Math.abs(Math.min(...edges) - Math.min(...long.low))).toBeLessThan(1.2 * unit);
  });

  it("refuses a trade on a bar that is not there", () => {
    const beyond = [{ ...trades[0], exitAt: 200 }];
    expect(() => plotTrades(TEXT, candles, beyond, "USD")).toThrow("no bar 200");
  });
});

describe("the plot of folds", () => {
  const folds: DrawnFold[] = Array.from({ length: 5 }, (_, i) => ({
    trainFromMs: Date.UTC(2015 + i, 0, 1),
    trainToMs: Date.UTC(2018 + i, 0, 1),
    testFromMs: Date.UTC(2018 + i, 1, 1),
    testToMs: Date.UTC(2019 + i, 0, 1),
    trainResult: 1.5 - 0.1 * i,
    testResult: i === 2 ? null : -0.4 + 0.3 * i,
  }));
  const drawn = drawnIn(plotFolds(TEXT, folds, "Sharpe ratio, annual"));
  const [from, to] = [folds[0].trainFromMs, folds[4].testToMs];
  const edge = (ms: number) => MARGIN.left + ((ms - from) / (to - from)) * (WIDTH - 310 - 28 - MARGIN.left);

  it("has each window from its first to its last moment, a row below the other", () => {
    const boxes = filled(drawn, COLORS.line).filter(({ attributes }) => attributes["fill-opacity"] === "0.9");
    expect(boxes).toHaveLength(5);
    let above = 0;
    for (const [i, box] of boxes.entries()) {
      const corners = cornersOf(box);
      const xs = corners.map(([x]) => x);
      expect(Math.abs(Math.min(...xs) - edge(folds[i].testFromMs))).toBeLessThan(0.3);
      expect(Math.abs(Math.max(...xs) - edge(folds[i].testToMs))).toBeLessThan(0.3);
      expect(corners[0][1]).toBeGreaterThan(above);
      above = corners[0][1];
    }
    const trained = filled(drawn, COLORS.ink).filter(
      ({ attributes }) => attributes["fill-opacity"] === "0.5",
    );
    expect(Math.abs(cornersOf(trained[4])[0][0] - edge(folds[4].trainFromMs))).toBeLessThan(0.3);
  });

  it("has each result where its axis says, and names what is missing", () => {
    const number = (text: string) => (/^-?\d+(\.\d+)?$/.test(text) ? Number(text) : null);
    const right = drawn.filter(
      (each) => each.attributes.transform !== undefined && placeOf(each)[0] > WIDTH - 300,
    );
    const value = axisOf(right, "x", number);
    const dots = marksOf(drawn, COLORS.line).map(placeOf);
    const known = folds.flatMap(({ testResult }) => (testResult === null ? [] : [testResult]));
    expect(dots).toHaveLength(4);
    for (const [i, [x]] of dots.entries()) expect(value(x)).toBeCloseTo(known[i], 1);
    const trained = marksOf(drawn, COLORS.ink).map(placeOf);
    for (const [i, [x]] of trained.entries()) expect(Math.abs(value(x) - (1.5 - 0.1 * i))).toBeLessThan(0.02);
    const texts = drawn.map(({ text }) => text);
    expect(texts).toContain("after costs; without a result in a window: 1 of 5 folds");
    expect(texts).toContain("Sharpe ratio, annual");
  });

  it("says when there are none", () => {
    const texts = drawnIn(plotFolds(TEXT, [], "Sharpe ratio")).map(({ text }) => text);
    expect(texts).toContain("after costs; no data");
  });
});
