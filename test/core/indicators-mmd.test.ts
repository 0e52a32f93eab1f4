import { describe, expect, it } from "vitest";
import { createRng, hash32 } from "../../src/core/base/rng.js";
import { computeIndicator } from "../../src/core/indicators/define.js";
import { fadeAll } from "../../src/core/indicators/statistics/gaussian.js";
import { mmdReferences, REGIME_NAMES } from "../../src/core/indicators/statistics/mmd-references.js";
import { mmdRegime } from "../../src/core/indicators/statistics/mmd-regime.js";
import { allocateBars, type Bars } from "../../src/core/market/candles.js";
import { presets } from "../fixtures/indicator-values.js";
import { walkBars } from "../fixtures/series.js";
import { sized } from "../fixtures/sizes.js";
import { plainDistances, plainPoints } from "../reference/plain/discrepancy.js";

const VALUES = presets(mmdRegime);
const COUNT = REGIME_NAMES.length;

/** Drift, deviation and persistence of returns, in deviations of a return of ordinary times. */
type Market = readonly [drift: number, deviation: number, persistence: number];

const MARKETS: Readonly<Record<string, Market>> = {
  normal: [0, 1, 0],
  bull: [0.35, 1, 0],
  bear: [-0.35, 1, 0],
  high_volatility: [0, 2, 0],
  low_volatility: [0, 0.5, 0],
  trending: [0, 1, 0.6],
  mean_reverting: [0, 1, -0.6],
};

const BEFORE = 400;
const LENGTH = BEFORE + 130;
const TICKS = 25;

/**
 * Bars of ticks: 400 of ordinary times, then 130 of a market, prices and their moves of any size. With tails the moves of
 * bars are as those of Student's t with five degrees of freedom, else Gaussian.
 */
function barsOf([drift, deviation, persistence]: Market, seed: number, hasTails: boolean): Bars {
  const rng = createRng(seed, 77);
  const bars = allocateBars(LENGTH);
  const unit = 0.0005 + 0.01 * rng.next();
  let price = Math.log(1 + 1_000 * rng.next());
  let last = 0;
  for (let i = 0; i < LENGTH; i++) {
    const [mean, size, again] = i < BEFORE ? [0, 1, 0] : [drift, deviation, persistence];
    const open = price;
    const expected = mean + again * last;
    const squares = [0, 0, 0, 0, 0].reduce((sum) => sum + rng.normal() ** 2, 0);
    const tail = hasTails ? Math.sqrt(3 / squares) : 1;
    const step = tail * size * Math.sqrt((1 - again ** 2) / TICKS);
    const path = Array.from({ length: TICKS }, () => {
      price += unit * (expected / TICKS + step * rng.normal());
      return price;
    });
    last = (price - open) / unit;
    bars.time[i] = i * 1_800_000;
    bars.open[i] = Math.exp(open);
    bars.high[i] = Math.exp(Math.max(open, ...path));
    bars.low[i] = Math.exp(Math.min(open, ...path));
    bars.close[i] = Math.exp(price);
  }
  return bars;
}

/** How often each market, in rows, is told to be each of the regimes, in columns. */
function confusion(series: number, hasTails: boolean): number[][] {
  return REGIME_NAMES.map((name, row) => {
    const told = new Array<number>(COUNT).fill(0);
    for (let k = 0; k < series; k++) {
      const outputs = computeIndicator(mmdRegime, barsOf(MARKETS[name], 1_000 * row + k, hasTails), VALUES);
      told[outputs[COUNT][LENGTH - 1]] += 1 / series;
    }
    return told;
  });
}

