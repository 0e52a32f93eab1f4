import { describe, expect, it } from "vitest";
import { ensure } from "../../src/core/base/assert.js";
import { createRng } from "../../src/core/base/rng.js";
import { computeIndicator } from "../../src/core/indicators/define.js";
import { findIndicator } from "../../src/core/indicators/index.js";
import type { Candles } from "../../src/core/market/candles.js";
import type { Pattern } from "../../src/core/patterns/define.js";
import { bollingerBreakout } from "../../src/core/patterns/indicator/bollinger-breakout.js";
import { bollingerSqueeze } from "../../src/core/patterns/indicator/bollinger-squeeze.js";
import { crossing } from "../../src/core/patterns/indicator/crossing.js";
import { macdAt, macdSides } from "../../src/core/patterns/indicator/macd.js";
import { macdCross } from "../../src/core/patterns/indicator/macd-cross.js";
import { rsiAt, rsiSides } from "../../src/core/patterns/indicator/rsi.js";
import { rsiDivergence } from "../../src/core/patterns/indicator/rsi-divergence.js";
import { rsiOverbought, rsiOversold } from "../../src/core/patterns/indicator/rsi-extremes.js";
import { sma20And50Cross, sma50And200Cross } from "../../src/core/patterns/indicator/sma-cross.js";
import { createPatternSeries } from "../../src/core/patterns/series.js";
import { drawCloses, hitsOf, keysOf } from "../fixtures/pattern-events.js";
import { reflect } from "../fixtures/reflect.js";
import { readBars, walkBars } from "../fixtures/series.js";
import { sharedPath } from "../fixtures/shared.js";

const ids = (pattern: Pattern, candles: Candles) => hitsOf(pattern, candles).map(({ variant }) => variant.id);
/** Falls by one a bar to bar `turn`, then rises. */
const valley = (length: number, turn: number) =>
  drawCloses(Array.from({ length }, (_, i) => 500 + Math.abs(i - turn)));
/** Moves by nothing to speak of, in turns of four bars. */
const quiet = (length: number, size = 0.2) =>
  Array.from({ length }, (_, i) => 100 + size * [0, 1, 0, -1][i % 4]);

describe("averages that cross", () => {
  it("make a golden cross at the first bar whose short average is higher, and no death cross", () => {
    const candles = valley(500, 300);
    const mean = (bars: number, at: number) => {
      let sum = 0;
      for (let i = at - bars + 1; i <= at; i++) sum += candles.close[i];
      return sum / bars;
    };
    const first = Array.from({ length: 300 }, (_, i) => i + 200).find((i) => mean(50, i) > mean(200, i));
    expect(keysOf(hitsOf(sma50And200Cross, candles))).toEqual([`golden_cross confirmed ${first}`]);
    expect(ids(sma50And200Cross, reflect(candles, 2_000))).toEqual(["death_cross"]);
    expect(ids(sma20And50Cross, candles)).toEqual(["bullish_sma_20_50_cross"]);
    expect(ids(sma20And50Cross, reflect(candles, 2_000))).toEqual(["bearish_sma_20_50_cross"]);
  });

  it("say what they compared", () => {
    const [{ formation, quality, at }] = hitsOf(sma50And200Cross, valley(500, 300));
    expect(formation?.boundaries.map(({ role }) => role)).toEqual(["sma_50", "sma_200"]);
    expect(formation?.checks.find(({ name }) => name === "volume")).toMatchObject({
      value: 1,
      passed: false,
    });
    expect(formation?.points[0]).toMatchObject({ at, knownAt: at });
    expect(quality).toBeGreaterThan(0);
  });

  it("do nothing where they are equal, and nothing where they touch and part again", () => {
    expect(hitsOf(sma50And200Cross, drawCloses(Array(400).fill(100)))).toEqual([]);
    expect(crossing(Int8Array.of(1, 0, 0, 1), 3)).toBe(0);
    expect(crossing(Int8Array.of(-1, 0, 0, 1), 3)).toBe(1);
    expect(crossing(Int8Array.of(2, 1), 1)).toBe(0);
    expect(crossing(Int8Array.of(1, ...Array(11).fill(0), -1), 12)).toBe(0);
    expect(crossing(Int8Array.of(1, ...Array(10).fill(0), -1), 11)).toBe(-1);
  });
});

