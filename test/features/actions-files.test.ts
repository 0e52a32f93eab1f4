import { mkdtempSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createManualClock, type ManualClock } from "../fixtures/clock.js";
import { createTestDatabase, type TestDatabase } from "../fixtures/database.js";
import { startTestProgram, type TestProgram } from "../fixtures/program.js";

const at = (text: string) => Date.parse(text);
const NOW = at("2024-07-16T12:00Z");

let folder = "";
let database: TestDatabase;
let clock: ManualClock;
let program: TestProgram | null = null;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "tx-actions-"));
  database = await createTestDatabase();
  clock = createManualClock(NOW);
});
afterEach(async () => {
  await program?.close();
  program = null;
  await database.drop();
  rmSync(folder, { recursive: true });
});

const write = (name: string, ...lines: string[]) =>
  writeFileSync(join(folder, name), `${lines.join("\n")}\n`);
const bar = (date: string, close: number) => `${date},${close},${close + 1},${close - 1},${close},100`;

/** Five days of AAPL with two for one on the fourth. */
function writeDays(last = 50): void {
  const closes = [96, 100, 98, 49, last];
  const dates = ["08", "09", "10", "11", "12"].map((day) => `2024-07-${day}`);
  write("AAPL-1d.csv", "date,open,high,low,close,volume", ...dates.map((date, i) => bar(date, closes[i])));
}

async function get(path: string) {
  program ??= await startTestProgram({
    database,
    clock,
    environment: { MARKET_DATA: "files", FILES_DIR: folder },
  });
  const answer = await program.call(path);
  return { status: answer.statusCode, body: answer.json() };
}
const closesOf = async (path: string) =>
  ((await get(path)).body.data as { close: number }[]).map(({ close }) => close);

describe("actions.csv", () => {
  it("beside the candles gives every route its views, and the answer says what was done", async () => {
    writeDays();
    write(
      "actions.csv",
      "symbol,ex_date,kind,ratio,amount,currency",
      "AAPL,2024-07-11,split,2:1,,",
      "MSFT,2024-07-11,split,nonsense,,",
      "aapl,2024-07-09,dividend,,1.92,usd",
    );
    expect(await closesOf("/api/candles/AAPL")).toEqual([96, 100, 98, 49, 50]);
    expect(await closesOf("/api/candles/AAPL?adjustment=raw")).toEqual([96, 100, 98, 49, 50]);
    expect(await closesOf("/api/candles/AAPL?adjustment=split")).toEqual([48, 50, 49, 49, 50]);
    expect(await closesOf("/api/candles/AAPL?adjustment=all")).toEqual([47.04, 50, 49, 49, 50]);
    expect((await get("/api/candles/AAPL?adjustment=all")).body.adjustment).toEqual({
      view: "all",
      basis: "none",
      actions: [
        {
          kind: "dividend",
          ex_date: "2024-07-09",
          ratio: null,
          amount: 1.92,
          currency: "USD",
          effect: "applied",
          reason: null,
        },
        {
          kind: "split",
          ex_date: "2024-07-11",
          ratio: 2,
          amount: null,
          currency: null,
          effect: "applied",
          reason: null,
        },
      ],
      source: "files",
      trouble: null,
    });
    for (const path of [
      "/api/candles?symbol=AAPL&interval=1d&period=1mo",
      "/api/historical/AAPL?period=1mo",
    ]) {
      const url = `${path}&adjustment=split`;
      const { data } = (await get(url)).body;
      expect(
        data.candles.map(({ close }: { close: number }) => close),
        url,
      ).toEqual([48, 50, 49, 49, 50]);
      expect(data.adjustment.view, url).toBe("split");
    }
    // Averages do not see the split.
    const { data } = (await get("/api/indicators/AAPL?names=sma(5)")).body;
    expect(data.columns["sma(5).sma"].at(-1)).toBeCloseTo((48 + 50 + 49 + 49 + 50) / 5, 9);
    expect(data.adjustment).toMatchObject({ view: "split", source: "files" });
  });

  it("with a row that cannot be read is refused with its line, for that symbol alone", async () => {
    writeDays();
    write("actions.csv", "symbol,ex_date,kind,ratio", "AAPL,2024-07-11,split,2", "AAPL,2024-02-30,split,2");
    const { status, body } = await get("/api/candles/AAPL?adjustment=split");
    expect([status, body.code]).toEqual([503, "provider_unavailable"]);
    expect(body.detail).toContain("actions.csv line 3: ex_date is no date: 2024-02-30");
    expect(await closesOf("/api/candles/AAPL")).toEqual([96, 100, 98, 49, 50]);
  });

  it("that is not there makes views unavailable, with the reason", async () => {
    writeDays();
    const { status, body } = await get("/api/candles/AAPL?adjustment=split");
    expect([status, body.code]).toEqual([404, "adjustment_unavailable"]);
    expect(body.detail).toContain("no source for corporate actions");
    expect((await get("/api/candles/AAPL?adjustment=both")).status).toBe(400);
  });

  it("does not adjust again what files.json says is adjusted", async () => {
    write(
      "AAPL-1d.csv",
      "date,open,high,low,close,volume",
      bar("2024-07-10", 49),
      bar("2024-07-11", 49),
      bar("2024-07-12", 50),
    );
    write("files.json", '{ "AAPL-1d.csv": { "adjusted": "split" } }');
    write("actions.csv", "symbol,ex_date,kind,ratio", "AAPL,2024-07-11,split,2");
    expect(await closesOf("/api/candles/AAPL?adjustment=split")).toEqual([49, 49, 50]);
    expect(await closesOf("/api/candles/AAPL?adjustment=raw")).toEqual([98, 49, 50]);
    const { body } = await get("/api/candles/AAPL?adjustment=split");
    expect(body.adjustment.actions[0].effect).toBe("in_source");
  });
});

