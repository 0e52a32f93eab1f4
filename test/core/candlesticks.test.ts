import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { randomWalk } from "../../bench/data.js";
import { BAR_COLUMNS, type Candles, sliceCandles } from "../../src/core/market/candles.js";
import { allocateAnatomy, extendAnatomy } from "../../src/core/patterns/anatomy.js";
import { CANDLESTICKS } from "../../src/core/patterns/candlestick/index.js";
import { extendSignals } from "../../src/core/patterns/candlestick/signals.js";
import type { Hit, PatternSeries } from "../../src/core/patterns/define.js";
import { allocateWorkspace, createPatternSeries } from "../../src/core/patterns/series.js";
import { drawExamples } from "../fixtures/candlestick-examples.js";
import { gridWalk } from "../fixtures/grid-walk.js";
import { patternSample } from "../fixtures/pattern-sample.js";
import { scale, shift } from "../fixtures/reflect.js";

/** TA-Lib's values of every row, by name. */
function signalsOf(candles: Candles): Map<string, Int16Array> {
  const series = createPatternSeries(candles);
  return new Map(
    CANDLESTICKS.map((row) => {
      const out = new Int16Array(candles.time.length);
      row.signal(series, out, 0, out.length);
      return [row.name, out];
    }),
  );
}

/** Rows whose values differ at any bar from bar `from` of the one and bar `other` of the other on. */
function differing(
  one: Map<string, Int16Array>,
  two: Map<string, Int16Array>,
  range: (warmup: number) => readonly [from: number, to: number, other: number] = () => [
    0,
    Number.POSITIVE_INFINITY,
    0,
  ],
): string[] {
  return CANDLESTICKS.filter(({ name, warmup }) => {
    const [from, to, other] = range(warmup);
    const expected = one.get(name)?.slice(from, to);
    const found = two.get(name)?.slice(other);
    return expected === undefined || found === undefined || !expected.every((value, i) => value === found[i]);
  }).map(({ name }) => name);
}

/** Columns of a series that candlesticks do not read. */
const unread = createPatternSeries(sliceCandles(patternSample(1, 1), 0, 0));

function hitsOf(series: PatternSeries): Hit[] {
  const hits: Hit[] = [];
  for (const row of CANDLESTICKS) row.find(series, 0, series.candles.time.length, hits);
  return hits;
}

const seeds = fc.integer({ min: 0, max: 1 << 30 });

describe("candlestick signals", () => {
  it("keep under a power of two, to the last bit of the quality", () => {
    const candles = patternSample(1_000, 3);
    const hits = hitsOf(createPatternSeries(candles));
    fc.assert(
      fc.property(fc.integer({ min: -40, max: 40 }), (power) => {
        expect(hitsOf(createPatternSeries(scale(candles, 2 ** power)))).toEqual(hits);
      }),
      { numRuns: 10 },
    );
  });

  it("keep under any scale where no comparison is a tie", () => {
    // Opens, highs and lows that equal a close are made with one product and stay equal.
    const candles = randomWalk(5_000, 17);
    const signals = signalsOf(candles);
    fc.assert(
      fc.property(fc.double({ min: 1e-6, max: 1e6, noNaN: true }), (factor) => {
        expect(differing(signals, signalsOf(scale(candles, factor)))).toEqual([]);
      }),
      { numRuns: 10 },
    );
  });

  it("keep when all prices move by one amount, where no comparison is a tie", () => {
    const candles = randomWalk(5_000, 18);
    const signals = signalsOf(candles);
    fc.assert(
      fc.property(fc.double({ min: -50, max: 1e4, noNaN: true }), (amount) => {
        expect(differing(signals, signalsOf(shift(candles, amount)))).toEqual([]);
      }),
      { numRuns: 10 },
    );
  });

  it("do not depend on where the series begins, after the warm-up", () => {
    fc.assert(
      fc.property(seeds, fc.integer({ min: 1, max: 250 }), (seed, start) => {
        const candles = gridWalk(300, seed);
        const whole = signalsOf(candles);
        const tail = signalsOf(sliceCandles(candles, start, 300));
        const afterWarmup = (warmup: number) => [start + warmup, 300, warmup] as const;
        expect(differing(whole, tail, afterWarmup)).toEqual([]);
      }),
      { numRuns: 20 },
    );
  });

  it("of a stream that grows by a bar equal those of the whole, bit for bit", () => {
    fc.assert(
      fc.property(seeds, (seed) => {
        const candles = patternSample(200, seed);
        const { length } = candles.time;
        const batch = hitsOf(createPatternSeries(candles));
        const stream: PatternSeries = {
          ...unread,
          candles,
          anatomy: allocateAnatomy(length),
          workspace: allocateWorkspace(length),
          derived: [],
        };
        const live = CANDLESTICKS.map((): Hit[] => []);
        for (let i = 0; i < length; i++) {
          extendAnatomy(stream.anatomy, candles, i, i + 1);
          for (const [index, row] of CANDLESTICKS.entries()) row.find(stream, i, i + 1, live[index]);
        }
        expect(live.flat()).toEqual(batch);
      }),
      { numRuns: 3 },
    );
  });
});

