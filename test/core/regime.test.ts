import { describe, expect, it } from "vitest";
import { BAR_COLUMNS, type Bars, candlesFromRows } from "../../src/core/market/candles.js";
import { REGIME_MEMORY, REGIME_WARMUP, REGIMES, UNKNOWN } from "../../src/core/regime/define.js";
import { explainRegime } from "../../src/core/regime/explain.js";
import { computeRegimes, probabilitiesAt } from "../../src/core/regime/regime.js";
import { firstLeak } from "../fixtures/regime-leaks.js";
import { barsOfStretches, REGIME_SERIES } from "../fixtures/regime-series.js";
import { copyBars, firstDifference, mapPrices, walkBars } from "../fixtures/series.js";

const walk = walkBars(900, 11, { quiet: true });
const whole = computeRegimes(walk);
const last = walk.time.length - 1;

/** Volatile enough for most labels: stretches of a walk made quieter and louder, with drifts. */
function mixed(seed: number): Bars {
  const bars = copyBars(walkBars(1_500, seed));
  let level = 0;
  const moved = [bars.open, bars.high, bars.low, bars.close];
  for (let i = 0; i < bars.time.length; i++) {
    level += [0, 0.004, -0.006, 0, 0.002][Math.floor(i / 60) % 5];
    for (const column of moved) column[i] *= Math.exp(level);
  }
  return bars;
}

describe("each label is reached on a series made for it", () => {
  it.each(REGIMES.map((regime) => [regime]))("%s", (regime) => {
    const candles = barsOfStretches(REGIME_SERIES[regime]);
    const columns = computeRegimes(candles);
    const at = candles.time.length - 1;
    expect(REGIMES[columns.label[at]]).toBe(regime);
    const [first, second] = explainRegime(columns, at);
    expect(first.regime).toBe(regime);
    expect(first.probability).toBeGreaterThan(0.5);
    expect(first.probability).toBeGreaterThan(2 * second.probability);
    expect(columns.duration[at]).toBeGreaterThan(0);
  });
});

describe("labels see no future", () => {
  it("every prefix of a walk has the labels, fits and durations of the whole", () => {
    for (let n = 0; n <= last; n += n < 2 * REGIME_WARMUP ? 1 : 7) {
      const prefix = computeRegimes(copyBars(walk, 0, n));
      expect([...prefix.label]).toEqual([...whole.label.subarray(0, n)]);
      expect([...prefix.duration]).toEqual([...whole.duration.subarray(0, n)]);
      for (const [k, fit] of prefix.fits.entries()) {
        expect(firstDifference(fit, whole.fits[k], 0, n)).toBe(-1);
      }
    }
  });

  it("a window of the memory ends with the fits and label of the whole, to the last bit", () => {
    const bars = mixed(3);
    expect(firstLeak(bars, computeRegimes, REGIME_MEMORY)).toBe(-1);
  });

  it("a label that is a bar early is caught", () => {
    const early = (bars: Bars) => {
      const columns = computeRegimes(bars);
      const label = columns.label.slice();
      label.copyWithin(0, 1);
      return { ...columns, label };
    };
    expect(firstLeak(mixed(3), early, REGIME_MEMORY)).toBeGreaterThan(0);
  });
});

