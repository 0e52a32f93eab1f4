import { beforeEach, describe, expect, it } from "vitest";
import { createRng } from "../../src/core/base/rng.js";
import { VERDICTS } from "../../src/core/ticks/verdict.js";
import { type EngineHost, startEngine } from "../../src/features/pipeline/engine-host.js";
import type { NamedTicks } from "../../src/features/pipeline/group-codec.js";
import type { Publisher } from "../../src/features/pipeline/publish.js";
import type { Answer, Session } from "../../src/features/pipeline/session.js";
import { createManualClock } from "../fixtures/clock.js";
import { eventually, expectNothingUnhandled } from "../fixtures/faults.js";
import {
  cutOf,
  foundIn,
  leaseOf,
  listed,
  mixed,
  openPipelineDatabase,
  openTestSession,
  type TestSessionOptions,
  tail,
} from "../fixtures/pipeline.js";
import { tellStory } from "../fixtures/planted-synergies.js";

expectNothingUnhandled();

const { database, forgetAll } = await openPipelineDatabase();
const clock = createManualClock(0);

/** What is done to a session, at an instant. */
type Act =
  | { readonly kind: "take"; readonly batch: NamedTicks; readonly key: string; readonly at: number }
  | { readonly kind: "pass" | "save"; readonly at: number };

const story = { calendar: "24x7", history: 120, ticksPerBar: 4 } as const;
const silent = tellStory({ ...story, seed: 4, story: "no_gap", way: 1 }).ticks;
const TOLD = {
  AAA: tellStory({ ...story, seed: 1, story: "type_1", way: 1 }).ticks,
  BBB: tellStory({ ...story, seed: 2, story: "type_3", way: -1 }).ticks,
  CCC: { time: silent.time.slice(0, 700), price: silent.price, size: silent.size },
};

/** Two stories and a symbol that falls silent, with bad ticks among them, cut into batches by chance. */
function script(seed: number): Act[] {
  const rng = createRng(seed, 5);
  const whole = mixed(TOLD);
  const { symbol, time, price, id } = whole.ticks;
  for (let i = 0; i < time.length; i++) {
    if (i % 3 === 0) id[i] = i;
    if (i % 211 === 5) price[i] *= 1.5;
    if (i % 307 === 5) price[i] = -1;
    if (i % 401 === 5) time[i] -= 3_600_000;
    if (i % 503 === 6) for (const column of [symbol, time, id]) column[i] = column[i - 6];
  }
  const acts: Act[] = [];
  for (let from = 0; from < time.length; ) {
    const to = Math.min(time.length, from + 1 + rng.below(900));
    const at = time.slice(from, to).reduce((latest, each) => Math.max(latest, each), 0) + 100;
    acts.push({ kind: "take", batch: cutOf(whole, from, to), key: `batch ${from}`, at });
    if (rng.below(3) === 0) acts.push({ kind: "pass", at });
    if (rng.below(4) === 0) acts.push({ kind: "save", at });
    from = to;
  }
  // Time goes on after the last trade.
  acts.push({ kind: "pass", at: (acts.at(-1)?.at ?? 0) + 400_000 });
  return acts;
}

/** How a session ends before an act. */
type End = "kill" | "stop";

async function play(
  acts: readonly Act[],
  ends: ReadonlyMap<number, End> = new Map(),
  options: Partial<TestSessionOptions> = {},
) {
  const verdicts: string[] = [];
  const open = () => openTestSession({ database, now: clock.now, ...options });
  let session: Session = await open();
  for (const [k, act] of acts.entries()) {
    const end = ends.get(k);
    if (end !== undefined) {
      await session.stop(end === "kill");
      session = await open();
    }
    clock.set(act.at);
    if (act.kind === "take") verdicts.push(told(await session.take(act.batch, act.key)));
    else if (act.kind === "pass") await session.pass();
    else await session.save();
  }
  await session.stop(false);
  return { verdicts, ...(await foundIn(database)) };
}

const told = ({ verdicts }: Answer) => (verdicts === null ? "forgotten" : verdicts.join());

