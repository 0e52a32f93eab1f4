import { lendingColumns } from "../src/core/base/columns.js";
import type { Hit } from "../src/core/patterns/define.js";
import { PATTERNS } from "../src/core/patterns/index.js";
import { createPatternSeries } from "../src/core/patterns/series.js";
import { findSightings } from "../src/features/detections/find.js";
import { randomWalk } from "./data.js";
import { type Case, type Timing, timeCases } from "./time.js";
import { ema14 } from "./yardstick.js";

/** Times every pattern over one series of so many bars, in a thread that is like those of the scanner. */
export default function measure(length: number): Timing[] {
  const candles = randomWalk(length, 11);
  const column = randomWalk(100_000, 12).close;
  const cases: readonly Case[] = [
    {
      name: `${PATTERNS.length} patterns over ${length} bars`,
      items: 1,
      run: () =>
        lendingColumns(() => {
          const series = createPatternSeries(candles);
          const hits: Hit[] = [];
          for (const pattern of PATTERNS) pattern.find(series, 0, length, hits);
        }),
    },
    {
      name: "the same with trend, regime and range of each",
      items: 1,
      run: () => void findSightings(candles, 0),
    },
    {
      name: "an average of 14 bars, exponential, a bar of it",
      items: column.length,
      run: () => ema14(column, column),
    },
  ];
  return timeCases(cases, 40);
}
