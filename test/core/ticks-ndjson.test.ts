import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Spellings } from "../../src/core/ticks/batch.js";
import {
  type ReadTicks,
  readingTickRows,
  readingTickText,
  readTickRows,
  readTickText,
} from "../../src/core/ticks/read-ndjson.js";

const AT = Date.UTC(2024, 2, 4, 15, 0);
const GOOD = { symbol: "SPY", time: AT, price: 100.5, size: 10 };

function read(text: string): ReadTicks {
  const result = readTickText(text);
  if ("problem" in result) throw new Error(result.problem);
  return result;
}

const lines = (...rows: unknown[]) =>
  rows.map((row) => (typeof row === "string" ? row : JSON.stringify(row))).join("\n");

describe("rows of ticks", () => {
  it("are read from lines and from an array alike", () => {
    const rows = [
      GOOD,
      { ...GOOD, symbol: "btc", id: 7, exchange: "P" },
      { ...GOOD, symbol: "BTC/USD", id: null },
      { ...GOOD, id: Number.MAX_SAFE_INTEGER },
    ];
    const expected = {
      symbols: ["SPY", "BTC-USD"],
      ticks: {
        symbol: Uint16Array.of(0, 1, 1, 0),
        time: Float64Array.of(AT, AT, AT, AT),
        price: Float64Array.of(100.5, 100.5, 100.5, 100.5),
        size: Float64Array.of(10, 10, 10, 10),
        id: Float64Array.of(Number.NaN, 7, Number.NaN, Number.MAX_SAFE_INTEGER),
      },
      row: Int32Array.of(0, 1, 2, 3),
      refused: [],
    };
    expect(read(lines(...rows))).toEqual(expected);
    expect(read(`${lines(...rows).replaceAll("\n", "\r\n\r\n")}\n`)).toEqual(expected);
    expect(read(` ${JSON.stringify(rows)}`)).toEqual(expected);
    expect(readTickRows(rows)).toEqual(expected);
  });

  it("are the same where spellings of other batches are known, of which no more are kept than have room", () => {
    const spellings = new Spellings();
    const many = Array.from({ length: 70_000 }, (_, k) => ({ ...GOOD, symbol: `S${k}` }));
    expect(readTickRows(many, spellings).refused.length).toBe(70_000 - 65_536);
    for (const symbol of ["spy", "BTC", "S P", "s7"]) {
      const text = lines({ ...GOOD, symbol });
      const fresh = readTickText(text);
      for (let again = 0; again < 2; again++) expect(readTickText(text, spellings)).toEqual(fresh);
    }
  });

  it("of nothing are none", () => {
    expect(read("").ticks.time.length).toBe(0);
    expect(read("[]").ticks.time.length).toBe(0);
    expect(readTickText("[1, 2")).toEqual({ problem: "body is not a JSON array" });
  });

  const bad: readonly [unknown, string][] = [
    ["{", "row is not JSON"],
    ['{"symbol":"SPY"} {}', "row is not JSON"],
    ["null", "row is not an object"],
    ["7", "row is not an object"],
    ['"row is not JSON"', "row is not an object"],
    ["[1]", "row is not JSON"],
    [{ ...GOOD, symbol: undefined }, "symbol is not text"],
    [{ ...GOOD, symbol: 7 }, "symbol is not text"],
    [{ ...GOOD, symbol: "S P" }, "symbol is not a symbol"],
    [{ ...GOOD, symbol: "" }, "symbol is not a symbol"],
    [{ ...GOOD, time: undefined }, "time is neither epoch ms nor RFC 3339"],
    [{ ...GOOD, time: null }, "time is neither epoch ms nor RFC 3339"],
    ['{"symbol":"SPY","time":1e999,"price":1,"size":1}', "time is neither epoch ms nor RFC 3339"],
    [{ ...GOOD, price: "100" }, "not_finite: price is not a finite number"],
    ['{"symbol":"SPY","time":1,"price":1e999,"size":1}', "not_finite: price is not a finite number"],
    [{ ...GOOD, price: null }, "not_finite: price is not a finite number"],
    [{ ...GOOD, size: undefined }, "not_finite: size is not a finite number"],
    [{ ...GOOD, size: true }, "not_finite: size is not a finite number"],
    [{ ...GOOD, id: "7" }, "id is not a finite number"],
    ['{"symbol":"SPY","time":1,"price":1,"size":1,"id":1e999}', "id is not a finite number"],
    [
      '{"symbol":"SPY","time":1,"price":1,"size":1,"id":9007199254740993}',
      "id_not_exact: id is not a whole number within 2^53 - 1",
    ],
    [{ ...GOOD, id: -(2 ** 53) }, "id_not_exact: id is not a whole number within 2^53 - 1"],
    [{ ...GOOD, id: 0.5 }, "id_not_exact: id is not a whole number within 2^53 - 1"],
  ];
  it.each(bad.filter(([row]) => row !== "[1]"))("%j between good ones: %s", (row, reason) => {
    const { ticks, row: places, refused } = read(lines(GOOD, row, GOOD));
    expect(refused).toEqual([{ index: 1, reason }]);
    expect([...places]).toEqual([0, 2]);
    expect([...ticks.price]).toEqual([100.5, 100.5]);
  });

  it("too many are told before one is read, however many they are; empty lines are none", () => {
    const problem = { problem: "at most 65536 rows" };
    const first = (text: string) => readingTickText(text, 65_536).next();
    expect(first("x\n".repeat(8_000_000))).toEqual({ done: true, value: problem });
    expect(first(`[${"1,".repeat(65_536)}1]`)).toEqual({ done: true, value: problem });
    expect(first(`${"x\n \t\r\n\u00a0\n".repeat(65_536)}\n`).done).toBe(false);
    expect(read("\u00a0x\n\u00a0\n").refused).toHaveLength(1);
  });

  it("are read in slices, between which others have their turn", () => {
    const text = lines(...Array.from({ length: 5_000 }, (_, i) => ({ ...GOOD, price: 1 + i })));
    for (const reading of [
      readingTickText(text, 65_536),
      readingTickRows(text.split("\n").map((line) => JSON.parse(line))),
    ]) {
      let slices = 0;
      let step = reading.next();
      for (; step.done !== true; step = reading.next()) slices++;
      expect(slices).toBe(5);
      expect(step.value).toEqual(read(text));
    }
  });

  it("after a mark of the order of bytes lose none, and an array in the first line is a row", () => {
    for (const text of [lines(GOOD, GOOD), JSON.stringify([GOOD, GOOD])])
      expect(read(`\ufeff${text}`)).toEqual(read(text));
    const { refused, row } = read(lines("[1]", GOOD, GOOD));
    expect(refused).toEqual([{ index: 0, reason: "row is not an object" }]);
    expect([...row]).toEqual([1, 2]);
  });

  it("in an array that are no objects are refused", () => {
    expect(readTickRows([GOOD, [1], null, "x"]).refused).toEqual(
      [1, 2, 3].map((index) => ({ index, reason: "row is not an object" })),
    );
  });

  it("leave to the guard what a number may be", () => {
    const { refused, ticks } = read(lines({ ...GOOD, price: -1, size: -2 }));
    expect(refused).toEqual([]);
    expect([ticks.price[0], ticks.size[0]]).toEqual([-1, -2]);
  });

  it("take no more from a row than it says of itself", () => {
    const row = '{"__proto__":{"symbol":"SPY","time":1,"price":1,"size":1}}';
    expect(read(row).refused).toEqual([{ index: 0, reason: "symbol is not text" }]);
  });
});

