import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createRng } from "../../src/core/base/rng.js";
import {
  NET_COLUMNS,
  WINDOW_BARS,
  WINDOW_VALUES,
  windowAt,
} from "../../src/core/learning/sequence-net/columns.js";
import { SHAPE_DIRECTIONS, SHAPES, shapeClass } from "../../src/core/learning/shapes.js";
import { shapeClasses } from "../../src/core/learning/shapes-detected.js";
import { drawFoundWindows } from "../../src/core/learning/shapes-found.js";
import { historyWindows, splitHistory } from "../../src/core/learning/shapes-history.js";
import { drawShapeBars, drawShapeWindows, NONE_SHARE } from "../../src/core/learning/shapes-windows.js";
import { type Candles, sliceCandles } from "../../src/core/market/candles.js";
import { CHARTS } from "../../src/core/patterns/chart/index.js";
import type { Hit } from "../../src/core/patterns/define.js";
import { findVariant } from "../../src/core/patterns/index.js";
import { createPatternSeries } from "../../src/core/patterns/series.js";
import { gridWalk } from "../fixtures/grid-walk.js";
import { PLANTED, plant } from "../fixtures/planted-charts.js";

const seeds = fc.integer({ min: 1, max: 1_000_000 });

function confirmedIn(candles: Candles): Hit[] {
  const hits: Hit[] = [];
  const series = createPatternSeries(candles);
  for (const row of CHARTS) row.find(series, 0, candles.time.length, hits);
  return hits.filter(({ state }) => state === "confirmed");
}

describe("shapes", () => {
  it("are variants of the chart patterns, which say where they point to", () => {
    expect(SHAPES.length).toBeGreaterThan(10);
    for (const [k, name] of SHAPES.entries()) {
      if (name === "none") continue;
      const found = findVariant(name);
      expect(found?.pattern.family).toBe("chart");
      expect(SHAPE_DIRECTIONS[k]).toBe(found?.variant.direction);
      expect(shapeClass(name)).toBe(k);
    }
    expect(SHAPE_DIRECTIONS[0]).toBe(0);
    expect(shapeClass("none")).toBe(-1);
    expect(shapeClass("triple_top")).toBe(-1);
  });
});

describe("drawn windows", () => {
  it("are the same for a seed, whatever their count, and others for another", () => {
    const few = drawShapeWindows(7, 20);
    const many = drawShapeWindows(7, 30);
    expect(many.values.slice(0, 20 * WINDOW_VALUES)).toEqual(few.values);
    expect(many.labels.slice(0, 20)).toEqual(few.labels);
    const windowsOf = (seed: number) => {
      const { values } = drawShapeWindows(seed, 30);
      return Array.from({ length: 30 }, (_, n) => values.subarray(n * 500, (n + 1) * 500).join());
    };
    expect(new Set([...windowsOf(7), ...windowsOf(8), ...windowsOf(9)]).size).toBe(90);
  });

  it("show each shape equally often and none in their share", () => {
    const counts = new Float64Array(SHAPES.length);
    for (const label of drawShapeWindows(11, 3_000).labels) counts[label]++;
    expect(Math.abs(counts[0] / 3_000 - NONE_SHARE)).toBeLessThan(0.035);
    const each = (3_000 * (1 - NONE_SHARE)) / (SHAPES.length - 1);
    for (const count of counts.subarray(1)) expect(Math.abs(count - each)).toBeLessThan(5 * Math.sqrt(each));
  });

  it("are sound bars with finite columns", () => {
    fc.assert(
      fc.property(seeds, fc.integer({ min: 0, max: SHAPES.length - 1 }), (seed, label) => {
        const { open, high, low, close, volume } = drawShapeBars(label, createRng(seed), 2);
        expect(close.length).toBe(WINDOW_BARS);
        for (let i = 0; i < close.length; i++) {
          expect(low[i] > 0 && low[i] <= Math.min(open[i], close[i])).toBe(true);
          expect(high[i] >= Math.max(open[i], close[i]) && volume[i] >= 0).toBe(true);
        }
      }),
      { numRuns: 100 },
    );
    expect(drawShapeWindows(5, 300, 3).values.every(Number.isFinite)).toBe(true);
  });

  it.each(SHAPES.filter((name) => name !== "none"))(
    "are called %s by its detector, which knows nothing of how they are drawn, more often than by any other but doubles",
    (name) => {
      const counts = new Float64Array(SHAPES.length);
      for (let n = 0; n < 60; n++) {
        const bars = drawShapeBars(SHAPES.indexOf(name), createRng(3, n), 0.7);
        const hits = confirmedIn({ symbol: "X", interval: "1d", ...bars });
        const names = new Set(hits.filter(({ at }) => at >= 40).map(({ variant }) => variant.id));
        for (const id of names) if (shapeClass(id) > 0) counts[shapeClass(id)]++;
      }
      const own = counts[SHAPES.indexOf(name)];
      expect(own).toBeGreaterThan(60 * LEAST_SHARE);
      // A rectangle has the ends of a double in it, and a flag those of small ones.
      const others = counts.filter((_, k) => k !== SHAPES.indexOf(name) && !CONTAINED.has(SHAPES[k]));
      expect(own).toBeGreaterThan(Math.max(...others));
    },
  );

  it("of none hold nothing that a detector confirms on the last ten bars", () => {
    for (let n = 0; n < 100; n++) {
      const bars = drawShapeBars(0, createRng(4, n));
      expect(confirmedIn({ symbol: "X", interval: "1d", ...bars }).filter(({ at }) => at >= 40)).toEqual([]);
    }
  });
});

