import { describe, expect, it } from "vitest";
import { createRng } from "../../src/core/base/rng.js";
import { AGENT_WATCH, agentLookAt, aheadOf } from "../../src/core/learning/agent/watch.js";
import { DAY_MS } from "../../src/core/market/day.js";
import { sized } from "../fixtures/sizes.js";

const MADE = Date.UTC(2026, 0, 1, 12);
const FIRST = Date.UTC(2026, 0, 2);

/** Looks at days of gains once a day, as the loop asks. @returns the day after which it was taken back; null for never. */
function takenBack(seed: number, mean: number, days: number): number | null {
  const rng = createRng(seed, 61);
  const gains = Float64Array.from({ length: days }, () => mean + rng.normal());
  let looked = 0;
  for (let day = 1; day <= days; day++) {
    const look = agentLookAt(MADE, FIRST + DAY_MS * (day + 1));
    if (look === null || look.toMs === looked) continue;
    looked = look.toMs;
    const [from, to] = [look.fromMs, look.toMs].map((at) => (at - FIRST) / DAY_MS);
    const terms = { ...AGENT_WATCH, draws: 300, level: look.level };
    if (aheadOf(gains.subarray(from, to), terms).aheadHigh < 0) return day;
  }
  return null;
}

const countOf = (agents: number, mean: number, days: number) =>
  Array.from({ length: agents }, (_, k) => takenBack(k + 1, mean, days)).filter((day) => day !== null).length;

describe("looks at an agent", () => {
  it("are after each 20 whole days since it was made, at the newest 60, a day later, at levels that add up to all", () => {
    const at = (days: number) => agentLookAt(MADE, FIRST + DAY_MS * (days + 1));
    expect([at(0), at(19)]).toEqual([null, null]);
    expect(at(20)).toEqual({ fromMs: FIRST, toMs: FIRST + 20 * DAY_MS, level: AGENT_WATCH.level / 4 });
    expect(at(39)).toEqual(at(20));
    expect(at(100)).toMatchObject({ fromMs: FIRST + 40 * DAY_MS, toMs: FIRST + 100 * DAY_MS });
    const windows = Array.from({ length: 200 }, (_, k) => at(60 * (k + 1))?.level ?? Number.NaN);
    const spent = windows.reduce((sum, level) => sum + 2 * level, 0);
    expect(spent).toBeLessThan(AGENT_WATCH.level);
    expect(spent).toBeGreaterThan(0.99 * AGENT_WATCH.level);
  });

  const AGENTS = sized({ usual: 60, full: 200 });
  const LUCKY = sized({ usual: 7, full: 17 });

  it(`take back ${LUCKY} or fewer of ${AGENTS} that are as good as holding, in a year of passes`, () => {
    expect(countOf(AGENTS, 0, 365)).toBeLessThanOrEqual(LUCKY);
  });

  it("take back 8 of 10 and more that lose a third of a deviation a day, within the year", () => {
    expect(countOf(30, -0.33, 365)).toBeGreaterThanOrEqual(24);
  });
});
