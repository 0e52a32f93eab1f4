import { describe, expect, it } from "vitest";
import { legSignals } from "../../src/core/synergy/legs.js";
import { type Leg, type Refusal, watchSequences } from "../../src/core/synergy/sequence.js";
import { EMPTY_STORIES, tellStory } from "../fixtures/planted-synergies.js";
import { sized } from "../fixtures/sizes.js";
import { barsOfTicks, PLANTED_TERMS, plainSynergiesOf, synergiesOf } from "../fixtures/told-synergies.js";

/** Each story comes both ways on both calendars among thirty. */
const SERIES = sized({ usual: 30, full: 100 });
const REASONS: Readonly<Record<(typeof EMPTY_STORIES)[number], Refusal | null>> = {
  no_gap: null,
  late: "expired",
  late_turn: "expired",
  early: "started_with_fvg",
  opposite: "opposite",
};

describe("series that only look like synergies", () => {
  it(`have none, 0 in ${SERIES}, though their legs speak, and each is refused for what it is`, () => {
    const spoken: Record<Leg, number> = { mlmi: 0, nwrqk: 0, fvg: 0 };
    for (let seed = 1; seed <= SERIES; seed++) {
      const story = EMPTY_STORIES[seed % EMPTY_STORIES.length];
      const way = seed % 2 === 0 ? 1 : -1;
      const calendar = seed % 3 === 0 ? "XNYS" : "24x7";
      const { ticks, filled } = tellStory({ seed, story, way, calendar });
      const candles = barsOfTicks(ticks);
      expect(synergiesOf(candles, PLANTED_TERMS), `seed ${seed}`).toEqual([]);
      if (seed <= sized({ usual: 10, full: 30 })) {
        expect(synergiesOf(candles, { ...PLANTED_TERMS, slope: 0.3 }), `seed ${seed}, steep`).toEqual([]);
        expect(plainSynergiesOf(candles, PLANTED_TERMS), `seed ${seed}, plain`).toEqual([]);
      }
      const watch = watchSequences({ windowBars: 10, cooldownBars: 5 });
      for (const [bar, signals] of legSignals(candles, PLANTED_TERMS)) {
        for (const { leg } of signals) spoken[leg]++;
        watch.take(bar, signals);
        if (bar !== filled) continue;
        const refusals = watch.refusals().map(({ refusal }) => refusal);
        expect(refusals, `seed ${seed}, ${story}`).toContain(REASONS[story]);
      }
    }
    expect(spoken.fvg).toBe(SERIES * 0.8);
    expect(spoken.mlmi).toBeGreaterThan(2 * SERIES);
    expect(spoken.nwrqk).toBeGreaterThan(2 * SERIES);
  }, 60_000);
});