describe("a session that begins again", () => {
  it("finds what an undisturbed one finds, wherever it was ended, and stores nothing twice", async () => {
    const rng = createRng(11, 6);
    for (const seed of [1, 2]) {
      const acts = script(seed);
      await forgetAll();
      const calm = await play(acts);
      expect(calm.synergies.length).toBeGreaterThan(1);
      expect(calm.told).toHaveLength(2 * calm.synergies.length);
      expect(calm.bars.length).toBeGreaterThan(2_000);
      const seen = new Set(
        calm.verdicts
          .join()
          .split(",")
          .map((verdict) => VERDICTS[Number(verdict)]),
      );
      for (const verdict of ["accepted", "late", "duplicate", "price_not_positive", "outlier"] as const)
        expect(seen, verdict).toContain(verdict);
      for (let round = 0; round < 2; round++) {
        const ends = new Map<number, End>();
        for (let k = 0; k < 3; k++) ends.set(1 + rng.below(acts.length - 1), rng.below(2) ? "kill" : "stop");
        await forgetAll();
        expect(await play(acts, ends), `seed ${seed}, ${JSON.stringify([...ends])}`).toEqual(calm);
      }
    }
  }, 60_000);

  it("asks nobody again about what was decided before it was killed", async () => {
    const asked: string[] = [];
    const publisher: Publisher = {
      async instrumentOf(symbol) {
        asked.push(symbol);
        return "nothing is published";
      },
      publish: async () => ({ detectionId: null, alertId: null, unalerted: "nothing", consideration: null }),
    };
    const batch = mixed({ AAA: TOLD.AAA });
    clock.set((TOLD.AAA.time.at(-1) ?? 0) + 100);
    const first = await openTestSession({ database, now: clock.now, publisher });
    await first.take(batch, null);
    await eventually("all is stored", () => first.waiting().outcomes === 0);
    await first.stop(true);
    const before = asked.length;
    expect(before).toBeGreaterThan(0);

    const second = await openTestSession({ database, now: clock.now, publisher });
    await eventually("all is stored again", () => second.waiting().outcomes === 0);
    await second.stop(true);
    expect(asked).toHaveLength(before);
  });

  it("finds the same whoever ends it, and how many engines share the symbols", async () => {
    const acts = script(4);
    const calm = await play(acts);
    await forgetAll();
    expect(
      await play(
        acts,
        new Map([
          [4, "kill"],
          [9, "stop"],
        ]),
        { threads: 3 },
      ),
    ).toEqual(calm);
    await forgetAll();
    const one = acts.slice(0, 6);
    const two = acts.slice(6);
    const first = await play(one, new Map(), { threads: 3 });
    const second = await play(two, new Map(), { threads: 2 });
    expect({ ...second, verdicts: [...first.verdicts, ...second.verdicts] }).toEqual(calm);
  }, 60_000);

  it("begins with the kept groups where another program kept the states", async () => {
    const acts = script(5);
    const end = acts.at(-1)?.at ?? 0;
    // All within the time for which groups are kept.
    const still = acts.map((act) => ({ ...act, at: end }));
    const calm = await play(still);
    await forgetAll();
    const first = await play(still.slice(0, 8));
    expect(await database.query("select from pipeline_states")).not.toEqual([]);
    await database.query("update pipeline_states set layout = 'of another'");
    const second = await play(still.slice(8));
    expect({ ...second, verdicts: [...first.verdicts, ...second.verdicts] }).toEqual(calm);
  }, 60_000);

  it("keeps groups until what they gave is stored and the states after them are kept", async () => {
    const acts = script(6).filter(({ kind }) => kind === "take");
    const groups = async () =>
      (
        await database.query<{ least: number | null; most: number | null }>(
          "select min(sequence) as least, max(sequence) as most from tick_batches",
        )
      )[0];
    const session = await openTestSession({ database, now: clock.now });
    for (const act of acts) {
      clock.set(act.at);
      if (act.kind === "take") await session.take(act.batch, null);
    }
    expect(await groups()).toEqual({ least: 1, most: acts.length });
    clock.advance(1_200_000);
    await database.query("alter table tick_bars rename to tick_bars_away");
    await session.take(cutOf(mixed({ DDD: tail(clock.now() - 700_000, 40) }), 0, 40), null);
    await eventually("an outcome waits", () => session.waiting().outcomes > 0);
    const saving = session.save();
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(await groups()).toEqual({ least: 1, most: acts.length + 1 });
    await database.query("alter table tick_bars_away rename to tick_bars");
    await saving;
    expect(await groups()).toEqual({ least: acts.length + 1, most: acts.length + 1 });
    await session.stop(true);
  });

  it("closes bars by the clock as it did before it began again", async () => {
    const start = Date.UTC(2024, 2, 4);
    const batch = mixed({ AAA: tail(start, 10) });
    const bars = () => database.query("select interval, count from tick_bars order by interval");
    clock.set(start + 10_000);
    const one = await openTestSession({ database, now: clock.now });
    await one.take(batch, null);
    clock.set(start + 301_000);
    await one.pass();
    await one.stop(true);
    expect(await bars()).toEqual([]);
    const two = await openTestSession({ database, now: clock.now });
    clock.set(start + 302_000);
    await two.pass();
    await two.stop(false);
    expect(await bars()).toEqual([{ interval: "5m", count: 10 }]);
    clock.set(start + 1_802_000);
    const three = await openTestSession({ database, now: clock.now });
    await three.pass();
    const late = await three.take(batch, null);
    await three.stop(false);
    expect(await bars()).toEqual([
      { interval: "30m", count: 10 },
      { interval: "5m", count: 10 },
    ]);
    expect([...(late.verdicts ?? [])].map((verdict) => VERDICTS[verdict])).toEqual(
      Array.from({ length: 10 }, () => "late"),
    );
  });
});

