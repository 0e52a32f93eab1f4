import { describe, expect, it } from "vitest";
import { marginRules } from "../../src/core/execution/account.js";
import { NO_COSTS } from "../../src/core/execution/costs.js";
import type { Trade } from "../../src/core/performance/trade.js";
import { tradesOf, unrealisedOf } from "../../src/core/performance/trades.js";
import { MINUTE_MS, OPEN_MS, Scene, usd } from "../fixtures/execution-scene.js";

const margin = { ...marginRules("USD"), borrowRate: 0.036, yearDays: 360 };

/** `id side quantity (open) entry>exit gross net reason`, money in dollars. */
function told({ events }: Scene): string[] {
  return tradesOf(events).trades.map((trade) => {
    const open = trade.closedAt === null ? ` (${trade.openQuantity} open)` : "";
    const money = `gross ${trade.gross / 1e6} net ${trade.net / 1e6}`;
    const prices = `${trade.entryPrice}>${trade.exitPrice ?? ""}`;
    return `${trade.id} ${trade.side} ${trade.quantity}${open} ${prices} ${money} ${trade.exitReason ?? ""}`.trim();
  });
}

function trade(scene: Scene, id: string): Trade {
  const found = tradesOf(scene.events).trades.find((each) => each.id === id);
  if (found === undefined) throw new Error(`no trade ${id}`);
  return found;
}

/** A bar that trades at one price alone. */
function at(scene: Scene, price: number, symbol = "AAA"): void {
  scene.bar(price, price, price, price, { symbol });
}