describe("relative strength", () => {
  const fall = [
    ...quiet(60),
    ...Array.from({ length: 12 }, (_, i) => 99 - i),
    ...Array.from({ length: 12 }, (_, i) => 88 + i),
  ];

  it("enters oversold and leaves it, once each", () => {
    const hits = hitsOf(rsiOversold, drawCloses(fall));
    expect(hits.map(({ variant }) => variant.id)).toEqual(["rsi_oversold", "rsi_leaves_oversold"]);
    expect(hits.every(({ variant }) => variant.direction === 1)).toBe(true);
    expect(hits[0].formation?.checks[0].value).toBeLessThan(30);
    expect(hits[1].formation?.checks[0].value).toBeGreaterThan(30);
    expect(ids(rsiOverbought, drawCloses(fall)).filter((id) => id === "rsi_overbought")).toEqual([]);
    expect(ids(rsiOverbought, reflect(drawCloses(fall), 200))).toEqual([
      "rsi_overbought",
      "rsi_leaves_overbought",
    ]);
  });

  it("says nothing where no close has changed", () => {
    const still = drawCloses([
      ...quiet(60, 3),
      ...Array(300).fill(100),
      101,
      101,
      102,
      ...Array(200).fill(102),
    ]);
    const after = [rsiOversold, rsiOverbought]
      .flatMap((row) => hitsOf(row, still))
      .filter(({ at }) => at > 250);
    // 160 bars without a change have no index, and a rise out of nothing crosses nothing.
    expect(keysOf(after)).toEqual([]);
    expect(rsiAt(createPatternSeries(still), 300)).toBeNaN();
  });

  it("diverges where a slow push makes a new low that the index does not follow", () => {
    const push = (from: number, to: number, bars: number) =>
      Array.from({ length: bars }, (_, i) => from + ((to - from) * (i + 1)) / bars);
    const closes = [
      ...quiet(40),
      ...push(100, 80, 8),
      ...push(80, 92, 10),
      ...push(92, 79, 24),
      ...push(79, 95, 12),
    ];
    const [hit, ...more] = hitsOf(rsiDivergence, drawCloses(closes));
    expect(more).toEqual([]);
    expect(hit.variant.id).toBe("bullish_rsi_divergence");
    const [first, last] = ensure(hit.formation, "a formation").points;
    expect([first.price, last.price, last.knownAt, hit.start]).toEqual([79.5, 78.5, hit.at, first.at]);
    expect(hit.at - last.at).toBe(5);
    expect(hit.formation?.stop).toBe(78.5);
    const rsi = ensure(
      hit.formation?.checks.find(({ name }) => name === "rsi"),
      "a check",
    );
    expect(rsi.value).toBeGreaterThan(rsi.threshold ?? Number.NaN);
    expect(ids(rsiDivergence, reflect(drawCloses(closes), 200))).toEqual(["bearish_rsi_divergence"]);
    // A push that is faster than the first one takes the index with it.
    const fast = [
      ...quiet(40, 2),
      ...push(100, 95, 8),
      ...push(95, 98, 10),
      ...push(98, 70, 8),
      ...push(70, 95, 12),
    ];
    expect(ids(rsiDivergence, drawCloses(fast))).toEqual([]);
  });
});

