import { describe, expect, it } from "vitest";
import { cashRules } from "../../src/core/execution/account.js";
import { GTC_DAYS } from "../../src/core/execution/context.js";
import { NO_COSTS } from "../../src/core/execution/costs.js";
import { createDesk } from "../../src/core/execution/desk.js";
import { tradedShare } from "../../src/core/execution/instrument.js";
import { rebuild } from "../../src/core/execution/state.js";
import { candlesFromRows } from "../../src/core/market/candles.js";
import { expectEnd, MINUTE_MS, OPEN_MS, Scene, usd } from "../fixtures/execution-scene.js";

const DAY_MS = 86_400_000;

describe("an order at the market", () => {
  it("fills at the next open, not at the price it was submitted at", () => {
    const scene = new Scene();
    scene.submit({ id: "a", quantity: 10 });
    scene.bar(101, 102, 100, 101.5);
    // Ten at 101, worth 101.5 each: 10,000 + 10 x 0.5.
    expectEnd(scene, ["a filled 10/10"], ["a 10 at 101 taker open"], 10_005);
    expect(scene.hash).toBe("819762ef61d8");
  });

  it("does not see a bar that opened before it came", () => {
    const scene = new Scene();
    scene.time = OPEN_MS + 1;
    scene.submit({ id: "a", quantity: 10 });
    scene.time = OPEN_MS;
    scene.bar(100, 100, 100, 100);
    expectEnd(scene, ["a new 0/10"], [], 10_000);
    expect(scene.hash).toBe("649011f171bd");
    scene.bar(99, 99, 99, 99);
    expectEnd(scene, ["a filled 10/10"], ["a 10 at 99 taker open"], 10_000);
    expect(scene.hash).toBe("0ee39ff018bd");
  });

  it("waits as accepted while the market is closed", () => {
    const scene = new Scene();
    scene.submit({ id: "a", quantity: 1 }, false);
    expect(scene.orders).toEqual(["a accepted 0/1"]);
    scene.bar(100, 100, 100, 100);
    expect(scene.events.map(({ event }) => event)).toEqual(["transferred", "accepted", "opened", "filled"]);
  });

  it("by money buys what it can and leaves the remainder", () => {
    const scene = new Scene();
    scene.submit({ id: "a", notional: 1_000 });
    scene.bar(300.01, 300.01, 300.01, 300.01);
    // 1,000 / 300.01 = 3.333222225925..., of which nine places are bought: 3.333222225 x 300.01 = 999.99999972225.
    expectEnd(scene, ["a filled 3.333222225/3.333222225"], ["a 3.333222225 at 300.01 taker open"], 10_000);
    expect(scene.hash).toBe("6ec4aa39e1ee");
    expect(scene.desk.state.cash).toBe(usd(9_000));
    expect(scene.desk.state.positions.get("AAA")?.cost).toBe(usd(1_000));
  });

  it("by money stays below it where nine places cost a micro less", () => {
    const scene = new Scene();
    scene.submit({ id: "a", notional: 100 });
    scene.bar(7_000, 7_000, 7_000, 7_000);
    // 100 / 7,000 = 0.0142857142..., and 0.014285714 x 7,000 = 99.999998.
    expect(scene.desk.state.cash).toBe(usd(9_900.000002));
    expect(scene.equity).toBe(usd(10_000));
  });
});