const LEAST_SHARE = 0.2;
const CONTAINED = new Set(["double_top", "double_bottom"]);

describe("stored windows", () => {
  it("end where a planted shape is confirmed, and are labelled with it", () => {
    const known = PLANTED.filter((variant) => shapeClass(variant) > 0);
    expect(known.length).toBeGreaterThan(10);
    let found = 0;
    for (const [variant, seed] of known.flatMap((each) => [1, 2, 3, 4].map((n) => [each, n] as const))) {
      const { candles } = plant(variant, { seed, noise: 0.1 });
      const hits = confirmedIn(candles).filter(({ at, start }) => at - start < WINDOW_BARS && at >= 49);
      const own = hits.find((hit) => hit.variant.id === variant);
      if (own === undefined || hits.some(({ at, variant: { id } }) => at === own.at && id !== variant))
        continue;
      expect(shapeClasses(candles)[own.at]).toBe(shapeClass(variant));
      const windows = historyWindows(candles, 1);
      const place = windows.ends.indexOf(candles.time[own.at]);
      expect(windows.labels[place]).toBe(shapeClass(variant));
      const values = windows.values.slice(place * WINDOW_VALUES, (place + 1) * WINDOW_VALUES);
      expect(values).toEqual(Float32Array.from(windowAt(candles, own.at) ?? []));
      found++;
    }
    expect(found).toBeGreaterThan(12);
  });

  it("up to a bar are the same whatever follows it", () => {
    let labelled = 0;
    fc.assert(
      fc.property(seeds, fc.integer({ min: 250, max: 590 }), (seed, cut) => {
        const candles = gridWalk(600, seed);
        const whole = historyWindows(candles, 5);
        const prefix = historyWindows(sliceCandles(candles, 0, cut), 5);
        const count = prefix.labels.length;
        expect(whole.ends.filter((end) => end < candles.time[cut]).length).toBe(count);
        expect(whole.labels.slice(0, count)).toEqual(prefix.labels);
        expect(whole.ends.slice(0, count)).toEqual(prefix.ends);
        expect(whole.values.slice(0, count * WINDOW_VALUES)).toEqual(prefix.values);
        labelled += prefix.labels.filter((label) => label > 0).length;
      }),
      { numRuns: 30 },
    );
    expect(labelled).toBeGreaterThan(100);
  });

  it("are cut into parts of which no two share a bar", () => {
    const bar = gridWalk(2, 1).time[1] - gridWalk(2, 1).time[0];
    const sets = [1, 2, 3].map((seed) => historyWindows(gridWalk(900, seed), seed));
    const parts = splitHistory(sets, [0.6, 0.2, 0.2]);
    const total = sets.reduce((sum, { labels }) => sum + labels.length, 0);
    const kept = parts.reduce((sum, { labels }) => sum + labels.length, 0);
    expect(kept).toBeLessThan(total);
    expect(kept).toBeGreaterThan(0.75 * total);
    const spans = parts.map(({ values }) => {
      const found = Array.from({ length: values.length / WINDOW_VALUES }, (_, n) => {
        const text = values.subarray(n * WINDOW_VALUES, (n + 1) * WINDOW_VALUES).join();
        const set = sets.find((each) => textOf(each).includes(text));
        const place = set === undefined ? -1 : textOf(set).indexOf(text);
        return { begin: set?.begins[place] ?? Number.NaN, end: set?.ends[place] ?? Number.NaN };
      });
      return [Math.min(...found.map(({ begin }) => begin)), Math.max(...found.map(({ end }) => end))];
    });
    expect(spans[1][0]).toBeGreaterThan(spans[0][1]);
    expect(spans[2][0]).toBeGreaterThan(spans[1][1]);
    expect(spans[0][1] - spans[0][0]).toBeGreaterThan(100 * bar);
  });

  it("found in drawn walks are the same for a seed and of every usual shape", () => {
    const found = drawFoundWindows(3, 1_500);
    const again = drawFoundWindows(3, 400);
    expect(again.labels).toEqual(found.labels.slice(0, 400));
    expect(again.values.join()).toBe(found.values.slice(0, 400 * WINDOW_VALUES).join());
    expect(found.values.length).toBe(1_500 * WINDOW_BARS * NET_COLUMNS.length);
    const shapes = new Set(found.labels);
    expect(shapes.size).toBeGreaterThan(12);
    expect(found.labels.filter((label) => label === 0).length).toBeGreaterThan(300);
  });
});

const texts = new Map<object, string[]>();

function textOf(set: { readonly values: Float32Array; readonly labels: Uint8Array }): string[] {
  const known = texts.get(set);
  if (known !== undefined) return known;
  const made = Array.from(set.labels, (_, n) =>
    set.values.subarray(n * WINDOW_VALUES, (n + 1) * WINDOW_VALUES).join(),
  );
  texts.set(set, made);
  return made;
}
