import { describe, expect, it } from "vitest";
import { createRng, hash32 } from "../../src/core/base/rng.js";
import { computeIndicator, type Indicator, type ParameterValues } from "../../src/core/indicators/define.js";
import { findIndicator, INDICATORS } from "../../src/core/indicators/index.js";
import { allocateBars, BAR_COLUMNS, type Bars } from "../../src/core/market/candles.js";
import { toleranceOf, valueSets } from "../fixtures/indicator-values.js";
import { copyBars, firstDifference, walkBars } from "../fixtures/series.js";

function warmupOf(indicator: Indicator, values: ParameterValues): number {
  return Math.max(...indicator.outputs.map((_, output) => indicator.warmup(values, output)));
}

/** Still bars: one price, no range, no volume. */
function flatBars(length: number): Bars {
  const bars = allocateBars(length);
  for (let i = 0; i < length; i++) bars.time[i] = i * 3_600_000;
  for (const column of [bars.open, bars.high, bars.low, bars.close]) column.fill(42.5);
  return bars;
}

function allocateOutputs(indicator: Indicator, length: number): Float64Array[] {
  return indicator.outputs.map(() => new Float64Array(length));
}

function expectSame(left: readonly Float64Array[], right: readonly Float64Array[], what: string): void {
  for (const [output, column] of left.entries()) {
    const at = firstDifference(column, right[output]);
    expect(at, `${what}: output ${output} differs at ${at}: ${column[at]}, ${right[output][at]}`).toBe(-1);
  }
}

/** Largest |left - right| from `from` on, in parts of the larger of the value and the column's mean size. */
function worstDifference(left: Float64Array, right: Float64Array, from: number): number {
  let size = 0;
  for (let i = from; i < right.length; i++) size += Math.abs(right[i]) / (right.length - from);
  let worst = 0;
  for (let i = from; i < right.length; i++) {
    const difference = Math.abs(left[i] - right[i]);
    if (difference > 0) worst = Math.max(worst, difference / Math.max(Math.abs(right[i]), size));
    if (Number.isNaN(difference)) return Number.POSITIVE_INFINITY;
  }
  return worst;
}

describe("table", () => {
  it("has one row to a name, and finds it", () => {
    expect(new Set(INDICATORS.map((row) => row.name)).size).toBe(INDICATORS.length);
    for (const row of INDICATORS) expect(findIndicator(row.name)).toBe(row);
    expect(findIndicator("none_such")).toBeNull();
  });

  it("says what each row is and where it comes from", () => {
    for (const row of INDICATORS) {
      expect(row.title).not.toBe("");
      expect(row.source.length, row.name).toBeGreaterThan(10);
      expect(row.source, row.name).toMatch(/\.$/);
      for (const list of [row.parameters, row.outputs]) {
        expect(new Set(list.map((item) => item.name)).size).toBe(list.length);
        for (const item of list) expect(item.name).toMatch(/^[a-z][a-z0-9_]*$/);
      }
    }
  });
});

