import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startTestProgram, type TestProgram } from "../fixtures/program.js";
import { sharedPath } from "../fixtures/shared.js";
import { copyShared } from "../fixtures/shared-files.js";
import { daysFile, scaled, walkDays } from "../fixtures/walks.js";

const EX = "2014-06-09";
const days = walkDays(3, "2014-01-02", 250);

/** Files that carry a split of 7 in June, a small one in March and, around one of them, have a hole or an end. */
const LIKE_OTHERS: Readonly<Record<string, (day: { date: string }) => boolean>> = {
  SMALL: () => true,
  HOLE: ({ date }) => date < "2014-03-03" || date > "2014-03-17",
  MORNING: ({ date }) => date < "2014-09-15",
};

/** Raw prices with two for one and a rise by 45 % on the day. */
const rose = days.map((day) => scaled(day, day.date < EX ? 2 : 1.45));

let program: TestProgram;
let folder: string;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "tx-carried-"));
  writeFileSync(join(folder, "CARRIED.csv"), daysFile(days));
  writeFileSync(
    join(folder, "TRADED.csv"),
    daysFile(days.map((day) => (day.date < EX ? scaled(day, 7) : day))),
  );
  const symbols = ["CARRIED", "TRADED", "AAPL"];
  const rows = symbols.map((symbol) => `${symbol},${EX},split,7:1,,`);
  rows.push("CARRIED,2014-02-06,dividend,,0.1,");
  rows.push(`CRASHED,${EX},split,3:2,,`, `ROSE,${EX},split,2:1,,`);
  for (const symbol of Object.keys(LIKE_OTHERS)) {
    rows.push(`${symbol},${EX},split,7:1,,`, `${symbol},2014-03-10,split,11:10,,`);
    if (symbol === "MORNING") rows.push(`${symbol},2014-09-15,split,2:1,,`);
  }
  writeFileSync(
    join(folder, "actions.csv"),
    `symbol,ex_date,kind,ratio,amount,currency\n${rows.join("\n")}\n`,
  );
  for (const [symbol, kept] of Object.entries(LIKE_OTHERS)) {
    writeFileSync(join(folder, `${symbol}.csv`), daysFile(days.filter(kept)));
  }
  writeFileSync(join(folder, "ROSE.csv"), daysFile(rose));
  const crashed = days.map((day) => {
    if (day.date === "2014-06-12") return { ...day, high: day.high * 1.3 };
    return day.date < "2014-06-12" ? scaled(day, 1.5) : day;
  });
  writeFileSync(join(folder, "CRASHED.csv"), daysFile(crashed));
  copyShared("daily/sp500-5yr-AAPL.csv.gz", join(folder, "AAPL.csv.gz"));
  program = await startTestProgram({ environment: { MARKET_DATA: "files", FILES_DIR: folder } });
  // The first file takes a thread to start.
  await program.server.inject("/api/candles/TRADED?interval=1d");
});
afterAll(async () => {
  await program.close();
  rmSync(folder, { recursive: true, force: true });
});

const get = async (path: string) => (await program.call(path)).json();
const historyOf = async (symbol: string, query: string) => {
  const { data } = await get(`/api/historical/${symbol}?${query}`);
  const { candles, adjustment } = data as { candles: { close: number }[]; adjustment: { actions: object[] } };
  return { closes: candles.map(({ close }) => close), actions: adjustment.actions };
};
const closesOf = async (symbol: string, query: string) =>
  (await historyOf(symbol, `period=max&${query}`)).closes;

