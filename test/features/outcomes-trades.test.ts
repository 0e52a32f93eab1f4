import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { marginRules } from "../../src/core/execution/account.js";
import { type DeskRules, GTC_DAYS } from "../../src/core/execution/context.js";
import type { Desk } from "../../src/core/execution/desk.js";
import { tradedShare } from "../../src/core/execution/instrument.js";
import { type OrderTerms, termsOf } from "../../src/core/execution/order.js";
import { causeOf, type OrderCause } from "../../src/features/paper-trades/cause.js";
import { type Account, createLedger, type Ledger } from "../../src/features/paper-trades/ledger.js";
import { createLedgerStore } from "../../src/features/paper-trades/store.js";
import { createBus } from "../../src/platform/bus.js";
import type { Database } from "../../src/platform/database.js";
import { createEventLog } from "../../src/platform/event-log.js";
import { createTestDatabase, openTestDatabase, type TestDatabase, tamper } from "../fixtures/database.js";
import { detectionAt, saveInstrument } from "../fixtures/detections.js";
import { createFaultyDatabase, type Fault } from "../fixtures/faulty-database.js";
import { silentLog } from "../fixtures/log.js";
import { createTestOutcomes, raiseAlerts } from "../fixtures/outcomes.js";

const NOW = Date.UTC(2024, 0, 2, 15);
const RULES: DeskRules = {
  account: marginRules("USD"),
  costs: {
    commission: { kind: "percent", rate: 0.001, minimum: 0 },
    spreadBps: 0,
    slippage: { kind: "none" },
    jitterSeed: null,
  },
  volumeShare: null,
  gtcDays: GTC_DAYS,
};

let server: TestDatabase;
let database: Database;

const ledgerOver = (over: Database) =>
  createLedger({
    database: over,
    store: createLedgerStore(over),
    eventLog: createEventLog(
      over,
      createBus(() => undefined),
      silentLog,
    ),
  });

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
    "truncate instruments, outcomes, leases, paper_accounts, outcome_cursors restart identity cascade",
  );
});

let accounts = 0;
async function openAccount(ledger: Ledger): Promise<string> {
  const store = createLedgerStore(database);
  const name = `Test ${++accounts}`;
  const { id } = await store.open({
    ...{ userId: "ann", name, rules: RULES, synthetic: false },
    ...{ cashFloor: -1e12, openedAt: NOW },
  });
  await ledger.act(id, { run: (desk) => desk.transfer(100_000, NOW) });
  return id;
}

let at = NOW;
/** Fills an order at the market at a price, and what rests at it. */
function trade(
  desk: Desk,
  account: Account,
  terms: Partial<OrderTerms>,
  price: number,
  cause?: Partial<OrderCause>,
) {
  at += 60_000;
  desk.list(tradedShare("AAA"));
  desk.mark("AAA", price);
  const order = termsOf({ id: `o${at}`, symbol: "AAA", side: "buy", quantity: 10, ...terms });
  if (cause !== undefined) account.explain(order.id, causeOf(order.id, "native", cause));
  expect(desk.submit(order, { at, open: true })).toEqual([]);
  show(desk, price);
}

function show(desk: Desk, price: number) {
  at += 1_000;
  desk.quote("AAA", { time: at, price, bid: price, ask: price, regular: true });
}

const bracket = (stop: number, target: number) => ({
  orderClass: "bracket" as const,
  timeInForce: "gtc" as const,
  stopLoss: { stopPrice: stop, limitPrice: null },
  takeProfit: { limitPrice: target },
});

const rowsOf = () =>
  database.query<Record<string, unknown>>(
    `select source, account_id, trade_id, alert_id, detection_id, pattern, direction, ending, outcome, entry, exit, gain, r, pnl,
       quantity, reason, user_id, (extract(epoch from settled_at) * 1000)::float8 as settled_at from outcomes order by id`,
  );

