import { describe, expect, it } from "vitest";
import { roundToTick, type Traded, tradedShare } from "../../src/core/execution/instrument.js";
import {
  accruedMicros,
  floorToLot,
  quantityFor,
  roundQuantity,
  shareMicros,
  timesMicros,
  toMicros,
} from "../../src/core/execution/money.js";
import { type OrderTerms, termsOf } from "../../src/core/execution/order.js";
import {
  isTerminal,
  nextState,
  ORDER_EVENTS,
  ORDER_STATES,
  TRANSITIONS,
} from "../../src/core/execution/states.js";
import { validateTerms } from "../../src/core/execution/validate.js";

const SHARE = tradedShare("AAA");

/** What is wrong with an order to buy ten at 100, with some of its terms changed. */
function wrong(changes: Partial<OrderTerms>, instrument: Traded = SHARE): string[] {
  const terms = termsOf({ id: "a", symbol: "AAA", side: "buy", quantity: 10, ...changes });
  return validateTerms(terms, instrument, 100).map(({ code, field }) => `${code} ${field}`);
}

const TARGET = { limitPrice: 105 };
const STOP = { stopPrice: 95, limitPrice: null };

describe("orders by money", () => {
  const COIN: Traded = { ...SHARE, fractions: "free" };
  const ofMoney = (timeInForce: OrderTerms["timeInForce"], instrument: Traded = SHARE) =>
    wrong({ quantity: null, notional: 50, timeInForce }, instrument);

  it("are for the day alone in shares, and may stay or be at once in coins", () => {
    for (const time of ["day", "gtc", "ioc"] as const) expect(ofMoney(time, COIN), time).toEqual([]);
    for (const time of ["fok", "opg", "cls"] as const)
      expect(ofMoney(time, COIN), time).toEqual(["notional_not_allowed notional"]);
    expect(ofMoney("ioc")).toEqual(["notional_not_allowed notional"]);
    expect(ofMoney("day", { ...SHARE, fractions: "none" })).toEqual(["notional_not_allowed notional"]);
  });
});

