import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { candlesFromRows } from "../../src/core/market/candles.js";
import { backfillDays } from "../fixtures/backfill.js";
import { type DayProgram, startDayProgram } from "../fixtures/day-program.js";
import { openOf } from "../fixtures/day-vendor.js";
import { type Day, scaled, walkDays } from "../fixtures/walks.js";

const at = (text: string) => Date.parse(text);
/** A Tuesday, before the open. */
const NOW = at("2024-07-09T12:00:00Z");

let vendor: DayProgram["vendor"];
let program: DayProgram["program"];
let clock: DayProgram["clock"];
let close: DayProgram["close"];
beforeAll(async () => {
  ({ vendor, program, clock, close } = await startDayProgram(NOW, year(99)));
});
afterAll(() => close());
beforeEach(() => clock.set(NOW));

/** A year of days up to the eve of now. */
const year = (seed: number) =>
  walkDays(seed, "2023-06-01", 400, 150)
    .filter(({ date }) => date < "2024-07-09")
    .slice(-250);
/** The same and one day more. */
const later = (seed: number) =>
  walkDays(seed, "2023-06-01", 400, 150)
    .filter(({ date }) => date < "2024-07-10")
    .slice(-251);
const closesOf = async (symbol: string, query: string) => {
  const { data } = (await program.call(`/api/candles?symbol=${symbol}&interval=1d&${query}`)).json();
  return (data.candles as { close: number }[]).map(({ close }) => close);
};
const issuesOf = async (symbol: string) =>
  (await program.call(`/api/data-quality/issues?symbol=${symbol}`)).json().data as {
    code: string;
    severity: string;
    count: number;
    detail: string;
  }[];
const expectNewest = async (symbol: string, query: string, least: number, days: readonly Day[]) => {
  const closes = await closesOf(symbol, query);
  expect(closes.length).toBeGreaterThan(least);
  expect(closes).toEqual(near(days.slice(-closes.length)));
};
const near = (days: readonly Day[]) => days.map(({ close }) => expect.closeTo(close, 6));

describe("days that repeat the one before, volume and all", () => {
  it("are held from the twentieth repetition on, and told of as critical", async () => {
    const days = year(31);
    const from = days.length - 40;
    const { date: _date, ...last } = days[from];
    const frozen = days.map((day, i) => (i <= from ? day : { ...day, ...last }));
    vendor.series.set("CAT", frozen);
    expect((await closesOf("CAT", "period=6mo")).slice(-25)).toEqual(near(frozen.slice(from - 5, from + 20)));
    expect(await issuesOf("CAT")).toContainEqual(
      expect.objectContaining({ code: "frozen", severity: "critical", count: 20 }),
    );
  });
});

