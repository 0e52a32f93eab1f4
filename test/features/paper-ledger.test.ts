import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { marginRules } from "../../src/core/execution/account.js";
import { tradedShare } from "../../src/core/execution/instrument.js";
import { termsOf } from "../../src/core/execution/order.js";
import { candlesFromRows } from "../../src/core/market/candles.js";
import { isClosed } from "../../src/core/performance/trade.js";
import { createLedger, type Ledger } from "../../src/features/paper-trades/ledger.js";
import { createLedgerStore, type LedgerStore } from "../../src/features/paper-trades/store.js";
import { createBus } from "../../src/platform/bus.js";
import type { Database } from "../../src/platform/database.js";
import { createEventLog } from "../../src/platform/event-log.js";
import { createTestDatabase, openTestDatabase, type TestDatabase, tamper } from "../fixtures/database.js";
import { createOpening, LEDGER_NOW, rulesOf, trade } from "../fixtures/ledger.js";
import { silentLog } from "../fixtures/log.js";

const MONEY = 1_000_000;

let server: TestDatabase;
/** As two processes over one database. */
const databases: Database[] = [];
const stores: LedgerStore[] = [];
const ledgers: Ledger[] = [];
let openAccount: ReturnType<typeof createOpening>;

beforeAll(async () => {
  server = await createTestDatabase();
  for (let n = 0; n < 2; n++) {
    const database = await openTestDatabase(server, { poolSize: 6 });
    const store = createLedgerStore(database);
    const eventLog = createEventLog(
      database,
      createBus(() => undefined),
      silentLog,
    );
    databases.push(database);
    stores.push(store);
    ledgers.push(createLedger({ database, store, eventLog }));
  }
  openAccount = createOpening(stores[0], ledgers[0]);
});
afterAll(async () => {
  for (const database of databases) await database.close();
  await server.drop();
});

const rowsOf = (text: string, id: string) => databases[0].query<Record<string, string>>(text, [id]);

