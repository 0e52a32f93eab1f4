import { describe, expect, it } from "vitest";
import { ensure } from "../../src/core/base/assert.js";
import { calendarOf } from "../../src/core/market/session.js";
import { resolveDecisionTerms } from "../../src/core/synergy/decision-terms.js";
import { TickEngine } from "../../src/core/synergy/engine.js";
import { recallBars } from "../../src/core/synergy/recall.js";
import { allocateTicks } from "../../src/core/ticks/tick.js";
import { LATE } from "../../src/core/ticks/verdict.js";
import { tellStory } from "../fixtures/planted-synergies.js";

function opened(): TickEngine {
  const engine = new TickEngine(1);
  const decision = ensure(resolveDecisionTerms({ stopWithoutNode: 1.5, leastQuality: 0 }).terms, "terms");
  engine.open({ calendar: calendarOf("24x7"), decision, pointValue: 1, rate: 1, costShare: 0 });
  return engine;
}

const told = tellStory({
  calendar: "24x7",
  history: 60,
  ticksPerBar: 4,
  seed: 3,
  story: "type_2",
  way: -1,
}).ticks;
const count = told.time.length;
const ticks = { ...allocateTicks(count), ...told };

describe("bars that are recalled", () => {
  it("bring a symbol to the bit to where the engine was that made them, and tell nothing", () => {
    const engine = opened();
    const verdicts = new Uint8Array(count);
    engine.begin(Number.NaN);
    expect(engine.take(ticks, 0, count, verdicts)).toBe(count);
    engine.finish(0);
    expect(engine.findings.found).toBe(1);
    const bars = engine.findings.copyOf(engine.findings.bars);
    const state = (of: TickEngine) => {
      const [track] = of.tracks;
      const saved = new Float64Array(track.stateLength);
      track.save(saved, 0);
      return saved;
    };

    const other = opened();
    other.cut(0);
    recallBars(other, 0, bars);
    expect(state(other)).toEqual(state(engine));
    expect([other.findings.bars, other.findings.found]).toEqual([0, 0]);
    expect(other.intake.builder.closedUntil[0]).toBe(engine.intake.builder.closedUntil[0]);

    // The last trade again, then those of the bars after it: slots go on, and the first of them may lack its beginning.
    const next = allocateTicks(40);
    for (let i = 0; i < 40; i++) {
      next.time[i] = told.time[count - 1] + i * 60_000;
      next.price[i] = told.price[count - 1];
      next.size[i] = 1;
    }
    const slots = [engine, other].map((each) => {
      each.findings.clear();
      const said = new Uint8Array(40);
      each.begin(Number.NaN);
      each.take(next, 0, 40, said);
      expect(said[0]).toBe(LATE);
      const { interval, time, slot } = each.findings.copyOf(each.findings.bars);
      return [...slot].map((each, k) => `${interval[k]} ${time[k]} ${each}`);
    });
    expect(slots[1].length).toBeGreaterThan(5);
    expect(slots[1]).toEqual(slots[0]);
  });

  it("that lie outside the years of the calendar are passed over", () => {
    const engine = opened();
    engine.begin(Number.NaN);
    engine.take(ticks, 0, count, new Uint8Array(count));
    const bars = engine.findings.copyOf(3);
    bars.time[1] = Number.MAX_SAFE_INTEGER;
    const other = opened();
    recallBars(other, 0, bars);
    expect(other.tracks[0].facts[7]).toBe(2);
  });
});
