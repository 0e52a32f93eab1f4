import { beforeAll, describe, expect, it } from "vitest";
import type { NamedTicks } from "../../src/features/pipeline/group-codec.js";
import type { Session } from "../../src/features/pipeline/session.js";
import type { Database } from "../../src/platform/database.js";
import { createManualClock } from "../fixtures/clock.js";
import { eventually, expectNothingUnhandled } from "../fixtures/faults.js";
import { createFaultyDatabase, type Fault } from "../fixtures/faulty-database.js";
import {
  cutOf,
  foundIn,
  MARKET,
  mixed,
  openPipelineDatabase,
  openTestSession,
  sentOf,
  startTestPipeline,
} from "../fixtures/pipeline.js";
import { tellStory } from "../fixtures/planted-synergies.js";
import { sized } from "../fixtures/sizes.js";

expectNothingUnhandled();

const { database, forgetAll } = await openPipelineDatabase();
const faulty = createFaultyDatabase(database, async () => undefined);
const clock = createManualClock(0);

const STORY = tellStory({
  ...{ seed: 1, story: "type_1", way: 1 },
  ...{ calendar: "24x7", history: 120, ticksPerBar: 4 },
});
const WHOLE = mixed({ AAA: STORY.ticks, BBB: STORY.ticks });
/** Ticks until the last bars before the gap is filled. */
const HEAD = 8 * STORY.filled - 16;
const EACH = 13;
const BATCHES = 5;

const gone = () => database.query("update leases set expires_at = '-infinity'");

const batchAt = (k: number): NamedTicks => cutOf(WHOLE, HEAD + k * EACH, HEAD + (k + 1) * EACH);
const timeOf = (k: number) => WHOLE.ticks.time[HEAD + (k + 1) * EACH - 1] + 100;

/** Brings tables to where the history has been taken, and nothing after it. */
async function restore(): Promise<void> {
  await forgetAll();
  await database.query("insert into pipeline_states select * from kept_states");
  await database.query("insert into tick_batches select * from kept_batches");
}

describe("whichever call of the database goes wrong", () => {
  let calm: unknown;

  beforeAll(async () => {
    await forgetAll();
    clock.set(WHOLE.ticks.time[HEAD - 1] + 100);
    const session = await openTestSession({ database, now: clock.now });
    await session.take(cutOf(WHOLE, 0, HEAD), null);
    await session.stop(false);
    await database.query("create table kept_states as select * from pipeline_states");
    await database.query("create table kept_batches as select * from tick_batches");
    await restore();
    calm = await trade(database);
  }, 60_000);

  const end = (session: Session) => session.stop(false);

  /** Sends batches and saves, trying again as a caller does and beginning again as its owner does. */
  async function trade(over: Database) {
    const verdicts: string[] = [];
    let session: Session | null = null;
    let isLost = false;

    async function insist(work: (session: Session) => Promise<unknown>): Promise<void> {
      for (let attempt = 1; ; attempt++) {
        try {
          if (session === null) {
            isLost = false;
            const onLost = () => {
              isLost = true;
            };
            session = await openTestSession({ database: over, now: clock.now, onLost });
          }
          await work(session);
          return;
        } catch (error) {
          if (attempt === 6) throw error;
          // A session that could not end well has ended all the same.
          if (isLost || work === end) {
            await session?.stop(true);
            session = null;
          }
        }
      }
    }

    for (let k = 0; k < BATCHES; k++) {
      clock.set(timeOf(k));
      await insist(async (open) => {
        const answer = await open.take(batchAt(k), `batch ${k}`);
        verdicts[k] = String(answer.verdicts);
      });
      if (k === 2) await insist((open) => open.save());
    }
    await insist((open) => open.pass());
    await insist(end);
    return { verdicts, ...(await foundIn(database)) };
  }

  it("has something to find", () => {
    const { synergies, told, bars, totals } = calm as Awaited<ReturnType<typeof foundIn>>;
    expect([synergies.length, told.length]).toEqual([2, 4]);
    const refused = synergies.filter(
      (row) => (row as { refused_by: string | null }).refused_by !== null,
    ).length;
    expect(totals).toEqual({ bars: bars.length, synergies: 2, decisions: 2, refused });
    expect(bars.filter((bar) => (bar as { interval: string }).interval === "5m").length).toBeGreaterThan(10);
  });

  /** Every nth call goes wrong. */
  const STEP = sized({ usual: 3, full: 1 });

  it.each<Fault>(["refused", "unheard", "failed"])(
    "nothing is lost and nothing doubled where it is %s",
    async (fault) => {
      let nth = 1;
      for (; nth < 100; nth += STEP) {
        await restore();
        faulty.failAt(nth, fault);
        expect(await trade(faulty), `call ${nth}`).toEqual(calm);
        if (faulty.calls() < nth) break;
      }
      expect(nth).toBeGreaterThan(20);
    },
    120_000,
  );

  it("a batch that was kept without anybody hearing of it is taken once, sent again to the next process", async () => {
    await restore();
    clock.set(timeOf(0));
    let isDead = false;
    const deaf: Database = {
      ...database,
      async query(text, values) {
        if (isDead) throw new Error("planted");
        const rows = await database.query<never>(text, values);
        if (/insert into tick_batches/.test(String((text as { text?: string }).text ?? text))) {
          isDead = true;
          throw new Error("planted");
        }
        return rows;
      },
    };
    const one = await openTestSession({ database: deaf, now: clock.now });
    await expect(one.take(batchAt(0), "batch 0")).rejects.toThrow("planted");
    await expect(one.take(batchAt(1), "batch 1")).rejects.toThrow("planted");
    await one.stop(true);
    await gone();
    const two = await openTestSession({ database, now: clock.now, owner: "two" });
    expect(await two.take(batchAt(0), "batch 0")).toMatchObject({ repeated: true });
    expect(await two.take(batchAt(1), "batch 1")).toMatchObject({ repeated: false });
    await two.stop(true);
    const kept = await database.query(
      "select sequence, ticks from tick_batches where sequence > 1 order by 1",
    );
    expect(kept).toEqual([
      { sequence: 2, ticks: EACH },
      { sequence: 3, ticks: EACH },
    ]);
  });
});

