import { describe, expect, it } from "vitest";
import { ensure } from "../../src/core/base/assert.js";
import { createRng } from "../../src/core/base/rng.js";
import { INTERVAL_MS } from "../../src/core/market/interval.js";
import { type CalendarId, calendarOf, nextSession, sessionOn } from "../../src/core/market/session.js";
import { ENGINE_TERMS, type EngineTerms } from "../../src/core/synergy/engine.js";
import { SYNERGY_TYPES } from "../../src/core/synergy/sequence.js";
import { FACT_TIME } from "../../src/core/synergy/track.js";
import { allocateTicks, type Ticks } from "../../src/core/ticks/tick.js";
import { ACCEPTED, HELD, LATE } from "../../src/core/ticks/verdict.js";
import { runByClock } from "../fixtures/clocked-engines.js";
import { collectInto, createTestEngine, runEngine, ticksOf as storyTicks } from "../fixtures/engines.js";
import { tellStory } from "../fixtures/planted-synergies.js";
import { type Trade, ticksOf } from "../fixtures/tick-bars.js";

const MINUTE = 60_000;
const FIVE = 5 * MINUTE;
const GRACE = 2_000;
const START = Date.UTC(2024, 2, 4, 15);

/** An engine of one symbol that was told of some trades as they were made. */
function liveEngine(id: CalendarId, trades: readonly Trade[], receivedAt?: (trade: Trade) => number) {
  const engine = createTestEngine([calendarOf(id)]);
  const ticks = ticksOf(trades);
  const verdicts = new Uint8Array(trades.length);
  for (const [i, trade] of trades.entries()) {
    engine.begin(receivedAt === undefined ? trade.time + 10 : receivedAt(trade));
    engine.take(ticks, i, i + 1, verdicts);
  }
  return { engine, verdicts };
}

/** Bars found so far: level, minutes of their open after an instant, and slot. */
function told(engine: ReturnType<typeof createTestEngine>, after: number): string[] {
  const bars: Parameters<typeof collectInto>[1] = [];
  collectInto(engine, bars, []);
  return bars.map(({ level, figures }) => `${level} ${(figures[0] - after) / MINUTE} ${figures[9]}`);
}