describe("a limit order", () => {
  it("gapped through fills at the open, which is better", () => {
    const scene = new Scene();
    scene.submit({ id: "a", quantity: 10, type: "limit", limitPrice: 99 });
    scene.bar(100, 101, 99.5, 100);
    scene.bar(98, 98.5, 97, 98.5);
    // It rested a bar, so that the fill is a maker's; 10 x (98.5 - 98).
    expectEnd(scene, ["a filled 10/10"], ["a 10 at 98 maker open"], 10_005);
    expect(scene.hash).toBe("96ba1ad71af8");
  });

  it("touched within a bar fills at its price", () => {
    const scene = new Scene();
    scene.submit({ id: "a", quantity: 10, type: "limit", limitPrice: 99 });
    scene.bar(100, 101, 99, 100);
    expectEnd(scene, ["a filled 10/10"], ["a 10 at 99 maker within"], 10_010);
    expect(scene.hash).toBe("68f2b93b3920");
  });

  it("for the day expires with the session's close", () => {
    const scene = new Scene();
    scene.submit({ id: "a", quantity: 10, type: "limit", limitPrice: 99, timeInForce: "day" });
    scene.submit({ id: "b", quantity: 10, type: "limit", limitPrice: 99, timeInForce: "gtc" });
    scene.bar(100, 101, 99.01, 100, { last: true });
    scene.bar(98, 98, 98, 98);
    expectEnd(scene, ["a expired 0/10", "b filled 10/10"], ["b 10 at 98 maker open"], 10_000);
    expect(scene.hash).toBe("693f2c33919f");
  });

  it("until canceled expires after 90 days", () => {
    const scene = new Scene();
    scene.submit({ id: "a", quantity: 10, type: "limit", limitPrice: 50, timeInForce: "gtc" });
    scene.desk.endOfDay({ at: OPEN_MS + 90 * DAY_MS - 1, nights: 1 });
    expect(scene.orders).toEqual(["a new 0/10"]);
    scene.desk.endOfDay({ at: OPEN_MS + 90 * DAY_MS, nights: 1 });
    expectEnd(scene, ["a expired 0/10"], [], 10_000);
    expect(scene.hash).toBe("dfae6f97826c");
    expect(scene.reasons).toEqual(["a too_old"]);
  });
});

describe("a stop order", () => {
  it("gapped through fills at the open, which is worse", () => {
    const scene = new Scene();
    scene.hold(10);
    scene.submit({ id: "a", side: "sell", quantity: 10, type: "stop", stopPrice: 95 });
    scene.bar(92, 96, 91, 96);
    expectEnd(scene, ["a filled 10/10"], ["a 10 at 92 taker open"], 10_000 - 80);
    expect(scene.hash).toBe("66fb97b1f1c6");
  });

  it("reached within a bar fills at its price", () => {
    const scene = new Scene();
    scene.hold(10);
    scene.submit({ id: "a", side: "sell", quantity: 10, type: "stop", stopPrice: 95 });
    scene.bar(99, 99, 95, 98);
    expectEnd(scene, ["a filled 10/10"], ["a 10 at 95 taker within"], 10_000 - 50);
    expect(scene.hash).toBe("616828aa94c0");
  });

  it("with a limit is skipped by a gap and fills when the price comes back", () => {
    const scene = new Scene();
    scene.hold(10);
    scene.submit({
      id: "a",
      side: "sell",
      quantity: 10,
      type: "stop_limit",
      stopPrice: 95,
      limitPrice: 94.5,
    });
    scene.bar(92, 94, 91, 93);
    expectEnd(scene, ["a new 0/10"], [], 10_000 - 70);
    expect(scene.hash).toBe("adbd1b4aaf42");
    scene.bar(93, 95, 93, 94);
    expectEnd(scene, ["a filled 10/10"], ["a 10 at 94.5 maker within"], 10_000 - 55);
    expect(scene.hash).toBe("6096cc75d9a5");
  });

  it("with a limit above it fills where it is reached", () => {
    const scene = new Scene();
    scene.submit({ id: "a", quantity: 10, type: "stop_limit", stopPrice: 102, limitPrice: 102.5 });
    scene.bar(101, 104, 100, 103);
    expectEnd(scene, ["a filled 10/10"], ["a 10 at 102 taker within"], 10_010);
    expect(scene.hash).toBe("0465fba6f143");
  });

  it("with a limit that the price may have met too early stays, and the bounds say so", () => {
    const scene = new Scene();
    scene.submit({ id: "a", quantity: 10, type: "stop_limit", stopPrice: 102, limitPrice: 101 });
    scene.bar(101.5, 104, 100, 103);
    expectEnd(scene, ["a new 0/10"], [], 10_000);
    expect(scene.hash).toBe("6b0ae36a9a32");
    // Had the low come after the high: ten at 101, worth 103.
    expect(scene.desk.bounds()).toEqual({
      pessimistic: usd(10_000),
      equity: usd(10_000),
      optimistic: usd(10_020),
    });
  });
});

