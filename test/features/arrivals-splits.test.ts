import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { backfillDays } from "../fixtures/backfill.js";
import { type DayProgram, startDayProgram } from "../fixtures/day-program.js";
import { type Day, walkDays } from "../fixtures/walks.js";

/** A Tuesday, before the open. */
const NOW = Date.parse("2024-07-09T12:00:00Z");
const EX = "2024-06-12";
const RATIO = 4;

let vendor: DayProgram["vendor"];
let program: DayProgram["program"];
let clock: DayProgram["clock"];
let close: DayProgram["close"];
beforeAll(async () => {
  ({ vendor, program, clock, close } = await startDayProgram(NOW, year(99)));
});
afterAll(() => close());
beforeEach(() => clock.set(NOW));

/** More than a year of days up to the eve of now, as they are after every split. */
function year(seed: number): Day[] {
  return walkDays(seed, "2023-01-03", 450, 150)
    .filter(({ date }) => date < "2024-07-09")
    .slice(-370);
}

/** Days with the prices that had been traded before a split, those from some day on alone. */
function unadjusted(days: readonly Day[], { from = "", ratio = RATIO, ex = EX } = {}): Day[] {
  return days.map((day) => {
    if (day.date >= ex || day.date < from) return day;
    const { date, open, high, low, close, volume } = day;
    const prices = { open: open * ratio, high: high * ratio, low: low * ratio, close: close * ratio };
    return { date, ...prices, volume: volume / ratio };
  });
}

const ask = async (symbol: string, query: string): Promise<{ close: number; volume: number }[]> => {
  const answer = await program.call(`/api/candles?symbol=${symbol}&interval=1d&${query}`);
  return answer.json().data.candles;
};
const criticalOf = async (symbol: string) => {
  const issues = (await program.call(`/api/data-quality/issues?symbol=${symbol}`)).json().data;
  return (issues as { code: string; severity: string }[]).filter(({ severity }) => severity === "critical");
};
const pick = ({ close, volume }: { close: number; volume: number }) => ({ close, volume });
const near = (days: readonly Day[]) =>
  days.map(({ close, volume }) => ({ close: expect.closeTo(close, 6), volume: expect.closeTo(volume, 6) }));

/** The newest days are as they should be in the split view, and as they traded in the raw one. */
async function expectRight(symbol: string, period: string, least: number, days: readonly Day[]) {
  const seen = await ask(symbol, `period=${period}&adjustment=split`);
  expect(seen.length).toBeGreaterThan(least);
  expect(seen.map(pick)).toEqual(near(days.slice(-seen.length)));
  const raw = await ask(symbol, `period=${period}&adjustment=raw`);
  expect(raw.map(pick)).toEqual(near(unadjusted(days).slice(-raw.length)));
}

const backfill = (symbol: string, from: string, to: string) =>
  backfillDays(program, clock.now(), { symbol, from, to });

describe("a split that a vendor tells of and has not applied", () => {
  it("is applied to what is asked for first, and to older days that are asked for later", async () => {
    const days = year(1);
    vendor.splits.set("PEP", [{ date: EX, ratio: RATIO }]);
    vendor.series.set("PEP", unadjusted(days));
    await expectRight("PEP", "3mo", 60, days);
    await expectRight("PEP", "6mo", 120, days);
    await expectRight("PEP", "1y", 240, days);
    expect(new Set((await criticalOf("PEP")).map(({ code }) => code))).toEqual(new Set(["split_unapplied"]));
  });

  it("is applied to older days that were stored before its day was asked for", async () => {
    const days = year(2);
    vendor.splits.set("KO", [{ date: EX, ratio: RATIO }]);
    vendor.series.set("KO", unadjusted(days));
    await backfill("KO", "2023-02-01", "2024-05-25");
    await expectRight("KO", "1y", 240, days);
    const { data } = (await program.call("/api/candles/KO?interval=1d&limit=340")).json();
    expect((data as { close: number }[]).map(({ close }) => expect.closeTo(close, 6))).toEqual(
      near(days.slice(-340)).map(({ close }) => close),
    );
  });

  it("is applied to the far end of a history whose newest days are stored", async () => {
    const days = year(3);
    vendor.splits.set("GE", [{ date: EX, ratio: RATIO }]);
    vendor.series.set("GE", unadjusted(days));
    await expectRight("GE", "3mo", 60, days);
    await backfill("GE", "2023-02-01", "2023-09-01");
    await backfill("GE", "2023-09-01", "2024-04-20");
    await expectRight("GE", "1y", 240, days);
    const all = await program.call("/api/candles/GE?interval=1d&limit=340");
    const closes = (all.json().data as { close: number }[]).map(({ close }) => close);
    expect(closes).toEqual(near(days.slice(-closes.length)).map(({ close }) => close));
    expect(closes.length).toBeGreaterThan(330);
  });

  it("and that it applies by and by is applied once", async () => {
    const days = year(4);
    vendor.splits.set("IBM", [{ date: EX, ratio: RATIO }]);
    vendor.series.set("IBM", unadjusted(days));
    await expectRight("IBM", "3mo", 60, days);
    vendor.series.set("IBM", days);
    clock.set(NOW + 86_400_000);
    const later = await ask("IBM", "period=6mo&adjustment=split");
    expect(later.length).toBeGreaterThan(120);
    expect(later.map(pick)).toEqual(near(days.slice(-later.length)));
  });

  it("together with another is applied with it", async () => {
    const days = year(5);
    const other = { date: "2024-05-15", ratio: 3 };
    vendor.splits.set("HD", [other, { date: EX, ratio: RATIO }]);
    vendor.series.set("HD", unadjusted(unadjusted(days), { ex: other.date, ratio: other.ratio }));
    const seen = await ask("HD", "period=3mo&adjustment=split");
    expect(seen.map(pick)).toEqual(near(days.slice(-seen.length)));
    const older = await ask("HD", "period=1y&adjustment=split");
    expect(older.length).toBeGreaterThan(240);
    expect(older.map(pick)).toEqual(near(days.slice(-older.length)));
  });
});

describe("a split that comes while days are stored", () => {
  it("is no flaw where the vendor applies it to what it gives from then on", async () => {
    const days = year(6);
    vendor.series.set(
      "MCD",
      unadjusted(days).filter(({ date }) => date < EX),
    );
    clock.set(Date.parse("2024-06-11T22:00:00Z"));
    expect((await ask("MCD", "period=3mo")).length).toBeGreaterThan(60);
    clock.set(NOW);
    vendor.splits.set("MCD", [{ date: EX, ratio: RATIO }]);
    vendor.series.set("MCD", days);
    await expectRight("MCD", "3mo", 60, days);
    await expectRight("MCD", "1y", 240, days);
    expect(await criticalOf("MCD")).toEqual([]);
  });

  it("leaves prices of two scales as they were given, with a word on it, where the vendor does not", async () => {
    const days = year(7);
    const traded = unadjusted(days);
    vendor.series.set(
      "CAT",
      traded.filter(({ date }) => date < EX),
    );
    clock.set(Date.parse("2024-06-11T22:00:00Z"));
    await ask("CAT", "period=3mo");
    clock.set(NOW);
    vendor.splits.set("CAT", [{ date: EX, ratio: RATIO }]);
    vendor.series.set("CAT", traded);
    const given = (await program.call("/api/candles?symbol=CAT&interval=1d&period=3mo")).json().data;
    expect(given.adjustment.trouble).toContain(`before the split of ${EX}`);
    await expectRight("CAT", "3mo", 60, days);
  });
});
