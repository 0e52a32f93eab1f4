import { describe, expect, it } from "vitest";
import { createRng, drawSpread, hash32 } from "../../src/core/base/rng.js";
import { defineFeature, type Feature } from "../../src/core/learning/features/define.js";
import {
  computeFeatures,
  FEATURE_MEMORY,
  FEATURE_SCHEMA,
  FEATURE_WARMUP,
  FEATURES,
  findFeature,
  schemaOf,
  turnedBy,
} from "../../src/core/learning/features/index.js";
import { FeatureSeries, LONGER_INTERVALS } from "../../src/core/learning/features/series.js";
import { BAR_COLUMNS, type Candles, findInvalidBar } from "../../src/core/market/candles.js";
import { isInterval } from "../../src/core/market/interval.js";
import { calendarOf } from "../../src/core/market/session.js";
import { copyCandles, featureCase, mirrored, scaled, stormy } from "../fixtures/feature-series.js";
import { firstDifference, readBars } from "../fixtures/series.js";
import { sharedPath } from "../fixtures/shared.js";

const cases = {
  "hours of a market that never closes": featureCase("24x7", "1h", 900, 1),
  "five minutes of sessions": featureCase("XNYS", "5m", 900, 2),
  days: featureCase("XNYS", "1d", 700, 3),
  "hours in ticks, some without a trade": featureCase("24x7", "1h", 700, 4, { tick: 0.5, quiet: true }),
  "hours with a storm": stormy(featureCase("24x7", "1h", 700, 11), 500),
};
type CaseName = keyof typeof cases;
const names = Object.keys(cases) as CaseName[];

function columnsOf(
  { candles, context }: (typeof cases)[CaseName],
  bars: Candles = candles,
): readonly Float64Array[] {
  return computeFeatures(bars, context).columns;
}

const whole = Object.fromEntries(names.map((name) => [name, columnsOf(cases[name])])) as Record<
  CaseName,
  readonly Float64Array[]
>;
const walk = cases["hours of a market that never closes"];
const walkColumns = whole["hours of a market that never closes"];

const PREFIXES = 24;
const prefixes = names.map((name) => {
  const { candles } = cases[name];
  const cuts = drawSpread(candles.time.length, PREFIXES, createRng(8, candles.time.length));
  return {
    name,
    cuts: cuts.map((cut) => ({ cut, columns: columnsOf(cases[name], copyCandles(candles, 0, cut)) })),
  };
});
const afterwards = columnsOf(walk);
const rescaled = columnsOf(walk, scaled(walk.candles, 7.3, 11));
const upsideDown = columnsOf(walk, mirrored(walk.candles));
const turned = turnedBy(FEATURES);

/** Largest difference of two columns; infinite where one is NaN alone. */
function worst(left: Float64Array, right: Float64Array, from = 0): number {
  let most = 0;
  for (let i = from; i < left.length; i++) {
    if (Number.isNaN(left[i]) && Number.isNaN(right[i])) continue;
    const difference = Math.abs(left[i] - right[i]);
    if (!(difference <= most)) most = Number.isNaN(difference) ? Number.POSITIVE_INFINITY : difference;
  }
  return most;
}

/** Whether a bar must have a value: its warm-ups are over, and what it needs is there. */
function isDue({ warmup, longerWarmup }: Feature, newest: Int32Array, i: number): boolean {
  return i >= warmup && newest[i] >= longerWarmup - Number(longerWarmup === 0);
}

/** What is given from outside is not known at every bar. */
const isGiven = ({ needs }: Feature) => needs === "sentiment" || needs === "edges";

