import { describe, expect, it } from "vitest";
import { ensure } from "../../src/core/base/assert.js";
import { dayOf } from "../../src/core/market/day.js";
import { calendarOf, sessionsBetween } from "../../src/core/market/session.js";
import type { Options } from "../../src/features/options/options.js";
import { createLeases } from "../../src/platform/lease.js";
import { openTestDatabase } from "../fixtures/database.js";
import { DESK_NOW, FRIDAYS, useOptionDesk } from "../fixtures/option-desk.js";
import { modelChain } from "../fixtures/options.js";

const at = (text: string) => Date.parse(text);
const DAY = 86_400_000;
const desk = useOptionDesk();

const analytics = async (options: Options, request: { at?: number } = {}) => {
  const read = await options.loadChain("AAPL", { ...request, scope: { which: "near" } });
  const figures = options.figures(read, options.assume(read.underlying, {}));
  return { read, figures, ranked: await options.rank(read, figures) };
};

describe("the loop of snapshots", () => {
  it("stores a chain while the exchange trades, once for each time of the source", async () => {
    const options = desk.open();
    const loop = desk.loop(options);
    await desk.run(loop);
    await desk.run(loop);
    const stored = await options.listSnapshots("AAPL", 0, DESK_NOW + DAY, 10);
    expect(stored).toHaveLength(1);
    expect(stored[0]).toMatchObject({
      time: DESK_NOW,
      session: dayOf("2024-07-09"),
      spot: 200,
      source: "desk",
    });
    // Nine strikes of two rights for the next two expiries and the two around 2024-08-08.
    expect(stored[0]).toMatchObject({ loaded: false, legs: 72, kept: true, callOpenInterest: 3_600 });
    expect(stored[0].thirtyDayVolatility).toBeCloseTo(0.25, 9);
    for (const closed of ["2024-07-09T20:00Z", "2024-07-13T15:00Z", "2024-07-04T15:00Z"]) {
      desk.clock.set(at(closed));
      await desk.run(loop);
    }
    expect(await options.listSnapshots("AAPL", 0, DESK_NOW + 30 * DAY, 10)).toHaveLength(1);
    desk.clock.set(at("2024-07-10T13:30Z"));
    await desk.run(loop);
    expect(await options.listSnapshots("AAPL", 0, DESK_NOW + 30 * DAY, 10)).toHaveLength(2);
  });

  it("goes on past an underlying that fails, and then says which", async () => {
    const options = desk.open();
    desk.told = (chain) => {
      if (chain.underlying === "MSFT") throw new Error("strange");
      return chain;
    };
    // Mumbai is closed at this hour, so nothing is asked about NIFTY.
    const run = desk.run(desk.loop(options, ["NIFTY", "MSFT", "AAPL"]));
    await expect(run).rejects.toThrow("MSFT: No source gave data for MSFT (desk: strange)");
    expect(await options.listSnapshots("AAPL", 0, DESK_NOW + DAY, 10)).toHaveLength(1);
    for (const other of ["MSFT", "NIFTY"]) {
      expect(await options.listSnapshots(other, 0, DESK_NOW + DAY, 10)).toEqual([]);
    }
    expect(desk.provider.asked.filter((text) => text.includes("NSEI"))).toEqual([]);
    desk.clock.set(at("2024-07-09T05:00Z"));
    await desk.run(desk.loop(options, ["NIFTY", "MSFT", "AAPL"]));
    expect(await options.listSnapshots("NIFTY", 0, DESK_NOW + DAY, 10)).toHaveLength(1);
  });

  it("is run by one of several processes", async () => {
    const options = desk.open();
    const second = await openTestDatabase(desk.testDatabase);
    await desk.run(desk.loop(options));
    const other = options.snapshotLoop({
      leases: createLeases(second, "second"),
      underlyings: ["AAPL"],
      everyMs: 300_000,
      wholeMs: DAY,
    });
    desk.clock.advance(300_000);
    await desk.run(other);
    expect(await options.listSnapshots("AAPL", 0, DESK_NOW + DAY, 10)).toHaveLength(1);
    await desk.database.query("delete from leases");
    await desk.run(other);
    expect(await options.listSnapshots("AAPL", 0, DESK_NOW + DAY, 10)).toHaveLength(2);
    await second.close();
    await desk.database.query("delete from leases");
  });

  it("lets go of old chains but the last of each session, and keeps what they said", async () => {
    const options = desk.open();
    const times = ["2024-07-08T14:00Z", "2024-07-08T19:59Z", "2024-07-09T14:00Z", "2024-07-09T15:00Z"].map(
      at,
    );
    for (const time of times) {
      desk.clock.set(time);
      await desk.run(desk.loop(options));
    }
    desk.clock.set(at("2024-07-10T13:45Z"));
    await desk.run(desk.loop(options, ["AAPL"], 1));
    const kept = await options.listSnapshots("AAPL", 0, DESK_NOW + 9 * DAY, 10);
    expect(kept.map((header) => header.kept)).toEqual([true, true, true, true, false]);
    desk.clock.set(at("2024-07-11T15:00Z"));
    await desk.run(desk.loop(options, ["AAPL"], 1));
    const later = await options.listSnapshots("AAPL", 0, DESK_NOW + 9 * DAY, 10);
    expect(later.map((header) => header.kept)).toEqual([true, true, true, false, true, false]);
    expect(await options.history("AAPL", 0, DESK_NOW + 9 * DAY, null, 10)).toHaveLength(6);
    // A moment of which no chain is kept is answered with the one before.
    const { chain } = await options.loadChain("AAPL", { at: times[2] + 1, scope: { which: "one" } });
    expect(chain.time).toBe(times[1]);
  });
});

