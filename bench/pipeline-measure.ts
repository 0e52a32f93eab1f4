import { ensure } from "../src/core/base/assert.js";
import { resolveParameters } from "../src/core/indicators/define.js";
import { ema } from "../src/core/indicators/trend/ema.js";
import { randomWalk } from "./data.js";
import { Reference } from "./pipeline-reference.js";
import { addUp, spySeries, type TickSeries, timeRun, walkSeries } from "./pipeline-run.js";
import { type Figure, median, type Section, Timings } from "./time.js";

/** Prints sections: ticks a second through all of the pipeline, beside the same in C, and whether both say the same. */
const FOLDER = process.argv[2] ?? "bench";
const TURNS = 3;
const ROUNDS = 3;
const LEAST_OF_C = 0.55;

interface Target {
  readonly row: string;
  readonly text: string;
  holds(ns: number, y: number): boolean;
}

const TARGETS: Readonly<Record<string, Target>> = {
  "1 symbol, 12 ticks a bar": { row: "T1", text: "<= 70 Y", holds: (ns, y) => ns <= 70 * y },
  "1 symbol, 300 ticks a bar": {
    row: "T2",
    text: ">= 80 M ticks/s where Y is 1.9 ns: <= 6.6 Y",
    holds: (ns, y) => ns <= 6.6 * y,
  },
};

/** Compiled cases of every density first, as a process that has run for a while would have it. */
const series: readonly TickSeries[] = [
  walkSeries(1, 12, 1_500_000),
  walkSeries(1, 300, 5_000_000),
  walkSeries(10, 12, 2_000_000),
  walkSeries(10, 300, 5_000_000),
  walkSeries(500, 12, 4_000_000),
  walkSeries(500, 300, 5_000_000),
  ...[spySeries(FOLDER)].filter((spy) => spy !== null),
];

const bars = randomWalk(1_000_000, 1);
const { values } = resolveParameters(ema, { period: 14 });
const yardstick = ensure(values, "ema");
const out = [new Float64Array(bars.close.length)];

function timeYardstick(): number {
  const state = new Float64Array(ema.memory(yardstick));
  const started = process.hrtime.bigint();
  ema.run(bars, yardstick, out, state, 0, bars.close.length);
  return Number(process.hrtime.bigint() - started) / bars.close.length;
}

function turnOf(
  name: string,
  one: () => number,
  rounds: number,
): { name: string; minNs: number; medianNs: number } {
  const times = Array.from({ length: rounds }, one);
  return { name, minNs: Math.min(...times), medianNs: median(times) };
}

function reference(): { made: Reference; problem: null } | { made: null; problem: string } {
  try {
    return { made: new Reference(FOLDER), problem: null };
  } catch (error) {
    const reason = error instanceof Error ? error.message.split("\n")[0] : String(error);
    return { made: null, problem: `The reference in C is left out: ${reason}` };
  }
}

/** How far two lists of sums are apart at most, as parts of their values. */
function apart(left: readonly number[], right: readonly number[]): number {
  return Math.max(...left.map((value, k) => Math.abs(value - right[k]) / Math.max(1, Math.abs(value))));
}

function measure(one: TickSeries, inC: Reference | null): Figure[] {
  const count = one.ticks.time.length;
  const verdicts = new Uint8Array(count);
  const timings = new Timings();
  const outcome = addUp(one);
  inC?.write(one);
  let difference = 0;
  for (let turn = 0; turn < TURNS; turn++) {
    timings.add([
      turnOf("y", timeYardstick, 9),
      turnOf("ours", () => timeRun(one, verdicts) / count, ROUNDS),
    ]);
    if (inC === null) continue;
    const { sums, ...timing } = inC.run(ROUNDS);
    timings.add([{ name: "c", ...timing }]);
    difference = Math.max(difference, apart(outcome.sums, sums));
  }
  const [y, ns] = [timings.fastest("y"), timings.fastest("ours")];
  const [allBars, , synergies, , acted] = outcome.sums;
  const target = TARGETS[one.name];
  const figures: Figure[] = [
    { name: "ticks a second", value: 1e3 / ns, unit: "M/s" },
    { name: "a tick; in the median round", value: ns, unit: `ns; ${timings.median("ours").toFixed(1)} ns` },
    {
      name: "the same",
      value: ns / y,
      unit: "Y",
      ...(target === undefined ? {} : { target: { text: target.text, met: target.holds(ns, y) } }),
    },
    { name: "Y: an EMA(14)", value: y, unit: "ns/bar" },
  ];
  if (inC !== null) {
    const share = timings.fastest("c") / ns;
    figures.push(
      {
        name: "in C; in the median round",
        value: timings.fastest("c"),
        unit: `ns; ${timings.median("c").toFixed(1)} ns`,
      },
      {
        name: "speed beside C",
        value: share,
        unit: "",
        target: { text: ">= 0.55", met: share >= LEAST_OF_C },
      },
      {
        name: "largest difference from C of bars, synergies, decisions and matrices, as a part of each sum",
        value: difference,
        unit: "",
        target: { text: "<= 1e-9", met: difference <= 1e-9 },
      },
    );
  }
  const shorter = allBars - outcome.longerBars;
  figures.push(
    { name: "ticks, of which were not accepted", value: count, unit: `; ${outcome.refused}` },
    { name: "bars of 5 minutes, of 30 minutes", value: shorter, unit: `; ${outcome.longerBars}` },
    { name: "values of 6 indicators", value: shorter + 5 * outcome.longerBars, unit: "bars" },
    { name: "rows of 3 matrices", value: shorter + 2 * outcome.longerBars, unit: "" },
    { name: "synergies, and decisions to act", value: synergies, unit: `; ${acted}` },
  );
  return figures;
}

const { made, problem } = reference();
const sections: Section[] = series.map((one) => ({
  row: TARGETS[one.name]?.row ?? "T",
  title: `Ticks to decisions: ${one.name}`,
  notes: problem === null ? [] : [problem],
  figures: measure(one, made),
}));
made?.remove();
process.stdout.write(JSON.stringify(sections));
