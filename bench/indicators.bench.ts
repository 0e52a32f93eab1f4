import { PerformanceObserver } from "node:perf_hooks";
import { ensure } from "../src/core/base/assert.js";
import { type Indicator, type ParameterValues, resolveParameters } from "../src/core/indicators/define.js";
import { findIndicator, INDICATORS } from "../src/core/indicators/index.js";
import { createStream, type IndicatorStream } from "../src/core/indicators/stream.js";
import type { Bars } from "../src/core/market/candles.js";
import { randomWalk } from "./data.js";
import { loadPeers, type Peer } from "./indicators-peers.js";
import { buildTalib } from "./indicators-talib.js";
import { type Bench, type Case, type Figure, type Section, type Timing, timeCases } from "./time.js";

const BARS = 1_000_000;
/** Peers are slow enough for fewer bars; ours are then timed on as many, in the same rounds. */
const PEER_BARS = 200_000;
const STREAMED_BARS = 10_000_000;

/** The 21 functions compared, with the parameters of the comparison. */
const KERNELS: Readonly<Record<string, Readonly<Record<string, number>>>> = {
  sma: { period: 14 },
  ema: { period: 14 },
  wma: { period: 14 },
  rsi: { period: 14 },
  macd: { fast: 12, slow: 26, signal: 9 },
  bbands: { period: 20, deviations: 2 },
  atr: { period: 14 },
  adx: { period: 14 },
  stoch: { period: 14, slowing: 3, signal: 3 },
  obv: {},
  cci: { period: 14 },
  mfi: { period: 14 },
  willr: { period: 14 },
  roc: { period: 10 },
  trix: { period: 15 },
  ad: {},
  aroon: { period: 14 },
  stddev: { period: 20 },
  linreg_slope: { period: 14 },
  kama: { period: 30 },
  sar: { acceleration: 0.02, maximum: 0.2 },
};

/** Names to ns per bar. */
type Speeds = ReadonlyMap<string, number>;

function rowOf(name: string): { indicator: Indicator; values: ParameterValues } {
  const indicator = ensure(findIndicator(name), name);
  return { indicator, values: ensure(resolveParameters(indicator, KERNELS[name] ?? {}).values, name) };
}

/** Output columns that all cases write in turn, as the C harness does: none pays for memory others have not touched. */
const POOL = [0, 1, 2].map(() => new Float64Array(BARS));

function batchCase(name: string, bars: Bars): Case {
  const { indicator, values } = rowOf(name);
  const items = bars.time.length;
  const outputs = POOL.slice(0, indicator.outputs.length).map((column) => column.subarray(0, items));
  const state = new Float64Array(indicator.memory(values));
  return {
    name,
    items,
    run() {
      state.fill(0);
      indicator.run(bars, values, outputs, state, 0, items);
    },
  };
}

/** The unit Y of the targets: an exponential average over preallocated columns, bound by floating-point latency. */
function yardstick(bars: Bars): Case {
  const { close } = bars;
  const out = POOL[0];
  return {
    name: "Y",
    items: close.length,
    run() {
      let average = close[0];
      for (let i = 0; i < close.length; i++) {
        average = (close[i] - average) * (2 / 15) + average;
        out[i] = average;
      }
    },
  };
}

function feed(stream: IndicatorStream, bars: Bars, from: number, to: number): void {
  for (let i = from; i < to; i++) stream.updateFrom(bars, i);
}

function streamCase(name: string, bars: Bars): Case {
  const { indicator, values } = rowOf(name);
  const items = bars.time.length;
  return { name, items, run: () => feed(createStream(indicator, values), bars, 0, items) };
}

/** Fastest and median ns per bar over several calls of `timeCases`, between which other processes had their turn. */
class Timings {
  readonly fastest = new Map<string, number>();
  readonly medians = new Map<string, number[]>();

  add(timings: readonly Timing[]): void {
    for (const { name, minNs, medianNs } of timings) {
      this.fastest.set(name, Math.min(this.fastest.get(name) ?? Number.POSITIVE_INFINITY, minNs));
      this.medians.set(name, [...(this.medians.get(name) ?? []), medianNs]);
    }
  }

