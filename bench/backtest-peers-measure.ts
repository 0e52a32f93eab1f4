import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { type Asked, runBrief } from "../src/core/backtest/brief.js";
import { type BacktestRules, PLAIN_RULES } from "../src/core/backtest/rules.js";
import type { Candles } from "../src/core/market/candles.js";
import { columnOf, crossAt, keepColumns } from "../src/core/strategies/columns.js";
import { goldenCross } from "../src/core/strategies/golden-cross.js";
import { runEmitterEngine } from "./backtest-emitter.js";
import { randomWalk } from "./data.js";
import { installPeers } from "./peers.js";
import { type Case, type Figure, type Section, type Timing, timeCases } from "./time.js";

/** Prints a section: the same crosses of averages by ours and by engines that others use, in turns on the same bars. */
const BARS = 200_000;
const ROUNDS = 9;
/** Runs of each before it is timed: an engine whose bars are mostly passed by is compiled after some ten. */
const WARM = 20;
const FAST = 20;
const SLOW = 50;
const PACKAGES = ["grademark@0.3.0", "data-forge@1.10.5", "chai@4.5.0", "indicatorts@2.2.2"];
/** How many times as long each takes at least. */
const LEAST = { grademark: 50, emitter: 8 };
const RULES: BacktestRules = {
  ...PLAIN_RULES,
  capital: 1e7,
  sizing: { ...PLAIN_RULES.sizing, stake: { kind: "units", units: 10 } },
  closing: "mark",
};

/** An engine on the bars. */
interface Engine {
  readonly name: string;
  /** Which of ours does what it does, and how many times as long as that one it takes at least. */
  readonly beside?: number;
  readonly least?: number;
  /** @returns how many round trips it closed; NaN where it does not tell, or does not trade each cross. */
  run(): number;
}

interface GrademarkBar {
  readonly time: Date;
  readonly open: number;
  readonly high: number;
  readonly low: number;
  readonly close: number;
  readonly volume: number;
  /** 1 where the averages cross upwards, -1 downwards. */
  readonly cross: number;
}

interface Grademark {
  backtest(
    strategy: {
      readonly entryRule: (enter: () => void, args: { readonly bar: GrademarkBar }) => void;
      readonly exitRule: (exit: () => void, args: { readonly bar: GrademarkBar }) => void;
    },
    bars: unknown,
  ): readonly unknown[];
}

interface Indicatorts {
  backtest(asset: unknown, strategies: readonly { name: string; strategy: () => number[] }[]): unknown;
}

function ourEngine(name: string, candles: Candles, asked: Asked): Engine {
  return {
    name,
    run() {
      const { exitBar } = runBrief(
        goldenCross,
        [{ candles }],
        { fast: FAST, slow: SLOW },
        RULES,
        asked,
      ).trades;
      return exitBar.reduce((count, bar) => count + Number(bar >= 0), 0);
    },
  };
}

/** One that computes its averages and values each bar, and one that has its averages and tells trades alone. */
function ourEngines(candles: Candles): [Engine, Engine] {
  const room = new Float64Array(BARS);
  const kept = { ...candles };
  keepColumns(kept);
  return [
    ourEngine("ours, with equity, averages included", candles, { room }),
    ourEngine("ours, trades alone, averages made before", kept, { room, bars: Int32Array.of(BARS - 1) }),
  ];
}

/** Crosses of the averages, computed beforehand. */
function crossesOf(candles: Candles): Int8Array {
  const fast = columnOf("sma", candles, { period: FAST });
  const slow = columnOf("sma", candles, { period: SLOW });
  return Int8Array.from(fast, (_, i) => crossAt(fast, slow, i));
}

function grademarkEngine(require: NodeJS.Require, candles: Candles): Engine {
  const { backtest } = require("grademark") as Grademark;
  const { DataFrame } = require("data-forge") as {
    DataFrame: new (rows: readonly GrademarkBar[]) => unknown;
  };
  const cross = crossesOf(candles);
  const rows = Array.from(cross, (each, i) => ({
    time: new Date(candles.time[i]),
    open: candles.open[i],
    high: candles.high[i],
    low: candles.low[i],
    close: candles.close[i],
    volume: candles.volume[i],
    cross: each,
  }));
  const frame = new DataFrame(rows);
  return {
    name: "grademark, trades alone, averages and bars made before",
    beside: 1,
    least: LEAST.grademark,
    run() {
      backtest(
        {
          entryRule: (enter, { bar }) => void (bar.cross > 0 && enter()),
          exitRule: (exit, { bar }) => void (bar.cross < 0 && exit()),
        },
        frame,
      );
      // It asks for exits from the bar after the entry on, and misses those that come at once.
      return Number.NaN;
    },
  };
}

function indicatortsEngine(require: NodeJS.Require, candles: Candles): Engine {
  const { backtest } = require("indicatorts") as Indicatorts;
  const { time, open, high, low, close, volume } = candles;
  const asset = {
    dates: Array.from(time, (ms) => new Date(ms)),
    openings: Array.from(open),
    highs: Array.from(high),
    lows: Array.from(low),
    closings: Array.from(close),
    volumes: Array.from(volume),
  };
  const actions = Array.from(crossesOf(candles));
  return {
    name: "indicatorts, averages and bars made before, without fees and fills",
    beside: 1,
    run() {
      backtest(asset, [{ name: "cross", strategy: () => actions }]);
      return Number.NaN;
    },
  };
}

function figuresOf(engines: readonly Engine[], timings: readonly Timing[]): Figure[] {
  const trips = engines.map((engine) => engine.run());
  const rates = engines.flatMap(({ name, beside, least }, i): Figure[] => {
    const { minNs } = timings[i];
    const rate = { name, value: 1_000 / minNs, unit: "million bars/s" };
    if (beside === undefined) return [rate];
    const value = minNs / timings[beside].minNs;
    const target = least === undefined ? {} : { target: { text: `>= ${least}`, met: value >= least } };
    return [rate, { name: `times as long as ${engines[beside].name}`, value, unit: "times", ...target }];
  });
  const unlike = trips.filter((count) => !Number.isNaN(count) && count !== trips[0]).length;
  return [
    ...rates,
    { name: "round trips of ours", value: trips[0], unit: "" },
    {
      name: "engines with another number of them",
      value: unlike,
      unit: "",
      target: { text: "0", met: unlike === 0 },
    },
  ];
}

function measure(): Section {
  const candles = randomWalk(BARS, 73);
  const folder = join(tmpdir(), "tx-bench-backtest-peers");
  const problem = installPeers(folder, PACKAGES);
  const require = createRequire(pathToFileURL(join(folder, "bench.js")));
  const own: Engine[] = [
    ...ourEngines(candles),
    {
      name: "an engine of events and objects, with equity, averages included",
      beside: 0,
      least: LEAST.emitter,
      run: () => runEmitterEngine(candles, FAST, SLOW),
    },
  ];
  const others =
    problem === null ? [grademarkEngine(require, candles), indicatortsEngine(require, candles)] : [];
  const engines = [...own, ...others];
  const cases = engines.map(
    ({ name, run }): Case => ({
      name,
      items: BARS,
      run: () => void run(),
    }),
  );
  const notes = problem === null ? [] : [`Packages left out: ${problem}`];
  const title = `Averages of ${FAST} and ${SLOW} that cross, beside other engines, ${BARS.toLocaleString("en")} bars`;
  return { row: "B4", title, notes, figures: figuresOf(engines, timeCases(cases, ROUNDS, WARM)) };
}

process.stdout.write(JSON.stringify([measure()]));
