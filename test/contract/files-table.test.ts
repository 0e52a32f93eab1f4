import { describe, expect, it } from "vitest";
import { barAt } from "../../src/core/market/candles.js";
import type { Interval } from "../../src/core/market/interval.js";
import { TableError } from "../../src/providers/files-layout.js";
import { parseTable } from "../../src/providers/files-table.js";

const at = (text: string) => Date.parse(text);
const iso = (ms: number) => `${new Date(ms).toISOString().slice(0, 16)}Z`;
const HEADER = "timestamp,open,high,low,close,volume";
const DAYS = "date,open,high,low,close,volume\n2024-07-01,10,12,9,11,100\n2024-07-02,11,13,10,12,200\n";

describe("a table", () => {
  const times = (text: string) => Array.from(parseTable(text).bars.time, iso);
  const row = (time: string) => `${time},10,12,9,11,100`;
  const table = (...stamps: string[]) => `${HEADER}\n${stamps.map(row).join("\n")}\n`;

  it.each([
    ["seconds", ["1719840600", "1719840660"]],
    ["milliseconds", ["1719840600000", "1719840660000"]],
    ["UTC", ["2024-07-01T13:30:00Z", "2024-07-01T13:31:00Z"]],
    ["UTC without seconds", ["2024-07-01T13:30Z", "2024-07-01 13:31Z"]],
    ["an offset", ["2024-07-01T09:30:00-04:00", "2024-07-01 09:31:00-04:00"]],
    ["an offset without a colon", ["2024-07-01T19:00:00+0530", "2024-07-01 19:01:00 +0530"]],
    ["milliseconds of a second", ["2024-07-01T13:30:00.000Z", "2024-07-01T13:31:00.000Z"]],
  ])("is read with times as %s", (_name, stamps) => {
    expect(times(table(...stamps))).toEqual(["2024-07-01T13:30Z", "2024-07-01T13:31Z"]);
  });

  it.each([
    ["without a zone", "2024-07-01 09:30:00"],
    ["of the US", "07/01/2024"],
    ["of Germany", "01.07.2024 22:00:00.000"],
    ["of no day", "2024-02-30T09:30:00Z"],
    ["in microseconds", "1719840600000000"],
    ["in words", "yesterday"],
  ])("is refused with times %s, and the reason shows one", (_name, stamp) => {
    expect(() => parseTable(table(stamp, stamp))).toThrow(TableError);
    expect(() => parseTable(table(stamp, stamp))).toThrow(`time cannot be read: ${stamp}`);
  });

  it.each([
    ["months first", ["1/31/2024", "2/1/2024"]],
    ["days first", ["31/01/2024", "1/2/2024"]],
    ["points", ["31.1.2024", "1.2.2024"]],
    ["midnights", ["2024-01-31 00:00:00", "2024-02-01T00:00:00.000"]],
  ])("is read with dates written %s", (_name, stamps) => {
    const { bars, dates } = parseTable(table(...stamps));
    expect(dates).toBe(true);
    expect(Array.from(bars.time, iso)).toEqual(["2024-01-31T00:00Z", "2024-02-01T00:00Z"]);
  });

  it("is read with times of a zone that somebody has told, summer and winter", () => {
    const text = table("31.01.2024 09:30:00.000", "31.01.2024 10:30:00.000", "01.07.2024 09:30");
    const { bars } = parseTable(text, { zone: "America/New_York" });
    expect(Array.from(bars.time, iso)).toEqual([
      "2024-01-31T14:30Z",
      "2024-01-31T15:30Z",
      "2024-07-01T13:30Z",
    ]);
  });

  it("is read without a header once its columns are told, and prices are scaled", () => {
    const columns = ["time", "open", "close", "high", "low", "volume"];
    const text = "34200000,100000,110000,120000,90000,5\n34260000,100000,110000,120000,90000,6\n";
    const told = { columns, zone: "America/New_York", day: "2024-07-01", price_scale: 1e-4 };
    const { bars, interval } = parseTable(text, told);
    expect(interval).toBe("1m");
    const time = at("2024-07-01T13:30Z");
    expect(barAt(bars, 0)).toEqual({ time, open: 10, high: 12, low: 9, close: 11, volume: 5 });
    expect(() => parseTable(text)).toThrow("line 1: has no column named timestamp");
  });

  it("is read with the three heads of yfinance, and refused with two tickers", () => {
    const rows = "2024-07-01,11,12,9,10,100\n2024-07-02,12,13,10,11,200\n";
    const head = (other: string) =>
      `Price,Close,High,Low,Open,Volume\nTicker,SPY,SPY,SPY,${other},SPY\nDate,,,,,\n${rows}`;
    expect(barAt(parseTable(head("SPY")).bars, 0)).toMatchObject({ open: 10, high: 12, low: 9, close: 11 });
    expect(() => parseTable(head("QQQ"))).toThrow("line 2: holds 2 symbols");
  });

  it("names single rows whose time cannot be read and keeps the others", () => {
    const { bars, unreadable } = parseTable(table("1719840600", "soon", "1719840660", "2024-07-01", ""));
    expect(bars.time.length).toBe(2);
    expect(unreadable).toEqual([
      { line: 3, reason: "time cannot be read: soon" },
      { line: 5, reason: "time cannot be read: 2024-07-01" },
      { line: 6, reason: "time cannot be read: " },
    ]);
    const dates = parseTable(`${DAYS}2024-02-30,1,1,1,1,1\n2024-07-03T00:00:00Z,1,1,1,1,1\n`);
    expect(dates.unreadable.map(({ line }) => line)).toEqual([4, 5]);
  });

  it("has columns in any order and case, with a byte order mark, carriage returns and quotes", () => {
    const text = '\uFEFF"Close", VOLUME ,Low,Date,High,Open,Adj Close\r\n';
    const rows = '11,"100",9,2024-07-01,12,10,5.5\r\n12,200,10,2024-07-02,13,11,6\r\n';
    const { bars, dates, interval } = parseTable(text + rows);
    expect({ dates, interval }).toEqual({ dates: true, interval: "1d" });
    expect(barAt(bars, 0)).toEqual({
      time: at("2024-07-01"),
      open: 10,
      high: 12,
      low: 9,
      close: 11,
      volume: 100,
    });
  });

  it.each([
    ["semicolons and decimal commas", ";", ","],
    ["semicolons", ";", "."],
    ["tabs", "\t", ","],
  ])("is read with %s", (_name, mark, point) => {
    const lines = DAYS.trim()
      .split("\n")
      .map((line) => line.replaceAll(",", mark).replace("11", `11${point}25`));
    const { bars } = parseTable(
      [`\uFEFF${lines[0].replace("date", "Date")}`, ...lines.slice(1)].join("\r\n"),
    );
    expect([...bars.close]).toEqual([11.25, 12]);
    expect([...bars.open]).toEqual([10, 11.25]);
    expect([...bars.volume]).toEqual([100, 200]);
  });

  it("has a volume of 0 where there is none at all, and NaN where some have one and a cell does not", () => {
    expect(
      parseTable("date,open,high,low,close\n2024-07-01,1,1,1,1\n2024-07-02,1,1,1,1").bars.volume[1],
    ).toBe(0);
    const volumes = (...cells: string[]) =>
      Array.from(
        parseTable(`${HEADER}\n${cells.map((cell, i) => `2024-07-0${i + 1},1,1,1,1,${cell}`).join("\n")}\n`)
          .bars.volume,
      );
    expect(volumes("", "")).toEqual([0, 0]);
    for (const none of ["n/a", "N/A", "NaN", "null", "-", " "]) {
      expect(volumes("5", none)).toEqual([5, Number.NaN]);
      expect(volumes(none, none)).toEqual([0, 0]);
    }
    expect(volumes("", "few")).toEqual([Number.NaN, Number.NaN]);
    expect(volumes("7", "", "0")).toEqual([7, Number.NaN, 0]);
  });

  it.each<[Interval, number]>([
    ["1m", 1],
    ["5m", 5],
    ["15m", 15],
    ["30m", 30],
    ["1h", 60],
    ["4h", 240],
    ["1d", 1_440],
    ["1w", 10_080],
  ])("tells %s from its rows, newest or oldest first, with gaps", (interval, minutes) => {
    const places = [0, 1, 2, 3, 7, 8, 9, 30, 31, 32];
    const stamps = places.map((n) => String(1_719_792_000 + 60 * minutes * n));
    expect(parseTable(table(...stamps)).interval).toBe(interval);
    expect(parseTable(table(...[...stamps].reverse())).interval).toBe(interval);
  });

  it.each([
    ["nothing", "", "is empty"],
    ["a header alone", `${HEADER}\n`, "has fewer than two rows"],
    ["one row", table("1719840600"), "has fewer than two rows"],
    ["no time", "open,high,low,close\n1,1,1,1\n1,1,1,1\n", "has no column named timestamp"],
    ["no high", "date,open,low,close\n2024-07-01,1,1,1\n2024-07-02,1,1,1\n", "has no column high"],
    ["JSON", '{\n  "Information": "25 requests per day"\n}\n', "is not a table"],
    ["JSON on one line", '{"Information":"25 requests per day"}', "is not a table"],
    ["a list of JSON", "[]", "has no column named timestamp"],
    ["a page", "<!DOCTYPE html>\n<html>\n</html>\n", "has no column named timestamp"],
    ["minutes 7 apart", table("1719840600", "1719841020", "1719841440"), "has rows 7 minutes apart"],
    ["one moment", table("1719840600", "1719840600"), "has rows 0 minutes apart"],
  ])("is refused when it has %s", (_name, text, reason) => {
    expect(() => parseTable(text)).toThrow(reason);
  });
});