describe("trades", () => {
  it("two entries and one exit: the older one is closed first, the other in part", () => {
    const scene = new Scene();
    scene.submit({ id: "a", quantity: 10 });
    at(scene, 100);
    scene.submit({ id: "b", quantity: 10 });
    at(scene, 110);
    scene.submit({ id: "c", side: "sell", quantity: 15 });
    at(scene, 120);
    // 10 x 20, and 5 x 10 of the second; the average cost of 105 would have realised 225.
    expect(told(scene)).toEqual([
      "a long 10 100>120 gross 200 net 200 trader",
      "b long 10 (5 open) 110>120 gross 50 net 50",
    ]);
    expect(trade(scene, "a")).toMatchObject({ openedAt: OPEN_MS, closedAt: OPEN_MS + 2 * MINUTE_MS });
    expect(trade(scene, "b")).toMatchObject({ openMicros: usd(550), exitMicros: usd(600), closedAt: null });
    expect(scene.books["gain:AAA"]).toBe(-usd(225));
  });

  it("a stop closes the trade that it was submitted with, whatever is older", () => {
    const scene = new Scene();
    scene.submit({ id: "a", quantity: 10 });
    at(scene, 100);
    const stopLoss = { stopPrice: 95, limitPrice: null };
    const takeProfit = { limitPrice: 120 };
    scene.submit({ id: "b", quantity: 10, orderClass: "bracket", timeInForce: "gtc", stopLoss, takeProfit });
    at(scene, 110);
    at(scene, 94);
    expect(told(scene)).toEqual([
      "a long 10 (10 open) 100> gross 0 net 0",
      "b long 10 110>94 gross -160 net -160 stop",
    ]);
    // Of 20 for 2,100, ten for 940: the books realise 110 less, and hold ten for 1,050.
    expect(scene.books["gain:AAA"]).toBe(usd(110));
    expect(unrealisedOf(tradesOf(scene.events).openOf("AAA"), 100)).toEqual([0]);
    expect(scene.equity).toBe(usd(10_000 - 160 - 60));
  });

  it("a stop goes on closing its own trade when it and its entry are replaced", () => {
    const scene = new Scene();
    scene.submit({ id: "a", quantity: 10 });
    at(scene, 100);
    const legs = { orderClass: "oto", stopLoss: { stopPrice: 95, limitPrice: null } } as const;
    scene.submit({ id: "b", quantity: 4, type: "limit", limitPrice: 97, timeInForce: "gtc", ...legs });
    expect(scene.replace("b", "c", { limitPrice: 98 })).toEqual([]);
    expect(scene.replace("b/stop", "d", { stopPrice: 96 })).toEqual([]);
    at(scene, 98);
    at(scene, 96);
    expect(told(scene)).toEqual([
      "a long 10 (10 open) 100> gross 0 net 0",
      "c long 4 98>96 gross -8 net -8 stop",
    ]);
  });

  it("an order that names a trade closes it first, and then the oldest", () => {
    const scene = new Scene();
    for (const [id, price] of [
      ["a", 100],
      ["b", 110],
      ["c", 120],
    ] as const) {
      scene.submit({ id, quantity: 10 });
      at(scene, price);
    }
    scene.submit({ id: "d", side: "sell", quantity: 4, closes: "b" });
    at(scene, 130);
    scene.submit({ id: "e", side: "sell", quantity: 12, closes: "b" });
    at(scene, 140);
    expect(told(scene)).toEqual([
      "a long 10 (4 open) 100>140 gross 240 net 240",
      "b long 10 110>136 gross 260 net 260 trader",
      "c long 10 (10 open) 120> gross 0 net 0",
    ]);
    // What names a trade that is closed closes the oldest, as what names none does.
    scene.submit({ id: "f", side: "sell", quantity: 5, closes: "b" });
    at(scene, 140);
    expect(told(scene)[0]).toBe("a long 10 100>140 gross 400 net 400 trader");
    expect(tradesOf(scene.events).openOf("AAA")).toMatchObject([{ id: "c", openQuantity: 9 }]);
  });

  it("partial closes: prices are averages, and fees of both ends are the trade's", () => {
    const commission = { kind: "per_share", amount: 0.01, minimum: 0, maximumRate: null } as const;
    const scene = new Scene({ costs: { ...NO_COSTS, commission } });
    scene.submit({ id: "a", quantity: 9 });
    at(scene, 100);
    scene.submit({ id: "b", side: "sell", quantity: 3 });
    at(scene, 101);
    scene.submit({ id: "c", side: "sell", quantity: 6 });
    at(scene, 98);
    // 3 x 1 - 6 x 2 = -9; eighteen units at a cent.
    expect(told(scene)).toEqual(["a long 9 100>99 gross -9 net -9.18 trader"]);
    expect(trade(scene, "a")).toMatchObject({
      fees: usd(0.18),
      feesByKind: { commission: usd(0.18) },
      entryMicros: usd(900),
      exitMicros: usd(891),
    });
  });

  it("an order that turns a position closes and opens, and shares its fees by quantity", () => {
    const commission = { kind: "per_share", amount: 0.01, minimum: 0, maximumRate: null } as const;
    const scene = new Scene({ account: margin, costs: { ...NO_COSTS, commission } });
    scene.submit({ id: "a", quantity: 10 });
    at(scene, 100);
    scene.submit({ id: "b", side: "sell", quantity: 25 });
    at(scene, 104);
    scene.submit({ id: "c", quantity: 15 });
    at(scene, 102);
    expect(told(scene)).toEqual([
      "a long 10 100>104 gross 40 net 39.8 trader",
      "b short 15 104>102 gross 30 net 29.7 trader",
    ]);
  });

  it("a split while it is open: quantities and prices are those after it, money stays", () => {
    const scene = new Scene();
    scene.submit({ id: "a", quantity: 10 });
    at(scene, 100);
    scene.submit({ id: "b", side: "sell", quantity: 4 });
    at(scene, 110);
    scene.desk.split("AAA", 2, scene.time);
    expect(told(scene)).toEqual(["a long 20 (12 open) 50>55 gross 40 net 40"]);
    scene.submit({ id: "c", side: "sell", quantity: 12 });
    at(scene, 60);
    // Entries of 600 are sold for 720.
    expect(told(scene)).toEqual(["a long 20 50>58 gross 160 net 160 trader"]);
  });

  it("a reverse split pays what is less than a share, out of the oldest", () => {
    const scene = new Scene();
    scene.submit({ id: "a", quantity: 15 });
    at(scene, 10);
    scene.submit({ id: "b", quantity: 10 });
    at(scene, 12);
    scene.desk.split("AAA", 0.1, scene.time);
    // 1.5 and 1 become 2 and half a share paid at 120: a third of the 150 that the first cost is sold for 60.
    expect(told(scene)).toEqual([
      "a long 1.5 (1 open) 100>120 gross 10 net 10",
      "b long 1 (1 open) 120> gross 0 net 0",
    ]);
    scene.desk.split("AAA", 0.1, scene.time);
    // Of 0.1 and 0.1 nothing is left; the latest price is 1,200.
    expect(told(scene)).toEqual([
      "a long 0.15 1000>1200 gross 30 net 30 split",
      "b long 0.1 1200>1200 gross 0 net 0 split",
    ]);
  });

  it("a reverse split that leaves less than can be counted closes for nothing", () => {
    const scene = new Scene();
    scene.submit({ id: "a", quantity: 1.000000001 });
    at(scene, 100);
    scene.submit({ id: "b", side: "sell", quantity: 1 });
    at(scene, 100);
    scene.desk.split("AAA", 0.1, scene.time);
    expect(scene.desk.state.positions.size).toBe(0);
    expect(told(scene)).toEqual(["a long 0.1 1000>1000 gross 0 net 0 split"]);
    expect(tradesOf(scene.events).openOf("AAA")).toEqual([]);
  });

  it("a dividend on a short position is paid by its trades, and what is borrowed as well", () => {
    const scene = new Scene({ account: margin });
    scene.submit({ id: "a", side: "sell", quantity: 10 });
    at(scene, 100);
    scene.submit({ id: "b", side: "sell", quantity: 20 });
    at(scene, 100);
    scene.desk.dividend("AAA", 0.5, scene.time);
    scene.desk.endOfDay({ at: scene.time, nights: 1 });
    // 3,000 at 3.6 % for a day of 360 is 0.30.
    expect(told(scene)).toEqual([
      "a short 10 (10 open) 100> gross 0 net -5.1",
      "b short 20 (20 open) 100> gross 0 net -10.2",
    ]);
    scene.submit({ id: "c", quantity: 30 });
    at(scene, 90);
    expect(told(scene)).toEqual([
      "a short 10 100>90 gross 100 net 94.9 trader",
      "b short 20 100>90 gross 200 net 189.8 trader",
    ]);
    expect(trade(scene, "b")).toMatchObject({ dividends: usd(-10), borrow: usd(0.2) });
  });

  it("a dividend that does not divide: parts are a micro apart at most", () => {
    const scene = new Scene();
    for (const id of ["a", "b", "c"]) scene.submit({ id, quantity: 1 });
    at(scene, 100);
    scene.desk.dividend("AAA", 0.000_001, scene.time);
    scene.desk.dividend("AAA", 0.333_333_333, scene.time);
    const dividends = tradesOf(scene.events).trades.map((each) => each.dividends);
    expect(dividends).toEqual([333_334, 333_335, 333_334]);
  });

  it("tell what closed them: target, stop, trailing stop, margin call, end of the listing", () => {
    const scene = new Scene({ account: margin, capital: 100_000 });
    const bracket = { orderClass: "bracket", timeInForce: "gtc" } as const;
    const legs = { takeProfit: { limitPrice: 105 }, stopLoss: { stopPrice: 95, limitPrice: null } };
    scene.submit({ id: "a", quantity: 1, ...bracket, ...legs });
    at(scene, 100);
    scene.bar(100, 106, 100, 104);
    scene.submit({
      id: "b",
      quantity: 1,
      ...bracket,
      takeProfit: { limitPrice: 110 },
      stopLoss: legs.stopLoss,
    });
    at(scene, 104);
    scene.bar(104, 104, 94, 96);
    scene.submit({ id: "c", quantity: 1 });
    at(scene, 100);
    scene.submit({ id: "d", side: "sell", quantity: 1, type: "trailing_stop", trailAmount: 1 });
    at(scene, 98);
    scene.submit({ id: "e", quantity: 1, symbol: "BBB" });
    at(scene, 100, "BBB");
    scene.desk.delist("BBB", scene.time);
    scene.submit({ id: "f", side: "sell", quantity: 900 });
    at(scene, 100);
    at(scene, 180);
    at(scene, 185);
    expect(told(scene)).toEqual([
      "a long 1 100>105 gross 5 net 5 target",
      "b long 1 104>95 gross -9 net -9 stop",
      "c long 1 100>98 gross -2 net -2 trailing_stop",
      "e long 1 100>100 gross 0 net 0 delisted",
      "f short 900 100>185 gross -76500 net -76500 margin_call",
    ]);
  });

  it("what an entry opens after its first part was closed is another trade", () => {
    const scene = new Scene({ volumeShare: 1 });
    scene.submit({ id: "a", quantity: 10, type: "limit", limitPrice: 100, timeInForce: "gtc" });
    scene.bar(100, 100, 100, 100, { volume: 4 });
    scene.submit({ id: "b", side: "sell", quantity: 4 });
    at(scene, 101);
    at(scene, 100);
    expect(told(scene)).toEqual([
      "a long 4 100>101 gross 4 net 4 trader",
      "a#2 long 6 (6 open) 100> gross 0 net 0",
    ]);
    expect(trade(scene, "a#2").orderId).toBe("a");
  });

  it("an entry that is replaced while it is filled stays one trade, of the order that opened it", () => {
    const scene = new Scene({ volumeShare: 1 });
    scene.submit({ id: "a", quantity: 12, type: "limit", limitPrice: 99, timeInForce: "gtc" });
    expect(scene.replace("a", "b", { limitPrice: 100 })).toEqual([]);
    scene.bar(100, 100, 100, 100, { volume: 4 });
    expect(scene.replace("b", "c", { limitPrice: 101 })).toEqual([]);
    expect(scene.replace("c", "d", { limitPrice: 102 })).toEqual([]);
    scene.bar(102, 102, 102, 102, { volume: 6 });
    expect(told(scene)).toEqual(["b long 10 (10 open) 101.2> gross 0 net 0"]);
    expect(scene.replace("d", "e", { limitPrice: 103 })).toEqual([]);
    scene.submit({ id: "f", side: "sell", quantity: 10 });
    at(scene, 104);
    at(scene, 103);
    expect(told(scene)).toEqual([
      "b long 10 101.2>104 gross 28 net 28 trader",
      "e long 2 (2 open) 103> gross 0 net 0",
    ]);
  });

  it("what is open, at a price: parts sum to the worth of all together", () => {
    const scene = new Scene({ account: margin });
    for (const id of ["a", "b", "c"]) scene.submit({ id, side: "sell", quantity: 1 });
    at(scene, 100);
    const open = tradesOf(scene.events).openOf("AAA");
    expect(unrealisedOf(open, 99)).toEqual([usd(1), usd(1), usd(1)]);
    expect(unrealisedOf(open, 99.000_000_4)).toEqual([usd(1), usd(0.999_999), usd(1)]);
    expect(unrealisedOf([], 99)).toEqual([]);
  });
});
