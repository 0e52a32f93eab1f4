import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { runBacktest } from "../../src/core/backtest/run.js";
import { createRng } from "../../src/core/base/rng.js";
import { type Candles, sliceCandles } from "../../src/core/market/candles.js";
import { synergy } from "../../src/core/strategies/synergy.js";
import { legSignals } from "../../src/core/synergy/legs.js";
import { longerBars } from "../../src/core/synergy/longer-bars.js";
import {
  LEGS,
  type Leg,
  type LegSignal,
  type SequenceTerms,
  type Synergy,
  watchSequences,
} from "../../src/core/synergy/sequence.js";
import { wanderingCandles } from "../fixtures/market-walks.js";
import { plainLegs } from "../fixtures/plain-legs.js";

const TERMS: SequenceTerms = { windowBars: 10, cooldownBars: 5 };

type Told = readonly [bar: number, leg: Leg, way: 1 | -1];

function watchAll(told: readonly Told[], terms: SequenceTerms = TERMS): Synergy[] {
  const watch = watchSequences(terms);
  const bars = [...new Set(told.map(([bar]) => bar))].sort((a, b) => a - b);
  return bars.flatMap((bar) => {
    const signals = told
      .filter(([at]) => at === bar)
      .map(([, leg, way]) => ({ leg, way, strength: 0.5, time: bar }));
    return watch.take(bar, signals) ?? [];
  });
}

function typesOf(told: readonly Told[], terms: SequenceTerms = TERMS): string[] {
  return watchAll(told, terms).map(({ type, way, begun, bar }) => `${type} ${way} ${begun}..${bar}`);
}

describe("sequences", () => {
  const orders: readonly (readonly [Leg, Leg, Leg, string | null])[] = [
    ["mlmi", "nwrqk", "fvg", "type_1"],
    ["mlmi", "fvg", "nwrqk", "type_2"],
    ["nwrqk", "fvg", "mlmi", "type_3"],
    ["nwrqk", "mlmi", "fvg", "type_4"],
    ["fvg", "mlmi", "nwrqk", null],
    ["fvg", "nwrqk", "mlmi", null],
  ];

  for (const way of [1, -1] as const) {
    it.each(orders)(`${way} %s, %s, %s: %s`, (first, second, third, type) => {
      const told: Told[] = [
        [20, first, way],
        [23, second, way],
        [29, third, way],
      ];
      expect(typesOf(told)).toEqual(type === null ? [] : [`${type} ${way} 20..29`]);
    });
  }

  it("take signals of one bar in the order MLMI, NW-RQK, gap, however they are given", () => {
    expect(
      typesOf([
        [5, "fvg", 1],
        [5, "nwrqk", 1],
        [5, "mlmi", 1],
      ]),
    ).toEqual(["type_1 1 5..5"]);
    expect(
      typesOf([
        [4, "nwrqk", 1],
        [5, "fvg", 1],
        [5, "mlmi", 1],
      ]),
    ).toEqual(["type_4 1 4..5"]);
    expect(
      typesOf([
        [5, "fvg", 1],
        [5, "nwrqk", 1],
        [6, "mlmi", 1],
      ]),
    ).toEqual(["type_3 1 5..6"]);
  });

  it("end within the window of their first leg, and begin anew with what comes after it", () => {
    expect(
      typesOf([
        [0, "mlmi", 1],
        [5, "nwrqk", 1],
        [10, "fvg", 1],
      ]),
    ).toEqual(["type_1 1 0..10"]);
    expect(
      typesOf([
        [0, "mlmi", 1],
        [5, "nwrqk", 1],
        [11, "fvg", 1],
      ]),
    ).toEqual([]);
    expect(
      typesOf([
        [0, "mlmi", 1],
        [11, "nwrqk", 1],
        [12, "fvg", 1],
        [13, "mlmi", 1],
      ]),
    ).toEqual(["type_3 1 11..13"]);
  });

  it("begin anew with a leg of the other direction, unless it is a gap", () => {
    expect(
      typesOf([
        [0, "mlmi", 1],
        [2, "nwrqk", -1],
        [3, "mlmi", -1],
        [4, "fvg", -1],
      ]),
    ).toEqual(["type_4 -1 2..4"]);
    expect(
      typesOf([
        [0, "mlmi", 1],
        [1, "fvg", -1],
        [2, "nwrqk", 1],
        [3, "fvg", 1],
        [4, "mlmi", 1],
      ]),
    ).toEqual(["type_3 1 2..4"]);
  });

  it("pass over a leg that is there, without waiting longer for it", () => {
    const told: Told[] = [
      [0, "mlmi", 1],
      [5, "mlmi", 1],
      [6, "nwrqk", 1],
    ];
    expect(typesOf([...told, [10, "fvg", 1]])).toEqual(["type_1 1 0..10"]);
    expect(typesOf([...told, [11, "fvg", 1]])).toEqual([]);
  });

  it("rest after one: legs of that time count for nothing", () => {
    const one: Told[] = [
      [0, "mlmi", 1],
      [1, "nwrqk", 1],
      [2, "fvg", 1],
    ];
    expect(typesOf([...one, [7, "mlmi", 1], [8, "nwrqk", 1], [9, "fvg", 1]])).toHaveLength(1);
    expect(typesOf([...one, [8, "mlmi", 1], [9, "nwrqk", 1], [10, "fvg", 1]])).toEqual([
      "type_1 1 0..2",
      "type_1 1 8..10",
    ]);
  });

  it("have a quality of strength, speed and coherence", () => {
    const watch = watchSequences(TERMS);
    const at = (bar: number, leg: Leg, strength: number) =>
      watch.take(bar, [{ leg, way: 1, strength, time: bar }]);
    at(0, "mlmi", 0.5);
    at(2, "fvg", 0.1);
    expect(at(4, "nwrqk", 0.9)?.quality).toBeCloseTo(0.6 * 0.5 + 0.3 * (1 - 4 / 10) + 0.1 * (1 - 0.8), 12);
  });

  it("are those of a search that begins anew at each leg", () => {
    const signal = fc.tuple(
      fc.integer({ min: 0, max: 90 }),
      fc.constantFrom(...LEGS),
      fc.constantFrom(1, 1, 1, 1, 1, 1, -1),
    );
    let found = 0;
    fc.assert(
      fc.property(
        fc.array(signal, { minLength: 30, maxLength: 90 }),
        fc.nat(12),
        fc.nat(8),
        (drawn, window, cooldown) => {
          const unique = new Map(drawn.map(([bar, leg, way]) => [`${bar} ${leg}`, [bar, leg, way] as Told]));
          const told = [...unique.values()].sort(
            (a, b) => a[0] - b[0] || LEGS.indexOf(a[1]) - LEGS.indexOf(b[1]),
          );
          const expected = searched(told, window, cooldown);
          found += expected.length;
          expect(typesOf(told, { windowBars: window, cooldownBars: cooldown })).toEqual(expected);
        },
      ),
      { numRuns: 300 },
    );
    expect(found).toBeGreaterThan(300);
  });
});

