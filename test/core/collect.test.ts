import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Bar, barAt, findInvalidBar } from "../../src/core/market/candles.js";
import { type CollectedCandles, collectCandles } from "../../src/core/market/collect.js";

const SOUND: Bar = { time: 60_000, open: 10, high: 12, low: 9, close: 11, volume: 5 };
const bar = (change: Partial<Bar> = {}): Bar => ({ ...SOUND, ...change });
const collect = (rows: readonly Bar[]): CollectedCandles => collectCandles("T", "1m", rows);
const rowsOf = ({ candles }: CollectedCandles) => Array.from(candles.time, (_, i) => barAt(candles, i));

describe("order and duplicates", () => {
  it("sorts by time whatever the order was", () => {
    const times = [5, 1, 4, 2, 3].map((n) => n * 60_000);
    const collected = collect(times.map((time) => bar({ time })));
    expect(Array.from(collected.candles.time)).toEqual([1, 2, 3, 4, 5].map((n) => n * 60_000));
    expect(collected.rejected).toEqual([]);
    expect(collected.notes).toEqual([
      { kind: "out_of_order", time: 60_000, count: 2, detail: "2 rows are older than the one before" },
    ]);
  });

  it("keeps one of equal rows and counts the others", () => {
    const collected = collect([bar(), bar(), bar()]);
    expect(rowsOf(collected)).toEqual([bar()]);
    expect(collected.rejected).toEqual([]);
    expect(collected.notes).toEqual([
      { kind: "repeated", time: 60_000, count: 2, detail: "2 rows stand there again" },
    ]);
  });

  it.each([
    ["open", { open: 10.05 }],
    ["high", { high: 12.1 }],
    ["low", { low: 8.95 }],
    ["close", { close: 10.95 }],
    ["volume", { volume: 6 }],
  ])("takes the later of two rows that differ a little in %s and names both", (_column, change) => {
    const collected = collect([bar(), bar(change)]);
    expect(rowsOf(collected)).toEqual([bar(change)]);
    expect(collected.rejected).toEqual([
      {
        time: 60_000,
        fault: "replaced_row",
        reason: "replaced by a later row of the same time",
        row: bar(),
        other: bar(change),
      },
    ]);
  });

  it.each([
    ["open", { open: 10.5 }],
    ["high", { high: 13 }],
    ["low", { low: 8 }],
    ["close", { close: 10 }],
  ])("takes neither of two rows that are far apart in %s, nor a third, and names both", (_column, change) => {
    const collected = collect([bar(), bar(change), bar()]);
    expect(rowsOf(collected)).toEqual([]);
    expect(collected.rejected).toEqual([
      {
        time: 60_000,
        fault: "contradicting_rows",
        reason: "two rows of this time differ",
        row: bar(),
        other: bar(change),
      },
    ]);
  });

  it("does not let an impossible row replace a sound one of the same time", () => {
    const rejected = [{ time: 60_000, reason: "price is not finite" }];
    expect(collect([bar(), bar({ close: Number.NaN })])).toMatchObject({ rejected });
    expect(rowsOf(collect([bar(), bar({ close: Number.NaN })]))).toEqual([bar()]);
    expect(rowsOf(collect([bar({ close: Number.NaN }), bar()]))).toEqual([bar()]);
  });

  it("gives no candles for no rows", () => {
    expect(collect([])).toMatchObject({ rejected: [] });
    expect(collect([]).candles.time.length).toBe(0);
  });
});

