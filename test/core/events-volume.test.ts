import { describe, expect, it } from "vitest";
import { ensure } from "../../src/core/base/assert.js";
import type { Hit } from "../../src/core/patterns/define.js";
import { climax } from "../../src/core/patterns/volume/climax.js";
import { volumeDivergence } from "../../src/core/patterns/volume/divergence.js";
import { dryUp } from "../../src/core/patterns/volume/dry-up.js";
import { volumeSpike } from "../../src/core/patterns/volume/spike.js";
import { drawCloses, hitsOf, keysOf, withBars } from "../fixtures/pattern-events.js";
import { reflect } from "../fixtures/reflect.js";

/** Closes that go up and down by one in turns, and volumes that do too. */
const calm = (length: number) => Array.from({ length }, (_, i) => 100 + (i % 2));
const usual = (i: number) => 1_000 + 100 * (i % 3);
const check = ({ formation }: Hit, name: string) =>
  ensure(
    formation?.checks.find((found) => found.name === name),
    name,
  );

describe("volume spikes", () => {
  const bars = drawCloses(calm(60), 0.5, usual);
  const spike = (change: Parameters<typeof withBars>[1][number]) => withBars(bars, { 40: change });

  it("go with the bar, or with neither side where change and close disagree", () => {
    const rising = spike({ volume: 4_400, open: 100, close: 103, high: 103.5, low: 99.5 });
    expect(keysOf(hitsOf(volumeSpike, rising))).toEqual(["bullish_volume_spike confirmed 40"]);
    expect(keysOf(hitsOf(volumeSpike, reflect(rising, 200)))).toEqual(["bearish_volume_spike confirmed 40"]);
    const undecided = spike({ volume: 4_400, open: 101, close: 102, high: 109, low: 100 });
    expect(keysOf(hitsOf(volumeSpike, undecided))).toEqual(["neutral_volume_spike confirmed 40"]);
    expect(check(hitsOf(volumeSpike, rising)[0], "volume_in_medians").value).toBe(4);
  });

  it("are twice the median and above each of the 20 bars before", () => {
    expect(keysOf(hitsOf(volumeSpike, spike({ volume: 2_199 })))).toEqual([]);
    expect(hitsOf(volumeSpike, spike({ volume: 2_201 }))).toHaveLength(1);
    const second = withBars(bars, { 40: { volume: 5_000 }, 45: { volume: 4_500 } });
    expect(hitsOf(volumeSpike, second).map(({ at }) => at)).toEqual([40]);
  });

  it("are not seen where volume is missing or zero", () => {
    const loud = spike({ volume: 9_000 });
    for (const [at, volume] of [
      [30, 0],
      [30, Number.NaN],
      [40, Number.NaN],
      [40, Number.POSITIVE_INFINITY],
    ] as const) {
      expect(hitsOf(volumeSpike, withBars(loud, { [at]: { volume } })), `${volume} at ${at}`).toEqual([]);
    }
    expect(
      hitsOf(
        volumeSpike,
        drawCloses(calm(60), 0.5, () => 0),
      ),
    ).toEqual([]);
  });
});

/** A rise of one a bar that ends at bar 60 in a bar of seven on ten times the volume. */
function rush(after: readonly number[], volume = 10_000) {
  const closes = [...calm(40), ...Array.from({ length: 20 }, (_, i) => 101 + i), 126, ...after];
  return drawCloses(closes, 0.5, (i) => (i === 60 ? volume : usual(i)));
}