describe("table of features", () => {
  it("names each row once, finds it and says what it is", () => {
    expect(new Set(FEATURES.map(({ id }) => id)).size).toBe(FEATURES.length);
    expect(FEATURES.length).toBeGreaterThanOrEqual(60);
    expect(Object.isFrozen(FEATURES)).toBe(true);
    for (const row of FEATURES) {
      expect(findFeature(row.id)).toBe(row);
      expect(Object.isFrozen(row)).toBe(true);
      expect(row.title, row.id).toMatch(/^[A-Z]/);
      expect(row.description, row.id).toMatch(/^[A-Z].*\.$/);
    }
    expect(findFeature("none_such")).toBeNull();
    expect(FEATURE_WARMUP).toBe(Math.max(...FEATURES.map(({ warmup }) => warmup)));
  });

  it("turns the list, its order and every definition into a schema of its own", () => {
    expect(FEATURE_SCHEMA).toBe(schemaOf(FEATURES));
    const [first, second, ...rest] = FEATURES;
    const others = [
      [second, first, ...rest],
      [first, ...rest],
      [{ ...first, warmup: first.warmup + 1 }, second, ...rest],
      [{ ...first, revision: 2 }, second, ...rest],
      [{ ...first, description: `${first.description} More.` }, second, ...rest],
    ].map(schemaOf);
    expect(new Set([FEATURE_SCHEMA, ...others]).size).toBe(others.length + 1);
  });

  it("gives the values that its schema stands for: whoever changes a formula raises the revision of its row", () => {
    const texts = walkColumns.map((column) =>
      [259, 300, 512, 899].map((i) => column[i].toPrecision(8)).join(" "),
    );
    expect([FEATURE_SCHEMA, hash32(texts.join("\n")).toString(16)]).toEqual(["6af28dd6", "6aeec723"]);
  });

  it("pairs opposites with each other, alike but for their words", () => {
    for (const row of FEATURES) {
      if (row.opposite === null) continue;
      const other = findFeature(row.opposite);
      expect(other?.opposite).toBe(row.id);
      expect([other?.unit, other?.warmup, other?.asOf]).toEqual([row.unit, row.warmup, row.asOf]);
    }
  });

  it("refuses a row that has both a sign and an opposite, a bad id or half a bar of warm-up", () => {
    const row = {
      id: "row",
      title: "Row",
      description: "Row.",
      unit: "share",
      warmup: 0,
      compute: ({ closes }: FeatureSeries) => closes,
    } as const;
    expect(defineFeature(row).revision).toBe(1);
    expect(() => defineFeature({ ...row, signed: true, opposite: "other" })).toThrow("a sign or an opposite");
    expect(() => defineFeature({ ...row, id: "Row" })).toThrow("feature id");
    expect(() => defineFeature({ ...row, warmup: 0.5 })).toThrow("warm-up");
  });

  it("looks at an interval that is longer than each but the longest", () => {
    for (const [interval, longer] of Object.entries(LONGER_INTERVALS)) {
      expect(isInterval(interval) && (longer === null || isInterval(longer))).toBe(true);
      expect(longer).not.toBe(interval);
    }
  });
});

describe.each(FEATURES.map((feature, k) => [feature.id, feature, k] as const))("%s", (_, feature, k) => {
  it("is NaN exactly through its warm-up and finite after it", () => {
    for (const name of names) {
      const column = whole[name][k];
      const { candles, context } = cases[name];
      const { newest } = new FeatureSeries(candles, context).longer;
      expect(column.length).toBe(candles.time.length);
      const wrong = column.findIndex((value, i) => {
        const due = isDue(feature, newest, i);
        return isGiven(feature) ? !due && !Number.isNaN(value) : Number.isFinite(value) !== due;
      });
      expect(wrong, name).toBe(-1);
      expect(column.some(Number.isFinite), name).toBe(true);
    }
  });

  it("sees no future: prefixes give the same bits", () => {
    for (const { name, cuts } of prefixes) {
      for (const { cut, columns } of cuts) {
        const at = firstDifference(columns[k], whole[name][k], 0, cut);
        expect(at, `${name}, prefix ${cut}`).toBe(-1);
      }
    }
  });

  it("gives the same bits twice", () => {
    expect(firstDifference(afterwards[k], walkColumns[k])).toBe(-1);
  });

  it("knows no scale of prices and volumes", () => {
    expect(worst(rescaled[k], walkColumns[k])).toBeLessThan(1e-9);
  });

  it("is no constant", () => {
    const values = names.flatMap((name) => [...whole[name][k]]).filter((value) => !Number.isNaN(value));
    expect(new Set(values).size).toBeGreaterThan(1);
  });
});

/** What the other direction sees in a feature. */
const otherSide = (feature: Feature, k: number) =>
  walkColumns[turned.from[k]].map((value) => (feature.signed ? -value : value));

// Sentiment and edges have no prices to be mirrored.
const mirrors = FEATURES.map((feature, k) => [feature.id, feature, k] as const).filter(
  ([, row]) => !isGiven(row),
);

describe("in a mirror", () => {
  it.each(mirrors.filter(([, { mirror }]) => mirror === "exact"))(
    "%s is what the other direction sees",
    (...row) => {
      const [, feature, k] = row;
      expect(worst(upsideDown[k], otherSide(feature, k))).toBeLessThan(1e-9);
    },
  );

  it.each(mirrors.filter(([, { mirror }]) => mirror === "near"))("%s is nearly that", (_, feature, k) => {
    const seen = otherSide(feature, k);
    const slack = feature.unit === "count" ? 1 : 0.1;
    const near = upsideDown[k].filter((value, i) => Math.abs(value - seen[i]) <= slack);
    expect(near.length / (seen.length - feature.warmup)).toBeGreaterThan(0.75);
  });
});

