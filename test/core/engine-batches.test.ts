import { describe, expect, it } from "vitest";
import { createRng } from "../../src/core/base/rng.js";
import { calendarOf } from "../../src/core/market/session.js";
import { allocateTicks, type Ticks } from "../../src/core/ticks/tick.js";
import { ACCEPTED, DUPLICATE, HELD, LATE, OUTLIER, VERDICTS } from "../../src/core/ticks/verdict.js";
import { expectSame, movedEngine, runInParts, runOneByOne } from "../fixtures/engine-splits.js";
import { createTestEngine, runEngine } from "../fixtures/engines.js";
import { ticksOf, walkTicks } from "../fixtures/tick-bars.js";

const calendars = (["XNYS", "XNSE", "FX", "24x7"] as const).map(calendarOf);
const MINUTE = 60_000;
const START = Date.UTC(2024, 2, 4, 14, 30);

/** Trades of a symbol of each calendar over weeks, in a little disorder, with errors of many kinds among them. */
function faultyTicks(seed: number, count = 30_000): Ticks {
  const ticks = walkTicks(seed, count, { symbols: 4, meanMs: 22_000, disorderMs: 9_000, pauseMs: 7_200_000 });
  const rng = createRng(seed, 2);
  for (let i = 0; i < count; i++) {
    ticks.id[i] = rng.below(3) === 0 ? i : Number.NaN;
    const dice = rng.below(300);
    if (dice === 0) ticks.price[i] *= 1.02 + rng.next();
    if (dice === 1) ticks.price[i] *= 0.5;
    if (dice === 2) {
      // Sent again.
      const before = Math.max(0, i - 3 * rng.below(20));
      for (const name of ["symbol", "time", "id"] as const) ticks[name][i] = ticks[name][before];
    }
    if (dice === 3) ticks.time[i] -= rng.below(1_200_000);
    if (dice === 4) ticks.size[i] = -1;
    if (dice === 5) ticks.price[i] = Number.NaN;
    // A jump that lasts, of some symbols at once.
    if (dice === 6) for (let k = i; k < Math.min(count, i + 40); k++) ticks.price[k] *= 1.05;
  }
  return ticks;
}

/** Ticks of one symbol alone, as symbol 0. */
function onlyOf(ticks: Ticks, symbol: number): Ticks {
  const kept = Array.from(ticks.time.keys()).filter((i) => ticks.symbol[i] === symbol);
  const part = allocateTicks(kept.length);
  for (const name of ["time", "price", "size", "id"] as const) {
    part[name].set(kept.map((i) => ticks[name][i]));
  }
  return part;
}

describe("the engine over a symbol of each calendar, with errors among its ticks", () => {
  it("finds and knows the same one at a time, in parts, and moved to fresh engines", () => {
    const seen = new Set<number>();
    let held = 0;
    let moved = 0;
    for (const seed of [1, 2]) {
      const ticks = faultyTicks(seed);
      const engine = createTestEngine(calendars);
      const whole = { ...runEngine(engine, ticks), engine };
      for (const verdict of whole.verdicts) seen.add(verdict);
      expect(whole.bars.length).toBeGreaterThan(3_000);
      const single = runOneByOne(calendars, ticks);
      held += single.verdicts.filter((verdict) => verdict === HELD).length;
      expectSame(single, whole);
      for (const [k, most] of [3, 70, 2_000].entries()) {
        const parts = runInParts(calendars, ticks, { seed: 10 * seed + k, most, moves: 20_000 / most });
        moved += parts.moved;
        expectSame(parts, whole);
      }
    }
    const names = [...seen].map((code) => VERDICTS[code]);
    expect(names).toEqual(expect.arrayContaining(["accepted", "late", "duplicate", "not_finite", "outlier"]));
    expect(held).toBeGreaterThan(50);
    expect(moved).toBeGreaterThan(10);
  });

  it("finds of each symbol what it finds of it alone", () => {
    const ticks = faultyTicks(7);
    const engine = createTestEngine(calendars);
    const { bars, synergies } = runEngine(engine, ticks);
    for (const [symbol, calendar] of calendars.entries()) {
      const single = createTestEngine([calendar]);
      const alone = runEngine(single, onlyOf(ticks, symbol));
      expect(alone.bars.length).toBeGreaterThan(200);
      expect(bars.filter((bar) => bar.symbol === symbol).map((bar) => ({ ...bar, symbol: 0 }))).toEqual(
        alone.bars,
      );
      const found = synergies.filter((each) => each.symbol === symbol);
      expect(found.map((each) => ({ ...each, symbol: 0 }))).toEqual(alone.synergies);
      expect(engine.save(symbol)).toEqual(single.save(0));
    }
  });

  it("differs when a state is not moved whole", () => {
    const ticks = faultyTicks(1);
    const whole = runEngine(createTestEngine(calendars), ticks);
    const cut = 12_345;
    const before = createTestEngine(calendars);
    runEngine(before, ticks, { to: cut });
    const state = before.save(3);
    const rest = (spoil: (state: Float64Array) => void) => {
      const engine = movedEngine(before, calendars);
      const spoilt = state.slice();
      spoil(spoilt);
      engine.load(3, spoilt);
      return { bars: runEngine(engine, ticks, { from: cut }).bars, state: engine.save(3) };
    };
    const right = rest(() => undefined);
    expect(right.bars).toEqual(whole.bars.slice(-right.bars.length));
    const { guard, builder } = before.intake;
    const bar = guard.stateLength;
    // Of the guard, of volume and count of the bar that is made, and of the legs and sequences.
    for (const [at, count] of [
      [0, bar],
      [bar + 6, 2],
      [bar + builder.stateLength, 40],
    ]) {
      const wrong = rest((spoilt) => {
        spoilt.fill(0.5, at, at + count);
      });
      expect(wrong).not.toEqual(right);
    }
  });
});