describe("terms that are refused", () => {
  const cases: [string, Partial<OrderTerms>, string[]][] = [
    ["no quantity", { quantity: null }, ["quantity_missing quantity"]],
    ["quantity and money", { notional: 100 }, ["quantity_and_notional notional"]],
    ["no units", { quantity: 0 }, ["quantity_not_positive quantity"]],
    ["not a number of units", { quantity: Number.NaN }, ["quantity_not_positive quantity"]],
    ["ten places", { quantity: 1.0000000001 }, ["quantity_off_lot quantity"]],
    ["a fraction until canceled", { quantity: 1.5, timeInForce: "gtc" }, ["fraction_not_allowed quantity"]],
    ["less than a unit of money", { quantity: null, notional: 0.99 }, ["notional_too_small notional"]],
    [
      "money by limit",
      { quantity: null, notional: 50, type: "limit", limitPrice: 99 },
      ["notional_not_allowed notional"],
    ],
    [
      "money until canceled",
      { quantity: null, notional: 50, timeInForce: "gtc" },
      ["notional_not_allowed notional"],
    ],
    ["a limit without a price", { type: "limit" }, ["price_missing limitPrice"]],
    ["a market order with one", { limitPrice: 99 }, ["price_not_allowed limitPrice"]],
    ["a price below 0", { type: "limit", limitPrice: -1 }, ["price_not_positive limitPrice"]],
    ["a tenth of a cent", { type: "limit", limitPrice: 99.001 }, ["price_off_tick limitPrice"]],
    ["five places below 1", { type: "limit", limitPrice: 0.99991 }, ["price_off_tick limitPrice"]],
    ["no trail", { type: "trailing_stop" }, ["trail_missing trailAmount"]],
    [
      "two trails",
      { type: "trailing_stop", trailAmount: 1, trailPercent: 1 },
      ["trail_ambiguous trailPercent"],
    ],
    [
      "a trail on a stop",
      { type: "stop", stopPrice: 101, trailPercent: 1 },
      ["trail_not_allowed trailPercent"],
    ],
    ["all of the price", { type: "trailing_stop", trailPercent: 100 }, ["trail_out_of_range trailPercent"]],
    [
      "a stop at once",
      { type: "stop", stopPrice: 101, timeInForce: "ioc" },
      ["time_in_force_not_allowed timeInForce"],
    ],
    [
      "a stop at the open",
      { type: "stop", stopPrice: 101, timeInForce: "opg" },
      ["time_in_force_not_allowed timeInForce"],
    ],
    [
      "a bracket at once",
      { orderClass: "bracket", timeInForce: "fok", takeProfit: TARGET, stopLoss: STOP },
      ["time_in_force_not_allowed timeInForce"],
    ],
    ["a market order before the open", { extendedHours: true }, ["extended_hours_not_allowed extendedHours"]],
    [
      "a limit before the open, at once",
      { type: "limit", limitPrice: 99, timeInForce: "ioc", extendedHours: true },
      ["extended_hours_not_allowed extendedHours"],
    ],
    ["a stop to buy below the price", { type: "stop", stopPrice: 100 }, ["stop_on_wrong_side stopPrice"]],
    [
      "a stop to sell above it",
      { side: "sell", type: "stop", stopPrice: 100 },
      ["stop_on_wrong_side stopPrice"],
    ],
    ["a bracket without a stop", { orderClass: "bracket", takeProfit: TARGET }, ["leg_missing stopLoss"]],
    ["legs of a simple order", { takeProfit: TARGET }, ["leg_not_allowed takeProfit"]],
    [
      "an entry with both of one leg",
      { orderClass: "oto", takeProfit: TARGET, stopLoss: STOP },
      ["leg_not_allowed stopLoss"],
    ],
    ["an entry with no leg", { orderClass: "oto" }, ["leg_missing takeProfit"]],
    [
      "a target at the entry",
      { orderClass: "bracket", takeProfit: { limitPrice: 100 }, stopLoss: STOP },
      ["target_on_wrong_side takeProfit.limitPrice"],
    ],
    [
      "a stop above the limit of the entry",
      { orderClass: "bracket", type: "limit", limitPrice: 94, takeProfit: TARGET, stopLoss: STOP },
      ["loss_on_wrong_side stopLoss.stopPrice"],
    ],
    [
      "a leg between ticks",
      { orderClass: "oto", takeProfit: { limitPrice: 105.005 } },
      ["price_off_tick takeProfit.limitPrice"],
    ],
    [
      "a pair with a price of its own",
      { orderClass: "oco", side: "sell", type: "limit", limitPrice: 104, takeProfit: TARGET, stopLoss: STOP },
      ["price_not_allowed limitPrice"],
    ],
    [
      "a pair the wrong way round",
      { orderClass: "oco", side: "buy", type: "limit", takeProfit: TARGET, stopLoss: STOP },
      ["loss_on_wrong_side stopLoss.stopPrice"],
    ],
    [
      "a fraction in a bracket",
      { orderClass: "bracket", quantity: 1.5, takeProfit: TARGET, stopLoss: STOP },
      ["fraction_not_allowed quantity"],
    ],
  ];
  it.each(cases)("%s", (_name, changes, codes) => {
    expect(wrong(changes)).toEqual(codes);
  });

  it("all at once", () => {
    const changes = {
      quantity: -1,
      type: "limit",
      timeInForce: "day",
      stopPrice: 99,
      takeProfit: TARGET,
    } as const;
    expect(wrong(changes)).toEqual([
      "quantity_not_positive quantity",
      "price_missing limitPrice",
      "price_not_allowed stopPrice",
      "leg_not_allowed takeProfit",
    ]);
  });
});