describe("the open interest of the session before", () => {
  it("is that of the last chain that is stored of the same source, where it does not tell", async () => {
    const options = desk.open();
    desk.clock.set(at("2024-07-08T19:59Z"));
    await desk.run(desk.loop(options));
    desk.clock.set(DESK_NOW);
    expect((await analytics(options)).read.previousFrom).toBe("snapshot");
    desk.told = ({ quotes, ...rest }) => ({
      ...rest,
      quotes: quotes.map((leg) => ({ ...leg, openInterest: leg.right === "call" ? 130 : 90 })),
    });
    const { read, figures } = await analytics(options);
    expect(read.previousFrom).toBe("snapshot");
    expect(figures.byExpiry[0].change).toEqual({
      call: { value: 270, reason: null },
      put: { value: -90, reason: null },
      unknown: 0,
    });
    // And so it is stored with the next one.
    await desk.run(desk.loop(options));
    const [newest] = await options.history("AAPL", DESK_NOW, DESK_NOW + 1, null, 1);
    expect(newest).toMatchObject({ callChange: 270, putChange: -90, expiry: FRIDAYS[0] });
  });

  it("is the source's own where it has it, and unknown where nothing tells", async () => {
    const options = desk.open();
    const first = await analytics(options);
    expect(first.read.previousFrom).toBeNull();
    expect(first.figures.byExpiry[0].change.call).toEqual({
      value: null,
      reason: "no call tells its open interest of the session before",
    });
    desk.told = ({ quotes, ...rest }) => ({
      ...rest,
      quotes: quotes.map((leg) => ({ ...leg, previousOpenInterest: 99 })),
    });
    const own = await analytics(options);
    expect(own.read.previousFrom).toBe("source");
    expect(own.figures.byExpiry[0].change.put).toEqual({ value: 9, reason: null });
  });
});

describe("the rank of volatility", () => {
  /** One chain in each of the sessions before today. */
  async function live(options: Options, sessions: number): Promise<number[]> {
    const before = sessionsBetween(calendarOf("XNYS"), DESK_NOW - 200 * DAY, at("2024-07-09T00:00Z")).slice(
      -sessions,
    );
    const used: number[] = [];
    for (const [i, session] of before.entries()) {
      // An earlier one of the session does not count.
      for (const [minutes, level] of [
        [10, 3],
        [300, 0.2 + 0.001 * ((i * 37) % sessions)],
      ]) {
        desk.clock.set(session.open + minutes * 60_000);
        desk.volatility = level;
        const chain = modelChain({
          underlying: "AAPL",
          time: desk.clock.now(),
          spot: 200,
          volatility: level,
          expiries: [20, 50].map((days) => Math.floor(desk.clock.now() / DAY) + days),
        });
        await options.saveRecorded({ ...chain, symbol: "AAPL", source: "past" });
        if (minutes === 300) used.push(level);
      }
    }
    desk.clock.set(DESK_NOW);
    return used;
  }

  it("is told from sixty sessions of real history on, and how many are missing before", async () => {
    const options = desk.open();
    const past = await live(options, 59);
    desk.volatility = 0.23;
    const early = await analytics(options);
    expect(early.ranked.rank).toEqual({ value: null, reason: "59 past values, 60 needed" });
    expect([early.ranked.count, early.ranked.needed]).toEqual([59, 1]);
    // A chain of today is not of the past.
    await desk.run(desk.loop(options));
    expect((await analytics(options)).ranked.count).toBe(59);
    desk.clock.set(at("2024-07-10T15:00Z"));
    const { ranked } = await analytics(options);
    const all = [...past, 0.23];
    expect([ranked.count, ranked.needed]).toEqual([60, 0]);
    expect(ranked.rank.value).toBeCloseTo(
      (0.23 - Math.min(...all)) / (Math.max(...all) - Math.min(...all)),
      6,
    );
    const below = past.filter((value) => value < 0.23 - 1e-9).length;
    expect(Math.abs(ensure(ranked.percentile.value, "there is one") - below / 60)).toBeLessThanOrEqual(
      2 / 60,
    );
    // As of a moment of the past there was less of it.
    const then = await analytics(options, { at: at("2024-05-01T00:00Z") });
    expect(then.ranked.count).toBeLessThan(20);
    expect(then.ranked.needed).toBe(60 - then.ranked.count);
  }, 60_000);

  it("is not told where the chain has no volatility for thirty days", async () => {
    const options = desk.open();
    await live(options, 3);
    const short = { ...desk.provider.options, fetchExpiries: async () => FRIDAYS.slice(0, 2) };
    const { ranked } = await analytics(desk.open({ providers: [{ ...desk.provider, options: short }] }));
    expect(ranked).toMatchObject({ now: null, rank: { value: null, reason: "no volatility now" }, count: 3 });
  });
});
