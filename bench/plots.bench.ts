import { createRng } from "../src/core/base/rng.js";
import { allocateBars, type Candles } from "../src/core/market/candles.js";
import { drawdownsOf } from "../src/core/performance/returns.js";
import { plotFolds } from "../src/features/backtests/plots/folds.js";
import { plotDrawdown, plotEquity } from "../src/features/backtests/plots/lines.js";
import { plotMonths } from "../src/features/backtests/plots/months.js";
import { plotTrades } from "../src/features/backtests/plots/trades.js";
import { type Bench, timeCases } from "./time.js";

const BARS = 5_000;
const DAY_MS = 86_400_000;
const SINCE = Date.UTC(2005, 0, 1);
const TARGET_MS = 200;
const TARGET_KB = 250;

export const bench: Bench = {
  name: "Plots",
  run() {
    const plots = plotsOf();
    const timings = timeCases(
      plots.map(([name, plot]) => ({ name, items: 1, run: () => void plot() })),
      7,
    );
    const figures = timings.flatMap(({ name, minNs }, i) => [
      { name: `${name}, time`, value: minNs / 1e6, unit: "ms" },
      { name: `${name}, size`, value: plots[i][1]().length / 1_000, unit: "kB" },
    ]);
    const most = (unit: string) =>
      Math.max(...figures.filter((figure) => figure.unit === unit).map(({ value }) => value));
    const [ms, kB] = [most("ms"), most("kB")];
    return [
      {
        row: "B1",
        title: `SVG of ${BARS} bars`,
        notes: [],
        figures: [
          ...figures,
          {
            name: "slowest",
            value: ms,
            unit: "ms",
            target: { text: `<= ${TARGET_MS} ms`, met: ms <= TARGET_MS },
          },
          {
            name: "largest",
            value: kB,
            unit: "kB",
            target: { text: `<= ${TARGET_KB} kB`, met: kB <= TARGET_KB },
          },
        ],
      },
    ];
  },
};

/** A random walk of prices with a trade every 25 bars, and what would be drawn of it. */
function plotsOf(): [string, () => string][] {
  const candles = walk();
  const { time, close } = candles;
  const text = { title: "A strategy on a walk", subtitle: "generated bars" };
  const equity = { time, equity: close, currency: "USD" };
  const bounds = { worst: close.map((price) => 0.95 * price), best: close.map((price) => 1.05 * price) };
  const benchmark = { name: "buy and hold", equity: close.map((price) => Math.sqrt(100 * price)) };
  const depth = drawdownsOf(close.map((price) => price / close[0]));
  const trades = Array.from({ length: BARS / 25 - 1 }, (_, i) => {
    const [entryAt, exitAt] = [25 * i, 25 * i + 15];
    const direction = i % 3 === 0 ? -1 : 1;
    const stop = (1 - 0.05 * direction) * close[entryAt];
    return { direction, entryAt, entry: close[entryAt], exitAt, exit: close[exitAt], stop } as const;
  });
  const years = Array.from({ length: 14 }, (_, i) => ({ year: 2005 + i, value: 0.02 * (i % 5) - 0.03 }));
  const months = years.flatMap(({ year, value }) =>
    Array.from({ length: 12 }, (_, i) => ({ year, month: i + 1, value: value / (i + 1) })),
  );
  const folds = Array.from({ length: 40 }, (_, i) => {
    const at = SINCE + i * 90 * DAY_MS;
    const [trainToMs, testToMs] = [at + 720 * DAY_MS, at + 810 * DAY_MS];
    const window = { trainFromMs: at, trainToMs, testFromMs: trainToMs, testToMs };
    return { ...window, trainResult: 1 + 0.01 * i, testResult: 0.5 - 0.01 * i };
  });
  return [
    ["equity, benchmark and bounds", () => plotEquity(text, { ...equity, benchmark, bounds })],
    ["drawdown", () => plotDrawdown(text, time, depth)],
    ["14 years of months", () => plotMonths(text, months, years)],
    ["candles with 199 trades", () => plotTrades(text, candles, trades, "USD")],
    ["40 folds", () => plotFolds(text, folds, "Sharpe ratio, annual")],
  ];
}

function walk(): Candles {
  const rng = createRng(5);
  const bars = allocateBars(BARS);
  let price = 100;
  for (let i = 0; i < BARS; i++) {
    bars.time[i] = SINCE + i * DAY_MS;
    bars.open[i] = price;
    price *= Math.exp(0.012 * rng.normal());
    bars.close[i] = price;
    bars.high[i] = 1.004 * Math.max(price, bars.open[i]);
    bars.low[i] = 0.996 * Math.min(price, bars.open[i]);
  }
  return { ...bars, symbol: "WALK", interval: "1d" };
}