describe("a tick that is held", () => {
  /** Calm trades a second apart, and the prices that follow them. */
  const trades = (...prices: number[]) => {
    const calm = Array.from({ length: 150 }, (_, k) => 100 + (k % 3) / 100);
    return ticksOf([...calm, ...prices].map((price, k) => ({ time: START + 1_000 * k, price })));
  };
  const engineOf = () => createTestEngine([calendarOf("XNYS")]);

  it("gets its verdict where it stands, by the tick that follows in the same taking", () => {
    const engine = engineOf();
    const jump = runEngine(engine, trades(110, 110.01, 95, 110));
    expect([...jump.verdicts.slice(150)]).toEqual([ACCEPTED, ACCEPTED, OUTLIER, ACCEPTED]);
    expect([...runEngine(engineOf(), trades(110)).verdicts.slice(150)]).toEqual([HELD]);
    // Held after held: the first is refuted, and the second waits.
    expect([...runEngine(engineOf(), trades(110, 130)).verdicts.slice(150)]).toEqual([OUTLIER, HELD]);
  });

  it("gets it where it stands after findings were full, and after ticks of others", () => {
    const engine = createTestEngine([calendarOf("XNYS"), calendarOf("24x7")]);
    const ticks = ticksOf([
      ...Array.from({ length: 150 }, (_, k) => ({ time: START + 1_000 * k, price: 100 + (k % 3) / 100 })),
      { time: START + 150_000, price: 110 },
      // More bars than fit between a tick that is held and the one that confirms it.
      ...Array.from({ length: 9_000 }, (_, k) => ({ symbol: 1, time: START + 5 * MINUTE * k, price: 50 })),
      { time: START + 151_000, price: 110 },
    ]);
    const verdicts = new Uint8Array(ticks.time.length);
    engine.begin(Number.NaN);
    let rounds = 0;
    for (let at = 0; at < ticks.time.length; rounds++) {
      at = engine.take(ticks, at, ticks.time.length, verdicts);
      engine.findings.clear();
    }
    expect(rounds).toBeGreaterThan(2);
    expect(verdicts.every((verdict) => verdict === ACCEPTED)).toBe(true);
  });

  it("of an earlier taking is told of by the counts alone: what stands at its place now is not touched", () => {
    const engine = engineOf();
    runEngine(engine, trades(110));
    const next = ticksOf([
      { time: START + 151_000, price: 110.01, id: 1 },
      { time: START + 151_000, price: 110.01, id: 1 },
    ]);
    // Places of the first taking are past the end of this one, and hold other verdicts.
    const verdicts = new Uint8Array(200).fill(77);
    engine.begin(Number.NaN);
    engine.take(next, 0, 2, verdicts);
    expect([...verdicts.slice(0, 2)]).toEqual([ACCEPTED, DUPLICATE]);
    expect(new Set(verdicts.slice(2))).toEqual(new Set([77]));
    expect(engine.intake.guard.count(0, HELD)).toBe(0);
    expect(engine.intake.guard.count(0, ACCEPTED)).toBe(152);
  });

  it("that was loaded into an engine within a taking is not written to where another was held", () => {
    const held = engineOf();
    runEngine(held, trades(110));
    const state = held.save(0);
    const engine = engineOf();
    const ticks = trades(110, 110.01);
    const verdicts = new Uint8Array(ticks.time.length);
    engine.begin(Number.NaN);
    engine.take(ticks, 0, 151, verdicts);
    engine.load(0, state);
    engine.take(ticks, 151, 152, verdicts);
    expect([...verdicts.slice(150)]).toEqual([HELD, ACCEPTED]);
  });

  it("closes the bar of the one that confirms it where that is of the bar before: the latter is late", () => {
    const calm = Array.from({ length: 150 }, (_, k) => ({
      time: START + 1_000 * k,
      price: 100 + (k % 3) / 100,
    }));
    const ticks = ticksOf([
      ...calm,
      { time: START + 5 * MINUTE + 10, price: 110 },
      { time: START + 5 * MINUTE - 10, price: 110 },
      { time: START + 10 * MINUTE, price: 110 },
    ]);
    const { verdicts, bars } = runEngine(engineOf(), ticks);
    expect([...verdicts.slice(150)]).toEqual([ACCEPTED, LATE, ACCEPTED]);
    expect(bars.map(({ figures }) => [figures[0], figures[6], figures[2]])).toEqual([
      [START, 150, 100.02],
      [START + 5 * MINUTE, 1, 110],
    ]);
  });
});
