import { createRng } from "../src/core/base/rng.js";
import { attributeWindow } from "../src/core/learning/sequence-net/attribution.js";
import { WINDOW_BARS } from "../src/core/learning/sequence-net/columns.js";
import { fitNet, USUAL_FIT } from "../src/core/learning/sequence-net/fit.js";
import { initialValues } from "../src/core/learning/sequence-net/layout.js";
import { usualSize } from "../src/core/learning/sequence-net/net.js";
import { createBarReader } from "../src/core/learning/sequence-net/reading.js";
import { trainSequenceNet } from "../src/core/learning/sequence-net/train.js";
import { decodeNet, encodeNet } from "../src/core/learning/sequence-net/weights.js";
import { SHAPES } from "../src/core/learning/shapes.js";
import { drawFoundWindows } from "../src/core/learning/shapes-found.js";
import { drawShapeBars, drawShapeWindows } from "../src/core/learning/shapes-windows.js";
import { type Case, type Figure, type Section, timeCases } from "./time.js";

/** Prints sections: what training and reading of a sequence net take, and how well a short training names shapes. */
const WINDOWS = 2_000;
const EPOCH_WINDOWS = 20_000;
/** Targets in milliseconds: of an epoch of 20,000 windows, and of a window read. */
const MOST_EPOCH = 7_500;
const MOST_READ = 0.3;

const size = usualSize(SHAPES.length);
const windows = drawShapeWindows(1, WINDOWS);
const few = drawShapeWindows(2, 64);
const start = initialValues(size, createRng(1));
const { net, report } = trainSequenceNet({ seed: 1, windows: 16_000, epochs: 5, foundShare: 0.2 });
const bars = drawShapeBars(1, createRng(1));
const read = createBarReader(net);
const reading = new Float64Array(500).map((_, i) => Math.sin(i));

const cases: Case[] = [
  {
    name: "an epoch, by window",
    items: WINDOWS,
    run: () => void fitNet(size, start, windows, few, { ...USUAL_FIT, seed: 1, epochs: 1 }),
  },
  { name: "a window of bars read", items: 100, run: () => readAll(100) },
  { name: "a window explained", items: 1, run: () => void attributeWindow(net, reading, 1) },
  { name: "a net written and read back", items: 1, run: () => void decodeNet(encodeNet(net)) },
  { name: "windows with planted shapes drawn, each", items: 200, run: () => void drawShapeWindows(3, 200) },
  { name: "windows found in walks, each", items: 200, run: () => void drawFoundWindows(3, 200) },
];

function readAll(count: number): void {
  for (let n = 0; n < count; n++) read(bars, WINDOW_BARS - 1);
}

function figures(): Figure[] {
  const [epoch, one, ...rest] = timeCases(cases, 7);
  const epochMs = (epoch.minNs * EPOCH_WINDOWS) / 1e6;
  const readMs = one.minNs / 1e6;
  const within = (value: number, most: number) => ({ text: `<= ${most} ms`, met: value <= most });
  return [
    { name: "an epoch of 20,000 windows", value: epochMs, unit: "ms", target: within(epochMs, MOST_EPOCH) },
    { name: one.name, value: readMs, unit: "ms", target: within(readMs, MOST_READ) },
    ...rest.map(({ name, minNs }) => ({ name, value: minNs / 1e6, unit: "ms" })),
    {
      name: "macro-F1 of planted shapes after five epochs of 16,000 windows",
      value: report.planted.macroF1,
      unit: "",
      target: { text: ">= 0.9", met: report.planted.macroF1 >= 0.9 },
    },
    { name: "calibration error of the same on windows found in walks", value: report.error, unit: "" },
  ];
}

const sections: Section[] = [{ row: "N1", title: "Sequence net", notes: [], figures: figures() }];
process.stdout.write(JSON.stringify(sections));
