import { describe, expect, it } from "vitest";
import { cashRules, marginRules } from "../../src/core/execution/account.js";
import { tradedShare } from "../../src/core/execution/instrument.js";
import { Scene, usd } from "../fixtures/execution-scene.js";

const margin = marginRules("USD");

/** Ends with an equity in dollars, and with books that sum to 0 and hold what the state holds. */
function expectEquity(scene: Scene, equity: number): void {
  expect(scene.equity).toBe(usd(equity));
  const { books } = scene;
  expect(Object.values(books).reduce((sum, micros) => sum + micros, 0)).toBe(0);
  expect(books.cash).toBe(scene.desk.state.cash);
  for (const { symbol, cost } of scene.desk.state.positions.values()) {
    expect(books[`position:${symbol}`]).toBe(cost);
  }
  expect(scene.isRebuilt).toBe(true);
}

describe("positions", () => {
  it("share out their cost so that what is realised and what remains are exact", () => {
    const scene = new Scene();
    scene.submit({ id: "a", quantity: 3 });
    scene.bar(33.34, 33.34, 33.34, 33.34);
    scene.submit({ id: "b", quantity: 4 });
    scene.bar(33.35, 33.35, 33.35, 33.35);
    // Cost 100.02 + 133.40 = 233.42 for seven; two of them have 66.691429 of it, rounded, and five the rest.
    scene.submit({ id: "c", side: "sell", quantity: 2 });
    scene.bar(40, 40, 40, 40);
    expect(scene.books["gain:AAA"]).toBe(-usd(80 - 66.691429));
    expect(scene.desk.state.positions.get("AAA")).toMatchObject({ quantity: 5, cost: usd(166.728571) });
    expectEquity(scene, 10_000 + 7 * 40 - 233.42);
    expect(scene.hash).toBe("7f944c91d2c2");
  });

  it("flip through zero: the old one is closed, the rest opens", () => {
    const scene = new Scene({ account: margin });
    scene.submit({ id: "a", quantity: 10 });
    scene.bar(100, 100, 100, 100);
    scene.submit({ id: "b", side: "sell", quantity: 25 });
    scene.bar(104, 104, 104, 104);
    expect(scene.desk.state.positions.get("AAA")).toEqual({
      symbol: "AAA",
      quantity: -15,
      cost: -usd(1_560),
    });
    expect(scene.books["gain:AAA"]).toBe(-usd(40));
    scene.bar(102, 102, 102, 102);
    // 10 x 4 realised, 15 x 2 not yet.
    expectEquity(scene, 10_070);
    expect(scene.hash).toBe("3e81343b1abf");
  });

  it("end with a delisting at the latest price, and their orders with them", () => {
    const scene = new Scene();
    scene.hold(10);
    scene.submit({ id: "a", side: "sell", quantity: 10, type: "limit", limitPrice: 120, timeInForce: "gtc" });
    scene.bar(60, 60, 55, 55);
    scene.desk.delist("AAA", scene.time);
    expect(scene.orders).toEqual(["a canceled 0/10"]);
    expect(scene.desk.state.positions.size).toBe(0);
    expectEquity(scene, 10_000 - 450);
    expect(scene.hash).toBe("f7ab14e52912");
  });
});

