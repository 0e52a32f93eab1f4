import { afterAll, beforeEach, describe, expect, it } from "vitest";
import { marginRules } from "../../src/core/execution/account.js";
import { type OrderTerms, termsOf } from "../../src/core/execution/order.js";
import { tradedAs } from "../../src/features/instruments/traded.js";
import type { Ledger } from "../../src/features/paper-trades/ledger.js";
import type { Matching } from "../../src/features/paper-trades/matching.js";
import type { LedgerStore } from "../../src/features/paper-trades/store.js";
import { expiryOf } from "../../src/protocols/alpaca/order-end.js";
import { useDatabase } from "../fixtures/database.js";
import { ROOMY } from "../fixtures/roomy-settings.js";
import { instrumentOf } from "../fixtures/vendor-answers.js";
import { MINUTE, market, openAccount, START, startDesk } from "../fixtures/written-market.js";

const database = useDatabase();
let store: LedgerStore;
let ledger: Ledger;
let matching: Matching;

afterAll(() => {
  market.limits = ROOMY;
});
beforeEach(() => {
  market.begin();
  market.limits = ROOMY;
  ({ store, ledger, matching } = startDesk(database()));
});

const open = () => openAccount({ store, ledger }, marginRules("USD"), 100_000);

type Terms = { readonly id: string; readonly symbol: string } & Partial<OrderTerms>;
async function rest(id: string, mark: number, given: readonly Terms[]): Promise<void> {
  await ledger.act(id, {
    run(desk, { cursors }) {
      for (const terms of given) {
        if (!desk.lists(terms.symbol)) desk.list(tradedAs(terms.symbol));
        desk.mark(terms.symbol, mark);
        if (!cursors.has(terms.symbol)) cursors.set(terms.symbol, market.now);
        const whole = termsOf({ side: "buy", timeInForce: "gtc", ...terms });
        expect(desk.submit(whole, { at: market.now, open: true })).toEqual([]);
      }
    },
  });
}
const endsOf = (id: string) =>
  ledger.look(id, ({ state }) =>
    [...state.orders.values()].map((order) => `${order.id} ${order.state} ${order.reason ?? "-"}`),
  );
async function walk(id: string, minutes: number): Promise<string[]> {
  market.now = START + minutes * MINUTE;
  await matching.run(id);
  return endsOf(id);
}
const stop = (id: string, symbol: string, stopPrice: number): Terms => ({
  ...{ id, symbol, quantity: 1, type: "stop", stopPrice },
});

