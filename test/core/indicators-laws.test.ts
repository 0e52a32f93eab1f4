import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ensure } from "../../src/core/base/assert.js";
import { computeIndicator, type Indicator, type ParameterValues } from "../../src/core/indicators/define.js";
import { findIndicator, INDICATORS } from "../../src/core/indicators/index.js";
import { allocateBars, type Bars } from "../../src/core/market/candles.js";
import { copyBars, firstDifference, walkBars } from "../fixtures/series.js";

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

function mapPrices(bars: Bars, map: (price: number) => number): Bars {
  const copy = copyBars(bars);
  for (const column of [copy.open, copy.high, copy.low, copy.close]) {
    for (let i = 0; i < column.length; i++) column[i] = map(column[i]);
  }
  return copy;
}

function expectClose(actual: Float64Array, expected: Float64Array, tolerance: number, what: string): void {
  const wrong = expected.findIndex(
    (value, i) => !Object.is(value, actual[i]) && !(Math.abs(actual[i] - value) <= tolerance),
  );
  expect(wrong, `${what} at ${wrong}: ${actual[wrong]} against ${expected[wrong]}`).toBe(-1);
}

describe.each(rows)("$name", ({ indicator }) => {
  it("keeps its bounds and streams to the same bits with any parameters", () => {
    fc.assert(
      fc.property(
        seriesArbitrary,
        valuesArbitrary(indicator),
        fc.integer({ min: 1, max: 40 }),
        (bars, values, piece) => {
          const full = computeIndicator(indicator, bars, values);
          const outputs = full.map(() => new Float64Array(LENGTH));
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

/** What a constant added to all prices does: moves the outputs that are prices (`level`), or nothing (`same`). */
const SHIFT: Readonly<Record<string, "level" | "same">> = {
  ...Object.fromEntries(
    [
      ...["sma", "ema", "wma", "dema", "tema", "trima", "kama", "t3", "hma", "zlema", "vwma", "smma"],
      ...["sar", "supertrend", "ichimoku", "alligator", "bbands", "keltner", "donchian", "chandelier"],
      ...["vwap", "vwap_bands", "heikin_ashi", "midprice", "typical_price", "median_price"],
      ...["weighted_close", "average_price", "linreg", "linreg_channel"],
      ...["nadaraya_watson", "rational_quadratic"],
    ].map((name) => [name, "level"]),
  ),
  ...Object.fromEntries(
    [
      ...["adx", "adxr", "dx", "aroon", "vortex", "rsi", "macd", "stoch", "stochf", "stochrsi", "cci"],
      ...["willr", "mom", "ultosc", "apo", "cmo", "bop", "tsi", "awesome_oscillator", "elder_ray", "atr"],
      ...["trange", "percent_b", "choppiness", "obv", "ad", "adosc", "cmf", "force_index", "stddev"],
      ...["zscore", "linreg_slope", "correl", "efficiency_ratio"],
    ].map((name) => [name, "same"]),
  ),
};

/** Rows of relative changes, to which the level of prices matters, and a filter that starts from 0. */
const RELATIVE = [
  ...["natr", "bollinger_width", "roc", "trix", "ppo", "kst", "coppock", "mfi", "pvt", "nvi", "pvi", "ulcer"],
  ...["realised_volatility", "parkinson", "garman_klass", "rogers_satchell", "yang_zhang", "beta", "hurst"],
  ...["volume_profile", "ht_trendline"],
];

describe("shift", () => {
  it("is stated for every row", () => {
    const stated = [...Object.keys(SHIFT), ...RELATIVE];
    expect(stated.toSorted()).toEqual(INDICATORS.map((row) => row.name).toSorted());
  });

  it.each(Object.entries(SHIFT))("of prices: %s %s", (name, law) => {
    const indicator = ensure(findIndicator(name), name);
    const values = Object.fromEntries(indicator.parameters.map((row) => [row.name, row.default]));
    // Quarters and a shift by whole numbers are exact, so that ties stay ties.
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1e9 }), fc.integer({ min: 1, max: 60 }), (seed, shift) => {
        const bars = walkBars(LENGTH, seed, { tick: 0.25 });
        const plain = computeIndicator(indicator, bars, values);
        const moved = computeIndicator(
          indicator,
          mapPrices(bars, (price) => price + shift),
          values,
        );
        for (const [output, { unit }] of indicator.outputs.entries()) {
          const by = law === "level" && unit === "price" ? shift : 0;
          const expected = plain[output].map((value) => value + by);
          const size = expected.reduce((most, value) => Math.max(most, Math.abs(value) || 0), 1);
          expectClose(moved[output], expected, 1e-7 * size, indicator.outputs[output].name);
        }
      }),
      RUNS,
    );
  });
});

/** What prices mirrored in 200 - price (high and low changing places) do to an output, by a map and the output it then is. */
const MIRROR: Readonly<Record<string, readonly (readonly [number, (value: number) => number])[]>> = {
  ...Object.fromEntries(
    ["sma", "ema", "wma", "hma", "kama", "t3", "linreg", "midprice", "typical_price"].map((name) => [
      name,
      [[0, (value: number) => 200 - value]],
    ]),
  ),
  ...Object.fromEntries(
    ["mom", "cmo", "bop", "linreg_slope", "apo", "cci", "zscore", "awesome_oscillator"].map((name) => [
      name,
      [[0, (value: number) => -value]],
    ]),
  ),
  ...Object.fromEntries(
    ["atr", "trange", "stddev", "choppiness", "efficiency_ratio", "dx", "adxr", "correl"].map((name) => [
      name,
      [[0, (value: number) => value]],
    ]),
  ),
  rsi: [[0, (value) => 100 - value]],
  ultosc: [[0, (value) => 100 - value]],
  percent_b: [[0, (value) => 1 - value]],
  willr: [[0, (value) => -100 - value]],
  stoch: [
    [0, (value) => 100 - value],
    [1, (value) => 100 - value],
  ],
  macd: [
    [0, (value) => -value],
    [1, (value) => -value],
    [2, (value) => -value],
  ],
  tsi: [
    [0, (value) => -value],
    [1, (value) => -value],
  ],
  adx: [
    [0, (value) => value],
    [2, (value) => value],
    [1, (value) => value],
  ],
  aroon: [
    [1, (value) => value],
    [0, (value) => value],
    [2, (value) => -value],
  ],
  vortex: [
    [1, (value) => value],
    [0, (value) => value],
  ],
  elder_ray: [
    [1, (value) => -value],
    [0, (value) => -value],
  ],
  ...Object.fromEntries(
    ["bbands", "keltner", "donchian", "linreg_channel"].map((name) => [
      name,
      [2, 1, 0].map((output) => [output, (value: number) => 200 - value]),
    ]),
  ),
  chandelier: [
    [1, (value) => 200 - value],
    [0, (value) => 200 - value],
  ],
};

function mirror(bars: Bars): Bars {
  const flipped = mapPrices(bars, (price) => 200 - price);
  return { ...flipped, high: flipped.low, low: flipped.high };
}

describe("symmetry of up and down", () => {
  it.each(Object.entries(MIRROR))("%s", (name, laws) => {
    const indicator = ensure(findIndicator(name), name);
    const values = Object.fromEntries(indicator.parameters.map((row) => [row.name, row.default]));
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1e9 }), (seed) => {
        // Continuous prices: in a tie up and down need not be treated alike.
        const bars = walkBars(LENGTH, seed);
        const plain = computeIndicator(indicator, bars, values);
        const mirrored = computeIndicator(indicator, mirror(bars), values);
        for (const [output, [partner, law]] of laws.entries()) {
          const expected = plain[partner].map(law);
          expectClose(mirrored[output], expected, 1e-6, indicator.outputs[output].name);
        }
      }),
      RUNS,
    );
  });
});

