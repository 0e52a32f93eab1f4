import { describe, expect, it } from "vitest";
import { ensure } from "../../src/core/base/assert.js";
import { type Candles, sliceCandles } from "../../src/core/market/candles.js";
import { type Hit, MEMORY_BARS } from "../../src/core/patterns/define.js";
import { findVariant } from "../../src/core/patterns/index.js";
import { createPatternSeries } from "../../src/core/patterns/series.js";
import { gridWalk } from "../fixtures/grid-walk.js";
import { EVENT_PATTERNS, hitsOf, keysOf } from "../fixtures/pattern-events.js";
import { reflect, scale, shift } from "../fixtures/reflect.js";
import { readBars, walkBars } from "../fixtures/series.js";
import { sharedPath } from "../fixtures/shared.js";
import { sized } from "../fixtures/sizes.js";

/** Variants that are each other in a mirror; those that are their own are left out. */
const MIRRORED = new Map(
  [
    ["bullish_volume_spike", "bearish_volume_spike"],
    ["bullish_volume_divergence", "bearish_volume_divergence"],
    ["selling_climax", "buying_climax"],
    ["resistance_break", "support_break"],
    ["resistance_retest", "support_retest"],
    ["support_bounce", "resistance_rejection"],
    ["golden_cross", "death_cross"],
    ["bullish_sma_20_50_cross", "bearish_sma_20_50_cross"],
    ["rsi_oversold", "rsi_overbought"],
    ["rsi_leaves_oversold", "rsi_leaves_overbought"],
    ["bullish_rsi_divergence", "bearish_rsi_divergence"],
    ["bollinger_upper_breakout", "bollinger_lower_breakout"],
    ["bullish_bollinger_squeeze", "bearish_bollinger_squeeze"],
    ["bullish_macd_cross", "bearish_macd_cross"],
  ].flatMap(([a, b]) => [[a, b] as const, [b, a] as const]),
);
const BARS = sized({ usual: 600, full: 1_500 });
const allHits = (candles: Candles) => EVENT_PATTERNS.flatMap((row) => hitsOf(row, candles));

/** Whether both have the same hits, with qualities that differ by rounding only; `rename` for the first. */
function expectSame(hits: readonly Hit[], others: readonly Hit[], rename = (id: string) => id): void {
  const byKey = (all: readonly Hit[], nameOf: (id: string) => string) =>
    new Map(all.map(({ variant, at, state, quality }) => [`${nameOf(variant.id)} ${at} ${state}`, quality]));
  const left = byKey(hits, rename);
  const right = byKey(others, (id) => id);
  expect([...left.keys()].sort()).toEqual([...right.keys()].sort());
  const apart = [...left].filter(
    ([key, quality]) => !(Math.abs(quality - (right.get(key) ?? Number.NaN)) < 1e-5),
  );
  expect(apart).toEqual([]);
}

describe("laws of events", () => {
  it("in a mirror rising is falling", () => {
    // So far from 0 that bands as a fraction of the price are what they are in the mirror.
    const candles = shift(gridWalk(8_000, 21), 2 ** 20);
    const mirrored = allHits(reflect(candles, 2 ** 21 + 2_000));
    const rename = (id: string) => MIRRORED.get(id) ?? id;
    expectSame(mirrored, allHits(candles), rename);
    expect(mirrored.length).toBeGreaterThan(2_000);
    const named = EVENT_PATTERNS.flatMap(({ variants }) => variants.map(({ id }) => id));
    expect(named.filter((id) => !MIRRORED.has(id))).toEqual(["neutral_volume_spike", "volume_dry_up"]);
    for (const [id, other] of MIRRORED) {
      expect(findVariant(id)?.variant.direction, id).toBe(-(findVariant(other)?.variant.direction ?? 0));
    }
  });

  it("prices and volumes in another unit change nothing but prices", () => {
    const candles = gridWalk(8_000, 22);
    const doubled = { ...scale(candles, 8), volume: candles.volume.map((volume) => volume / 4) };
    const hits = allHits(candles);
    expect(allHits(doubled).map(({ quality }) => quality)).toEqual(hits.map(({ quality }) => quality));
    expect(keysOf(allHits(doubled))).toEqual(keysOf(hits));
    expect(allHits(doubled).map(({ formation }) => formation?.stop ?? null)).toEqual(
      hits.map(({ formation }) =>
        formation?.stop === undefined || formation.stop === null ? null : 8 * formation.stop,
      ),
    );
    // A factor that rounds, where no price stands exactly on a threshold.
    const walk: Candles = { symbol: "WALK", interval: "1h", ...walkBars(8_000, 22) };
    expectSame(allHits(scale(walk, 1.1)), allHits(walk));
  });

  it("a formation stands where its prices do: the stop behind, the target ahead, points in order and known", () => {
    for (const hit of allHits(gridWalk(8_000, 23))) {
      const formation = ensure(hit.formation, "a formation");
      const { stop, target, trigger, rewardRisk, points, formedAt } = formation;
      const { direction } = hit.variant;
      expect(formedAt).toBeLessThanOrEqual(hit.at);
      for (const point of points) {
        expect(point.at).toBeLessThanOrEqual(point.knownAt);
        expect(point.knownAt).toBeLessThanOrEqual(formedAt);
      }
      if (trigger !== null && stop !== null) expect(direction * (trigger - stop)).toBeGreaterThan(0);
      if (rewardRisk !== null) {
        expect(rewardRisk).toBeGreaterThan(0);
        expect(direction * ((target ?? Number.NaN) - (stop ?? Number.NaN))).toBeGreaterThan(0);
      }
      for (const check of formation.checks) expect(check.value === null).toBe(check.passed === null);
    }
  });

  it("each shape ends once: what forms is confirmed, fails or expires within its bars", () => {
    const ended = new Map<string, number>();
    const formed = new Map<string, number>();
    for (const { variant, state, formation, at } of allHits(gridWalk(8_000, 24))) {
      const key = `${variant.id} ${formation?.formedAt}`;
      const counts = state === "forming" ? formed : ended;
      if (state !== "forming") expect(at - (formation?.formedAt ?? 0)).toBeLessThanOrEqual(5);
      counts.set(key, (counts.get(key) ?? 0) + 1);
    }
    for (const [key, count] of ended) expect(count, key).toBe(1);
    for (const key of formed.keys()) expect(ended.get(key), key).toBe(1);
  });

  it("bars without movement or volume make no event and no error", () => {
    const flat = walkBars(600, 1);
    for (const column of [flat.open, flat.high, flat.low, flat.close]) column.fill(50);
    flat.volume.fill(0);
    expect(allHits({ symbol: "FLAT", interval: "1d", ...flat })).toEqual([]);
    expect(allHits(sliceCandles(gridWalk(100, 1), 0, 0))).toEqual([]);
    expect(allHits(sliceCandles(gridWalk(100, 1), 0, 3))).toEqual([]);
  });
});