describe("trades that accounts have closed", () => {
  it("are outcomes, net of fees, in units of the stop that they had, with the alert they came from", async () => {
    const instrument = await saveInstrument(database, "AAA");
    const [alertId] = await raiseAlerts(database, instrument, [detectionAt(instrument, 0)]);
    const ledger = ledgerOver(database);
    const id = await openAccount(ledger);
    await ledger.act(id, {
      run(desk, account) {
        trade(desk, account, bracket(95, 110), 100, { alertId, pattern: "hammer", confidence: 0.6 });
        show(desk, 110);
        trade(desk, account, { side: "sell" }, 50);
        trade(desk, account, { side: "buy" }, 52, { alertId: 999 });
        trade(desk, account, { quantity: 5 }, 10);
      },
    });
    const one = createTestOutcomes({ database, owner: "one", now: () => at, ledger });
    await one.close();
    const [won, lost, ...rest] = await rowsOf();
    expect(rest).toEqual([]);
    // 100 gained, less a thousandth of 1,000 and of 1,100.
    expect(won).toMatchObject({
      ...{
        source: "paper",
        account_id: id,
        user_id: "ann",
        alert_id: alertId,
        detection_id: 1,
        direction: 1,
      },
      ...{
        ending: "target",
        outcome: "profit",
        entry: 100,
        exit: 110,
        pnl: "97.900000",
        quantity: "10.000000000",
      },
      ...{ pattern: "hammer", reason: null },
    });
    expect(won.r).toBeCloseTo(97.9 / 50, 12);
    expect(won.gain).toBeCloseTo(0.0979, 12);
    expect(lost).toMatchObject({
      ...{ ending: "trader", outcome: "loss", direction: -1, pnl: "-21.020000", r: null },
      reason: expect.stringContaining("no stop"),
    });
    const labels = await one.outcomes.labels({ sources: ["paper"] });
    expect(labels.map(({ label, alertId: alert, policy }) => [label, alert, policy])).toEqual([
      [1, alertId, null],
      [0, null, null],
    ]);
  });

  it("keep their risk where entry and stop were replaced, and are the user's where they were brought in", async () => {
    const ledger = ledgerOver(database);
    const id = await openAccount(ledger);
    await ledger.act(id, {
      run(desk, account) {
        desk.list(tradedShare("AAA"));
        desk.mark("AAA", 100);
        const limit = { ...bracket(88, 120), type: "limit" as const, limitPrice: 90 };
        desk.submit(termsOf({ id: "first", symbol: "AAA", side: "buy", quantity: 10, ...limit }), {
          at,
          open: true,
        });
        desk.replace("first", "second", { limitPrice: 92 }, { at: at + 1, open: true });
        at += 60_000;
        show(desk, 92);
        const stop = [...desk.state.orders.values()].find(({ role }) => role === "stop");
        desk.replace(stop?.id ?? "", "moved", { stopPrice: 91 }, { at: at + 1, open: true });
        show(desk, 91);
        account.explain("third", causeOf("third", "import", { pattern: "doji" }));
        desk.submit(termsOf({ id: "third", symbol: "AAA", side: "buy", quantity: 1 }), { at, open: true });
        show(desk, 91);
        trade(desk, account, { side: "sell", quantity: 1 }, 95);
      },
    });
    await createTestOutcomes({ database, owner: "one", now: () => at, ledger }).close();
    const [moved, brought] = await rowsOf();
    // A loss of 10 and fees of 1.83 on a planned risk of 40.
    expect(moved).toMatchObject({ source: "paper", trade_id: "second", entry: 92, exit: 91, ending: "stop" });
    expect(moved.r).toBeCloseTo(-11.83 / 40, 12);
    expect(brought).toMatchObject({ source: "user", pattern: "doji", outcome: "profit", account_id: id });
  });

  it("are written once by whichever process, and a trade that stays open is not", async () => {
    const ledgers = [ledgerOver(database), ledgerOver(database)];
    const id = await openAccount(ledgers[0]);
    const processes = ledgers.map((ledger, k) =>
      createTestOutcomes({ database, owner: `p${k}`, now: () => at, ledger }),
    );
    for (let round = 1; round <= 3; round++) {
      await ledgers[round % 2].act(id, { run: (desk, account) => trade(desk, account, {}, 100) });
      await Promise.all(processes.map(({ close }) => close()));
      expect(await rowsOf()).toHaveLength(round - 1);
      await ledgers[1].act(id, { run: (desk, account) => trade(desk, account, { side: "sell" }, 101) });
      await Promise.all(processes.flatMap(({ close }) => [close(), close()]));
      expect(await rowsOf()).toHaveLength(round);
    }
    const [{ seq, cursor }] = await database.query<{ seq: number; cursor: number }>(
      "select a.seq, c.seq as cursor from paper_accounts a join outcome_cursors c on c.account_id = a.id",
    );
    expect(cursor).toBe(seq);
  });

  it("of an account with many are written in parts, each with how far they go", async () => {
    const ledger = ledgerOver(database);
    const id = await openAccount(ledger);
    await ledger.act(id, {
      run(desk, account) {
        for (let k = 0; k < 60; k++) {
          trade(desk, account, { quantity: 1 }, 100);
          trade(desk, account, { quantity: 1 }, 101);
          // One order closes two.
          trade(desk, account, { side: "sell", quantity: 2 }, 102);
        }
      },
    });
    /** Rows that were there, and how far the account was looked at, when each transaction began. */
    const steps: object[] = [];
    const watched: Database = {
      ...database,
      async transaction(work) {
        const [step] = await database.query<object>(
          `select (select count(*) from outcomes) as rows, coalesce((select seq from outcome_cursors), 0) as seq`,
        );
        steps.push(step);
        return database.transaction(work);
      },
    };
    await createTestOutcomes({ database: watched, owner: "one", now: () => at, ledger }).close();
    const { seq } = await ledger.look(id, ({ state }) => ({ seq: state.seq }));
    // Two events an order, three orders a round; before them the money came in.
    const after = (rounds: number) => 1 + 6 * rounds;
    const ends = [0, 50, 100].map((rows) => ({ rows, seq: rows === 0 ? 0 : after(rows / 2) }));
    expect(steps).toEqual(ends);
    const rows = await rowsOf();
    expect(new Set(rows.map((row) => row.trade_id)).size).toBe(120);
    expect(await database.query("select seq from outcome_cursors")).toEqual([{ seq }]);
  });

  it.each<Fault>(["refused", "unheard", "failed"])(
    "are written exactly once, whichever call of the database is %s",
    async (fault) => {
      const ledger = ledgerOver(database);
      for (let k = 0; k < 2; k++) {
        const id = await openAccount(ledger);
        await ledger.act(id, {
          run(desk, account) {
            trade(desk, account, bracket(95, 110), 100);
            show(desk, 95);
            trade(desk, account, {}, 100);
            trade(desk, account, { side: "sell" }, 101);
          },
        });
      }
      await createTestOutcomes({ database, owner: "calm", now: () => at, ledger }).close();
      const expected = await rowsOf();
      expect(expected).toHaveLength(4);
      const faulty = createFaultyDatabase(database, async () => undefined);
      let failures = 0;
      for (let nth = 1; nth < 60; nth++) {
        await database.query("truncate outcomes, outcome_cursors, leases restart identity");
        faulty.failAt(nth, fault);
        const settings = { now: () => at, owner: `process ${nth}` };
        const failed = await createTestOutcomes({ ...settings, database: faulty, ledger: ledgerOver(faulty) })
          .close()
          .then(
            () => false,
            () => true,
          );
        failures += failed ? 1 : 0;
        await database.query("update leases set expires_at = '-infinity'");
        await createTestOutcomes({ ...settings, database, owner: "next", ledger }).close();
        expect(await rowsOf(), `call ${nth}`).toEqual(expected);
        if (!failed && faulty.calls() < nth) break;
      }
      expect(failures).toBeGreaterThan(6);
    },
  );
});
