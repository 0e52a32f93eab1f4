import { describe, expect, it } from "vitest";
import { marginRules } from "../../src/core/execution/account.js";
import { Scene } from "../fixtures/execution-scene.js";

describe("a dividend and orders that rest", () => {
  it("lowers limits to buy and stops to sell, rounded down, and no others", () => {
    const scene = new Scene({ account: marginRules("USD"), capital: 100_000 });
    scene.hold(100);
    const gtc = { quantity: 1, timeInForce: "gtc" } as const;
    const exits = { takeProfit: { limitPrice: 120 }, stopLoss: { stopPrice: 94.99, limitPrice: null } };
    scene.submit({ ...gtc, id: "buy limit", type: "limit", limitPrice: 95 });
    scene.submit({ ...gtc, id: "day", type: "limit", limitPrice: 95, timeInForce: "day" });
    scene.submit({ ...gtc, id: "sell limit", side: "sell", type: "limit", limitPrice: 105 });
    scene.submit({ ...gtc, id: "sell stop", side: "sell", type: "stop", stopPrice: 95 });
    scene.submit({ ...gtc, id: "both", side: "sell", type: "stop_limit", stopPrice: 95, limitPrice: 94 });
    scene.submit({ ...gtc, id: "trail", side: "sell", type: "trailing_stop", trailPercent: 10 });
    scene.submit({ ...gtc, id: "buy stop", type: "stop", stopPrice: 105 });
    scene.submit({ ...gtc, id: "entry", type: "limit", limitPrice: 95, orderClass: "bracket", ...exits });
    const tiny = { ...gtc, id: "tiny", type: "limit", limitPrice: 0.5 } as const;
    expect(scene.submit(tiny)).toEqual([]);
    scene.time += 1;
    scene.submit({ ...gtc, id: "of the ex-day", type: "limit", limitPrice: 95 });
    scene.desk.dividend("AAA", 0.825, scene.time + 1, scene.time);
    const prices = [...scene.desk.state.orders.values()]
      .filter(({ id }) => !id.startsWith("hold"))
      .map(({ id, limitPrice, stopPrice }) => [id, limitPrice, stopPrice]);
    // 95 - 0.825 = 94.175, and 94.17 is the next lower cent; the best price 100 becomes 99.175, a tenth below 89.26.
    expect(prices).toEqual([
      ["buy limit", 94.17, null],
      ["day", 95, null],
      ["sell limit", 105, null],
      ["sell stop", null, 94.17],
      ["both", 93.17, 94.17],
      ["trail", null, 89.26],
      ["buy stop", null, 105],
      ["entry", 94.17, null],
      ["entry/stop", null, 94.16],
      ["entry/target", 120, null],
      ["tiny", 0.0001, null],
      ["of the ex-day", 95, null],
    ]);
    expect(scene.isRebuilt).toBe(true);
  });
});
