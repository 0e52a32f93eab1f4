import { beforeEach, describe, expect, it } from "vitest";
import { type AccountRules, cashRules, marginRules } from "../../src/core/execution/account.js";
import type { Desk } from "../../src/core/execution/desk.js";
import { type OrderTerms, termsOf } from "../../src/core/execution/order.js";
import type { CorporateAction } from "../../src/core/market/actions.js";
import { dayOf } from "../../src/core/market/day.js";
import { tradedAs } from "../../src/features/instruments/traded.js";
import { createBook } from "../../src/features/paper-trades/book.js";
import type { Ledger } from "../../src/features/paper-trades/ledger.js";
import type { Matching } from "../../src/features/paper-trades/matching.js";
import type { LedgerStore } from "../../src/features/paper-trades/store.js";
import { createTrading } from "../../src/features/paper-trades/trading.js";
import { DEFAULT_RISK_SETTINGS } from "../../src/features/risk/settings.js";
import { AppError } from "../../src/platform/errors.js";
import { useDatabase } from "../fixtures/database.js";
import { ROOMY } from "../fixtures/roomy-settings.js";
import {
  feed,
  instruments,
  MINUTE,
  market,
  openAccount,
  START,
  startDesk,
} from "../fixtures/written-market.js";

const DAY = 86_400_000;
const MONEY = 1e6;

const QUOTE = {
  ...{
    time: START,
    open: null,
    high: null,
    low: null,
    previousClose: null,
    volume: null,
    bid: null,
    ask: null,
  },
  ...{ change: null, changePercent: null, source: "test", synthetic: true, fromCandles: true, stale: false },
  ...{ ageMs: 0, trouble: null },
};

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

const open = (account?: AccountRules) => openAccount({ store, ledger }, account);

async function submit(
  id: string,
  terms: Pick<OrderTerms, "id" | "symbol" | "side"> & Partial<OrderTerms>,
  mark: number,
) {
  const refused = await ledger.act(id, {
    run(desk, { cursors }) {
      if (!desk.lists(terms.symbol)) desk.list(tradedAs(terms.symbol));
      desk.mark(terms.symbol, mark);
      if (!cursors.has(terms.symbol)) cursors.set(terms.symbol, market.now);
      return desk.submit(termsOf(terms), { at: market.now, open: true });
    },
  });
  expect(refused).toEqual([]);
}
async function rowOf(id: string) {
  const row = await store.find(id);
  if (row === null) throw new Error("the account is gone");
  return row;
}
const codeOf = (error: unknown) => (error instanceof AppError ? error.code : String(error));
const NO_DAY = { startEquity: null, peakEquity: null, startMaintenance: 0 };
const look = <T>(id: string, see: (desk: Desk) => T) => ledger.look(id, see);
const fills = (id: string) =>
  ledger.look(id, (_desk, { history }) =>
    history.fills.map(({ orderId, at, fill }) => [orderId, (at - START) / MINUTE, fill.price, fill.quantity]),
  );