describe("terms that are fine", () => {
  const cases: [string, Partial<OrderTerms>][] = [
    ["market", {}],
    ["a fraction for the day", { quantity: 0.000000001 }],
    ["money for the day", { quantity: null, notional: 1 }],
    ["four places below 1", { type: "limit", limitPrice: 0.9999 }],
    ["a limit in extended hours", { type: "limit", limitPrice: 99, extendedHours: true, timeInForce: "gtc" }],
    ["a limit at the close", { type: "limit", limitPrice: 99, timeInForce: "cls" }],
    ["a bracket", { orderClass: "bracket", takeProfit: TARGET, stopLoss: STOP }],
    ["a pair", { orderClass: "oco", side: "sell", type: "limit", takeProfit: TARGET, stopLoss: STOP }],
    ["a trail", { type: "trailing_stop", trailPercent: 0.1, side: "sell" }],
  ];
  it.each(cases)("%s", (_name, changes) => {
    expect(wrong(changes)).toEqual([]);
  });

  it("a fraction of a coin until canceled", () => {
    const coin = { ...SHARE, fractions: "free" as const };
    expect(wrong({ quantity: 1.5, timeInForce: "gtc" }, coin)).toEqual([]);
  });
});

describe("states", () => {
  it("lead to states, and nothing leads out of an end", () => {
    for (const [state, row] of Object.entries(TRANSITIONS)) {
      for (const to of Object.values(row)) expect(ORDER_STATES).toContain(to);
      if (state !== "none" && isTerminal(state as "filled")) expect(row).toEqual({});
      expect(Object.isFrozen(row)).toBe(true);
    }
    const ends = ORDER_STATES.filter(isTerminal);
    expect(ends).toEqual(["filled", "canceled", "expired", "replaced", "rejected"]);
    for (const end of ends) {
      for (const event of ORDER_EVENTS) expect(() => nextState(end, event)).toThrow("cannot be");
    }
  });

  it("are all reached from before the placing", () => {
    const reached = new Set<string>();
    const queue = ["none"];
    for (let state = queue.pop(); state !== undefined; state = queue.pop()) {
      for (const to of Object.values(TRANSITIONS[state as "none"])) {
        if (!reached.has(to)) queue.push(to);
        reached.add(to);
      }
    }
    expect([...reached].sort()).toEqual([...ORDER_STATES].sort());
  });
});

describe("money", () => {
  it("is the product of decimals, halves away from zero", () => {
    expect(toMicros(0.1 + 0.2)).toBe(300_000);
    // 1.000001 x 0.5 = 0.5000005: the double of the product lies below it.
    expect(timesMicros(1.000001, 0.5)).toBe(500_001);
    expect(timesMicros(1.000001, -0.5)).toBe(-500_001);
    expect(timesMicros(0.01, 0.00005)).toBe(1);
    expect(timesMicros(123_456.78, 1_000)).toBe(123_456_780_000_000);
    expect(Object.is(timesMicros(0.01, -0.000001), 0)).toBe(true);
    expect(() => timesMicros(1e7, 1e3)).toThrow("beyond");
  });

  it("is shared out and accrued exactly", () => {
    expect(shareMicros(100, 1, 3)).toBe(33);
    expect(shareMicros(-3, 1, 2)).toBe(-2);
    expect(shareMicros(7, 3, 3)).toBe(7);
    expect(accruedMicros(usd(3_300), 0.12, 3, 360)).toBe(usd(3.3));
  });

  function usd(amount: number): number {
    return amount * 1e6;
  }

  it("buys lots and leaves the rest", () => {
    expect(quantityFor(1_000_000_000, 300.01, 1e-9)).toBe(3.333222225);
    expect(quantityFor(1_000_000_000, 300, 1)).toBe(3);
    expect(quantityFor(299_999_999, 300, 1)).toBe(0);
    expect(floorToLot(0.3, 0.1)).toBe(0.3);
    expect(roundQuantity(0.1 + 0.2)).toBe(0.3);
    expect(roundQuantity(-0.0000000001)).toBe(0);
    expect(Object.is(roundQuantity(-0.0000000001), 0)).toBe(true);
  });

  it("has prices on ticks", () => {
    expect(roundToTick(100.1 * 1.001, 0.01, 1)).toBe(100.21);
    expect(roundToTick(100 * 1.001, 0.01, 1)).toBe(100.1);
    expect(roundToTick(95.095, 0.01, 0)).toBe(95.1);
    expect(roundToTick(7.3, 2.5, -1)).toBe(5);
    expect(roundToTick(0.001, 0.01, -1)).toBe(0.01);
  });
});
