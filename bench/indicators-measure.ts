import { ensure } from "../src/core/base/assert.js";
import { createStream, type IndicatorStream } from "../src/core/indicators/stream.js";
import type { Bars } from "../src/core/market/candles.js";
import { randomWalk } from "./data.js";
import { KERNELS, rowOf } from "./indicators-kernels.js";
import { loadPeers, type Peer } from "./indicators-peers.js";
import { buildTalib } from "./indicators-talib.js";
import { type Case, type Figure, type Section, type Timing, timeCases } from "./time.js";

/** Prints sections: speed beside TA-Lib, speed beside npm packages, batch beside one bar at a time. */
const BARS = 1_000_000;
/** Peers are slow enough for fewer bars; ours are then timed on as many, in the same rounds. */
const PEER_BARS = 200_000;
const NAMES = Object.keys(KERNELS);

/** Names to ns per bar. */
type Speeds = ReadonlyMap<string, number>;

/** Output columns that all cases write in turn, as the C harness does: none pays for memory others have not touched. */
const POOL = [0, 1, 2].map(() => new Float64Array(BARS));

function batchCase(name: string, bars: Bars): Case {
  const { indicator, values } = rowOf(name);
  const items = bars.time.length;
  const outputs = POOL.slice(0, indicator.outputs.length).map((column) => column.subarray(0, items));
  const state = new Float64Array(indicator.memory(values));
  const over = (length: number) => {
    state.fill(0);
    indicator.run(bars, values, outputs, state, 0, length);
  };
  // Many short runs, as over many symbols: after a few long ones V8 would stay with code compiled in mid-loop.
  for (let k = 0; k < 400; k++) over(2_000);
  return { name, items, run: () => over(items) };
}

/** The streaming form on columns that the caller has anyway. */
function barCase(name: string, bars: Bars): Case {
  const { indicator, values } = rowOf(name);
  const { run } = indicator;
  const items = bars.time.length;
  const outputs = POOL.slice(0, indicator.outputs.length);
  const state = new Float64Array(indicator.memory(values));
  return {
    name,
    items,
    run() {
      state.fill(0);
      for (let i = 0; i < items; i++) run(bars, values, outputs, state, i, i + 1);
    },
  };
}

function feed(stream: IndicatorStream, bars: Bars): void {
  for (let i = 0; i < bars.time.length; i++) stream.updateFrom(bars, i);
}

function streamCase(name: string, bars: Bars): Case {
  const { indicator, values } = rowOf(name);
  return {
    name: `${name} stream`,
    items: bars.time.length,
    run: () => feed(createStream(indicator, values), bars),
  };
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
    const sorted = ensure(this.medians.get(name), name).toSorted((a, b) => a - b);
    return sorted[sorted.length >> 1];
  }
}

function speedOf(speeds: Speeds, name: string): number {
  return ensure(speeds.get(name), name);
}

function sumOf(speeds: Speeds, suffix = ""): number {
  return NAMES.reduce((sum, name) => sum + speedOf(speeds, `${name}${suffix}`), 0);
}

function figure(name: string, value: number, unit: string, target?: readonly [string, boolean]): Figure {
  if (target === undefined) return { name, value, unit };
  return { name, value, unit, target: { text: target[0], met: target[1] } };
}

/** Most ns per bar of a function, in Y and as a multiple of TA-Lib's. */
const mostY = (name: string) => (name === "cci" ? 12 : 10);
const mostC = (name: string) => (name === "ad" ? 3.5 : 2);

