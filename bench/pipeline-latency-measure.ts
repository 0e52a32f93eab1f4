import { PerformanceObserver } from "node:perf_hooks";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { engineOf, walkSeries } from "./pipeline-run.js";
import { at } from "./rate.js";
import { type Figure, type Section, timeCases } from "./time.js";
import { ema14, TARGET_Y } from "./yardstick.js";

/** Prints sections: how long single ticks take, and what is left on the heap. */
const US = 1_000;
const TICKS = 1_000_000;
const ROUNDS = 8;
const series = walkSeries(1, 12, TICKS);
const { ticks } = series;
const span = ticks.time[TICKS - 1] - ticks.time[0] + 300_000;
const verdicts = new Uint8Array(TICKS);

let collections = 0;
new PerformanceObserver((list) => {
  collections += list.getEntries().length;
}).observe({ entryTypes: ["gc"] });
setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;

/** Entries are delivered between tasks. */
function delivered(): Promise<void> {
  return new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
}

const engine = engineOf(series);

/** All ticks once more, later by all of their time. @returns synergies. */
function takeAll(): number {
  let synergies = 0;
  for (let i = 0; i < TICKS; ) {
    i = engine.take(ticks, i, Math.min(TICKS, i + 10_000), verdicts);
    synergies += engine.findings.found;
    engine.findings.clear();
  }
  for (let i = 0; i < TICKS; i++) ticks.time[i] += span;
  return synergies;
}

/** Ns of each call of the clock and nothing else. */
function timeClock(into: Float64Array): void {
  for (let i = 0; i < into.length; i++) {
    const started = performance.now();
    into[i] = (performance.now() - started) * 1e6;
  }
}

const kinds = new Uint8Array(TICKS);

/** Ns of each tick, taken by itself. */
function timeTicks(into: Float64Array): void {
  for (let i = 0; i < TICKS; i++) {
    const started = performance.now();
    engine.take(ticks, i, i + 1, verdicts);
    into[i] = (performance.now() - started) * 1e6;
    kinds[i] = engine.findings.found > 0 ? 2 : engine.findings.bars > 0 ? 1 : 0;
    engine.findings.clear();
  }
  for (let i = 0; i < TICKS; i++) ticks.time[i] += span;
}

const column = new Float64Array(TICKS);
const [{ minNs: y }] = timeCases([{ name: "Y", items: TICKS, run: () => ema14(ticks.price, column) }]);

/** @param limits us, where Y is that of the machine that they were set on. */
function quantiles(name: string, times: Float64Array, limits: readonly (number | null)[]): Figure[] {
  const sorted = [...times].sort((a, b) => a - b);
  return ([0.5, 0.95, 0.99, 0.999] as const).map((share, k) => {
    const value = at(sorted, share) / US;
    const most = limits[k];
    const text = `<= ${most} us where Y is ${TARGET_Y} ns, not ${y.toFixed(2)}`;
    const target = most === null ? {} : { target: { text, met: value * TARGET_Y <= most * y } };
    return { name: `${name}, p${100 * share}`, value, unit: "us", ...target };
  });
}

takeAll();
takeAll();
const times = new Float64Array(TICKS);
const clock = new Float64Array(TICKS);
timeClock(clock);
timeTicks(times);
timeClock(clock);
/** Ns of ticks that complete a synergy, over so many rounds that a hundredth of them is not the longest alone. */
const completing: number[] = [];
for (let round = 0; round < ROUNDS; round++) {
  timeTicks(times);
  for (const [i, kind] of kinds.entries()) if (kind === 2) completing.push(times[i]);
}
const worst = (all: Float64Array) => all.reduce((most, value) => Math.max(most, value), 0) / US;
const [most, idle] = [worst(times), worst(clock)];
const pick = (kind: number) => times.filter((_, i) => kinds[i] === kind);
const decided = Float64Array.from(completing);
const latency: Figure[] = [
  ...quantiles("a tick", times, [null, 2, 5, 15]),
  {
    name: "the longest tick",
    value: most,
    unit: "us",
    target: { text: "<= the longest of the clock alone + 1 ms", met: most <= idle + 1_000 },
  },
  ...quantiles("the clock alone, whose time the ticks have in them", clock, [null, null, null, null]),
  { name: "the longest of the clock alone", value: idle, unit: "us" },
  ...quantiles("a tick that closes bars", pick(1), [null, null, null, null]),
];
const out = quantiles(`tick in to decision out, of ${decided.length} decisions`, decided, [
  null,
  null,
  50,
  null,
]);

collect();
await delivered();
takeAll();
await delivered();
collect();
const before = process.memoryUsage().heapUsed;
await delivered();
const counted = collections;
let synergies = 0;
for (let round = 0; round < 10; round++) synergies += takeAll();
const grown = process.memoryUsage().heapUsed - before;
await delivered();
const happened = collections - counted;
collect();
const left = process.memoryUsage().heapUsed - before;
const heap: Figure[] = [
  {
    name: "garbage collections in 10 million ticks",
    value: happened,
    unit: "",
    target: { text: "0", met: happened === 0 },
  },
  {
    name: "growth of the heap after them and a collection",
    value: left / 1_024,
    unit: "kB",
    target: { text: "<= 64 kB", met: left <= 65_536 },
  },
  { name: "before that collection: synergies are told as objects", value: grown / 1_024, unit: "kB" },
  { name: "synergies among them", value: synergies, unit: "" },
];

const sections: Section[] = [
  { row: "T3", title: "Time of a tick, 12 a bar", notes: [], figures: latency },
  { row: "T5", title: "From a tick to a decision", notes: [], figures: out },
  { row: "T4", title: "Memory of ticks", notes: [], figures: heap },
];
process.stdout.write(JSON.stringify(sections));