describe("two processes", () => {
  const batch = (k: number) => sentOf(batchAt(k));
  const start = (owner: string) => startTestPipeline({ database, owner, now: clock.now });

  it("one takes ticks, the other says so, and takes over what was kept when the first is killed", async () => {
    clock.set(timeOf(9));
    const [one, two] = [start("one"), start("two")];
    expect(one.pipeline.state()).toBe("idle");
    const first = await one.pipeline.take(batch(0), "sent", "a");
    expect(first).toMatchObject({ accepted: EACH, rejected: [], repeated: false });
    await expect(two.pipeline.take(batch(1), "sent")).rejects.toMatchObject({ code: "pipeline_elsewhere" });
    await two.run();
    expect([one.pipeline.state(), two.pipeline.state()]).toEqual(["running", "elsewhere"]);
    await expect(two.pipeline.look("AAA")).rejects.toMatchObject({ code: "pipeline_elsewhere" });

    await one.kill();
    await gone();
    await two.run();
    expect(two.pipeline.state()).toBe("running");
    expect(two.pipeline.symbols()).toEqual(["AAA", "BBB"]);
    expect(await two.pipeline.take(batch(0), "sent", "a")).toEqual({ ...first, repeated: true });
    await two.pipeline.stop();
    const states = await database.query<{ symbol: string; sequence: number }>(
      "select symbol, sequence from pipeline_states order by symbol",
    );
    expect(states).toEqual(["AAA", "BBB"].map((symbol) => ({ symbol, sequence: 2 })));
  });

  it("one whose lease has passed on keeps nothing more, and takes ticks again when the other is gone", async () => {
    clock.set(timeOf(9));
    const [one, two] = [start("one"), start("two")];
    await one.pipeline.take(batch(0), "sent");
    await gone();
    await two.pipeline.take(batch(1), "sent");
    await expect(one.pipeline.take(batch(2), "sent")).rejects.toMatchObject({ code: "pipeline_elsewhere" });
    await expect(one.pipeline.take(batch(2), "sent")).rejects.toMatchObject({ code: "pipeline_elsewhere" });
    expect(one.pipeline.state()).toBe("elsewhere");
    await two.pipeline.stop();
    await one.run();
    expect(one.pipeline.state()).toBe("running");
    await one.pipeline.take(batch(2), "sent");
    await one.pipeline.stop();
    const kept = await database.query<{ market: string; ticks: number }>(
      "select market, sum(ticks)::int as ticks from tick_batches group by market",
    );
    expect(kept).toEqual([{ market: MARKET, ticks: 3 * EACH }]);
  });

  it("one that finds at its hour that another has taken over lets go", async () => {
    clock.set(timeOf(9));
    const [one, two] = [start("one"), start("two")];
    await one.pipeline.take(batch(0), "sent");
    await gone();
    await two.pipeline.take(batch(1), "sent");
    await one.run();
    expect(one.pipeline.state()).not.toBe("running");
    await two.pipeline.stop();
  });

  it("a state that is older than another process's is not kept over it", async () => {
    clock.set(timeOf(9));
    const one = await openTestSession({ database, now: clock.now, owner: "one" });
    await one.take(batchAt(0), null);
    await gone();
    const two = await openTestSession({ database, now: clock.now, owner: "two" });
    await two.take(batchAt(1), null);
    await two.save();
    await expect(one.save()).rejects.toThrow("lease");
    await one.stop(true);
    expect(await database.query("select distinct sequence from pipeline_states")).toEqual([{ sequence: 2 }]);
    await two.stop(true);
  });

  it("a loop does nothing until something was sent, saves once a minute, and closes bars by the clock", async () => {
    clock.set(timeOf(9));
    const one = start("one");
    await one.run();
    expect(one.pipeline.state()).toBe("idle");
    await one.pipeline.take(batch(0), "sent");
    await one.run();
    expect(await database.query("select from pipeline_states")).toEqual([]);
    clock.advance(61_000);
    await one.run();
    expect(await database.query("select from pipeline_states")).toHaveLength(2);
    await one.kill();
    await gone();
    // Nobody sends anything: what was taken before is gone on with.
    const two = start("two");
    await two.run();
    expect(two.pipeline.state()).toBe("running");
    clock.advance(600_000);
    await two.run();
    await eventually("bars that the clock closes", async () => (await foundIn(database)).bars.length > 0);
    await two.pipeline.stop();
  });

  it("a stopped one takes nothing", async () => {
    const one = start("one");
    await one.pipeline.stop();
    await expect(one.pipeline.take(batch(0), "sent")).rejects.toMatchObject({ code: "shutting_down" });
    expect(one.pipeline.state()).toBe("stopped");
  });
});

