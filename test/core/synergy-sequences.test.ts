import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  LEGS,
  type Leg,
  REFUSALS,
  SequenceWatch,
  SIGNAL_SIZE,
  synergyOf,
} from "../../src/core/synergy/sequence.js";
import { type Heard, hear, inOrder, type Told } from "../fixtures/synergy-oracle.js";

const WINDOW = 10;
const COOLDOWN = 5;

interface Watched extends Heard {
  readonly counts: readonly number[];
}

/** What a watch makes of the words, slot by slot; its state is copied into another at each slot where that is asked. */
function watched(told: readonly Told[], window = WINDOW, cooldown = COOLDOWN, isMoved = false): Watched {
  let watch = new SequenceWatch({ windowBars: window, cooldownBars: cooldown });
  const synergies: string[] = [];
  const refusals: string[] = [];
  for (const slot of new Set(inOrder(told).map((each) => each.slot))) {
    const signals = new Float64Array(SIGNAL_SIZE * LEGS.length);
    for (const { leg, way, strength, time } of told.filter((each) => each.slot === slot)) {
      signals.set([way, strength, time], SIGNAL_SIZE * LEGS.indexOf(leg));
    }
    const type = watch.take(slot, signals);
    if (type > 0) {
      const found = synergyOf(watch.state, type);
      synergies.push(
        `${found.type} ${found.way} ${found.begun}..${found.bar} ${found.begunTime}..${found.time} ${found.quality.toFixed(9)}`,
      );
    }
    for (const { leg, refusal } of watch.refusals()) refusals.push(`${slot} ${leg ?? "-"} ${refusal}`);
    if (isMoved) {
      const other = new SequenceWatch({ windowBars: window, cooldownBars: cooldown });
      other.state.set(watch.state);
      watch = other;
    }
  }
  return { synergies, refusals: refusals.sort(), counts: [...watch.state.slice(-REFUSALS.length)] };
}

const ORDERS: readonly (readonly [Leg, Leg, Leg, string | null])[] = [
  ["mlmi", "nwrqk", "fvg", "type_1"],
  ["mlmi", "fvg", "nwrqk", "type_2"],
  ["nwrqk", "fvg", "mlmi", "type_3"],
  ["nwrqk", "mlmi", "fvg", "type_4"],
  ["fvg", "mlmi", "nwrqk", null],
  ["fvg", "nwrqk", "mlmi", null],
];

function word(slot: number, leg: Leg, way: Told["way"], time = slot): Told {
  return { slot, time, leg, way, strength: 0.3 + 0.2 * LEGS.indexOf(leg) };
}

const WAYS = [1, -1] as const;
const LASTS = [7, WINDOW, WINDOW + 1] as const;
const RESTS = ["nothing before", "within the cooldown", "after the cooldown"] as const;
const CONFLICTS = ["none", "the other way between", "both ways between", "the other way at the end"] as const;
const TIES = ["none", "last two", "last two, the other before", "all three"] as const;
const REPEATS = ["none", "the first again", "the second again"] as const;

interface Vector {
  readonly name: string;
  readonly told: readonly Told[];
}

/** All combinations, the legs in question beginning at slot 100. */
function* vectors(): Generator<Vector> {
  for (const order of ORDERS)
    for (const way of WAYS)
      for (const last of LASTS)
        for (const rest of RESTS)
          for (const conflict of CONFLICTS)
            for (const tie of TIES)
              for (const repeat of REPEATS) {
                const name = [order.slice(0, 3), way, last, rest, conflict, tie, repeat].join(" | ");
                yield { name, told: vectorOf(order, way, last, rest, conflict, tie, repeat) };
              }
}

function vectorOf(
  [first, second, third]: (typeof ORDERS)[number],
  way: 1 | -1,
  last: number,
  rest: (typeof RESTS)[number],
  conflict: (typeof CONFLICTS)[number],
  tie: (typeof TIES)[number],
  repeat: (typeof REPEATS)[number],
): Told[] {
  const other = way === 1 ? -1 : 1;
  const end = 100 + last;
  const told: Told[] = [];
  if (rest !== "nothing before") {
    const done = rest === "within the cooldown" ? 100 - COOLDOWN : 99 - COOLDOWN;
    told.push(word(done - 4, "mlmi", other), word(done - 2, "nwrqk", other), word(done, "fvg", other));
  }
  const begun = tie === "all three" ? end : 100;
  const middle = tie === "none" ? 103 : end;
  told.push(word(begun, first, way));
  told.push(word(middle, second, way));
  told.push(word(end, third, way, tie === "last two, the other before" ? end - 0.5 : end));
  if (conflict === "the other way between") told.push(word(102, second, other));
  if (conflict === "both ways between") told.push(word(102, "fvg", 2));
  if (conflict === "the other way at the end") told.push(word(end + 1, third, other));
  if (repeat === "the first again") told.push(word(101, first, way));
  if (repeat === "the second again") told.push(word(104, second, way));
  // One word of a leg at a slot: the later one.
  const unique = new Map(told.map((each) => [`${each.slot} ${each.leg}`, each]));
  return [...unique.values()];
}

