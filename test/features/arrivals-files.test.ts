import { mkdtempSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createManualClock, type ManualClock } from "../fixtures/clock.js";
import { startTestProgram, type TestProgram } from "../fixtures/program.js";
import { DAYS_HEADER, type Day, dayLine, daysFile, scaled, walkDays } from "../fixtures/walks.js";

const NOW = Date.parse("2024-07-09T12:00:00Z");
const days = walkDays(5, "2024-01-02", 100, 50);

let folder: string;
let program: TestProgram;
let clock: ManualClock;
const write = (name: string, text: string) => writeFileSync(join(folder, name), text);
const lines = (...rows: string[]) => `${[DAYS_HEADER, ...rows].join("\n")}\n`;
const rows = days.map(dayLine);

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "tx-arrivals-files-"));
  const [other] = walkDays(6, "2024-05-23", 1, 150);
  write("TWO.csv", lines(...rows, dayLine({ ...other, date: days[50].date })));
  write("NEAR.csv", lines(...rows, dayLine(scaled(days[50], 1.001))));
  write("NEWEST.csv", lines(...[...rows].reverse(), rows[3], rows[3]));
  write("VOLUME.csv", lines(...rows.slice(0, 99), dayLine({ ...days[99], volume: -7 })));
  write("FUTURE.csv", lines(...rows, "2030-01-02,50,51,49,50,1", "2030-01-0"));
  write("RAW.csv", daysFile(days.map((day) => (day.date < "2024-03-01" ? scaled(day, 10) : day))));
  write("actions.csv", "symbol,ex_date,kind,ratio\nRAW,2024-03-01,split,10\n");
  write("SHUT.csv", lines(...rows, "2024-05-27,50,51,49,50,1", "2024-05-26,50,51,49,50,1"));
  const zoned = (day: Day, offset: string) => dayLine({ ...day, date: `${day.date} 00:00:00${offset}` });
  write("EAST.csv", lines(...days.map((day) => zoned(day, "+09:00"))));
  for (const [symbol, hours] of EPOCHS) {
    const stamped = (day: Day) => ({
      ...day,
      date: String(Date.parse(`${day.date}T00:00Z`) / 1_000 - hours * 3_600),
    });
    write(`${symbol}.csv`, lines(...days.map((day) => dayLine(stamped(day)))));
  }
  const silent = (day: Day, i: number) =>
    i === 20 || i === 30 ? dayLine(day).replace(/[^,]*$/, "") : dayLine(day);
  write("SILENT.csv", lines(...days.map(silent)));
  write("UNTOLD.csv", lines(...days.map((day) => dayLine(day).replace(/[^,]*$/, ""))));
  write("VOD.L.csv", lines(...rows, "2024-05-27,50,51,49,50,1"));
  write("files.json", JSON.stringify({ "VOD.L.csv": { calendar: "XNYS", currency: "GBP" } }));
  write("EDITED.csv", daysFile(days));
  clock = createManualClock(NOW);
  program = await startTestProgram({ clock, environment: { MARKET_DATA: "files", FILES_DIR: folder } });
  // The first file takes a thread to start.
  await program.server.inject("/api/candles/EAST?interval=1d");
});
/** Files of days stamped in epoch seconds with the midnight of a clock so many hours ahead of UTC; the last by the open. */
const EPOCHS = [
  ["APIA", 13],
  ["LINE", 14],
  ["TOKYO", 9],
  ["HAWAII", -10],
  ["INDIA", 5.5],
  ["LONDON", 1],
  ["HOME", -4],
  ["OPENS", -13.5],
] as const;
afterAll(async () => {
  await program.close();
  rmSync(folder, { recursive: true, force: true });
});

interface Told {
  code: string;
  severity: string;
  count: number;
  detail: string;
}
const datesOf = async (symbol: string) =>
  (await candlesOf(symbol)).map(({ timestamp }) => timestamp.slice(0, 10));
async function candlesOf(symbol: string, query = "") {
  const { data } = (await program.call(`/api/candles/${symbol}?interval=1d&limit=500${query}`)).json();
  return data as { timestamp: string; close: number }[];
}
const issuesOf = async (symbol: string): Promise<Told[]> =>
  (await program.call(`/api/data-quality/issues?symbol=${symbol}`)).json().data;

