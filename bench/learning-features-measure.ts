import type { Feature } from "../src/core/learning/features/define.js";
import { computeFeatures, FEATURE_MEMORY, FEATURES } from "../src/core/learning/features/index.js";
import { FeatureSeries } from "../src/core/learning/features/series.js";
import { newestRows, samplesOf } from "../src/core/learning/samples.js";
import { sliceCandles } from "../src/core/market/candles.js";
import { calendarOf } from "../src/core/market/session.js";
import { randomWalk } from "./data.js";
import { type Section, timeCases } from "./time.js";

/** Runs compiled, elsewhere; prints one section as JSON. */
const BARS = 5_000;
const TARGET_NS = 5_000;
const candles = randomWalk(BARS, 61);
const context = { calendar: calendarOf("24x7") };
const terms = { policy: { kind: "barriers" }, costBps: 5 } as const;
/** What features share with the scanner, which has found it already. */
const isShared = ({ asOf, id }: Feature) => asOf === "event" || id.startsWith("regime_");

/** Each feature by itself in its fastest round, all but the shared ones added up: no moment of rest must last for all. */
function fastestOfEach(rounds: number): number {
  const fastest = new Float64Array(FEATURES.length).fill(Number.POSITIVE_INFINITY);
  for (let round = 0; round < rounds; round++) {
    const series = new FeatureSeries(candles, context);
    for (const [k, feature] of FEATURES.entries()) {
      const started = process.hrtime.bigint();
      feature.compute(series);
      fastest[k] = Math.min(fastest[k], Number(process.hrtime.bigint() - started) / BARS);
    }
  }
  return fastest.reduce((sum, ns, k) => sum + (isShared(FEATURES[k]) ? 0 : ns), 0);
}

const cases = [
  { name: `${FEATURES.length} features of 5,000 bars`, run: () => void computeFeatures(candles, context) },
  { name: "of it all patterns", run: () => void new FeatureSeries(candles, context).hits },
  { name: "of it regimes", run: () => void new FeatureSeries(candles, context).regimes },
  { name: "rows of all occasions with their labels", run: () => void samplesOf(candles, context, terms) },
];
const timings = timeCases(
  cases.map((each) => ({ ...each, items: BARS })),
  60,
);
const target = (ns: number) => ({ text: `<= ${TARGET_NS} ns`, met: ns <= TARGET_NS });
const section: Section = {
  row: "F1",
  title: "Features of one symbol, from the candles",
  notes: ["Fastest of 60 rounds, in ns a bar."],
  figures: timings.flatMap(({ name, minNs, medianNs }, k) => [
    { name, value: minNs, unit: "ns", ...(k === 0 ? { target: target(minNs) } : {}) },
    ...(k === 0 ? [{ name: `${name}, median`, value: medianNs, unit: "ns" }] : []),
  ]),
};
const { facts } = samplesOf(candles, context, terms);
const windows = facts.slice(-40).map(({ at }) => sliceCandles(candles, at + 1 - FEATURE_MEMORY, at + 1));
const [newest] = timeCases(
  [{ name: "a row", items: 40, run: () => windows.forEach((each) => void newestRows(each, context, terms)) }],
  20,
);
const name = `rows of the newest bar, over ${FEATURE_MEMORY} bars, from the candles`;
const figures = [
  ...section.figures,
  { name: "the other features, each in its fastest round", value: fastestOfEach(60), unit: "ns" },
  { name, value: newest.minNs / 1e6, unit: "ms" },
  { name: `${name}, median`, value: newest.medianNs / 1e6, unit: "ms" },
];
process.stdout.write(JSON.stringify([{ ...section, figures }]));
