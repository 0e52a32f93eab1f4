import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { zoneOf } from "../../src/core/market/zone.js";
import type { Ledger } from "../../src/features/paper-trades/ledger.js";
import { slotDate } from "../../src/features/performance/rollup-schedule.js";
import type { Database } from "../../src/platform/database.js";
import { createManualClock, type ManualClock } from "../fixtures/clock.js";
import { createTestDatabase, openTestDatabase, type TestDatabase, tamper } from "../fixtures/database.js";
import { detectionAt, saveInstrument } from "../fixtures/detections.js";
import { createFaultyDatabase, type Fault } from "../fixtures/faulty-database.js";
import { raiseAlerts } from "../fixtures/outcomes.js";
import { createTestRollups, ledgerOver, openAccountAt, tradeAt } from "../fixtures/rollups.js";

const DAY = 86_400_000;
/** 18:00 in Kolkata is 12:30 UTC. */
const HOUR_OF_ROLLUP = 12.5 * 3_600_000;
const JAN = (day: number, hour = 0) => Date.UTC(2024, 0, day) + hour * 3_600_000;

let server: TestDatabase;
let database: Database;
let clock: ManualClock;
let ledger: Ledger;
let account: string;

beforeAll(async () => {
  server = await createTestDatabase();
  database = await openTestDatabase(server, { poolSize: 10 });
});
afterAll(async () => {
  await database.close();
  await server.drop();
});
beforeEach(async () => {
  await tamper(
    database,
    "truncate instruments, paper_accounts, rollup_runs, leases restart identity cascade",
  );
  clock = createManualClock(JAN(2) + HOUR_OF_ROLLUP);
  ledger = ledgerOver(database);
  account = await openAccountAt(database, ledger, "Test", JAN(1, 4));
});

const process = (owner = "one", more: { zone?: string; hour?: number } = {}) =>
  createTestRollups({ database, owner, now: clock.now, ledger, ...more });

/** The process that held the lease is gone. */
const gone = () => database.query("update leases set expires_at = '-infinity'");

const days = () =>
  database.query<Record<string, unknown>>(
    `select account_id, to_char(date, 'MM-DD') as date, trades, wins, losses, net, gross, profit_factor, no_losses, average_net,
       max_drawdown, max_drawdown_pct, sharpe, sharpe_reason from daily_performance order by account_id, date`,
  );
const dated = async () => (await days()).map(({ date, net }) => `${date} ${Number(net)}`);
const strategies = () =>
  database.query<Record<string, unknown>>(
    `select to_char(date, 'MM-DD') as date, strategy, signals_generated as signals, trades_taken as trades, wins, total_net as net,
       average_strength as strength from strategy_performance order by account_id, date, strategy`,
  );
const runs = () =>
  database.query<Record<string, unknown>>(
    `select trigger, status, to_char(from_date, 'MM-DD') || ' ' || to_char(to_date, 'MM-DD') as dates, daily_rows as rows, failure, owner
     from rollup_runs order by id`,
  );

