import { describe, expect, it } from "vitest";
import { createRng } from "../../src/core/base/rng.js";
import { cashRules, marginRules } from "../../src/core/execution/account.js";
import { type DeskRules, GTC_DAYS } from "../../src/core/execution/context.js";
import { NO_COSTS } from "../../src/core/execution/costs.js";
import { createDesk } from "../../src/core/execution/desk.js";
import type { DeskEvent } from "../../src/core/execution/events.js";
import { tradedShare } from "../../src/core/execution/instrument.js";
import { termsOf } from "../../src/core/execution/order.js";
import { eventsOf } from "../../src/core/execution/rebooking.js";
import { rebuild } from "../../src/core/execution/state.js";
import { type Transaction, transactionsOf } from "../../src/core/execution/transactions.js";
import { tradesOf } from "../../src/core/performance/trades.js";

const rules: DeskRules = {
  account: { ...marginRules("USD"), borrowRate: 0.03, interestRate: 0.07 },
  costs: { ...NO_COSTS, commission: { kind: "percent", rate: 0.0007, minimum: 0 } },
  volumeShare: 0.1,
  gtcDays: GTC_DAYS,
};
const START = Date.UTC(2024, 0, 2, 15);
/** A bar whose volume limits nothing. */
const DEEP = { until: 0, volume: 1e12, range: Number.NaN };

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
      const way = side === "buy" ? 1 : -1;
      const level = (percent: number) => Math.round(price[symbol] * (100 + way * percent)) / 100;
      const legs = {
        timeInForce: "gtc" as const,
        orderClass: "bracket" as const,
        takeProfit: { limitPrice: level(3) },
        stopLoss: { stopPrice: level(-3), limitPrice: null },
      };
      const trailing = { type: "trailing_stop" as const, timeInForce: "gtc" as const, trailPercent: 1 };
      const closes = `o${rng.below(step)}`;
      const entry = desk.state.orders.get(closes);
      const named = entry?.symbol === symbol && entry.side !== side && entry.filled > 0;
      const more = [{}, named ? { closes } : {}, legs, trailing][rng.below(4)];
      desk.submit(termsOf({ id: `o${step}`, symbol, side, quantity, ...more }), { at, open: true });
      desk.quote(symbol, {
        time: at + 1,
        price: price[symbol],
        bid: null,
        ask: null,
        regular: true,
        last: DEEP,
      });
    } else if (draw < 0.53) desk.split(symbol, [2, 3, 0.5, 0.3][rng.below(4)], at);
    else if (draw < 0.56) desk.dividend(symbol, 0.13, at);
    else if (draw < 0.6) desk.endOfDay({ at, nights: 1 });
    else if (draw < 0.62) desk.transfer(rng.next() < 0.7 ? 5_000 : -100, at);
    else
      desk.quote(symbol, { time: at, price: price[symbol], bid: null, ask: null, regular: true, last: DEEP });
  }
  return events;
}

