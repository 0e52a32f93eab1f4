import { describe, expect, it } from "vitest";
import { createRng } from "../../src/core/base/rng.js";
import { cashRules, marginRules } from "../../src/core/execution/account.js";
import { type DeskRules, GTC_DAYS } from "../../src/core/execution/context.js";
import { NO_COSTS } from "../../src/core/execution/costs.js";
import { createDesk } from "../../src/core/execution/desk.js";
import type { DeskEvent } from "../../src/core/execution/events.js";
import { tradedShare } from "../../src/core/execution/instrument.js";
import { termsOf } from "../../src/core/execution/order.js";
import { rebuild } from "../../src/core/execution/state.js";
import { eventsOf, type Transaction, transactionsOf } from "../../src/core/execution/transactions.js";
import { tradesOf } from "../../src/core/performance/trades.js";

const rules: DeskRules = {
  account: { ...marginRules("USD"), borrowRate: 0.03, interestRate: 0.07 },
  costs: { ...NO_COSTS, commission: { kind: "percent", rate: 0.0007, minimum: 0 } },
  volumeShare: 0.1,
  gtcDays: GTC_DAYS,
};
const START = Date.UTC(2024, 0, 2, 15);

/** An account after some hundred random quotes, orders, splits, dividends and nights. */
function randomAccount(seed: number): DeskEvent[] {
  const rng = createRng(seed);
  const events: DeskEvent[] = [];
  const desk = createDesk(rules, ["AAA", "BBB"].map(tradedShare), (event) => events.push(event));
  desk.transfer(100_000, START);
  const price = { AAA: 50, BBB: 20 };
  for (let step = 1; step <= 300; step++) {
    const at = START + step * 60_000;
    const symbol = rng.next() < 0.5 ? "AAA" : "BBB";
    price[symbol] = Math.max(1, Math.round(100 * price[symbol] * (1 + 0.02 * (rng.next() - 0.5))) / 100);
    const draw = rng.next();
    if (draw < 0.5) {
      const side = rng.next() < 0.5 ? "buy" : "sell";
      const quantity = 1 + rng.below(200);
      desk.mark(symbol, price[symbol]);
      desk.submit(termsOf({ id: `o${step}`, symbol, side, quantity }), { at, open: true });
      desk.quote(symbol, { time: at + 1, price: price[symbol], bid: null, ask: null, regular: true });
    } else if (draw < 0.53) desk.split(symbol, [2, 3, 0.5, 0.3][rng.below(4)], at);
    else if (draw < 0.56) desk.dividend(symbol, 0.13, at);
    else if (draw < 0.6) desk.endOfDay({ at, nights: 1 });
    else if (draw < 0.62) desk.transfer(rng.next() < 0.7 ? 5_000 : -100, at);
    else desk.quote(symbol, { time: at, price: price[symbol], bid: null, ask: null, regular: true });
  }
  return events;
}

const figures = (events: readonly DeskEvent[]) => {
  const { cash, positions } = rebuild(events);
  const book = tradesOf(events);
  const trades = book.trades.map(
    ({ symbol, side, quantity, openQuantity, net, gross, fees, dividends, borrow }) => ({
      symbol,
      side,
      quantity,
      openQuantity,
      net,
      gross,
      fees,
      dividends,
      borrow,
    }),
  );
  return { cash, positions: [...positions.values()], trades, capital: book.capital, interest: book.interest };
};

describe("transactions of an account", () => {
  it("make an account of the same cash, positions and trades, and are its transactions again", () => {
    for (let seed = 1; seed <= 60; seed++) {
      const events = randomAccount(seed);
      const transactions = transactionsOf(events);
      const made = eventsOf(rules, transactions);
      expect(made.problem).toBeNull();
      expect(figures(made.events ?? []), `seed ${seed}`).toEqual(figures(events));
      expect(transactionsOf(made.events ?? [])).toEqual(transactions);
    }
  });

  it("that cannot be are told of by their place", () => {
    const transfer: Transaction = {
      at: START,
      kind: "transfer",
      symbol: null,
      orderId: null,
      side: null,
      quantity: null,
      price: null,
      ratio: null,
      fees: {},
      amount: 1_000_000_000,
    };
    const fill: Transaction = {
      ...transfer,
      kind: "fill",
      symbol: "AAA",
      orderId: "x",
      side: "buy",
      quantity: 2,
      price: 10,
      amount: -20_000_000,
    };
    const problemOf = (...given: Transaction[]) =>
      eventsOf({ ...rules, account: cashRules("USD") }, given).problem;
    expect(problemOf(transfer, fill)).toBeNull();
    expect(problemOf(transfer, { ...fill, amount: -19_000_000 })).toMatchObject({
      place: 1,
      message: expect.stringMatching(/give -20/),
    });
    expect(problemOf(transfer, fill, { ...fill, side: "sell", amount: 20_000_000 })).toMatchObject({
      place: 2,
    });
    expect(problemOf({ ...fill, kind: "split", ratio: 2 })).toMatchObject({
      place: 0,
      message: expect.stringMatching(/nothing is held/),
    });
    expect(problemOf({ ...fill, quantity: 0 })).toMatchObject({ place: 0 });
    expect(problemOf({ ...transfer, kind: "dividend" })).toMatchObject({ message: "needs a symbol" });
  });
});
