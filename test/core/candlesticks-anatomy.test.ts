import { describe, expect, it } from "vitest";
import { createRng } from "../../src/core/base/rng.js";
import { allocateAnatomy, computeAnatomy, extendAnatomy } from "../../src/core/patterns/anatomy.js";
import { mirrorFlags } from "../../src/core/patterns/flags.js";
import { REPEATED, Shape } from "../../src/core/patterns/shape.js";
import { Step } from "../../src/core/patterns/step.js";
import { gridWalk } from "../fixtures/grid-walk.js";
import { reflect } from "../fixtures/reflect.js";

const candles = gridWalk(3_000, 11);
const anatomy = computeAnatomy(candles);
const { open, high, low, close } = candles;

const top = (i: number) => Math.max(open[i], close[i]);
const bottom = (i: number) => Math.min(open[i], close[i]);
const body = (i: number) => Math.abs(close[i] - open[i]);
const upper = (i: number) => high[i] - top(i);
const lower = (i: number) => bottom(i) - low[i];

/** Mean over the `count` bars before `i`. */
function mean(measure: (i: number) => number, i: number, count: number): number {
  let sum = 0;
  for (let j = i - count; j < i; j++) sum += measure(j);
  return sum / count;
}
const range = (i: number) => high[i] - low[i];
const shadows = (i: number) => upper(i) + lower(i);
const veryShort = (i: number) => 0.1 * mean(range, i, 10);
const near = (i: number) => 0.2 * mean(range, i, 5);
const equal = (i: number) => 0.05 * mean(range, i, 5);
const middle = (i: number) => (high[i] + low[i]) / 2;

/** Each flag's meaning, written out again. */
const SHAPE: Record<keyof typeof Shape, (i: number) => boolean> = {
  WHITE: (i) => close[i] >= open[i],
  BLACK: (i) => close[i] < open[i],
  UPPER_VERY_SHORT: (i) => upper(i) < veryShort(i),
  LOWER_VERY_SHORT: (i) => lower(i) < veryShort(i),
  UPPER_PRESENT: (i) => upper(i) > veryShort(i),
  LOWER_PRESENT: (i) => lower(i) > veryShort(i),
  UPPER_SHORT: (i) => upper(i) < mean(shadows, i, 10) / 2,
  LOWER_SHORT: (i) => lower(i) < mean(shadows, i, 10) / 2,
  UPPER_LONG: (i) => upper(i) > body(i),
  LOWER_LONG: (i) => lower(i) > body(i),
  UPPER_VERY_LONG: (i) => upper(i) > 2 * body(i),
  LOWER_VERY_LONG: (i) => lower(i) > 2 * body(i),
  CLOSE_NEAR_HIGH: (i) => close[i] >= high[i] - near(i),
  CLOSE_NEAR_LOW: (i) => close[i] <= low[i] + near(i),
  BODY_LONG: (i) => body(i) > mean(body, i, 10),
  BODY_SHORT: (i) => body(i) < mean(body, i, 10),
  BODY_NOT_LONG: (i) => body(i) <= mean(body, i, 10),
  BODY_DOJI: (i) => body(i) <= veryShort(i),
  SHADOW_LONG: (i) => upper(i) > body(i) || lower(i) > body(i),
  BODY_CENTRED: (i) => bottom(i) <= middle(i) + near(i) && top(i) >= middle(i) - near(i),
};

const STEP: Record<keyof typeof Step, (i: number) => boolean> = {
  HIGHER_HIGH: (i) => high[i] > high[i - 1],
  LOWER_LOW: (i) => low[i] < low[i - 1],
  HIGHER_LOW: (i) => low[i] > low[i - 1],
  LOWER_HIGH: (i) => high[i] < high[i - 1],
  HIGHER_CLOSE: (i) => close[i] > close[i - 1],
  LOWER_CLOSE: (i) => close[i] < close[i - 1],
  BODY_GAP_UP: (i) => bottom(i) > top(i - 1),
  BODY_GAP_DOWN: (i) => top(i) < bottom(i - 1),
  OPEN_ABOVE_CLOSE: (i) => open[i] > close[i - 1],
  OPEN_BELOW_CLOSE: (i) => open[i] < close[i - 1],
  OPEN_ABOVE_HIGH: (i) => open[i] > high[i - 1],
  OPEN_BELOW_LOW: (i) => open[i] < low[i - 1],
  TOP_LOWER: (i) => top(i) < top(i - 1),
  BOTTOM_HIGHER: (i) => bottom(i) > bottom(i - 1),
  TOP_NOT_HIGHER: (i) => top(i) <= top(i - 1),
  BOTTOM_NOT_LOWER: (i) => bottom(i) >= bottom(i - 1),
  OPEN_NOT_FAR_ABOVE: (i) => open[i] <= top(i - 1) + near(i - 1),
  OPEN_NOT_FAR_BELOW: (i) => open[i] >= bottom(i - 1) - near(i - 1),
  OPEN_INSIDE: (i) => open[i] < top(i - 1) && open[i] > bottom(i - 1),
  CLOSE_EQUAL: (i) => Math.abs(close[i] - close[i - 1]) <= equal(i - 1),
  ENGULFS: (i) => top(i) >= top(i - 1) && bottom(i) <= bottom(i - 1),
  OPEN_EQUAL: (i) => Math.abs(open[i] - open[i - 1]) <= equal(i - 1),
};