describe("orders that rest", () => {
  it("open nothing once the loss of the day is reached, and close what is held all the same", async () => {
    const id = await open();
    await rest(id, 100, [{ id: "a", symbol: "AAPL", quantity: 100 }]);
    market.bars.set("AAPL", [[1, 100, 100, 100, 100]]);
    await walk(id, 2);
    await rest(id, 100, [
      { id: "out", symbol: "AAPL", side: "sell", quantity: 40, type: "stop", stopPrice: 99.4 },
      { id: "more", symbol: "AAPL", quantity: 1, type: "limit", limitPrice: 99 },
      stop("before", "MSFT", 101),
      stop("after", "MSFT", 102),
      { id: "closing", symbol: "MSFT", side: "sell", quantity: 1, type: "stop", stopPrice: 90 },
    ]);
    market.limits = { ...ROOMY, max_daily_loss: 50 };
    // 100 shares at 99.50 have lost 50.
    market.bars.set("AAPL", [
      [3, 99.6, 99.6, 99.6, 99.6],
      [5, 99.5, 99.5, 99.5, 99.5],
      [7, 99.4, 99.4, 98.9, 98.9],
    ]);
    market.bars.set("MSFT", [
      [4, 101.5, 101.5, 101.5, 101.5],
      [6, 103, 103, 89, 89],
    ]);
    expect(await walk(id, 8)).toEqual([
      "a filled -",
      "out filled -",
      "more rejected daily_loss_reached",
      "before filled -",
      "after rejected daily_loss_reached",
      "closing filled -",
    ]);
    // The next day begins anew.
    await rest(id, 89, [stop("next", "MSFT", 90)]);
    const day = 24 * 60;
    market.bars.set("MSFT", [[day, 95, 95, 95, 95]]);
    expect((await walk(id, day + 1)).at(-1)).toBe("next filled -");
    expect(await ledger.verify(id)).toEqual([]);
  });

  it("open no more positions and no more entries than may be open, nor below the peak, and end their legs with them", async () => {
    const id = await open();
    const limit = (name: string, symbol: string): Terms => ({
      ...{ id: name, symbol, quantity: 10, type: "limit", limitPrice: 99 },
    });
    const legs = { takeProfit: { limitPrice: 120 }, stopLoss: { stopPrice: 80, limitPrice: null } };
    await rest(id, 100, [
      limit("a1", "AAPL"),
      limit("a2", "AAPL"),
      { ...limit("m", "MSFT"), ...legs, orderClass: "bracket" },
    ]);
    market.limits = { ...ROOMY, max_open_positions: 1, diversification_limit: 1 };
    market.bars.set("AAPL", [[1, 99, 99, 99, 99]]);
    market.bars.set("MSFT", [[2, 99, 99, 99, 99]]);
    expect(await walk(id, 3)).toEqual([
      "a1 filled -",
      "a2 rejected positions_in_symbol_exceeded",
      "m rejected open_positions_exceeded",
      "m/stop canceled parent_ended",
      "m/target canceled parent_ended",
    ]);
    market.limits = { ...ROOMY, max_drawdown_limit: 0.5 };
    await rest(id, 99, [{ id: "k", symbol: "KO", quantity: 1, type: "limit", limitPrice: 50 }]);
    market.bars.set("AAPL", [[4, 40, 40, 40, 40]]);
    market.bars.set("KO", [[5, 50, 50, 50, 50]]);
    expect((await walk(id, 6)).at(-1)).toBe("k rejected drawdown_reached");
  });

  it("for the day that trade after the close, too, expire when that ends, and say so in the dialect", async () => {
    const id = await open();
    const day = { symbol: "AAPL", quantity: 1, type: "limit", limitPrice: 1, timeInForce: "day" } as const;
    await rest(id, 100, [
      { ...day, id: "plain" },
      { ...day, id: "longer", extendedHours: true },
    ]);
    market.now = Date.UTC(2024, 6, 9, 20, 16);
    await matching.run(id);
    market.now = Date.UTC(2024, 6, 9, 21);
    await rest(id, 100, [
      { ...day, id: "evening", extendedHours: true },
      { ...day, id: "morning" },
    ]);
    const orders = await ledger.look(id, ({ state }) => [...state.orders.values()]);
    const told = new Map(orders.map((order) => [order.id, expiryOf(order, instrumentOf("AAPL"))]));
    market.now = Date.UTC(2024, 6, 10, 0, 14);
    await matching.run(id);
    expect(await endsOf(id)).toEqual([
      "plain expired day_ended",
      "longer new -",
      "evening new -",
      "morning new -",
    ]);
    market.now = Date.UTC(2024, 6, 10, 0, 16);
    await matching.run(id);
    market.now = Date.UTC(2024, 6, 10, 20, 16);
    await matching.run(id);
    const ends = await ledger.look(id, (_desk, { history }) =>
      ["plain", "longer", "evening", "morning"].map((name) => history.times.get(name)?.expiredAt),
    );
    const evening = Date.UTC(2024, 6, 10);
    expect(ends).toEqual([Date.UTC(2024, 6, 9, 20), evening, evening, Date.UTC(2024, 6, 10, 20)]);
    expect([...told.values()]).toEqual(ends);
    const other = (change: object) =>
      expiryOf(
        { timeInForce: "day", extendedHours: false, submittedAt: START, ...change },
        instrumentOf("AAPL"),
      );
    // Ninety days on, in the night; the opening after; and the clocks of New York go back on 3 November.
    expect(other({ timeInForce: "gtc" })).toBe(Date.UTC(2024, 9, 8, 4));
    expect(other({ timeInForce: "gtc", submittedAt: Date.UTC(2024, 7, 5, 14) })).toBe(
      Date.UTC(2024, 10, 4, 5),
    );
    expect(other({ timeInForce: "opg" })).toBe(Date.UTC(2024, 6, 10, 13, 30));
    expect(other({ timeInForce: "cls" })).toBe(Date.UTC(2024, 6, 9, 20));
    expect(other({ timeInForce: "ioc" })).toBeNull();
  });
});
