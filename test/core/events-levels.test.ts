import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ensure } from "../../src/core/base/assert.js";
import { sliceCandles } from "../../src/core/market/candles.js";
import { levelBounce } from "../../src/core/patterns/level/bounce.js";
import { levelBreak } from "../../src/core/patterns/level/break.js";
import { levelsAt } from "../../src/core/patterns/level/levels.js";
import { volumeNodes } from "../../src/core/patterns/level/profile.js";
import { levelRetest } from "../../src/core/patterns/level/retest.js";
import { createPatternSeries } from "../../src/core/patterns/series.js";
import { gridWalk } from "../fixtures/grid-walk.js";
import { drawCloses, hitsOf, keysOf } from "../fixtures/pattern-events.js";
import { reflect } from "../fixtures/reflect.js";

/** Closes from one price to another in so many bars, the start left out. */
const push = (from: number, to: number, bars: number) =>
  Array.from({ length: bars }, (_, i) => from + ((to - from) * (i + 1)) / bars);

/** Bars before, so that there is an average range. */
const LEAD = 20;
/** Three highs at 110.5 with lows between them that rise, so that nothing but the highs makes a level. */
const highs = [
  95,
  ...push(95, 100, LEAD),
  ...push(100, 110, 10),
  ...push(110, 97, 13),
  ...push(97, 110, 13),
  ...push(110, 100, 10),
  ...push(100, 110, 10),
  ...push(110, 103, 7),
];
const draw = (...after: readonly number[]) => drawCloses([...highs, ...after], 0.5, () => 0);

describe("levels", () => {
  it("are groups of pivots, known when the last of them is", () => {
    const series = createPatternSeries(draw());
    const last = LEAD + 10 + 13 + 13 + 10 + 10;
    expect(levelsAt(series, last + 4).map(({ touches }) => touches.length)).toEqual([2]);
    const [level, ...more] = levelsAt(series, last + 5);
    expect(more).toEqual([]);
    expect(level).toMatchObject({
      price: 110.5,
      low: 110.5,
      high: 110.5,
      source: "pivots",
      firstAt: LEAD + 10,
      lastAt: last,
    });
    expect(level.touches).toEqual([10, 36, 56].map((at) => ({ at: LEAD + at, price: 110.5, side: 1 })));
    expect(level.strength).toBeCloseTo((0.5 + 0.46) / 2, 12);
    expect(levelsAt(series, LEAD + 40)).toEqual([]);
  });

  it("leave out what is older than 150 bars", () => {
    const series = createPatternSeries(draw(...Array.from({ length: 170 }, (_, i) => 103 + 0.1 * (i % 2))));
    const touched = (at: number) =>
      levelsAt(series, at).flatMap(({ touches }) => touches.map((touch) => touch.at));
    expect(touched(LEAD + 159)).toContain(LEAD + 10);
    expect(touched(LEAD + 160)).not.toContain(LEAD + 10);
    expect(levelsAt(series, LEAD + 206).filter(({ price }) => price > 105)).toEqual([]);
  });

  it("are prices of most volume, too, where each bar has one", () => {
    // Forty bars at 90 and a hundred at 100, with a fast way between them.
    const closes = [
      ...Array.from({ length: 40 }, (_, i) => 90 + (i % 2)),
      ...push(91, 100, 6),
      ...Array.from({ length: 100 }, (_, i) => 100 + (i % 2)),
    ];
    const of = (volume: (i: number) => number) =>
      levelsAt(createPatternSeries(drawCloses(closes, 0.5, volume)), closes.length - 1).filter(
        ({ source }) => source === "volume_profile",
      );
    const nodes = of(() => 1_000);
    expect(nodes).toHaveLength(2);
    expect(Math.abs(nodes[0].price - 90.5)).toBeLessThanOrEqual(1);
    expect(Math.abs(nodes[1].price - 100.5)).toBeLessThanOrEqual(1);
    expect(nodes[1].strength).toBeGreaterThan(0);
    expect(of((i) => (i === 30 ? 0 : 1_000))).toEqual([]);
    const [heavy] = of((i) => (i < 40 ? 10_000 : 100));
    expect(Math.abs(heavy.price - 90.5)).toBeLessThanOrEqual(1);
  });

  it("hold no volume that was not there: every node has 1.4 mean steps of it", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 1_000 }), fc.integer({ min: 20, max: 400 }), (seed, length) => {
        const candles = gridWalk(length, seed);
        const series = createPatternSeries(candles);
        const low = Math.min(...candles.low);
        const high = Math.max(...candles.high);
        for (const node of volumeNodes(series, 0, length)) {
          expect(node.share).toBeGreaterThanOrEqual(1.4);
          expect(node.share).toBeLessThanOrEqual(64);
          expect(node.low).toBeGreaterThanOrEqual(low - 1e-9);
          expect(node.high).toBeLessThanOrEqual(high + 1e-9);
          expect(volumeNodes(series, 0, length, node.price, node.price)).toEqual([node]);
        }
      }),
      { numRuns: 100 },
    );
  });

  it("are the same in a window and in any longer series, and see no future", () => {
    const candles = gridWalk(700, 11);
    const whole = createPatternSeries(candles);
    for (let at = 30; at < 700; at += 7) {
      const from = Math.max(0, at - 250);
      const window = createPatternSeries(sliceCandles(candles, from, at + 1));
      const moved = levelsAt(window, at - from).map((level) => ({
        ...level,
        firstAt: level.firstAt + from,
        lastAt: level.lastAt + from,
        touches: level.touches.map((touch) => ({ ...touch, at: touch.at + from })),
      }));
      expect(moved).toEqual(levelsAt(whole, at));
    }
  });
});

