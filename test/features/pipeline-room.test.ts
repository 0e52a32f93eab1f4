import { beforeEach, describe, expect, it } from "vitest";
import { ENGINE_TERMS } from "../../src/core/synergy/engine.js";
import { VERDICTS } from "../../src/core/ticks/verdict.js";
import { NO_ROOM } from "../../src/features/pipeline/admission.js";
import type { Answer } from "../../src/features/pipeline/session.js";
import { createManualClock } from "../fixtures/clock.js";
import { expectNothingUnhandled } from "../fixtures/faults.js";
import { cutOf, mixed, openPipelineDatabase, openTestSession, tail } from "../fixtures/pipeline.js";

expectNothingUnhandled();

const { database } = await openPipelineDatabase();
const clock = createManualClock(0);

const told = ({ verdicts }: Answer) => (verdicts ?? []).join();

describe("room for symbols", () => {
  const start = Date.UTC(2024, 2, 4);
  const one = (symbol: string, price = 100) =>
    mixed({ [symbol]: { ...tail(start, 1), price: Float64Array.of(price) } });
  beforeEach(() => clock.set(start + 60_000));

  it("is taken by what is accepted alone; without any, each row says so", async () => {
    const refused: string[] = [];
    const session = await openTestSession({
      database,
      now: clock.now,
      onRefused: (reason) => refused.push(reason),
    });
    const junk = Object.fromEntries(
      Array.from({ length: 900 }, (_, k) => [`J${k}`, { ...tail(start, 1), price: Float64Array.of(-1) }]),
    );
    expect(new Set(told(await session.take(mixed(junk), null)).split(","))).toEqual(
      new Set([String(VERDICTS.indexOf("price_not_positive"))]),
    );
    expect(session.symbols()).toEqual([]);
    const many = Object.fromEntries(Array.from({ length: 65 }, (_, k) => [`S${k}`, tail(start, 2)]));
    const answer = await session.take(mixed(many), null);
    expect((answer.verdicts ?? []).filter((verdict) => verdict === 0)).toHaveLength(12);
    expect((answer.verdicts ?? []).filter((verdict) => verdict === NO_ROOM)).toHaveLength(118);
    expect(session.symbols()).toHaveLength(6);
    expect(told(await session.take(one("NEW"), null))).toBe(String(NO_ROOM));
    expect(told(await session.take(one("S3"), null))).toBe("0");
    const count = (reason: string) => refused.filter((each) => each === reason).length;
    expect([count("price_not_positive"), count("no_room")]).toEqual([900, 119]);
    await session.stop(true);
  });

  it("that is less than is stored refuses new ones, and goes on with the others", async () => {
    const before = await openTestSession({ database, now: clock.now });
    for (const symbol of ["AAA", "BBB", "CCC", "DDD"]) await before.take(one(symbol), null);
    await before.stop(false);
    const after = await openTestSession({ database, now: clock.now, capacity: 2 });
    expect(after.symbols()).toHaveLength(4);
    expect(told(await after.take(one("DDD"), null))).toBe("0");
    expect(told(await after.take(one("EEE"), null))).toBe(String(NO_ROOM));
    await after.stop(true);
  });
});

describe("a session that begins again", () => {
  it("tells no bar that lacks its beginning where states are another's and groups were forgotten", async () => {
    const start = Date.UTC(2024, 2, 4);
    const all = mixed({ AAA: tail(start, 4_000) });
    clock.set(start + 4_000_000);
    const one = await openTestSession({ database, now: clock.now });
    await one.take(cutOf(all, 0, 2_101), null);
    clock.advance(1_200_000);
    await one.save();
    await one.stop(true);
    expect(await database.query("select from tick_batches")).toEqual([]);
    await database.query("update pipeline_states set layout = 'of another'");
    const two = await openTestSession({ database, now: clock.now });
    await two.take(cutOf(all, 2_160, 4_000), null);
    await two.stop(false);
    const bars = await database.query(
      "select interval, (extract(epoch from time) * 1000)::float8 - $1 as at, count from tick_bars order by 1, 2",
      [start],
    );
    const fives = [0, 1, 2, 3, 4, 5, 6, 8, 9, 10, 11, 12];
    expect(bars).toEqual([
      { interval: "30m", at: 0, count: 1_800 },
      ...fives.map((k) => ({ interval: "5m", at: 300_000 * k, count: 300 })),
    ]);
  });

  it("goes on from its states where hours, grace and limits are others", async () => {
    const start = Date.UTC(2024, 2, 4);
    const all = mixed({ AAA: tail(start, 2_000) });
    clock.set(start + 900_000);
    const one = await openTestSession({ database, now: clock.now });
    await one.take(cutOf(all, 0, 900), null);
    clock.advance(1_200_000);
    await one.save();
    await one.stop(true);
    const { guard } = ENGINE_TERMS;
    const terms = { ...ENGINE_TERMS, graceMs: 9_000, guard: { ...guard, regularOnly: !guard.regularOnly } };
    const two = await openTestSession({ database, now: clock.now, terms });
    await two.take(cutOf(all, 900, 2_000), null);
    await two.stop(false);
    const bars = await database.query("select interval, count from tick_bars where interval = '30m'");
    expect(bars).toEqual([{ interval: "30m", count: 1_800 }]);
  });

  it("closes the last bars of a recording when it ends, or was silent for an hour, whoever is ended between", async () => {
    const start = Date.UTC(2024, 2, 4);
    const batch = mixed({ AAA: tail(start, 400), BBB: tail(start, 400) });
    const bars = () =>
      database.query("select symbol, interval, count from tick_bars order by symbol, interval, time");
    const told = (symbol: string) => [
      { symbol, interval: "30m", count: 400 },
      ...[300, 100].map((count) => ({ symbol, interval: "5m", count })),
    ];
    clock.set(start + 86_400_000);
    const one = await openTestSession({ database, now: clock.now, threads: 2 });
    await one.take(batch, null);
    await one.pass();
    await one.end("AAA");
    await one.end("ZZZ");
    await one.stop(true);
    const two = await openTestSession({ database, now: clock.now });
    const again = await two.take(cutOf(batch, 0, 20), null);
    expect(new Set(again.verdicts)).toEqual(new Set([VERDICTS.indexOf("late")]));
    clock.advance(3_599_000);
    await two.pass();
    await two.save();
    expect(await bars()).toEqual([...told("AAA"), told("BBB")[1]]);
    clock.advance(1_000);
    await two.pass();
    await two.stop(false);
    expect(await bars()).toEqual([...told("AAA"), ...told("BBB")]);
  });
});
