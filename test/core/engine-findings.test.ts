import { describe, expect, it } from "vitest";
import { INTERVAL_MS } from "../../src/core/market/interval.js";
import { calendarOf } from "../../src/core/market/session.js";
import { resolveDecisionTerms } from "../../src/core/synergy/decision-terms.js";
import { ENGINE_TERMS, TickEngine } from "../../src/core/synergy/engine.js";
import type { FoundSynergy } from "../../src/core/synergy/findings.js";
import { SYNERGY_TYPES } from "../../src/core/synergy/sequence.js";
import { Track } from "../../src/core/synergy/track.js";
import type { ClosedBars } from "../../src/core/ticks/closed-bars.js";
import type { Ticks } from "../../src/core/ticks/tick.js";
import {
  collectInto,
  createTestEngine,
  runEngine,
  ticksOf as storyTicks,
  type ToldBar,
} from "../fixtures/engines.js";
import { tellStory } from "../fixtures/planted-synergies.js";
import { partOf, walkTicks } from "../fixtures/tick-bars.js";

const always = calendarOf("24x7");

describe("findings", () => {
  it("that are full make the engine stop early, and nothing is lost", () => {
    const ticks = walkTicks(5, 14_000, { symbols: 3, meanMs: 150_000 });
    const calendars = [always, always, always];
    const single = createTestEngine(calendars);
    const bars: ToldBar[] = [];
    const synergies: FoundSynergy[] = [];
    const verdicts = new Uint8Array(ticks.time.length);
    single.begin(Number.NaN);
    for (let i = 0; i < ticks.time.length; i++) {
      single.take(ticks, i, i + 1, verdicts);
      collectInto(single, bars, synergies);
    }
    expect(bars.length).toBeGreaterThan(10_000);
    const engine = createTestEngine(calendars);
    engine.begin(Number.NaN);
    const first = engine.take(ticks, 0, ticks.time.length, new Uint8Array(ticks.time.length));
    expect(first).toBeLessThan(ticks.time.length);
    expect(engine.findings.isFull).toBe(true);
    const whole = runEngine(createTestEngine(calendars), ticks);
    expect(whole.bars).toEqual(bars);
    expect(whole.verdicts).toEqual(verdicts);
    expect(whole.synergies).toEqual(synergies);
  });

  it("that nobody reads are never written over: the engine refuses to go on", () => {
    const ticks = walkTicks(5, 14_000, { meanMs: 300_000 });
    const engine = createTestEngine([always]);
    const verdicts = new Uint8Array(ticks.time.length);
    const ignore = () => {
      for (let at = 0; at < ticks.time.length; ) at = engine.take(ticks, at, ticks.time.length, verdicts);
    };
    expect(ignore).toThrow("not read");
  });
});

describe("an engine", () => {
  it("has room for so many symbols, and intervals that it is to look at", () => {
    const engine = createTestEngine([always]);
    const { terms: decision } = resolveDecisionTerms({});
    if (decision === null) throw new Error("terms");
    expect(() => engine.open({ calendar: always, decision, pointValue: 1, rate: 1, costShare: 0 })).toThrow(
      "no room",
    );
    const other = { ...ENGINE_TERMS, longer: "1h" as const };
    expect(() => new TickEngine(1, other)).toThrow("1h bars are made");
  });

  it("loads no state of another layout", () => {
    const engine = createTestEngine([always]);
    expect(() => engine.load(0, new Float64Array(3))).toThrow("layout");
  });
});

/** Ticks that hold a synergy. */
function storyOf(seed: number): Ticks {
  const { ticks } = tellStory({
    seed,
    story: SYNERGY_TYPES[seed % 4],
    way: 1,
    calendar: "24x7",
    ticksPerBar: 4,
  });
  return storyTicks(ticks);
}

/** A track whose longer bars say what the next one will: it knows of them as far as the ticks go. */
class PeekingTrack extends Track {
  private readonly coming: ToldBar[];
  private taken = 0;

  constructor(ticks: Ticks) {
    super(ENGINE_TERMS, INTERVAL_MS[ENGINE_TERMS.shorter]);
    this.coming = runEngine(createTestEngine([always]), ticks).bars.filter(({ level }) => level === 1);
  }

  override takeLonger(closed: ClosedBars, place: number): void {
    this.taken++;
    const next = this.coming[this.taken];
    if (next === undefined) {
      super.takeLonger(closed, place);
      return;
    }
    const told = { ...closed };
    for (const [field, name] of (["open", "high", "low", "close", "volume"] as const).entries()) {
      told[name] = closed[name].slice();
      told[name][place] = next.figures[field + 1];
    }
    super.takeLonger(told as ClosedBars, place);
  }
}

/** What an engine says of ticks up to a cut: its synergies and all that it knows. */
function saidOf(ticks: Ticks, cut: number, isPeeking: boolean) {
  const engine = createTestEngine([always]);
  if (isPeeking) engine.tracks[0] = new PeekingTrack(ticks);
  const { synergies, bars } = runEngine(engine, ticks, { to: cut });
  return { synergies, bars, state: engine.save(0) };
}

describe("ticks that are cut off anywhere", () => {
  it("change nothing of what was found and known before, which an engine that peeks one bar ahead does not keep", () => {
    let caught = 0;
    let cuts = 0;
    for (const seed of [4, 5, 6]) {
      const ticks = storyOf(seed);
      const { length } = ticks.time;
      for (const share of [0.5, 0.9, 0.97, 0.99, 1]) {
        const cut = Math.floor(share * length);
        expect(saidOf(partOf(ticks, 0, cut), cut, false)).toEqual(saidOf(ticks, cut, false));
        if (share === 1) continue;
        cuts++;
        const [short, long] = [partOf(ticks, 0, cut), ticks].map((each) => saidOf(each, cut, true));
        if (short.state.some((value, k) => !Object.is(value, long.state[k]))) caught++;
      }
    }
    expect(caught).toBe(cuts);
  });

  it("or changed from an instant on, change no synergy that was known by then", () => {
    for (const seed of [1, 2, 8]) {
      const ticks = storyOf(seed);
      const [found] = runEngine(createTestEngine([always]), ticks).synergies;
      // What was made of bars until then rests on trades before it alone.
      const changed = partOf(ticks, 0, ticks.time.length);
      for (const i of changed.time.keys()) {
        if (changed.time[i] >= found.knownAt) changed.price[i] *= 1 + 0.004 * Math.sin(i);
      }
      const [again] = runEngine(createTestEngine([always]), changed).synergies;
      expect(again).toEqual(found);
      // A trade of the last bar is what it rests on.
      const before = partOf(ticks, 0, ticks.time.length);
      for (const i of before.time.keys()) {
        if (before.time[i] >= found.knownAt - 300_000) before.price[i] *= 1 - 0.009 * found.way;
      }
      const [other] = runEngine(createTestEngine([always]), before).synergies;
      expect(other).not.toEqual(found);
    }
  });
});