const NAMES = [
  "daily/yahoo-SPY-to-2025",
  "daily/kaggle-IBM",
  "daily/kaggle-TSLA",
  "daily/yahoo-TLT-to-2025",
  "daily/index-SPX-1990-2022",
  "daily/lean-AAPL-raw",
  "daily/yahoo-GLD-to-2025",
  "intraday/bitfinex-BTCUSD-1m-2016",
  "intraday/ejtrader-GBPUSD-1h",
  "intraday/ejtrader-USDJPY-1h",
];
const files = NAMES.map((name) => [name, sharedPath("data", `${name}.csv.gz`)] as const).filter(
  (file): file is readonly [string, string] => file[1] !== null,
);

/** Hits at bar `at` as seen with its memory alone: no later bar and none before. */
function seenAt(candles: Candles, at: number): string[] {
  const from = Math.max(0, at - MEMORY_BARS);
  const window = createPatternSeries(sliceCandles(candles, from, at + 1));
  const hits: Hit[] = [];
  for (const row of EVENT_PATTERNS) row.find(window, at - from, at - from + 1, hits);
  return hits.map(({ variant, state, quality }) => `${at} ${variant.id} ${state} ${quality}`).sort();
}

describe("real series", () => {
  it.each(files)(
    `%s: what is reported at each of ${BARS} bars is what its memory shows, to the last bit`,
    (name, path) => {
      const candles = sliceCandles({ symbol: name, interval: "1d", ...readBars(path) }, 0, BARS);
      const whole = new Map<number, string[]>();
      for (const { variant, state, at, quality } of allHits(candles)) {
        whole.set(at, [...(whole.get(at) ?? []), `${at} ${variant.id} ${state} ${quality}`]);
      }
      const changed: string[] = [];
      for (let at = 0; at < candles.time.length; at++) {
        const expected = (whole.get(at) ?? []).sort();
        const seen = seenAt(candles, at);
        if (seen.join() !== expected.join()) changed.push(`${at}: ${seen} for ${expected}`);
      }
      expect(changed).toEqual([]);
      expect(whole.size).toBeGreaterThan(100);
    },
    60_000,
  );
});

describe("random walks", () => {
  it("have events of every kind at a rate that is printed, and rising ones as often as falling ones", () => {
    const LENGTH = 10_000;
    const rates = new Map<string, number>();
    const WALKS = 10;
    for (let seed = 0; seed < WALKS; seed++) {
      for (const { variant, state } of allHits({
        symbol: "WALK",
        interval: "1h",
        ...walkBars(LENGTH, 100 + seed),
      })) {
        if (state === "confirmed") rates.set(variant.id, (rates.get(variant.id) ?? 0) + 1);
      }
    }
    const perThousand = (id: string) => ((rates.get(id) ?? 0) * 1_000) / (LENGTH * WALKS);
    const ids = EVENT_PATTERNS.flatMap(({ variants }) => variants.map(({ id }) => id));
    const lines = ids.map((id) => `  ${id.padEnd(28)} ${perThousand(id).toFixed(2)}`);
    process.stdout.write(`confirmed events per 1,000 bars of random walks\n${lines.join("\n")}\n`);
    for (const id of ids) {
      expect(perThousand(id), id).toBeGreaterThan(0);
      expect(perThousand(id), id).toBeLessThan(50);
      const one = rates.get(id) ?? 0;
      const other = rates.get(MIRRORED.get(id) ?? id) ?? 0;
      // Counts of like events differ by chance: by less than five standard deviations.
      expect(Math.abs(one - other), id).toBeLessThanOrEqual(5 * Math.sqrt(one + other + 1));
    }
  }, 60_000);
});
