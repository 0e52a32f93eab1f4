import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { CorporateAction } from "../../src/core/market/actions.js";
import type { PriceBasis } from "../../src/core/market/adjust.js";
import { barClose, barOpensBetween } from "../../src/core/market/bar-times.js";
import type { Candles } from "../../src/core/market/candles.js";
import { dateOf, dayOf } from "../../src/core/market/day.js";
import { INTERVALS, type Interval } from "../../src/core/market/interval.js";
import { resample } from "../../src/core/market/resample.js";
import { calendarOf } from "../../src/core/market/session.js";
import type { Wanted } from "../../src/features/candles/adjusted.js";
import type { KnownInstrument } from "../../src/features/instruments/store.js";
import type { Database } from "../../src/platform/database.js";
import { AppError } from "../../src/platform/errors.js";
import { createManualClock, type ManualClock } from "../fixtures/clock.js";
import { createTestDatabase, openTestDatabase, type TestDatabase } from "../fixtures/database.js";
import { createTestMarket } from "../fixtures/market.js";
import { createScriptedProvider, type ScriptedProvider } from "../fixtures/providers.js";

const at = (text: string) => Date.parse(text);
/** A Tuesday, mid-session. */
const NOW = at("2024-07-09T15:07:20Z");
const DAY = 86_400_000;
/** A Wednesday: in the midst of a week. */
const EX = "2024-07-03";
const split = (date: string, ratio: number): CorporateAction => ({
  kind: "split",
  exDay: dayOf(date),
  ratio,
});
const dividend = (date: string, amount: number): CorporateAction => ({
  kind: "dividend",
  exDay: dayOf(date),
  amount,
  currency: "USD",
});

let testDatabase: TestDatabase;
let database: Database;
beforeAll(async () => {
  testDatabase = await createTestDatabase();
  database = await openTestDatabase(testDatabase);
});
afterAll(async () => {
  await database.close();
  await testDatabase.drop();
});

let clock: ManualClock;
/** The market as it would be without splits; sources of tests make theirs of it. */
let smooth: ScriptedProvider;
let told: CorporateAction[];
let asked: number;
let silent: string | null;
beforeEach(async () => {
  clock = createManualClock(NOW);
  smooth = createScriptedProvider({ now: clock.now });
  told = [split(EX, 4)];
  asked = 0;
  silent = null;
  await database.query("truncate instruments restart identity cascade");
});

/** A source of prices as they traded, or one that adjusts them for the splits that have come. */
function source(basis: PriceBasis): ScriptedProvider {
  const provider = createScriptedProvider({
    now: clock.now,
    name: basis === "none" ? "raw" : "adjusting",
    // Weeks are made of days, as they are of real sources.
    intervals: INTERVALS.filter((interval) => interval !== "1w"),
  });
  provider.change((bar) => {
    const exMs = at(`${EX}T04:00Z`);
    const before = bar.time < exMs && (basis === "none" || clock.now() < exMs);
    const ratio = before ? 4 : 1;
    return {
      time: bar.time,
      open: bar.open * ratio,
      high: bar.high * ratio,
      low: bar.low * ratio,
      close: bar.close * ratio,
      volume: bar.volume / ratio,
    };
  });
  return { ...provider, basis: () => basis };
}

async function open(provider: ScriptedProvider, hasActions = true) {
  const actions = {
    async fetchActions() {
      asked++;
      if (silent !== null) throw new AppError("provider_unavailable", silent);
      return { value: told, source: "teller" };
    },
  };
  const market = createTestMarket({
    database,
    providers: [provider],
    now: clock.now,
    ...(hasActions ? { actions } : {}),
  });
  const apple = await market.instruments.resolve("AAPL");
  const load = (interval: Interval, wanted: Wanted, from = "2024-06-24", limit = 5_000) =>
    market.adjusted.loadRange(apple, interval, { from: at(`${from}T00:00Z`), to: NOW + DAY }, limit, wanted);
  return { ...market, apple, load };
}

