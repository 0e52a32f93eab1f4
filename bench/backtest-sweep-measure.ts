import { once } from "node:events";
import { Worker } from "node:worker_threads";
import { ensure } from "../src/core/base/assert.js";
import { sharedCandles } from "../src/core/market/candles.js";
import { goldenCross } from "../src/core/strategies/golden-cross.js";
import { resolveValues, type Values } from "../src/core/strategies/parameters.js";
import type { RunTerms } from "../src/features/backtests/terms.js";
import { tryAll } from "../src/features/backtests/tries.js";
import { createLog } from "../src/platform/log.js";
import { createWorkers, type Workers } from "../src/platform/workers.js";
import { randomWalk } from "./data.js";
import type { Figure, Section } from "./time.js";

/** Prints a section: a sweep as its job runs it, in one thread and in two. */
const BARS = 100_000;
const TRIALS = 1_000;
const LEAST_RATE = 1_500;
const LEAST_GAIN = 1.7;
const ROUNDS = 8;

const TERMS: RunTerms = {
  currency: "USD",
  capital: 1e6,
  commissionBps: 5,
  commissionPerShare: 0,
  spreadBps: 0,
  volumeShare: null,
  slippageBps: 1,
  sizing: "whole",
  share: 0.1,
  account: "cash",
  closing: "mark",
  calendar: null,
  convention: "textbook",
  yearReturns: 365,
  riskFree: 0,
};

/** Pairs of averages, all unlike. */
function pairs(): Values[] {
  return Array.from({ length: TRIALS }, (_, k) => ({
    fast: 5 + (k % 25),
    slow: 40 + 2 * Math.floor(k / 25),
    side: "long",
  }));
}

async function sweep(workers: Workers): Promise<number> {
  const { values } = resolveValues(goldenCross.parameters, {});
  const series = [sharedCandles(randomWalk(BARS, 74))];
  let points: readonly Values[] = pairs();
  const candidates = {
    most: TRIALS,
    next() {
      const next = points;
      points = [];
      return next;
    },
    tell: () => undefined,
  };
  const started = performance.now();
  const tried = await tryAll({ strategy: goldenCross, values: ensure(values, "defaults") }, candidates, {
    workers,
    data: { series, facts: [{}], lead: [], happenings: [], terms: TERMS },
    objective: "sharpe",
    window: null,
    byBar: false,
    signal: new AbortController().signal,
    onTried: async () => undefined,
  });
  const seconds = (performance.now() - started) / 1_000;
  if (tried.length !== TRIALS) throw new Error(`${tried.length} of ${TRIALS} were tried`);
  return TRIALS / seconds;
}

async function fastest(threads: number): Promise<number> {
  const log = createLog({ level: "silent", structured: true, scrub: (text) => text });
  const workers = createWorkers({ log, threads });
  let best = 0;
  for (let round = 0; round < ROUNDS; round++) best = Math.max(best, await sweep(workers));
  await workers.close();
  return best;
}

/** How many times as much two threads do as one that only count, which share nothing: what the processors give. */
async function spinning(): Promise<number> {
  const count = `const { parentPort } = require("node:worker_threads");
    let n = 0; let x = 1; const end = performance.now() + 1000;
    while (performance.now() < end) { for (let i = 0; i < 100000; i++) x = 0.9 * x + i; n++; }
    parentPort.postMessage([n, x]);`;
  const rate = async () => {
    const worker = new Worker(count, { eval: true });
    const [[n]] = (await once(worker, "message")) as [[number, number]];
    return n;
  };
  const alone = await rate();
  const both = await Promise.all([rate(), rate()]);
  return (both[0] + both[1]) / alone;
}

const free = await spinning();
const one = await fastest(1);
const two = await fastest(2);
const figures: Figure[] = [
  { name: "one thread", value: one, unit: "backtests/s" },
  {
    name: "two threads",
    value: two,
    unit: "backtests/s",
    target: { text: `>= ${LEAST_RATE}`, met: two >= LEAST_RATE },
  },
  { name: "two threads to one that only count", value: free, unit: "times" },
  {
    name: "two threads to one",
    value: two / one,
    unit: "times",
    target: {
      text: `>= ${LEAST_GAIN}, where two that only count are worth 2`,
      met: two / one >= (LEAST_GAIN * Math.min(free, 2)) / 2,
    },
  },
];
const title = `A sweep of ${TRIALS.toLocaleString("en")} pairs of averages over ${BARS.toLocaleString("en")} bars each`;
const sections: Section[] = [{ row: "B3", title, notes: [], figures }];
process.stdout.write(JSON.stringify(sections));
