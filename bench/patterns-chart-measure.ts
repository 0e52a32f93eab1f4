import type { Candles } from "../src/core/market/candles.js";
import { CHARTS } from "../src/core/patterns/chart/index.js";
import type { Hit } from "../src/core/patterns/define.js";
import { createPatternSeries } from "../src/core/patterns/series.js";
import { randomWalk } from "./data.js";
import { type Figure, type Section, timeCases } from "./time.js";

/** Prints sections: all chart rows over a series, and over the window that one more bar needs. */
const LENGTH = 5_000;
const WINDOW = 251;
const ROUNDS = 60;
/** Targets in milliseconds. */
const MOST_SERIES = 5;
const MOST_BAR = 0.5;

function findAll(candles: Candles, from: number): number {
  const series = createPatternSeries(candles);
  const hits: Hit[] = [];
  for (const row of CHARTS) row.find(series, from, candles.time.length, hits);
  return hits.length;
}

function figures(): Figure[] {
  const series = randomWalk(LENGTH, 7);
  const window = randomWalk(WINDOW, 8);
  const counts = { hits: findAll(series, 0) };
  const cases = [
    {
      name: `all rows over ${LENGTH.toLocaleString("en")} bars`,
      items: 1,
      run: () => void findAll(series, 0),
    },
    {
      name: `all rows at one bar, from ${WINDOW} bars`,
      items: 1,
      run: () => void findAll(window, WINDOW - 1),
    },
  ];
  const [whole, bar] = timeCases(cases, ROUNDS);
  const timed = ({ name, minNs }: { name: string; minNs: number }, most: number): Figure => {
    const value = minNs / 1e6;
    return { name, value, unit: "ms", target: { text: `<= ${most} ms`, met: value <= most } };
  };
  return [
    timed(whole, MOST_SERIES),
    { name: "the same, median", value: whole.medianNs / 1e6, unit: "ms" },
    timed(bar, MOST_BAR),
    { name: "events told of", value: (counts.hits / LENGTH) * 1_000, unit: "in 1,000 bars" },
  ];
}

const sections: Section[] = [{ row: "C4", title: "Chart shapes", notes: [], figures: figures() }];
process.stdout.write(JSON.stringify(sections));