/** The market without splits at the same bars. */
async function smoothBars(apple: KnownInstrument, interval: Interval, time: Float64Array): Promise<Candles> {
  const own = interval === "1w" ? "1d" : interval;
  const toMs = barClose(calendarOf("XNYS"), interval, time[time.length - 1]);
  const request = { instrument: apple, interval: own, fromMs: time[0], toMs } as const;
  const { candles } = await smooth.fetchCandles(request, new AbortController().signal);
  return resample(candles, interval, calendarOf("XNYS"));
}
const smoothCloses = async (apple: KnownInstrument, interval: Interval, time: Float64Array) =>
  Array.from((await smoothBars(apple, interval, time)).close);
const near = (a: readonly number[]) => a.map((value) => expect.closeTo(value, 6));

describe.each(["none", "split"] as const)("prices of a source that adjusts for %s", (basis) => {
  it.each(["5m", "1h", "1d", "1w"] as const)(
    "of %s have no fall in the split view, and one in the raw",
    async (interval) => {
      const { load, apple } = await open(source(basis));
      const set = await load(interval, { view: "split" });
      const closes = await smoothCloses(apple, interval, set.candles.time);
      expect(Array.from(set.candles.close)).toEqual(near(closes));
      expect(set.adjustment).toMatchObject({
        view: "split",
        basis,
        source: "teller",
        effects: [{ effect: basis === "none" ? "applied" : "in_source" }],
      });
      const raw = await load(interval, { view: "raw" });
      const factors = Array.from(raw.candles.close, (close, i) => Number((close / closes[i]).toFixed(6)));
      expect([factors[0], factors.at(-1), new Set(factors).size]).toEqual([4, 1, 2]);
      expect(raw.adjustment?.effects.map(({ effect }) => effect)).toEqual(basis === "none" ? [] : ["undone"]);
    },
  );
});

it("a week in whose midst a split falls is of one kind of prices from its open to its close", async () => {
  const { load, apple } = await open(source("none"));
  const given = await load("1w", { view: "given" });
  const week = given.candles.time.findIndex((time) => time > at("2024-07-01T00:00Z"));
  expect(given.candles.high[week] / given.candles.low[week]).toBeGreaterThan(3);
  const { candles } = await load("1w", { view: "split" });
  const whole = await smoothBars(apple, "1w", candles.time.subarray(week, week + 1));
  for (const column of ["open", "high", "low", "close"] as const) {
    expect(candles[column][week], column).toBeCloseTo(whole[column][0], 6);
  }
});

describe("what computes", () => {
  it("reads prices in which a split is no fall, also as they were at a moment", async () => {
    const { adjusted, candles, apple } = await open(source("none"));
    const given = await candles.loadLatest(apple, "1d", 30);
    const fall = (closes: Float64Array) =>
      Math.min(...Array.from(closes.subarray(1), (close, i) => close / closes[i]));
    expect(fall(given.candles.close)).toBeLessThan(0.3);
    const steady = await adjusted.steady.loadLatest(apple, "1d", 30);
    expect(fall(steady.candles.close)).toBeGreaterThan(0.9);
    expect(steady.adjustment).toMatchObject({ view: "split", trouble: null });
    // On the eve of the ex-day there was nothing to adjust for.
    const eve = await adjusted.steady.loadLatest(apple, "1d", 5, at("2024-07-02T21:00Z"));
    expect(eve.candles.close[4]).toBeCloseTo(
      given.candles.close[given.candles.time.indexOf(eve.candles.time[4])],
      9,
    );
  });

  it("has them as given where splits are not known, and is told so", async () => {
    const { adjusted, apple } = await open(source("none"), false);
    const { adjustment } = await adjusted.steady.loadLatest(apple, "1d", 30);
    expect(adjustment).toMatchObject({
      view: "given",
      trouble: "Prices of AAPL cannot be given as split: no source for corporate actions",
    });
  });
});

