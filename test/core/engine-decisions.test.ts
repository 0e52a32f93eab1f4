import { describe, expect, it } from "vitest";
import { calendarOf, isOpen } from "../../src/core/market/session.js";
import {
  DECISION_INPUTS,
  DECISION_OUTPUTS,
  type DecisionRule,
  decide,
} from "../../src/core/synergy/decision.js";
import { type DecisionTermName, resolveDecisionTerms } from "../../src/core/synergy/decision-terms.js";
import { ENGINE_TERMS, type TickEngine } from "../../src/core/synergy/engine.js";
import type { FoundSynergy } from "../../src/core/synergy/findings.js";
import { SYNERGY_TYPES } from "../../src/core/synergy/sequence.js";
import { FACT_MOMENTUM, FACT_VOLUME, FACT_VOLUME_RATIO } from "../../src/core/synergy/track.js";
import { allocateTicks, type Ticks } from "../../src/core/ticks/tick.js";
import { createTestEngine, runEngine, ticksOf } from "../fixtures/engines.js";
import { tellStory } from "../fixtures/planted-synergies.js";

const always = calendarOf("24x7");
type Terms = Partial<Record<DecisionTermName, number>>;
/** Terms that refuse as little as can be: what is refused under them is refused by the rule that a test is of. */
const LENIENT: Terms = { leastQuality: 0, stopWithoutNode: 1, furthestStop: 20, leastReward: 0, lot: 0.001 };

function story(seed: number, way: 1 | -1 = 1, calendar: "24x7" | "XNYS" = "24x7"): Ticks {
  return ticksOf(tellStory({ seed, story: SYNERGY_TYPES[seed % 4], way, calendar }).ticks);
}

const asIs = () => undefined;

function foundIn(ticks: Ticks, terms: Terms, prepare: (engine: TickEngine) => void = asIs): FoundSynergy {
  const engine = createTestEngine([always], ENGINE_TERMS, terms);
  prepare(engine);
  const { synergies } = runEngine(engine, ticks);
  expect(synergies.length).toBe(1);
  return synergies[0];
}

const input = (found: FoundSynergy, name: (typeof DECISION_INPUTS)[number]) =>
  found.inputs[DECISION_INPUTS.indexOf(name)];
const output = (found: FoundSynergy, name: (typeof DECISION_OUTPUTS)[number]) =>
  found.outputs[DECISION_OUTPUTS.indexOf(name)];

/** Price of the last trade before an instant. */
function closeAt({ time, price }: Ticks, end: number): number {
  return price[time.findLastIndex((at) => at < end)];
}

/** What was traded in the five minutes before an instant. */
function volumeBefore({ time, size }: Ticks, end: number): number {
  return size.reduce((sum, each, i) => sum + (time[i] < end && time[i] >= end - 300_000 ? each : 0), 0);
}