describe("the clock", () => {
  it("closes a bar once its end and the grace are past, and not before", () => {
    const { engine } = liveEngine("24x7", [{ time: START + 1_000, price: 100 }]);
    expect(engine.pass(0, START + FIVE)).toBe(0);
    expect(engine.pass(0, START + FIVE + GRACE - 1)).toBe(0);
    expect(engine.pass(0, START + FIVE + GRACE)).toBe(1);
    expect(told(engine, START)).toEqual(["0 0 0"]);
    expect(engine.pass(0, START + FIVE + GRACE)).toBe(0);
    expect(engine.pass(0, START + 6 * FIVE + GRACE - 1)).toBe(0);
    expect(engine.pass(0, START + 6 * FIVE + GRACE)).toBe(1);
    expect(told(engine, START)).toEqual(["1 0 0"]);
  });

  it("leaves the grace to ticks that are told late, and refuses those after it", () => {
    const { engine } = liveEngine("24x7", [{ time: START + 1_000, price: 100 }]);
    engine.pass(0, START + FIVE + GRACE - 1);
    const late = ticksOf([
      { time: START + FIVE - 1, price: 101 },
      { time: START + FIVE - 1, price: 102 },
    ]);
    const verdicts = new Uint8Array(2);
    engine.begin(START + FIVE + GRACE - 1);
    engine.take(late, 0, 1, verdicts);
    expect(engine.pass(0, START + FIVE + GRACE)).toBe(1);
    engine.begin(START + FIVE + GRACE);
    engine.take(late, 1, 2, verdicts);
    expect([...verdicts]).toEqual([ACCEPTED, LATE]);
    expect(engine.findings.high[0]).toBe(101);
  });

  it("closes no bars of a recording, nor of ticks that were old when they came, until none came for an hour", () => {
    const trade = { time: START + 1_000, price: 100 };
    for (const receivedAt of [Number.NaN, START + 1_000 + 600_000, START + 86_400_000]) {
      const { engine } = liveEngine("24x7", [trade], () => receivedAt);
      expect(engine.pass(0, START + 10 * FIVE)).toBe(0);
      expect(engine.pass(0, receivedAt + 3_599_999)).toBe(0);
      expect(engine.findings.bars).toBe(0);
      expect(engine.pass(0, receivedAt + 3_600_000)).toBe(Number.isNaN(receivedAt) ? 0 : 2);
    }
    const { engine } = liveEngine("24x7", [trade], () => START + 1_000 + 599_999);
    expect(engine.pass(0, START + FIVE + GRACE)).toBe(1);
    // A symbol that was not heard of has nothing to close.
    expect(createTestEngine([calendarOf("24x7")]).pass(0, START)).toBe(0);
  });

  it("knows when ticks came, whatever it closed in the same taking", () => {
    const engine = createTestEngine([calendarOf("24x7"), calendarOf("24x7")]);
    const ticks = ticksOf([
      { time: START, price: 100 },
      { symbol: 1, time: START + 1_000, price: 100 },
    ]);
    const verdicts = new Uint8Array(2);
    engine.begin(START + 300_000);
    engine.take(ticks, 0, 1, verdicts);
    engine.pass(0, START + 10 * FIVE);
    engine.take(ticks, 1, 2, verdicts);
    // The second came 299 s after it was made, and is live.
    expect(engine.pass(1, START + 10 * FIVE)).toBe(2);
  });

  it("makes a symbol live again with the next tick, and lets the clock close it as it was before it was moved", () => {
    const { engine } = liveEngine("24x7", [{ time: START, price: 100 }], () => Number.NaN);
    const next = ticksOf([{ time: START + 60_000, price: 100 }]);
    engine.begin(START + 60_010);
    engine.take(next, 0, 1, new Uint8Array(1));
    const other = createTestEngine([calendarOf("24x7")]);
    other.load(0, engine.save(0));
    expect(other.pass(0, START + FIVE + GRACE)).toBe(1);
    expect(engine.pass(0, START + FIVE + GRACE)).toBe(1);
    expect(other.save(0)).toEqual(engine.save(0));
  });

  it("refuses a tick that is held when its bar has to be closed", () => {
    const calm = Array.from({ length: 150 }, (_, k) => ({ time: START + 1_000 * k, price: 100 }));
    const { engine, verdicts } = liveEngine("24x7", [...calm, { time: START + 200_000, price: 110 }]);
    expect(verdicts[150]).toBe(HELD);
    expect(engine.pass(0, START + FIVE + GRACE)).toBe(1);
    expect(engine.findings.high[0]).toBe(100);
    expect([engine.intake.guard.count(0, HELD), engine.intake.guard.count(0, ACCEPTED)]).toEqual([0, 150]);
  });
});

