import { PerformanceObserver } from "node:perf_hooks";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
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
setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;

/**
 * Collections while each of the streams takes its bars, what came before having been collected. Compilers work
 * beside the program, as late as a busy machine lets them, and what is not compiled yet allocates: the fewest
 * of three rounds count.
 */
async function count(names: readonly string[], rounds: number): Promise<number> {
  let counted = 0;
  for (const stream of streams.filter(({ indicator }) => names.includes(indicator.name))) {
    let fewest = Number.POSITIVE_INFINITY;
    for (let attempt = 0; attempt < 3 && fewest > 0; attempt++) {
      collect();
      await delivered();
      const before = collections;
      for (let round = 0; round < rounds; round++) feed(stream, BARS);
      await delivered();
      fewest = Math.min(fewest, collections - before);
    }
    counted += fewest;
  }
  return counted;
}

const kernels = Object.keys(KERNELS);
const others = own.map(({ name }) => name).filter((name) => !kernels.includes(name));
const first = await count(kernels, 10);
const second = await count(others, 1);
const sections: Section[] = [
  {
    row: "I4",
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