describe("all signals at once", () => {
  const candles = patternSample(5_000, 12);
  const { length } = candles.time;
  const signals = signalsOf(candles);

  /** Columns of all rows, written by as many calls as there are ranges of at most `step` bars. */
  function extended(step: number): Map<string, Int16Array> {
    const series = {
      ...unread,
      candles,
      anatomy: allocateAnatomy(length),
      workspace: allocateWorkspace(0),
      derived: [],
    };
    const columns = CANDLESTICKS.map(() => new Int16Array(length).fill(7));
    for (let from = 0; from < length; from += step) {
      extendSignals(series, columns, from, Math.min(from + step, length));
    }
    return new Map(CANDLESTICKS.map(({ name }, row) => [name, columns[row]]));
  }

  it.each([1, 7, 300, 10_000])("equal those of each row, %i bars a call", (step) => {
    expect(differing(signals, extended(step))).toEqual([]);
  });

  it("need a column a row", () => {
    const series = createPatternSeries(candles);
    expect(() => extendSignals(series, [new Int16Array(length)], 0, 1)).toThrow("one column a row");
  });
});

describe("candlestick signals of odd input", () => {
  const columns = fc.constantFrom("open", "high", "low", "close");
  const missing = fc.constantFrom(Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY);

  it("have no shape over a price that is not finite, and no trace of it fifteen bars later", () => {
    fc.assert(
      fc.property(seeds, fc.integer({ min: 0, max: 199 }), columns, missing, (seed, bar, column, value) => {
        const candles = gridWalk(250, seed);
        const sound = signalsOf(candles);
        candles[column][bar] = value;
        const broken = signalsOf(candles);
        expect(differing(sound, broken, () => [0, bar, 0])).toEqual([]);
        expect(differing(sound, broken, () => [bar + 15, 250, bar + 15])).toEqual([]);
        for (const { at, start, quality } of hitsOf(createPatternSeries(candles))) {
          expect(start <= bar && bar <= at).toBe(false);
          expect(quality >= 0 && quality <= 1).toBe(true);
        }
      }),
      { numRuns: 100 },
    );
  });

  it("see a doji in each bar of a price that never moves, and nothing else", () => {
    const flat = scale(gridWalk(60, 1), 0);
    for (const [name, values] of signalsOf(shift(flat, 50))) {
      const expected = Int16Array.from(values, (_, i) => (name === "doji" && i >= 10 ? 100 : 0));
      expect(values, name).toEqual(expected);
    }
  });

  it("do not read time or volume", () => {
    const candles = patternSample(500, 5);
    const signals = signalsOf(candles);
    for (const value of [0, Number.NaN]) {
      const other = {
        ...candles,
        time: candles.time.map(() => value),
        volume: candles.volume.map(() => value),
      };
      expect(differing(signals, signalsOf(other))).toEqual([]);
    }
  });

  it("leave candles and anatomy as they were", () => {
    const series = createPatternSeries(drawExamples());
    const before = structuredClone({ candles: series.candles, anatomy: series.anatomy });
    hitsOf(series);
    for (const column of BAR_COLUMNS) expect(series.candles[column]).toEqual(before.candles[column]);
    expect(series.anatomy).toEqual(before.anatomy);
  });

  it("refuse a range outside the series", () => {
    const series = createPatternSeries(gridWalk(20, 1));
    const [row] = CANDLESTICKS;
    expect(() => row.signal(series, new Int16Array(20), 0, 21)).toThrow("bars 0..21 of 20");
    expect(() => row.signal(series, new Int16Array(19), 0, 20)).toThrow("bars 0..20 of 19");
    expect(() => row.signal(series, new Int16Array(20), -1, 20)).toThrow("bars -1..20 of 20");
  });
});