describe("a longer bar that ends where no shorter one does", () => {
  it("speaks so many slots after the last of its shorter ones", () => {
    for (const passes of [true, false]) {
      const trades = [0, 1, 2, 7].map((k) => ({ time: START + k * FIVE, price: 100 }));
      const engine = createTestEngine([calendarOf("24x7")]);
      const ticks = ticksOf(trades);
      const heard: number[] = [];
      const { sequences } = engine.tracks[0];
      const take = sequences.take.bind(sequences);
      sequences.take = (slot, signals) => {
        heard.push(slot);
        return take(slot, signals);
      };
      if (passes) runByClock(engine, ticks, { stepMs: 1_000 });
      else runEngine(engine, ticks);
      // Three shorter bars, the longer one where the sixth would end.
      expect(heard).toEqual([0, 1, 2, 5]);
    }
  });

  it("speaks with the last that came outside the hours, where slots count bars that came", () => {
    const { close } = ensure(sessionOn(calendarOf("XNYS"), "2024-03-04"), "a session");
    const engine = createTestEngine([calendarOf("XNYS")]);
    const heard: number[] = [];
    const { sequences } = engine.tracks[0];
    const take = sequences.take.bind(sequences);
    sequences.take = (slot, signals) => {
      heard.push(slot);
      return take(slot, signals);
    };
    const minutes = [-10, -5, 1, 6, 31, 71];
    runEngine(engine, ticksOf(minutes.map((minute) => ({ time: close + minute * MINUTE, price: 100 }))));
    // Two of the session and its half hour, two after it and theirs, one and its half hour.
    expect(heard).toEqual([0, 1, 2, 3, 3, 4, 4]);
  });

  it("never lets slots go back, over random hours of every calendar", () => {
    for (const id of ["XNYS", "XNSE", "FX", "24x7"] as const) {
      const rng = createRng(4, id.length);
      const engine = createTestEngine([calendarOf(id)]);
      const { sequences } = engine.tracks[0];
      const take = sequences.take.bind(sequences);
      let last = -1;
      let backwards = 0;
      let count = 0;
      sequences.take = (slot, signals) => {
        if (slot < last) backwards++;
        last = slot;
        count++;
        return take(slot, signals);
      };
      let time = Date.UTC(2024, 2, 1);
      const trades = Array.from({ length: 4_000 }, () => {
        time += rng.below(rng.below(30) === 0 ? 30_000_000 : 900_000);
        return { time, price: 100 + rng.below(3) / 100 };
      });
      runEngine(engine, ticksOf(trades));
      expect(backwards).toBe(0);
      expect(count).toBeGreaterThan(2_000);
    }
  });
});

describe("ends of sessions", () => {
  /** A trade a minute after the start of each slot of five minutes of a session. */
  function sessionTrades(id: CalendarId, date: string) {
    const calendar = calendarOf(id);
    const { open, close } = ensure(sessionOn(calendar, date), "a session");
    const trades: Trade[] = [];
    for (let time = open; time < close; time += FIVE) trades.push({ time: time + MINUTE, price: 100 });
    return { open, close, trades, calendar };
  }

  it.each([
    // A full day, a half day, the days after the clocks changed, and India, whose last half hour is a quarter.
    ["XNYS", "2024-03-04", 78, 13],
    ["XNYS", "2024-07-03", 42, 7],
    ["XNYS", "2024-03-11", 78, 13],
    ["XNYS", "2024-11-04", 78, 13],
    ["XNSE", "2024-03-05", 75, 13],
  ] as const)(
    "%s %s: the clock closes %d and %d bars, the last of both with the session",
    (id, date, shorter, longer) => {
      const { open, close, trades, calendar } = sessionTrades(id, date);
      const engine = createTestEngine([calendar]);
      const run = runByClock(engine, ticksOf(trades), { stepMs: 500, untilMs: close + GRACE });
      expect(run.closedByClock).toBe(shorter + longer);
      const [short, long] = [0, 1].map((level) => run.bars.filter((bar) => bar.level === level));
      expect([short.length, long.length]).toEqual([shorter, longer]);
      expect(short.map(({ figures }) => figures[9])).toEqual(Array.from({ length: shorter }, (_, k) => k));
      expect(long.map(({ figures }) => figures[9])).toEqual(Array.from({ length: longer }, (_, k) => k));
      expect(long.map(({ figures }) => figures[0])).toEqual(
        Array.from({ length: longer }, (_, k) => open + k * INTERVAL_MS["30m"]),
      );
      expect(engine.tracks[0].facts[FACT_TIME]).toBe(close);
      // The next session goes on where this one ended.
      const next = ensure(nextSession(calendar, close), "a session");
      const morning = runByClock(engine, ticksOf([{ time: next.open, price: 100 }]), {
        stepMs: 1_000,
        untilMs: next.open + FIVE + GRACE,
      });
      expect(morning.bars.map(({ figures }) => figures[9])).toEqual([shorter]);
    },
  );

  it("that no tick came near are closed by the clock as well", () => {
    const { open, close, calendar } = sessionTrades("XNSE", "2024-03-05");
    const engine = createTestEngine([calendar]);
    const trades = [
      { time: open + 1, price: 100 },
      { time: close - 14 * MINUTE, price: 100 },
    ];
    const { bars } = runByClock(engine, ticksOf(trades), { stepMs: 1_000, untilMs: close + GRACE + 1_000 });
    expect(
      bars.map(({ level, figures }) => `${level} ${(figures[0] - open) / MINUTE} ${figures[9]}`),
    ).toEqual(["0 0 0", "1 0 0", "0 360 72", "1 360 12"]);
  });
});