describe("a view that cannot be had", () => {
  const refusal = (work: Promise<unknown>) =>
    work.then(
      () => null,
      (error: AppError) => [error.code, error.message],
    );

  it("is refused with the reason, and raw prices of a raw source need none", async () => {
    const { load } = await open(source("none"), false);
    expect(await refusal(load("1d", { view: "split" }))).toEqual([
      "adjustment_unavailable",
      "Prices of AAPL cannot be given as split: no source for corporate actions",
    ]);
    expect((await load("1d", { view: "raw" })).adjustment).toMatchObject({ view: "raw", basis: "none" });
    expect((await load("1d", { view: "given" })).adjustment).toMatchObject({ view: "given", basis: "none" });
  });

  it("is refused as long as nobody was heard, and had from then on, also while the source is away", async () => {
    silent = "teller is down";
    const { load } = await open(source("none"));
    expect(await refusal(load("1d", { view: "all" }))).toEqual([
      "provider_unavailable",
      "Prices of AAPL cannot be given as all: teller is down",
    ]);
    silent = null;
    clock.advance(11 * 60_000);
    expect((await load("1d", { view: "all" })).adjustment?.trouble).toBeNull();
    silent = "teller is down again";
    clock.advance(DAY);
    const set = await load("1d", { view: "all" });
    expect(set.adjustment).toMatchObject({
      trouble: "teller is down again",
      effects: [{ effect: "applied" }],
    });
  });

  it("of prices with dividends in them is any but the one that is given", async () => {
    const { load } = await open(source("all"));
    expect(await refusal(load("1d", { view: "raw" }))).toEqual([
      "adjustment_unavailable",
      "Prices of AAPL come adjusted for dividends, which cannot be taken out of them",
    ]);
    expect((await load("1d", { view: "given" })).adjustment).toMatchObject({ view: "given", basis: "all" });
  });

  it("of prices of which their source does not say what they are is none over a split, and any after it", async () => {
    const { load } = await open(source("unknown"));
    expect(await refusal(load("1d", { view: "split" }))).toEqual([
      "adjustment_unavailable",
      "The source of AAPL does not say whether its prices are adjusted for splits, of which there are",
    ]);
    const { adjustment } = await load("1d", { view: "split" }, EX);
    expect(adjustment).toMatchObject({ view: "split", basis: "unknown", effects: [] });
  });

  it("is the same as every other where there are no shares", async () => {
    const { adjusted, instruments } = await open(source("none"), false);
    const coin = await instruments.resolve("BTC-USD");
    const set = await adjusted.loadRange(coin, "1d", { from: NOW - 9 * DAY, to: NOW }, 9, { view: "all" });
    expect(set.adjustment).toMatchObject({ view: "all", effects: [], source: null, trouble: null });
  });
});

describe("dividends", () => {
  it("take their part of the close as it traded, whatever the source adjusts for", async () => {
    told = [split(EX, 4), dividend("2024-07-01", 8), dividend("2024-07-08", 1)];
    const closes: number[][] = [];
    for (const basis of ["none", "split"] as const) {
      await database.query("truncate instruments restart identity cascade");
      const { load, apple } = await open(source(basis));
      const set = await load("1d", { view: "all" });
      closes.push(Array.from(set.candles.close));
      const plain = await smoothCloses(apple, "1d", set.candles.time);
      const on = (date: string) =>
        set.candles.time.findIndex((time) => dateOf(Math.floor(time / DAY)) === date);
      const first = 1 - 8 / (4 * plain[on("2024-06-28")]);
      const second = 1 - 1 / plain[on("2024-07-05")];
      expect(set.candles.close[on("2024-06-28")]).toBeCloseTo(plain[on("2024-06-28")] * first * second, 6);
      expect(set.candles.close[on("2024-07-02")]).toBeCloseTo(plain[on("2024-07-02")] * second, 6);
      expect(set.candles.close.at(-1)).toBe(plain.at(-1));
      // Bars within days, whose own closes say nothing of the days before.
      const minutes = await load("5m", { view: "all" }, "2024-07-05");
      const [close] = await smoothCloses(apple, "5m", minutes.candles.time);
      expect(minutes.candles.close[0]).toBeCloseTo(close * second, 6);
    }
    expect(closes[0]).toEqual(near(closes[1]));
  });
});