describe("Bollinger's bands", () => {
  it("are broken by the first close outside them", () => {
    const closes = [...quiet(60), 101, 102, 103];
    expect(keysOf(hitsOf(bollingerBreakout, drawCloses(closes)))).toEqual([
      "bollinger_upper_breakout confirmed 60",
    ]);
    expect(keysOf(hitsOf(bollingerBreakout, reflect(drawCloses(closes), 200)))).toEqual([
      "bollinger_lower_breakout confirmed 60",
    ]);
    expect(hitsOf(bollingerBreakout, drawCloses(quiet(200)))).toEqual([]);
    expect(hitsOf(bollingerBreakout, drawCloses(Array(200).fill(100)))).toEqual([]);
  });

  it("release a squeeze when they were never narrower in 125 bars, and not from wide bands", () => {
    const narrows = [...quiet(150, 4), ...quiet(40, 0.1)];
    const [hit] = hitsOf(bollingerSqueeze, drawCloses([...narrows, 102]));
    expect(keysOf([hit])).toEqual([`bullish_bollinger_squeeze confirmed ${narrows.length}`]);
    expect(hit.formation?.checks[0]).toMatchObject({ name: "width_in_mean_widths", passed: true });
    expect(ids(bollingerSqueeze, reflect(drawCloses([...narrows, 102]), 200))).toEqual([
      "bearish_bollinger_squeeze",
    ]);
    expect(hitsOf(bollingerSqueeze, drawCloses([...quiet(150, 0.1), ...quiet(40, 4), 112]))).toEqual([]);
    // Bars without a trade are no squeeze.
    expect(hitsOf(bollingerSqueeze, drawCloses([...quiet(150, 4), ...Array(40).fill(100), 102]))).toEqual([]);
  });
});

describe("MACD", () => {
  it("crosses its signal once on each side of a hill", () => {
    const closes = Array.from({ length: 260 }, (_, i) => 200 + 40 * Math.sin((2 * Math.PI * i) / 130));
    const hits = hitsOf(macdCross, drawCloses(closes)).filter(({ at }) => at > 80);
    expect(hits.map(({ variant }) => variant.direction)).toEqual([1, -1, 1]);
    expect(hits[0].formation?.checks[0].value).toBeGreaterThan(
      hits[0].formation?.checks[0].threshold ?? Number.NaN,
    );
    expect(hitsOf(macdCross, drawCloses(Array(300).fill(100)))).toEqual([]);
  });
});

/** A walk in which one bar in a few hundred is a bad print a hundred times too high, and some stretches are flat. */
function spikes(length: number, seed: number): Candles {
  const rng = createRng(seed);
  const bars = walkBars(length, seed, { tick: 0.05 });
  let flat = 0;
  for (let i = 1; i < length; i++) {
    if (flat === 0 && rng.below(400) === 0) flat = rng.below(260);
    if (flat > 0) {
      flat--;
      bars.close[i] = bars.close[i - 1];
    } else if (rng.below(300) === 0) bars.close[i] *= 100;
  }
  return { symbol: "SPIKES", interval: "1h", ...bars };
}

describe("what a fixed number of bars decides", () => {
  it.each([1, 2, 3])("is found by the running column, whatever came before (walk %i)", (seed) => {
    const series = createPatternSeries(spikes(6_000, seed));
    const low = rsiSides(series, 30);
    const high = rsiSides(series, 70);
    const sides = macdSides(series);
    const side = (value: number) => (Number.isNaN(value) ? 2 : Math.sign(value));
    const wrong: string[] = [];
    for (let i = 0; i < low.length; i++) {
      const index = rsiAt(series, i);
      if (low[i] !== side(index - 30) || high[i] !== side(index - 70)) wrong.push(`rsi ${i}`);
      if (i >= 33 && sides[i] !== side(macdAt(series, i).histogram)) wrong.push(`macd ${i}`);
    }
    expect(wrong).toEqual([]);
  });
});

/** Series over which events are compared with the columns of the indicator table. */
const listed: readonly (readonly [string, () => Candles])[] = [
  ["walk", () => ({ symbol: "WALK", interval: "1h", ...walkBars(20_000, 5) })],
  ...["daily/yahoo-SPY-to-2025", "daily/kaggle-IBM", "intraday/ejtrader-GBPUSD-1h"].flatMap((name) => {
    const path = sharedPath("data", `${name}.csv.gz`);
    return path === null
      ? []
      : [[name, (): Candles => ({ symbol: name, interval: "1d", ...readBars(path) })] as const];
  }),
];

