import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { NewDetection } from "../../src/features/detections/store.js";
import type { KnownInstrument } from "../../src/features/instruments/store.js";
import type { Database } from "../../src/platform/database.js";
import type { Log } from "../../src/platform/log.js";
import { createManualClock, type ManualClock } from "../fixtures/clock.js";
import { createTestDatabase, openTestDatabase, type TestDatabase } from "../fixtures/database.js";
import { detectionAt, saveInstrument } from "../fixtures/detections.js";
import { createFaultyDatabase, type Fault } from "../fixtures/faulty-database.js";
import { createRecordedLog } from "../fixtures/log.js";
import { createTestOutcomes, type Row, raiseAlerts, showBars } from "../fixtures/outcomes.js";

const START = Date.parse("2024-07-09T14:00Z");
const BAR = 300_000;
const WEEK = 7 * 86_400_000;
const CALM: Row = [100, 101, 99, 100];
const calm = (count: number) => Array.from({ length: count }, () => CALM);

let server: TestDatabase;
let database: Database;
let instrument: KnownInstrument;
let clock: ManualClock;

beforeAll(async () => {
  server = await createTestDatabase();
  database = await openTestDatabase(server, { poolSize: 10 });
});
afterAll(async () => {
  await database.close();
  await server.drop();
});
beforeEach(async () => {
  await database.query("truncate instruments, outcomes, leases, settings restart identity cascade");
  instrument = await saveInstrument(database, "BTC-USD", { assetClass: "crypto", calendar: "24x7" });
  clock = createManualClock(START + 100 * BAR);
});

/** On bar `place`, at 100 with the stop at 97 and the target at 104 unless it is changed. */
const alertOn = (place: number, change: Partial<NewDetection> = {}) =>
  raiseAlerts(database, instrument, [detectionAt(instrument, place, change)]);

const opened = (rows: readonly Row[], settings: { owner?: string; horizonBars?: number; log?: Log } = {}) => {
  const bars = showBars(START, rows, clock.now);
  const { owner = "one", ...more } = settings;
  return { bars, ...createTestOutcomes({ database, owner, now: clock.now, candles: bars.candles, ...more }) };
};

/** What a recorded log says of passes that settled something. */
const toldOf = (lines: readonly string[]) =>
  lines
    .map((line) => JSON.parse(line))
    .filter(({ msg }) => msg === "alerts were settled")
    .map(({ alerts, outcomes }) => ({ alerts, outcomes }));

const rowsOf = () =>
  database.query<Record<string, unknown>>(
    `select alert_id, policy, terms, ending, outcome, entry, exit, bars_held, r, ambiguous, reason,
       (extract(epoch from settled_at) * 1000)::float8 as settled_at from outcomes order by alert_id, policy desc`,
  );