describe("climaxes", () => {
  it("are confirmed by a close under the middle of the bar", () => {
    const candles = rush([125, 122, 119, 119, 119]);
    expect(keysOf(hitsOf(climax, candles))).toEqual([
      "buying_climax forming 60",
      "buying_climax confirmed 62",
    ]);
    expect(keysOf(hitsOf(climax, reflect(candles, 300)))).toEqual([
      "selling_climax forming 60",
      "selling_climax confirmed 62",
    ]);
    const [{ formation, start, variant }] = hitsOf(climax, candles);
    expect(formation).toMatchObject({ formedAt: 60, trigger: 123, stop: 126.5, target: null });
    expect([start, variant.direction, variant.priorTrend]).toEqual([50, -1, "up"]);
  });

  it("fail above their high and expire after five bars", () => {
    expect(keysOf(hitsOf(climax, rush([125, 127, 110, 110])))).toEqual([
      "buying_climax forming 60",
      "buying_climax failed 62",
    ]);
    expect(keysOf(hitsOf(climax, rush([125, 125, 125, 125, 125, 110])))).toEqual([
      "buying_climax forming 60",
      "buying_climax expired 65",
    ]);
  });

  it("are confirmed at once by a bar that closes under its own middle", () => {
    const turned = withBars(rush([119, 119]), { 60: { close: 121 } });
    expect(keysOf(hitsOf(climax, turned))).toEqual(["buying_climax confirmed 60"]);
  });

  it("need the volume, the run and the volume of the bars before", () => {
    expect(hitsOf(climax, rush([125, 119], 1_900))).toEqual([]);
    const without = withBars(rush([125, 119]), { 55: { volume: 0 } });
    expect(hitsOf(climax, without)).toEqual([]);
    const alone = drawCloses([...calm(60), 106, 101, 101], 0.5, (i) => (i === 60 ? 10_000 : usual(i)));
    expect(hitsOf(climax, alone).length).toBeGreaterThan(0);
    const small = drawCloses([...calm(60), 102.5, 101, 101], 0.5, (i) => (i === 60 ? 10_000 : usual(i)));
    expect(hitsOf(climax, small)).toEqual([]);
  });
});

describe("volume that dries up", () => {
  const drying = (share: number) => drawCloses(calm(100), 0.5, (i) => (i >= 70 ? share : 1) * usual(i));

  it("is told once, at the first bar of five that carry half of what the 50 before did", () => {
    const [hit, ...more] = hitsOf(dryUp, drying(0.3));
    expect(more).toEqual([]);
    expect(keysOf([hit])).toEqual(["volume_dry_up confirmed 73"]);
    expect(check(hit, "volume_in_means").value).toBeLessThan(0.5);
    expect(hit.variant.direction).toBe(0);
    expect(hitsOf(dryUp, drying(0.6))).toEqual([]);
    expect(hitsOf(dryUp, drying(0))).toEqual([]);
  });
});

describe("volume divergence", () => {
  const push = (from: number, to: number, bars: number) =>
    Array.from({ length: bars }, (_, i) => from + ((to - from) * (i + 1)) / bars);
  const closes = [...push(90, 100, 20), ...push(100, 94, 8), ...push(94, 102, 12), ...push(102, 92, 10)];
  /** Bars that fall between the highs carry `falling` times the volume of those that rise. */
  const draw = (falling: number) =>
    drawCloses(closes, 0.25, (i) => (closes[i] < (closes[i - 1] ?? 0) ? falling : 1) * 1_000);

  it("is a higher high on a balance of volume that fell, known five bars after it stood", () => {
    const [hit, ...more] = hitsOf(volumeDivergence, draw(3));
    expect(more).toEqual([]);
    expect(hit.variant.id).toBe("bearish_volume_divergence");
    expect(hit.formation?.points.map(({ at, price }) => [at, price])).toEqual([
      [19, 100.25],
      [39, 102.25],
    ]);
    // Eight bars fell on 3,000 each and twelve rose on 1,000.
    expect(check(hit, "volume_balance").value).toBeCloseTo((12 - 24) / 36, 12);
    expect(hit.at).toBe(44);
    expect(hit.formation).toMatchObject({ stop: 102.25, target: 93.75 });
    expect(hit.formation?.rewardRisk).toBeCloseTo((97 - 93.75) / (102.25 - 97), 9);
    expect(hitsOf(volumeDivergence, reflect(draw(3), 200)).map(({ variant }) => variant.id)).toEqual([
      "bullish_volume_divergence",
    ]);
  });

  it("is none where volume rose with price, or a bar has none", () => {
    expect(hitsOf(volumeDivergence, draw(1))).toEqual([]);
    expect(hitsOf(volumeDivergence, withBars(draw(3), { 30: { volume: 0 } }))).toEqual([]);
  });
});