describe("impossible rows", () => {
  const price = ["open", "high", "low", "close"] as const;
  const never = [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  const cases: [string, Partial<Bar>, string, string][] = [
    ...price.flatMap((column) =>
      never.map((value): [string, Partial<Bar>, string, string] => [
        `${column} is ${value}`,
        { [column]: value },
        "price is not finite",
        "price_not_finite",
      ]),
    ),
    [
      "high and low are opposite infinities",
      { high: Infinity, low: -Infinity },
      "price is not finite",
      "price_not_finite",
    ],
    [
      "every price is 0",
      { open: 0, high: 0, low: 0, close: 0 },
      "price is not positive",
      "price_not_positive",
    ],
    ["low is 0", { low: 0 }, "price is not positive", "price_not_positive"],
    ["low is negative", { low: -1 }, "price is not positive", "price_not_positive"],
    [
      "every price is -1",
      { open: -1, high: -1, low: -1, close: -1 },
      "price is not positive",
      "price_not_positive",
    ],
    ["high is below low", { high: 8, low: 9.5 }, "low is above open, close or high", "high_below_low"],
    ["close is negative", { close: -1 }, "price is not positive", "price_not_positive"],
    ["low is above the open", { low: 10.5 }, "low is above open, close or high", "price_out_of_range"],
    [
      "low is above the close",
      { open: 11, close: 10, low: 10.5 },
      "low is above open, close or high",
      "price_out_of_range",
    ],
    ["high is below the close", { high: 10.5 }, "high is below open or close", "price_out_of_range"],
    ["high is below the open", { open: 12.5 }, "high is below open or close", "price_out_of_range"],
    ["volume is negative", { volume: -1 }, "volume is negative or not finite", "volume_invalid"],
    ["volume is NaN", { volume: Number.NaN }, "volume is negative or not finite", "volume_invalid"],
    ["volume is infinite", { volume: Infinity }, "volume is negative or not finite", "volume_invalid"],
    ["time is NaN", { time: Number.NaN }, "time is not a number", "time_invalid"],
    ["time is infinite", { time: Infinity }, "time is not a number", "time_invalid"],
  ];
  it.each(cases)("are left out and named when %s", (_name, change, reason, fault) => {
    const good = [bar({ time: 0 }), bar({ time: 120_000 })];
    const collected = collect([good[0], bar(change), good[1]]);
    expect(rowsOf(collected)).toEqual(good);
    expect(collected.rejected).toEqual([{ time: bar(change).time, fault, reason, row: bar(change) }]);
  });

  it("flat bars and bars without volume are sound", () => {
    const flat = bar({ open: 10, high: 10, low: 10, close: 10, volume: 0 });
    expect(rowsOf(collect([flat]))).toEqual([flat]);
  });
});

describe("any rows whatever", () => {
  const number = fc.oneof(
    fc.double({ min: 0.5, max: 20 }),
    fc.double(),
    fc.constantFrom(0, -1, Number.NaN, Infinity),
  );
  const rows = fc.array(
    fc.record({
      time: fc.oneof(
        fc.integer({ min: 0, max: 9 }).map((n) => n * 60_000),
        number,
      ),
      open: number,
      high: number,
      low: number,
      close: number,
      volume: number,
    }),
    { maxLength: 40 },
  );

  it("give a valid series, and every row is in it or named", () => {
    fc.assert(
      fc.property(rows, (given) => {
        const { candles, rejected } = collect(given);
        expect(findInvalidBar(candles)).toBeNull();
        const equal = (a: Bar, b: Bar) =>
          Object.keys(SOUND).every((key) => a[key as keyof Bar] === b[key as keyof Bar]);
        const kept = Array.from(candles.time, (_, i) => barAt(candles, i));
        for (const row of given) {
          const named = rejected.some(({ time }) => Object.is(time, row.time));
          expect(named || kept.some((known) => equal(known, row))).toBe(true);
        }
      }),
    );
  });

  it("give the same series in any order when times differ", () => {
    fc.assert(
      fc.property(rows, fc.infiniteStream(fc.double({ min: 0, max: 1, noNaN: true })), (given, dice) => {
        const apart = given.map((row, i) => ({ ...row, time: i * 60_000 }));
        const shuffled = apart.map((row) => ({ row, key: dice.next().value as number }));
        shuffled.sort((a, b) => a.key - b.key);
        expect(collect(shuffled.map(({ row }) => row)).candles).toEqual(collect(apart).candles);
      }),
    );
  });
});