describe("orders that rested while nobody looked", () => {
  it("meet the bars that were missed, in the order of time over all symbols, once", async () => {
    const id = await open();
    const gtc = { quantity: 10, side: "buy", timeInForce: "gtc" } as const;
    await submit(id, { ...gtc, id: "a", symbol: "AAPL", type: "limit", limitPrice: 99 }, 100);
    await submit(id, { ...gtc, id: "b", symbol: "MSFT", type: "stop", stopPrice: 203 }, 200);
    market.bars.set("AAPL", [
      [1, 100, 101, 99.5, 100],
      [2, 100, 100, 98, 98.5],
    ]);
    market.bars.set("MSFT", [
      [1, 200, 204, 199, 204],
      [2, 204, 205, 203, 204],
    ]);
    market.now = START + 3 * MINUTE;
    start();
    await matching.run(id);
    const expected = [
      ["b", 2, 203, 10],
      ["a", 3, 99, 10],
    ];
    expect(await fills(id)).toEqual(expected);
    start();
    await matching.run(id);
    expect(await fills(id)).toEqual(expected);
    expect(await ledger.verify(id)).toEqual([]);
  });

  it("of two processes are filled by one", async () => {
    const id = await open();
    await submit(id, { id: "a", symbol: "AAPL", side: "buy", quantity: 1 }, 100);
    market.bars.set("AAPL", [[1, 101, 102, 100, 101]]);
    market.now = START + 2 * MINUTE;
    const first = matching;
    start();
    await Promise.all([first.run(id), matching.run(id)]);
    expect(await fills(id)).toEqual([["a", 1, 101, 1]]);
    expect(await ledger.verify(id)).toEqual([]);
  });

  it("wait for a source that is silent, and others do not", async () => {
    const id = await open();
    await submit(id, { id: "a", symbol: "AAPL", side: "buy", quantity: 1 }, 100);
    await submit(id, { id: "b", symbol: "MSFT", side: "buy", quantity: 1 }, 200);
    market.bars.set("AAPL", [[1, 100, 100, 100, 100]]);
    market.bars.set("MSFT", [[1, 200, 200, 200, 200]]);
    market.silent.add("AAPL");
    market.now = START + 2 * MINUTE;
    await matching.run(id);
    expect(await fills(id)).toEqual([["b", 1, 200, 1]]);
    market.silent.clear();
    await matching.run(id);
    expect(await fills(id)).toEqual([
      ["b", 1, 200, 1],
      ["a", 1, 100, 1],
    ]);
  });

  it("hold back what is done to them while their source is silent, and nothing else", async () => {
    const id = await open();
    const resting = { side: "buy", quantity: 1, type: "limit", timeInForce: "gtc" } as const;
    await submit(id, { ...resting, id: "a", symbol: "AAPL", limitPrice: 95 }, 100);
    await submit(id, { ...resting, id: "b", symbol: "MSFT", limitPrice: 100 }, 200);
    market.bars.set("AAPL", [[1, 96, 96, 94, 96]]);
    market.silent.add("AAPL");
    market.now = START + 2 * MINUTE;
    start();
    const row = await rowOf(id);
    const trading = createTrading({
      ...{ ledger, feed, matching, instruments },
      standings: { today: async () => ({ startMs: START, ...NO_DAY }) },
      settings: { load: async () => ({ ...DEFAULT_RISK_SETTINGS, ...ROOMY }) },
    });
    const { id: _id, ...terms } = termsOf({ ...resting, id: "", symbol: "AAPL", limitPrice: 90 });
    const buy = (symbol: string) =>
      trading.submit(row, { terms: { ...terms, symbol }, cause: { origin: "native" } });
    const held = { code: "provider_unavailable" };
    await expect(buy("AAPL")).rejects.toMatchObject(held);
    await expect(trading.cancel(row, "a")).rejects.toMatchObject(held);
    await expect(trading.replace(row, "a", { changes: { limitPrice: 94 } })).rejects.toMatchObject(held);
    await expect(trading.closePosition(row, "AAPL", { kind: "all" })).rejects.toMatchObject(held);
    expect((await buy("MSFT")).order.state).toBe("new");
    expect((await trading.cancel(row, "b")).order.state).toBe("canceled");
    market.silent.clear();
    expect(await trading.replace(row, "a", { changes: { limitPrice: 94 } }).catch(codeOf)).toBe(
      "order_refused",
    );
    expect(await fills(id)).toEqual([["a", 2, 95, 1]]);
    market.silent.add("MSFT");
    market.now += MINUTE;
    // A brake does not wait.
    expect(await trading.cancelAll(row)).toHaveLength(1);
  });

  it("hold back nothing where their market was closed since", async () => {
    market.now = Date.UTC(2024, 6, 9, 21);
    const id = await open();
    const resting = { side: "buy", quantity: 1, type: "limit", timeInForce: "gtc" } as const;
    await submit(id, { ...resting, id: "a", symbol: "AAPL", limitPrice: 95 }, 100);
    market.silent.add("AAPL");
    const row = await rowOf(id);
    for (const [at, held] of [
      [Date.UTC(2024, 6, 10, 13, 30, 59), false],
      [Date.UTC(2024, 6, 10, 13, 31), true],
    ] as const) {
      market.now = at;
      start();
      const begun = matching.begin(row, market.now, ["AAPL"]).then(() => null, codeOf);
      expect(await begun).toBe(held ? "provider_unavailable" : null);
    }
  });

  it("for the day expire with their session, also where no bar told of its end", async () => {
    const id = await open();
    await submit(
      id,
      { id: "a", symbol: "AAPL", side: "buy", quantity: 1, type: "limit", limitPrice: 1 },
      100,
    );
    market.now = Date.UTC(2024, 6, 9, 20, 10);
    await matching.run(id);
    expect(await look(id, ({ state }) => state.orders.get("a")?.state)).toBe("new");
    market.now = Date.UTC(2024, 6, 9, 20, 16);
    await matching.run(id);
    expect(await look(id, ({ state }) => state.orders.get("a"))).toMatchObject({
      state: "expired",
      reason: "day_ended",
    });
  });
});