  median(name: string): number {
    const sorted = (this.medians.get(name) ?? []).toSorted((a, b) => a - b);
    return sorted[sorted.length >> 1] ?? Number.NaN;
  }
}

function sumOf(speeds: Speeds): number {
  return Object.keys(KERNELS).reduce((sum, name) => sum + (speeds.get(name) ?? Number.NaN), 0);
}

function figure(name: string, value: number, unit: string, target?: readonly [string, boolean]): Figure {
  return target === undefined
    ? { name, value, unit }
    : { name, value, unit, target: { text: target[0], met: target[1] } };
}

/** Largest ns per bar of a function, in Y and as a multiple of TA-Lib's. */
const LIMIT_Y = (name: string) => (name === "cci" ? 12 : 10);
const LIMIT_C = (name: string) => (name === "ad" ? 3.5 : 2);

function speedSection(ours: Timings, talib: Speeds | null, notes: readonly string[]): Section {
  const y = ours.fastest.get("Y") ?? Number.NaN;
  const figures = [figure("Y, ns per bar of the yardstick", y, "ns")];
  for (const name of Object.keys(KERNELS)) {
    const ns = ours.fastest.get(name) ?? Number.NaN;
    const limit = LIMIT_Y(name);
    const what = `${name}: ${ns.toFixed(1)} ns, median ${ours.median(name).toFixed(1)}`;
    figures.push(figure(what, ns / y, "Y", [`<= ${limit} Y`, ns <= limit * y]));
    const theirs = talib?.get(name);
    if (theirs === undefined) continue;
    const most = LIMIT_C(name);
    figures.push(
      figure(`${name} / TA-Lib ${theirs.toFixed(1)} ns`, ns / theirs, "x", [
        `<= ${most}`,
        ns <= most * theirs,
      ]),
    );
  }
  const total = sumOf(ours.fastest);
  figures.push(figure("sum of the 21", total / y, "Y", ["<= 85 Y", total <= 85 * y]));
  if (talib !== null) {
    const ratio = total / sumOf(talib);
    figures.push(figure("sum / TA-Lib", ratio, "x", ["<= 1.3", ratio <= 1.3]));
  }
  return { title: `${BARS} bars, caller-owned outputs, fastest of 12 rounds`, notes, figures };
}

/** Ours and TA-Lib in turns on the same bars. */
function measureSpeed(bars: Bars): { ours: Timings; section: Section } {
  const { talib, problem } = buildTalib(bars);
  const cases = [yardstick(bars), ...Object.keys(KERNELS).map((name) => batchCase(name, bars))];
  const ours = new Timings();
  let theirs: Map<string, number> | null = null;
  for (let turn = 0; turn < 4; turn++) {
    ours.add(timeCases(cases, 3));
    if (talib === null) continue;
    const timed = talib.time(3);
    theirs = new Map([...timed].map(([name, ns]) => [name, Math.min(ns, theirs?.get(name) ?? ns)]));
  }
  return { ours, section: speedSection(ours, theirs, problem === null ? [] : [problem]) };
}

function geometricMean(numbers: readonly number[]): number {
  return Math.exp(numbers.reduce((sum, value) => sum + Math.log(value), 0) / numbers.length);
}

/** The cases of a peer that run; those that throw at the first call are named in `notes`. */
function runnable({ name, cases }: Peer, notes: string[]): Case[] {
  return Object.entries(cases).flatMap(([indicator, run]) => {
    try {
      run();
      return [{ name: `${name} ${indicator}`, items: PEER_BARS, run }];
    } catch (error) {
      notes.push(`${name} ${indicator} skipped: ${error instanceof Error ? error.message : String(error)}`);
      return [];
    }
  });
}

/** Least geometric mean of how much faster ours are than a package. */
const LEAST_MEAN: Readonly<{ [peer: string]: number }> = { technicalindicators: 30, "@ixjb94/indicators": 5 };