/** Values on bars that stand still at 42.5 without volume; rows not named give 0. */
const STILL: Readonly<Record<string, number | readonly number[]>> = {
  ...Object.fromEntries(
    Object.entries(SHIFT).flatMap(([name, law]) => (law === "level" ? [[name, 42.5]] : [])),
  ),
  volume_profile: 42.5,
  ht_trendline: 42.5,
  supertrend: [42.5, -1],
  choppiness: 100,
  percent_b: 0.5,
  hurst: 0.5,
  nvi: 1_000,
  pvi: 1_000,
  aroon: [100, 100, 0],
};

/** Values on moving bars without volume, at the last bar; a name stands for the row it must equal. */
const SILENT: Readonly<Record<string, number | string>> = {
  obv: 0,
  ad: 0,
  adosc: 0,
  mfi: 0,
  cmf: 0,
  force_index: 0,
  pvt: 0,
  nvi: 1_000,
  pvi: 1_000,
  vwma: "sma",
  volume_profile: "typical_price",
};

describe("nothing to measure", () => {
  const still = allocateBars(LENGTH);
  for (let i = 0; i < LENGTH; i++) still.time[i] = i * 3_600_000;
  for (const column of [still.open, still.high, still.low, still.close]) column.fill(42.5);

  it.each(rows)("$name on bars that stand still", ({ name, indicator }) => {
    const values = Object.fromEntries(indicator.parameters.map((row) => [row.name, row.default]));
    const expected = STILL[name] ?? 0;
    for (const [output, column] of computeIndicator(indicator, still, values).entries()) {
      const value = typeof expected === "number" ? expected : expected[output];
      expect(Math.abs(column[LENGTH - 1] - value)).toBeLessThan(1e-12);
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
