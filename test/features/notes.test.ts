import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createManualClock } from "../fixtures/clock.js";
import { startTestProgram, type TestProgram } from "../fixtures/program.js";
import { type Day, daysFile, scaled, walkDays } from "../fixtures/walks.js";

const NOW = Date.parse("2024-07-09T12:00:00Z");
const EX = "2024-06-10";
/** From here on prices stand at a hundredth. */
const FALL = "2024-04-01";
const days = walkDays(7, "2023-07-03", 260, 50).filter(({ date }) => date < "2024-07-09");
const traded = (date: string, by: number) =>
  days.map((day): Day => (day.date < date ? { ...scaled(day, by), volume: day.volume / by } : day));

let folder: string;
let program: TestProgram;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "tx-notes-"));
  const write = (name: string, text: string) => writeFileSync(join(folder, name), text);
  const files: Record<string, readonly Day[]> = {
    ...{ TWICE: traded(EX, 4), APART: traded("2024-06-11", 4), LACKS: traded("2024-06-11", 4), HAS: days },
    ...{
      PART: traded("2023-12-01", 4),
      LATE: traded("2024-07-01", 4),
      RAW: traded(EX, 4),
      PAID: traded(EX, 4),
    },
    HUNDRED: traded(FALL, 100),
  };
  for (const [symbol, rows] of Object.entries(files)) write(`${symbol}.csv`, daysFile(rows));
  const adjusted = ["LACKS", "HAS", "PART", "LATE"];
  write(
    "files.json",
    JSON.stringify(Object.fromEntries(adjusted.map((name) => [`${name}.csv`, { adjusted: "split" }]))),
  );
  const rows = ["TWICE", "APART", "LACKS", "HAS", "PART", "LATE", "RAW", "PAID"].map(
    (name) => `${name},${EX},split,4:1,,`,
  );
  rows.push(`TWICE,${EX},split,4:1,,`);
  for (const name of ["APART", "LACKS", "HAS"]) rows.push(`${name},2024-06-11,split,4:1,,`);
  rows.push(
    "PAID,2024-05-10,dividend,,0.5,",
    "PAID,2024-05-13,dividend,,-1,",
    "PAID,2024-05-14,dividend,,much,",
  );
  write("actions.csv", `symbol,ex_date,kind,ratio,amount,currency\n${rows.join("\n")}\n`);
  const clock = createManualClock(NOW);
  program = await startTestProgram({ clock, environment: { MARKET_DATA: "files", FILES_DIR: folder } });
  // The first file takes a thread to start.
  await program.server.inject("/api/candles/HAS?interval=1d");
});
afterAll(async () => {
  await program.close();
  rmSync(folder, { recursive: true, force: true });
});

async function ask(symbol: string, query: string) {
  const answer = await program.call(`/api/historical/${symbol}?interval=1d&period=max&limit=1000${query}`);
  expect(answer.statusCode, answer.body).toBe(200);
  const { candles, note, adjustment } = answer.json().data;
  const closes = (candles as { close: number }[]).map(({ close }) => close);
  return { closes, note: note as string | null, adjustment };
}
async function issuesOf(symbol: string): Promise<{ code: string; severity: string; detail: string }[]> {
  return (await program.call(`/api/data-quality/issues?symbol=${symbol}`)).json().data;
}
const near = (rows: readonly Day[]) => rows.map(({ close }) => expect.closeTo(close, 5));

describe("a split that is listed twice", () => {
  it.each([
    ["TWICE", EX],
    ["APART", "2024-06-11"],
    ["LACKS", EX],
    ["HAS", EX],
  ])("counts once: %s", async (symbol, ex) => {
    const view = await ask(symbol, "&adjustment=split");
    expect(view.closes).toEqual(near(days));
    expect(view.note).toContain("is listed twice");
    expect(view.adjustment.actions).toMatchObject([{ ex_date: ex, ratio: 4 }]);
    const raw = await ask(symbol, "&adjustment=raw");
    expect(raw.closes).toEqual(near(traded(ex, 4)));
    expect(await issuesOf(symbol)).toContainEqual(
      expect.objectContaining({ code: "split_listed_twice", severity: "warning" }),
    );
  });
});

describe("prices as they are given", () => {
  it("come with a word on the splits that are not in them", async () => {
    const { closes, note } = await ask("RAW", "");
    expect(closes).toEqual(near(traded(EX, 4)));
    expect(note).toContain(`those before a split are not adjusted for it: ${EX} by 4`);
    expect((await ask("RAW", "&adjustment=split")).note).toBeNull();
    expect((await ask("HAS", "")).note).toBeNull();
  });

  it.each([
    ["PART", "2023-12-01"],
    ["LATE", "2024-07-01"],
  ])("come with a word on a stretch that lacks a known split: %s", async (symbol, from) => {
    for (const query of ["", "&adjustment=split"]) {
      const { note } = await ask(symbol, query);
      expect(note).toContain(`prices before ${from} seem to lack the split of ${EX} by 4`);
    }
    expect(await issuesOf(symbol)).toContainEqual(
      expect.objectContaining({ code: "split_suspected", severity: "critical" }),
    );
  });
});

describe("prices that go to a hundredth and stay there", () => {
  it("are told of as critical, stay as they are given and come with a word on it", async () => {
    const parts = [
      "&from=2024-03-27&to=2024-04-03",
      "&from=2023-08-01&to=2023-12-01",
      "&from=2024-06-01&to=2024-07-08",
      "&from=2023-07-01",
    ];
    for (const part of parts) {
      const url = `/api/historical/HUNDRED?interval=1d&limit=1000${part}`;
      const answer = await program.call(url);
      expect(answer.statusCode, answer.body).toBe(200);
      const { data } = answer.json();
      for (const { timestamp, close } of data.candles as { timestamp: string; close: number }[]) {
        const given = traded(FALL, 100).find(({ date }) => date === timestamp.slice(0, 10));
        expect(close / (given?.close ?? 0), `${part} ${timestamp}`).toBeCloseTo(1, 6);
      }
    }
    const { closes, note } = await ask("HUNDRED", "");
    expect(closes).toEqual(near(traded(FALL, 100)));
    expect(note).toContain(`on ${FALL}, and no split is known`);
    const critical = (await issuesOf("HUNDRED")).filter(({ severity }) => severity === "critical");
    expect(critical.map(({ code }) => code)).toContain("scale_slip");
  });
});

describe("a dividend that cannot be read", () => {
  it("is left out and told of, and views have the rest", async () => {
    const { adjustment, note } = await ask("PAID", "&adjustment=all");
    expect(adjustment.actions).toMatchObject([{ kind: "dividend" }, { kind: "split" }]);
    expect(note).toMatch(/line \d+: amount is none: -1; left out.*amount is none: much; left out/);
    expect((await ask("PAID", "&adjustment=split")).closes).toEqual(near(days));
    expect(await issuesOf("PAID")).toContainEqual(expect.objectContaining({ code: "row_refused" }));
  });
});
