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
    log: silentLog,
    everyMs,
  });
  return { feeds, bus, values, told, looks: () => looks };
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