describe("a batch under a key", () => {
  const start = Date.UTC(2024, 2, 4);
  const batch = mixed({ AAA: tail(start, 20), BBB: tail(start, 5) });
  const counted = async () =>
    (await database.query<{ sum: number | null }>("select sum(ticks)::int as sum from tick_batches"))[0]?.sum;
  beforeEach(() => clock.set(start + 60_000));

  it("is taken once, sent twice at once, again, and again after a restart", async () => {
    const one = await openTestSession({ database, now: clock.now });
    const [first, second] = await Promise.all([one.take(batch, "k"), one.take(batch, "k")]);
    expect([first.repeated, second.repeated]).toEqual([false, true]);
    const third = await one.take({ ...batch }, "k");
    expect(third).toEqual({ verdicts: first.verdicts, repeated: true });
    await one.stop(true);
    for (const atOnce of [false, true]) {
      const session = await openTestSession({ database, now: clock.now });
      const again = await session.take(batch, "k");
      expect({ repeated: again.repeated, verdicts: told(again) }).toEqual({
        repeated: true,
        // Once the states are kept that stand after it, its verdicts are not known any more.
        verdicts: atOnce ? "forgotten" : told(first),
      });
      await session.stop(atOnce);
    }
    expect(await counted()).toBe(25);
  });

  it("is refused where the key was sent with other ticks, before and after a restart", async () => {
    const other = cutOf(batch, 0, 24);
    const one = await openTestSession({ database, now: clock.now });
    await one.take(batch, "k");
    await expect(one.take(other, "k")).rejects.toMatchObject({ code: "idempotency_key_reused" });
    await one.stop(true);
    const two = await openTestSession({ database, now: clock.now });
    await expect(two.take(other, "k")).rejects.toMatchObject({ code: "idempotency_key_reused" });
    // However its symbols are listed, it is the same.
    const reversed = {
      symbols: batch.symbols.toReversed(),
      ticks: { ...batch.ticks, symbol: batch.ticks.symbol.map((place) => 1 - place) },
    };
    expect(await two.take(reversed, "k")).toMatchObject({ repeated: true });
    await two.stop(true);
    expect(await counted()).toBe(25);
  });

  it("may be sent again where it was not taken", async () => {
    const session = await openTestSession({ database, now: clock.now });
    await database.query("alter table tick_batches rename to tick_batches_away");
    await expect(session.take(batch, "k")).rejects.toThrow();
    await database.query("alter table tick_batches_away rename to tick_batches");
    await session.stop(true);
    const next = await openTestSession({ database, now: clock.now });
    expect(await next.take(batch, "k")).toMatchObject({ repeated: false });
    await next.stop(true);
  });

  it("of which a part alone was taken is known after a restart all the same", async () => {
    const many = mixed({
      ...{ AAA: tail(start, 2), BAD: { ...tail(start, 3), price: new Float64Array(3) } },
    });
    const one = await openTestSession({ database, now: clock.now });
    const first = await one.take(many, "k");
    const verdicts = [...(first.verdicts ?? [])].map((verdict) => VERDICTS[verdict]);
    expect(verdicts.filter((verdict) => verdict === "accepted")).toHaveLength(2);
    expect(verdicts.filter((verdict) => verdict === "price_not_positive")).toHaveLength(3);
    await one.stop(true);
    const two = await openTestSession({ database, now: clock.now });
    expect(await two.take(many, "k")).toMatchObject({ repeated: true, verdicts: null });
    await expect(two.take(cutOf(many, 0, 4), "k")).rejects.toMatchObject({ code: "idempotency_key_reused" });
    await two.stop(true);
    expect(await counted()).toBe(2);
  });
});