describe("rows of a file", () => {
  it("that contradict each other are both held back, and both are named", async () => {
    expect(await datesOf("TWO")).not.toContain(days[50].date);
    const told = await issuesOf("TWO");
    const issue = told.find(({ code }) => code === "contradicting_rows");
    expect(issue).toMatchObject({ severity: "critical", count: 1 });
    expect(issue?.detail).toContain(`close ${Number(days[50].close.toFixed(8))}`);
    expect(issue?.detail).toMatch(/ and open 150 .*both are held back$/);
  });

  it("that differ a little leave the later, and the issue says so", async () => {
    const stored = await candlesOf("NEAR");
    expect(stored[50].close).toBeCloseTo(days[50].close * 1.001, 5);
    const told = await issuesOf("NEAR");
    expect(told.find(({ code }) => code === "contradicting_rows")).toMatchObject({
      severity: "warning",
      detail: expect.stringContaining("the later stands"),
    });
  });

  it("that are out of order and repeated are counted where everybody can see it", async () => {
    expect(await datesOf("NEWEST")).toEqual(days.map(({ date }) => date));
    const told = await issuesOf("NEWEST");
    expect(told.map(({ code, count }) => [code, count]).sort()).toEqual([
      ["out_of_order", 99],
      ["repeated_row", 2],
    ]);
  });

  it("whose volume is none are told of as such", async () => {
    expect(await datesOf("VOLUME")).toHaveLength(99);
    expect(await issuesOf("VOLUME")).toMatchObject([
      {
        code: "volume_invalid",
        severity: "critical",
        count: 1,
        detail: expect.stringContaining("volume -7"),
      },
    ]);
  });

  it("of the future and without a time are told of, with the line", async () => {
    expect(await datesOf("FUTURE")).toHaveLength(100);
    const told = await issuesOf("FUTURE");
    expect(told.map(({ code, severity, count }) => [code, severity, count]).sort()).toEqual([
      ["future", "critical", 1],
      ["time_invalid", "critical", 1],
    ]);
    expect(told.find(({ code }) => code === "time_invalid")?.detail).toContain("line 103");
  });
});

it("a split that is known explains the fall of raw prices", async () => {
  expect(await candlesOf("RAW")).toHaveLength(100);
  expect(await issuesOf("RAW")).toEqual([]);
});

it("a bar of a share without a volume among others that have one is held back, and told of", async () => {
  const { length } = days;
  expect(await candlesOf("SILENT")).toHaveLength(length - 2);
  expect(await issuesOf("SILENT")).toMatchObject([
    { code: "volume_invalid", severity: "critical", count: 2 },
  ]);
  expect(await candlesOf("UNTOLD")).toHaveLength(length);
});

describe("days", () => {
  it("on which the exchange of the instrument was closed are held back", async () => {
    expect(await datesOf("SHUT")).toEqual(days.map(({ date }) => date));
    const told = await issuesOf("SHUT");
    expect(told.find(({ code }) => code === "off_session")).toMatchObject({ severity: "warning", count: 2 });
    const gaps = (await program.call("/api/candles/SHUT/gaps?from=2024-05-13&to=2024-05-18")).json().data;
    expect([gaps.expected, gaps.stored, gaps.missing]).toEqual([5, 5, 0]);
  });

  it("of an instrument that goes by the calendar of another exchange are taken as they are", async () => {
    expect(await datesOf("VOD.L")).toContain("2024-05-27");
    expect((await issuesOf("VOD.L")).map(({ code }) => code)).not.toContain("off_session");
  });

  it("that are stamped with the midnight of another clock have the date that stands there", async () => {
    expect(await datesOf("EAST")).toEqual(days.map(({ date }) => date));
    expect(await issuesOf("EAST")).toEqual([]);
  });

  it.each(EPOCHS.map(([symbol]) => symbol))(
    "that are stamped so in numbers have it, too: %s",
    async (symbol) => {
      expect(await datesOf(symbol)).toEqual(days.map(({ date }) => date));
      expect(await issuesOf(symbol)).toEqual([]);
    },
  );
});

it("bars that a file restates are looked at before they are stored", async () => {
  expect(await candlesOf("EDITED")).toHaveLength(100);
  write("EDITED.csv", daysFile(days.map((day, i) => scaled(day, i === 40 ? 100 : i === 60 ? 1.01 : 1))));
  utimesSync(join(folder, "EDITED.csv"), new Date(NOW + 60_000), new Date(NOW + 60_000));
  clock.set(NOW + 120_000);
  await candlesOf("EDITED");
  const { instruments, candleStore } = program.parts;
  const { id } = await instruments.resolve("EDITED");
  const rows = await candleStore.load(id, "EDITED", "1d", 0, NOW);
  expect(rows.candles.close[40]).toBeCloseTo(days[40].close, 6);
  expect(rows.candles.close[60]).toBeCloseTo(days[60].close * 1.01, 6);
  const revised = await program.parts.database.query<{ close: number }>(
    "select close from candle_revisions where instrument_id = $1 and close > 1000",
    [id],
  );
  expect(revised).toEqual([]);
  expect(await issuesOf("EDITED")).toMatchObject([{ code: "scale_slip", severity: "critical", count: 1 }]);
});
