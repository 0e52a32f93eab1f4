import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startTestProgram, type TestProgram } from "../fixtures/program.js";
import { sharedPath } from "../fixtures/shared.js";
import { copyShared } from "../fixtures/shared-files.js";

const root = sharedPath("data", "bad-input");

const FILES = {
  "MISMATCH.csv.gz": "skender-mismatch.csv.gz",
  "NEWEST.csv.gz": "SPX-1950-2012-newest-first.csv.gz",
  "BAD.csv.gz": "skender-bad.csv.gz",
  "NOPAIR_XXX-4m.json": "freqtrade-NOPAIR_XXX-4m.json",
  "EMPTY.csv": "empty.csv",
  "AETL.csv.gz": "yfinance-AET-L-1d-100x-error.csv.gz",
  "SHINETSU.csv.gz": "yfinance-4063-T-1d-bad-stock-split.csv.gz",
  "TRATON.csv.gz": "yfinance-8TRA-DE-1d-missing-div-adjust.csv.gz",
  "CALM.csv.gz": "yfinance-CALM-1d-no-bad-divs.csv.gz",
} as const;
/** They are of exchanges whose calendars are not kept: a calendar without closed days keeps each date. */
const ELSEWHERE = { calendar: "24x7", currency: "EUR", asset_class: "equity" } as const;

let folder: string;
let program: TestProgram;
beforeAll(async () => {
  if (root === null) return;
  folder = mkdtempSync(join(tmpdir(), "tx-bad-input-"));
  for (const [to, from] of Object.entries(FILES)) copyShared(`bad-input/${from}`, join(folder, to));
  const abroad = ["AETL", "SHINETSU", "TRATON"].map((name) => [`${name}.csv.gz`, ELSEWHERE]);
  writeFileSync(join(folder, "files.json"), JSON.stringify(Object.fromEntries(abroad)));
  program = await startTestProgram({ environment: { MARKET_DATA: "files", FILES_DIR: folder } });
  // The first file takes a thread to start.
  await program.server.inject("/api/candles/CALM?interval=1d");
});
afterAll(async () => {
  await program?.close();
  if (root !== null) rmSync(folder, { recursive: true, force: true });
});

interface Row {
  readonly date: string;
  readonly close: number;
}

/** Dates and closes of a file in yfinance's columns, oldest first. */
function rowsOf(name: string): Row[] {
  const text = gunzipSync(readFileSync(join(root ?? "", `${name}.csv.gz`))).toString("utf8");
  const [head, ...lines] = text.trimEnd().split(/\r?\n/);
  const at = head.split(",").indexOf("Close");
  return lines
    .map((line) => ({ date: line.slice(0, 10), close: Number(line.split(",")[at]) }))
    .sort((a, b) => (a.date < b.date ? -1 : 1));
}

async function candlesOf(symbol: string, query = "limit=1000"): Promise<Row[]> {
  const { data } = (await program.call(`/api/candles/${symbol}?interval=1d&${query}`)).json();
  return (data as { timestamp: string; close: number }[]).map(({ timestamp, close }) => ({
    date: timestamp.slice(0, 10),
    close,
  }));
}

async function issuesOf(symbol: string): Promise<{ code: string; severity: string; count: number }[]> {
  const { data } = (await program.call(`/api/data-quality/issues?symbol=${symbol}`)).json();
  return (data as { code: string; severity: string; count: number }[])
    .map(({ code, severity, count }) => ({ code, severity, count }))
    .sort((a, b) => (a.code < b.code ? -1 : 1));
}

function expectLike(found: readonly Row[], wanted: readonly Row[]): void {
  expect(found.map(({ date }) => date)).toEqual(wanted.map(({ date }) => date));
  for (const [i, { close }] of wanted.entries()) expect(found[i].close / close, `${i}`).toBeCloseTo(1, 3);
}

describe.skipIf(root === null)("bad files in a folder of the running program", () => {
  it("that are no candles are named", async () => {
    const { data } = (await program.call("/api/data-quality/issues?severity=warning")).json();
    const unused = (data as { code: string; symbol: string }[]).filter(({ code }) => code === "file_unused");
    expect(unused.map(({ symbol }) => symbol).sort()).toEqual(["EMPTY.csv", "NOPAIR_XXX-4m.json"]);
  });

  it("out of order are told of and put in order", async () => {
    const newest = await candlesOf("NEWEST", "limit=100");
    expect([newest[0].date < newest[99].date, newest[99].date]).toEqual([true, "2012-11-15"]);
    expect(await issuesOf("NEWEST")).toContainEqual({
      code: "out_of_order",
      severity: "warning",
      count: 15_820,
    });
    await candlesOf("MISMATCH");
    expect((await issuesOf("MISMATCH")).map(({ code }) => code)).toContain("out_of_order");
  });

  it("with empty rows and three other scales give the bars of one scale", async () => {
    const closes = (await candlesOf("BAD")).map(({ close }) => close);
    expect(closes.length).toBeGreaterThan(150);
    expect(Math.min(...closes)).toBeGreaterThan(200);
    expect(Math.max(...closes)).toBeLessThan(300);
    const codes = (await issuesOf("BAD")).map(({ code, severity }) => `${code} ${severity}`);
    expect(codes).toEqual(
      expect.arrayContaining([
        "level_break critical",
        "price_not_finite critical",
        "price_not_positive critical",
        "volume_invalid critical",
      ]),
    );
  });

  it("of pounds among pence are mended as the twin shows", async () => {
    expectLike(await candlesOf("AETL"), rowsOf("yfinance-AET-L-1d-100x-error-fixed"));
    expect(await issuesOf("AETL")).toEqual([
      { code: "out_of_order", severity: "warning", count: 22 },
      { code: "scale_slip", severity: "critical", count: 14 },
    ]);
  });

  it("that lack a split which stands in their own column are mended as the twin shows", async () => {
    expectLike(await candlesOf("SHINETSU"), rowsOf("yfinance-4063-T-1d-bad-stock-split-fixed"));
    expect(await issuesOf("SHINETSU")).toEqual([
      { code: "out_of_order", severity: "warning", count: 21 },
      { code: "split_unapplied", severity: "critical", count: 9 },
    ]);
    const { adjustment } = (await program.call("/api/candles/SHINETSU?interval=1d&adjustment=split")).json();
    expect(adjustment).toMatchObject({ basis: "split", source: "files", actions: [{ effect: "in_source" }] });
  });

  it("with the dates of another clock keep them", async () => {
    expectLike(await candlesOf("TRATON"), rowsOf("yfinance-8TRA-DE-1d-missing-div-adjust"));
  });

  it("of which nothing is wrong raise nothing critical, and their dividends are known", async () => {
    expectLike(await candlesOf("CALM"), rowsOf("yfinance-CALM-1d-no-bad-divs"));
    expect((await issuesOf("CALM")).filter(({ severity }) => severity === "critical")).toEqual([]);
    const { adjustment } = (
      await program.call("/api/candles/CALM?interval=1d&limit=1000&adjustment=all")
    ).json();
    expect(adjustment.actions).toHaveLength(10);
  });
});