describe("columns of features", () => {
  it("leave the bars as they were", () => {
    const before = copyCandles(walk.candles);
    columnsOf(walk);
    for (const column of BAR_COLUMNS) expect(firstDifference(before[column], walk.candles[column])).toBe(-1);
  });

  it("share no memory with each other or with the bars", () => {
    const buffers = [...columnsOf(walk), ...BAR_COLUMNS.map((column) => walk.candles[column])].map(
      ({ buffer }) => buffer,
    );
    expect(new Set(buffers).size).toBe(buffers.length);
  });

  it("are those of a window that ends at the same bar, within a millionth", () => {
    const long = featureCase("24x7", "1h", 1_500, 9);
    const columns = columnsOf(long);
    for (const end of [FEATURE_MEMORY + 37, 1_003, 1_500]) {
      const window = columnsOf(long, copyCandles(long.candles, end - FEATURE_MEMORY, end));
      for (const [k, { id }] of FEATURES.entries()) {
        const difference = Math.abs(window[k][FEATURE_MEMORY - 1] - columns[k][end - 1]);
        if (!Number.isNaN(columns[k][end - 1])) expect(difference, `${id} at ${end}`).toBeLessThan(1e-6);
      }
    }
  });

  it("are 0 or still where nothing moves, and NaN where volume is absent", () => {
    const { candles, context } = featureCase("24x7", "1h", 600, 5);
    for (const column of [candles.open, candles.high, candles.low, candles.close]) column.fill(42.7);
    candles.volume.fill(0);
    const { columns } = computeFeatures(candles, context);
    for (const [k, { id, needs, signed }] of FEATURES.entries()) {
      const value = columns[k][599];
      if (needs === "volume") expect(columns[k].every(Number.isNaN), id).toBe(true);
      else if (needs !== "sentiment" && needs !== "edges") expect(Number.isFinite(value), id).toBe(true);
      if (signed && needs === null) expect(Math.abs(value), id).toBeLessThan(1e-9);
    }
  });

  it("of bars of no length and of one bar are as long as these", () => {
    for (const length of [0, 1, 2]) {
      for (const column of columnsOf(walk, copyCandles(walk.candles, 0, length)))
        expect(column.length).toBe(length);
    }
  });

  it("take longer bars that are given, each once it has closed", () => {
    const { candles, context } = featureCase("24x7", "1h", 600, 6);
    const made = new FeatureSeries(candles, context).longer;
    const days = featureCase("24x7", "1d", 60, 7).candles;
    const { longer, closes } = new FeatureSeries(candles, { ...context, longer: days });
    for (let i = 0; i < 600; i++) {
      expect(longer.newest[i]).toBe(days.time.filter((open) => open + 86_400_000 <= closes[i]).length - 1);
    }
    expect(made.newest[599]).toBe(24);
    expect(() => new FeatureSeries(days, { ...context, longer: candles })).toThrow("longer bars are longer");
  });

  it("are NaN where sentiment is older than it is kept or not yet known", () => {
    const { candles, context } = featureCase("24x7", "1h", 50, 6);
    const hour = 3_600_000;
    const at = candles.time[10];
    const sentiment = {
      knownAt: Float64Array.of(at, at + 1),
      value: Float64Array.of(0.3, -0.5),
      keptMs: 3 * hour,
    };
    const column = computeFeatures(candles, { ...context, sentiment }).columns[
      FEATURES.findIndex(({ id }) => id === "sentiment")
    ];
    expect([...column.slice(8, 15)]).toEqual([Number.NaN, 0.3, -0.5, -0.5, -0.5, Number.NaN, Number.NaN]);
  });
});

const FILES = [
  { path: ["daily", "kaggle-MSFT.csv.gz"], interval: "1d", calendar: "XNYS", shiftMs: 14.5 * 3_600_000 },
  { path: ["intraday", "freqtrade-ETH_BTC-5m.csv.gz"], interval: "5m", calendar: "24x7", shiftMs: 0 },
  { path: ["intraday", "ejtrader-GBPUSD-1h.csv.gz"], interval: "1h", calendar: "FX", shiftMs: 0 },
] as const;

describe.each(FILES)("features of $path", ({ path, interval, calendar, shiftMs }) => {
  const file = sharedPath("data", ...path);

  it.skipIf(file === null)("are defined where they are due, see no future and know no scale", () => {
    const bars = readBars(file ?? "");
    const candles = copyCandles(
      { symbol: "FILE", interval, ...bars, time: bars.time.map((time) => time + shiftMs) },
      0,
      1_500,
    );
    expect(findInvalidBar(candles)).toBeNull();
    const context = { calendar: calendarOf(calendar) };
    const { columns } = computeFeatures(candles, context);
    const { newest } = new FeatureSeries(candles, context).longer;
    expect(newest[1_499]).toBeGreaterThan(50);
    const other = computeFeatures(scaled(candles, 8, 11), context).columns;
    for (const [k, feature] of FEATURES.entries()) {
      if (isGiven(feature)) continue;
      const wrong = columns[k].findIndex((value, i) => Number.isFinite(value) !== isDue(feature, newest, i));
      // Some bars lie outside sessions, where there is no time of the session.
      if (feature.needs !== "session") expect(wrong, `${feature.id} at ${wrong}`).toBe(-1);
      expect(worst(other[k], columns[k]), feature.id).toBeLessThan(1e-9);
    }
    for (const cut of [300, 777, 1_204]) {
      const part = computeFeatures(copyCandles(candles, 0, cut), context).columns;
      const wrong = FEATURES.filter((_, k) => firstDifference(part[k], columns[k], 0, cut) !== -1);
      expect(wrong.map(({ id }) => id)).toEqual([]);
    }
  });
});
