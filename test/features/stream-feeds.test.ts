import { afterEach, describe, expect, it } from "vitest";
import { createFeeds, type Feeds } from "../../src/features/stream/feeds.js";
import { createBus } from "../../src/platform/bus.js";
import { AppError } from "../../src/platform/errors.js";
import { eventCommitted, noticeHeard } from "../../src/platform/event-log.js";
import { eventually } from "../fixtures/faults.js";
import { silentLog } from "../fixtures/log.js";

const somebody = { userId: "ann", role: "trader" as const, anonymous: false };
let feeds: Feeds | null = null;
afterEach(() => feeds?.stop());

/** Feeds over values that a test sets; an error is thrown. */
function start(everyMs: number) {
  const values = new Map<string, unknown>();
  const told: [string, unknown][] = [];
  let looks = 0;
  const series = { bars: [] as number[], now: Date.parse("2024-07-09T12:30Z"), reads: 0, down: false };
  const instrument = { symbol: "BTC-USD", calendar: "24x7" };
  const bus = createBus((error) => {
    throw error;
  });
  feeds = createFeeds({
    bus,
    async read(topic) {
      looks++;
      const value = values.get(topic);
      if (value instanceof Error) throw value;
      return value;
    },
    tell: (...args) => void told.push(args),
    now: () => series.now,
    instruments: { resolve: async () => instrument as never },
    gateway: { feedNowMs: async () => series.now },
    candles: {
      async loadLatest(_, interval, count) {
        series.reads++;
        if (series.down) throw new AppError("provider_unavailable", "none answers");
        const time = Float64Array.from(series.bars.slice(-count));
        const column = time.map(() => 1);
        const prices = { open: column, high: column, low: column, close: column, volume: column };
        const candles = { symbol: "BTC-USD", interval, time, ...prices };
        return { candles, instrument, source: "planted", synthetic: false } as never;
      },
    },
    log: silentLog,
    everyMs,
  });
  return { feeds, bus, values, told, series, looks: () => looks };
}

describe("a followed quote", () => {
  it("is told when it changes, and not when it only ages", async () => {
    const { feeds, values, told, looks } = start(10);
    values.set("quotes:AAPL", { price: 1, age_ms: 0 });
    feeds.follow("quotes:AAPL", somebody);
    await eventually("looks", () => looks() > 2);
    values.set("quotes:AAPL", { price: 1, age_ms: 999 });
    const before = looks();
    await eventually("more looks", () => looks() > before + 2);
    expect(told).toEqual([]);
    values.set("quotes:AAPL", { price: 2, age_ms: 0 });
    await eventually("a change", () => told.length === 1);
    expect(told).toEqual([["quotes:AAPL", { price: 2, age_ms: 0 }]]);
  });

  it("is looked at while anybody follows it, and no longer", async () => {
    const { feeds, values, looks } = start(10);
    values.set("quotes:AAPL", { price: 1 });
    feeds.follow("quotes:AAPL", somebody);
    feeds.follow("quotes:AAPL", somebody);
    feeds.leave("quotes:AAPL");
    const before = looks();
    await eventually("looks go on", () => looks() > before + 2);
    feeds.leave("quotes:AAPL");
    await new Promise((resolve) => setTimeout(resolve, 30));
    const after = looks();
    await new Promise((resolve) => setTimeout(resolve, 60));
    expect(looks()).toBe(after);
    feeds.leave("quotes:AAPL");
  });

  it("is looked at again after it could not be had", async () => {
    const { feeds, values, told, looks } = start(10);
    values.set("quotes:AAPL", new AppError("provider_unavailable", "none answers"));
    feeds.follow("quotes:AAPL", somebody);
    await eventually("looks", () => looks() > 3);
    values.set("quotes:AAPL", { price: 1 });
    const before = looks();
    await eventually("a first value", () => looks() > before + 2);
    values.set("quotes:AAPL", { price: 2 });
    await eventually("a change", () => told.length === 1);
  });
});