describe("threads", () => {
  it("find the same as an engine at hand, one or three of them", async () => {
    const acts = script(7);
    const calm = await play(acts);
    for (const threads of [1, 3]) {
      await forgetAll();
      const ends = new Map<number, End>(threads === 1 ? [[5, "kill"]] : []);
      expect(await play(acts, ends, { threads, startEngine })).toEqual(calm);
    }
  }, 60_000);

  it("that die lose nothing: the next session goes on from what was kept", async () => {
    const acts = script(8);
    const calm = await play(acts);
    await forgetAll();
    const hosts: EngineHost[] = [];
    const lost: unknown[] = [];
    const options: TestSessionOptions = {
      database,
      now: clock.now,
      threads: 2,
      onLost: (error) => lost.push(error),
      startEngine(setup, onDeath) {
        const host = startEngine(setup, onDeath);
        hosts.push(host);
        return host;
      },
    };
    const verdicts: string[] = [];
    let session = await openTestSession(options);
    for (const [k, act] of acts.entries()) {
      clock.set(act.at);
      if (k === 4) {
        // What a thread throws ends it.
        const death = hosts[0].open([listed("ZZZ")], [{ sequence: 0, state: new Float64Array(3) }]);
        await expect(death).rejects.toMatchObject({ code: "overloaded" });
        await eventually("the end of the thread", () => lost.length > 0);
        if (act.kind === "take")
          await expect(session.take(act.batch, act.key)).rejects.toMatchObject({ code: "overloaded" });
        await session.stop(true);
        session = await openTestSession(options);
      }
      if (act.kind === "take") verdicts.push(told(await session.take(act.batch, act.key)));
      else if (act.kind === "pass") await session.pass();
      else await session.save();
    }
    await session.stop(false);
    expect({ verdicts, ...(await foundIn(database)) }).toEqual(calm);
  }, 60_000);

  it("that cannot begin are not left behind", async () => {
    await leaseOf(database, "one");
    await database.query(
      "insert into tick_batches (market, sequence, received_at, ticks, frame, parts) values ('test', 1, now(), 1, 'broken', '[]')",
    );
    let stopped = 0;
    const opening = openTestSession({
      database,
      now: clock.now,
      threads: 2,
      startEngine(setup, onDeath) {
        const host = startEngine(setup, onDeath);
        return { ...host, stop: () => host.stop().then(() => void stopped++) };
      },
    });
    await expect(opening).rejects.toThrow("kept group");
    expect(stopped).toBe(2);
  });
});
