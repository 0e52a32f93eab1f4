import { PerformanceObserver } from "node:perf_hooks";
import { INDICATORS } from "../src/core/indicators/index.js";
import { createStream, type IndicatorStream } from "../src/core/indicators/stream.js";
import { randomWalk } from "./data.js";
import { KERNELS, rowOf } from "./indicators-kernels.js";
import type { Section } from "./time.js";

/** A process of its own, so that nothing but the streams can call the garbage collector. Prints sections. */
const BARS = 1_000_000;
const bars = randomWalk(BARS, 1);
let collections = 0;
new PerformanceObserver((list) => {
  collections += list.getEntries().length;
}).observe({ entryTypes: ["gc"] });

function feed(stream: IndicatorStream, to: number): void {
  for (let i = 0; i < to; i++) stream.updateFrom(bars, i);
}

/** Entries are delivered between tasks. */
function delivered(): Promise<void> {
  return new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
}

const own = INDICATORS.filter((row) => row.origin === "tx");
const streams = own.map(({ name }) => {
  const { indicator, values } = rowOf(name);
  return createStream(indicator, values);
});
// Compiled, and compiled again for what is seldom done, before anything is counted.
for (let k = 0; k < 2; k++) for (const stream of streams) feed(stream, BARS / 2);

async function count(names: readonly string[], rounds: number): Promise<number> {
  await delivered();
  const before = collections;
  for (const stream of streams.filter(({ indicator }) => names.includes(indicator.name))) {
    for (let round = 0; round < rounds; round++) feed(stream, BARS);
  }
  await delivered();
  return collections - before;
}

const kernels = Object.keys(KERNELS);
const others = own.map(({ name }) => name).filter((name) => !kernels.includes(name));
const first = await count(kernels, 10);
const second = await count(others, 1);
const sections: Section[] = [
  {
    title: "garbage collections while streaming",
    notes: ["Rows computed by technicalindicators are left out: that package allocates."],
    figures: [
      {
        name: `the ${kernels.length} of the comparison, 10 M bars each`,
        value: first,
        unit: "collections",
        target: { text: "0", met: first === 0 },
      },
      {
        name: `the other ${others.length}, 1 M bars each`,
        value: second,
        unit: "collections",
        target: { text: "0", met: second === 0 },
      },
    ],
  },
];
process.stdout.write(JSON.stringify(sections));