describe("an account over the ledger", () => {
  it("keeps what its desk did, and another process reads it to the micro", async () => {
    const { id } = await openAccount(1_000);
    await ledgers[0].act(id, { run: (desk) => trade(desk, "a", "buy", 3, 33.34) });
    await ledgers[0].act(id, { run: (desk) => trade(desk, "b", "sell", 1, 40) });
    const seen = await ledgers[1].look(id, ({ state }) => ({
      cash: state.cash,
      position: { ...state.positions.get("AAA") },
      states: [...state.orders.values()].map((order) => order.state),
    }));
    expect(seen).toEqual({
      cash: 1_000 * MONEY - 100_020_000 + 40_000_000,
      position: { symbol: "AAA", quantity: 2, cost: 66_680_000 },
      states: ["filled", "filled"],
    });
    expect(await ledgers[1].verify(id)).toEqual([]);
    const [row] = await rowsOf("select cash::text from paper_accounts where id = $1", id);
    expect(row.cash).toBe("939.980000");
  });

  it("never spends what it has not, however many spend at once in two processes", async () => {
    const { id } = await openAccount(1_000);
    const results = await Promise.all(
      Array.from({ length: 200 }, (_, n) =>
        ledgers[n % 2].act(id, { run: (desk) => trade(desk, `o${n}`, "buy", 1) }),
      ),
    );
    expect(results.filter((codes) => codes.length === 0)).toHaveLength(100);
    expect(new Set(results.flat())).toEqual(new Set(["insufficient_buying_power"]));
    const [row] = await rowsOf(
      `select cash::text, (select quantity::text from paper_positions where account_id = $1) as held,
        (select count(*)::text from paper_fills where account_id = $1) as fills from paper_accounts where id = $1`,
      id,
    );
    expect(row).toEqual({ cash: "0.000000", held: "100.000000000", fills: "100" });
    expect(await ledgers[0].verify(id)).toEqual([]);
  });

  it("has events of ascending instants, and trades that end after they began, in whatever order their moments come", async () => {
    const { id } = await openAccount(1_000);
    const [first] = await rowsOf(
      "select extract(epoch from max(at))::float8 * 1000 as at from paper_events where account_id = $1",
      id,
    );
    const begin = Number(first.at) + 1e6;
    await Promise.all(
      Array.from({ length: 24 }, (_, n) =>
        ledgers[n % 2].act(id, {
          run(desk) {
            if (!desk.lists("AAA")) desk.list(tradedShare("AAA"));
            const at = begin + ((n * 7_919) % 1_000);
            desk.mark("AAA", 10);
            desk.submit(
              termsOf({ id: `m${n}`, symbol: "AAA", side: n % 3 === 2 ? "sell" : "buy", quantity: 1 }),
              {
                at,
                open: true,
              },
            );
            desk.quote("AAA", { time: at + 1, price: 10, bid: 10, ask: 10, regular: true });
          },
        }),
      ),
    );
    const [{ back, late }] = await rowsOf(
      `select count(*) filter (where at < before)::text as back, count(body->'of')::text as late
       from (select at, body, lag(at) over (order by seq) as before from paper_events where account_id = $1) as told`,
      id,
    );
    expect(back).toBe("0");
    expect(Number(late)).toBeGreaterThan(0);
    const trades = await ledgers[0].look(id, (_desk, { history }) => [...history.trades.trades]);
    expect(trades.filter(isClosed).length).toBeGreaterThan(3);
    expect(trades.filter(({ openedAt, closedAt }) => (closedAt ?? openedAt) < openedAt)).toEqual([]);
    expect(await ledgers[1].verify(id)).toEqual([]);
  });

  it("closes a position once, however many close it at once", async () => {
    const { id } = await openAccount(1_000);
    await ledgers[0].act(id, { run: (desk) => trade(desk, "a", "buy", 50) });
    const results = await Promise.all(
      Array.from({ length: 50 }, (_, n) =>
        ledgers[n % 2].act(id, { run: (desk) => trade(desk, `c${n}`, "sell", 50) }),
      ),
    );
    expect(results.filter((codes) => codes.length === 0)).toHaveLength(1);
    expect(new Set(results.flat())).toEqual(new Set(["short_not_allowed"]));
    expect(await ledgers[1].look(id, (desk) => desk.state.positions.size)).toBe(0);
    expect(await ledgers[1].verify(id)).toEqual([]);
  });

  it("keeps nothing of work that fails before its commit, and does what comes after", async () => {
    const { id } = await openAccount(1_000);
    const failing = ledgers[0].act(id, {
      run: (desk) => trade(desk, "a", "buy", 10),
      seal: async () => {
        throw new Error("cut");
      },
    });
    await expect(failing).rejects.toThrow("cut");
    const halfway = ledgers[0].act(id, {
      run(desk) {
        trade(desk, "b", "buy", 10);
        throw new Error("a fault of the desk");
      },
    });
    await expect(halfway).rejects.toThrow("a fault");
    expect(await ledgers[0].look(id, ({ state }) => [state.cash, state.orders.size])).toEqual([
      1_000 * MONEY,
      0,
    ]);
    expect(await ledgers[0].act(id, { run: (desk) => trade(desk, "a", "buy", 10) })).toEqual([]);
    expect(await ledgers[1].verify(id)).toEqual([]);
  });

  it("is not worked on once it is closed, by whoever", async () => {
    const { id } = await openAccount(1_000);
    await ledgers[1].look(id, () => undefined);
    expect(await stores[0].close(id, LEDGER_NOW)).toBe(true);
    expect(await stores[0].close(id, LEDGER_NOW)).toBe(false);
    for (const ledger of ledgers) {
      const work = ledger.act(id, { run: (desk) => trade(desk, "a", "buy", 1) });
      await expect(work).rejects.toMatchObject({ code: "account_closed" });
    }
    const none = ledgers[0].act("00000000-0000-0000-0000-000000000000", { run: () => undefined });
    await expect(none).rejects.toMatchObject({ code: "account_not_found" });
  });
});