function speedSection(ours: Timings, talib: Speeds | null, notes: readonly string[]): Section {
  const y = speedOf(ours.fastest, "ema");
  const figures = [figure("Y = EMA(14)", y, "ns per bar")];
  for (const name of NAMES) {
    const ns = speedOf(ours.fastest, name);
    const what = `${name}: ${ns.toFixed(1)} ns, median ${ours.median(name).toFixed(1)}`;
    figures.push(figure(what, ns / y, "Y", [`<= ${mostY(name)} Y`, ns <= mostY(name) * y]));
    const theirs = talib?.get(name);
    if (theirs === undefined) continue;
    const target = [`<= ${mostC(name)}`, ns <= mostC(name) * theirs] as const;
    figures.push(figure(`${name} / TA-Lib ${theirs.toFixed(1)} ns`, ns / theirs, "x", target));
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
function measureSpeed(bars: Bars): Section {
  const { talib, problem } = buildTalib(bars);
  const cases = NAMES.map((name) => batchCase(name, bars));
  const ours = new Timings();
  let theirs: Map<string, number> | null = null;
  for (let turn = 0; turn < 4; turn++) {
    ours.add(timeCases(cases, 3));
    if (talib === null) continue;
    const timed = talib.time(3);
    theirs = new Map([...timed].map(([name, ns]) => [name, Math.min(ns, theirs?.get(name) ?? ns)]));
  }
  return speedSection(ours, theirs, problem === null ? [] : [problem]);
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

/** Least geometric mean of how many times faster than a package ours are. */
const LEAST_MEAN: Readonly<{ [peer: string]: number }> = {
  technicalindicators: 30,
  "@ixjb94/indicators": 5,
};

function peerFigures(name: string, speeds: Speeds): Figure[] {
  const ratios = NAMES.flatMap((indicator): [string, number][] => {
    const theirs = speeds.get(`${name} ${indicator}`);
    return theirs === undefined ? [] : [[indicator, theirs / speedOf(speeds, indicator)]];
  });
  const mean = geometricMean(ratios.map(([, ratio]) => ratio));
  const least = LEAST_MEAN[name];
  const [nearest, ratio] = ratios.reduce((worst, next) => (next[1] < worst[1] ? next : worst));
  return [
    figure(
      `${name}, mean over ${ratios.length}`,
      mean,
      "x ours",
      least === undefined ? undefined : [`>= ${least}`, mean >= least],
    ),
    figure(`${name}, nearest: ${nearest}`, ratio, "x ours", [">= 1", ratio >= 1]),
  ];
}

async function measurePeers(): Promise<Section> {
  const bars = randomWalk(PEER_BARS, 2);
  const loaded = await loadPeers(bars);
  const notes = [...loaded.notes];
  const cases = NAMES.map((name) => batchCase(name, bars));
  for (const peer of loaded.peers) cases.push(...runnable(peer, notes));
  const timings = new Timings();
  timings.add(timeCases(cases, 5));
  return {
    title: `npm packages on ${PEER_BARS} bars, fastest of 5 rounds`,
    notes,
    figures: loaded.peers.flatMap(({ name }) => peerFigures(name, timings.fastest)),
  };
}

function measureStreams(bars: Bars): Section {
  const batch = new Timings();
  const single = new Timings();
  for (let turn = 0; turn < 3; turn++) {
    batch.add(
      timeCases(
        NAMES.map((name) => batchCase(name, bars)),
        3,
      ),
    );
    single.add(
      timeCases(
        NAMES.map((name) => barCase(name, bars)),
        3,
      ),
    );
    single.add(
      timeCases(
        NAMES.map((name) => streamCase(name, bars)),
        3,
      ),
    );
  }
  const figures = NAMES.map((name) => {
    const ns = speedOf(single.fastest, name);
    const kept = speedOf(single.fastest, `${name} stream`);
    const what = `${name}: ${ns.toFixed(1)} ns, through createStream ${kept.toFixed(1)}`;
    return figure(what, ns / speedOf(batch.fastest, name), "x batch");
  });
  const ratio = sumOf(single.fastest) / sumOf(batch.fastest);
  figures.push(figure("sum of the 21, run over one bar", ratio, "x batch", ["<= 3", ratio <= 3]));
  const through = sumOf(single.fastest, " stream");
  figures.push(figure("sum of the 21 through createStream", through / sumOf(batch.fastest), "x batch"));
  figures.push(figure("mean bar through createStream", through / NAMES.length, "ns"));
  return { title: `one bar at a time, ${BARS} bars, fastest of 9 rounds`, notes: [], figures };
}

const bars = randomWalk(BARS, 1);
const speed = measureSpeed(bars);
const peers = await measurePeers();
process.stdout.write(JSON.stringify([speed, peers, measureStreams(bars)]));