describe("sequences of three legs", () => {
  for (const way of WAYS) {
    it.each(ORDERS)(`${way} %s, %s, %s are %s within the window and at its edge only`, (...row) => {
      const [first, second, third, type] = row;
      for (const last of LASTS) {
        const { synergies, refusals } = watched([
          word(100, first, way),
          word(103, second, way),
          word(100 + last, third, way),
        ]);
        const isFound = type !== null && last <= WINDOW;
        expect(synergies.map((text) => text.split(" ").slice(0, 3).join(" "))).toEqual(
          isFound ? [`${type} ${way} 100..${100 + last}`] : [],
        );
        const refused = type === null ? ["100 fvg started_with_fvg"] : [];
        if (type !== null && !isFound) {
          refused.push(`${100 + last} - expired`);
          if (third === "fvg") refused.push(`${100 + last} fvg started_with_fvg`);
        }
        expect(refusals).toEqual(refused.sort());
      }
    });
  }

  it("are those of a search in every combination of order, way, window, rest, conflict, tie and repetition", () => {
    let count = 0;
    const found = new Map<string, number>();
    const refused = new Map<string, number>();
    for (const { name, told } of vectors()) {
      const { counts, ...result } = watched(told);
      const expected = hear(told, WINDOW, COOLDOWN);
      expect(result, name).toEqual(expected);
      const { counts: moved, ...again } = watched(told, WINDOW, COOLDOWN, true);
      expect(again, `${name}, moved`).toEqual(expected);
      expect(moved).toEqual(counts);
      expect(counts).toEqual(
        REFUSALS.map((why) => expected.refusals.filter((text) => text.endsWith(` ${why}`)).length),
      );
      for (const text of expected.synergies) tallyOf(found, text.split(" ").slice(0, 2).join(" "));
      for (const text of expected.refusals) tallyOf(refused, text.split(" ")[2]);
      count++;
    }
    expect(count).toBe(6 * 2 * 3 * 3 * 4 * 4 * 3);
    const types = ["type_1", "type_2", "type_3", "type_4"];
    expect([...found.keys()].sort()).toEqual(types.flatMap((type) => [`${type} -1`, `${type} 1`]).sort());
    expect([...refused.keys()].sort()).toEqual([...REFUSALS].sort());
    expect(Math.min(...found.values(), ...refused.values())).toBeGreaterThan(100);
  });

  it("are those of a search over random words", () => {
    const drawn = fc.record({
      slot: fc.nat(90),
      early: fc.constantFrom(0, 0, 0.25),
      leg: fc.constantFrom(...LEGS),
      way: fc.constantFrom<Told["way"][]>(1, 1, 1, 1, 1, 1, -1, -1, 2),
      strength: fc.double({ min: 0, max: 1, noNaN: true }),
    });
    let found = 0;
    fc.assert(
      fc.property(
        fc.array(drawn, { minLength: 20, maxLength: 90 }),
        fc.nat(12),
        fc.nat(8),
        (words, window, cooldown) => {
          const all = words.map(({ early, ...each }) => ({ ...each, time: each.slot - early }));
          const told = [...new Map(all.map((each) => [`${each.slot} ${each.leg}`, each])).values()];
          const { synergies, refusals } = watched(told, window, cooldown);
          const expected = hear(told, window, cooldown);
          found += synergies.length;
          expect({ synergies, refusals }).toEqual(expected);
        },
      ),
      { numRuns: 400, seed: 9 },
    );
    expect(found).toBeGreaterThan(300);
  });

  it("have a quality within 0 and 1, which strength, speed and agreement each raise", () => {
    const quality = (strengths: readonly number[], last: number) => {
      const legs = (["mlmi", "fvg", "nwrqk"] as const).map((leg, k) => ({
        slot: [0, 1, last][k],
        time: [0, 1, last][k],
        leg,
        way: 1 as const,
        strength: strengths[k],
      }));
      return Number(watched(legs).synergies[0].split(" ").at(-1));
    };
    expect(quality([1, 1, 1], 1)).toBeCloseTo(0.6 + 0.27 + 0.1, 9);
    expect(quality([0, 0, 1], 10)).toBeCloseTo(0.2, 9);
    expect(quality([0.5, 0.5, 0.5], 5)).toBeGreaterThan(quality([0.4, 0.5, 0.6], 5));
    expect(quality([0.5, 0.5, 0.5], 4)).toBeGreaterThan(quality([0.5, 0.5, 0.5], 5));
    expect(quality([0.6, 0.6, 0.6], 5)).toBeGreaterThan(quality([0.5, 0.5, 0.5], 5));
  });
});

function tallyOf(counts: Map<string, number>, key: string): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}
