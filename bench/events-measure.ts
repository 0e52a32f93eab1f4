import { sliceCandles } from "../src/core/market/candles.js";
import { type Hit, MEMORY_BARS, type Pattern } from "../src/core/patterns/define.js";
import { INDICATOR_PATTERNS } from "../src/core/patterns/indicator/index.js";
import { LEVEL_PATTERNS } from "../src/core/patterns/level/index.js";
import { levelsAt } from "../src/core/patterns/level/levels.js";
import { createPatternSeries } from "../src/core/patterns/series.js";
import { VOLUME_PATTERNS } from "../src/core/patterns/volume/index.js";
import { randomWalk } from "./data.js";
import { type Case, type Figure, type Section, timeCases } from "./time.js";

/** Prints a section: patterns told by volume, levels and indicators over a series, and at the newest bar of one. */
const LENGTH = 5_000;
const MOST_MS = 4;
const ROUNDS = 60;

const candles = randomWalk(LENGTH, 9);
const window = sliceCandles(candles, LENGTH - MEMORY_BARS - 1, LENGTH);
const families: readonly (readonly [string, readonly Pattern[]])[] = [
  ["volume", VOLUME_PATTERNS],
  ["levels", LEVEL_PATTERNS],
  ["indicators", INDICATOR_PATTERNS],
];
const all = families.flatMap(([, rows]) => rows);

/** Finds from the candles on: columns and pivots are computed anew. */
function find(rows: readonly Pattern[], from: number, over = candles): void {
  const series = createPatternSeries(over);
  const hits: Hit[] = [];
  for (const row of rows) row.find(series, from, over.time.length, hits);
}

const cases: readonly Case[] = [
  { name: "range and pivots", items: 1, run: () => void createPatternSeries(candles).pivots },
  ...families.map(([name, rows]) => ({ name: `told by ${name}`, items: 1, run: () => find(rows, 0) })),
  { name: "all", items: 1, run: () => find(all, 0) },
  { name: "all, at the newest bar of 251", items: 1, run: () => find(all, MEMORY_BARS, window) },
  {
    name: "levels at the newest bar of 251",
    items: 1,
    run: () => void levelsAt(createPatternSeries(window), MEMORY_BARS),
  },
];

const figures: Figure[] = timeCases(cases, ROUNDS).flatMap(({ name, minNs, medianNs }) => {
  const value = minNs / 1e6;
  const target = name === "all" ? { target: { text: `<= ${MOST_MS}`, met: value <= MOST_MS } } : {};
  return [
    { name: `${name}, min`, value, unit: "ms", ...target },
    { name: `${name}, median`, value: medianNs / 1e6, unit: "ms" },
  ];
});
const title = `Events of volume, levels and indicators in ${LENGTH} bars`;
const sections: readonly Section[] = [{ row: "C3", title, notes: [], figures }];
process.stdout.write(JSON.stringify(sections));
