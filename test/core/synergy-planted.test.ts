import { describe, expect, it } from "vitest";
import { legSignals } from "../../src/core/synergy/legs.js";
import { SYNERGY_TYPES } from "../../src/core/synergy/sequence.js";
import { tellStory } from "../fixtures/planted-synergies.js";
import { sized } from "../fixtures/sizes.js";
import { barsOfTicks, PLANTED_TERMS, plainSynergiesOf, synergiesOf } from "../fixtures/told-synergies.js";

/** Each type comes both ways on both calendars among twenty-four. */
const SERIES = sized({ usual: 24, full: 100 });

describe("planted synergies", () => {
  it(`are found in the bars of their ticks, ${SERIES} of ${SERIES}, each of its type, way and slots, and nothing else`, () => {
    const kinds = new Set<string>();
    for (let seed = 1; seed <= SERIES; seed++) {
      const story = SYNERGY_TYPES[seed % 4];
      const way = seed % 8 < 4 ? 1 : -1;
      const calendar = seed % 3 === 0 ? "XNYS" : "24x7";
      const { ticks, bars, begun, filled } = tellStory({ seed, story, way, calendar });
      const candles = barsOfTicks(ticks);
      const last = story === "type_1" || story === "type_4" ? filled : begun + 6;
      const expected = [`${story} ${way} ${begun}..${last}`];
      expect(synergiesOf(candles, PLANTED_TERMS), `seed ${seed}`).toEqual(expected);
      expect(synergiesOf(candles, { ...PLANTED_TERMS, slope: 0.3 }), `seed ${seed}, steep`).toEqual(expected);
      if (seed <= 8) {
        const { symbol, interval, ...columns } = candles;
        expect(columns).toEqual(bars);
        expect(plainSynergiesOf(candles, PLANTED_TERMS), `seed ${seed}, plain`).toEqual(expected);
      }
      kinds.add(`${story} ${way} ${calendar}`);
    }
    expect(kinds.size).toBe(16);
  });

  it("come after enough bars for everything to be warm, in ticks that a guard would take", () => {
    const told = tellStory({ seed: 5, story: "type_2", way: 1, calendar: "XNYS" });
    const { time, price, size } = told.ticks;
    expect(told.begun).toBeGreaterThan(6 * 150);
    for (let i = 1; i < time.length; i++) {
      expect(time[i]).toBeGreaterThanOrEqual(time[i - 1]);
      expect(Math.abs(price[i] / price[i - 1] - 1)).toBeLessThan(0.005);
      expect(size[i]).toBeGreaterThan(0);
    }
    expect(tellStory({ seed: 5, story: "type_2", way: 1, calendar: "XNYS" })).toEqual(told);
  });

  it("are gone where the gap is not filled: the low of that bar alone makes them", () => {
    for (const story of SYNERGY_TYPES) {
      const { ticks, begun, filled } = tellStory({ seed: 3, story, way: 1, calendar: "24x7" });
      const candles = barsOfTicks(ticks);
      expect(synergiesOf(candles, PLANTED_TERMS)).toHaveLength(1);
      const fills = [...legSignals(candles, PLANTED_TERMS)].filter(([, all]) =>
        all.some(({ leg }) => leg === "fvg"),
      );
      expect(fills.map(([bar]) => bar)).toEqual([filled]);
      const body = Math.min(candles.open[filled], candles.close[filled]);
      candles.low.set([body], filled);
      expect(synergiesOf(candles, PLANTED_TERMS), `${story} from ${begun}`).toEqual([]);
    }
  });
});