describe("prices that are 100 times off", () => {
  it("on the newest day wait for the next one, which shows that they are", async () => {
    const days = later(1);
    vendor.series.set("PEP", [...days.slice(0, 249), scaled(days[249], 100)].slice(0, 250));
    const before = await closesOf("PEP", "period=3mo");
    expect(before).toEqual(near(days.slice(249 - before.length, 249)));
    expect(await issuesOf("PEP")).toMatchObject([{ code: "scale_slip", severity: "critical", count: 1 }]);
    vendor.series.set("PEP", [...days.slice(0, 249), scaled(days[249], 100), days[250]]);
    clock.set(NOW + 86_400_000);
    await expectNewest("PEP", "period=3mo", 60, days);
  });

  it("on five of the first six days that are asked for do not make the sixth wrong", async () => {
    const days = later(2);
    const slipped = days.slice(245, 250).map((day) => scaled(day, 100));
    vendor.series.set("KO", [...days.slice(0, 245), ...slipped]);
    expect(await closesOf("KO", "period=1mo")).toEqual(near(days.slice(231, 245)));
    vendor.series.set("KO", [...days.slice(0, 245), ...slipped, days[250]]);
    clock.set(NOW + 86_400_000);
    await expectNewest("KO", "period=3mo", 60, days);
  });

  it("of a share that has but a few days are held back, all of them, until there are more", async () => {
    const few = walkDays(3, "2024-06-28", 6, 150);
    vendor.series.set("IPO", [...few.slice(0, 3), ...few.slice(3).map((day) => scaled(day, 0.01))]);
    const answer = await program.call("/api/candles?symbol=IPO&interval=1d&period=1mo");
    expect([answer.statusCode, answer.json().code]).toEqual([404, "no_data"]);
    expect(await issuesOf("IPO")).toMatchObject([
      { code: "scale_slip", severity: "critical", detail: expect.stringContaining("held back") },
    ]);
    const gaps = (await program.call("/api/candles/IPO/gaps?from=2024-06-28")).json().data;
    expect(gaps.gaps).toMatchObject([{ reason: "rejected" }]);
  });

  it("that were stored when little was known are mended when bars on both sides are there", async () => {
    const days = later(4);
    const { instruments, candleStore } = program.parts;
    vendor.series.set("LATE", days.slice(0, 250));
    const late = await instruments.resolve("LATE");
    const wrong = scaled(days[249], 100);
    const bar = candlesFromRows("LATE", "1d", [{ ...wrong, time: openOf(wrong) }]);
    const stretch = { from: openOf(wrong), to: openOf(wrong) + 60_000 };
    await candleStore.save(late.id, bar, { source: "yahoo", basis: "split", atMs: NOW - 60_000 }, stretch);
    const before = await closesOf("LATE", "period=3mo");
    expect(before.slice(-2)).toEqual(near([days[248], wrong]));
    vendor.series.set("LATE", days);
    clock.set(NOW + 86_400_000);
    await expectNewest("LATE", "period=3mo", 60, days);
    expect(await issuesOf("LATE")).toContainEqual(
      expect.objectContaining({ code: "scale_slip", severity: "critical", count: 1 }),
    );
  });

  it("on all days before some day are given as they are, with a word on it", async () => {
    const days = year(5);
    vendor.series.set("AFTER", days);
    await closesOf("AFTER", "period=3mo");
    vendor.series.set(
      "AFTER",
      days.map((day) => scaled(day, 100)),
    );
    const { data } = (await program.call("/api/candles?symbol=AFTER&interval=1d&period=6mo")).json();
    expect(data.note).toContain("and no split is known");
    expect(data.candles[0].close / days[250 - data.candles.length].close).toBeCloseTo(100, 6);
    expect(await issuesOf("AFTER")).toContainEqual(
      expect.objectContaining({ code: "scale_slip", severity: "critical" }),
    );
  });
});

describe("a day on which the exchange was closed", () => {
  it("is held back, and gaps and issues agree on what there is", async () => {
    const days = year(6);
    const before = days.findIndex(({ date }) => date > "2024-07-04");
    const holiday = { ...days[before - 1], date: "2024-07-04" };
    vendor.series.set("HOLS", [...days.slice(0, before), holiday, ...days.slice(before)]);
    expect(await closesOf("HOLS", "period=5d")).toEqual(near(days.slice(-5)));
    expect(await issuesOf("HOLS")).toMatchObject([
      { code: "off_session", severity: "warning", count: 1, detail: expect.stringContaining("held back") },
    ]);
    const { expected, stored, missing } = (
      await program.call("/api/candles/HOLS/gaps?from=2024-07-01&to=2024-07-09")
    ).json().data;
    expect([expected, stored, missing]).toEqual([5, 5, 0]);
  });
});

describe("a bar of another scale altogether", () => {
  it("is held back, and those after it stand", async () => {
    const days = year(7);
    vendor.series.set("WILD", [...days.slice(0, -3), scaled(days[247], 1e-6), ...days.slice(-2)]);
    const closes = await closesOf("WILD", "period=5d");
    expect(closes).toEqual(near([...days.slice(-5, -3), ...days.slice(-2)]));
    expect(await issuesOf("WILD")).toMatchObject([{ code: "level_break", severity: "critical", count: 1 }]);
  });
});

