import { describe, expect, it } from "vitest";
import { marginRules } from "../../src/core/execution/account.js";
import { tradesOf } from "../../src/core/performance/trades.js";
import { Scene, usd } from "../fixtures/execution-scene.js";

const bracket = {
  orderClass: "bracket",
  timeInForce: "gtc",
  takeProfit: { limitPrice: 110 },
  stopLoss: { stopPrice: 95, limitPrice: null },
} as const;

/** Net of each trade with what its doubt adds at best and at worst, in dollars. */
function boundsOf(scene: Scene) {
  const book = tradesOf(scene.events);
  return book.trades.map((trade) => {
    const doubt = book.doubtOf(trade);
    return doubt === null
      ? [trade.net, trade.ambiguous]
      : [trade.net, trade.ambiguous, trade.net + doubt.optimistic, trade.net + doubt.pessimistic];
  });
}

describe("the doubt of a trade", () => {
  it("is between its stop and its target where one bar reaches both", () => {
    const scene = new Scene();
    scene.submit({ id: "a", quantity: 10, ...bracket });
    scene.bar(100, 101, 99, 100);
    scene.bar(100, 111, 94, 100);
    // Ten bought at 100 and sold at the stop of 95; at best at the target of 110.
    expect(boundsOf(scene)).toEqual([[usd(-50), true, usd(100), usd(-50)]]);
  });

  it("is none where bars reach one of them", () => {
    const scene = new Scene();
    scene.submit({ id: "a", quantity: 10, ...bracket });
    scene.bar(100, 101, 99, 100);
    scene.bar(100, 101, 94, 100);
    expect(boundsOf(scene)).toEqual([[usd(-50), false]]);
  });

  it("of a fill is shared by the trades that it closes, by their units", () => {
    const scene = new Scene({ account: marginRules("USD") });
    scene.submit({ id: "a", quantity: 10 });
    scene.bar(100, 101, 99, 100);
    scene.submit({ id: "b", quantity: 30 });
    scene.bar(100, 101, 99, 100);
    scene.submit({
      ...{ id: "c", side: "sell", quantity: 40, type: "limit", timeInForce: "gtc", orderClass: "oco" },
      takeProfit: { limitPrice: 110 },
      stopLoss: { stopPrice: 95, limitPrice: null },
    });
    scene.bar(100, 111, 94, 100);
    // 40 at 95 where 110 was possible: 600, a quarter and three quarters of it.
    expect(boundsOf(scene)).toEqual([
      [usd(-50), true, usd(100), usd(-50)],
      [usd(-150), true, usd(300), usd(-150)],
    ]);
  });
});
