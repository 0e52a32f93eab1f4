import { beforeEach, describe, expect, it } from "vitest";
import { termsOf } from "../../src/core/execution/order.js";
import { tradedAs } from "../../src/features/instruments/traded.js";
import type { Ledger } from "../../src/features/paper-trades/ledger.js";
import type { Matching } from "../../src/features/paper-trades/matching.js";
import type { LedgerStore } from "../../src/features/paper-trades/store.js";
import { useDatabase } from "../fixtures/database.js";
import { MINUTE, market, openAccount, START, startDesk } from "../fixtures/written-market.js";

const database = useDatabase();
let store: LedgerStore;
let ledger: Ledger;
let matching: Matching;

/** As a process that has just started. */
function start(): void {
  ({ store, ledger, matching } = startDesk(database()));
}

beforeEach(() => {
  market.begin();
  start();
});

/** An account with an order that rests at 99 and buys a share, in a market that falls through that. */
async function openResting(name: string): Promise<string> {
  const id = await openAccount({ store, ledger });
  const refused = await ledger.act(id, {
    run(desk, { cursors }) {
      desk.list(tradedAs("AAPL"));
      desk.mark("AAPL", 100);
      cursors.set("AAPL", START);
      const limit = { type: "limit", limitPrice: 99, timeInForce: "gtc" } as const;
      const terms = { id: `${name} rests`, symbol: "AAPL", side: "buy", quantity: 1, ...limit } as const;
      return desk.submit(termsOf(terms), { at: START, open: true });
    },
  });
  expect(refused).toEqual([]);
  market.bars.set("AAPL", [
    [1, 100, 101, 99.5, 100],
    [2, 100, 100, 98, 98.5],
  ]);
  market.now = START + 3 * MINUTE;
  return id;
}

const ordersOf = (id: string) =>
  ledger.look(id, ({ state }) =>
    Object.fromEntries([...state.orders].map(([key, order]) => [key, order.state])),
  );

const run = () => matching.loop.run(market.now, new AbortController().signal);

describe("an account that is halted with an order that opens something at work", () => {
  it.each(["kill_switch", "some other reason"])(
    "%s: has it canceled, and not filled, by the next run",
    async (halt) => {
      const id = await openResting(halt);
      await database().query("update paper_accounts set halt = $2 where id = $1", [id, halt]);
      start();
      await run();
      expect(await ordersOf(id)).toEqual({ [`${halt} rests`]: "canceled" });
      expect(await ledger.verify(id)).toEqual([]);
    },
  );
});

describe("an account that cannot be rebuilt from its events", () => {
  it.each([
    [1, "event 2 does not follow 0"],
    [2, "event 1 is the last, and 2 were written"],
  ])("for event %i is not there, is halted and says so, and the others go on", async (seq, why) => {
    const [bad, good] = [await openResting(`bad ${seq}`), await openResting(`good ${seq}`)];
    await database().transaction(async (sql) => {
      // What is written stays written, but for whoever owns the database.
      await sql.query("set local session_replication_role = replica");
      await sql.query("delete from paper_events where account_id = $1 and seq = $2", [bad, seq]);
    });
    start();
    await run();
    await run();
    expect(await ordersOf(good)).toEqual({ [`good ${seq} rests`]: "filled" });
    const broken = { code: "trading_halted", message: expect.stringContaining(why) };
    await expect(ordersOf(bad)).rejects.toMatchObject(broken);
    const trade = ledger.act(bad, { run: (desk) => desk.transfer(1, market.now) });
    await expect(trade).rejects.toMatchObject(broken);
    const row = await store.find(bad);
    expect(row?.halt).toBe("ledger_disagrees");
    expect(await store.listActive(true)).not.toContain(bad);
  });
});

describe("accounts of which one fails as nobody expects", () => {
  it("are matched but for that one, and the run fails after them", async () => {
    const [first, second] = [await openResting("first"), await openResting("second")];
    const defect = () => Promise.reject(new TypeError("a defect"));
    const desk = startDesk(database(), (whole) => ({
      ...whole,
      act: (id, work) => (id === first ? defect() : whole.act(id, work)),
    }));
    await expect(desk.matching.loop.run(market.now, new AbortController().signal)).rejects.toThrow(
      /accounts failed/,
    );
    expect(await ordersOf(second)).toMatchObject({ "second rests": "filled" });
  });
});