describe("anatomy", () => {
  it("grown bar by bar or in pieces equals the whole, bit for bit", () => {
    const rng = createRng(3);
    for (const largest of [1, 7, 1_500]) {
      const grown = allocateAnatomy(3_000);
      for (let from = 0; from < 3_000; ) {
        const to = Math.min(3_000, from + 1 + rng.below(largest));
        extendAnatomy(grown, candles, from, to);
        from = to;
      }
      expect(grown).toEqual(anatomy);
    }
  });

  it("averages the bars before, not the bar itself", () => {
    for (let i = 0; i < 3_000; i++) {
      expect(anatomy.averageBody[i]).toBe(i < 10 ? Number.NaN : mean(body, i, 10));
      expect(anatomy.averageRange[i]).toBe(i < 10 ? Number.NaN : mean(range, i, 10));
      expect(anatomy.averageShadows[i]).toBe(i < 10 ? Number.NaN : mean(shadows, i, 10));
      expect(anatomy.recentRange[i]).toBe(i < 5 ? Number.NaN : mean(range, i, 5));
    }
  });

  it.each(Object.entries(SHAPE))("sets Shape.%s where it holds", (name, holds) => {
    const flag = Shape[name as keyof typeof Shape];
    let count = 0;
    for (let i = 10; i < 3_000; i++) {
      expect((anatomy.shape[i] & flag) !== 0, `bar ${i}`).toBe(holds(i));
      if (holds(i)) count++;
    }
    expect(count).toBeGreaterThan(0);
    expect(count).toBeLessThan(2_990);
  });

  it.each(Object.entries(STEP))("sets Step.%s where it holds", (name, holds) => {
    const flag = Step[name as keyof typeof Step];
    let count = 0;
    for (let i = 11; i < 3_000; i++) {
      expect((anatomy.step[i] & flag) !== 0, `bar ${i}`).toBe(holds(i));
      if (holds(i)) count++;
    }
    expect(count).toBeGreaterThan(0);
    expect(count).toBeLessThan(2_989);
  });

  it("repeats shape flags in the step column, beside step flags of other bits", () => {
    const steps = Object.values(Step).reduce((all, flag) => all | flag, 0);
    expect(steps & REPEATED).toBe(0);
    for (let i = 0; i < 3_000; i++) {
      expect(anatomy.step[i] & ~steps).toBe(anatomy.shape[i] & REPEATED);
    }
  });

  it("refuses bars outside the series", () => {
    expect(() => extendAnatomy(allocateAnatomy(10), candles, 0, 11)).toThrow("bars 0..11 of 10");
    expect(() => extendAnatomy(allocateAnatomy(10), candles, -1, 5)).toThrow("bars -1..5 of 10");
  });

  it("has no flag twice and has each mirror flag beside its image", () => {
    for (const flags of [Object.values(Shape), Object.values(Step)]) {
      expect(new Set(flags).size).toBe(flags.length);
      for (const flag of flags) expect(flags).toContain(mirrorFlags(flag));
    }
    const mirrored = computeAnatomy(reflect(candles, 300));
    for (let i = 11; i < 3_000; i++) {
      // A bar that closes where it opens is white on both sides of the mirror.
      if (open[i] === close[i]) continue;
      expect(mirrored.shape[i]).toBe(mirrorFlags(anatomy.shape[i]));
      expect(mirrored.step[i]).toBe(mirrorFlags(anatomy.step[i]));
    }
  });

  it("gives a bar with a price that is not a number no flags and recovers ten bars later", () => {
    for (const column of ["open", "high", "low", "close"] as const) {
      for (const value of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]) {
        const broken = gridWalk(200, 5);
        const sound = computeAnatomy(broken);
        broken[column][100] = value;
        const { shape, step } = computeAnatomy(broken);
        expect(shape[100]).toBe(0);
        expect(step.slice(100, 102)).toEqual(Int32Array.of(0, shape[101] & REPEATED));
        expect(shape.slice(111)).toEqual(sound.shape.slice(111));
        expect(step.slice(111)).toEqual(sound.step.slice(111));
      }
    }
  });
});