describe.each(INDICATORS.map((indicator) => ({ name: indicator.name, indicator })))(
  "$name",
  ({ name, indicator }) => {
    const sets = valueSets(indicator);
    const [defaults] = sets;
    const length = warmupOf(indicator, defaults) + 300;
    const bars = walkBars(length, hash32(name));
    const series = {
      walk: bars,
      ticks: walkBars(length, hash32(name) + 1, { tick: 0.5 }),
      quiet: walkBars(length, hash32(name) + 2, { tick: 0.5, quiet: true }),
      flat: flatBars(length),
    };

    /** Every set of values on continuous prices, and on those of a coarse tick with bars that stand still. */
    const cases = sets.flatMap((values) =>
      (["walk", "quiet"] as const).map(
        (kind) => [`${kind} ${JSON.stringify(values)}`, values, series[kind]] as const,
      ),
    );

    it("is NaN exactly through its warm-up, finite after it, within its bounds", () => {
      for (const [kind, input] of Object.entries(series)) {
        for (const values of sets) {
          for (const [output, column] of computeIndicator(indicator, input, values).entries()) {
            const what = `${kind} ${JSON.stringify(values)} ${indicator.outputs[output].name}`;
            const warmup = indicator.warmup(values, output);
            const range = indicator.outputs[output].range ?? [-Infinity, Infinity];
            const slack = 1e-9 * Math.min(Math.abs(range[0]) + Math.abs(range[1]), 100);
            expect(column.length).toBe(length);
            expect(
              column.findIndex((value, i) => Number.isNaN(value) !== i < warmup),
              what,
            ).toBe(-1);
            expect(
              column.findIndex((value) => value < range[0] - slack || value > range[1] + slack),
              `${what} range`,
            ).toBe(-1);
            expect(
              column.findIndex((value) => Math.abs(value) === Number.POSITIVE_INFINITY),
              what,
            ).toBe(-1);
          }
        }
      }
    });

    it("sees no future: every prefix, of other values than the presets every eleventh, gives the same bits", () => {
      for (const [kind, values, input] of cases) {
        const full = computeIndicator(indicator, input, values);
        for (let end = 0; end <= length; end += values === defaults ? 1 : 11) {
          const part = computeIndicator(indicator, copyBars(input, 0, end), values);
          const seen = part.some((column, output) => firstDifference(column, full[output], 0, end) !== -1);
          if (seen) expect.unreachable(`${kind} ${JSON.stringify(values)} prefix ${end}`);
        }
      }
    });

    it("gives the same bits twice and leaves its inputs alone", () => {
      for (const [kind, values, input] of cases) {
        const before = copyBars(input);
        const first = computeIndicator(indicator, input, values);
        expectSame(computeIndicator(indicator, input, values), first, `${kind} again`);
        for (const column of BAR_COLUMNS) expect(firstDifference(before[column], input[column])).toBe(-1);
      }
    });

    it("streams in single bars and in random pieces to the same bits", () => {
      const rng = createRng(hash32(name), 7);
      for (const values of sets) {
        const full = computeIndicator(indicator, bars, values);
        for (const longest of [1, 2, 17, 120]) {
          const outputs = allocateOutputs(indicator, length);
          const state = new Float64Array(indicator.memory(values));
          for (let from = 0; from < length; ) {
            const to = Math.min(length, from + (1 + rng.below(longest)));
            indicator.run(bars, values, outputs, state, from, to);
            from = to;
          }
          expectSame(outputs, full, `pieces of up to ${longest}`);
        }
      }
    });

    it("knows its place from its state alone", () => {
      for (const values of sets) {
        const full = computeIndicator(indicator, bars, values);
        const lookback = indicator.lookback(values);
        const state = new Float64Array(indicator.memory(values));
        const cut = Math.max(lookback, 100);
        const start = cut - lookback;
        const outputs = allocateOutputs(indicator, length);
        indicator.run(bars, values, outputs, state, 0, cut);
        const rest = outputs.map((column) => column.slice(start));
        indicator.run(copyBars(bars, start), values, rest, state, lookback, length - start);
        for (const [output, column] of rest.entries()) {
          expect(firstDifference(column.slice(lookback), full[output].slice(cut))).toBe(-1);
        }
      }
    });

    it("keeps to the state it asked for", () => {
      for (const values of sets) {
        const memory = indicator.memory(values);
        const state = new Float64Array(memory + 16).fill(Number.NaN, memory);
        const outputs = allocateOutputs(indicator, length);
        indicator.run(bars, values, outputs, state, 0, length);
        expectSame(outputs, computeIndicator(indicator, bars, values), "guarded state");
        expect(state.subarray(memory).every(Number.isNaN)).toBe(true);
      }
    });

    it("reads no further back than its lookback", () => {
      for (const values of sets) {
        const lookback = indicator.lookback(values);
        const full = computeIndicator(indicator, bars, values);
        const fading = copyBars(bars);
        const outputs = allocateOutputs(indicator, length);
        const state = new Float64Array(indicator.memory(values));
        const wrong: number[] = [];
        for (let i = 0; i < length; i++) {
          indicator.run(fading, values, outputs, state, i, i + 1);
          if (outputs.some((column, output) => !Object.is(column[i], full[output][i]))) wrong.push(i);
          if (i < lookback) continue;
          for (const column of BAR_COLUMNS) fading[column][i - lookback] = Number.NaN;
          for (const column of outputs) column[i - lookback] = Number.NaN;
        }
        expect(wrong, JSON.stringify(values)).toEqual([]);
      }
    });

    it("reads and writes no bar but those it is asked for", () => {
      const mark = 12_345.678;
      for (const values of sets) {
        const full = computeIndicator(indicator, bars, values);
        const unknown = copyBars(bars);
        for (const column of BAR_COLUMNS) unknown[column].fill(Number.NaN, length - 50);
        const outputs = allocateOutputs(indicator, length);
        for (const column of outputs) column.fill(mark);
        const state = new Float64Array(indicator.memory(values));
        for (const [from, to] of [
          [0, 60],
          [60, 61],
          [61, length - 50],
        ] as const) {
          indicator.run(unknown, values, outputs, state, from, to);
          expect(outputs.every((column) => column.subarray(to).every((value) => value === mark))).toBe(true);
        }
        for (const [output, column] of outputs.entries()) {
          const at = firstDifference(column, full[output], 0, length - 50);
          expect(at, JSON.stringify(values)).toBe(-1);
        }
      }
    });

    it("reads the columns it names and no others", () => {
      const blind = copyBars(bars);
      for (const column of BAR_COLUMNS)
        if (!indicator.inputs.includes(column)) blind[column].fill(Number.NaN);
      expectSame(
        computeIndicator(indicator, blind, defaults),
        computeIndicator(indicator, bars, defaults),
        "without the other columns",
      );
    });

    it("settles when it says", () => {
      for (const values of sets) {
        const settle = indicator.settle(values);
        if (settle === Number.POSITIVE_INFINITY) continue;
        expect(settle).toBeGreaterThanOrEqual(warmupOf(indicator, values));
        const start = 150;
        const long = walkBars(start + settle + 200, hash32(name) + 3);
        const early = computeIndicator(indicator, long, values);
        const late = computeIndicator(indicator, copyBars(long, start), values);
        for (const [output, column] of late.entries()) {
          expect(worstDifference(column, early[output].slice(start), settle)).toBeLessThan(
            toleranceOf(indicator),
          );
        }
      }
    });

    it("answers a NaN with NaN as far as it says and never with a number", () => {
      for (const values of sets) {
        const reach = warmupOf(indicator, values);
        const clean = computeIndicator(indicator, bars, values);
        const reaches: number[] = [];
        const session = (i: number) => Math.floor((Math.floor(bars.time[i] / 86_400_000) + 3) / values.days);
        // Time is checked on entry: without it there is no order of bars.
        for (const missing of indicator.inputs.filter((column) => column !== "time")) {
          for (const at of [1, reach + 40]) {
            const holed = copyBars(bars);
            holed[missing][at] = Number.NaN;
            const outputs = computeIndicator(indicator, holed, values);
            for (const [output, column] of outputs.entries()) {
              expectNoInvention(column, clean[output], at, toleranceOf(indicator));
            }
            const last = lastMissing(outputs, clean);
            if (at === 1) continue;
            reaches.push(last - at);
            expect(last, `a NaN ${missing} shows`).toBeGreaterThanOrEqual(at);
            if (indicator.nanReach === "window") expect(last).toBeLessThanOrEqual(at + reach);
            if (indicator.nanReach === "session") expect(session(last)).toBe(session(at));
          }
        }
        const end = length - 1 - reach - 40;
        if (indicator.nanReach === "rest") expect(Math.max(...reaches)).toBe(end);
      }
    });
  },
);

/** Index of the last bar at which some output is NaN and the clean one is not; -1 when there is none. */
function lastMissing(outputs: readonly Float64Array[], clean: readonly Float64Array[]): number {
  const last = outputs.map((column, output) =>
    column.findLastIndex((value, i) => Number.isNaN(value) && !Number.isNaN(clean[output][i])),
  );
  return Math.max(...last);
}

/** Before the NaN every bit is as it was; from it on every value that is defined is the clean one. */
function expectNoInvention(column: Float64Array, clean: Float64Array, at: number, tolerance: number): void {
  expect(firstDifference(column, clean, 0, at)).toBe(-1);
  const size =
    clean.reduce((sum, value) => sum + (Number.isNaN(value) ? 0 : Math.abs(value)), 0) / clean.length;
  const wrong = column.findIndex((value, i) => {
    if (i < at || Number.isNaN(value)) return false;
    return !(Math.abs(value - clean[i]) <= tolerance * Math.max(Math.abs(clean[i]), size));
  });
  expect(wrong, `bar ${wrong} after a NaN at ${at}: ${column[wrong]} against ${clean[wrong]}`).toBe(-1);
}