describe("a followed series of bars", () => {
  const HOUR = 3_600_000;
  const at = (hour: number) => Date.parse("2024-07-09T00:00Z") + hour * HOUR;
  const TOPIC = "candles:BTC-USD:1h";
  const barsOf = (told: readonly [string, unknown][]) =>
    told.flatMap(([topic, payload]) =>
      topic === TOPIC ? [(payload as { timestamp: string }).timestamp.slice(11, 13)] : [],
    );
  const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

  it("is told each bar that closes, once, with one read for all who follow and none in between", async () => {
    const { feeds, told, series } = start(10);
    series.bars = [at(10), at(11)];
    for (let n = 0; n < 3; n++) feeds.follow(TOPIC, somebody);
    await eventually("the bars that there are", () => series.reads === 1);
    await pause(80);
    expect([series.reads, told]).toEqual([1, []]);
    series.bars.push(at(12));
    series.now = at(13) + 1;
    await eventually("a bar", () => told.length === 1);
    expect(told[0]).toEqual([
      TOPIC,
      {
        ...{ timestamp: "2024-07-09T12:00:00.000Z", closed_at: "2024-07-09T13:00:00.000Z" },
        ...{ open: 1, high: 1, low: 1, close: 1, volume: 1, source: "planted", synthetic: false },
      },
    ]);
    await pause(80);
    expect(series.reads).toBe(2);
    for (let n = 0; n < 3; n++) feeds.leave(TOPIC);
    series.bars.push(at(13));
    series.now = at(14) + 1;
    await pause(60);
    expect(barsOf(told)).toEqual(["12"]);
  });

  it("waits for a bar that is late, and tells several that came at once in order", async () => {
    const { feeds, told, series } = start(10);
    series.bars = [at(10), at(11)];
    feeds.follow(TOPIC, somebody);
    await eventually("the bars that there are", () => series.reads === 1);
    series.down = true;
    series.now = at(13) + 1;
    await eventually("a look that fails", () => series.reads === 2);
    series.down = false;
    for (let n = 0; n < 3; n++) {
      const before = series.reads;
      series.now += 61_000;
      await eventually("a look that finds nothing", () => series.reads > before);
    }
    series.bars.push(at(12), at(13));
    series.now = at(14) + 60_000;
    await eventually("both", () => told.length === 2);
    expect(barsOf(told)).toEqual(["12", "13"]);
  });

  it("is told a bar that closes between its beginning and the first look", async () => {
    const { feeds, told, series } = start(10);
    series.bars = [at(11), at(12)];
    series.now = at(13) - 1;
    feeds.follow(TOPIC, somebody);
    series.now = at(13) + 1;
    await eventually("the bar", () => told.length === 1);
    expect(barsOf(told)).toEqual(["12"]);
  });

  it("is not told again what the scanner told first, nor by the scanner what was told here", async () => {
    const { feeds, told, series } = start(10);
    series.bars = [at(11)];
    feeds.follow(TOPIC, somebody);
    await eventually("the bars that there are", () => series.reads === 1);
    const bar = (hour: number) => ({ timestamp: new Date(at(hour)).toISOString() });
    expect(feeds.isNews(TOPIC, bar(11))).toBe(true);
    expect(feeds.isNews(TOPIC, bar(12))).toBe(true);
    expect(feeds.isNews(TOPIC, bar(12))).toBe(false);
    series.bars.push(at(12), at(13));
    series.now = at(14) + 1;
    await eventually("the next", () => told.length === 1);
    expect(barsOf(told)).toEqual(["13"]);
    expect(feeds.isNews(TOPIC, bar(13))).toBe(false);
    expect(feeds.isNews(TOPIC, { close: 5 })).toBe(true);
    expect(feeds.isNews("candles:ETH-USD:1h", bar(13))).toBe(true);
  });

  it("makes its regime be looked at, which is told when it changes", async () => {
    const { feeds, told, values, series, looks } = start(10);
    series.bars = [at(11)];
    values.set("regimes:BTC-USD:1h", { regime: "a" });
    feeds.follow("regimes:BTC-USD:1h", somebody);
    await eventually("both", () => series.reads === 1 && looks() === 1);
    values.set("regimes:BTC-USD:1h", { regime: "b" });
    series.bars.push(at(12));
    series.now = at(13) + 1;
    await eventually("the regime", () => told.some(([topic]) => topic === "regimes:BTC-USD:1h"));
    expect(looks()).toBe(2);
  });
});

describe("what events tell of", () => {
  it("is looked at as they come: a regime after a bar, a portfolio after its account", async () => {
    const { feeds, bus, values, told, looks } = start(60_000);
    values.set("regimes:AAPL:1d", { regime: "a" });
    values.set("portfolio:7", { value: 1 });
    feeds.follow("regimes:AAPL:1d", somebody);
    feeds.follow("portfolio:7", somebody);
    await eventually("first looks", () => looks() === 2);
    values.set("regimes:AAPL:1d", { regime: "b" });
    values.set("portfolio:7", { value: 2 });
    bus.publish(noticeHeard, { topic: "candles:AAPL:1h", payload: null });
    bus.publish(noticeHeard, { topic: "candles:AAPL:1d", payload: null });
    bus.publish(eventCommitted, { topic: "account:7", seq: 1, previousSeq: 0, time: 0, payload: null });
    await eventually("both", () => told.length === 2);
    expect(Object.fromEntries(told)).toEqual({
      "regimes:AAPL:1d": { regime: "b" },
      "portfolio:7": { value: 2 },
    });
    expect(looks()).toBe(4);
  });

  it("is nothing for topics that are told by themselves", async () => {
    const { feeds, looks } = start(10);
    feeds.follow("alerts", somebody);
    feeds.follow("candles:AAPL:1d", somebody);
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(looks()).toBe(0);
  });
});