describe("alerts that are settled", () => {
  it("are told of as one each, by whatever policies and passes they are", async () => {
    const recorded = createRecordedLog();
    await alertOn(0);
    const rows = [CALM, [101, 102, 100, 102], [102, 105, 101, 103]] satisfies Row[];
    await opened(rows, { log: recorded.log }).settle();
    expect(toldOf(recorded.lines())).toEqual([{ alerts: 1, outcomes: 1 }]);
    await alertOn(1);
    await opened([...rows, ...calm(30)], { log: recorded.log }).settle();
    expect(toldOf(recorded.lines()).at(-1)).toEqual({ alerts: 1, outcomes: 3 });
  });

  it("end by their stop or target and after a number of bars, from the next open, after costs", async () => {
    const [id] = await alertOn(0);
    const one = opened([CALM, [101, 102, 100, 102], [102, 105, 101, 103], [103, 103, 90, 95], ...calm(30)]);
    await one.settle();
    const [sltp, horizon] = await one.outcomes.ofAlert(id);
    // 20 basis points of 101 are 0.202.
    expect(sltp).toMatchObject({
      policy: "sltp",
      ending: "target",
      outcome: "profit",
      entry: 101,
      exit: 104,
    });
    expect(sltp.r).toBeCloseTo((3 - 0.202) / 3, 12);
    expect(sltp.gain).toBeCloseTo(3 / 101 - 0.002, 12);
    expect([sltp.mfe, sltp.mae, sltp.barsHeld]).toEqual([1, 1 / 3, 2]);
    expect([sltp.enteredAt, sltp.exitedAt, sltp.settledAt]).toEqual([
      START + BAR,
      START + 2 * BAR,
      START + 3 * BAR,
    ]);
    expect(horizon).toMatchObject({
      policy: "horizon",
      terms: "3",
      ending: "time",
      outcome: "loss",
      exit: 95,
    });
    expect(horizon.r).toBeCloseTo((-6 - 0.202) / 3, 12);
  });

  it("are settled once: later runs, and prices that are restated, change nothing", async () => {
    await alertOn(0);
    const one = opened([CALM, [101, 105, 100, 102], ...calm(30)]);
    await one.settle();
    const before = await rowsOf();
    expect(before).toHaveLength(2);
    one.bars.show([CALM, [101, 102, 90, 91], ...calm(30)]);
    await one.settle();
    await opened([CALM, ...calm(30)], { owner: "two" }).settle();
    expect(await rowsOf()).toEqual(before);
    expect(one.bars.asked()).toBe(1);
  });

  it("wait for the bars that tell, and are looked at when one has closed", async () => {
    await alertOn(0);
    clock.set(START + BAR);
    const one = opened([CALM, ...calm(2), [100, 105, 100, 104], ...calm(30)]);
    await one.settle();
    await one.settle();
    expect([await rowsOf(), one.bars.asked()]).toEqual([[], 1]);
    clock.set(START + 4 * BAR - 1);
    await one.settle();
    expect(await rowsOf()).toEqual([]);
    clock.set(START + 4 * BAR);
    await one.settle();
    expect((await rowsOf()).map(({ ending }) => ending)).toEqual(["target", "time"]);
    expect(one.bars.asked()).toBe(3);
  });

  it("take the stop where one bar holds both, fill at the open behind a gap, and are void beyond their levels", async () => {
    await alertOn(0);
    await alertOn(1, { pattern: "doji" });
    await alertOn(2, { pattern: "hammer" });
    const one = opened([CALM, [100, 106, 96, 100], CALM, [90, 91, 89, 90], ...calm(30)]);
    await one.settle();
    const sltp = (await rowsOf()).filter(({ policy }) => policy === "sltp");
    expect(sltp).toMatchObject([
      { ending: "stop", exit: 97, ambiguous: true, bars_held: 1 },
      { ending: "stop", exit: 90, ambiguous: false, bars_held: 2 },
      { ending: "void", exit: null, r: null, outcome: null },
    ]);
    expect(sltp[2].reason).toContain("beyond the stop or the target");
  });

  it("keep the scale of their day after a split", async () => {
    await alertOn(0);
    const half = ([open, high, low, close]: Row): Row => [open / 2, high / 2, low / 2, close / 2];
    const rows: Row[] = [CALM, [101, 102, 100, 102], [102, 105, 101, 103], ...calm(30)];
    await opened(rows.map(half)).settle();
    expect((await rowsOf())[0]).toMatchObject({ ending: "target", entry: 101, exit: 104 });
  });
});

describe("the place from which alerts are looked through", () => {
  const floorOf = async () => {
    const [row] = await database.query<{ value: number }>(
      "select value from settings where name like 'outcomes.floor.%'",
    );
    return row?.value ?? 0;
  };

  it("moves on behind what is settled and an hour old, and never past what waits", async () => {
    const one = opened(calm(100));
    for (let place = 0; place < 4; place++) await alertOn(place, { pattern: `p${place}` });
    const [waiting] = await alertOn(95, { pattern: "doji" });
    await one.settle();
    expect(await floorOf()).toBe(0);
    await database.query("update alerts set created_at = created_at - interval '2 hours'");
    await one.settle();
    expect(await floorOf()).toBe(waiting - 1);
    clock.advance(WEEK + 40 * BAR);
    await one.settle();
    await one.settle();
    expect(await floorOf()).toBe(waiting);
    // One that is raised after it is found.
    await alertOn(20, { pattern: "hammer" });
    await one.settle();
    expect(await rowsOf()).toHaveLength(12);
  });
});

describe("alerts that cannot be settled", () => {
  it("say so at once without a direction or without levels", async () => {
    await alertOn(0, { direction: 0 });
    await alertOn(1, { pattern: "doji", facts: { trend: "down", range: null } });
    await opened(calm(40)).settle();
    expect(await rowsOf()).toMatchObject([
      { ending: "unsettled", reason: expect.stringContaining("neither rise nor fall") },
      { ending: "unsettled", reason: expect.stringContaining("neither rise nor fall") },
      { ending: "unsettled", reason: expect.stringContaining("no stop and no target") },
      { policy: "horizon", ending: "time", r: null, outcome: "loss" },
    ]);
  });

  it("say so a week after bars were due that never came", async () => {
    await alertOn(0);
    const one = opened([CALM, CALM]);
    const dueMs = START + 21 * BAR;
    clock.set(dueMs + WEEK - 1);
    await one.settle();
    // The three bars of the other policy were due earlier.
    expect((await rowsOf()).map(({ policy }) => policy)).toEqual(["horizon"]);
    clock.set(dueMs + WEEK + BAR);
    await one.settle();
    const [late] = await rowsOf();
    expect(late).toMatchObject({ policy: "sltp", ending: "unsettled", settled_at: dueMs + WEEK });
    const asked = one.bars.asked();
    clock.advance(WEEK);
    await one.settle();
    expect(one.bars.asked()).toBe(asked);
  });

  it("say so where their own bar is given no more", async () => {
    await alertOn(-1);
    clock.set(START + WEEK + 40 * BAR);
    await opened(calm(40)).settle();
    const reasons = (await rowsOf()).map(({ reason }) => reason);
    expect(reasons).toEqual(
      Array.from({ length: 2 }, () => "The bar of the alert is no longer given by its source"),
    );
  });
});