async function measurePeers(): Promise<Section> {
  const bars = randomWalk(PEER_BARS, 2);
  const loaded = await loadPeers(bars);
  const notes = [...loaded.notes];
  const cases = Object.keys(KERNELS).map((name) => batchCase(name, bars));
  for (const peer of loaded.peers) cases.push(...runnable(peer, notes));
  const record = new Timings();
  record.add(timeCases(cases, 5));
  const figures: Figure[] = [];
  for (const { name } of loaded.peers) {
    const ratios = Object.keys(KERNELS).flatMap((indicator): [string, number][] => {
      const theirs = record.fastest.get(`${name} ${indicator}`);
      const mine = record.fastest.get(indicator);
      return theirs === undefined || mine === undefined ? [] : [[indicator, theirs / mine]];
    });
    const mean = geometricMean(ratios.map(([, ratio]) => ratio));
    const least = LEAST_MEAN[name];
    figures.push(
      least === undefined
        ? figure(`${name}, mean over ${ratios.length}`, mean, "x ours")
        : figure(`${name}, mean over ${ratios.length}`, mean, "x ours", [`>= ${least}`, mean >= least]),
    );
    const [slowest, ratio] = ratios.reduce((worst, next) => (next[1] < worst[1] ? next : worst));
    figures.push(figure(`${name}, nearest: ${slowest}`, ratio, "x ours", [">= 1", ratio >= 1]));
  }
  return { title: `npm packages on ${PEER_BARS} bars, fastest of 5 rounds`, notes, figures };
}

function measureStreams(bars: Bars, batch: Speeds): Section {
  const streamed = new Timings();
  streamed.add(
    timeCases(
      Object.keys(KERNELS).map((name) => streamCase(name, bars)),
      5,
    ),
  );
  const figures = Object.keys(KERNELS).map((name) => {
    const ns = streamed.fastest.get(name) ?? Number.NaN;
    return figure(`${name}: ${ns.toFixed(1)} ns`, ns / (batch.get(name) ?? Number.NaN), "x batch");
  });
  const ratio = sumOf(streamed.fastest) / sumOf(batch);
  figures.push(figure("sum of the 21", ratio, "x batch", ["<= 3", ratio <= 3]));
  return { title: `one bar at a time, ${BARS} bars, fastest of 5 rounds`, notes: [], figures };
}

/** Lets the observer see what happened: entries are delivered between tasks. */
function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
}

async function measureCollections(bars: Bars): Promise<Section> {
  let collections = 0;
  const observer = new PerformanceObserver((list) => {
    collections += list.getEntries().length;
  });
  observer.observe({ entryTypes: ["gc"] });
  const own = INDICATORS.filter((row) => row.origin === "tx");
  const streams = own.map(({ name }) => {
    const { indicator, values } = rowOf(name);
    return createStream(indicator, values);
  });
  // Compiled before anything is counted.
  for (const stream of streams) for (let k = 0; k < 10; k++) feed(stream, bars, 0, 20_000);
  await settle();
  const count = async (names: readonly string[], updates: number) => {
    const started = collections;
    for (const stream of streams.filter(({ indicator }) => names.includes(indicator.name))) {
      for (let done = 0; done < updates; done += bars.time.length) feed(stream, bars, 0, bars.time.length);
    }
    await settle();
    return collections - started;
  };
  const kernels = Object.keys(KERNELS);
  const others = own.map(({ name }) => name).filter((name) => !kernels.includes(name));
  const first = await count(kernels, STREAMED_BARS);
  const second = await count(others, STREAMED_BARS / 10);
  observer.disconnect();
  return {
    title: "garbage collections while streaming",
    notes: ["Rows computed by technicalindicators are left out: that package allocates."],
    figures: [
      figure(`${kernels.length} rows, 10 M bars each`, first, "collections", ["0", first === 0]),
      figure(`the other ${others.length} rows, 1 M bars each`, second, "collections", ["0", second === 0]),
    ],
  };
}

export const bench: Bench = {
  name: "indicators",
  async run() {
    const bars = randomWalk(BARS, 1);
    const { ours, section } = measureSpeed(bars);
    const peers = await measurePeers();
    const streams = measureStreams(bars, ours.fastest);
    return [section, peers, streams, await measureCollections(bars)];
  },
};