describe("splits and dividends", () => {
  it("a reverse split of a billionth of a share that cost a micro leaves neither", () => {
    const scene = new Scene();
    scene.submit({ id: "a", quantity: 1.000000001 });
    scene.bar(600, 600, 600, 600);
    scene.submit({ id: "b", side: "sell", quantity: 1 });
    scene.bar(600, 600, 600, 600);
    expect(scene.desk.state.positions.get("AAA")).toMatchObject({ quantity: 1e-9, cost: 1 });
    scene.desk.split("AAA", 0.1, scene.time);
    expect(scene.desk.state.positions.size).toBe(0);
    expectEquity(scene, 9_999.999999);
    expect(scene.hash).toBe("4374b0b085bd");
  });

  it("two for one: position, resting limit and stop", () => {
    const scene = new Scene();
    scene.hold(10);
    scene.submit({
      id: "a",
      side: "sell",
      quantity: 10,
      type: "limit",
      limitPrice: 110.01,
      timeInForce: "gtc",
    });
    scene.submit({ id: "b", quantity: 5, type: "limit", limitPrice: 90, timeInForce: "gtc" });
    scene.desk.split("AAA", 2, scene.time);
    // Half of 110.01 is 55.005, a tick between: up to 55.01.
    const prices = [...scene.desk.state.orders.values()].map(({ limitPrice }) => limitPrice);
    expect(prices).toEqual([null, 55.01, 45]);
    expect(scene.orders).toEqual(["a new 0/20", "b new 0/10"]);
    expect(scene.desk.state.positions.get("AAA")).toMatchObject({ quantity: 20, cost: usd(1_000) });
    expectEquity(scene, 10_000);
    expect(scene.hash).toBe("639532b0f276");
    scene.bar(50, 56, 44, 50);
    // Twenty sold at 55.01 for a cost of 1,000; ten bought at 45, worth 50.
    expectEquity(scene, 10_000 + 100.2 + 50);
    expect(scene.hash).toBe("20e2a74d4337");
  });

  it("one for ten: what is no whole share is paid in cash", () => {
    const scene = new Scene();
    scene.hold(25);
    scene.desk.split("AAA", 0.1, scene.time);
    // 2.5 shares of 1,000: two are kept, half a one is paid; its cost is a fifth of 2,500.
    expect(scene.desk.state.positions.get("AAA")).toMatchObject({ quantity: 2, cost: usd(2_000) });
    expect(scene.desk.state.cash).toBe(usd(7_500 + 500));
    expectEquity(scene, 10_000);
    expect(scene.hash).toBe("38663a87856c");
  });

  it("one for ten of a short position: the remainder is bought back", () => {
    const scene = new Scene({ account: margin });
    scene.hold(-25);
    scene.bar(80, 80, 80, 80);
    scene.desk.split("AAA", 0.1, scene.time);
    // -2.5 of 800: half a one costs 400 and had brought 500.
    expect(scene.desk.state.positions.get("AAA")).toMatchObject({ quantity: -2, cost: -usd(2_000) });
    expect(scene.books["gain:AAA"]).toBe(-usd(100));
    expectEquity(scene, 10_500);
    expect(scene.hash).toBe("36d6b7d5e107");
  });

  it("leave nothing of a small order", () => {
    const scene = new Scene();
    scene.submit({ id: "a", quantity: 5, type: "limit", limitPrice: 90, timeInForce: "gtc" });
    scene.desk.split("AAA", 0.1, scene.time);
    expect(scene.reasons).toEqual(["a split_leaves_nothing"]);
    expect(scene.desk.state.reserved).toBe(0);
  });

  it("move a trailing stop", () => {
    const scene = new Scene();
    scene.hold(10);
    scene.submit({
      id: "a",
      side: "sell",
      quantity: 10,
      type: "trailing_stop",
      trailAmount: 6,
      timeInForce: "gtc",
    });
    scene.desk.split("AAA", 3, scene.time);
    // 100 / 3 = 33.333333333, 2 below: 31.33.
    expect([...scene.desk.state.orders.values()].at(-1)).toMatchObject({
      trailAmount: 2,
      stopPrice: 31.33,
      quantity: 30,
    });
  });

  it("a dividend is paid to who holds before the ex-day, and by who is short", () => {
    const long = new Scene();
    long.hold(10);
    long.desk.dividend("AAA", 0.82, long.time);
    long.submit({ id: "a", quantity: 10 });
    long.bar(99.18, 99.18, 99.18, 99.18);
    expect(long.books["dividend:AAA"]).toBe(-usd(8.2));
    expectEquity(long, 10_000);
    expect(long.hash).toBe("80c7295e00f1");
    const short = new Scene({ account: margin });
    short.hold(-10);
    short.desk.dividend("AAA", 0.82, short.time);
    expect(short.books["dividend:AAA"]).toBe(usd(8.2));
    expectEquity(short, 10_000 - 8.2);
    expect(short.hash).toBe("929b9b2eaf3c");
  });
});

