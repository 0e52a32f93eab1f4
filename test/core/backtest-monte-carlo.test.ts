import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  bootstrapPlaces,
  MONTE_CARLO_QUANTILES,
  monteCarloOfTrades,
  resultsOfTrades,
  syntheticCandles,
} from "../../src/core/backtest/monte-carlo.js";
import { createRng } from "../../src/core/base/rng.js";
import { quantileOf } from "../../src/core/base/stats.js";
import { barOpensBetween } from "../../src/core/market/bar-times.js";
import { type Candles, candlesFromRows, findInvalidBar } from "../../src/core/market/candles.js";
import { calendarOf, sessionAt, tradingDay } from "../../src/core/market/session.js";

const RESULTS = Float64Array.of(0.08, -0.05, 0.02, -0.11, 0.06, 0.04);

function orders(values: readonly number[]): number[][] {
  if (values.length <= 1) return [[...values]];
  return values.flatMap((first, i) =>
    orders(values.filter((_, k) => k !== i)).map((rest) => [first, ...rest]),
  );
}

function depthOf(results: readonly number[]): number {
  let [level, peak, depth] = [1, 1, 0];
  for (const result of results) {
    level *= 1 + result;
    peak = Math.max(peak, level);
    depth = Math.max(depth, 1 - level / peak);
  }
  return depth;
}

describe("trades in another order", () => {
  it("end where they did, with the drawdowns of all 720 orders", () => {
    const terms = { method: "shuffle", paths: 60_000, seed: 3, ruin: 0.14 } as const;
    const found = monteCarloOfTrades(RESULTS, terms);
    const end = RESULTS.reduce((level, each) => level * (1 + each), 1);
    for (const { value } of found.finalEquity) expect(value).toBeCloseTo(end, 12);
    expect(found.own?.finalEquity).toBeCloseTo(end, 12);
    expect(found.own?.maxDrawdown).toBeCloseTo(depthOf([...RESULTS]), 12);
    const all = Float64Array.from(orders([...RESULTS]), depthOf).sort();
    expect(all).toHaveLength(720);
    for (const { share, value } of found.maxDrawdown) {
      // Between the exact quantiles a little to either side.
      const slack = 1e-12;
      expect(value).toBeGreaterThanOrEqual(quantileOf(all, Math.max(0, share - 0.01)) - slack);
      expect(value).toBeLessThanOrEqual(quantileOf(all, Math.min(1, share + 0.01)) + slack);
    }
    const lowest = (results: readonly number[]) => {
      let [level, least] = [1, 1];
      for (const each of results) {
        level *= 1 + each;
        least = Math.min(least, level);
      }
      return least;
    };
    const ruined = orders([...RESULTS]).filter((each) => lowest(each) <= 0.86).length / 720;
    expect(ruined).toBeGreaterThan(0);
    expect(Math.abs((found.ruinProbability.value ?? Number.NaN) - ruined)).toBeLessThan(0.01);
  });
});

describe("trades drawn anew", () => {
  it("grow in the mean as their mean does, and lose as often as all draws of three do", () => {
    const three = Float64Array.of(0.1, -0.2, 0.05);
    const found = monteCarloOfTrades(three, { method: "bootstrap", paths: 60_000, seed: 5, ruin: 0.3 });
    const mean = (0.1 - 0.2 + 0.05) / 3;
    expect(Math.abs((found.meanFinalEquity.value ?? Number.NaN) - (1 + mean) ** 3)).toBeLessThan(0.002);
    const draws = [...three].flatMap((a) => [...three].flatMap((b) => [...three].map((c) => [a, b, c])));
    const share = (is: (draw: readonly number[]) => boolean) => draws.filter(is).length / 27;
    const lost = share((draw) => draw.reduce((level, each) => level * (1 + each), 1) < 1);
    expect(Math.abs((found.lossProbability.value ?? Number.NaN) - lost)).toBeLessThan(0.01);
    const ruined = share((draw) => depthOf(draw) > 0 && minimum(draw) <= 0.7);
    expect(Math.abs((found.ruinProbability.value ?? Number.NaN) - ruined)).toBeLessThan(0.01);
  });

  it("are the same of one seed, and none of none", () => {
    const run = (seed: number) =>
      monteCarloOfTrades(RESULTS, { method: "bootstrap", paths: 500, seed, ruin: 0.5 });
    expect(run(1)).toEqual(run(1));
    expect(run(2)).not.toEqual(run(1));
    expect(run(1).finalEquity.map(({ share }) => share)).toEqual([...MONTE_CARLO_QUANTILES]);
    const none = monteCarloOfTrades(new Float64Array(0), { method: "shuffle", paths: 5, seed: 1, ruin: 1 });
    expect(none.meanFinalEquity).toEqual({ value: null, reason: "no trade was closed" });
    expect(none.own).toBeNull();
  });

  it("stay at nothing once they have lost all", () => {
    const found = monteCarloOfTrades(Float64Array.of(0.5, -1.2, 3), {
      method: "shuffle",
      paths: 50,
      seed: 1,
      ruin: 1,
    });
    expect(found.finalEquity.every(({ value }) => value === 0)).toBe(true);
    expect(found.ruinProbability.value).toBe(1);
    expect(found.own?.maxDrawdown).toBe(1);
  });

  it("take a trade for its part of the equity before it", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: -900, max: 2_000 }), { maxLength: 20 }), (nets) => {
        const capital = 20_000;
        const results = resultsOfTrades(nets, capital);
        const end = results.reduce((level, each) => level * (1 + each), capital);
        expect(end).toBeCloseTo(
          nets.reduce((sum, net) => sum + net, capital),
          6,
        );
      }),
    );
  });
});