/** From a first leg on to what completes or ends its sequence, and from there again. */
function searched(told: readonly Told[], window: number, cooldown: number): string[] {
  const names = new Map([
    ["mlmi nwrqk fvg", "type_1"],
    ["mlmi fvg nwrqk", "type_2"],
    ["nwrqk fvg mlmi", "type_3"],
    ["nwrqk mlmi fvg", "type_4"],
  ]);
  const start = told.findIndex(([, leg]) => leg !== "fvg");
  if (start < 0) return [];
  const [begun, , way] = told[start];
  const rest = told.slice(start);
  const broken = rest.findIndex(([bar, , other]) => bar > begun + window || other !== way);
  const within = broken < 0 ? rest : rest.slice(0, broken);
  const firsts = within.filter(([, leg], k) => within.findIndex((each) => each[1] === leg) === k);
  if (firsts.length < 3) return broken < 0 ? [] : searched(rest.slice(broken), window, cooldown);
  const end = firsts[2][0];
  const type = names.get(firsts.map(([, leg]) => leg).join(" "));
  const after = rest.slice(within.indexOf(firsts[2]) + 1).filter(([bar]) => bar > end + cooldown);
  return [`${type} ${way} ${begun}..${end}`, ...searched(after, window, cooldown)];
}

/** A walk of five minutes, of which bars are missing. */
function holed(length: number, seed: number): Candles {
  const candles = wanderingCandles("AAA", "5m", length, seed);
  const rng = createRng(seed, 9);
  const kept = [...candles.time.keys()].filter(() => rng.below(12) > 0);
  const pick = (column: Float64Array) => Float64Array.from(kept, (i) => column[i]);
  const { time, open, high, low, close, volume } = candles;
  return {
    ...candles,
    time: pick(time),
    open: pick(open),
    high: pick(high),
    low: pick(low),
    close: pick(close),
    volume: pick(volume),
  };
}