describe("decisions of the engine", () => {
  const ticks = story(1);

  it.each<[DecisionRule | null, Terms, (engine: TickEngine) => void]>([
    [null, LENIENT, asIs],
    ["quality_below_least", { ...LENIENT, leastQuality: 0.99 }, asIs],
    ["position_limit", LENIENT, (engine) => engine.setAccount(1e6, 0, (symbol) => symbol === 0)],
    ["position_limit", { ...LENIENT, mostPositions: 2 }, (engine) => engine.setAccount(1e6, 2, () => false)],
    [null, { ...LENIENT, mostPositions: 2 }, (engine) => engine.setAccount(1e6, 1, (symbol) => symbol === 1)],
    ["stop_too_wide", { ...LENIENT, nearestStop: 0.05, furthestStop: 0.06 }, asIs],
    ["reward_below_least", { ...LENIENT, leastReward: 3 }, asIs],
    ["size_below_one", { ...LENIENT, lot: 1e9 }, asIs],
    ["size_below_one", LENIENT, (engine) => engine.setAccount(0, 0, () => false)],
  ])("are refused by %s where that is so", (rule, terms, prepare) => {
    expect(foundIn(ticks, terms, prepare).refusedBy).toBe(rule);
  });

  it("tell the first of two rules that both refuse", () => {
    const terms = { ...LENIENT, leastQuality: 0.99, leastReward: 3 };
    expect(foundIn(ticks, terms, (engine) => engine.setAccount(0, 9, () => true)).refusedBy).toBe(
      "quality_below_least",
    );
  });

  it("size by point value and rate, the latter one over the price where that is what it says", () => {
    const sized = (listing: { pointValue?: number; rate?: number | "inverse" }) => {
      const engine = createTestEngine([always], ENGINE_TERMS, { ...LENIENT, mostUnits: 1e9 }, listing);
      return runEngine(engine, ticks).synergies[0];
    };
    const plain = sized({});
    expect(output(sized({ pointValue: 50 }), "units")).toBeCloseTo(output(plain, "units") / 50, 2);
    const inverse = sized({ rate: "inverse" });
    expect(input(inverse, "rate")).toBe(1 / input(inverse, "entry"));
    const units = output(plain, "units") * input(plain, "entry");
    expect(output(inverse, "units") / units).toBeCloseTo(1, 4);
    expect(sized({ pointValue: Number.NaN, rate: Number.NaN }).refusedBy).toBe("unknown_point_value");
    expect(sized({ rate: Number.NaN }).refusedBy).toBe("other_currency");
  });

  it("place no stop where nothing was traded by size, nor a target below zero", () => {
    const silent = { ...ticks, size: new Float64Array(ticks.time.length) };
    const found = foundIn(silent, { ...LENIENT, stopWithoutNode: 0 });
    expect([found.refusedBy, input(found, "nodeBelow"), input(found, "nodeAbove")]).toEqual([
      "no_stop_level",
      Number.NaN,
      Number.NaN,
    ]);
    // Ranges are a small part of prices: only a stop of hundreds of them leads to a target below zero.
    expect(foundIn(silent, LENIENT).refusedBy).toBeNull();
  });

  it("rest on the close at which the synergy was complete, and agree with the decision in words", () => {
    for (const [seed, way] of [
      [1, 1],
      [2, -1],
      [3, 1],
      [8, -1],
    ] as const) {
      const each = story(seed, way);
      const found = foundIn(each, LENIENT, (engine) => engine.setAccount(50_000, 1, () => false));
      let last = 0;
      while (each.time[last + 1] < found.knownAt) last++;
      expect(input(found, "entry")).toBe(each.price[last]);
      expect(input(found, "cost")).toBeCloseTo(0.0005 * each.price[last], 12);
      expect([input(found, "way"), input(found, "quality")]).toEqual([way, found.quality]);
      expect([input(found, "equity"), input(found, "openPositions"), input(found, "isHeld")]).toEqual([
        50_000, 1, 0,
      ]);
      const { terms } = resolveDecisionTerms(LENIENT);
      if (terms === null) throw new Error("terms");
      const request = Object.fromEntries(DECISION_INPUTS.map((name) => [name, input(found, name)]));
      const decision = decide(
        {
          ...(request as Record<Exclude<(typeof DECISION_INPUTS)[number], "way">, number>),
          way,
          isWarm: request.isWarm === 1,
          isOpen: request.isOpen === 1,
          isHeld: request.isHeld === 1,
          model: { score: null, why: "none" },
        },
        terms,
      );
      expect(decision.refusedBy).toBe(found.refusedBy);
      const { stop, target, units } = decision;
      expect([stop, target, units]).toEqual(
        (["stop", "target", "units"] as const).map((name) => output(found, name)),
      );
      expect(Math.sign(input(found, "entry") - output(found, "stop"))).toBe(way);
    }
  });

  it("carry how busy the last bar was and how far price came", () => {
    for (const seed of [1, 2]) {
      const each = story(seed);
      const { facts, knownAt, inputs } = foundIn(each, LENIENT);
      const volumes = Array.from({ length: 21 }, (_, k) => volumeBefore(each, knownAt - 300_000 * k));
      const [volume, ...before] = volumes;
      expect(facts[FACT_VOLUME]).toBeCloseTo(volume, 9);
      expect(volume).toBeGreaterThan(0);
      const mean = before.reduce((sum, one) => sum + one, 0) / 20;
      expect(facts[FACT_VOLUME_RATIO]).toBeCloseTo(volume / mean, 9);
      const change = closeAt(each, knownAt) - closeAt(each, knownAt - 1_500_000);
      expect(facts[FACT_MOMENTUM]).toBeCloseTo(change / inputs[DECISION_INPUTS.indexOf("range")], 9);
    }
  });

  it("carry their legs as they were taken", () => {
    for (const seed of [1, 2, 3, 4]) {
      const each = story(seed);
      const found = foundIn(each, LENIENT);
      const { legs } = found;
      expect(legs.map(({ knownAt }) => knownAt)).toEqual(legs.map(({ knownAt }) => knownAt).toSorted());
      expect([legs[0].knownAt, legs[2].knownAt]).toEqual([found.begunAt, found.knownAt]);
      for (const { leg, strength, value } of legs) {
        const expected = {
          mlmi: Math.abs(value - 50) / 50,
          nwrqk: Math.min(1, Math.abs(value) / 2),
          fvg: Math.min(1, value / 0.01),
        };
        expect(strength).toBe(expected[leg]);
      }
      for (const { leg, knownAt, price, barTime } of legs) {
        const length = leg === "fvg" ? 300_000 : 1_800_000;
        expect([barTime, price], leg).toEqual([knownAt - length, closeAt(each, knownAt)]);
      }
    }
  });
});

