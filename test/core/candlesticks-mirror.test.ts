import { describe, expect, it } from "vitest";
import { ensure } from "../../src/core/base/assert.js";
import type { Candles } from "../../src/core/market/candles.js";
import { CANDLESTICKS } from "../../src/core/patterns/candlestick/index.js";
import type { Hit, PatternSeries } from "../../src/core/patterns/define.js";
import { createPatternSeries } from "../../src/core/patterns/series.js";
import { drawBars } from "../fixtures/candlestick-examples.js";
import { joinCandles, patternSample } from "../fixtures/pattern-sample.js";
import { reflect } from "../fixtures/reflect.js";

/**
 * Candles without a bar that closes where it opens: TA-Lib calls such a bar white, and it stays white in a
 * mirror, so the law holds for the others only.
 */
function coloured(candles: Candles): Candles {
  const close = candles.close.map((price, i) => (price === candles.open[i] ? price - 0.125 : price));
  return { ...candles, close, low: candles.low.map((price, i) => Math.min(price, close[i])) };
}

/** A dark cloud whose second body is short: the sample has none, and TA-Lib's piercing line excludes it. */
const shortCloud = drawBars([
  [98, 103.5, 97.5, 103],
  [104, 104.5, 100, 100.375],
]);
const candles = coloured(joinCandles([patternSample(30_000, 8), shortCloud, reflect(shortCloud, 200)]));
const drawn = createPatternSeries(candles);
const mirrored = createPatternSeries(reflect(candles, 300));

function valuesOf(series: PatternSeries): Map<string, Int16Array> {
  return new Map(
    CANDLESTICKS.map((row) => {
      const out = new Int16Array(series.candles.time.length);
      row.signal(series, out, 0, out.length);
      return [row.name, out];
    }),
  );
}
const inDrawn = valuesOf(drawn);
const inMirror = valuesOf(mirrored);

/** Bars at which the mirror image of `other` is not `sign` times `name`. */
function differences(name: string, other: string, sign: 1 | -1): number[] {
  const values = ensure(inDrawn.get(name), `no row ${name}`);
  const images = ensure(inMirror.get(other), `no row ${other}`);
  return [...values.keys()].filter((i) => images[i] !== sign * values[i]);
}

function occurs(name: string, sign: 1 | -1): boolean {
  return ensure(inDrawn.get(name), `no row ${name}`).some((value) => sign * value > 0);
}

/** Rows whose mirror image is another row. */
const PAIRS = [
  ["morning_star", "evening_star"],
  ["morning_doji_star", "evening_doji_star"],
] as const;

/** Rows that give 100 whatever the direction, with the row that is their mirror image. */
const UNSIGNED = [
  ["doji", "doji"],
  ["long_legged_doji", "long_legged_doji"],
  ["rickshaw_man", "rickshaw_man"],
  ["dragonfly_doji", "gravestone_doji"],
] as const;

/** Rows that TA-Lib defines for one direction, with the row nearest to their mirror image and what differs. */
const ONE_SIDED: Readonly<Record<string, readonly [nearest: string | null, why: string]>> = {
  advance_block: [null, "no falling counterpart"],
  concealing_baby_swallow: [null, "no rising counterpart"],
  dark_cloud_cover: [
    "piercing_line",
    "the second body may be short, and only its close must be under the middle",
  ],
  piercing_line: ["dark_cloud_cover", "the second body must be long"],
  gap_side_by_side_white: ["gap_side_by_side_white", "the two bodies are white both ways"],
  hammer: ["shooting_star", "the body lies near the low before it, without a gap"],
  hanging_man: ["inverted_hammer", "the lower end of the body, not the upper one, is held against the high"],
  inverted_hammer: ["hanging_man", "the body lies beyond the one before, with a gap"],
  shooting_star: ["hammer", "the body lies beyond the one before, with a gap"],
  homing_pigeon: [null, "no falling counterpart"],
  identical_three_crows: [null, "no rising counterpart"],
  in_neck: [null, "no rising counterpart"],
  on_neck: [null, "no rising counterpart"],
  thrusting: [null, "no rising counterpart"],
  ladder_bottom: [null, "no falling counterpart"],
  mat_hold: [null, "no falling counterpart"],
  matching_low: [null, "no falling counterpart"],
  stalled_pattern: [null, "no falling counterpart"],
  stick_sandwich: [null, "no falling counterpart"],
  takuri: [null, "no falling counterpart"],
  three_black_crows: [
    "three_white_soldiers",
    "opens lie inside bodies, and a bar of the other colour comes first",
  ],
  three_white_soldiers: ["three_black_crows", "opens may lie near bodies, and the third body is long"],
  three_stars_in_the_south: [null, "no falling counterpart"],
  two_crows: [null, "no rising counterpart"],
  unique_three_river: [null, "no falling counterpart"],
  upside_gap_two_crows: [null, "no rising counterpart"],
};

const listed = new Set([...PAIRS.flat(), ...UNSIGNED.flat(), ...Object.keys(ONE_SIDED)]);
/** TA-Lib's shapes, of which each is known to have a mirror image or not. */
const known = CANDLESTICKS.filter(({ talib }) => talib !== null).map(({ name }) => name);
const symmetric = known.filter((name) => !listed.has(name));

describe("prices in a mirror", () => {
  it("leave 26 rows that are their own mirror image", () => {
    expect(symmetric.length).toBe(26);
    expect(symmetric.length + listed.size).toBe(known.length);
  });

  it.each(symmetric)("swap bull and bear of %s", (name) => {
    expect(differences(name, name, -1)).toEqual([]);
    expect(occurs(name, 1) && occurs(name, -1)).toBe(true);
  });

  it.each(symmetric)("keep the quality of %s", (name) => {
    const row = ensure(
      CANDLESTICKS.find((candidate) => candidate.name === name),
      `no row ${name}`,
    );
    const [before, after] = [drawn, mirrored].map((series) => {
      const hits: Hit[] = [];
      row.find(series, 0, series.candles.time.length, hits);
      // Grades may be summed in another order.
      return hits.map(({ at, quality }) => `${at} ${quality.toFixed(9)}`);
    });
    expect(after).toEqual(before);
  });

  it.each(PAIRS)("turn %s into %s", (one, other) => {
    expect(differences(one, other, -1)).toEqual([]);
    expect(differences(other, one, -1)).toEqual([]);
    expect(occurs(one, 1) && occurs(other, -1)).toBe(true);
  });

  it.each(UNSIGNED)("turn %s into %s, both without a sign", (one, other) => {
    expect(differences(one, other, 1)).toEqual([]);
    expect(occurs(one, 1) && occurs(other, 1)).toBe(true);
  });

  it.each(Object.entries(ONE_SIDED))("have no image of %s", (name, [nearest]) => {
    for (const other of nearest === null ? inMirror.keys() : [nearest]) {
      expect(differences(name, other, -1).length, other).toBeGreaterThan(0);
    }
  });
});