function minimum(results: readonly number[]): number {
  let [level, least] = [1, 1];
  for (const each of results) {
    level *= 1 + each;
    least = Math.min(least, level);
  }
  return least;
}

/** A random walk with gaps, days apart. */
const dayOfUtc = (at: number) => Math.floor(at / 86_400_000);

function walk(length: number, seed = 1): Candles {
  const rng = createRng(seed);
  let close = 50;
  const rows = Array.from({ length }, (_, i) => {
    const open = close * (1 + 0.004 * rng.normal());
    close = open * (1 + 0.012 * rng.normal());
    const high = Math.max(open, close) * (1 + 0.005 * rng.next());
    const low = Math.min(open, close) * (1 - 0.005 * rng.next());
    return { time: i * 86_400_000, open, high, low, close, volume: 1_000 + i };
  });
  return candlesFromRows("AAA", "1d", rows);
}

describe("synthetic candles", () => {
  const real = walk(600);
  const made = syntheticCandles(real, { seed: 7, blockBars: 10, dayAt: dayOfUtc });

  it("are sound, with the times and the first bar of the real ones", () => {
    expect(findInvalidBar(made)).toBeNull();
    expect(made.time).toEqual(real.time);
    for (const column of ["open", "high", "low", "close", "volume"] as const) {
      expect(made[column][0]).toBe(real[column][0]);
    }
    expect(made.close).not.toEqual(real.close);
  });

  it("are real bars, each with its gap and shape, in blocks", () => {
    let follows = 0;
    for (let i = 1; i < 600; i++) {
      // Volumes tell the bars apart.
      const from = made.volume[i] - 1_000;
      for (const column of ["open", "high", "low", "close"] as const) {
        const [ours, theirs] = [
          made[column][i] / made.close[i - 1],
          real[column][from] / real.close[from - 1],
        ];
        expect(Math.abs(ours / theirs - 1)).toBeLessThan(1e-12);
      }
      if (made.volume[i] === made.volume[i - 1] + 1) follows++;
    }
    expect(Math.abs(follows / 599 - 0.9)).toBeLessThan(0.04);
  });

  it("are the same of one seed and the real ones of an endless block that begins at the first", () => {
    expect(syntheticCandles(real, { seed: 7, blockBars: 10, dayAt: dayOfUtc })).toEqual(made);
    expect(syntheticCandles(real, { seed: 8, blockBars: 10, dayAt: dayOfUtc })).not.toEqual(made);
    for (const length of [0, 1]) {
      const few = walk(length);
      expect(syntheticCandles(few, { seed: 1, blockBars: 5, dayAt: dayOfUtc }).close).toEqual(few.close);
    }
    const places = bootstrapPlaces(4, 9, 1e12, createRng(2));
    for (let i = 1; i < 9; i++) expect(places[i]).toBe((places[i - 1] + 1) % 4);
  });

  it("have on average the growth that bars have", () => {
    const logs = (candles: Candles) => Math.log(candles.close[599] / candles.close[0]);
    let [sum, squares] = [0, 0];
    const runs = 400;
    for (let seed = 0; seed < runs; seed++) {
      const growth = logs(syntheticCandles(real, { seed, blockBars: 5, dayAt: dayOfUtc }));
      sum += growth;
      squares += growth ** 2;
    }
    const mean = sum / runs;
    const error = Math.sqrt((squares / runs - mean ** 2) / runs);
    expect(Math.abs(mean - logs(real))).toBeLessThan(4 * error);
  });
});

describe("synthetic candles within the day", () => {
  const calendar = calendarOf("XNYS");
  const opens = [...barOpensBetween(calendar, "30m", Date.UTC(2024, 9, 1), Date.UTC(2025, 0, 20))];
  const rng = createRng(4);
  const rows = opens.map((time, i) => {
    // The volume tells where a bar comes from.
    const [open, close] = [100 + rng.next(), 100 + rng.next()];
    return { time, open, high: Math.max(open, close) + 1, low: Math.min(open, close) - 1, close, volume: i };
  });
  const real = candlesFromRows("AAA", "30m", rows);
  const dayAt = (at: number) => tradingDay(calendar, at);
  const minuteOf = (at: number) => (at - (sessionAt(calendar, at)?.open ?? 0)) / 60_000;

  it("are drawn from bars of the same minute of their sessions, half days with them", () => {
    let moved = 0;
    for (let seed = 1; seed <= 20; seed++) {
      const made = syntheticCandles(real, { seed, blockBars: 30, dayAt });
      expect(findInvalidBar(made)).toBeNull();
      expect(made.time).toEqual(real.time);
      for (const [i, from] of made.volume.entries()) {
        expect(minuteOf(real.time[from])).toBe(minuteOf(real.time[i]));
        // Bars of one day come from one day.
        if (i > 0 && dayAt(real.time[i]) === dayAt(real.time[i - 1]))
          expect(from).toBe(made.volume[i - 1] + 1);
        if (from !== i) moved++;
        const before = from === 0 ? 1 : real.close[from - 1];
        if (i > 0) expect(made.open[i] / made.close[i - 1]).toBeCloseTo(real.open[from] / before, 10);
      }
    }
    expect(moved).toBeGreaterThan(0.8 * 20 * opens.length);
  });
});
