import { type Candles, sliceCandles } from "../src/core/market/candles.js";
import { allocateAnatomy, extendAnatomy } from "../src/core/patterns/anatomy.js";
import { CANDLESTICKS } from "../src/core/patterns/candlestick/index.js";
import { extendSignals } from "../src/core/patterns/candlestick/signals.js";
import type { Hit, PatternSeries } from "../src/core/patterns/define.js";
import { allocateWorkspace, createPatternSeries } from "../src/core/patterns/series.js";
import { randomWalk } from "./data.js";
import { buildTalibCandlesticks, IN_TALIB, type TalibCandlesticks } from "./talib-candlesticks.js";
import { type Case, type Figure, type Section, Timings, timeCases, untilSteady } from "./time.js";
import { ema14 } from "./yardstick.js";

/** Prints sections: all candlestick functions beside TA-Lib in C, and live. */
const LENGTH = 1_000_000;
const ROUNDS = 9;
/** Targets: all functions cost no more than so many EMA(14), and than so much of TA-Lib in C. */
const MOST_EMAS = 110;
const MOST_OF_C = 0.33;

function allocateSeries(candles: Candles): PatternSeries {
  const { length } = candles.time;
  const unread = createPatternSeries(sliceCandles(candles, 0, 0));
  return {
    ...unread,
    candles,
    anatomy: allocateAnatomy(length),
    workspace: allocateWorkspace(length),
    derived: [],
  };
}

function allocateColumns(length: number): Int16Array[] {
  return CANDLESTICKS.map(() => new Int16Array(length));
}

/** Cells of 1,000,000 bars in which TA-Lib in C writes another value. */
function differences(talib: TalibCandlesticks, candles: Candles): number {
  const { length } = candles.time;
  const columns = allocateColumns(length);
  extendSignals(allocateSeries(candles), columns, 0, length);
  talib.load(candles);
  const values = talib.values();
  let different = 0;
  for (const [row, { column }] of IN_TALIB.entries()) {
    const ours = columns[column];
    for (let i = 0; i < length; i++) different += Number(ours[i] !== values[row * length + i]);
  }
  return different;
}

function againstC(talib: TalibCandlesticks, candles: Candles, timings: Timings): Figure[] {
  const ratio = timings.fastest(COLUMN) / timings.fastest(IN_C);
  const ticks = differences(talib, randomWalk(LENGTH, 8, 0.05));
  const walk = differences(talib, candles);
  return [
    { name: `${IN_C}, min`, value: timings.fastest(IN_C), unit: "ns/bar" },
    { name: `${IN_C}, median`, value: timings.median(IN_C), unit: "ns/bar" },
    {
      name: "all into one column / TA-Lib in C, of the minima",
      value: ratio,
      unit: "x",
      target: { text: `<= ${MOST_OF_C}`, met: ratio <= MOST_OF_C },
    },
    { name: "different on the walk", value: walk, unit: "cells", target: { text: "0", met: walk === 0 } },
    {
      name: "different on a 0.05 tick",
      value: ticks,
      unit: "cells",
      target: { text: "0", met: ticks === 0 },
    },
  ];
}

const YARDSTICK = "EMA(14), the yardstick Y";
const COLUMNS = "anatomy and all 61 into 61 columns";
const COLUMN = "anatomy and all 61 into one column";
const IN_C = "TA-Lib in C";

function cases(candles: Candles): Case[] {
  const series = allocateSeries(candles);
  const columns = allocateColumns(LENGTH);
  // TA-Lib writes all functions into one column; so does the case that it is compared with.
  const shared = CANDLESTICKS.map(() => columns[0]);
  const averages = new Float64Array(LENGTH);
  const listed: readonly (readonly [name: string, run: () => void])[] = [
    [YARDSTICK, () => ema14(candles.close, averages)],
    ["anatomy", () => extendAnatomy(series.anatomy, candles, 0, LENGTH)],
    [COLUMNS, () => extendSignals(series, columns, 0, LENGTH)],
    [COLUMN, () => extendSignals(series, shared, 0, LENGTH)],
  ];
  return listed.map(([name, run]) => ({ name, items: LENGTH, run }));
}

function measure(timed: readonly Case[], candles: Candles, talib: TalibCandlesticks | string): Timings {
  const timings = new Timings();
  if (typeof talib !== "string") talib.load(candles);
  untilSteady(ROUNDS, 3 * ROUNDS, () => {
    const ns = typeof talib === "string" ? null : talib.time();
    // Each case warms up anew: starting a process leaves the memory of this one to be copied page by page.
    const round = timed.flatMap((one) => timeCases([one], 3));
    return timings.add(ns === null ? round : [...round, { name: IN_C, minNs: ns, medianNs: ns }]);
  });
  return timings;
}

function speed(): Section {
  const candles = randomWalk(LENGTH, 7);
  const talib = buildTalibCandlesticks(IN_TALIB.map(({ talib }) => talib));
  const timed = cases(candles);
  const timings = measure(timed, candles, talib);
  const emas = timings.fastest(COLUMNS) / timings.fastest(YARDSTICK);
  const figures: Figure[] = timed.flatMap(({ name }) => [
    { name: `${name}, min`, value: timings.fastest(name), unit: "ns/bar" },
    { name: `${name}, median`, value: timings.median(name), unit: "ns/bar" },
  ]);
  figures.push({
    name: "all into 61 columns / Y, of the minima",
    value: emas,
    unit: "Y",
    target: { text: `<= ${MOST_EMAS}`, met: emas <= MOST_EMAS },
  });
  const title = "All 61 functions over 1,000,000 bars";
  if (typeof talib === "string") return { row: "C2", title, notes: [talib], figures };
  figures.push(...againstC(talib, candles, timings));
  talib.remove();
  return { row: "C2", title, notes: [], figures };
}

function live(): Section {
  const length = 20_000;
  const candles = randomWalk(length, 9);
  const series = allocateSeries(candles);
  const columns = allocateColumns(length);
  const window = randomWalk(500, 10);
  const stream = () => {
    for (let i = 0; i < length; i++) extendSignals(series, columns, i, i + 1);
  };
  const [bar, found] = timeCases([
    { name: "stream", items: length, run: stream },
    {
      name: "find",
      items: 1,
      run: () => {
        const fresh = createPatternSeries(window);
        const hits: Hit[] = [];
        for (const row of CANDLESTICKS) row.find(fresh, 0, 500, hits);
      },
    },
  ]);
  const before = process.memoryUsage().heapUsed;
  stream();
  const grown = (process.memoryUsage().heapUsed - before) / length;
  return {
    title: "Live",
    notes: [],
    figures: [
      { name: "a bar of a stream, all 61, median", value: bar.medianNs / 1000, unit: "µs" },
      {
        name: "heap grown by a bar of a stream",
        value: grown,
        unit: "bytes",
        target: { text: "< 16, a boxed double", met: grown < 16 },
      },
      {
        name: "hits of all 61 in 500 bars, from the candles, median",
        value: found.medianNs / 1e6,
        unit: "ms",
      },
    ],
  };
}

process.stdout.write(JSON.stringify([speed(), live()]));