describe("a split that prices said to be raw carry already", () => {
  it("is not applied again, also to bars from long before it, and the answer says why", async () => {
    const before = days.filter(({ date }) => date < "2014-02-01").map(({ close }) => close);
    const early = await historyOf("CARRIED", "adjustment=split&from=2014-01-01&to=2014-02-01");
    expect(early.closes).toEqual(before.map((close) => expect.closeTo(close, 6)));
    expect(early.actions).toMatchObject([
      { kind: "split", ex_date: EX, effect: "in_source", reason: expect.stringContaining("no jump by 7") },
    ]);
    expect(await closesOf("CARRIED", "adjustment=split")).toEqual(await closesOf("CARRIED", "limit=1000"));
    const critical = (await get("/api/data-quality/issues?symbol=CARRIED&severity=critical")).data;
    expect(critical).toMatchObject([
      { code: "split_applied_twice", detail: expect.stringContaining("not applied again") },
    ]);
  });

  it.each(Object.keys(LIKE_OTHERS))(
    "is not where bars do not tell, as others are not: %s",
    async (symbol) => {
      const view = await closesOf(symbol, "adjustment=split");
      expect(view.length).toBeGreaterThan(150);
      expect(view).toEqual(await closesOf(symbol, "limit=1000"));
      expect(Math.max(...view) / Math.min(...view)).toBeLessThan(1.8);
    },
  );

  it("is not because a price fell by its ratio some days after", async () => {
    const critical = (await get("/api/data-quality/issues?symbol=CRASHED&severity=critical")).data;
    expect(critical).toEqual([]);
    const view = await closesOf("CRASHED", "adjustment=split");
    expect((await get("/api/data-quality/issues?symbol=CRASHED&severity=critical")).data).toMatchObject([
      { code: "split_applied_twice" },
    ]);
    expect(view).toEqual(await closesOf("CRASHED", "limit=1000"));
  });

  it("is not on a day on which prices rose by much: the source is believed, with a warning", async () => {
    const traded = await closesOf("ROSE", "adjustment=raw");
    expect(traded).toEqual(rose.map(({ close }) => expect.closeTo(close, 6)));
    const view = await closesOf("ROSE", "adjustment=split");
    const once = rose.map((day) => (day.date < EX ? day.close / 2 : day.close));
    expect(view).toEqual(once.map((close) => expect.closeTo(close, 6)));
    const { note } = (await get("/api/historical/ROSE?period=max&adjustment=split")).data;
    expect(note).toContain(`do not tell whether they have the split of ${EX} by 2`);
    const issues = (await get("/api/data-quality/issues?symbol=ROSE")).data as object[];
    expect(issues).toContainEqual(expect.objectContaining({ code: "split_suspected", severity: "warning" }));
    expect((await get("/api/data-quality/issues?symbol=ROSE&severity=critical")).data).toEqual([]);
  });

  it("leaves no fall in what is computed", async () => {
    for (const asOf of ["", "&as_of=2014-06-10T21:00:00Z"]) {
      const { data } = await get(`/api/indicators/CARRIED?names=rsi(14)${asOf}`);
      const values = (data.columns["rsi(14).rsi"] as (number | null)[]).filter((value) => value !== null);
      expect(Math.max(...values), asOf).toBeLessThan(95);
      expect(Math.min(...values), asOf).toBeGreaterThan(5);
    }
  });

  it.each(["raw", "all"])("makes the view %s one that cannot be had", async (view) => {
    const answer = await program.call(`/api/candles/CARRIED?interval=1d&limit=1000&adjustment=${view}`);
    expect([answer.statusCode, answer.json().code]).toEqual([404, "adjustment_unavailable"]);
    expect(answer.json().detail).toContain("carry the split of 2014-06-09");
  });

  it("is applied where it shows", async () => {
    const view = await closesOf("TRADED", "adjustment=split");
    expect(view).toEqual(days.map(({ close }) => expect.closeTo(close, 6)));
    const { adjustment } = await get("/api/candles/TRADED?interval=1d&limit=1000&adjustment=split");
    expect(adjustment.actions).toMatchObject([{ effect: "applied", reason: null }]);
  });

  it.skipIf(sharedPath("data") === null)("of real prices is none either", async () => {
    const { closes } = await historyOf("AAPL", "adjustment=split&from=2014-05-01&to=2014-07-01");
    const steps = closes.slice(1).map((close, i) => Math.abs(close / closes[i] - 1));
    expect(steps.length).toBeGreaterThan(30);
    expect(Math.max(...steps)).toBeLessThan(0.05);
    const { data } = await get("/api/indicators/AAPL?names=rsi(14)&as_of=2014-06-10T21:00:00Z");
    expect(data.columns["rsi(14).rsi"].at(-1)).toBeLessThan(90);
  });
});