describe("the database", () => {
  it("refuses legs that do not sum to 0, cash below the floor, and all that takes back what was written", async () => {
    const { id } = await openAccount(1_000);
    await ledgers[0].act(id, { run: (desk) => trade(desk, "a", "buy", 10) });
    const insert =
      "insert into ledger_legs (account_id, seq, place, book, amount) values ($1, 900, 0, 'cash', 5)";
    const legs =
      "insert into ledger_legs (account_id, seq, place, book, amount) values ($1, 900, 0, 'cash', 5), ";
    for (const text of [
      insert,
      // Of two events, one by the other, and one cent of a part apart.
      `${legs} ($1, 901, 0, 'cash', -5)`,
      `${legs} ($1, 900, 1, 'shares', -4.999999)`,
    ]) {
      await expect(databases[0].query(text, [id]), text).rejects.toThrow("do not sum to 0");
    }
    for (const [text, words] of [
      ["update paper_accounts set cash = -0.000001 where id = $1", "paper_accounts_cash_check"],
      ["update paper_accounts set cash_floor = -1 where id = $1", "stays as it was opened"],
      ["update paper_accounts set rules = '{}' where id = $1", "stays as it was opened"],
      ["update ledger_legs set amount = amount + 1 where account_id = $1", "only added to"],
      ["update paper_events set event = 'filled' where account_id = $1", "only added to"],
      ["update paper_fills set price = 1 where account_id = $1", "only added to"],
      ["delete from ledger_legs where account_id = $1 and book = 'cash' and seq > 1", "only added to"],
      ["delete from paper_events where account_id = $1 and seq > 1", "only added to"],
      ["delete from paper_fills where account_id = $1", "only added to"],
      ["delete from paper_orders where account_id = $1", "only added to"],
      ["delete from paper_accounts where id = $1", "only added to"],
      ["update paper_orders set state = 'new' where account_id = $1", "is filled and stays so"],
      ["update paper_orders set filled = filled + 1 where account_id = $1", "is filled and stays so"],
    ]) {
      await expect(databases[0].query(text, [id]), text).rejects.toThrow(words);
    }
    for (const table of ["ledger_legs", "paper_events", "paper_fills", "paper_orders"])
      await expect(databases[0].query(`truncate ${table}`), table).rejects.toThrow("only added to");
    expect(await ledgers[0].verify(id)).toEqual([]);
  });

  it("opens no cash account that may owe, and none that may owe what cannot be counted", async () => {
    await expect(openAccount(1_000, rulesOf(), -1)).rejects.toThrow("paper_accounts_cash_floor_check");
    const opened = openAccount(1_000, rulesOf(marginRules("USD")), -9_000_000_001 * MONEY);
    await expect(opened).rejects.toThrow("paper_accounts_cash_floor_check");
  });

  it("takes less as filled from a split alone", async () => {
    const { id } = await openAccount(10_000, { ...rulesOf(), volumeShare: 0.1 });
    const bar = { time: LEDGER_NOW, open: 10, high: 10, low: 10, close: 10, volume: 500 };
    await ledgers[0].act(id, {
      run(desk) {
        desk.list(tradedShare("AAA"));
        desk.mark("AAA", 10);
        const terms = termsOf({ id: "a", symbol: "AAA", side: "buy", quantity: 100 });
        expect(desk.submit(terms, { at: LEDGER_NOW, open: true })).toEqual([]);
        const facts = {
          until: LEDGER_NOW + 60_000,
          regular: true,
          first: false,
          last: false,
          range: Number.NaN,
        };
        desk.bar("AAA", candlesFromRows("AAA", "1m", [bar]), 0, facts);
      },
    });
    const filled = async () =>
      (await rowsOf("select filled::float8 from paper_orders where account_id = $1", id))[0];
    expect(await filled()).toEqual({ filled: 50 });
    const less = databases[0].query("update paper_orders set filled = 40 where account_id = $1", [id]);
    await expect(less).rejects.toThrow("does not become less");
    await ledgers[0].act(id, { run: (desk) => desk.split("AAA", 0.1, LEDGER_NOW + 60_000) });
    expect(await filled()).toEqual({ filled: 5 });
    const again = databases[0].query(
      "update paper_orders set filled = 4, seq = seq + 1 where account_id = $1",
      [id],
    );
    await expect(again).rejects.toThrow("does not become less");
    expect(await ledgers[1].verify(id)).toEqual([]);
  });

  it("may owe on margin down to its floor", async () => {
    const floor = -500 * MONEY;
    const { id } = await openAccount(1_000, rulesOf(marginRules("USD")), floor);
    expect(await ledgers[0].act(id, { run: (desk) => trade(desk, "a", "buy", 150) })).toEqual([]);
    expect(await ledgers[0].look(id, ({ state }) => state.cash)).toBe(floor);
    const more = ledgers[0].act(id, { run: (desk) => trade(desk, "b", "buy", 10) });
    await expect(more).rejects.toThrow();
    expect(await ledgers[1].look(id, ({ state }) => state.cash)).toBe(floor);
    expect(await ledgers[1].verify(id)).toEqual([]);
  });

  it("holds what opens something to the leverage of its account, and what closes to nothing", async () => {
    const rules = rulesOf(marginRules("USD", 4));
    const { id } = await openAccount(1_000, rules, -1_000_000 * MONEY);
    await ledgers[0].act(id, { run: (desk) => trade(desk, "a", "buy", 400) });
    await ledgers[0].act(id, { run: (desk) => trade(desk, "b", "sell", 10) });
    // Opens on borrowed money when the shares are worth more: 390 * 20 - 2,900 = 4,900, of which 3,820 are free.
    await ledgers[0].act(id, { run: (desk) => trade(desk, "c", "buy", 100, 20) });
    // Falls to 2 overnight: 490 shares bring 980, and 4,900 - 980 stay owed.
    await ledgers[0].act(id, { run: (desk) => trade(desk, "d", "sell", 490, 2) });
    const fills = await rowsOf(
      "select cash::float8, equity::float8 from paper_fills where account_id = $1 order by seq",
      id,
    );
    expect(fills).toEqual([
      { cash: -3_000, equity: 1_000 },
      { cash: -2_900, equity: null },
      { cash: -4_900, equity: 4_900 },
      { cash: -3_920, equity: null },
    ]);
    expect(await ledgers[1].verify(id)).toEqual([]);
  });

  it.each([
    [2, -1_000.02],
    [3, -2_000.02],
    [4, -3_000.02],
  ])("refuses a fill that opens on more than a leverage of %d bears", async (leverage, cash) => {
    const { id } = await openAccount(1_000, rulesOf(marginRules("USD", leverage)), -1_000_000 * MONEY);
    const fill = (owing: string, equity: string) =>
      databases[0].query(
        `insert into paper_fills (account_id, id, seq, order_id, symbol, way, quantity, price, amount, fees, gain, at, cash, equity)
         values ($1, 'f', 9, 'o', 'AAA', 1, 1, 1, 1, 0, 0, now(), ${owing}, ${equity})`,
        [id],
      );
    await expect(fill(`${cash}`, "1000")).rejects.toThrow("does not bear that");
    await expect(fill("null", "1000")).rejects.toThrow("does not bear that");
    await expect(fill("-1", "-1000")).rejects.toThrow("does not bear that");
    await fill(`${cash + 0.02}`, "1000");
  });
});