describe("regimes by maximum mean discrepancy", () => {
  it.each([
    ["of wide tails", true, 0.88, 0.7],
    ["without tails, where what trends is often taken for normal", false, 0.8, 0.4],
  ] as const)("are told of simulated markets %s, in bars made of ticks", (what, hasTails, macro, least) => {
    // Shares of fewer series are off by more.
    const [series, slack] = sized({ usual: [30, 0.08], full: [80, 0] });
    const shares = confusion(series, hasTails);
    const hits = shares.map((row, k) => row[k]);
    const mean = hits.reduce((sum, hit) => sum + hit, 0) / COUNT;
    const table = shares.map((row, k) => `${REGIME_NAMES[k]}: ${row.map((x) => x.toFixed(2)).join(" ")}`);
    process.stdout.write(`regimes told of markets ${what}: ${mean.toFixed(3)}\n${table.join("\n")}\n`);
    expect(mean).toBeGreaterThanOrEqual(macro - slack / 2);
    for (const [k, hit] of hits.entries()) {
      expect(hit, REGIME_NAMES[k]).toBeGreaterThan(
        REGIME_NAMES[k].endsWith("volatility") ? 0.95 - slack : least - slack,
      );
    }
  });

  it("are as far after 100,000 bars as from scratch", () => {
    const bars = walkBars(100_000, 8);
    const outputs = computeIndicator(mmdRegime, bars, VALUES);
    const points = plainPoints(bars, VALUES.memory);
    let worst = 0;
    // The sums are made anew at every hundredth bar, 99,906 and before: all places between are looked at.
    for (let i = 99_999; i > 99_000; i -= 37) {
      for (const [regime, squared] of plainDistances(points, VALUES.period, i).entries()) {
        worst = Math.max(worst, Math.abs(outputs[regime][i] - Math.max(0, squared)));
      }
    }
    process.stdout.write(`discrepancies after 100,000 bars are off by ${worst}\n`);
    expect(worst).toBeLessThan(1e-12);
  });
});

describe("what stands for the regimes", () => {
  const { points, own } = mmdReferences();
  const of = (name: string) => {
    const size = points.length / COUNT;
    const at = REGIME_NAMES.indexOf(name) * size;
    return Array.from({ length: size / 4 }, (_, p) => [...points.slice(at + 4 * p, at + 4 * p + 4)]);
  };
  const meanOf = (name: string, feature: number) =>
    of(name).reduce((sum, point) => sum + point[feature], 0) / of(name).length;
  const upsideDown = ([a, b, c, d]: readonly number[]) => [-a, b, c, -d];

  it("is the same everywhere", () => {
    expect(hash32([...points, ...own].map((value) => value.toFixed(12)).join())).toBe(405_446_727);
  });

  it("is bull upside down for bear, and itself upside down for what has no drift", () => {
    expect(of("bear")).toEqual(of("bull").map(upsideDown));
    for (const name of REGIME_NAMES.filter((each) => !/bull|bear/.test(each))) {
      const text = (list: readonly (readonly number[])[]) => list.map((point) => point.join()).toSorted();
      expect(text(of(name).map(upsideDown)), name).toEqual(text(of(name)));
    }
  });

  it("rises in bull, is wide in high volatility, narrow in low, and goes further when it trends", () => {
    expect(meanOf("bull", 0)).toBeGreaterThan(0);
    expect(meanOf("bull", 3)).toBeGreaterThan(0);
    for (const feature of [1, 2]) {
      expect(meanOf("high_volatility", feature) / meanOf("normal", feature)).toBeCloseTo(2, 0);
      expect(meanOf("low_volatility", feature) / meanOf("normal", feature)).toBeCloseTo(0.5, 1);
    }
    const reach = (name: string) => of(name).reduce((sum, point) => sum + Math.abs(point[3]), 0);
    expect(reach("trending")).toBeGreaterThan(1.2 * reach("normal"));
    expect(reach("mean_reverting")).toBeLessThan(0.8 * reach("normal"));
  });
});

describe("the fading exponential", () => {
  it("is Math.exp of the negative to a few units in the last place", () => {
    const rng = createRng(3);
    const given = Float64Array.from({ length: 200_000 }, () => 36 * rng.next() ** 3);
    const faded = given.slice();
    fadeAll(faded, faded.length);
    const worst = given.reduce((most, x, k) => Math.max(most, Math.abs(faded[k] / Math.exp(-x) - 1)), 0);
    expect(worst).toBeLessThan(7e-16);
    const ends = Float64Array.of(0, 36, Number.POSITIVE_INFINITY, Number.NaN, 1);
    fadeAll(ends, 4);
    expect([...ends]).toEqual([1, 0, 0, Number.NaN, 1]);
  });
});
