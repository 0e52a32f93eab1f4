import { INDICATORS } from "../src/core/indicators/index.js";
import { createStream, Follower, type IndicatorStream } from "../src/core/indicators/stream.js";
import { type Bar, type Bars, barAt } from "../src/core/market/candles.js";
import { randomWalk } from "./data.js";
import { batchCase, figure, NAMES, POOL, sumOf } from "./indicators-cases.js";
import { rowOf } from "./indicators-kernels.js";
import { type Case, type Section, Timings, timeCases, untilSteady } from "./time.js";

/** Prints a section: one bar at a time beside the batch form, on the same bars. */
const LEAST_TURNS = 4;
const MOST_TURNS = 20;
const ROUNDS = 3;
/** So few that a case takes milliseconds, which a busy machine may leave undisturbed. */
const BARS = 250_000;
const TABLE_BARS = 20_000;

function follow(follower: Follower, bars: Bars): void {
  const { length } = bars.time;
  for (let i = 0; i < length; i++) follower.update();
}

/** The bars and outputs that the batch form has: those of the caller. */
function followCase(name: string, bars: Bars): Case {
  const { indicator, values } = rowOf(name);
  const outputs = POOL.slice(0, indicator.outputs.length).map((column) =>
    column.subarray(0, bars.time.length),
  );
  return {
    name: `${name} followed`,
    items: bars.time.length,
    run: () => follow(new Follower(indicator, values, bars, outputs), bars),
  };
}

function feedColumns(stream: IndicatorStream, bars: Bars): void {
  const { length } = bars.time;
  for (let i = 0; i < length; i++) stream.updateFrom(bars, i);
}

function columnCase(name: string, bars: Bars): Case {
  const { indicator, values } = rowOf(name);
  return {
    name: `${name} columns`,
    items: bars.time.length,
    run: () => feedColumns(createStream(indicator, values), bars),
  };
}

function feedObjects(stream: IndicatorStream, bars: readonly Bar[]): void {
  for (let i = 0; i < bars.length; i++) stream.update(bars[i]);
}

function objectCase(name: string, bars: readonly Bar[]): Case {
  const { indicator, values } = rowOf(name);
  return {
    name: `${name} objects`,
    items: bars.length,
    run: () => feedObjects(createStream(indicator, values), bars),
  };
}

function measureStreams(bars: Bars): Section {
  const objects = Array.from({ length: BARS }, (_, i) => barAt(bars, i));
  const timings = new Timings();
  const groups: readonly ((name: string) => Case)[] = [
    (name) => batchCase(name, bars),
    (name) => followCase(name, bars),
    (name) => columnCase(name, bars),
    (name) => objectCase(name, objects),
  ];
  const cases = groups.map((caseOf) => NAMES.map(caseOf));
  untilSteady(LEAST_TURNS, MOST_TURNS, () =>
    cases.map((group) => timings.add(timeCases(group, ROUNDS))).some((faster) => faster),
  );
  const batch = sumOf(timings);
  const figures = NAMES.map((name) => {
    const taken = `${name} followed`;
    const ns = timings.fastest(taken);
    const what = `${name}: ${ns.toFixed(1)} ns/bar, median ${timings.median(taken).toFixed(1)}`;
    return figure(what, ns / timings.fastest(name), "x batch");
  });
  const followed = sumOf(timings, " followed") / batch;
  const columns = sumOf(timings, " columns") / batch;
  const whole = sumOf(timings, " objects") / batch;
  figures.push(
    figure(`sum of the ${NAMES.length}, in the columns of the batch form`, followed, "x batch", [
      "<= 3",
      followed <= 3,
    ]),
    figure(`sum of the ${NAMES.length}, each bar copied from other columns`, columns, "x batch"),
    figure(`sum of the ${NAMES.length}, each bar copied from an object`, whole, "x batch"),
  );
  const notes = [
    "A call costs as much as several bars of the cheapest kernels, so the target is for the sum; to the last bit equal by test.",
  ];
  return {
    row: "I4",
    title: `one bar at a time, ${BARS} bars, fastest of ${LEAST_TURNS * ROUNDS} rounds or more`,
    notes,
    figures,
  };
}

/** Every row of ours, which none of the others would outweigh in a sum of the 21. */
function measureTable(bars: Bars): Section {
  const { length } = bars.time;
  const objects = Array.from({ length }, (_, i) => barAt(bars, i));
  const names = INDICATORS.filter(({ origin }) => origin === "tx").map(({ name }) => name);
  // As many as the row with the most has outputs; some rows take a second for what the warm runs of the 21 do in a moment.
  const pool = Array.from({ length: 9 }, () => new Float64Array(length));
  const cases = names.flatMap((name) => [
    batchCase(name, bars, { pool, warmRuns: 40 }),
    objectCase(name, objects),
  ]);
  const timings = new Timings();
  untilSteady(LEAST_TURNS, LEAST_TURNS + 2, () => timings.add(timeCases(cases, ROUNDS)));
  const ratios = names.map((name) => timings.fastest(`${name} objects`) / timings.fastest(name));
  const sum = (suffix: string) => names.reduce((total, name) => total + timings.fastest(name + suffix), 0);
  const mean = Math.exp(ratios.reduce((total, ratio) => total + Math.log(ratio), 0) / ratios.length);
  const whole = sum(" objects") / sum("");
  return {
    row: "I4",
    title: `one bar at a time, each of the ${names.length} rows of the table, bars as objects, ${length} bars`,
    notes: [],
    figures: [
      figure("geometric mean of the rows", mean, "x batch", ["<= 3", mean <= 3]),
      figure("sum of the rows", whole, "x batch", ["<= 3", whole <= 3]),
      figure("the dearest beside its batch form", Math.max(...ratios), "x batch"),
    ],
  };
}

const sections = [measureStreams(randomWalk(BARS, 1)), measureTable(randomWalk(TABLE_BARS, 2))];
process.stdout.write(JSON.stringify(sections));