describe("splits and dividends", () => {
  const hold = async (account = cashRules("USD"), quantity = 9, side: "buy" | "sell" = "buy") => {
    market.now = START;
    const id = await open(account);
    await submit(id, { id: "a", symbol: "AAPL", side, quantity }, 100);
    market.bars.set("AAPL", [[1, 100, 100, 100, 100]]);
    market.now = START + 2 * MINUTE;
    await matching.run(id);
    return id;
  };
  const cashOf = (id: string) => look(id, ({ state }) => state.cash / MONEY);

  it("are applied when their day begins and opens, the split first, before its bars, once", async () => {
    const id = await hold();
    market.actions.set("AAPL", [
      { kind: "dividend", exDay: dayOf("2024-07-10"), amount: 0.5, currency: "USD" },
      { kind: "dividend", exDay: dayOf("2024-07-10"), amount: 0.25, currency: "USD" },
      { kind: "dividend", exDay: dayOf("2024-07-10"), amount: 7, currency: "EUR" },
      { kind: "split", exDay: dayOf("2024-07-10"), ratio: 4 },
    ]);
    await matching.run(id);
    expect(await look(id, ({ state }) => state.positions.get("AAPL")?.quantity)).toBe(9);
    // A bar of the evening before comes late: it is of the old shares and is not walked.
    const nextDay = (DAY - 30 * MINUTE) / MINUTE;
    market.bars.set("AAPL", [
      [1, 100, 100, 100, 100],
      [350, 101, 101, 101, 101],
      [nextDay, 25, 26, 24, 25],
    ]);
    market.now = START + DAY;
    for (let n = 0; n < 3; n++) {
      await matching.run(id);
      start();
    }
    expect(await look(id, ({ state }) => state.positions.get("AAPL"))).toEqual({
      symbol: "AAPL",
      quantity: 36,
      cost: 900 * MONEY,
    });
    expect(await cashOf(id)).toBe(10_000 - 900 + 36 * 0.75);
    expect(await look(id, (desk) => desk.equity() / MONEY)).toBe(10_000 + 36 * 0.75);
    expect(await ledger.verify(id)).toEqual([]);
  });

  it("count before prices of their day do, which may be of the new shares from midnight on", async () => {
    const id = await hold(marginRules("USD", 4), 301);
    market.actions.set("AAPL", [{ kind: "split", exDay: dayOf("2024-07-10"), ratio: 1.5 }]);
    // What a source tells is divided from the first instant of the day, also of the evening before.
    market.now = Date.UTC(2024, 6, 10, 4, 0, 1);
    const price = 100 / 1.5;
    const quote = { ...QUOTE, symbol: "AAPL", price };
    const quotes = { loadMany: async () => ({ quotes: [quote], missing: [] }) };
    const book = createBook({ ledger, quotes, instruments, feed, matching });
    const row = await store.find(id);
    if (row === null) throw new Error("the account is gone");
    const { standing, positions, realised } = await book.portfolio(row);
    const summed = await ledger.look(id, (_desk, { history: { trades } }) =>
      trades.trades.reduce((sum, { net }) => sum + net, trades.interest),
    );
    expect(realised).toBe(summed);
    const { closes } = market;
    await matching.run(id);
    expect(market.closes, "a split that was applied needs no close").toBe(closes);
    const paid = 0.5 * 66.67;
    expect(positions).toMatchObject([{ symbol: "AAPL", quantity: 451 }]);
    expect(standing.cash / MONEY).toBe(10_000 - 30_100 + paid);
    expect(standing.equity / MONEY).toBeCloseTo(10_000 - 30_100 + paid + 451 * price, 5);
    market.bars.set("AAPL", [
      [1, 100, 100, 100, 100],
      [DAY / MINUTE, 66, 67, 66, 67],
    ]);
    market.now = START + DAY + 2 * MINUTE;
    await matching.run(id);
    expect(await look(id, ({ state }) => [state.positions.get("AAPL")?.quantity, state.orders.size])).toEqual(
      [451, 1],
    );
    expect(await ledger.verify(id)).toEqual([]);
  });

  it("lower what rests by a dividend, once, also where nothing is held", async () => {
    const id = await open();
    const limit = { symbol: "AAPL", side: "buy", type: "limit", quantity: 1, timeInForce: "gtc" } as const;
    await submit(id, { ...limit, id: "a", limitPrice: 95 }, 100);
    market.actions.set("AAPL", [
      { kind: "dividend", exDay: dayOf("2024-07-10"), amount: 0.75, currency: "USD" },
    ]);
    market.now = Date.UTC(2024, 6, 10, 12);
    await submit(id, { ...limit, id: "before the open", limitPrice: 90 }, 100);
    market.now = START + DAY;
    for (let n = 0; n < 3; n++) {
      await matching.run(id);
      start();
    }
    const limitsOf = (desk: Desk) => [...desk.state.orders.values()].map(({ limitPrice }) => limitPrice);
    expect(await look(id, limitsOf)).toEqual([94.25, 90]);
    const [from, until] = [Date.UTC(2024, 6, 10, 4), Date.UTC(2024, 6, 11, 4)];
    const applied = (kind: "split" | "dividend") =>
      ledger.look(id, (_desk, { history }) => history.applied("AAPL", kind, from, until));
    expect([await applied("dividend"), await applied("split")]).toEqual([true, false]);
    expect(await ledger.verify(id)).toEqual([]);
  });

  it("that are told late count where nothing was traded since, for some days", async () => {
    const late: CorporateAction[] = [
      { kind: "dividend", exDay: dayOf("2024-07-10"), amount: 1, currency: "USD" },
    ];
    const quiet = await hold();
    const traded = await hold();
    const old = await hold();
    market.now = START + 2 * DAY;
    for (const id of [quiet, traded, old]) await matching.run(id);
    market.bars.set("AAPL", [[(2 * DAY) / MINUTE, 100, 100, 100, 100]]);
    await submit(traded, { id: "b", symbol: "AAPL", side: "buy", quantity: 1 }, 100);
    market.now += 2 * MINUTE;
    for (const id of [quiet, traded, old]) await matching.run(id);
    market.actions.set("AAPL", late);
    await matching.run(quiet);
    await matching.run(traded);
    market.now = START + 20 * DAY;
    await matching.run(old);
    expect(await cashOf(quiet)).toBe(10_000 - 900 + 9);
    expect(await cashOf(traded)).toBe(10_000 - 1_000);
    expect(await cashOf(old)).toBe(10_000 - 900);
  });

  it("nights cost what is borrowed, each once, also over a change of clocks", async () => {
    const rules = { ...marginRules("USD"), borrowRate: 0.36, interestRate: 0 };
    // From Friday before clocks are set back to Monday after it: three nights, one of 25 hours.
    market.now = Date.UTC(2024, 10, 1, 14);
    const id = await open(rules);
    await submit(id, { id: "a", symbol: "AAPL", side: "sell", quantity: 10 }, 100);
    const minute = (Date.UTC(2024, 10, 1, 14) - START) / MINUTE;
    market.bars.set("AAPL", [[minute + 1, 100, 100, 100, 100]]);
    market.now += 2 * MINUTE;
    await matching.run(id);
    const monday = Date.UTC(2024, 10, 4, 15);
    market.now = monday;
    for (let n = 0; n < 2; n++) {
      await matching.run(id);
      start();
    }
    const borrowed = await ledger.look(id, (_desk, { history }) =>
      history.postings.filter(({ event }) => event === "borrow").map(({ at }) => new Date(at).toISOString()),
    );
    expect(borrowed).toEqual([
      "2024-11-02T04:00:00.000Z",
      "2024-11-03T04:00:00.000Z",
      "2024-11-04T05:00:00.000Z",
    ]);
    expect(await cashOf(id)).toBe(10_000 + 1_000 - 3);
  });
});

describe("a start", () => {
  it("holds every open account against its ledger, and lets those that disagree trade no more", async () => {
    const [good, bad] = [await open(), await open()];
    await database().query("update paper_accounts set cash = cash + 1 where id = $1", [bad]);
    expect(await matching.recover()).toEqual([bad]);
    const trade = (id: string) => ledger.act(id, { run: (desk) => desk.transfer(1, market.now) });
    await expect(trade(bad)).rejects.toMatchObject({ code: "trading_halted" });
    expect(await trade(good)).toEqual([]);
  });
});