describe("time as text", () => {
  const timeOf = (time: string) => read(lines({ ...GOOD, time })).ticks.time[0];
  it.each([
    ["2024-03-04T15:00:00Z", AT],
    ["2024-03-04t15:00:00z", AT],
    ["2024-03-04 15:00:00Z", AT],
    ["2024-03-04T10:00:00-05:00", AT],
    ["2024-03-04T20:30:00+05:30", AT],
    ["2024-03-04T15:00:00.123456789Z", AT + 123],
    ["2024-03-04T15:00:00.5Z", AT + 500],
    ["2024-02-29T00:00:00Z", Date.UTC(2024, 1, 29)],
    ["0099-01-01T00:00:00Z", Date.parse("0099-01-01T00:00:00Z")],
  ])("%s", (text, expected) => {
    expect(timeOf(text)).toBe(expected);
  });

  it.each([
    "2024-03-04",
    "2024-03-04T15:00:00",
    "2024-03-04T15:00Z",
    "2024-02-30T15:00:00Z",
    "2023-02-29T15:00:00Z",
    "2024-03-04T24:00:00Z",
    "2024-03-04T15:60:00Z",
    "2024-03-04T15:00:60Z",
    "2024-03-04T15:00:00+25:00",
    "Mon, 04 Mar 2024 15:00:00 GMT",
    "1709564400000",
    "",
  ])("%s is none", (text) => {
    expect(timeOf(text)).toBeUndefined();
  });

  it("is what the runtime writes", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 4e12 }), (timeMs) => {
        expect(timeOf(new Date(timeMs).toISOString())).toBe(timeMs);
      }),
    );
  });
});

it("of any text come ticks or reasons, and every row is one of both", () => {
  const anything = fc.oneof(
    fc.string(),
    fc.json(),
    fc
      .record({ symbol: fc.string(), time: fc.double(), price: fc.double(), size: fc.anything() })
      .map((row) => JSON.stringify(row) ?? ""),
  );
  fc.assert(
    fc.property(fc.array(anything), (rows) => {
      const result = readTickText(rows.join("\n"));
      if ("problem" in result) return;
      const places = [...result.row, ...result.refused.map(({ index }) => index)];
      expect(places.toSorted((a, b) => a - b)).toEqual(places.map((_, index) => index));
    }),
    { numRuns: 500 },
  );
});
