import { describe, expect, it } from "vitest";
import { ensure } from "../../src/core/base/assert.js";
import { hash32 } from "../../src/core/base/rng.js";
import { BLOCK, SQUARES_BLOCK } from "../../src/core/base/rolling.js";
import { computeIndicator, type Indicator, type ParameterValues } from "../../src/core/indicators/define.js";
import { INDICATORS } from "../../src/core/indicators/index.js";
import type { Bars } from "../../src/core/market/candles.js";
import { presets, toleranceOf, valueSets } from "../fixtures/indicator-values.js";
import { copyBars, mapPrices, walkBars } from "../fixtures/series.js";
import { sized } from "../fixtures/sizes.js";
import { PLAIN } from "./plain/index.js";

const LENGTH = 260;
/** Presets are compared on bars of each kind, other values on every so many. */
const EVERY = sized({ usual: 5, full: 1 });
const STARTS = sized({ usual: 4, full: 24 });

/** Prices as small as those of a cheap coin. */
function small(bars: Bars): Bars {
  return mapPrices(bars, (price) => price * 4e-6);
}

/** The same bars with every second stretch of 30 standing still at the close before it, without volume. */
function halting(bars: Bars): Bars {
  const copy = copyBars(bars);
  for (let i = 30; i < LENGTH; i++) {
    if (Math.floor(i / 30) % 2 === 0) continue;
    for (const column of [copy.open, copy.high, copy.low, copy.close]) column[i] = copy.close[i - 1];
    copy.volume[i] = 0;
  }
  return copy;
}

/** Bars of five kinds: continuous, of a coarse tick with bars that stand still, and both at small prices. */
function seriesOf(name: string): Readonly<Record<string, Bars>> {
  const walk = walkBars(LENGTH, hash32(name));
  const ticks = walkBars(LENGTH, hash32(name) + 1, { tick: 0.5, quiet: true });
  const cents = walkBars(LENGTH, hash32(name) + 2, { tick: 0.01 });
  return { walk, ticks, halts: halting(cents), "small walk": small(walk), "small ticks": small(ticks) };
}

/** Bars at which a column is not the plain one, as text; where one is NaN the other must be. */
function mismatches(column: Float64Array, expected: ArrayLike<number>, tolerance: number): string[] {
  const sizes = Array.from(expected, Math.abs).filter((value) => !Number.isNaN(value));
  const size = sizes.reduce((sum, value) => sum + value, 0) / sizes.length;
  const found: string[] = [];
  for (let i = 0; i < column.length; i++) {
    if (Number.isNaN(column[i]) && Number.isNaN(expected[i])) continue;
    const difference = Math.abs(column[i] - expected[i]);
    if (difference <= tolerance * Math.max(Math.abs(expected[i]), size)) continue;
    found.push(`bar ${i}: ${column[i]} against ${expected[i]}`);
  }
  return found;
}

function compare(indicator: Indicator, bars: Bars, values: ParameterValues, what: string): void {
  const plain = ensure(PLAIN[indicator.name], indicator.name)(bars, values);
  for (const [output, column] of computeIndicator(indicator, bars, values).entries()) {
    const { name } = indicator.outputs[output];
    const wrong = mismatches(column, ensure(plain[name], name), toleranceOf(indicator));
    expect(wrong, `${name} with ${JSON.stringify(values)} on ${what}`).toEqual([]);
  }
}

describe("plain formulas", () => {
  it.each(INDICATORS)("$name", (indicator) => {
    for (const [kind, [what, bars]] of Object.entries(seriesOf(indicator.name)).entries()) {
      for (const [set, values] of valueSets(indicator).entries()) {
        if (set === 0 || (kind + set) % EVERY === 0) compare(indicator, bars, values, what);
      }
    }
  });

  it.each(INDICATORS)("$name from many first bars on", (indicator) => {
    for (let seed = 1; seed <= STARTS; seed++) {
      const bars = walkBars(40, hash32(indicator.name) + 10 + seed, {
        tick: seed % 2,
        quiet: seed % 2 === 1,
      });
      for (const values of valueSets(indicator).slice(1, 5)) compare(indicator, bars, values, `seed ${seed}`);
    }
  });

  it.each(INDICATORS)("$name where running sums are rebuilt", (indicator) => {
    const squares = ["stddev", "bbands", "beta", "correl"].includes(indicator.name);
    const length = squares ? SQUARES_BLOCK + 60 : BLOCK + 60;
    compare(indicator, walkBars(length, hash32(indicator.name) + 3), presets(indicator), "a long walk");
  });

  it("stand for every output of every row", () => {
    const bars = walkBars(2, 1);
    const outputs = (names: readonly string[], name: string) => names.map((output) => `${name}.${output}`);
    const plain = Object.entries(PLAIN).flatMap(([name, formula]) => {
      const row = INDICATORS.find((candidate) => candidate.name === name);
      return row === undefined ? [name] : outputs(Object.keys(formula(bars, presets(row))), name);
    });
    const table = INDICATORS.flatMap((row) =>
      outputs(
        row.outputs.map(({ name }) => name),
        row.name,
      ),
    );
    expect(plain.toSorted()).toEqual(table.toSorted());
  });

  it("are compared with every parameter at two values besides its preset, odd and even where it may be both", () => {
    const few = INDICATORS.flatMap((row) =>
      row.parameters.flatMap(({ name, kind, default: preset }) => {
        const tried = new Set(valueSets(row).map((values) => values[name]));
        const odd = [...tried].filter((value) => value % 2 === 1).length;
        const both = kind !== "integer" || name === "bins" || (odd > 0 && odd < tried.size);
        tried.delete(preset);
        return tried.size >= 2 && both ? [] : [`${row.name}.${name}: ${[...tried].join(", ")}`];
      }),
    );
    expect(few).toEqual([]);
  });
});