describe("roll-ups of an account", () => {
  it("sum the trades that were closed on a date of their exchange, and dates without one have no row", async () => {
    await tradeAt(ledger, account, JAN(1, 10), -50);
    await tradeAt(ledger, account, JAN(1, 12), 30);
    // The last moment of 1 January in Kolkata, and the first of 2 January.
    await tradeAt(ledger, account, JAN(1, 18.5) - 1, 20);
    await tradeAt(ledger, account, JAN(1, 18.5), 7);
    await process().run();
    expect(await days()).toEqual([
      {
        ...{
          account_id: account,
          date: "01-01",
          trades: 3,
          wins: 2,
          losses: 1,
          net: "0.000000",
          gross: "0.000000",
        },
        ...{ profit_factor: "1.000000000", no_losses: false, average_net: "0.000000000" },
        // An opening loss counts from 0, of 10,000 that were paid in on an evening in New York.
        ...{ max_drawdown: "50.000000", max_drawdown_pct: "0.500000000", sharpe: null },
        sharpe_reason: expect.stringContaining("fewer than"),
      },
      {
        ...{
          account_id: account,
          date: "01-02",
          trades: 1,
          wins: 1,
          losses: 0,
          net: "7.000000",
          gross: "7.000000",
        },
        ...{ profit_factor: null, no_losses: true, average_net: "7.000000000" },
        ...{ max_drawdown: "0.000000", max_drawdown_pct: "0.000000000", sharpe: null },
        sharpe_reason: expect.stringContaining("fewer than"),
      },
    ]);
  });

  it("write the same rows again, by the loop, by request and by another process", async () => {
    for (let k = 1; k <= 8; k++) await tradeAt(ledger, account, JAN(1, 10 + 3 * k), 10 * (k % 3) - 5);
    clock.set(JAN(3) + HOUR_OF_ROLLUP);
    await process().run();
    const [before, strategyRows] = [await days(), await strategies()];
    expect(before.length).toBeGreaterThan(1);
    const range = { from: "2024-01-01", to: "2024-01-03" };
    await process().rollups.remake("request", range, account);
    await process("two").rollups.remake("backfill", range, null);
    clock.advance(DAY);
    await gone();
    await process("three").run();
    expect(await runs()).toHaveLength(4);
    expect(await days()).toEqual(before);
    expect(await strategies()).toEqual(strategyRows);
  });

  it("tell strategies by what orders were placed for, and signals by alerts on the pattern", async () => {
    const instrument = await saveInstrument(database, "AAA");
    const detections = [0, 1, 2].map((k) =>
      detectionAt(instrument, k, { pattern: k === 2 ? "doji" : "hammer", quality: 0.8 + k / 10 }),
    );
    await raiseAlerts(database, instrument, [...detections, detectionAt(instrument, 3, { direction: 0 })]);
    await database.query("update alerts set created_at = '2024-01-02T05:00Z'");
    await database.query("update alerts set created_at = '2024-01-01T03:59Z' where id = 2");
    await tradeAt(ledger, account, JAN(2, 6), 40, { pattern: "hammer" });
    await tradeAt(ledger, account, JAN(2, 8), -10, { pattern: "hammer", strategy: "swing" });
    await tradeAt(ledger, account, JAN(2, 10), 5);
    await process().run();
    const row = (strategy: string, signals: number, trades: number, wins: number, net: string) => ({
      ...{ date: "01-02", strategy, signals, trades, wins, net: `${net}.000000` },
    });
    expect(await strategies()).toEqual([
      { ...row("doji", 1, 0, 0, "0"), strength: "1.000000000" },
      // The other came before the account was opened.
      { ...row("hammer", 1, 1, 1, "40"), strength: "0.800000000" },
      { ...row("manual", 0, 1, 1, "5"), strength: null },
      { ...row("swing", 0, 1, 0, "-10"), strength: null },
    ]);
  });

  it("leave accounts alone that were closed before, and have their last dates until then", async () => {
    await tradeAt(ledger, account, JAN(2, 10), 10);
    await database.query("update paper_accounts set closed_at = '2024-01-02T12:00Z'");
    const reached = async () =>
      (await database.query<{ date: string }>("select to_char(date, 'MM-DD') as date from rollup_cursors"))[0]
        ?.date;
    const one = process();
    const seen: unknown[] = [];
    for (let day = 0; day < 6; day++) {
      await one.run();
      seen.push([(await runs()).at(-1)?.status, await reached()]);
      clock.advance(DAY);
    }
    // Until its dates are over on any exchange.
    expect(seen).toEqual(
      ["01-02", "01-03", "01-04", "01-05", "01-05", "01-05"].map((date) => ["succeeded", date]),
    );
    expect(await dated()).toEqual(["01-02 10"]);
  });

  it("are made anew where their days were told by another rule", async () => {
    await tradeAt(ledger, account, JAN(1, 20), 7);
    await process().run();
    expect(await dated()).toEqual(["01-02 7"]);
    await database.query("update rollup_cursors set zone = 'America/New_York'");
    await database.query("update daily_performance set date = '2024-01-01'");
    await gone();
    await process("two").run();
    expect(await dated()).toEqual(["01-02 7"]);
  });

  it("are of the days of each exchange that are over at the hour, and of the others a run later", async () => {
    const symbols = { newYork: "AAPL", kolkata: "TCS.NS", coin: "BTC-USD" };
    const trade = (symbol: string, at: number, net: number) =>
      tradeAt(ledger, account, at, net, undefined, symbol);
    // One Wednesday's session of New York, before and after midnight in Kolkata.
    await trade(symbols.newYork, JAN(3, 15), 1);
    await trade(symbols.newYork, JAN(3, 19), 2);
    await trade(symbols.kolkata, JAN(4, 9), 4);
    await trade(symbols.coin, JAN(5, 1), 8);
    const seen: unknown[] = [];
    clock.set(JAN(3) + HOUR_OF_ROLLUP);
    const one = process();
    for (let day = 3; day <= 6; day++) {
      await one.run();
      seen.push(await dated());
      clock.advance(DAY);
    }
    const [wednesday, thursday] = ["01-03 3", "01-04 4"];
    expect(seen).toEqual([
      [],
      [wednesday, thursday],
      [wednesday, thursday],
      [wednesday, thursday, "01-05 8"],
    ]);
    // Who asks gets what there is.
    await trade(symbols.coin, JAN(8, 9), 16);
    await one.rollups.remake("request", { from: "2024-01-08", to: "2024-01-08" }, account);
    expect((await dated()).at(-1)).toBe("01-08 16");
  });
});

