import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ensure } from "../../src/core/base/assert.js";
import { computeIndicator } from "../../src/core/indicators/define.js";
import { findIndicator, INDICATORS } from "../../src/core/indicators/index.js";
import type { Bars } from "../../src/core/market/candles.js";
import {
  MIRROR,
  type MirrorLaw,
  NOT_MIRRORED,
  NOT_SHIFTED,
  RECIPROCAL,
  SHIFT,
} from "../fixtures/indicator-laws.js";
import { valueSets } from "../fixtures/indicator-values.js";
import { mapPrices, walkBars } from "../fixtures/series.js";

const RUNS = { numRuns: 6 };
const LENGTH = 320;

const seeds = fc.integer({ min: 1, max: 1e9 });

function expectClose(actual: Float64Array, expected: Float64Array, tolerance: number, what: string): void {
  const wrong = expected.findIndex(
    (value, i) => !Object.is(value, actual[i]) && !(Math.abs(actual[i] - value) <= tolerance),
  );
  expect(wrong, `${what} at ${wrong}: ${actual[wrong]} against ${expected[wrong]}`).toBe(-1);
}

function names(...tables: readonly Readonly<Record<string, unknown>>[]): string[] {
  return tables.flatMap((table) => Object.keys(table)).toSorted();
}

const table = INDICATORS.map((row) => row.name).toSorted();

describe("shift", () => {
  it("is stated for every row, or why there is no law", () => {
    expect(names(SHIFT, NOT_SHIFTED)).toEqual(table);
  });

  it.each(Object.entries(SHIFT))("of prices: %s %s", (name, law) => {
    const indicator = ensure(findIndicator(name), name);
    // Quarters and a shift by whole numbers are exact, so that ties stay ties.
    fc.assert(
      fc.property(seeds, fc.integer({ min: 1, max: 60 }), (seed, shift) => {
        const bars = walkBars(LENGTH, seed, { tick: 0.25 });
        const shifted = mapPrices(bars, (price) => price + shift);
        for (const values of valueSets(indicator)) {
          const plain = computeIndicator(indicator, bars, values);
          const moved = computeIndicator(indicator, shifted, values);
          for (const [output, { name: what, unit }] of indicator.outputs.entries()) {
            const by = law === "level" && unit === "price" ? shift : 0;
            const expected = plain[output].map((value) => value + by);
            const size = expected.reduce((most, value) => Math.max(most, Math.abs(value) || 0), 1);
            expectClose(moved[output], expected, 1e-7 * size, `${what} with ${JSON.stringify(values)}`);
          }
        }
      }),
      RUNS,
    );
  });
});

/** Prices as a mirror that turns up and down shows them. */
function mirrored(bars: Bars, image: (price: number) => number): Bars {
  const flipped = mapPrices(bars, image);
  return { ...flipped, high: flipped.low, low: flipped.high };
}

function expectMirrored(name: string, laws: MirrorLaw, image: (price: number) => number): void {
  const indicator = ensure(findIndicator(name), name);
  expect(laws.length, "a law for each output").toBe(indicator.outputs.length);
  // An index that stands at an end has no range, and its place is 0 from both sides: as one of a few bars may.
  const sets = valueSets(indicator).filter(
    ({ period, range }) => name !== "stochrsi" || (period >= 10 && range >= 5),
  );
  expect(sets.length).toBeGreaterThan(0);
  fc.assert(
    fc.property(seeds, (seed) => {
      // Continuous prices: in a tie up and down need not be treated alike.
      const bars = walkBars(LENGTH, seed);
      // A second bar within the first moves neither way, and SAR then starts long.
      fc.pre(bars.high[1] > bars.high[0] || bars.low[1] < bars.low[0]);
      for (const values of sets) {
        const plain = computeIndicator(indicator, bars, values);
        const turned = computeIndicator(indicator, mirrored(bars, image), values);
        for (const [output, [partner, law]] of laws.entries()) {
          const expected = plain[partner].map((value) => law(value, bars));
          const what = `${indicator.outputs[output].name} with ${JSON.stringify(values)}`;
          expectClose(turned[output], expected, 1e-6, what);
        }
      }
    }),
    RUNS,
  );
}

describe("symmetry of up and down", () => {
  it("is stated for every row, or why there is no law", () => {
    expect(names(MIRROR, RECIPROCAL, NOT_MIRRORED)).toEqual(table);
  });

  it.each(Object.entries(MIRROR))("%s of prices", (name, laws) => {
    expectMirrored(name, laws, (price) => 200 - price);
  });

  it.each(Object.entries(RECIPROCAL))("%s of logarithms of prices", (name, laws) => {
    expectMirrored(name, laws, (price) => 10_000 / price);
  });
});
