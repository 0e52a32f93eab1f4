import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createRng } from "../../src/core/base/rng.js";
import { quantileOf } from "../../src/core/base/stats.js";
import {
  FORECAST_QUANTILES,
  type Forecast,
  type ForecastLines,
  forecastEquity,
  lossProbability,
} from "../../src/core/performance/forecast.js";
import type { DailyReturns } from "../../src/core/performance/returns.js";

function returnsOf(values: readonly number[]): DailyReturns {
  return {
    day: Float64Array.from(values, (_, i) => 19_000 + i),
    value: Float64Array.from(values),
    reason: null,
  };
}

/** Invented, with waves that blocks keep together. */
const SERIES = Array.from(
  { length: 60 },
  (_, i) =>
    0.0006 + 0.011 * Math.sin(1.7 * i) + 0.007 * Math.cos(0.37 * i) - (i === 0 || i === 57 ? 0.03 : 0),
);

function linesOf(forecast: Forecast): ForecastLines {
  if (forecast.value === null) throw new Error(forecast.reason);
  return forecast.value;
}

describe("a forecast", () => {
  it("has the quantiles of the stationary bootstrap of arch 8.0.0", () => {
    // 60,000 draws of it with blocks of four days in the mean, seed 1 of numpy 2.4.6: day, quantiles, mean, loss.
    const drawn = [
      [2, [0.97421, 0.98898, 1.00025, 1.00964, 1.02387], 0.99923, 0.4791],
      [5, [0.95567, 0.98231, 0.99825, 1.01733, 1.03758], 0.9983, 0.5318],
      [20, [0.91501, 0.96026, 0.99306, 1.0251, 1.07142], 0.99292, 0.5576],
    ] as const;
    const terms = { days: 20, seed: 5, paths: 60_000, blockDays: 4 };
    const { quantiles, mean, loss } = linesOf(forecastEquity(returnsOf(SERIES), 1, terms));
    for (const [day, shares, level, below] of drawn) {
      for (const [k, share] of shares.entries()) {
        expect(Math.abs(quantiles[k].value[day - 1] - share), `${day} ${k}`).toBeLessThan(0.0015);
      }
      expect(Math.abs(mean[day - 1] - level)).toBeLessThan(0.001);
      expect(Math.abs(loss[day - 1] - below)).toBeLessThan(0.015);
    }
  });

  it("grows in the mean as days do that do not depend on each other", () => {
    const terms = { days: 10, seed: 3, paths: 50_000, blockDays: 1 };
    const { mean } = linesOf(forecastEquity(returnsOf(SERIES), 1_000, terms));
    const day = SERIES.reduce((sum, each) => sum + each, 0) / SERIES.length;
    for (let k = 0; k < 10; k++) expect(Math.abs(mean[k] / 1_000 - (1 + day) ** (k + 1))).toBeLessThan(6e-4);
  });

  it("is the same of one seed, in order, and never below nothing", () => {
    const anyReturn = fc.integer({ min: -1_200, max: 500 }).map((value) => value / 1_000);
    const anyReturns = fc.array(anyReturn, {
      minLength: 30,
      maxLength: 80,
    });
    fc.assert(
      fc.property(anyReturns, fc.nat(1e6), fc.integer({ min: 1, max: 40 }), (values, seed, days) => {
        const terms = { days, seed, paths: 200 };
        const forecast = forecastEquity(returnsOf(values), 5e9, terms);
        expect(forecastEquity(returnsOf(values), 5e9, terms)).toEqual(forecast);
        const { quantiles, loss, mean } = linesOf(forecast);
        for (let day = 0; day < days; day++) {
          const levels = quantiles.map(({ value }) => value[day]);
          expect(levels).toEqual(levels.toSorted((a, b) => a - b));
          expect(levels[0]).toBeGreaterThanOrEqual(0);
          expect(loss[day]).toBeGreaterThanOrEqual(0);
          expect(loss[day]).toBeLessThanOrEqual(1);
          expect(Number.isFinite(mean[day])).toBe(true);
        }
      }),
      { numRuns: 50 },
    );
    const [one, other] = [1, 2].map((seed) => forecastEquity(returnsOf(SERIES), 1, { days: 5, seed }));
    expect(one).not.toEqual(other);
  });

  it("of one return that is always the same is certain", () => {
    const forecast = forecastEquity(returnsOf(SERIES.map(() => -0.01)), 100, { days: 3, seed: 1 });
    const { quantiles, basis } = linesOf(forecast);
    for (const { value } of quantiles) expect(value[2]).toBeCloseTo(97.0299, 9);
    expect(quantiles.map(({ share }) => share)).toEqual([...FORECAST_QUANTILES]);
    expect(lossProbability(forecast)).toEqual({ value: 1, reason: null });
    expect(basis).toEqual({ days: 60, paths: 5_000, blockDays: 4 });
  });

  it("is null with a reason", () => {
    const terms = { days: 5, seed: 1 };
    const few = forecastEquity(returnsOf(SERIES.slice(0, 29)), 100, terms);
    expect(few).toEqual({ value: null, reason: "fewer than 30 days with a return" });
    expect(lossProbability(few)).toEqual(few);
    expect(forecastEquity(returnsOf(SERIES), 0, terms).reason).toBe("the account has nothing");
    const broke = { ...returnsOf([]), reason: "broke" };
    expect(forecastEquity(broke, 100, terms).reason).toBe("broke");
  });

  it("interpolates quantiles as numpy does", () => {
    const rng = createRng(1);
    const sorted = Float64Array.from({ length: 11 }, () => rng.next()).sort();
    expect(quantileOf(sorted, 0.5)).toBe(sorted[5]);
    expect(quantileOf(Float64Array.of(1, 2, 4), 0.75)).toBe(3);
    expect(quantileOf(Float64Array.of(1), 0.05)).toBe(1);
    expect(quantileOf(Float64Array.of(1, 2), 1)).toBe(2);
  });
});
