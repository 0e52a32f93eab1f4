import { describe, expect, it } from "vitest";
import { calendarOf } from "../../src/core/market/session.js";
import type { FoundSynergy } from "../../src/core/synergy/findings.js";
import { allocateTicks, type Ticks } from "../../src/core/ticks/tick.js";
import {
  expectBatch,
  expectPlainBars,
  expectPlainFormulas,
  expectPlainMatrices,
  runWatched,
} from "../fixtures/engine-oracle.js";
import { createTestEngine, runEngine } from "../fixtures/engines.js";
import { sharedPath } from "../fixtures/shared.js";
import { readTrades } from "../fixtures/tick-files.js";

const newYork = calendarOf("XNYS");
const FILES = {
  SPY: "lean-SPY-trades-20131007-20131011.csv.gz",
  IBM: "lean-IBM-trades-20131007-20131011.csv.gz",
} as const;
const isHere = sharedPath("data", "ticks", FILES.SPY) !== null;

/** Trades of two symbols in order of time, those of the first before others of the same ms. */
function merged(one: Ticks, other: Ticks): Ticks {
  const ticks = allocateTicks(one.time.length + other.time.length);
  const next = [0, 0];
  for (let i = 0; i < ticks.time.length; i++) {
    const isFirst = next[1] === other.time.length || one.time[next[0]] <= other.time[next[1]];
    const from = isFirst ? one : other;
    const k = isFirst ? next[0]++ : next[1]++;
    ticks.symbol[i] = isFirst ? 0 : 1;
    ticks.time[i] = from.time[k];
    ticks.price[i] = from.price[k];
    ticks.size[i] = from.size[k];
  }
  return ticks;
}

const withoutSymbol = (found: readonly FoundSynergy[]) => found.map((each) => ({ ...each, symbol: 0 }));

describe.skipIf(!isHere)("a week of trades through the engine", () => {
  const runs = isHere
    ? (["SPY", "IBM"] as const).map((name) => [name, runWatched(readTrades(FILES[name]), newYork)] as const)
    : [];

  it("makes the bars of a map of lists", () => {
    for (const [, run] of runs) expectPlainBars(run);
  });

  it("has at every closed bar the values of one run over all bars, bit for bit", () => {
    for (const [name, run] of runs) {
      process.stdout.write(
        `${name}: ${run.ticks.time.length} trades, ${run.short.time.length} bars of 5 and ${run.long.time.length} of 30 minutes, ${run.synergies.length} synergies\n`,
      );
      expectBatch(run);
    }
  });

  it("has at every closed bar the values of slow formulas", () => {
    for (const [, run] of runs) expectPlainFormulas(run);
  });

  it("fills its matrices as the whole history does", () => {
    for (const [, run] of runs) expectPlainMatrices(run);
  });

  it("finds of two symbols together what it finds of each alone", () => {
    const [spy, ibm] = runs.map(([, run]) => run);
    const engine = createTestEngine([newYork, newYork]);
    const { bars, synergies } = runEngine(engine, merged(spy.ticks, ibm.ticks));
    for (const [symbol, alone] of [spy, ibm].entries()) {
      const made = bars.filter((bar) => bar.symbol === symbol).map((bar) => ({ ...bar, symbol: 0 }));
      expect(made).toEqual(alone.bars);
      const found = synergies.filter((each) => each.symbol === symbol);
      expect(withoutSymbol(found)).toEqual(alone.synergies);
    }
  });
});