describe("a dividend that is large beside the close before", () => {
  const issues = async () => {
    const { data } = (await get("/api/data-quality/issues?symbol=AAPL")).body;
    return (data as Record<string, unknown>[]).filter(({ code }) => code === "large_dividend").reverse();
  };
  const warning = {
    severity: "warning",
    detail: "24 USD on 2024-07-09 is 25 % of the close of 96 before; applied",
    datum_time: "2024-07-09T04:00:00.000Z",
    source: "files",
    seen: 1,
  };
  const critical = {
    severity: "critical",
    detail: "500 USD on 2024-07-12 is no less than the close of 49 before; not applied",
    datum_time: "2024-07-12T04:00:00.000Z",
    seen: 1,
  };
  beforeEach(() => {
    writeDays();
    write(
      "actions.csv",
      "symbol,ex_date,kind,ratio,amount,currency",
      "AAPL,2024-07-09,dividend,,24,usd",
      "AAPL,2024-07-10,dividend,,20,usd",
      "AAPL,2024-07-11,split,2:1,,",
      "AAPL,2024-07-12,dividend,,500,usd",
    );
  });

  it("is told of as an issue, once, critical where it is no less than that", async () => {
    for (let i = 0; i < 2; i++) await get("/api/candles/AAPL?adjustment=all");
    expect(await issues()).toMatchObject([warning, critical]);
  });

  it("is told of by what is computed from days, too", async () => {
    await get("/api/indicators/AAPL?names=sma(3)");
    await get("/api/candles/AAPL?adjustment=all");
    expect(await issues()).toMatchObject([warning, critical]);
  });
});

describe("as_of", () => {
  it("answers as it would have then, after a file was edited", async () => {
    writeDays();
    write("actions.csv", "symbol,ex_date,kind,ratio", "AAPL,2024-07-11,split,2");
    expect(await closesOf("/api/candles/AAPL")).toEqual([96, 100, 98, 49, 50]);
    clock.set(NOW + 600_000);
    writeDays(51);
    utimesSync(join(folder, "AAPL-1d.csv"), new Date(NOW + 300_000), new Date(NOW + 300_000));
    expect(await closesOf("/api/candles/AAPL")).toEqual([96, 100, 98, 49, 51]);
    expect(await closesOf("/api/candles/AAPL?as_of=2024-07-16T12:05:00Z")).toEqual([96, 100, 98, 49, 50]);
    expect(await closesOf("/api/candles/AAPL?as_of=2024-07-12T19:59:59Z")).toEqual([96, 100, 98, 49]);
    expect(await closesOf("/api/candles/AAPL?as_of=2024-07-10T21:00:00Z&adjustment=split")).toEqual([
      96, 100, 98,
    ]);
    const { body } = await get("/api/candles/AAPL?as_of=2024-07-10T21:00:00Z&adjustment=split");
    expect([body.as_of, body.adjustment.actions]).toEqual(["2024-07-10T21:00:00.000Z", []]);
    const average = (await get("/api/indicators/AAPL?names=sma(3)&as_of=2024-07-10T21:00:00Z")).body.data;
    expect(average.columns["sma(3).sma"]).toEqual([null, null, 98]);
    const then = (await get("/api/historical/AAPL?period=5d&as_of=2024-07-10T21:00:00Z")).body.data;
    expect(then.candles).toHaveLength(3);
    expect(then.stale).toBe(false);
    expect((await get("/api/candles/AAPL?as_of=2030-01-01")).status).toBe(400);
    expect((await get("/api/candles/AAPL?as_of=soon")).status).toBe(400);
    const gaps = (await get("/api/candles/AAPL/gaps?from=2024-07-05")).body.data;
    expect([gaps.missing, gaps.gaps[0].reason]).toEqual([1, "before_sources"]);
  });
});
