import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createManualClock } from "../fixtures/clock.js";
import { type DayProgram, startDayProgram } from "../fixtures/day-program.js";
import { startTestProgram, type TestProgram } from "../fixtures/program.js";
import { type Day, daysFile, scaled, walkDays } from "../fixtures/walks.js";

const NOW = Date.parse("2025-01-07T12:00:00Z");
const EX = "2024-06-10";
const days = walkDays(11, "2021-01-04", 1_005, 50).filter(({ date }) => date < "2025-01-01");
const times = (rows: readonly Day[], by: number, until = EX) =>
  rows.map((day) => (day.date < until ? { ...scaled(day, by), volume: day.volume / by } : day));
const years = ["2021", "2022", "2023", "2024"];
const orders: Record<string, readonly string[]> = {
  UP: years,
  DOWN: [...years].reverse(),
  MIXED: ["2024", "2021", "2023", "2022"],
  OLDEST: ["2021"],
  DOUBLED: ["2021", "2024", "2022"],
  HAS: ["2021", "2024", "2022", "2023"],
};

let folder: string;
let program: TestProgram;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "tx-looks-"));
  const factors: Record<string, number> = { DOUBLED: 0.25, HAS: 1 };
  for (const symbol of [...Object.keys(orders), "ENDS"]) {
    const rows = times(days, factors[symbol] ?? 4);
    const kept = symbol === "ENDS" ? rows.filter(({ date }) => date < "2024-01-01") : rows;
    writeFileSync(join(folder, `${symbol}.csv`), daysFile(kept));
  }
  const names = [...Object.keys(orders), "ENDS"];
  const settings = names.map((name) => [`${name}.csv`, { adjusted: "split" }]);
  writeFileSync(join(folder, "files.json"), JSON.stringify(Object.fromEntries(settings)));
  const splits = names.map((name) => `${name},${EX},split,4:1`);
  writeFileSync(join(folder, "actions.csv"), `symbol,ex_date,kind,ratio\n${splits.join("\n")}\n`);
  const clock = createManualClock(NOW);
  program = await startTestProgram({ clock, environment: { MARKET_DATA: "files", FILES_DIR: folder } });
  // The first file takes a thread to start.
  await program.server.inject("/api/candles/OLDEST?interval=1d&limit=1");
});
afterAll(async () => {
  await program.close();
  rmSync(folder, { recursive: true, force: true });
});

async function ask(symbol: string, year: string) {
  const url = `/api/historical/${symbol}?interval=1d&limit=1000&from=${year}-01-01&to=${Number(year) + 1}-01-01`;
  const answer = await program.call(url);
  expect(answer.statusCode, answer.body).toBe(200);
  const { candles, trouble } = answer.json().data;
  return {
    closes: (candles as { close: number }[]).map(({ close }) => close),
    volumes: (candles as { volume: number }[]).map(({ volume }) => volume),
    trouble: trouble as string | null,
  };
}
const of = (year: string) => days.filter(({ date }) => date.startsWith(year));

describe("whether a file lacks a split is judged at its ex-day", () => {
  it.each(Object.entries(orders))("in whatever order years are asked for: %s", async (symbol, order) => {
    for (let again = 0; again < 2; again++) {
      for (const year of order) {
        const { closes, volumes, trouble } = await ask(symbol, year);
        expect(closes, year).toEqual(of(year).map(({ close }) => expect.closeTo(close, 5)));
        expect(volumes, year).toEqual(of(year).map(({ volume }) => expect.closeTo(volume, 5)));
        expect(trouble).toBeNull();
      }
    }
    const { data } = (await program.call(`/api/data-quality/issues?symbol=${symbol}`)).json();
    const critical = (data as { code: string; severity: string }[]).filter(
      ({ severity }) => severity === "critical",
    );
    const code = symbol === "DOUBLED" ? ["split_applied_twice"] : symbol === "HAS" ? [] : ["split_unapplied"];
    expect([...new Set(critical.map((issue) => issue.code))]).toEqual(code);
  });

  it("and where it has no bars there, the answer says so", async () => {
    const { trouble } = await ask("ENDS", "2022");
    expect(trouble).toContain(`have the split of ${EX} (files gives no bars on both sides of it)`);
  });
});

describe("whether a vendor lacks a split", () => {
  let vendor: DayProgram;
  beforeAll(async () => {
    vendor = await startDayProgram(NOW, days.slice(-100));
  });
  afterAll(() => vendor.close());

  it("is judged by one more call, and not again", async () => {
    const { series, splits, requests } = vendor.vendor;
    splits.set("GE", [{ date: EX, ratio: 4 }]);
    series.set("GE", times(days, 4));
    const prices = () => requests.filter(({ searchParams }) => !searchParams.has("events")).length;
    const asked: number[] = [];
    for (const year of ["2022", "2021", "2023", "2024"]) {
      const before = prices();
      const url = `/api/historical/GE?interval=1d&limit=1000&from=${year}-01-01&to=${year}-12-31T23:00:00Z`;
      const { data } = (await vendor.program.call(url)).json();
      const closes = (data.candles as { close: number }[]).map(({ close }) => close);
      expect(closes, year).toEqual(of(year).map(({ close }) => expect.closeTo(close, 5)));
      asked.push(prices() - before);
    }
    // Two to know the symbol, one for the year and one for the ex-day; then one a year.
    expect(asked).toEqual([4, 1, 1, 1]);
  });
});