describe("longer bars", () => {
  it("hold the bars of half an hour, known when the last has closed or a later one has", () => {
    const candles = holed(700, 4);
    const { time, open, high, low, close, volume } = candles;
    const { bars, knownAt } = longerBars(candles, 6);
    const groups = new Map<number, number[]>();
    for (const [i, opened] of time.entries()) {
      const slot = Math.floor(opened / 1_800_000);
      groups.set(slot, [...(groups.get(slot) ?? []), i]);
    }
    const expected = [...groups].flatMap(([slot, places]) => {
      const last = Math.max(...places);
      const isFull = time[last] + 300_000 === (slot + 1) * 1_800_000;
      const known = isFull ? last : last + 1;
      if (known >= time.length) return [];
      const of = (column: Float64Array) => places.map((i) => column[i]);
      const sum = of(volume).reduce((a, b) => a + b, 0);
      return [
        [
          slot * 1_800_000,
          open[places[0]],
          Math.max(...of(high)),
          Math.min(...of(low)),
          close[last],
          sum,
          known,
        ],
      ];
    });
    const found = Array.from(knownAt, (known, k) => [
      ...[bars.time, bars.open, bars.high, bars.low, bars.close, bars.volume].map((column) => column[k]),
      known,
    ]);
    expect(found).toEqual(expected);
    expect(expected.some(([slot, , , , , , known]) => time[known] >= slot + 1_800_000)).toBe(true);
  });
});

const LEG_TERMS = { groupBars: 6, neighbours: 5, conviction: 0.5, slope: 0.1, gap: 0.001 };

function textsOf(signals: ReadonlyMap<number, readonly LegSignal[]>): string[] {
  return [...signals]
    .flatMap(([bar, all]) =>
      all.map(({ leg, way, strength }) => `${bar} ${leg} ${way} ${strength.toFixed(9)}`),
    )
    .sort();
}

describe("legs", () => {
  it("are told where they begin, as plain formulas have it", () => {
    let legs = 0;
    for (const seed of [1, 2, 3]) {
      const candles = holed(2_400, seed);
      const found = textsOf(legSignals(candles, LEG_TERMS));
      expect(found).toEqual(
        plainLegs(candles, LEG_TERMS)
          .map(({ bar, leg, way, strength }) => `${bar} ${leg} ${way} ${strength.toFixed(9)}`)
          .sort(),
      );
      for (const leg of LEGS)
        expect(
          found.some((text) => text.includes(leg)),
          leg,
        ).toBe(true);
      legs += found.length;
    }
    expect(legs).toBeGreaterThan(150);
  });

  it("see no future: every end gives the same legs up to it", () => {
    const candles = holed(900, 8);
    const whole = legSignals(candles, LEG_TERMS);
    for (let end = 1; end <= candles.time.length; end++) {
      const before = new Map([...whole].filter(([bar]) => bar < end));
      const part = legSignals(sliceCandles(candles, 0, end), LEG_TERMS);
      expect(textsOf(part), `cut at ${end}`).toEqual(textsOf(before));
    }
  });
});

describe("the strategy", () => {
  const candles = wanderingCandles("AAA", "5m", 12_000, 12);
  const values = { group: 3, window: 20, holdBars: 40, cooldown: 0 };

  function entriesOf(given: Readonly<Record<string, number | string>>) {
    const { decisions } = runBacktest(synergy, [{ candles }], { ...values, ...given });
    return decisions
      .filter(({ does }) => does === "enter")
      .map(({ bar, way, why }) => `${why} ${way} ${bar}`);
  }

  it("enters at synergies of the types that are chosen", () => {
    const legs = legSignals(candles, { ...LEG_TERMS, groupBars: 3 });
    const watch = watchSequences({ windowBars: 20, cooldownBars: 0 });
    const all = [...legs.keys()]
      .sort((a, b) => a - b)
      .flatMap((bar) => watch.take(bar, legs.get(bar) ?? []) ?? [])
      .map(({ type, way, bar }) => `${type} ${way} ${bar}`);
    const entries = entriesOf({});
    expect(entries.length).toBeGreaterThan(10);
    expect(all).toEqual(expect.arrayContaining(entries));
    for (const type of ["type_1", "type_2", "type_3", "type_4"]) {
      const chosen = entriesOf({ types: type });
      expect(chosen.length, type).toBeGreaterThan(0);
      expect(all.filter((text) => text.startsWith(type))).toEqual(expect.arrayContaining(chosen));
    }
    const long = entriesOf({ side: "long" });
    expect(long.length).toBeGreaterThan(3);
    expect(long.every((text) => / 1 /.test(text))).toBe(true);
    expect(entriesOf({ quality: 0.7 }).length).toBeLessThan(entries.length);
  });
});
