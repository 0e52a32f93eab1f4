import { describe, expect, it } from "vitest";
import { type CalendarId, calendarOf } from "../../src/core/market/session.js";
import { QUOTE_KINDS, QuoteMids, type QuoteTicks } from "../../src/core/ticks/quotes.js";
import { allocateTicks, type Ticks } from "../../src/core/ticks/tick.js";
import { VERDICTS } from "../../src/core/ticks/verdict.js";
import {
  expectBatch,
  expectPlainBars,
  expectPlainFormulas,
  expectPlainMatrices,
  runWatched,
} from "../fixtures/engine-oracle.js";
import { expectSame, runInParts, runOneByOne } from "../fixtures/engine-splits.js";
import { createTestEngine, runEngine } from "../fixtures/engines.js";
import { sharedPath } from "../fixtures/shared.js";
import { partOf } from "../fixtures/tick-bars.js";
import { readQuotes } from "../fixtures/tick-files.js";

interface Told {
  readonly name: string;
  readonly file: string;
  readonly calendar: CalendarId;
  /** Quotes by kind, the others being mids; those with a side that is 0. */
  readonly kinds: Readonly<Record<string, number>>;
  readonly zeros: number;
  /** Verdicts on the mids but for those that were accepted. */
  readonly refused: Readonly<Record<string, number>>;
}

const TOLD: readonly Told[] = [
  {
    name: "EUR/USD of FXCM",
    file: "lean-fxcm-EURUSD-quotes-20140501-20140509.csv.gz",
    calendar: "FX",
    kinds: { locked: 82_118, crossed: 69_354 },
    zeros: 0,
    refused: {},
  },
  {
    name: "XAU/USD of Oanda",
    file: "lean-oanda-XAUUSD-quotes-20140505-20140507.csv.gz",
    calendar: "FX",
    kinds: {},
    zeros: 0,
    refused: {},
  },
  {
    name: "IBM of all exchanges",
    file: "lean-IBM-quotes-20131007-20131008.csv.gz",
    calendar: "XNYS",
    kinds: { locked: 1_698, one_sided: 1, crossed: 168 },
    zeros: 234_817,
    refused: {},
  },
];
const isHere = sharedPath("data", "ticks", TOLD[0].file) !== null;

/** Quotes of a file as ticks of their mids, and how many there were of each kind. */
function midsOf(file: string): { ticks: Ticks; kinds: Record<string, number>; zeros: number } {
  const quotes = readQuotes(file);
  const { length } = quotes.time;
  const mids = new QuoteMids(1);
  const into = allocateTicks(length);
  let count = 0;
  for (let i = 0; i < length; i++) if (mids.take(quotes, i, into, count) <= 1) count++;
  const kinds = Object.fromEntries(QUOTE_KINDS.map((kind, code) => [kind, mids.count(0, code)]));
  const zeros = quotes.bid.filter((bid, i) => bid === 0 || quotes.ask[i] === 0).length;
  expect(Object.values(kinds).reduce((sum, each) => sum + each, 0)).toBe(length);
  expect(withoutZeros(kinds)).toEqual(withoutZeros(plainKinds(quotes)));
  expect(kinds.mid + kinds.locked).toBe(count);
  return { ticks: partOf(into, 0, count), kinds, zeros };
}

/** What the sides that were told last make of each quote. */
function plainKinds({ bid, ask }: QuoteTicks): Record<string, number> {
  const kinds = { mid: 0, locked: 0, one_sided: 0, crossed: 0 };
  const known: { bid?: number; ask?: number } = {};
  for (let i = 0; i < bid.length; i++) {
    if (bid[i] !== 0) known.bid = bid[i];
    if (ask[i] !== 0) known.ask = ask[i];
    if (known.bid === undefined || known.ask === undefined) kinds.one_sided++;
    else if (known.bid === known.ask) kinds.locked++;
    else kinds[known.bid > known.ask ? "crossed" : "mid"]++;
  }
  return kinds;
}

const withoutZeros = (counts: Readonly<Record<string, number>>) =>
  Object.fromEntries(Object.entries(counts).filter(([, count]) => count > 0));

describe.skipIf(!isHere).each(TOLD)("quotes of $name through the engine", (told) => {
  const calendar = calendarOf(told.calendar);
  const { ticks, kinds, zeros } = isHere
    ? midsOf(told.file)
    : { ticks: allocateTicks(0), kinds: {}, zeros: 0 };
  const run = isHere ? runWatched(ticks, calendar) : null;

  it("are counted: crossed ones, those of one side, and mids that are refused", () => {
    if (run === null) return;
    const { mid, ...others } = kinds;
    const verdicts = VERDICTS.map((name, code) => [
      name,
      run.verdicts.filter((each) => each === code).length,
    ]);
    const { accepted, ...refused } = withoutZeros(Object.fromEntries(verdicts));
    process.stdout.write(
      `${told.name}: ${JSON.stringify(kinds)} zeros ${zeros} refused ${JSON.stringify(refused)}, ${run.short.time.length} and ${run.long.time.length} bars, ${run.synergies.length} synergies\n`,
    );
    expect(withoutZeros(others)).toEqual(told.kinds);
    expect(zeros).toBe(told.zeros);
    expect(refused).toEqual(told.refused);
    expect(accepted).toBeGreaterThan(100_000);
  });

  it("make the bars, the values of rows and the matrices that other ways make of their mids", () => {
    if (run === null) return;
    expectPlainBars(run);
    expectBatch(run);
    expectPlainFormulas(run);
    expectPlainMatrices(run);
  });

  it("have no volume: neither mean price by it nor pressure, and what compares volumes says 0", () => {
    if (run === null) return;
    expect(run.bars.every(({ figures }) => figures[5] === 0)).toBe(true);
    expect(run.bars.every(({ figures }) => Number.isNaN(figures[7]) && Number.isNaN(figures[8]))).toBe(true);
    expect(new Set(run.track.lines.tactical.slice(20).map((line) => line[6]))).toEqual(new Set([0]));
    expect(new Set(run.track.lines.regime.slice(29).map((line) => line[9]))).toEqual(new Set([0]));
    // A profile without volume has no thin steps.
    expect(new Set(run.track.lines.structure.slice(19).flatMap((line) => line.slice(4, 6)))).toEqual(
      new Set([0]),
    );
    expect(run.synergies.filter((found) => found.refusedBy === null)).toEqual([]);
  });

  it("give the same one at a time and in parts", () => {
    if (run === null) return;
    const engine = createTestEngine([calendar]);
    const whole = { ...runEngine(engine, ticks), engine };
    expect(whole.synergies).toEqual(run.synergies);
    expectSame(runOneByOne([calendar], ticks), whole);
    expectSame(runInParts([calendar], ticks, { seed: 6, most: 9_000, moves: 5 }), whole);
  });
});