describe("actions", () => {
  it("are asked for once a day and every six hours, and kept as facts when they are told otherwise", async () => {
    const { actions, apple } = await open(source("none"));
    const known = async (knownAtMs?: number) =>
      (await actions.load(apple, knownAtMs)).actions.map((each) =>
        each.kind === "split" ? each.ratio : each.amount,
      );
    expect(await known()).toEqual([4]);
    await known();
    clock.advance(3_600_000);
    await known();
    expect(asked).toBe(1);
    clock.set(at("2024-07-10T14:00Z"));
    told = [split(EX, 5), dividend("2024-07-05", 2), dividend("2024-07-05", 2)];
    expect(await known()).toEqual([5, 2, 2]);
    expect(asked).toBe(2);
    // Nobody had asked before the first time, so that the split counts from its ex-day; what came later from then.
    expect(await known(at("2024-07-06T12:00Z"))).toEqual([4]);
    expect(await known(at("2024-07-10T13:59Z"))).toEqual([4]);
    expect(await known(at("2024-07-10T14:00Z"))).toEqual([5, 2, 2]);
    const rows = await database.query<{
      kind: string;
      ratio: number | null;
      amount: string | null;
      restated: Date | null;
    }>("select kind, ratio, amount, restated_at as restated from corporate_actions order by id");
    expect(rows).toEqual([
      { kind: "split", ratio: 4, amount: null, restated: new Date("2024-07-10T14:00Z") },
      { kind: "split", ratio: 5, amount: null, restated: null },
      ...[1, 2].map(() => ({ kind: "dividend", ratio: null, amount: "2.00000000", restated: null })),
    ]);
  });

  it("do not vanish because a source falls silent about all of them", async () => {
    const { actions, apple } = await open(source("none"));
    await actions.load(apple);
    told = [];
    clock.advance(DAY);
    expect(await actions.load(apple)).toMatchObject({
      actions: [split(EX, 4)],
      trouble: "teller no longer tells of any",
    });
  });

  it("that are announced count from their ex-day", async () => {
    told = [split("2024-07-12", 2)];
    const { load } = await open(source("none"));
    const before = await load("1d", { view: "split" });
    expect(before.adjustment?.effects).toEqual([]);
    clock.set(at("2024-07-12T13:00Z"));
    const after = await load("1d", { view: "split" });
    expect(after.candles.close[0]).toBeCloseTo(before.candles.close[0] / 2, 6);
  });
});

it("an adjusting source that restates its history after a split is read as it was before", async () => {
  const eve = at("2024-07-02T21:00Z");
  clock.set(eve);
  const provider = source("split");
  const { candles, load, apple } = await open(provider);
  const then = await candles.loadLatest(apple, "1d", 10);
  clock.set(NOW);
  const now = await candles.loadLatest(apple, "1d", 10);
  const shared = now.candles.time.indexOf(then.candles.time[9]);
  expect(then.candles.close[9] / now.candles.close[shared]).toBeCloseTo(4, 6);
  const asOf = await load("1d", { view: "given", knownAtMs: eve + 60_000 });
  expect(asOf.candles.close.at(-1)).toBe(then.candles.close[9]);
  expect(barOpensBetween(calendarOf("XNYS"), "1d", at("2024-06-24T00:00Z"), eve).length).toBe(
    asOf.candles.time.length,
  );
  // What was stored only later is taken back to what it was before the split.
  const older = await load("1d", { view: "given", knownAtMs: at("2024-06-10T21:00Z") }, "2024-05-01");
  const raw = await load("1d", { view: "raw" }, "2024-05-01");
  expect(Array.from(older.candles.close)).toEqual(
    near(Array.from(raw.candles.close.subarray(0, older.candles.close.length))),
  );
});
