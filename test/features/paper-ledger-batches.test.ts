import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { marginRules } from "../../src/core/execution/account.js";
import type { Desk } from "../../src/core/execution/desk.js";
import { createLedger, HALT_LEDGER, type Ledger } from "../../src/features/paper-trades/ledger.js";
import { createLedgerStore, type LedgerStore } from "../../src/features/paper-trades/store.js";
import { createBus } from "../../src/platform/bus.js";
import type { Database } from "../../src/platform/database.js";
import { AppError } from "../../src/platform/errors.js";
import { createEventLog } from "../../src/platform/event-log.js";
import { createTestDatabase, openTestDatabase, type TestDatabase } from "../fixtures/database.js";
import { createOpening, LEDGER_NOW, rulesOf, trade } from "../fixtures/ledger.js";
import { silentLog } from "../fixtures/log.js";

const MONEY = 1_000_000;

let server: TestDatabase;
let database: Database;
let store: LedgerStore;
let ledger: Ledger;
/** Another process. */
let other: Ledger;
/** Asked before each commit of the ledger, and before what is written by one statement. */
let beforeCommit: () => Promise<void> = async () => undefined;

beforeAll(async () => {
  server = await createTestDatabase();
  database = await openTestDatabase(server, { poolSize: 8 });
  store = createLedgerStore(database);
  const bus = createBus(() => undefined);
  const eventLog = createEventLog(database, bus, silentLog);
  const watched: Database = {
    ...database,
    transaction: (work) =>
      database.transaction(async (sql) => {
        const result = await work(sql);
        await beforeCommit();
        return result;
      }),
  };
  const watchedStore: LedgerStore = {
    ...store,
    async writeAndPublish(written) {
      await beforeCommit();
      return store.writeAndPublish(written);
    },
  };
  ledger = createLedger({ database: watched, store: watchedStore, eventLog });
  other = createLedger({ database, store, eventLog });
  open = createOpening(store, ledger);
});
afterAll(async () => {
  await database.close();
  await server.drop();
});

let open: ReturnType<typeof createOpening>;
const openAccount: (...given: Parameters<typeof open>) => Promise<string> = async (...given) =>
  (await open(...given)).id;
const buy = (desk: Desk, id: string, quantity: number) => trade(desk, id, "buy", quantity);

const cashOf = ({ state }: Desk) => state.cash / MONEY;

/** Holds the next commit. @returns when it is about to be made, and how it goes on. */
function holdCommit() {
  let arrive: () => void = () => undefined;
  let end: (error: Error | null) => void = () => undefined;
  const arrived = new Promise<void>((resolve) => {
    arrive = resolve;
  });
  const over = new Promise<Error | null>((resolve) => {
    end = resolve;
  });
  beforeCommit = async () => {
    beforeCommit = async () => undefined;
    arrive();
    const error = await over;
    if (error !== null) throw error;
  };
  return { arrived, end: (error: Error | null) => end(error) };
}