describe("a trailing stop", () => {
  it("by an amount follows the best price and is hit where it stands", () => {
    const scene = new Scene();
    scene.hold(10);
    scene.submit({ id: "a", side: "sell", quantity: 10, type: "trailing_stop", trailAmount: 2 });
    scene.bar(100, 105, 99, 104.5); // Best 105, level 103; the low of 99 lay above 98 and came before or after.
    // The stop first: 99 is at or below 103, so it is taken to be hit there.
    expectEnd(scene, ["a filled 10/10"], ["a 10 at 103 taker within?"], 10_030);
    expect(scene.hash).toBe("dcde0aabc538");
    // At worst it was hit on the way up at 99, at best it was not and stands at 104.5.
    expect(scene.desk.bounds()).toEqual({
      pessimistic: usd(10_030 - 40),
      equity: usd(10_030),
      optimistic: usd(10_030 + 15),
    });
  });

  it("by percent is raised bar by bar, then hit", () => {
    const scene = new Scene();
    scene.hold(10);
    scene.submit({ id: "a", side: "sell", quantity: 10, type: "trailing_stop", trailPercent: 5 });
    scene.bar(100, 110, 105, 110); // Best 110, level 104.5.
    scene.bar(110, 120, 115, 116); // Best 120, level 114.
    scene.bar(116, 117, 113, 115);
    const levels = scene.events.flatMap((event) =>
      "extreme" in event ? [event.extreme, event.stopPrice] : [],
    );
    expect(levels).toEqual([110, 104.5, 120, 114]);
    expectEnd(scene, ["a filled 10/10"], ["a 10 at 114 taker within"], 10_140);
    expect(scene.hash).toBe("314e530c9821");
  });

  it("that a gap leaves behind fills at the open", () => {
    const scene = new Scene();
    scene.hold(10);
    scene.submit({ id: "a", side: "sell", quantity: 10, type: "trailing_stop", trailAmount: 3 });
    scene.bar(96, 99, 95, 98);
    expectEnd(scene, ["a filled 10/10"], ["a 10 at 96 taker open"], 10_000 - 40);
    expect(scene.hash).toBe("fe578dabe974");
  });
});

describe("auctions and orders at once", () => {
  it("fill at the open of a session, or expire", () => {
    const scene = new Scene();
    scene.submit({ id: "a", quantity: 5, timeInForce: "opg" }, false);
    scene.submit({ id: "b", quantity: 5, timeInForce: "opg", type: "limit", limitPrice: 98 }, false);
    scene.bar(99, 99, 99, 99);
    expect(scene.fills).toEqual([]);
    scene.bar(100, 101, 97, 101, { first: true });
    expectEnd(scene, ["a filled 5/5", "b expired 0/5"], ["a 5 at 100 taker open"], 10_005);
    expect(scene.hash).toBe("1ebc04a1e8e4");
  });

  it("fill at the close of a session, or expire", () => {
    const scene = new Scene();
    scene.submit({ id: "a", quantity: 5, timeInForce: "cls" });
    scene.submit({ id: "b", quantity: 5, timeInForce: "cls", type: "limit", limitPrice: 101 });
    scene.bar(100, 103, 97, 99);
    scene.bar(100, 103, 97, 102, { last: true });
    expectEnd(scene, ["a filled 5/5", "b expired 0/5"], ["a 5 at 102 taker close"], 10_000);
    expect(scene.hash).toBe("5d2037f31d69");
  });

  it("take what the volume gives, and cancel the rest", () => {
    const scene = new Scene({ volumeShare: 0.1 });
    scene.submit({ id: "a", quantity: 50, timeInForce: "ioc" });
    scene.bar(100, 100, 100, 100, { volume: 205 });
    // A tenth of 205, whole shares: 20.
    expectEnd(scene, ["a canceled 20/50"], ["a 20 at 100 taker open"], 10_000);
    expect(scene.hash).toBe("6578ec5b4713");
    expect(scene.reasons).toEqual(["a not_filled_at_once"]);
  });

  it("take all or nothing", () => {
    const scene = new Scene({ volumeShare: 0.1 });
    scene.submit({ id: "a", quantity: 21, timeInForce: "fok" });
    scene.submit({ id: "b", quantity: 20, timeInForce: "fok" });
    scene.bar(100, 100, 100, 100, { volume: 205 });
    expectEnd(scene, ["a canceled 0/21", "b filled 20/20"], ["b 20 at 100 taker open"], 10_000);
    expect(scene.hash).toBe("5e5ba100f4e4");
  });
});