describe("a newest day that is far from the one before", () => {
  it.each([3, 10, 50, 0.1])("waits for the next one to stand by it: %d times", async (factor) => {
    const symbol = `JUMP${String(factor).replace(".", "")}`;
    const days = walkDays(20 + factor, "2023-06-01", 400, 150)
      .filter(({ date }) => date < "2024-07-10")
      .slice(-250);
    const jumped = days.map((day, i) => (i >= 248 ? scaled(day, factor) : day));
    vendor.series.set(symbol, jumped.slice(0, -1));
    const before = await closesOf(symbol, "period=3mo");
    expect(before).toEqual(near(days.slice(248 - before.length, 248)));
    expect(await issuesOf(symbol)).toContainEqual(
      expect.objectContaining({ code: "level_break", severity: "critical", count: 1 }),
    );
    vendor.series.set(symbol, jumped);
    clock.set(NOW + 86_400_000);
    const after = await closesOf(symbol, "period=3mo");
    expect(after).toEqual(near(jumped.slice(-after.length)));
    expect(after.at(-2)).toBeCloseTo(jumped[248].close, 6);
  });

  it("that comes back at once is gone", async () => {
    const days = walkDays(31, "2023-06-01", 400, 150)
      .filter(({ date }) => date < "2024-07-10")
      .slice(-250);
    vendor.series.set("BLIP", [...days.slice(0, 248), scaled(days[248], 3)]);
    await closesOf("BLIP", "period=3mo");
    vendor.series.set("BLIP", [...days.slice(0, 248), scaled(days[248], 3), days[249]]);
    clock.set(NOW + 86_400_000);
    const closes = await closesOf("BLIP", "period=3mo");
    expect(closes.slice(-2)).toEqual(near([days[247], days[249]]));
  });
});

describe("a vendor that answers with the prices of a relative", () => {
  it("is not believed, though they move together, and what is stored stays", async () => {
    const days = year(9);
    vendor.series.set("SPY", days);
    await expectNewest("SPY", "period=1y", 240, days);
    const other = year(10);
    let level = 300;
    const relative = days.map((day, i) => {
      const own = i === 0 ? 0 : Math.log(day.close / days[i - 1].close);
      const noise = i === 0 ? 0 : Math.log(other[i].close / other[i - 1].close);
      level *= Math.exp(0.9 * own + 0.4 * noise);
      return scaled(day, level / day.close);
    });
    vendor.series.set("SPY", relative);
    clock.set(NOW + 3_600_000);
    const order = { symbol: "SPY", from: "2023-09-01", to: "2024-07-09", refresh: true };
    await backfillDays(program, clock.now(), order);
    await expectNewest("SPY", "period=1y", 240, days);
    expect(await issuesOf("SPY")).toContainEqual(
      expect.objectContaining({ code: "other_instrument", severity: "critical" }),
    );
  });
});

describe("a vendor that restates its history", () => {
  it("is heard when a back-fill asks for a refresh, and what was stored before is kept", async () => {
    const days = year(8);
    vendor.series.set("GE", days);
    await expectNewest("GE", "period=3mo", 60, days);
    const changed = days.map((day, i) => (i === 230 ? scaled(day, 1.3) : day));
    vendor.series.set("GE", changed);
    clock.set(NOW + 3_600_000);
    await expectNewest("GE", "period=3mo", 60, days);
    const order = { symbol: "GE", from: "2024-05-01", to: "2024-07-09", refresh: true };
    const result = await backfillDays(program, clock.now(), order);
    expect(result.series).toMatchObject([{ symbol: "GE", missing: 0, restated: 1 }]);
    await expectNewest("GE", "period=3mo", 60, changed);
    const before = await closesOf("GE", `period=3mo&as_of=${new Date(NOW + 60_000).toISOString()}`);
    expect(before).toEqual(near(days.slice(-before.length)));
  });
});
