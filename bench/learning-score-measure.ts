import { createRng } from "../src/core/base/rng.js";
import { fitCalibrator } from "../src/core/learning/calibrate.js";
import { columnsOf, FEATURE_MEMORY } from "../src/core/learning/features/index.js";
import { FeatureSeries } from "../src/core/learning/features/series.js";
import { GROUP_SETTINGS, trainGroupedTrees } from "../src/core/learning/grouped-trees.js";
import { compositeOf } from "../src/core/learning/layer-stack.js";
import { newestRows, samplesOf } from "../src/core/learning/samples.js";
import { NET_COLUMNS, WINDOW_BARS } from "../src/core/learning/sequence-net/columns.js";
import { initialValues } from "../src/core/learning/sequence-net/layout.js";
import { type SequenceNet, usualSize } from "../src/core/learning/sequence-net/net.js";
import { createBarReader, deepLayer } from "../src/core/learning/sequence-net/reading.js";
import { SHAPES } from "../src/core/learning/shapes.js";
import { binReference } from "../src/core/learning/stability.js";
import { scoreTabular } from "../src/core/learning/tabular.js";
import { sliceCandles } from "../src/core/market/candles.js";
import { calendarOf } from "../src/core/market/session.js";
import { LAYER_WEIGHTS } from "../src/core/signals/fuse.js";
import { randomWalk } from "./data.js";
import { at } from "./rate.js";
import type { Figure, Section } from "./time.js";

/** Runs compiled, elsewhere; prints one section as JSON: what a moment takes to be scored by all layers. */
const BARS = 3_000;
const TARGET_MS = 5;
const ROUNDS = 2;
const MOMENTS = 200;
const candles = randomWalk(BARS, 62);
const context = { calendar: calendarOf("24x7") };
const terms = { policy: { kind: "barriers" }, costBps: 5 } as const;

const { samples, facts } = samplesOf(candles, context, terms);
const keys = facts.map(({ regime }) => regime ?? "");
const trees = trainGroupedTrees(samples, keys, GROUP_SETTINGS, 1);
const half = samples.labels.map((_, row) => 0.2 + (0.6 * row) / samples.labels.length);
const { calibrator } = fitCalibrator({ scores: half, labels: samples.labels });
const model = { trees, calibrator, bins: samples.columns.map((column) => binReference(column)) };
const size = usualSize(SHAPES.length);
const net: SequenceNet = {
  ...{ size, columns: NET_COLUMNS, classes: SHAPES },
  ...{ values: initialValues(size, createRng(1)), temperature: 1 },
};
const read = createBarReader(net);
const moments = facts.slice(-MOMENTS).map(({ at: bar }) => bar);

const STAGES = [
  "all layers of a moment",
  "the same in time of the processor",
  "rows of the newest bar",
  "of them patterns",
  "of them regimes",
  "of them the other columns",
  "trees by regime, calibrated",
  "net",
  "fusion",
];

function timesOf(bar: number): number[] {
  const window = sliceCandles(candles, bar + 1 - FEATURE_MEMORY, bar + 1);
  const before = process.cpuUsage();
  const marks = [performance.now()];
  const mark = () => void marks.push(performance.now());
  const rows = newestRows(window, context, terms);
  mark();
  const scores = rows.map(({ row }) => scoreTabular(model, row, "range").score);
  mark();
  const layer = deepLayer(read(window, window.time.length - 1));
  mark();
  const values = {
    rules: scores[0] ?? 0,
    deep: layer.value ?? Number.NaN,
    multi_timeframe: 0.1,
    sentiment: Number.NaN,
  };
  compositeOf(LAYER_WEIGHTS, { values, direction: 1 });
  mark();
  const { user, system } = process.cpuUsage(before);
  const [start, row, tree, deep, fused] = marks;
  return [fused - start, (user + system) / 1_000, row - start, tree - row, deep - tree, fused - deep];
}

/** The parts of the rows, each over a series of its own: measured apart, for what they leave behind is collected. */
function partsOf(bar: number): number[] {
  const window = sliceCandles(candles, bar + 1 - FEATURE_MEMORY, bar + 1);
  const series = new FeatureSeries(window, context, window.time.length - 1);
  const marks = [performance.now()];
  for (const part of [() => series.hits, () => series.regimes, () => columnsOf(series)]) {
    part();
    marks.push(performance.now());
  }
  return [1, 2, 3].map((k) => marks[k] - marks[k - 1]);
}

/** Each column of what is measured of moments, sorted, without that of the first round. */
function measured(measure: (bar: number) => number[]): number[][] {
  const rows: number[][] = [];
  for (let round = 0; round <= ROUNDS; round++)
    for (const bar of moments) {
      const taken = measure(bar);
      if (round > 0) rows.push(taken);
    }
  return rows[0].map((_, k) => rows.map((row) => row[k]).sort((a, b) => a - b));
}

const [all, processor, rows, ...others] = measured(timesOf);
const times = [all, processor, rows, ...measured(partsOf), ...others];

const p99 = at(times[0], 0.99);
const figures: Figure[] = STAGES.flatMap((name, k) => [
  { name: `${name}, p50`, value: at(times[k], 0.5), unit: "ms" },
  {
    name: `${name}, p99`,
    value: at(times[k], 0.99),
    unit: "ms",
    ...(k === 0 ? { target: { text: `<= ${TARGET_MS} ms`, met: p99 <= TARGET_MS } } : {}),
  },
]);
const section: Section = {
  row: "M2",
  title: `Scoring of one moment, over ${FEATURE_MEMORY} bars, from the candles`,
  notes: [
    `${times[0].length} moments with a pattern; the net has ${WINDOW_BARS} bars and first weights. The clock counts what else the machine does, the processor all threads.`,
  ],
  figures,
};
process.stdout.write(JSON.stringify([section]));
