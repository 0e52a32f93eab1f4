import { describe, expect, it } from "vitest";
import { createRng } from "../../src/core/base/rng.js";
import { type Bar, candlesFromRows } from "../../src/core/market/candles.js";
import { CHARTS } from "../../src/core/patterns/chart/index.js";
import type { Hit } from "../../src/core/patterns/define.js";
import { findVariant } from "../../src/core/patterns/index.js";
import { createPatternSeries } from "../../src/core/patterns/series.js";
import { PLANTED, type Planting, plant, type Soil } from "../fixtures/planted-charts.js";
import { printRecall, recallBy } from "../fixtures/recall.js";
import { reflect, scale } from "../fixtures/reflect.js";
import { sized } from "../fixtures/sizes.js";

const NOISES = [0.1, 0.25, 0.5, 0.75, 1];
const SEEDS = sized({ usual: 40, full: 100 });
/** Confirmed shapes of one variant in 1,000 bars of a random walk. */
const MOST_FALSE = 20;

function hitsOf(variant: string, candles: Planting["candles"]): Hit[] {
  const hits: Hit[] = [];
  findVariant(variant)?.pattern.find(createPatternSeries(candles), 0, candles.time.length, hits);
  return hits.filter((hit) => hit.variant.id === variant);
}

/** Share of the bars of both from which a hit is the planted shape, though it lacks an end of it. */
const SAME = 0.7;

/**
 * Whether the planted shape is confirmed: a hit has a point within three bars or 15 % of the span of its first
 * point, and its last point as near to the last one; or it shares seven of ten bars with it. A part of a shape that
 * price has left stands for all of it: the whole, if known a bar later, is not told of again.
 */
function isFound(variant: string, soil: Soil): boolean {
  const { candles, start, last } = plant(variant, soil);
  const near = Math.max(3, 0.15 * (last - start));
  return hitsOf(variant, candles).some(({ state, formation }) => {
    const bars = (formation?.points ?? []).map(({ at }) => at);
    const begins = bars.some((at) => Math.abs(at - start) <= near);
    const end = Math.max(...bars);
    const [from, to] = [Math.min(...bars), end];
    const shared =
      (Math.min(to, last) - Math.max(from, start)) / (Math.max(to, last) - Math.min(from, start));
    return state === "confirmed" && ((begins && Math.abs(end - last) <= near) || shared >= SAME);
  });
}

function recall(variant: string, noise: number, others: Partial<Soil> = {}): number {
  // Each variant has dice of its own: a shape and its mirror image are two samples.
  const first = SEEDS * PLANTED.indexOf(variant);
  return recallBy(SEEDS, (seed) => isFound(variant, { ...others, seed: first + seed, noise }));
}

describe("planted shapes", () => {
  it("cover every variant of the table", () => {
    const variants = CHARTS.flatMap((row) => row.variants.map(({ id }) => id));
    expect([...PLANTED].sort()).toEqual(variants.sort());
  });

  const curves = printRecall("shapes by noise in average ranges", PLANTED, NOISES, SEEDS, recall);

  it.each(PLANTED)("%s is found at the lowest noise", (variant) => {
    expect(curves.get(variant)?.[0]).toBeGreaterThanOrEqual(0.95);
  });

  it.each(["bull_flag", "bear_flag", "bull_pennant", "bear_pennant"])(
    "%s is found in six of ten cases where closes are half an average range from the path",
    (variant) => {
      expect(curves.get(variant)?.[2]).toBeGreaterThanOrEqual(0.6);
    },
  );

  const PACES = [1, 1.5, 2, 2.5, 3];
  const paced = printRecall("shapes by bars for one of the drawing", PLANTED, PACES, SEEDS, (variant, pace) =>
    recall(variant, NOISES[0], { pace }),
  );
  it.each(PLANTED)("%s is found when it is slower", (variant) => {
    expect(paced.get(variant)?.[2]).toBeGreaterThanOrEqual(0.9);
  });

  it.each([
    { unit: 0.01, base: 1 },
    { unit: 0.1, base: 100_000 },
    { unit: 10, base: 400 },
    { unit: 1_000, base: 50_000 },
  ])("are found whatever the scale and offset: $unit at $base", (soil) => {
    for (const variant of PLANTED) expect(recall(variant, 0.1, soil), variant).toBeGreaterThanOrEqual(0.95);
  });
});

/** A walk whose every bar is made of eight steps. */
function walk(length: number, seed: number): Planting["candles"] {
  const rng = createRng(seed, 0x7761);
  const rows: Bar[] = [];
  let price = 100;
  for (let i = 0; i < length; i++) {
    const open = price;
    let high = open;
    let low = open;
    for (let step = 0; step < 8; step++) {
      price *= Math.exp(0.004 * rng.normal());
      high = Math.max(high, price);
      low = Math.min(low, price);
    }
    rows.push({ time: i * 300_000, open, high, low, close: price, volume: 500 + 500 * rng.next() });
  }
  return candlesFromRows("WALK", "5m", rows);
}

