import { describe, expect, it } from "vitest";
import { ensure } from "../../src/core/base/assert.js";
import { calendarOf } from "../../src/core/market/session.js";
import { resolveDecisionTerms } from "../../src/core/synergy/decision-terms.js";
import { TickEngine } from "../../src/core/synergy/engine.js";
import { allocateTicks } from "../../src/core/ticks/tick.js";
import { indicatorsView, matricesView } from "../../src/features/pipeline/look-views.js";

/** What is shown of a symbol that traded at one price for so many half hours, then perhaps at others. */
function shownOf(halfHours: number, later: readonly number[] = []) {
  const engine = new TickEngine(1);
  const decision = ensure(resolveDecisionTerms({ stopWithoutNode: 1.5, leastQuality: 0 }).terms, "terms");
  engine.open({ calendar: calendarOf("24x7"), decision, pointValue: 1, rate: 1, costShare: 0 });
  const ticks = allocateTicks(halfHours + later.length + 1);
  for (let i = 0; i < ticks.time.length; i++) {
    ticks.time[i] = Date.UTC(2024, 2, 4) + i * 1_800_000;
    ticks.price[i] = later[i - halfHours] ?? later.at(-1) ?? 0.1;
    if (i < halfHours) ticks.price[i] = 0.1;
    ticks.size[i] = 1;
  }
  engine.begin(Number.NaN);
  engine.take(ticks, 0, ticks.time.length, new Uint8Array(ticks.time.length));
  const { structure, tactical, regime, facts } = engine.tracks[0];
  const columns = { structure: structure.state, tactical: tactical.state, regime: regime.state, facts };
  return { ...indicatorsView("FLAT", columns), matrices: matricesView(columns) };
}

describe("a market where nothing moves", () => {
  it("is of no kind, says why, and has no estimate that is away from the close", () => {
    const { mmd, matrices, bars_30m } = shownOf(120);
    expect(bars_30m).toBe(120);
    expect(mmd).toMatchObject({ nearest: null, confidence: null });
    expect(mmd.why).toBe("the price has never moved: it is no kind of market");
    expect(Object.values(mmd.distances)).toEqual(Array(7).fill(null));
    const [structure] = matrices;
    expect(structure.rows.at(-1)?.slice(2, 4)).toEqual([0, 0]);
  });

  it("is of one once something has moved", () => {
    const { mmd } = shownOf(120, [0.1005, 0.1]);
    expect(mmd.why).toBeNull();
    expect(mmd.nearest).not.toBeNull();
    expect(shownOf(50).mmd.why).toBe("50 of 106 bars of 30m have come");
  });
});
