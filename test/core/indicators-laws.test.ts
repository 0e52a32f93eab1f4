import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ensure } from "../../src/core/base/assert.js";
import { computeIndicator, type Indicator, type ParameterValues } from "../../src/core/indicators/define.js";
import { findIndicator, INDICATORS } from "../../src/core/indicators/index.js";
import { allocateBars, type Bars } from "../../src/core/market/candles.js";
import { SHIFT } from "../fixtures/indicator-laws.js";
import { valueSets } from "../fixtures/indicator-values.js";
import { firstDifference, mapPrices, walkBars } from "../fixtures/series.js";

const RUNS = { numRuns: 12 };
const LENGTH = 320;

/** Parameter values small enough for a short series, and together valid. */
function valuesArbitrary(indicator: Indicator): fc.Arbitrary<ParameterValues> {
  const record = Object.fromEntries(
    indicator.parameters.map(({ name, kind, min, max }) => [
      name,
      kind === "integer"
        ? fc.integer({ min, max: Math.min(max, min + 24) })
        : fc.double({ min, max: Math.min(max, 5), noNaN: true }),
    ]),
  );
  return fc.record(record).filter((values) => indicator.problem(values) === null);
}

const seriesArbitrary = fc
  .record({ seed: fc.integer({ min: 1, max: 1e9 }), tick: fc.constantFrom(0, 0.25), quiet: fc.boolean() })
  .map(({ seed, tick, quiet }) => walkBars(LENGTH, seed, { tick, quiet }));

const rows = INDICATORS.map((indicator) => ({ name: indicator.name, indicator }));

describe.each(rows)("$name", ({ indicator }) => {
  it("keeps its bounds and streams to the same bits with any parameters, over whatever was in its outputs", () => {
    fc.assert(
      fc.property(
        seriesArbitrary,
        valuesArbitrary(indicator),
        fc.integer({ min: 1, max: 40 }),
        (bars, values, piece) => {
          const full = computeIndicator(indicator, bars, values);
          const outputs = full.map(() => new Float64Array(LENGTH).fill(7.5));
          const state = new Float64Array(indicator.memory(values));
          for (let from = 0; from < LENGTH; from += piece) {
            indicator.run(bars, values, outputs, state, from, Math.min(LENGTH, from + piece));
          }
          for (const [output, column] of full.entries()) {
            expect(firstDifference(outputs[output], column)).toBe(-1);
            const { range = [-Infinity, Infinity] } = indicator.outputs[output];
            const warmup = indicator.warmup(values, output);
            const wrong = column.findIndex((value, i) =>
              i < warmup ? !Number.isNaN(value) : !(value >= range[0] - 1e-7 && value <= range[1] + 1e-7),
            );
            expect(wrong, `${column[wrong]} at bar ${wrong}`).toBe(-1);
          }
        },
      ),
      RUNS,
    );
  });

  it("follows the unit of prices and of volume, to the last bit", () => {
    // Doubling is exact, so nothing but an absolute threshold can break the equality.
    const values = Object.fromEntries(indicator.parameters.map((row) => [row.name, row.default]));
    fc.assert(
      fc.property(seriesArbitrary, fc.integer({ min: -30, max: 30 }), (bars, power) => {
        const factor = 2 ** power;
        const plain = computeIndicator(indicator, bars, values);
        const dear = computeIndicator(
          indicator,
          mapPrices(bars, (price) => price * factor),
          values,
        );
        const loud = computeIndicator(
          indicator,
          { ...bars, volume: bars.volume.map((v) => v * factor) },
          values,
        );
        for (const [output, { unit }] of indicator.outputs.entries()) {
          const priced = unit === "price" || indicator.name === "force_index";
          const byPrice = plain[output].map((value) => (priced ? value * factor : value));
          const byVolume = plain[output].map((value) => (unit === "volume" ? value * factor : value));
          expect(firstDifference(dear[output], byPrice), "price").toBe(-1);
          expect(firstDifference(loud[output], byVolume), "volume").toBe(-1);
        }
      }),
      RUNS,
    );
  });
});

const PRICE = "price";

/** Values on bars that stand still at a price without volume; rows not named give 0. */
const STILL: Readonly<Record<string, number | typeof PRICE | readonly (number | typeof PRICE)[]>> = {
  ...Object.fromEntries(
    Object.entries(SHIFT).flatMap(([name, law]) => (law === "level" ? [[name, PRICE]] : [])),
  ),
  volume_profile: PRICE,
  ht_trendline: PRICE,
  supertrend: [PRICE, -1],
  choppiness: 100,
  percent_b: 0.5,
  hurst: 0.5,
  nvi: 1_000,
  pvi: 1_000,
  aroon: [100, 100, 0],
  mlmi: [50, 0],
  rational_quadratic_slope: [PRICE, 0, 0],
  fair_value_gap: [0, 0, 0, 0, 1, 0, 0, 0],
};

/** Values on moving bars without volume, at the last bar; a name stands for the row it must equal. */
const SILENT: Readonly<Record<string, number | string>> = {
  obv: 0,
  ad: 0,
  adosc: 0,
  mfi: 0,
  cmf: 0,
  force_index: 0,
  fair_value_gap: 0,
  low_volume_node: 0,
  pvt: 0,
  nvi: 1_000,
  pvi: 1_000,
  vwma: "sma",
  volume_profile: "typical_price",
};

describe("nothing to measure", () => {
  function stillBars(price: number): Bars {
    const still = allocateBars(LENGTH);
    for (let i = 0; i < LENGTH; i++) still.time[i] = i * 3_600_000;
    for (const column of [still.open, still.high, still.low, still.close]) column.fill(price);
    return still;
  }

  it.each(rows)("$name on bars that stand still", ({ name, indicator }) => {
    const expected = STILL[name] ?? 0;
    for (const price of [42.5, 0.1, 4.1e-5, 61_234.56]) {
      for (const values of valueSets(indicator)) {
        for (const [output, column] of computeIndicator(indicator, stillBars(price), values).entries()) {
          const stated = typeof expected === "object" ? expected[output] : expected;
          const value = stated === PRICE ? price : stated;
          const difference = Math.abs(column[LENGTH - 1] - value);
          const size = indicator.outputs[output].unit === "price" ? price : 1;
          expect(difference, `${price} ${JSON.stringify(values)}`).toBeLessThan(1e-12 * size);
        }
      }
    }
  });

  it.each(Object.entries(SILENT))("%s without volume", (name, expected) => {
    const indicator = ensure(findIndicator(name), name);
    const values = Object.fromEntries(indicator.parameters.map((row) => [row.name, row.default]));
    const bars = { ...walkBars(LENGTH, 5), volume: new Float64Array(LENGTH) };
    const [column] = computeIndicator(indicator, bars, values);
    if (typeof expected === "number") {
      expect(column[LENGTH - 1]).toBe(expected);
      return;
    }
    const [other] = computeIndicator(ensure(findIndicator(expected), expected), bars, { period: 20 });
    expect(column[LENGTH - 1]).toBeCloseTo(other[LENGTH - 1], 10);
  });

  it("counts each row that reads volume", () => {
    const silent = [...Object.keys(SILENT), "vwap", "vwap_bands"];
    const reading = INDICATORS.filter((row) => row.inputs.includes("volume")).map((row) => row.name);
    expect(reading.toSorted()).toEqual(silent.toSorted());
  });
});
