import { describe, expect, it } from "vitest";
import { marginRules } from "../../src/core/execution/account.js";
import { NO_COSTS } from "../../src/core/execution/costs.js";
import { marketInstant } from "../../src/core/execution/events.js";
import { Scene, usd } from "../fixtures/execution-scene.js";

const margin = marginRules("USD");

/** Books sum to 0 and have the cash, and the events give the same state. */
function expectEquity(scene: Scene, equity: number): void {
  expect(scene.equity).toBe(usd(equity));
  expect(Object.values(scene.books).reduce((sum, micros) => sum + micros, 0)).toBe(0);
  expect(scene.books.cash).toBe(scene.desk.state.cash);
  expect(scene.isRebuilt).toBe(true);
}

describe("the end of an account", () => {
  const costs = {
    ...NO_COSTS,
    spreadBps: 20,
    commission: { kind: "per_share", amount: 0.01, minimum: 1, maximumRate: null },
  } as const;
  const settle = (scene: Scene, symbol: string, price: number, bid: number | null = null, ask = bid) =>
    scene.desk.settle(symbol, { price, bid, ask, traded: bid !== null }, scene.time).map(({ code }) => code);

  it("sells what is held at the last price after costs, and buys back what is owed at the ask", () => {
    const scene = new Scene({ account: margin, costs });
    scene.submit({ id: "a", quantity: 50 });
    scene.submit({ id: "s", side: "sell", quantity: 20, symbol: "BBB" });
    scene.bar(100, 100, 100, 100);
    scene.bar(100, 100, 100, 100, { symbol: "BBB" });
    // Bought 50 at 100.10 and sold 20 at 99.90, for 1 each: 10,000 - 5,005 + 1,998 - 2.
    expect(scene.desk.state.cash).toBe(usd(6_991));
    scene.submit({ id: "stop", side: "sell", quantity: 50, type: "stop", stopPrice: 90, timeInForce: "gtc" });
    expect(settle(scene, "AAA", 110)).toEqual([]);
    expect(settle(scene, "BBB", 105, 104.9, 105.1)).toEqual([]);
    // 110 less half of 20 basis points is 109.89; BBB is bought at the ask itself.
    expect(scene.fills.slice(2)).toEqual([
      expect.stringMatching(/^settlement\/\d+\/AAA 50 at 109.89 taker quote$/),
      expect.stringMatching(/^settlement\/\d+\/BBB 20 at 105.1 taker quote$/),
    ]);
    expect(scene.reasons).toEqual(["stop account_closed"]);
    expect(scene.desk.state.positions.size).toBe(0);
    expectEquity(scene, 6_991 + 50 * 109.89 - 1 - 20 * 105.1 - 1);
    const said = scene.events.flatMap((event) => ("fill" in event ? [event.fill.reason] : []));
    expect(said).toEqual(["market", "market", "settlement", "market"]);
  });

  it("ends forced orders, too, and says where fees are more than a cash account has", () => {
    const called = new Scene({ account: margin });
    called.hold(-150);
    called.bar(128.3, 128.3, 128.3, 128.3);
    expect(called.orders.some((text) => text.includes("new"))).toBe(true);
    expect(settle(called, "AAA", 130)).toEqual([]);
    expect(called.desk.atWork()).toEqual([]);
    expectEquity(called, 25_000 - 150 * 130);
    const poor = new Scene({ costs, capital: 101.1 });
    poor.submit({ id: "a", quantity: 1 });
    poor.bar(100, 100, 100, 100);
    expect(poor.desk.state.cash).toBe(0);
    expect(settle(poor, "AAA", 0.5)).toEqual(["insufficient_buying_power"]);
  });
});

describe("events of ascending instants", () => {
  it("tell the same as those of the markets but for when, and a stop that was told late is met as if it were not", () => {
    const seen = (["of_markets", "ascending"] as const).map((instants) => {
      const scene = new Scene({ account: margin, instants });
      scene.hold(50);
      const { time } = scene;
      const legs = { takeProfit: { limitPrice: 104 }, stopLoss: { stopPrice: 99, limitPrice: null } };
      scene.submit({ id: "a", quantity: 10, orderClass: "bracket", timeInForce: "gtc", ...legs });
      scene.submit({
        id: "s",
        side: "sell",
        quantity: 50,
        type: "stop_limit",
        stopPrice: 97,
        limitPrice: 96,
        timeInForce: "gtc",
      });
      // Something of another symbol is told first.
      scene.time = time + 10 * 60_000;
      scene.submit({ id: "b", symbol: "BBB", quantity: 1 });
      scene.desk.quote("BBB", { time: scene.time + 1, price: 100, bid: 100, ask: 100, regular: true });
      scene.time = time;
      scene.bar(101, 105, 98, 98);
      scene.bar(98, 98, 95, 95.5);
      scene.bar(95.5, 97, 95, 97);
      return scene;
    });
    const [plain, ascending] = seen;
    const told = (scene: Scene) =>
      scene.events.map((event) => JSON.stringify({ ...event, at: marketInstant(event), of: undefined }));
    expect(told(ascending)).toEqual(told(plain));
    expect(plain.fills.some((text) => text.endsWith("?"))).toBe(true);
    const backwards = ({ events }: Scene) =>
      events.filter(({ at }, k) => k > 0 && at < events[k - 1].at).length;
    expect(backwards(plain)).toBeGreaterThan(0);
    expect(backwards(ascending)).toBe(0);
    expect(ascending.isRebuilt).toBe(true);
    expect(ascending.orders).toEqual(plain.orders);
  });
});