describe("what a day costs", () => {
  it("a short position pays for what it borrows, over a weekend three nights", () => {
    const instruments = [{ ...tradedShare("AAA"), borrowRate: 0.12 }];
    const scene = new Scene({ account: margin, instruments });
    scene.hold(-30);
    scene.bar(110, 110, 110, 110);
    scene.desk.endOfDay({ at: scene.time, nights: 3 });
    // 30 x 110 x 12 % x 3 / 360 = 3.30.
    expect(scene.books["borrow:AAA"]).toBe(usd(3.3));
    expectEquity(scene, 10_000 - 300 - 3.3);
    expect(scene.hash).toBe("96a18861f187");
  });

  it("cash below 0 pays interest", () => {
    const scene = new Scene({ account: { ...margin, interestRate: 0.09 } });
    scene.hold(150);
    expect(scene.desk.state.cash).toBe(-usd(5_000));
    scene.desk.endOfDay({ at: scene.time, nights: 1 });
    // 5,000 x 9 % / 360 = 1.25.
    expect(scene.books.interest).toBe(usd(1.25));
    expectEquity(scene, 10_000 - 1.25);
    expect(scene.hash).toBe("09e8f5e2d759");
  });

  it("cash above 0 pays and gets nothing", () => {
    const scene = new Scene({ account: { ...margin, interestRate: 0.09, borrowRate: 0.1 } });
    scene.hold(50);
    scene.desk.endOfDay({ at: scene.time, nights: 3 });
    expectEquity(scene, 10_000);
    expect(scene.hash).toBe("3c1b0f711b73");
  });
});

describe("a margin call", () => {
  it("closes a short position that is squeezed, at the next bar's open", () => {
    const scene = new Scene({ account: margin });
    scene.hold(-150);
    scene.submit({ id: "a", quantity: 150, type: "limit", limitPrice: 80, timeInForce: "gtc" });
    // Cash 25,000. At 128: equity 25,000 - 19,200 = 5,800, and 30 % of 19,200 are 5,760.
    scene.bar(128, 128, 128, 128);
    expect(scene.events.some(({ event }) => event === "margin_called")).toBe(false);
    // At 128.30: equity 5,755, and 5,773.50 are needed.
    scene.bar(128.3, 128.3, 128.3, 128.3);
    const called = scene.events.find(({ event }) => event === "margin_called");
    expect(called).toMatchObject({
      facts: { equity: usd(5_755), maintenance: usd(5_773.5), symbols: "AAA" },
    });
    expect(scene.orders).toEqual(["a canceled 0/150", `call/${(called?.seq ?? 0) + 2}/AAA new 0/150`]);
    expect(scene.cancel(`call/${(called?.seq ?? 0) + 2}/AAA`)).toEqual(["order_forced"]);
    scene.bar(135, 140, 135, 140);
    expect(scene.desk.state.positions.size).toBe(0);
    expectEquity(scene, 25_000 - 150 * 135);
    expect(scene.hash).toBe("2914ce162ae8");
  });

  it("closes the largest position first, and no more than it needs", () => {
    const scene = new Scene({ account: marginRules("USD", 4) });
    scene.hold(200, "AAA");
    scene.hold(150, "BBB");
    // Cash -25,000. BBB at 90: equity 20,000 + 13,500 - 25,000 = 8,500 for a need of 8,375.
    scene.bar(90, 90, 90, 90, { symbol: "BBB" });
    expect(scene.events.some(({ event }) => event === "margin_called")).toBe(false);
    // AAA at 89: 17,800 + 13,500 - 25,000 = 6,300 for 7,825; without AAA 3,375.
    scene.bar(89, 89, 89, 89, { symbol: "AAA" });
    const called = scene.events.filter(({ event }) => event === "margin_called");
    expect(called.map((event) => "facts" in event && event.facts.symbols)).toEqual(["AAA"]);
    // Another bar does not call again for what is being closed.
    scene.bar(90, 90, 90, 90, { symbol: "BBB" });
    expect(scene.events.filter(({ event }) => event === "margin_called")).toHaveLength(1);
    scene.bar(88, 89, 87, 87, { symbol: "AAA" });
    expect([...scene.desk.state.positions.keys()]).toEqual(["BBB"]);
    expectEquity(scene, 6_300 - 200);
    expect(scene.hash).toBe("43973f7e090f");
  });
});

