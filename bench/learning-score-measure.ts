import { FEATURE_MEMORY } from "../src/core/learning/features/index.js";
import type { LayerVote } from "../src/core/learning/layer-stack.js";
import { SAMPLE_SCHEMA } from "../src/core/learning/samples.js";
import { INTERVAL_MS } from "../src/core/market/interval.js";
import { LAYERS, type LayerName } from "../src/core/signals/fuse.js";
import show from "../src/features/models/show-worker.js";
import { closedBy, createWorld, INSTRUMENT, MAIN, stackOf, trainModels } from "./learning-score-world.js";
import { at } from "./rate.js";
import type { Figure, Section } from "./time.js";

/**
 * Runs compiled, elsewhere; prints one section as JSON: what a signal takes to be scored by all layers, by the functions that
 * the server calls of it, in one thread. What is loaded is in memory.
 */
const TARGET_MS = 5;
const ROUNDS = 2;
const MOMENTS = 200;
const TAUGHT = 120;
const STEP = 7;
/** Where there are as many daily bars as a look reads. */
const FROM = 175_000;

const { models, groups } = trainModels();
const clock = { nowMs: 0 };
const closeOf = (bar: number) => (bar + 1) * INTERVAL_MS[MAIN];

const STAGES = [
  "a signal by all layers",
  "the same in time of the processor",
  "rows of the patterns on the newest bar",
  "trees by regime, calibrated",
  "patterns, directions of four intervals, net, sentiment, fusion and its chance",
  "agent",
];

type World = ReturnType<typeof createWorld>;

interface Scored {
  readonly times: number[];
  readonly patterns: number;
  readonly grouped: number;
  readonly values: Readonly<Record<LayerName, number>>;
  readonly direction: 1 | -1;
  readonly chance: number | null;
}

/** Everything that is computed of a symbol as a bar closes, as the scanner, a signal and the agent do. */
async function score(world: World, bar: number): Promise<Scored> {
  world.goTo(closeOf(bar));
  const { calendar, assetClass } = INSTRUMENT;
  const before = process.cpuUsage();
  const marks = [performance.now()];
  const mark = () => void marks.push(performance.now());
  const candles = closedBy(MAIN, FEATURE_MEMORY, clock.nowMs);
  const bars = [candles.time.length - 1];
  const rows = show({ candles, calendar, costBps: 5, knowledge: { edges: [], texts: [] }, bars });
  mark();
  let grouped = 0;
  for (const { pattern, direction, regime, values: row } of rows) {
    const shown = { assetClass, interval: MAIN, regime, pattern, row, schema: SAMPLE_SCHEMA };
    for (const said of world.scoring.scoreAll(shown)) {
      if (groups.includes(said.group)) grouped++;
      world.keep(candles.time[bars[0]], pattern, direction, said.score);
    }
  }
  mark();
  const { inputs, fusion, chance } = await world.signals.read(INSTRUMENT.symbol, MAIN);
  mark();
  await world.desk.decide({}, {}, { symbol: INSTRUMENT.symbol, interval: MAIN });
  mark();
  const { user, system } = process.cpuUsage(before);
  const values = Object.fromEntries(LAYERS.map((name) => [name, inputs[name].value ?? Number.NaN]));
  const stages = [1, 2, 3, 4].map((k) => marks[k] - marks[k - 1]);
  return {
    times: [marks[4] - marks[0], (user + system) / 1_000, ...stages],
    ...{ patterns: rows.length, grouped, chance: chance.value, direction: fusion.direction },
    values: values as Record<LayerName, number>,
  };
}

/** Layers as they speak of earlier moments, ended by a coin that leans to what the fusion says. */
async function votesOf(world: World): Promise<LayerVote[]> {
  const votes: LayerVote[] = [];
  for (let k = 0; k < TAUGHT; k++) {
    const { values, direction } = await score(world, FROM - (TAUGHT - k) * STEP);
    votes.push({ values, direction, label: k % 5 < 2 ? 1 : 0, decidedAt: k, settledAt: k + 0.5 });
  }
  return votes;
}

async function main(): Promise<Section> {
  const stack = stackOf(await votesOf(createWorld(models, clock)));
  const world = createWorld(new Map([...models, ["layer_stack", stack]]), clock);
  const moments: number[] = [];
  for (let bar = FROM; moments.length < MOMENTS; bar++)
    if ((await score(world, bar)).patterns > 0) moments.push(bar);
  const all: Scored[] = [];
  for (let round = 0; round <= ROUNDS; round++)
    for (const bar of moments) {
      const scored = await score(world, bar);
      if (round > 0) all.push(scored);
    }
  const spoke = (name: LayerName) =>
    all.filter(({ values }) => !Number.isNaN(values[name])).length / all.length;
  const silent = LAYERS.filter((name) => spoke(name) === 0);
  if (silent.length > 0) throw new Error(`layers that never speak: ${silent.join(", ")}`);
  if (!all.some(({ grouped }) => grouped > 0)) throw new Error("trees of no group are asked");
  if (!all.every(({ chance }) => chance !== null)) throw new Error("a composite has no chance");
  const times = STAGES.map((_, k) => all.map(({ times }) => times[k]).sort((a, b) => a - b));
  const p99 = at(times[0], 0.99);
  const figures: Figure[] = STAGES.flatMap((name, k) => [
    { name: `${name}, p50`, value: at(times[k], 0.5), unit: "ms" },
    { name: `${name}, p95`, value: at(times[k], 0.95), unit: "ms" },
    {
      name: `${name}, p99`,
      value: at(times[k], 0.99),
      unit: "ms",
      ...(k === 0 ? { target: { text: `<= ${TARGET_MS} ms`, met: p99 <= TARGET_MS } } : {}),
    },
  ]);
  const shares = LAYERS.map((name) => `${name} ${Math.round(100 * spoke(name))} %`).join(", ");
  return {
    row: "M2",
    title: "Scoring of one signal by all layers",
    notes: [
      `${all.length} closes of ${MAIN} bars with a pattern; layers spoke: ${shares}. Trees have groups of their own for ${groups.join(", ")}. The clock counts what else the machine does, the processor all threads.`,
    ],
    figures,
  };
}

process.stdout.write(JSON.stringify([await main()]));