describe("all shapes", () => {
  const candles = walk(3_000, 3);
  const find = (series: Planting["candles"]): Hit[] => {
    const hits: Hit[] = [];
    for (const row of CHARTS) row.find(createPatternSeries(series), 0, series.time.length, hits);
    return hits;
  };
  const hits = find(candles);

  it("are the same, to the last bit, where prices are scaled by a power of two", () => {
    const measure = ({ variant, at, start, quality, state, formation }: Hit, factor: number) => ({
      variant: variant.id,
      at,
      start,
      quality,
      state,
      checks: formation?.checks,
      rewardRisk: formation?.rewardRisk,
      trigger: (formation?.trigger ?? 0) * factor,
      points: formation?.points.map((point) => ({ ...point, price: point.price * factor })),
    });
    for (const power of [-9, 5]) {
      const scaled = find(scale(candles, 2 ** power));
      expect(scaled.map((hit) => measure(hit, 1))).toEqual(hits.map((hit) => measure(hit, 2 ** power)));
    }
  });

  it("turn over with prices: bulls become bears at the same bars", () => {
    const opposites = new Map<string, string>();
    for (const [one, other] of [
      ["head_and_shoulders", "inverse_head_and_shoulders"],
      ["double_top", "double_bottom"],
      ["triple_top", "triple_bottom"],
      ["ascending_triangle", "descending_triangle"],
      ["rising_wedge", "falling_wedge"],
      ["bull_flag", "bear_flag"],
      ["bull_pennant", "bear_pennant"],
    ]) {
      opposites.set(one, other).set(other, one);
    }
    const exact = createRng(9);
    const rows: Bar[] = [];
    let last = 8_192;
    for (let i = 0; i < 3_000; i++) {
      const open = last;
      last += exact.below(25) - 12;
      const high = Math.max(open, last) + exact.below(6);
      const reach = Math.min(open, last) - exact.below(6);
      // No close in the middle of its bar, where which end came first is a toss.
      const low = (high + reach) % 2 === 0 ? reach - 1 : reach;
      rows.push({ time: i * 300_000, open, high, low, close: last, volume: 1 + exact.below(1_000) });
    }
    const grid = candlesFromRows("GRID", "5m", rows);
    const keys = (found: Hit[], turned: boolean) =>
      found
        .filter(({ variant }) => opposites.has(variant.id))
        .map(({ variant, at, start, state }) => {
          return `${turned ? opposites.get(variant.id) : variant.id} ${at} ${start} ${state}`;
        })
        .sort();
    expect(keys(find(reflect(grid, 32_768)), true)).toEqual(keys(find(grid), false));
  });

  it("have levels on the right sides, points in order and nothing known before it stood", () => {
    for (const { variant, at, start, state, formation } of hits) {
      const { formedAt, points, trigger, target, stop, rewardRisk } =
        formation ?? expect.fail("no formation");
      expect(variant.direction * ((target ?? Number.NaN) - (trigger ?? Number.NaN))).toBeGreaterThan(0);
      if (state === "forming") expect(variant.direction * ((trigger ?? 0) - (stop ?? 0))).toBeGreaterThan(0);
      if (rewardRisk !== null) expect(rewardRisk).toBeGreaterThan(0);
      const bars = points.map((point) => point.at);
      expect(bars).toEqual([...bars].sort((a, b) => a - b));
      expect(bars[0]).toBe(start);
      for (const point of points) {
        expect(point.knownAt).toBeGreaterThanOrEqual(point.at);
        expect(point.knownAt).toBeLessThanOrEqual(formedAt);
      }
      expect(formedAt).toBeLessThanOrEqual(at);
    }
  });

  it("form before they are confirmed, failed or expired, by one word for each", () => {
    for (const { state, at, formation } of hits) {
      if (state === "forming") expect(at).toBe(formation?.formedAt);
      if (state === "failed" || state === "expired") expect(at).toBeGreaterThan(formation?.formedAt ?? at);
    }
  });
});

describe("random walks", () => {
  it("have few shapes", () => {
    const counts = new Map<string, Record<string, number>>();
    const [walks, length] = [20, 10_000];
    for (let seed = 1; seed <= walks; seed++) {
      const series = createPatternSeries(walk(length, 100 + seed));
      for (const row of CHARTS) {
        const hits: Hit[] = [];
        row.find(series, 0, length, hits);
        for (const { variant, state } of hits) {
          const count = counts.get(variant.id) ?? {};
          count[state] = (count[state] ?? 0) + 1;
          counts.set(variant.id, count);
        }
      }
    }
    const per = (count = 0) => (count / (walks * length)) * 1_000;
    const table = [...counts].map(
      ([variant, { forming, confirmed }]) =>
        `${variant.padEnd(30)} ${per(forming).toFixed(2).padStart(8)} ${per(confirmed).toFixed(2).padStart(8)}`,
    );
    process.stdout.write(`formed and confirmed in 1,000 bars of random walks\n${table.join("\n")}\n`);
    for (const [variant, { confirmed }] of counts) expect(per(confirmed), variant).toBeLessThan(MOST_FALSE);
  });
});
