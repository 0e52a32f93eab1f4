import { createStream, type IndicatorStream } from "../src/core/indicators/stream.js";
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

/** The indicator's own `run` over one bar, on columns that the caller has anyway. */
function runCase(name: string, bars: Bars): Case {
  const { indicator, values } = rowOf(name);
  const { run } = indicator;
  const items = bars.time.length;
  const outputs = POOL.slice(0, indicator.outputs.length);
  const state = new Float64Array(indicator.memory(values));
  return {
    name: `${name} run`,
    items,
    run() {
      state.fill(0);
      for (let i = 0; i < items; i++) run(bars, values, outputs, state, i, i + 1);
    },
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
    (name) => runCase(name, bars),
    (name) => columnCase(name, bars),
    (name) => objectCase(name, objects),
  ];
  const cases = groups.map((caseOf) => NAMES.map(caseOf));
  untilSteady(LEAST_TURNS, MOST_TURNS, () =>
    cases.map((group) => timings.add(timeCases(group, ROUNDS))).some((faster) => faster),
  );
  const batch = sumOf(timings);
  const figures = NAMES.map((name) => {
    const taken = `${name} columns`;
    const ns = timings.fastest(taken);
    const what = `${name}: ${ns.toFixed(1)} ns/bar, median ${timings.median(taken).toFixed(1)}`;
    return figure(what, ns / timings.fastest(name), "x batch");
  });
  const columns = sumOf(timings, " columns") / batch;
  const bare = sumOf(timings, " run") / batch;
  const whole = sumOf(timings, " objects") / batch;
  figures.push(
    figure(`sum of the ${NAMES.length}, bars from columns`, columns, "x batch", ["<= 3", columns <= 3]),
    figure(`sum of the ${NAMES.length}, bars as objects`, whole, "x batch"),
    figure(`sum of the ${NAMES.length}, \`run\` alone over one bar`, bare, "x batch"),
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

process.stdout.write(JSON.stringify([measureStreams(randomWalk(BARS, 1))]));