describe("the volume of a bar", () => {
  it("fills an order over three bars", () => {
    const scene = new Scene({ volumeShare: 0.1 });
    scene.submit({ id: "a", quantity: 25, timeInForce: "gtc" });
    scene.bar(100, 101, 99, 101, { volume: 100 });
    scene.bar(102, 103, 99, 101, { volume: 109 });
    scene.bar(101, 102, 99, 101, { volume: 100 });
    // 10 x 100 + 10 x 102 + 5 x 101 = 2,525 for 25 x 101 = 2,525.
    const fills = ["a 10 at 100 taker open", "a 10 at 102 taker open", "a 5 at 101 taker open"];
    expectEnd(scene, ["a filled 25/25"], fills, 10_000);
    expect(scene.hash).toBe("ae65c0cb1ca2");
  });

  it("is taken once: a bar that is told again to a desk made of its events fills nothing", () => {
    const scene = new Scene({ volumeShare: 0.1 });
    scene.submit({ id: "a", quantity: 25, timeInForce: "gtc" });
    scene.bar(100, 101, 99, 101, { volume: 100 });
    const events: unknown[] = [];
    const rules = { account: cashRules("USD"), costs: NO_COSTS, volumeShare: 0.1, gtcDays: GTC_DAYS };
    const again = createDesk(
      rules,
      [tradedShare("AAA")],
      (event) => events.push(event),
      rebuild(scene.events),
    );
    const rows = [0, 1].map((k) => {
      return { time: OPEN_MS + k * MINUTE_MS, open: 100, high: 101, low: 99, close: 101, volume: 100 };
    });
    const bars = candlesFromRows("AAA", "1m", rows);
    const facts = { until: OPEN_MS + MINUTE_MS, regular: true, first: false, last: false, range: Number.NaN };
    again.bar("AAA", bars, 0, facts);
    expect(events).toEqual([]);
    again.bar("AAA", bars, 1, { ...facts, until: OPEN_MS + 2 * MINUTE_MS });
    expect(events).toMatchObject([{ event: "partially_filled", fill: { id: `a|b${OPEN_MS + MINUTE_MS}` } }]);
  });

  it("is shared by orders of the symbol, the first submitted first", () => {
    const scene = new Scene({ volumeShare: 0.1 });
    scene.submit({ id: "a", quantity: 8 });
    scene.submit({ id: "b", quantity: 8 });
    scene.bar(100, 100, 100, 100, { volume: 100 });
    expectEnd(
      scene,
      ["a filled 8/8", "b partially_filled 2/8"],
      ["a 8 at 100 taker open", "b 2 at 100 taker open"],
      10_000,
    );
    expect(scene.hash).toBe("49cb8bbc44a1");
  });
});

