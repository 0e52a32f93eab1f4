import { describe, expect, it } from "vitest";
import { marginRules } from "../../src/core/execution/account.js";
import { Scene } from "../fixtures/execution-scene.js";

const margin = marginRules("USD");

describe("what an account allows", () => {
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
