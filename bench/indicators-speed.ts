import type { Bars } from "../src/core/market/candles.js";
import { randomWalk } from "./data.js";
import { BARS, batchCase, figure, NAMES, sumOf } from "./indicators-cases.js";
import { buildTalib } from "./indicators-talib.js";
import { type Section, Timings, timeCases, untilSteady } from "./time.js";

/** Prints a section: batch forms in Y and beside TA-Lib in C, in turns on the same bars. */
const LEAST_TURNS = 4;
const MOST_TURNS = 20;
const ROUNDS = 3;

/** Most ns per bar of a function, in Y and as a multiple of TA-Lib's. */
const mostY = (name: string) => (name === "cci" ? 12 : 10);
const mostC = (name: string) => (name === "ad" ? 3.5 : 2);

function speedSection(ours: Timings, talib: Timings | null, notes: readonly string[]): Section {
  const y = ours.fastest("ema");
  const figures = [figure("Y: an EMA(14)", y, "ns/bar")];
  for (const name of NAMES) {
    const ns = ours.fastest(name);
    const what = `${name}: ${ns.toFixed(1)} ns/bar, median ${ours.median(name).toFixed(1)}`;
    figures.push(figure(what, ns / y, "Y", [`<= ${mostY(name)} Y`, ns <= mostY(name) * y]));
    if (talib === null) continue;
    const theirs = talib.fastest(name);
    const beside = `${name} / TA-Lib: ${theirs.toFixed(1)} ns/bar, median ${talib.median(name).toFixed(1)}`;
    figures.push(figure(beside, ns / theirs, "x", [`<= ${mostC(name)}`, ns <= mostC(name) * theirs]));
  }
  const total = sumOf(ours);
  figures.push(figure(`sum of the ${NAMES.length}`, total / y, "Y", ["<= 85 Y", total <= 85 * y]));
  if (talib !== null) {
    const ratio = total / sumOf(talib);
    figures.push(figure("sum / TA-Lib", ratio, "x", ["<= 1.3", ratio <= 1.3]));
  }
  const title = `${BARS} bars into caller-owned outputs, fastest of ${LEAST_TURNS * ROUNDS} rounds or more`;
  return { row: "I2", title, notes, figures };
}

function measureSpeed(bars: Bars): Section {
  const { talib, problem } = buildTalib(bars);
  const cases = NAMES.map((name) => batchCase(name, bars));
  const ours = new Timings();
  const theirs = new Timings();
  untilSteady(LEAST_TURNS, MOST_TURNS, () => {
    const faster = ours.add(timeCases(cases, ROUNDS));
    return (talib !== null && theirs.add(talib.time(ROUNDS))) || faster;
  });
  return speedSection(ours, talib === null ? null : theirs, problem === null ? [] : [problem]);
}

process.stdout.write(JSON.stringify([measureSpeed(randomWalk(BARS, 1))]));
