import { describe, expect, it } from "vitest";
import { ensure } from "../../src/core/base/assert.js";
import { hash32 } from "../../src/core/base/rng.js";
import { computeIndicator, type Indicator } from "../../src/core/indicators/define.js";
import { findIndicator, INDICATORS } from "../../src/core/indicators/index.js";
import type { Bars } from "../../src/core/market/candles.js";
import { copyBars, walkBars } from "../fixtures/series.js";
import { PLAIN, type Values } from "./plain.js";

/** Prices as small as those of a cheap coin. */
function small(bars: Bars): Bars {
  const copy = copyBars(bars);
  for (const column of [copy.open, copy.high, copy.low, copy.close]) {
    for (let i = 0; i < column.length; i++) column[i] *= 4e-6;
  }
  return copy;
}

function valuesOf(indicator: Indicator, share: number): Values {
  return Object.fromEntries(
    indicator.parameters.map(({ name, kind, min, default: preset }) => [
      name,
      kind === "integer" ? Math.max(min, 2 * Math.ceil((preset * share) / 2)) : preset,
    ]),
  );
}

/** The row's own preset, and windows of about half of it. */
function valueSets(indicator: Indicator): Values[] {
  const presets = Object.fromEntries(indicator.parameters.map((row) => [row.name, row.default]));
  return [presets, valuesOf(indicator, 0.5)].filter((values) => indicator.problem(values) === null);
}

function compare(indicator: Indicator, bars: Bars, values: Values): void {
  const formula = ensure(PLAIN[indicator.name], indicator.name)(bars, values);
  const columns = computeIndicator(indicator, bars, values);
  const sizes = columns.map(
    (column) =>
      column.reduce((sum, value) => sum + (value !== 0 ? Math.abs(value) || 0 : 0), 0) / column.length,
  );
  for (let i = 0; i < bars.time.length; i++) {
    const expected = formula(i);
    for (const [output, column] of columns.entries()) {
      if (i < indicator.warmup(values, output)) continue;
      const difference = Math.abs(column[i] - expected[output]);
      const what = `${indicator.outputs[output].name} at ${i}: ${column[i]} against ${expected[output]}`;
      expect(difference, what).toBeLessThanOrEqual(
        1e-9 * Math.max(Math.abs(expected[output]), sizes[output]),
      );
    }
  }
}

describe("plain formulas", () => {
  it.each(Object.keys(PLAIN))("%s", (name) => {
    const indicator = ensure(findIndicator(name), name);
    const length = 260;
    const walk = walkBars(length, hash32(name));
    for (const values of valueSets(indicator)) {
      compare(indicator, walk, values);
      compare(indicator, walkBars(length, hash32(name) + 1, { tick: 0.5, quiet: true }), values);
      compare(indicator, small(walk), values);
    }
  });

  it("stands for rows of the table", () => {
    const names = INDICATORS.map((row) => row.name);
    expect(Object.keys(PLAIN).filter((name) => !names.includes(name))).toEqual([]);
  });
});
