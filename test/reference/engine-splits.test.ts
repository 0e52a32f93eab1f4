import { describe, expect, it } from "vitest";
import { calendarOf } from "../../src/core/market/session.js";
import { HELD } from "../../src/core/ticks/verdict.js";
import { expectSame, runInParts, runOneByOne } from "../fixtures/engine-splits.js";
import { createTestEngine, runEngine } from "../fixtures/engines.js";
import { sharedPath } from "../fixtures/shared.js";
import { readTrades } from "../fixtures/tick-files.js";

const calendars = [calendarOf("XNYS")];
const FILES = [
  ["SPY", "lean-SPY-trades-20131007-20131011.csv.gz"],
  ["IBM", "lean-IBM-trades-20131007-20131011.csv.gz"],
] as const;
const isHere = sharedPath("data", "ticks", FILES[0][1]) !== null;

describe.skipIf(!isHere).each(FILES)("a week of trades of %s", (name, file) => {
  const ticks = isHere ? readTrades(file) : null;

  it("gives the same one at a time, in parts, and saved and loaded in between: each bit", () => {
    if (ticks === null) return;
    const engine = createTestEngine(calendars);
    const whole = { ...runEngine(engine, ticks), engine };
    expectSame(runOneByOne(calendars, ticks), whole);
    const parts = runInParts(calendars, ticks, { seed: 3, most: ticks.time.length / 60, moves: 3 });
    expectSame(parts, whole);
    const few = runInParts(calendars, ticks, { seed: 4, most: 300, moves: 20 });
    expectSame(few, whole);
    const held = few.verdicts.filter((verdict) => verdict === HELD).length;
    process.stdout.write(
      `${name}: moved ${parts.moved} and ${few.moved} times, ${held} ticks held at the end of a part\n`,
    );
    expect(Math.min(parts.moved, few.moved)).toBeGreaterThan(10);
  }, 60_000);
});
