import { describe, expect, it } from "vitest";
import { calendarOf } from "../../src/core/market/session.js";
import { SYNERGY_TYPES } from "../../src/core/synergy/sequence.js";
import { createTestEngine, runEngine, ticksOf } from "../fixtures/engines.js";
import { EMPTY_STORIES, tellStory } from "../fixtures/planted-synergies.js";
import { sized } from "../fixtures/sizes.js";

/** Each type comes both ways on both calendars among twenty-four, each empty story both ways among ten. */
const SERIES = sized({ usual: 24, full: 100 });
const EMPTY = sized({ usual: 20, full: 100 });

describe("the engine, from ticks alone", () => {
  it(`finds planted synergies ${SERIES} of ${SERIES}, each of its type and way, and nothing else`, () => {
    for (let seed = 1; seed <= SERIES; seed++) {
      const story = SYNERGY_TYPES[seed % 4];
      const way = seed % 8 < 4 ? 1 : -1;
      const calendar = seed % 3 === 0 ? "XNYS" : "24x7";
      const { ticks } = tellStory({ seed, story, way, calendar });
      const { synergies } = runEngine(createTestEngine([calendarOf(calendar)]), ticksOf(ticks));
      expect(
        synergies.map((found) => [found.type, found.way]),
        `seed ${seed}`,
      ).toEqual([[story, way]]);
    }
  }, 60_000);

  it(`finds none in ${EMPTY} series that only look like synergies`, () => {
    for (let seed = 1; seed <= EMPTY; seed++) {
      const story = EMPTY_STORIES[seed % EMPTY_STORIES.length];
      const way = seed % 2 === 0 ? 1 : -1;
      const { ticks } = tellStory({ seed, story, way, calendar: "24x7" });
      const { synergies } = runEngine(createTestEngine([calendarOf("24x7")]), ticksOf(ticks));
      expect(synergies, `seed ${seed}, ${story}`).toEqual([]);
    }
  }, 60_000);
});