describe("a look", () => {
  it.each([
    ["by one statement", {}],
    ["with its seal", { seal: async () => undefined }],
  ])("does not see what is not written %s, whether it will be or not", async (_how, sealed) => {
    const id = await openAccount(1_000);
    for (const [error, cash] of [
      [new AppError("database_unavailable", "cut"), 1_000],
      [null, 900],
    ] as const) {
      const held = holdCommit();
      const bought = ledger
        .act(id, { run: (desk) => buy(desk, `of ${cash}`, 10), ...sealed })
        .catch(() => "failed");
      await held.arrived;
      const seen: number[] = [];
      const looks = [1, 2, 3].map(async () => seen.push(await ledger.look(id, cashOf)));
      expect(await other.look(id, cashOf)).toBe(1_000);
      expect(seen).toEqual([]);
      held.end(error);
      expect(await bought).toEqual(error === null ? [] : "failed");
      await Promise.all(looks);
      expect(new Set(seen)).toEqual(new Set([cash]));
      expect(await ledger.look(id, cashOf)).toBe(cash);
    }
  });

  it("sees what another process has written, also while work is under way here", async () => {
    const id = await openAccount(1_000);
    await ledger.look(id, cashOf);
    await other.act(id, { run: (desk) => buy(desk, "other", 10) });
    const work = ledger.act(id, { run: (desk) => buy(desk, "own", 20) });
    expect(await ledger.look(id, cashOf)).toBe(700);
    expect(await work).toEqual([]);
    expect(await other.look(id, cashOf)).toBe(700);
  });

  it("sees what this process was told is done, however many look and work at once", async () => {
    const id = await openAccount(1_000);
    for (let round = 0; round < 20; round++) {
      ledger.forget();
      const worked = Array.from({ length: 4 }, async (_, n) => {
        const which = n % 2 === 0 ? ledger : other;
        await which.act(id, { run: (desk) => buy(desk, `${round} ${n}`, 1) });
        expect(await which.look(id, ({ state }) => state.orders.has(`${round} ${n}`))).toBe(true);
      });
      await Promise.all([...worked, ...worked.map(() => ledger.look(id, cashOf))]);
    }
    expect(await ledger.look(id, cashOf)).toBe(200);
    expect(await ledger.verify(id)).toEqual([]);
  });

  it("is allowed at accounts that are closed, also while somebody tries to work", async () => {
    const id = await openAccount(1_000);
    await store.close(id, LEDGER_NOW);
    const work = ledger.act(id, { run: (desk) => buy(desk, "late", 1) });
    const look = ledger.look(id, cashOf);
    await expect(work).rejects.toMatchObject({ code: "account_closed" });
    expect(await look).toBe(1_000);
  });
});

describe("work that is written together", () => {
  it("fails by itself where the database refuses what it did", async () => {
    const id = await openAccount(1_000, rulesOf(marginRules("USD")), -500 * MONEY);
    const first = ledger.act(id, { run: (desk) => buy(desk, "first", 10) });
    const results = await Promise.allSettled([
      first,
      ledger.act(id, { run: (desk) => buy(desk, "fits", 10) }),
      ledger.act(id, { run: (desk) => buy(desk, "too much", 160) }),
      ledger.act(id, { run: (desk) => buy(desk, "fits too", 10) }),
      ledger.act(id, {
        run: (desk) => buy(desk, "unstorable", 10),
        seal: async (sql) => {
          await sql.query("select $1::jsonb", [JSON.stringify("\u0000")]);
        },
      }),
    ]);
    expect(results.map(({ status }) => status)).toEqual([
      "fulfilled",
      "fulfilled",
      "rejected",
      "fulfilled",
      "rejected",
    ]);
    expect(await other.look(id, cashOf)).toBe(700);
    expect(await other.look(id, ({ state }) => [...state.orders.keys()])).toEqual([
      "first",
      "fits",
      "fits too",
    ]);
    expect(await ledger.verify(id)).toEqual([]);
  });
});

describe("work that closes an account", () => {
  it("is written with what came before it and not with what comes after", async () => {
    const id = await openAccount(1_000);
    const results = await Promise.allSettled([
      ledger.act(id, { run: (desk) => buy(desk, "while it is idle", 10) }),
      ledger.act(id, { run: (desk) => buy(desk, "before", 10) }),
      ledger.act(id, {
        run: () => "closed",
        changesRow: true,
        seal: async (sql) => void (await store.close(id, LEDGER_NOW, sql)),
      }),
      ledger.act(id, { run: (desk) => buy(desk, "after", 10) }),
      ledger.look(id, cashOf),
    ]);
    expect(results).toMatchObject([
      { status: "fulfilled", value: [] },
      { status: "fulfilled", value: [] },
      { status: "fulfilled", value: "closed" },
      { status: "rejected", reason: { code: "account_closed" } },
      { status: "fulfilled", value: 800 },
    ]);
    expect(await other.look(id, ({ state }) => [...state.orders.keys()])).toEqual([
      "while it is idle",
      "before",
    ]);
  });
});

describe("an account that contradicts its ledger", () => {
  it("is not set going by what halts and resumes others", async () => {
    const id = await openAccount(1_000);
    await store.setHalt(id, HALT_LEDGER);
    for (const reason of ["kill_switch", null]) {
      await store.setHalt(id, reason);
      expect((await store.find(id))?.halt).toBe(HALT_LEDGER);
    }
  });
});