describe("the loop of roll-ups", () => {
  it("runs once a day at its hour, whatever happens in between", async () => {
    await tradeAt(ledger, account, JAN(2, 10), 10);
    const one = process();
    await one.run();
    await tradeAt(ledger, account, JAN(2, 14), 20);
    for (const ms of [60_000, DAY - 120_000]) {
      clock.advance(ms);
      await one.run();
    }
    expect([await dated(), (await runs()).length]).toEqual([["01-02 10"], 1]);
    clock.advance(60_000);
    await one.run();
    // What was closed after the hour of the day before counts for its own date.
    expect(await dated()).toEqual(["01-02 30"]);
    expect(await runs()).toMatchObject([
      { trigger: "schedule", status: "succeeded", dates: "01-01 01-02", rows: 1 },
      { trigger: "schedule", status: "succeeded", dates: "01-02 01-03", rows: 1 },
    ]);
  });

  it("catches up on days that were missed, in one run", async () => {
    await process().run();
    for (let day = 3; day <= 8; day++) await tradeAt(ledger, account, JAN(day, 10), day);
    clock.set(JAN(8) + HOUR_OF_ROLLUP + 3_600_000);
    await gone();
    await process("later").run();
    expect(await dated()).toEqual(["01-03 3", "01-04 4", "01-05 5", "01-06 6", "01-07 7", "01-08 8"]);
    expect((await runs()).at(-1)).toMatchObject({ status: "succeeded", dates: "01-02 01-08", rows: 6 });
  });

  it("makes days anew at its start whose trades changed since, and only then", async () => {
    await tradeAt(ledger, account, JAN(1, 10), 10);
    await tradeAt(ledger, account, JAN(2, 10), 20);
    clock.set(JAN(5) + HOUR_OF_ROLLUP);
    await process().run();
    await gone();
    await process("calm").run();
    expect(await runs()).toHaveLength(1);
    // Brought in later, of a day that was long over: it counts where the account had come by then.
    await tradeAt(ledger, account, JAN(1, 15), -3);
    await gone();
    await process("later").run();
    expect(await dated()).toEqual(["01-01 10", "01-02 17"]);
    expect((await runs()).slice(1)).toMatchObject([{ trigger: "start", status: "succeeded", rows: 1 }]);
    const fresh = await openAccountAt(database, ledger, "Fresh", JAN(5, 1));
    await tradeAt(ledger, fresh, JAN(5, 3), 1);
    await gone();
    await process("latest").run();
    expect((await days()).filter(({ account_id }) => account_id === fresh)).toHaveLength(1);
  });

  it("is run by one process of many", async () => {
    await tradeAt(ledger, account, JAN(2, 10), 10);
    const all = ["a", "b", "c", "d"].map((owner) =>
      createTestRollups({ database, owner, now: clock.now, ledger: ledgerOver(database) }),
    );
    await Promise.all(all.map(({ run }) => run()));
    await Promise.all(all.map(({ run }) => run()));
    expect(await runs()).toHaveLength(1);
    expect(await dated()).toEqual(["01-02 10"]);
  });

  it("keeps why it failed, and tries again after a while", async () => {
    const broken: Ledger = {
      ...ledger,
      look: async () => {
        throw new Error("planted");
      },
    };
    const one = createTestRollups({ database, owner: "one", now: clock.now, ledger: broken });
    await expect(one.run()).rejects.toThrow("planted");
    await one.run();
    expect(await runs()).toMatchObject([{ status: "failed", failure: "planted" }]);
    clock.advance(601_000);
    await expect(one.run()).rejects.toThrow("planted");
    await gone();
    await process("two").run();
    expect((await runs()).map(({ status }) => status)).toEqual(["failed", "failed", "succeeded"]);
  });

  it.each<Fault>(["refused", "unheard", "failed"])(
    "leaves the rows of an undisturbed run, whichever call of the database is %s",
    async (fault) => {
      const second = await openAccountAt(database, ledger, "Second", JAN(1, 4));
      for (const id of [account, second]) {
        await tradeAt(ledger, id, JAN(1, 10), 10);
        await tradeAt(ledger, id, JAN(2, 10), -4, { pattern: "doji" });
      }
      await process("calm").run();
      const expected = [await days(), await strategies()];
      const faulty = createFaultyDatabase(database, async () => undefined);
      let failures = 0;
      for (let nth = 1; nth < 80; nth += 2) {
        await database.query(
          "truncate daily_performance, strategy_performance, rollup_cursors, rollup_runs, leases restart identity",
        );
        faulty.failAt(nth, fault);
        const settings = { owner: `process ${nth}`, now: clock.now };
        const failed = await createTestRollups({ ...settings, database: faulty, ledger: ledgerOver(faulty) })
          .run()
          .then(
            () => false,
            () => true,
          );
        failures += failed ? 1 : 0;
        await gone();
        await process("next").run();
        expect([await days(), await strategies()], `call ${nth}`).toEqual(expected);
        expect(
          (await runs()).filter(({ status }) => status === "running"),
          `call ${nth}`,
        ).toEqual([]);
        if (!failed && faulty.calls() < nth) break;
      }
      expect(failures).toBeGreaterThan(6);
    },
  );
});

