import { explainRegime } from "../src/core/regime/explain.js";
import { computeRegimes } from "../src/core/regime/regime.js";
import { directionScores, fuseTimeframes, readingAt } from "../src/core/signals/timeframes.js";
import { randomWalk } from "./data.js";
import { type Bench, timeCases } from "./time.js";

const BARS = 5_000;
const TARGET_MS = 3;

export const bench: Bench = {
  name: "Regimes",
  run() {
    const candles = randomWalk(BARS, 51);
    const columns = computeRegimes(candles);
    const score = directionScores(columns);
    const series = (["1h", "4h", "1d"] as const).map((interval) => ({
      interval,
      knownAt: candles.time,
      score,
    }));
    const instant = candles.time[BARS - 1];
    const compute = { name: "labels of 5,000 bars", items: 1, run: () => void computeRegimes(candles) };
    const fuse = {
      name: "three intervals joined at one instant",
      items: 1,
      run: () => void fuseTimeframes(series.map((scores) => readingAt(scores, instant))),
    };
    const explain = {
      name: "explanation of one bar",
      items: 1,
      run: () => void explainRegime(columns, BARS - 1),
    };
    const [regimes, ...others] = timeCases([compute, fuse, explain], 200);
    const ms = regimes.minNs / 1e6;
    const target = { text: `<= ${TARGET_MS} ms`, met: ms <= TARGET_MS };
    return [
      {
        row: "R1",
        title: "Regimes of one symbol, warm",
        notes: [],
        figures: [
          { name: regimes.name, value: ms, unit: "ms", target },
          { name: `${regimes.name}, median`, value: regimes.medianNs / 1e6, unit: "ms" },
          ...others.map(({ name, minNs }) => ({ name, value: minNs / 1e3, unit: "us" })),
        ],
      },
    ];
  },
};