describe("rows of a batch", () => {
  it("are those of one source of a symbol at a time, and of symbols that are known", async () => {
    clock.set(timeOf(9));
    const one = startTestPipeline({ database, owner: "one", now: clock.now });
    const named = { ...batchAt(0), symbols: ["AAA", "XXX"] };
    const inFirst = named.ticks.symbol.reduce((sum, place) => sum + (place === 0 ? 1 : 0), 0);
    const receipt = await one.pipeline.take(sentOf(named), "alpaca");
    expect(receipt.accepted).toBe(inFirst);
    expect(new Set(receipt.rejected.map(({ reason }) => reason))).toEqual(new Set(["symbol_unknown: XXX"]));
    const other = await one.pipeline.take(sentOf({ ...batchAt(1), symbols: ["AAA", "CCC"] }), "sent");
    expect(new Set(other.rejected.map(({ reason }) => reason))).toEqual(
      new Set(["other_source: ticks of AAA come from alpaca"]),
    );
    expect((other.accepted ?? 0) + other.rejected.length).toBe(EACH);
    clock.advance(3_600_001);
    const after = batchAt(1);
    after.ticks.time.set(after.ticks.time.map((time) => time + 3_600_001));
    const later = await one.pipeline.take(sentOf({ ...after, symbols: ["AAA", "CCC"] }), "sent");
    expect(later.rejected.filter(({ reason }) => reason.startsWith("other_source"))).toEqual([]);
    expect(one.pipeline.counts.refusals()).toEqual({
      symbol_unknown: receipt.rejected.length,
      other_source: other.rejected.length,
    });
    await one.pipeline.stop();
  });

  it("belong to a source by what was accepted, and by the times of the trades", async () => {
    clock.set(timeOf(9));
    const one = startTestPipeline({ database, owner: "one", now: clock.now });
    const trade = (time: number, price: number) =>
      sentOf({
        symbols: ["AAA"],
        ticks: {
          symbol: Uint16Array.of(0),
          ...{ time: Float64Array.of(time), price: Float64Array.of(price), size: Float64Array.of(1) },
          id: Float64Array.of(Number.NaN),
        },
      });
    const accepted = async (...args: Parameters<typeof one.pipeline.take>) =>
      (await one.pipeline.take(...args)).accepted;
    expect(await accepted(trade(timeOf(0), -1), "sent quotes")).toBe(0);
    expect(await accepted(trade(Date.UTC(2023, 1, 1), 100), "files")).toBe(1);
    // A recording of long ago is over as soon as there are trades of now.
    expect(await accepted(trade(timeOf(0), 100), "sent")).toBe(1);
    expect(await accepted(trade(timeOf(0), 100), "files")).toBe(0);
    // What was refused is answered alike when it is sent again under its key, whatever has changed since.
    const key = "k";
    const first = await one.pipeline.take(trade(timeOf(0), -1), "sent", key);
    expect(await one.pipeline.take(trade(timeOf(0), -1), "sent", key)).toEqual({ ...first, repeated: true });
    await one.pipeline.stop();
  });
});