describe("bars closed by the clock and by ticks", () => {
  it("find the same synergies and decide the same, in stories that hold one", () => {
    for (let seed = 1; seed <= 8; seed++) {
      const calendar = seed % 2 === 0 ? "XNYS" : "24x7";
      const { ticks } = tellStory({
        seed,
        story: SYNERGY_TYPES[seed % 4],
        way: seed % 3 === 0 ? -1 : 1,
        calendar,
        ticksPerBar: 4,
      });
      const all = storyTicks(ticks);
      const byTicks = runEngine(createTestEngine([calendarOf(calendar)]), all);
      const byClock = runByClock(createTestEngine([calendarOf(calendar)]), all, {
        stepMs: 20_000,
        delayMs: 500,
      });
      expect(byTicks.synergies.length).toBe(1);
      expect(byClock.synergies).toEqual(byTicks.synergies);
      expect(byClock.closedByClock).toBeGreaterThan(500);
      expect(byClock.bars.slice(0, byTicks.bars.length)).toEqual(byTicks.bars);
    }
  });

  it("find the same in random streams with gaps, whatever the steps of the clock", () => {
    let found = 0;
    for (let seed = 1; seed <= 8; seed++) {
      const rng = createRng(seed, 8);
      const id = (["XNYS", "XNSE", "FX", "24x7"] as const)[seed % 4];
      const ticks = gappyTicks(seed);
      const byTicks = runEngine(createTestEngine([calendarOf(id)], LOOSE), ticks);
      const byClock = runByClock(createTestEngine([calendarOf(id)], LOOSE), ticks, {
        stepMs: 1_000 * (1 + rng.below(400)),
        delayMs: rng.below(GRACE),
      });
      found += byTicks.synergies.length;
      expect(byClock.synergies).toEqual(byTicks.synergies);
      expect(byClock.bars.slice(0, byTicks.bars.length)).toEqual(byTicks.bars);
      expect(byClock.verdicts).toEqual(byTicks.verdicts);
      expect(byClock.closedByClock).toBeGreaterThan(100);
    }
    process.stdout.write(`${found} synergies in random streams\n`);
    expect(found).toBeGreaterThan(2);
  });
});

/** Legs that speak often, and wait long for each other. */
const LOOSE: EngineTerms = {
  ...ENGINE_TERMS,
  legs: { neighbours: 5, conviction: 0.2, slope: 0.02, gap: 0.0003 },
  sequence: { windowBars: 40, cooldownBars: 2 },
};

/** Prices of a wild market with long ways and leaps below 1 %, a tick every two minutes, pauses in between. */
function gappyTicks(seed: number): Ticks {
  const rng = createRng(seed, 6);
  const count = 12_000;
  const ticks = allocateTicks(count);
  let time = Date.UTC(2024, 2, 4);
  let price = 100;
  let drift = 0;
  for (let i = 0; i < count; i++) {
    time += rng.below(240_000);
    if (rng.below(40) === 0) time += rng.below(3_600_000);
    if (rng.below(120) === 0) drift = 0.0006 * rng.normal();
    const leap = rng.below(60) === 0 ? 0.004 * rng.normal() : 0;
    price *= Math.exp(Math.max(-0.009, Math.min(0.009, drift + leap + 0.0006 * rng.normal())));
    ticks.time[i] = time;
    ticks.price[i] = price;
    ticks.size[i] = 1 + rng.below(100);
  }
  return ticks;
}