describe("an account whose rows contradict its events", () => {
  it.each([
    [
      "cash",
      "update paper_accounts set cash = cash + 1 where id = $1",
      /^cash: 901000000 is kept and 900000000/,
    ],
    [
      "a position",
      "update paper_positions set quantity = 11 where account_id = $1",
      /^AAA, quantity: 11 is kept/,
    ],
    [
      "an order",
      "delete from paper_orders where account_id = $1",
      /^order a: undefined is kept and filled follows/,
    ],
    ["a fill", "delete from paper_fills where account_id = $1", /^fills: 0 is kept and 1 follows/],
    ["a leg", "delete from ledger_legs where account_id = $1 and book = 'cash'", /^book cash: 0 is kept/],
  ])("%s: is told of and trades no more", async (_what, text, words) => {
    const { id } = await openAccount(1_000);
    await ledgers[0].act(id, { run: (desk) => trade(desk, "a", "buy", 10) });
    await ledgers[1].look(id, () => undefined);
    await tamper(databases[0], text, [id]);
    expect((await ledgers[0].verify(id))[0]).toMatch(words);
    for (const ledger of ledgers) {
      const work = ledger.act(id, { run: (desk) => trade(desk, "b", "buy", 1) });
      await expect(work).rejects.toMatchObject({ code: "trading_halted" });
    }
  });
});