const figures = (events: readonly DeskEvent[]) => {
  const { cash, positions } = rebuild(events);
  const book = tradesOf(events);
  const trades = book.trades.map(
    ({ symbol, side, quantity, openQuantity, net, gross, fees, dividends, borrow, ...rest }) => ({
      symbol,
      side,
      quantity,
      openQuantity,
      net,
      gross,
      fees,
      dividends,
      borrow,
      exitReason: rest.exitReason,
      ambiguous: rest.ambiguous,
      openedAt: rest.openedAt,
      closedAt: rest.closedAt,
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

  it("go on with a trade in an order that came in the place of another", () => {
    const events: DeskEvent[] = [];
    const desk = createDesk(rules, [tradedShare("AAA")], (event) => events.push(event));
    desk.transfer(100_000, START);
    desk.mark("AAA", 10);
    const limit = termsOf({
      id: "a",
      symbol: "AAA",
      side: "buy",
      quantity: 40,
      type: "limit",
      limitPrice: 10,
    });
    expect(desk.submit({ ...limit, timeInForce: "gtc" }, { at: START, open: true })).toEqual([]);
    const bar = (k: number, low: number) => {
      const time = START + k * 60_000;
      const bars = { time: [time], open: [10], high: [10], low: [low], close: [10], volume: [100] };
      const columns = Object.fromEntries(
        Object.entries(bars).map(([name, values]) => [name, Float64Array.from(values)]),
      );
      desk.bar("AAA", columns as unknown as Parameters<typeof desk.bar>[1], 0, {
        until: time + 60_000,
        regular: true,
        range: Number.NaN,
        ...{ first: false, last: false },
      } as unknown as Parameters<typeof desk.bar>[3]);
    };
    bar(1, 9);
    expect(desk.state.orders.get("a")?.filled).toBe(10);
    const moment = { at: START + 150_000, open: true };
    // One that fills nothing before it is replaced again stands for the one before.
    expect(desk.replace("a", "b", { limitPrice: 5 }, moment)).toEqual([]);
    expect(desk.replace("b", "c", { limitPrice: 10 }, moment)).toEqual([]);
    desk.quote("AAA", { time: START + 200_000, price: 9.5, bid: null, ask: null, regular: true, last: DEEP });
    expect(tradesOf(events).trades).toMatchObject([{ id: "a", quantity: 40 }]);
    const transactions = transactionsOf(events);
    expect(transactions.map(({ orderId, replaces }) => [orderId, replaces])).toEqual([
      [null, null],
      ["a", null],
      ["c", "a"],
    ]);
    const made = eventsOf(rules, transactions);
    expect(figures(made.events ?? [])).toEqual(figures(events));
    expect(transactionsOf(made.events ?? [])).toEqual(transactions);
    const [transfer, first, second] = transactions;
    const problemOf = (...given: Transaction[]) => eventsOf(rules, given).problem?.message;
    expect(problemOf(transfer, second)).toMatch(/no fill before it/);
    expect(problemOf(transfer, first, second, first)).toMatch(/has fills after it/);
    expect(problemOf(transfer, first, second, { ...second, orderId: "d" })).toMatch(/replaced before/);
  });

  const transfer: Transaction = {
    at: START,
    kind: "transfer",
    symbol: null,
    orderId: null,
    side: null,
    purpose: null,
    replaces: null,
    closes: null,
    ambiguous: false,
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

  it("that come to more than is counted exactly are told of, and no assertion fails", () => {
    const problemOf = (...given: Transaction[]) => eventsOf(rules, given).problem;
    const most = { ...transfer, amount: 8.9e15 };
    const inexact = expect.stringMatching(/exactly/);
    expect(problemOf(most)).toBeNull();
    expect(problemOf(most, most)).toMatchObject({ place: 1, message: inexact });
    expect(problemOf({ ...most, amount: 9.1e15 })).toMatchObject({ place: 0, message: inexact });
    expect(problemOf(transfer, { ...fill, quantity: 1e12, price: 1e12 })).toMatchObject({ message: inexact });
    expect(problemOf(transfer, { ...fill, quantity: 7e5, price: 1e-6, amount: -0.7e6 })).toBeNull();
    expect(problemOf(transfer, { ...fill, fees: { tax: 9.2e15 } })).toMatchObject({ message: inexact });
    const cheap = { ...fill, quantity: 9e11, price: 1e-9, amount: -900e6 };
    expect(problemOf(transfer, cheap)).toBeNull();
    expect(problemOf(transfer, cheap, { ...cheap, orderId: "y" })).toMatchObject({
      place: 2,
      message: expect.stringMatching(/units/),
    });
    expect(problemOf(transfer, { ...fill, quantity: 1e-10, amount: 0 })).toMatchObject({
      message: expect.stringMatching(/nine places/),
    });
    // Gains add up beyond it, though cash is taken out each time.
    const rounds = [1, 2, 3].flatMap((k): Transaction[] => [
      { ...fill, orderId: `b${k}`, quantity: 1, price: 1, amount: -1e6 },
      { ...fill, orderId: `s${k}`, side: "sell", quantity: 1, price: 4e9, amount: 4e15 },
      { ...transfer, amount: -4e15 },
    ]);
    expect(problemOf(transfer, ...rounds)).toMatchObject({ place: 8, message: inexact });
  });

  it("have the amounts that their prices and units give, whatever they are", () => {
    const problemOf = (...given: Transaction[]) => eventsOf(rules, given).problem?.message ?? null;
    const bare = { ...fill, orderId: null, side: null, price: null, amount: 0 };
    const split: Transaction = { ...bare, kind: "split", ratio: 0.75, quantity: 1 };
    const before = [transfer, fill];
    expect(problemOf(...before, { ...split, price: 8, amount: 4e6 })).toBeNull();
    expect(problemOf(...before, { ...split, price: 8, amount: 5_000e6 })).toMatch(/0.5 units .* give 4$/);
    expect(problemOf(...before, { ...split, amount: 5_000e6 })).toMatch(/need a price/);
    expect(problemOf(...before, { ...split, ratio: 2, quantity: 4, amount: 5_000e6 })).toMatch(/give 0$/);
    expect(problemOf(...before, { ...split, ratio: 2, quantity: 3, price: 8, amount: 8e6 })).toMatch(
      /3 are left/,
    );
    const gone: Transaction = { ...bare, kind: "delisting", price: 3, amount: 6e6 };
    expect(problemOf(...before, gone)).toBeNull();
    expect(problemOf(...before, { ...gone, amount: 5_000e6 })).toMatch(/give 6$/);
    expect(problemOf(...before, { ...gone, price: null })).toMatch(/price/);
    const fee = { commission: -1e6 };
    expect(problemOf(transfer, { ...fill, fees: fee, amount: -19e6 })).toMatch(/commission is below 0/);
    const dividend: Transaction = { ...bare, kind: "dividend", amount: 1e6 };
    expect(problemOf(...before, dividend)).toBeNull();
    expect(problemOf(...before, { ...dividend, amount: -1e6 })).toMatch(/2 units are held/);
    expect(problemOf(transfer, dividend)).toMatch(/nothing is held/);
    expect(problemOf(...before, { ...dividend, kind: "borrow" })).toMatch(/borrows nothing/);
    const sale = { ...fill, side: "sell" as const, amount: 20e6 };
    expect(problemOf(transfer, sale)).toBeNull();
    expect(eventsOf({ ...rules, account: cashRules("USD") }, [transfer, sale]).problem?.message).toMatch(
      /does not sell short/,
    );
  });

  it("that cannot be are told of by their place", () => {
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