describe("regimes", () => {
  it("are unknown through the warm-up and known from then on", () => {
    expect(whole.label.findIndex((label) => label !== UNKNOWN)).toBe(REGIME_WARMUP);
    expect(whole.label.subarray(REGIME_WARMUP).includes(UNKNOWN)).toBe(false);
    expect(computeRegimes(copyBars(walk, 0, REGIME_WARMUP)).label.every((label) => label === UNKNOWN)).toBe(
      true,
    );
    expect(computeRegimes(copyBars(walk, 0, 0)).label).toHaveLength(0);
  });

  it("have probabilities that add up to 1", () => {
    for (let at = REGIME_WARMUP; at <= last; at++) {
      const probabilities = probabilitiesAt(whole.fits, at);
      expect(Math.abs(probabilities.reduce((sum, each) => sum + each, 0) - 1)).toBeLessThan(1e-12);
      for (const each of probabilities) expect(each).toBeGreaterThan(0);
    }
  });

  it("are explained by numbers whose least is the fit", () => {
    const raw = (at: number) =>
      new Map(
        explainRegime(whole, at).map(({ regime, reasons }) => [
          regime,
          Math.max(regime === "ranging" ? 0.2 : 0, reasons[0].met),
        ]),
      );
    for (const at of [200, 333, 480, last]) {
      const three = [raw(at - 2), raw(at - 1), raw(at)];
      for (const { regime, fit } of explainRegime(whole, at)) {
        const mean = three.reduce((sum, each) => sum + (each.get(regime) ?? Number.NaN), 0) / 3;
        expect(fit).toBeCloseTo(mean, 12);
      }
    }
    expect(() => explainRegime(whole, 5)).toThrow("bar 5 has no label");
  });

  it("flicker less than the best fitting label", () => {
    const bars = mixed(4);
    const { label, fits } = computeRegimes(bars);
    let changes = 0;
    let raw = 0;
    const best = (i: number) => fits.reduce((top, fit, k) => (fit[i] > fits[top][i] ? k : top), 0);
    for (let i = REGIME_WARMUP + 1; i < label.length; i++) {
      changes += Number(label[i] !== label[i - 1]);
      raw += Number(best(i) !== best(i - 1));
    }
    expect(changes).toBeGreaterThan(10);
    expect(changes).toBeLessThan(0.9 * raw);
  });

  it("do not depend on the scale of prices or volumes", () => {
    const scaled = {
      ...mapPrices(walk, (price) => price * 1_024),
      volume: walk.volume.map((each) => each * 8),
    };
    const columns = computeRegimes(scaled);
    expect([...columns.label]).toEqual([...whole.label]);
    for (const [k, fit] of columns.fits.entries()) {
      expect(firstDifference(fit, whole.fits[k])).toBe(-1);
    }
    const third = computeRegimes(mapPrices(walk, (price) => price / 3));
    third.fits.forEach((fit, k) => {
      for (let i = REGIME_WARMUP; i <= last; i++) expect(fit[i]).toBeCloseTo(whole.fits[k][i], 9);
    });
  });

  it("swap their sides when prices are turned upside down", () => {
    const upside = mapPrices(walk, (price) => 10_000 / price);
    const turned = computeRegimes({ ...upside, high: upside.low, low: upside.high });
    const other = new Map([
      ["trending_bull", "trending_bear"],
      ["trending_bear", "trending_bull"],
      ["accumulation", "distribution"],
      ["distribution", "accumulation"],
    ]);
    REGIMES.forEach((regime, k) => {
      const swapped = REGIMES.findIndex((each) => each === (other.get(regime) ?? regime));
      for (let i = REGIME_WARMUP; i <= last; i++) {
        expect(turned.fits[swapped][i]).toBeCloseTo(whole.fits[k][i], 9);
      }
    });
    for (let i = REGIME_WARMUP; i <= last; i++) expect(turned.momentum[i]).toBeCloseTo(-whole.momentum[i], 9);
  });

  it("say nothing of volume that is not there", () => {
    const columns = computeRegimes({ ...walk, volume: new Float64Array(walk.volume.length) });
    const names = new Set(Array.from(columns.label, (label) => REGIMES[label]));
    expect(names.has("accumulation") || names.has("distribution")).toBe(false);
    expect(columns.measures.flow.every(Number.isNaN)).toBe(true);
    const explained = explainRegime(columns, last).find(({ regime }) => regime === "accumulation");
    const flow = explained?.reasons.find(({ measure }) => measure === "flow");
    expect(flow).toMatchObject({ value: null, met: 0 });
  });

  it("of a price that never moves are known, and neither high nor trending", () => {
    const rows = Array.from({ length: 300 }, (_, i) => ({
      time: i * 1_000,
      open: 5,
      high: 5,
      low: 5,
      close: 5,
      volume: 0,
    }));
    const columns = computeRegimes(candlesFromRows("STILL", "1d", rows));
    expect(REGIMES[columns.label[299]]).toBe("ranging");
    expect(columns.volatilityLevel[299]).toBe(1);
    expect(columns.momentum[299]).toBe(0);
  });

  it("take a volatility index into account where it is known", () => {
    const climbing = Float64Array.from(walk.time, (_, i) => (i < 500 ? Number.NaN : 10 + i / 50));
    const columns = computeRegimes(walk, { volatilityIndex: climbing });
    const { volatility_rank: rank } = columns.measures;
    const alone = whole.measures.volatility_rank;
    expect(firstDifference(rank, alone, 0, 596)).toBe(-1);
    expect(rank[last]).toBeCloseTo((alone[last] + (42 - 0.5) / 42) / 2, 12);
    expect(() => computeRegimes(walk, { volatilityIndex: climbing.subarray(1) })).toThrow("one value");
  });

  it("leave their input as it was", () => {
    const bars = copyBars(walk);
    computeRegimes(bars);
    for (const column of BAR_COLUMNS) expect(bars[column]).toEqual(walk[column]);
  });
});