interface Comparison {
  readonly row: Pattern;
  /** Variants for a difference that becomes positive and one that becomes negative, by the columns of the table. */
  readonly up: string;
  readonly down: string;
  readonly difference: (candles: Candles) => Float64Array;
  /** What the difference is compared with to see whether it is tiny. */
  readonly unit: (candles: Candles, i: number) => number;
}

function column(candles: Candles, name: string, values: Record<string, number>, output = 0): Float64Array {
  const indicator = ensure(findIndicator(name), name);
  return computeIndicator(indicator, candles, values)[output];
}
const minus = (a: Float64Array, b: Float64Array) => a.map((value, i) => value - b[i]);
const inPrice = ({ close }: Candles, i: number) => 1e-6 * close[i];

const comparisons: readonly Comparison[] = [
  {
    row: sma50And200Cross,
    up: "golden_cross",
    down: "death_cross",
    difference: (candles) =>
      minus(column(candles, "sma", { period: 50 }), column(candles, "sma", { period: 200 })),
    unit: ({ close }, i) => 1e-9 * close[i],
  },
  {
    row: sma20And50Cross,
    up: "bullish_sma_20_50_cross",
    down: "bearish_sma_20_50_cross",
    difference: (candles) =>
      minus(column(candles, "sma", { period: 20 }), column(candles, "sma", { period: 50 })),
    unit: ({ close }, i) => 1e-9 * close[i],
  },
  {
    row: rsiOversold,
    up: "rsi_leaves_oversold",
    down: "rsi_oversold",
    difference: (candles) => column(candles, "rsi", { period: 14 }).map((value) => value - 30),
    unit: () => 0.02,
  },
  {
    row: rsiOverbought,
    up: "rsi_overbought",
    down: "rsi_leaves_overbought",
    difference: (candles) => column(candles, "rsi", { period: 14 }).map((value) => value - 70),
    unit: () => 0.02,
  },
  {
    row: macdCross,
    up: "bullish_macd_cross",
    down: "bearish_macd_cross",
    difference: (candles) => column(candles, "macd", { fast: 12, slow: 26, signal: 9 }, 2),
    unit: inPrice,
  },
  {
    row: bollingerBreakout,
    up: "bollinger_upper_breakout",
    down: "",
    difference: (candles) =>
      minus(candles.close, column(candles, "bbands", { period: 20, deviations: 2 }, 0)),
    unit: inPrice,
  },
  {
    row: bollingerBreakout,
    up: "",
    down: "bollinger_lower_breakout",
    difference: (candles) =>
      minus(candles.close, column(candles, "bbands", { period: 20, deviations: 2 }, 2)),
    unit: inPrice,
  },
];

describe.each(listed)("events in %s", (_, load) => {
  const candles = load();

  it.each(comparisons)(
    "of $row.name are the crossings of the table's columns",
    ({ row, up, down, difference, unit }) => {
      const values = difference(candles);
      const found = new Set(keysOf(hitsOf(row, candles)));
      let crossings = 0;
      let tiny = 0;
      const wrong: string[] = [];
      for (let i = Math.max(row.warmup, 1); i < values.length; i++) {
        const isTiny = [i - 1, i].some((bar) => Math.abs(values[bar]) <= unit(candles, bar));
        tiny += Number(isTiny);
        if (isTiny) continue;
        for (const [id, direction] of [
          [up, 1],
          [down, -1],
        ] as const) {
          if (id === "") continue;
          const crosses = direction * values[i - 1] < 0 && direction * values[i] > 0;
          crossings += Number(crosses);
          if (crosses !== found.has(`${id} confirmed ${i}`)) wrong.push(`${id} ${i}`);
        }
      }
      expect(wrong).toEqual([]);
      expect(crossings).toBeGreaterThan(10);
      expect(tiny / values.length).toBeLessThan(0.02);
    },
  );
});
