import { describe, expect, it } from "vitest";
import { marginRules } from "../../src/core/execution/account.js";
import { Scene } from "../fixtures/execution-scene.js";

const margin = marginRules("USD");

describe("what an account allows", () => {
  it("an order's own conditions: nothing against one's own, and that it opens or closes", () => {
    const scene = new Scene({ account: margin });
    const careful = { refusesWash: true, intent: null };
    scene.hold(10);
    scene.submit({ id: "a", type: "limit", limitPrice: 90, quantity: 5, timeInForce: "gtc" });
    const sell = { side: "sell", quantity: 2, timeInForce: "gtc", conditions: careful } as const;
    expect(scene.submit({ ...sell, id: "b" })).toEqual(["wash_trade"]);
    expect(scene.submit({ ...sell, id: "c", type: "limit", limitPrice: 90 })).toEqual(["wash_trade"]);
    expect(scene.submit({ ...sell, id: "d", type: "stop", stopPrice: 90 })).toEqual(["wash_trade"]);
    expect(scene.submit({ ...sell, id: "e", type: "stop", stopPrice: 95 })).toEqual([]);
    expect(scene.submit({ id: "f", type: "stop", stopPrice: 105, quantity: 1, conditions: careful })).toEqual(
      [],
    );
    expect(scene.submit({ id: "g", quantity: 1, conditions: careful })).toEqual(["wash_trade"]);
    expect(scene.submit({ id: "h", quantity: 1 })).toEqual([]);
    const intends = (id: string, side: "buy" | "sell", intent: "open" | "close") =>
      scene.submit({ id, side, quantity: 1, conditions: { refusesWash: false, intent } });
    expect(intends("i", "sell", "open")).toEqual(["intent_contradicted"]);
    expect(intends("j", "buy", "close")).toEqual(["intent_contradicted"]);
    expect(intends("k", "buy", "open")).toEqual([]);
    expect(intends("l", "sell", "close")).toEqual([]);
  });

  it("nothing against an entry of one's own that brings its exits, which do not count themselves", () => {
    const scene = new Scene({ account: { ...margin, refusesWash: true } });
    scene.hold(10);
    const limit = (side: "buy" | "sell", limitPrice: number) =>
      ({ side, limitPrice, quantity: 2, type: "limit", timeInForce: "gtc" }) as const;
    const bracket = {
      orderClass: "bracket",
      takeProfit: { limitPrice: 110 },
      stopLoss: { stopPrice: 80, limitPrice: null },
    } as const;
    expect(scene.submit({ id: "a", ...limit("buy", 95), ...bracket })).toEqual([]);
    expect(scene.submit({ id: "b", ...limit("sell", 94) })).toEqual(["wash_trade"]);
    expect(scene.submit({ id: "c", ...limit("sell", 96) })).toEqual([]);
    expect(scene.submit({ id: "d", ...limit("buy", 97), ...bracket })).toEqual([]);
    expect(scene.cancel("c")).toEqual([]);
    scene.bar(95, 95, 95, 95);
    // Both entries are filled; their exits at 80 and 110 are at work, and a purchase at 111 may come.
    expect(scene.orders.filter((each) => each.includes("target new"))).toHaveLength(2);
    expect(scene.submit({ id: "f", side: "buy", quantity: 1, type: "stop", stopPrice: 111 })).toEqual([]);
  });
});
