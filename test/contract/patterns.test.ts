import { describe, expect, it } from "vitest";
import { createRng } from "../../src/core/base/rng.js";
import { BAR_COLUMNS, sliceCandles } from "../../src/core/market/candles.js";
import { type Hit, MEMORY_BARS, type Pattern, type PatternSeries } from "../../src/core/patterns/define.js";
import { findPattern, findVariant, PATTERNS } from "../../src/core/patterns/index.js";
import { createPatternSeries } from "../../src/core/patterns/series.js";
import { gridWalk } from "../fixtures/grid-walk.js";
import { patternSample } from "../fixtures/pattern-sample.js";
import { shifted } from "../fixtures/shifted.js";

const short = gridWalk(400, 1);
const shortSeries = createPatternSeries(short);
const prefixes = Array.from({ length: 401 }, (_, n) => createPatternSeries(sliceCandles(short, 0, n)));
const long = patternSample(20_000, 2);
const longSeries = createPatternSeries(long);
const rows = PATTERNS.map((pattern) => [pattern.name, pattern] as const);

function findAll(pattern: Pattern, series: PatternSeries): Hit[] {
  const hits: Hit[] = [];
  pattern.find(series, 0, series.candles.time.length, hits);
  return hits;
}

/** One line a hit; doubles print so that they read back to the last bit. */
function lines(hits: readonly Hit[]): string[] {
  return hits.map(
    ({ variant, at, start, quality, state, formation }) =>
      `${at} ${start} ${variant.id} ${quality} ${state} ${JSON.stringify(formation)}`,
  );
}

describe("pattern table", () => {
  it("has unique names and variant ids", () => {
    const names = PATTERNS.map(({ name }) => name);
    const ids = PATTERNS.flatMap(({ variants }) => variants.map(({ id }) => id));
    expect(new Set(names).size).toBe(names.length);
    expect(new Set(ids).size).toBe(ids.length);
  });

  it("finds rows by name and by variant", () => {
    for (const pattern of PATTERNS) {
      expect(findPattern(pattern.name)).toBe(pattern);
      for (const variant of pattern.variants) expect(findVariant(variant.id)).toEqual({ pattern, variant });
    }
    expect(findPattern("none_such")).toBeNull();
    expect(findVariant("none_such")).toBeNull();
  });
});

describe.each(rows)("%s", (_, pattern) => {
  const hits = findAll(pattern, longSeries);

  it("is described in full and frozen", () => {
    expect(pattern.title).toMatch(/^[A-Z0-9]/);
    expect(pattern.description).toMatch(/^[A-Z].*\.$/);
    expect(pattern.source.length).toBeGreaterThan(10);
    expect(pattern.bars).toBeGreaterThan(0);
    expect(pattern.warmup).toBeGreaterThanOrEqual(pattern.bars - 1);
    expect(Object.isFrozen(pattern)).toBe(true);
  });

  it("has variants whose direction, outlook and prior trend agree", () => {
    for (const { title, direction, outlook, priorTrend } of pattern.variants) {
      expect(title).toMatch(/^[A-Z]/);
      expect(outlook === "indecision").toBe(direction === 0);
      if (direction === 0) expect(priorTrend).toBeNull();
      if (priorTrend === null) continue;
      const goesOn = (direction === 1) === (priorTrend === "up");
      expect(outlook).toBe(goesOn ? "continuation" : "reversal");
    }
  });

  it("occurs in the sample in each of its variants", () => {
    const seen = new Set(hits.map(({ variant }) => variant.id));
    expect([...seen].sort()).toEqual(pattern.variants.map(({ id }) => id).sort());
  });

  it("keeps to its bounds", () => {
    const beyond = hits.filter(({ variant, at, start, quality }, k) => {
      const isPlaced = at >= Math.max(pattern.warmup, hits[k - 1]?.at ?? 0) && at < long.time.length;
      const isLong = start >= 0 && start <= at - pattern.bars + 1;
      return !(pattern.variants.includes(variant) && isPlaced && isLong && quality >= 0 && quality <= 1);
    });
    expect(lines(beyond)).toEqual([]);
  });

  it("sees no future: every prefix has the hits of the whole", () => {
    const whole = findAll(pattern, shortSeries);
    for (const prefix of prefixes) {
      const { length } = prefix.candles.time;
      expect(lines(findAll(pattern, prefix))).toEqual(lines(whole.filter(({ at }) => at < length)));
    }
  });

  it("sees no future where it is rare: the last bar of a prefix has its hit", () => {
    for (const hit of hits.slice(0, 5)) {
      const found: Hit[] = [];
      const prefix = createPatternSeries(sliceCandles(long, 0, hit.at + 1));
      pattern.find(prefix, hit.at, hit.at + 1, found);
      expect(lines(found)).toEqual(lines(hits.filter(({ at }) => at === hit.at)));
    }
  });

  it("needs no more than its memory: a window has the hits of the whole", () => {
    for (const hit of hits.slice(-20)) {
      const from = Math.max(0, hit.at - MEMORY_BARS);
      const found: Hit[] = [];
      const window = createPatternSeries(sliceCandles(long, from, hit.at + 1));
      pattern.find(window, hit.at - from, hit.at - from + 1, found);
      const expected = hits.filter(({ at }) => at === hit.at).map((other) => shifted(other, -from));
      expect(lines(found)).toEqual(lines(expected));
    }
  });

  it("tells a state once: one hit per variant, state and bar", () => {
    const keys = hits.map(({ variant, state, at }) => `${variant.id} ${state} ${at}`);
    expect(new Set(keys).size).toBe(keys.length);
  });

  it("joins ranges into the whole", () => {
    const rng = createRng(7);
    const joined: Hit[] = [];
    for (let from = 0; from < long.time.length; ) {
      const to = Math.min(long.time.length, from + rng.below(40) * rng.below(40));
      pattern.find(longSeries, from, to, joined);
      from = to;
    }
    expect(lines(joined)).toEqual(lines(hits));
  });

  it("appends, repeats itself and leaves its input as it was", () => {
    const candles = gridWalk(400, 1);
    const series = createPatternSeries(candles);
    const list: Hit[] = [];
    pattern.find(series, 0, candles.time.length, list);
    const first = lines(list);
    pattern.find(series, 0, candles.time.length, list);
    expect(lines(list)).toEqual([...first, ...first]);
    for (const column of BAR_COLUMNS) expect(candles[column]).toEqual(short[column]);
  });
});