describe("a synergy that is complete when the session ends", () => {
  /** A story whose last leg is known at an instant is moved so that this is the close of a session. */
  function movedTo(close: number, each: Ticks): Ticks {
    const [found] = runEngine(createTestEngine([always]), each).synergies;
    const moved = allocateTicks(each.time.length);
    moved.price.set(each.price);
    moved.size.set(each.size);
    for (const i of moved.time.keys()) moved.time[i] = each.time[i] - found.knownAt + close;
    return moved;
  }

  it("is refused, for the market is closed, and not when it ends a bar before", () => {
    // A currency trades around the clock until Friday's close: one week holds the whole story.
    const currency = calendarOf("FX");
    const friday = Date.UTC(2024, 2, 8, 22);
    expect(isOpen(currency, friday - 1)).toBe(true);
    expect(isOpen(currency, friday)).toBe(false);
    const told = tellStory({ seed: 5, story: "type_2", way: 1, calendar: "24x7", history: 120 });
    for (const [close, rule] of [
      [friday, "market_closed"],
      [friday - 1_800_000, null],
    ] as const) {
      const engine = createTestEngine([currency], ENGINE_TERMS, LENIENT);
      const ticks = movedTo(close, ticksOf(told.ticks));
      const { synergies } = runEngine(engine, ticks);
      const found = synergies.filter(({ knownAt }) => knownAt === close);
      expect(found.map(({ refusedBy }) => refusedBy)).toEqual([rule]);
      // Without trades in its last five minutes, the half hour ends where it does all the same.
      const kept = Array.from(ticks.time.keys()).filter(
        (i) => ticks.time[i] < close - 300_000 || ticks.time[i] >= close,
      );
      const thin = allocateTicks(kept.length);
      for (const name of ["time", "price", "size"] as const) thin[name].set(kept.map((i) => ticks[name][i]));
      const other = runEngine(createTestEngine([currency], ENGINE_TERMS, LENIENT), thin);
      const alike = other.synergies.filter(({ knownAt }) => knownAt === close);
      expect(alike.map(({ refusedBy }) => refusedBy)).toEqual([rule]);
    }
  });
});