describe("breaks", () => {
  it("are closes a quarter of an average range beyond the level, once", () => {
    const candles = draw(...push(103, 110.4, 7), 112, 113, 114);
    const [hit, ...more] = hitsOf(levelBreak, candles);
    expect(more).toEqual([]);
    expect(keysOf([hit])).toEqual([`resistance_break confirmed ${highs.length + 7}`]);
    const range = createPatternSeries(candles).range[hit.at - 1];
    expect(hit.formation).toMatchObject({
      trigger: 110.5 + 0.25 * range,
      stop: 110.5 - 0.5 * range,
      target: null,
    });
    expect(hit.formation?.boundaries[0]).toEqual({
      role: "level",
      from: { at: LEAD + 10, price: 110.5 },
      to: { at: hit.at, price: 110.5 },
    });
    expect(hit.formation?.checks[0]).toEqual({ name: "touches", passed: true, value: 3, threshold: 2 });
    expect(hit.formation?.checks.find(({ name }) => name === "volume")?.passed).toBeNull();
    expect(keysOf(hitsOf(levelBreak, reflect(candles, 220)))).toEqual([`support_break confirmed ${hit.at}`]);
  });

  it("are not made by a high beyond the level, nor by a close just beyond it", () => {
    expect(hitsOf(levelBreak, draw(...push(103, 110.4, 7), 110.6, 109, 108))).toEqual([]);
    expect(hitsOf(levelBreak, draw(...push(103, 109, 6), 106, 104))).toEqual([]);
  });

  it("aim at the next level in their direction", () => {
    // Two highs at 125.5 before the three at 110.5.
    const above = [
      ...push(90, 112, LEAD),
      ...push(112, 125, 10),
      ...push(125, 115, 10),
      ...push(115, 125, 10),
      ...push(125, 95, 25),
    ];
    const closes = [...above, ...highs.slice(1), ...push(103, 110.4, 7), 112, 113];
    const hit = ensure(
      hitsOf(
        levelBreak,
        drawCloses(closes, 0.5, () => 0),
      ).at(-1),
      "a break",
    );
    expect([hit.variant.id, hit.at]).toEqual(["resistance_break", closes.length - 2]);
    expect(hit.formation?.target).toBe(125.5);
    expect(hit.formation?.rewardRisk).toBeGreaterThan(0);
  });
});