describe("the average price of an order", () => {
  it("is that of its fills by quantity, not of money rounded to micros, and of new shares after a split", () => {
    const coin = { ...tradedShare("BTC"), fractions: "free" as const, lot: 1e-9 };
    for (const quantity of [0.000005, 0.000006, 0.000011, 1.234567891]) {
      const scene = new Scene({ instruments: [coin], volumeShare: 0.5 });
      scene.desk.mark("BTC", 3_018.79);
      const limit = { type: "limit", limitPrice: 3_018.79, timeInForce: "gtc" } as const;
      expect(scene.submit({ id: "a", symbol: "BTC", quantity, ...limit })).toEqual([]);
      for (const price of [3_018.78, 3_018.5, 3_018.77])
        scene.bar(price, price + 0.01, price, price, { symbol: "BTC", volume: quantity });
      const order = scene.desk.state.orders.get("a");
      const fills = scene.events.flatMap((event) => ("fill" in event ? [event.fill] : []));
      expect(fills.length).toBe(2);
      const filled = fills.reduce((sum, fill) => sum + fill.quantity, 0);
      const mean = fills.reduce((sum, { price, quantity: part }) => sum + (price * part) / filled, 0);
      expect(order?.averagePrice).toBeCloseTo(mean, 9);
      expect(order?.averagePrice).toBeLessThan(3_018.78);
      expect(scene.isRebuilt).toBe(true);
    }
    const scene = new Scene({ volumeShare: 0.1 });
    scene.submit({ id: "a", quantity: 20, type: "limit", limitPrice: 100, timeInForce: "gtc" });
    scene.bar(90, 100, 90, 100, { volume: 100 });
    scene.desk.split("AAA", 3, scene.time);
    expect(scene.desk.state.orders.get("a")).toMatchObject({ filled: 30, averagePrice: 30 });
    scene.bar(33, 33, 33, 33, { volume: 100 });
    // 30 at 30, as they are counted since, and 10 at 33.
    expect(scene.desk.state.orders.get("a")?.averagePrice).toBeCloseTo(30.75, 12);
  });
});

describe("replacing and canceling", () => {
  it("keeps what was filled", () => {
    const scene = new Scene({ volumeShare: 0.1 });
    scene.submit({ id: "a", quantity: 30, type: "limit", limitPrice: 100 });
    scene.bar(100, 100, 100, 100, { volume: 100 });
    expect(scene.replace("a", "b", { quantity: 10 })).toEqual(["quantity_below_filled"]);
    expect(scene.replace("a", "b", { limitPrice: 100 })).toEqual(["nothing_changed"]);
    expect(scene.replace("a", "b", { quantity: 15, limitPrice: 101 })).toEqual([]);
    scene.bar(101, 102, 101, 102, { volume: 100 });
    // Ten at 100 and five at 101: 10 x 2 + 5 x 1.
    const fills = ["a 10 at 100 taker open", "b 5 at 101 taker open"];
    expectEnd(scene, ["a replaced 10/30", "b filled 15/15"], fills, 10_025);
    expect(scene.hash).toBe("5a99684fc5aa");
  });

  it("sees no bar that opened before the change", () => {
    const scene = new Scene();
    scene.submit({ id: "a", quantity: 10, type: "limit", limitPrice: 90 });
    scene.time += 1;
    expect(scene.replace("a", "b", { limitPrice: 100 })).toEqual([]);
    scene.time -= 1;
    scene.bar(100, 100, 100, 100);
    expectEnd(scene, ["a replaced 0/10", "b new 0/10"], [], 10_000);
    expect(scene.hash).toBe("92992a747356");
  });

  it("ends an order once", () => {
    const scene = new Scene();
    scene.submit({ id: "a", quantity: 10, type: "limit", limitPrice: 90 });
    expect(scene.desk.state.reserved).toBe(usd(900));
    expect(scene.cancel("a")).toEqual([]);
    expect(scene.cancel("a")).toEqual(["order_closed"]);
    expect(scene.cancel("c")).toEqual(["order_not_found"]);
    expect(scene.replace("a", "b", { limitPrice: 91 })).toEqual(["order_closed"]);
    expect(scene.desk.state.reserved).toBe(0);
    expectEnd(scene, ["a canceled 0/10"], [], 10_000);
    expect(scene.hash).toBe("410cd1e4a54e");
  });
});