describe("the date of a roll-up", () => {
  const newYork = zoneOf("America/New_York");

  it("begins at its hour on the clock of the zone, in winter and in summer", () => {
    expect(slotDate(zoneOf("Asia/Kolkata"), 18, Date.UTC(2024, 0, 2, 12, 29, 59))).toBe("2024-01-01");
    expect(slotDate(zoneOf("Asia/Kolkata"), 18, Date.UTC(2024, 0, 2, 12, 30))).toBe("2024-01-02");
    expect(slotDate(newYork, 18, Date.UTC(2024, 0, 2, 22, 59))).toBe("2024-01-01");
    expect(slotDate(newYork, 18, Date.UTC(2024, 0, 2, 23))).toBe("2024-01-02");
    expect(slotDate(newYork, 18, Date.UTC(2024, 6, 2, 21, 59))).toBe("2024-07-01");
    expect(slotDate(newYork, 18, Date.UTC(2024, 6, 2, 22))).toBe("2024-07-02");
  });

  it.each([0, 1, 2, 3, 23])("comes once each day over changes of clocks, at %i o'clock", (hour) => {
    for (const zone of [newYork, zoneOf("Europe/London"), zoneOf("Australia/Lord_Howe")]) {
      const seen: string[] = [];
      for (let ms = Date.UTC(2024, 1, 25); ms < Date.UTC(2024, 10, 10); ms += 600_000) {
        const date = slotDate(zone, hour, ms);
        if (seen.at(-1) !== date) seen.push(date);
      }
      expect(seen).toEqual([...new Set(seen)].sort());
      expect(seen.length, zone.name).toBeGreaterThanOrEqual(259);
    }
  });
});
