import { describe, expect, it } from "vitest";
import { ENGINE_TERMS } from "../../src/core/synergy/engine.js";
import { VERDICTS } from "../../src/core/ticks/verdict.js";
import type { Session } from "../../src/features/pipeline/session.js";
import { createManualClock } from "../fixtures/clock.js";
import { expectNothingUnhandled } from "../fixtures/faults.js";
import { cutOf, mixed, openPipelineDatabase, openTestSession, tail } from "../fixtures/pipeline.js";
import { tellStory } from "../fixtures/planted-synergies.js";

expectNothingUnhandled();

const { database } = await openPipelineDatabase();
const clock = createManualClock(0);
const FINER = { ...ENGINE_TERMS, bars: { ...ENGINE_TERMS.bars, base: "1m", longer: ["5m", "30m"] } } as const;

const told = tellStory({ calendar: "24x7", history: 130, ticksPerBar: 4, seed: 1, story: "type_1", way: 1 });
const whole = mixed({ AAA: told.ticks });
const { time } = whole.ticks;
const last = time[time.length - 1];

/** Takes ticks up to an instant, and those after it half an hour later: the first groups are forgotten by then. */
async function takeAll(session: Session): Promise<void> {
  const turn = time.findIndex((each) => each > last - 1_800_000);
  clock.set(last - 1_800_000);
  await session.take(cutOf(whole, 0, turn), null);
  await session.save();
  clock.set(last);
  await session.take(cutOf(whole, turn, time.length), "last");
  await session.save();
}

const bars = () => database.query("select * from tick_bars order by interval, time");
const newest = async (interval: string) =>
  (
    await database.query<{ end: number; slot: number }>(
      `select (extract(epoch from time) * 1000)::float8 as end, slot from tick_bars where interval = $1
       order by time desc limit 1`,
      [interval],
    )
  )[0];
const seen = (session: Session) => structuredClone(session.look(session.numberOf("AAA") ?? -1));

describe("a session whose intervals were changed", () => {
  it("goes on from the stored bars: indicators and matrices as they were, slots after theirs, and their ticks late", async () => {
    const one = await openTestSession({ database, now: clock.now });
    await takeAll(one);
    const before = seen(one);
    expect(before?.facts[7]).toBeGreaterThan(700);
    await one.stop(false);
    const stored = await bars();
    const [first] = await database.query<{ least: number }>(
      "select min(sequence) as least from tick_batches",
    );
    expect(first.least).toBeGreaterThan(1);
    const short = await newest("5m");

    const two = await openTestSession({ database, now: clock.now, terms: FINER });
    expect(
      (
        await two.take(
          cutOf(
            whole,
            time.findIndex((each) => each > last - 1_800_000),
            time.length,
          ),
          "last",
        )
      ).verdicts,
    ).toBeNull();
    const after = seen(two);
    // Of bars that are stored as many are taken as rows need; the matrices show the same.
    expect(after?.facts[1]).toBe(before?.facts[1]);
    expect(after?.facts[5]).toBe(before?.facts[5]);
    expect(after?.structure.some((value) => value !== 0)).toBe(true);
    expect(after?.facts[8]).toBe(before?.facts[8]);
    expect(after?.structure).toEqual(before?.structure);
    expect(after?.regime).toEqual(before?.regime);

    const late = await two.take(mixed({ AAA: tail(short.end + 10_000, 3) }), null);
    expect([...(late.verdicts ?? [])].map((verdict) => VERDICTS[verdict])).toEqual(["late", "late", "late"]);
    clock.set(last + 1_200_000);
    const price = told.ticks.price[time.length - 1];
    const next = { ...tail(last + 60_000, 900), price: new Float64Array(900).fill(price) };
    await two.take(mixed({ AAA: next }), null);
    await two.stop(false);
    const rows = new Set((await bars()).map((bar) => JSON.stringify(bar)));
    expect(stored.filter((bar) => !rows.has(JSON.stringify(bar)))).toEqual([]);
    const { end, slot } = await newest("5m");
    expect(slot - short.slot).toBe((end - short.end) / 300_000);
    expect(slot).toBeGreaterThan(short.slot);
  }, 60_000);
});
