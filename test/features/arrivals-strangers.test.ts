import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createManualClock } from "../fixtures/clock.js";
import { type DayVendor, startDayVendor } from "../fixtures/day-vendor.js";
import { startTestProgram, type TestProgram } from "../fixtures/program.js";
import { daysFile, walkDays } from "../fixtures/walks.js";

const NOW = Date.parse("2024-07-09T12:00:00Z");
const walk = (seed: number) =>
  walkDays(seed, "2023-06-01", 300, 150).filter(({ date }) => date < "2024-07-09");
const untilMay = (seed: number) => daysFile(walk(seed).filter(({ date }) => date < "2024-05-15"));

let folder: string;
let vendor: DayVendor;
let program: TestProgram;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "tx-strangers-"));
  vendor = await startDayVendor();
  writeFileSync(join(folder, "MSFT.csv"), untilMay(1));
  writeFileSync(join(folder, "AAPL.csv"), untilMay(9));
  const lines = untilMay(3).trimEnd().split("\n");
  const named = (symbol: string) => [
    `${lines[0]},Symbol`,
    ...lines.slice(1).map((line) => `${line},${symbol}`),
  ];
  writeFileSync(join(folder, "KO.csv"), `${named("PEP").join("\n")}\n`);
  writeFileSync(join(folder, "PG.csv"), `${[...named("PG"), "2024-05-15,1,1,1,1,1,GE"].join("\n")}\n`);
  writeFileSync(join(folder, "NOPAIR_XXX-4m.json"), "[]");
  vendor.series.set("MSFT", walk(1));
  vendor.series.set("AAPL", walk(2));
  program = await startTestProgram({
    clock: createManualClock(NOW),
    environment: { MARKET_DATA: "files,yahoo", FILES_DIR: folder, ...vendor.environment },
  });
  // The first file takes a thread to start.
  await program.server.inject("/api/candles/MSFT?interval=1d");
});
afterAll(async () => {
  await program.close();
  await vendor.close();
  rmSync(folder, { recursive: true, force: true });
});

const get = async (path: string) => (await program.call(path)).json().data;
const issuesOf = (symbol: string) => get(`/api/data-quality/issues?symbol=${symbol}`);
const candlesOf = async (symbol: string) =>
  (await get(`/api/candles?symbol=${symbol}&interval=1d&period=6mo`)).candles as {
    timestamp: string;
    close: number;
  }[];

describe("a file that ends, and a vendor that goes on", () => {
  it("are joined where both speak of one share", async () => {
    const candles = await candlesOf("MSFT");
    const days = walk(1).slice(-candles.length);
    expect(candles.length).toBeGreaterThan(120);
    expect(candles.map(({ close }) => close)).toEqual(days.map(({ close }) => expect.closeTo(close, 6)));
    expect(await issuesOf("MSFT")).toEqual([]);
  });

  it("are told of where they do not, and what would be joined is held back", async () => {
    const candles = await candlesOf("AAPL");
    expect(candles.at(-1)?.timestamp.slice(0, 10)).toBe("2024-05-14");
    expect(await issuesOf("AAPL")).toMatchObject([
      { code: "other_instrument", severity: "critical", source: "yahoo" },
    ]);
  });
});

describe("files whose rows or names do not fit", () => {
  it("are named where everybody can see it", async () => {
    const unused = await get("/api/data-quality/issues?severity=warning");
    expect(
      unused
        .filter(({ code }: { code: string }) => code === "file_unused")
        .map(({ symbol, detail }: { symbol: string; detail: string }) => [symbol, detail])
        .sort(),
    ).toEqual([
      ["KO.csv", "says in its rows that it is of PEP, and is named for KO"],
      ["NOPAIR_XXX-4m.json", expect.stringContaining("has a name that is not read")],
    ]);
  });

  it("have rows of another symbol left out, with their line", async () => {
    await candlesOf("PG");
    const [{ code, detail }] = (await issuesOf("PG")).filter(
      ({ severity }: { severity: string }) => severity === "critical",
    );
    expect([code, detail]).toEqual([
      "time_invalid",
      expect.stringMatching(
        /^1 rows cannot be read, the first on line 2\d\d: is of GE, not of PG; left out$/,
      ),
    ]);
  });
});