describe("retests", () => {
  const broken = [...push(103, 110.4, 7), 112, 114, 115];
  const first = highs.length + broken.length;

  it("come back to the broken level and hold where price closes beyond the bar that came back", () => {
    const candles = draw(...broken, 113, 111.2, 112, 114, 115);
    expect(keysOf(hitsOf(levelRetest, candles))).toEqual([
      `resistance_retest forming ${first + 1}`,
      `resistance_retest confirmed ${first + 3}`,
    ]);
    expect(keysOf(hitsOf(levelRetest, reflect(candles, 220)))).toEqual([
      `support_retest forming ${first + 1}`,
      `support_retest confirmed ${first + 3}`,
    ]);
    const [, { formation, start }] = hitsOf(levelRetest, candles);
    // Trigger is the high of the bar that came back; price had gone from the low before the break to the high after it.
    expect(formation?.trigger).toBe(113.5);
    expect(formation?.target).toBeCloseTo(110.7 + (115.5 - 102.5), 9);
    expect(formation?.points.at(-1)).toMatchObject({ role: "retest", price: 110.7 });
    expect(start).toBe(highs.length + 7);
  });

  it("fail behind the level and expire in five bars", () => {
    expect(keysOf(hitsOf(levelRetest, draw(...broken, 113, 111.2, 108, 115)))).toEqual([
      `resistance_retest forming ${first + 1}`,
      `resistance_retest failed ${first + 2}`,
    ]);
    expect(keysOf(hitsOf(levelRetest, draw(...broken, 113, 111.2, 112, 112, 112, 112, 112, 115)))).toEqual([
      `resistance_retest forming ${first + 1}`,
      `resistance_retest expired ${first + 6}`,
    ]);
  });

  it("are none where price never went away, nor when it comes back late", () => {
    expect(hitsOf(levelRetest, draw(...push(103, 110.4, 7), 111.2, 110.9, 111, 111.2, 113))).toEqual([]);
    const late = [...broken, ...Array.from({ length: 25 }, () => 115), 113, 111.2, 113, 115];
    expect(hitsOf(levelRetest, draw(...late)).filter(({ start }) => start === highs.length + 7)).toEqual([]);
  });
});

describe("levels that are waited at", () => {
  it("promise at least half of what they risk, and their points are ends of their bars", () => {
    const candles = gridWalk(20_000, 12);
    const forming = [levelRetest, levelBounce]
      .flatMap((row) => hitsOf(row, candles))
      .filter(({ state }) => state === "forming")
      .map(({ formation }) => ensure(formation, "a formation"));
    expect(forming.length).toBeGreaterThan(100);
    for (const { points, rewardRisk, formedAt } of forming) {
      expect(rewardRisk).toBeGreaterThanOrEqual(0.5);
      const origin = points.find(({ role }) => role === "origin");
      if (origin === undefined) continue;
      const far = origin.price > (points.at(-1)?.price ?? 0) ? candles.high : candles.low;
      expect(far[origin.at]).toBe(origin.price);
      expect(formedAt - origin.at).toBeLessThanOrEqual(10);
    }
  });
});

describe("bounces", () => {
  const arrive = [...push(103, 106, 3), ...push(106, 103, 3), ...push(103, 109.5, 6)];
  const first = highs.length + arrive.length;

  it("touch a level from afar, and turn where price closes beyond the bar that touched it", () => {
    const candles = draw(...arrive, 109.8, 108, 107, 106);
    const hits = hitsOf(levelBounce, candles).filter(({ at }) => at >= first - 1);
    expect(hits.map(({ variant, state }) => `${variant.id} ${state}`)).toEqual([
      "resistance_rejection forming",
      "resistance_rejection confirmed",
    ]);
    expect(hits[1].formation).toMatchObject({ target: ensure(hits[0].formation, "a formation").target });
    expect(hits[1].formation?.rewardRisk).toBeGreaterThan(0);
    expect(
      hitsOf(levelBounce, reflect(candles, 220))
        .filter(({ at }) => at >= first - 1)
        .map(({ variant }) => variant.id),
    ).toEqual(["support_bounce", "support_bounce"]);
  });

  it("fail where price closes behind the level", () => {
    const hits = hitsOf(levelBounce, draw(...arrive, 109.8, 113, 106)).filter(({ at }) => at >= first - 1);
    expect(hits.map(({ state }) => state)).toEqual(["forming", "failed"]);
  });

  it("are none far from a level", () => {
    expect(
      hitsOf(levelBounce, draw(...push(103, 107, 6), 104, 103)).filter(({ at }) => at >= highs.length),
    ).toEqual([]);
  });
});