describe("several processes", () => {
  it("settle under one lease: only its holder looks, and each alert has one outcome a policy", async () => {
    for (let place = 0; place < 20; place++) await alertOn(place, { pattern: `p${place}` });
    const rows: Row[] = [...calm(20), [100, 105, 99, 104], ...calm(60)];
    const processes = ["one", "two", "three"].map((owner) => opened(rows, { owner }));
    await Promise.all(processes.flatMap(({ settle }) => [settle(), settle()]));
    expect(processes.filter(({ bars }) => bars.asked() > 0)).toHaveLength(1);
    expect(await rowsOf()).toHaveLength(40);
  });

  it.each<Fault>(["refused", "unheard", "failed"])(
    "leave each alert settled exactly once, whichever call of the database is %s",
    async (fault) => {
      for (let place = 0; place < 3; place++) await alertOn(place, { pattern: `p${place}` });
      const rows: Row[] = [CALM, CALM, CALM, [100, 105, 99, 104], ...calm(60)];
      await opened(rows).settle();
      const expected = await rowsOf();
      expect(expected).toHaveLength(6);
      const faulty = createFaultyDatabase(database, async () => undefined);
      let failures = 0;
      for (let nth = 1; nth < 40; nth++) {
        await database.query("truncate outcomes, leases, settings restart identity");
        const bars = showBars(START, rows, clock.now);
        const settings = { owner: `process ${nth}`, now: clock.now, candles: bars.candles };
        faulty.failAt(nth, fault);
        const failed = await createTestOutcomes({ ...settings, database: faulty })
          .settle()
          .then(
            () => false,
            () => true,
          );
        failures += failed ? 1 : 0;
        // Another process, after the lease of the one that is gone.
        await database.query("update leases set expires_at = '-infinity'");
        await createTestOutcomes({ ...settings, database, owner: "next" }).settle();
        expect(await rowsOf(), `call ${nth}`).toEqual(expected);
        if (!failed && faulty.calls() < nth) break;
      }
      expect(failures).toBeGreaterThan(4);
    },
  );
});

describe("labels", () => {
  it("are hits and misses as they were known at a moment, by policy, page by page", async () => {
    const ids = [...(await alertOn(0)), ...(await alertOn(2, { pattern: "doji" }))];
    await alertOn(3, { pattern: "hammer", direction: 0 });
    const one = opened([CALM, [100, 105, 99, 104], CALM, [100, 101, 90, 92], ...calm(60)]);
    await one.settle();
    const all = await one.outcomes.labels();
    expect(all.map(({ alertId, policy, label }) => [alertId, policy, label])).toEqual([
      [ids[0], "sltp", 1],
      [ids[0], "horizon", 0],
      [ids[1], "sltp", 0],
      [ids[1], "horizon", 0],
    ]);
    expect(all[0]).toMatchObject({ source: "settled", detectionId: 1, symbol: "BTC-USD", synthetic: false });
    expect(all[0].r).toBeCloseTo((4 - 0.2) / 3, 12);
    expect(all[0].settledAt).toBe(START + 2 * BAR);
    const sltp = { policy: "sltp" } as const;
    expect(await one.outcomes.labels({ ...sltp, after: all[0].id })).toEqual([all[2]]);
    expect(await one.outcomes.labels({ ...sltp, limit: 1 })).toEqual([all[0]]);
    expect(all[0].recordedAt).toBe(clock.now());
    // Its bars had closed by then, and nobody had looked.
    expect(await one.outcomes.labels({ asOf: START + 50 * BAR })).toEqual([]);
    clock.advance(BAR);
    expect(await one.outcomes.labels({ since: clock.now() })).toEqual([]);
    expect(await one.outcomes.labels()).toEqual(all);
    const { settled } = await one.outcomes.counts(0);
    expect(settled).toMatchObject({ wins: 1, losses: 1, voids: 0, unsettled: 1, winRate: 0.5 });
  });
});