describe("what an account allows", () => {
  it("cash: no more than there is, with what other orders put aside", () => {
    const scene = new Scene();
    expect(scene.submit({ id: "a", quantity: 60, type: "limit", limitPrice: 95 })).toEqual([]);
    expect(scene.desk.standing()).toMatchObject({ reserved: usd(5_700), buyingPower: usd(4_300) });
    expect(scene.submit({ id: "b", quantity: 44 })).toEqual(["insufficient_buying_power"]);
    expect(scene.submit({ id: "c", quantity: 43 })).toEqual([]);
    expectEquity(scene, 10_000);
    expect(scene.hash).toBe("9cf94f377b15");
  });

  it("cash: a gap that makes an order too dear refuses it at the fill", () => {
    const scene = new Scene();
    scene.submit({ id: "a", quantity: 100 });
    scene.bar(100.01, 100.01, 100.01, 100.01);
    expect(scene.orders).toEqual(["a rejected 0/100"]);
    expect(scene.reasons).toEqual(["a insufficient_buying_power"]);
    expectEquity(scene, 10_000);
    expect(scene.hash).toBe("794083669f13");
  });

  it("cash: nothing that is not held is sold", () => {
    const scene = new Scene();
    scene.hold(10);
    expect(scene.submit({ id: "a", side: "sell", quantity: 11 })).toEqual(["insufficient_quantity"]);
    expect(scene.submit({ id: "b", symbol: "BBB", side: "sell", quantity: 1 })).toEqual([
      "short_not_allowed",
    ]);
  });

  it("margin: twice the equity, and half of a short position", () => {
    const scene = new Scene({ account: margin });
    expect(scene.desk.standing().buyingPower).toBe(usd(20_000));
    expect(scene.submit({ id: "a", quantity: 201 })).toEqual(["insufficient_buying_power"]);
    expect(scene.submit({ id: "b", side: "sell", quantity: 200 })).toEqual([]);
    scene.bar(100, 100, 100, 100);
    expect(scene.desk.standing()).toEqual({
      cash: usd(30_000),
      equity: usd(10_000),
      longValue: 0,
      shortValue: -usd(20_000),
      initialMargin: usd(10_000),
      maintenanceMargin: usd(6_000),
      reserved: 0,
      cashPower: 0,
      buyingPower: 0,
    });
  });

  it("margin: no fraction of a share is sold short, and no share that cannot be borrowed", () => {
    const instruments = [tradedShare("AAA"), { ...tradedShare("BBB"), shortable: false }];
    const scene = new Scene({ account: margin, instruments });
    expect(scene.submit({ id: "a", side: "sell", quantity: 1.5 })).toEqual(["fractional_short"]);
    expect(scene.submit({ id: "b", symbol: "BBB", side: "sell", quantity: 1 })).toEqual([
      "short_not_allowed",
    ]);
  });

  it("margin: what nothing is lent on is bought with cash, and needs its whole worth", () => {
    const coin = { ...tradedShare("CCC"), marginable: false };
    const scene = new Scene({ account: marginRules("USD", 4), instruments: [tradedShare("AAA"), coin] });
    expect(scene.submit({ id: "a", symbol: "CCC", quantity: 101 })).toEqual(["insufficient_buying_power"]);
    scene.hold(50, "CCC");
    // 5,000 in coins and 5,000 in cash, of which a quarter of a share's worth is enough for one.
    expect(scene.desk.standing()).toMatchObject({
      initialMargin: usd(5_000),
      maintenanceMargin: usd(5_000),
      buyingPower: usd(20_000),
      cashPower: usd(5_000),
    });
    scene.hold(100, "AAA");
    // 5,000 are owed now: 2,500 of equity are free, and no cash is.
    expect(scene.desk.standing()).toMatchObject({
      cash: -usd(5_000),
      buyingPower: usd(10_000),
      cashPower: 0,
    });
    expect(scene.submit({ id: "b", symbol: "CCC", quantity: 1 })).toEqual(["insufficient_buying_power"]);
    expect(scene.submit({ id: "c", symbol: "AAA", quantity: 99 })).toEqual([]);
    expectEquity(scene, 10_000);
    expect(scene.hash).toBe("50973cbbfe84");
  });

  it("margin: a price that rises before the fill does not make a debt of it", () => {
    const coin = { ...tradedShare("CCC"), marginable: false };
    const scene = new Scene({ account: marginRules("USD", 4), instruments: [tradedShare("AAA"), coin] });
    expect(scene.submit({ id: "a", symbol: "CCC", quantity: 100 })).toEqual([]);
    scene.bar(101, 101, 101, 101, { symbol: "CCC" });
    expect(scene.orders).toEqual(["a rejected 0/100"]);
    expect(scene.reasons).toEqual(["a insufficient_buying_power"]);
  });

  it("settings: an order against one's own, positions, money in an order and in a symbol", () => {
    const account = {
      ...cashRules("USD"),
      refusesWash: true,
      maxPositions: 1,
      maxOrderMicros: usd(3_000),
      maxSymbolMicros: usd(4_000),
    };
    const scene = new Scene({ account });
    scene.hold(20);
    expect(scene.submit({ id: "a", symbol: "BBB", quantity: 1 })).toEqual(["position_limit"]);
    expect(scene.submit({ id: "b", quantity: 31 })).toEqual(["order_value_limit"]);
    expect(scene.submit({ id: "c", quantity: 21 })).toEqual(["symbol_value_limit"]);
    expect(scene.submit({ id: "d", side: "sell", quantity: 5, type: "limit", limitPrice: 101 })).toEqual([]);
    expect(scene.submit({ id: "e", quantity: 5, type: "limit", limitPrice: 101 })).toEqual(["wash_trade"]);
    expect(scene.submit({ id: "f", quantity: 5, type: "limit", limitPrice: 100.99 })).toEqual([]);
    expect(scene.submit({ id: "d", quantity: 5 })).toEqual(["id_not_unique"]);
    expect(scene.submit({ id: "g", symbol: "CCC", quantity: 5 })).toEqual(["unknown_symbol"]);
  });

  it("no more is paid out than is free", () => {
    const scene = new Scene();
    scene.submit({ id: "a", quantity: 60, type: "limit", limitPrice: 95 });
    expect(scene.desk.transfer(-4_301, scene.time)).toMatchObject([{ code: "insufficient_buying_power" }]);
    expect(scene.desk.transfer(-4_300, scene.time)).toEqual([]);
    expect(scene.books).toEqual({ cash: usd(5_700), capital: -usd(5_700) });
    expectEquity(scene, 5_700);
    expect(scene.hash).toBe("ec14bd5b0f94");
  });

  it("a share beyond the latest price is put aside where the rules say so", () => {
    const scene = new Scene({ account: { ...cashRules("USD"), reserveRate: 0.03 } });
    expect(scene.submit({ id: "a", quantity: 98 })).toEqual(["insufficient_buying_power"]);
    expect(scene.submit({ id: "b", quantity: 97 })).toEqual([]);
    expect(scene.desk.state.reserved).toBe(usd(9_991));
    scene.bar(101, 101, 101, 101);
    expect(scene.desk.state.reserved).toBe(0);
    expectEquity(scene, 10_000);
    expect(scene.hash).toBe("33ccc5cc8966");
  });
});
