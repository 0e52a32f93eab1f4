import { describe, expect, it } from "vitest";
import { INDIAN_OPTIONS } from "../../src/core/execution/commission.js";
import { type Costs, NO_COSTS } from "../../src/core/execution/costs.js";
import { tradedShare } from "../../src/core/execution/instrument.js";
import { Scene, usd } from "../fixtures/execution-scene.js";

function costs(given: Partial<Costs>): { costs: Costs } {
  return { costs: { ...NO_COSTS, ...given } };
}

describe("commissions", () => {
  it("per share have a minimum an order, over all its fills", () => {
    const commission = { kind: "per_share", amount: 0.005, minimum: 1, maximumRate: 0.01 } as const;
    const scene = new Scene({ ...costs({ commission }), capital: 100_000, volumeShare: 0.1 });
    scene.submit({ id: "a", quantity: 300, timeInForce: "gtc" });
    scene.bar(100, 100, 100, 100, { volume: 1_000 });
    // 100 shares are 0.50, so that the minimum of 1 is charged; 300 are 1.50, of which 0.50 are left to charge.
    expect(scene.books["fee:commission"]).toBe(usd(1));
    scene.bar(100, 100, 100, 100, { volume: 5_000 });
    expect(scene.books["fee:commission"]).toBe(usd(1.5));
    expect(scene.equity).toBe(usd(100_000 - 1.5));
  });

  it("per share have a cap by value", () => {
    const commission = { kind: "per_share", amount: 0.005, minimum: 1, maximumRate: 0.01 } as const;
    const scene = new Scene(costs({ commission }));
    scene.submit({ id: "a", quantity: 10 });
    scene.bar(0.5, 0.5, 0.5, 0.5);
    // 1 % of 5.00 instead of the minimum.
    expect(scene.books).toMatchObject({ "fee:commission": usd(0.05), cash: usd(10_000 - 5.05) });
  });

  it("of LEAN's daily template: 697 shares at half a cent are 3.485", () => {
    const commission = { kind: "per_share", amount: 0.005, minimum: 1, maximumRate: null } as const;
    const scene = new Scene({ ...costs({ commission }), capital: 100_000 });
    scene.submit({ id: "a", quantity: 697 });
    scene.bar(143, 143, 143, 143);
    expect(scene.books["fee:commission"]).toBe(3_485_000);
  });

  it("in percent have a minimum", () => {
    const scene = new Scene(costs({ commission: { kind: "percent", rate: 0.001, minimum: 1 } }));
    scene.submit({ id: "a", quantity: 5 });
    scene.submit({ id: "b", quantity: 20 });
    scene.bar(100, 100, 100, 100);
    // 0.1 % of 500 is 0.50, below the minimum; of 2,000 it is 2.
    expect(scene.equity).toBe(usd(10_000 - 1 - 2));
  });

  it("tell makers from takers", () => {
    const commission = { kind: "maker_taker", makerRate: 0.0002, takerRate: 0.0005 } as const;
    const scene = new Scene(costs({ commission }));
    scene.submit({ id: "a", quantity: 10, type: "limit", limitPrice: 99 });
    scene.submit({ id: "b", quantity: 10, type: "limit", limitPrice: 101 });
    scene.bar(100, 100, 99, 99);
    // a rests and makes: 990 x 0.0002 = 0.198. b meets the open and takes: 1,000 x 0.0005 = 0.5; and loses 10.
    expect(scene.fills).toEqual(["b 10 at 100 taker open", "a 10 at 99 maker within"]);
    expect(scene.equity).toBe(usd(10_000 - 0.198 - 0.5 - 10));
  });
});

describe("charges on options in India", () => {
  const options = { ...costs({ commission: INDIAN_OPTIONS }), capital: 100_000 };
  const instruments = [{ ...tradedShare("AAA"), tick: 0.05, tickBelowOne: null, fractions: "none" as const }];

  it("of a purchase, item by item to the paisa", () => {
    const scene = new Scene({ ...options, instruments });
    scene.submit({ id: "a", quantity: 75 });
    scene.bar(200, 200, 200, 200);
    // 75 x 200 = 15,000: brokerage 0.05 % = 7.50; exchange 0.053 % = 7.95; GST 18 % of 15.45 = 2.781;
    // SEBI 10 in a crore = 0.015; stamp 0.003 % = 0.45. In all 18.696, to the paisa 18.70.
    expect(scene.books).toEqual({
      cash: usd(100_000 - 15_000 - 18.696),
      capital: -usd(100_000),
      "position:AAA": usd(15_000),
      "fee:brokerage": usd(7.5),
      "fee:exchange": usd(7.95),
      "fee:gst": usd(2.781),
      "fee:sebi": usd(0.015),
      "fee:stamp": usd(0.45),
    });
  });

  it("of a sale with the cap on brokerage and the tax on sales", () => {
    const scene = new Scene({ ...options, instruments });
    scene.submit({ id: "a", quantity: 300 });
    scene.bar(200, 200, 200, 200);
    scene.submit({ id: "b", side: "sell", quantity: 300 });
    scene.bar(210, 210, 210, 210);
    // Bought for 60,000: brokerage 20 (0.05 % were 30); exchange 31.80; GST 9.324; SEBI 0.06; stamp 1.80: 62.984.
    // Sold for 63,000: brokerage 20; exchange 33.39; GST 9.6102; SEBI 0.063; STT 0.0625 % = 39.375: 102.4382.
    expect(scene.books).toMatchObject({
      "fee:brokerage": usd(40),
      "fee:stt": usd(39.375),
      "fee:stamp": usd(1.8),
    });
    expect(scene.equity).toBe(usd(100_000 + 3_000 - 62.984 - 102.4382));
  });
});

describe("spread and slippage", () => {
  it("of fixed size are against the taker and rounded to the tick against it", () => {
    const scene = new Scene(costs({ spreadBps: 4, slippage: { kind: "fixed", bps: 3 } }));
    scene.submit({ id: "a", quantity: 10 });
    scene.bar(100.13, 100.13, 100.13, 100.13);
    scene.submit({ id: "b", side: "sell", quantity: 10 });
    scene.bar(100.13, 100.13, 100.13, 100.13);
    // Half of 4 and 3 are 5 basis points, 0.050065: up to 100.19, down to 100.07.
    expect(scene.fills).toEqual(["a 10 at 100.19 taker open", "b 10 at 100.07 taker open"]);
    expect(scene.equity).toBe(usd(10_000 - 1.2));
  });

  it("are not for makers, and never beyond a limit", () => {
    const scene = new Scene(costs({ spreadBps: 4, slippage: { kind: "fixed", bps: 30 } }));
    scene.submit({ id: "a", quantity: 10, type: "limit", limitPrice: 99 });
    scene.submit({ id: "b", quantity: 10, type: "limit", limitPrice: 100.05 });
    scene.bar(100, 100, 99, 99);
    expect(scene.fills).toEqual(["b 10 at 100.05 taker open", "a 10 at 99 maker within"]);
  });

  it("by volatility are a share of the average range, and basis points while that is not known", () => {
    const scene = new Scene(costs({ slippage: { kind: "volatility", share: 0.1, elseBps: 20 } }));
    scene.submit({ id: "a", quantity: 10 });
    scene.bar(100, 100, 100, 100, { range: 1.5 });
    scene.submit({ id: "b", quantity: 10 });
    scene.bar(100, 100, 100, 100);
    // A tenth of 1.50; 20 basis points of 100.
    expect(scene.fills).toEqual(["a 10 at 100.15 taker open", "b 10 at 100.2 taker open"]);
  });

  it("by the share of volume grow with its square", () => {
    const scene = new Scene({
      ...costs({ slippage: { kind: "volume_share", impact: 0.1 } }),
      capital: 100_000,
    });
    scene.submit({ id: "a", quantity: 100 });
    scene.bar(100, 100, 100, 100, { volume: 1_000 });
    scene.submit({ id: "b", quantity: 200 });
    scene.bar(100, 100, 100, 100, { volume: 1_000 });
    // 100 x 0.1 x 0.1^2 = 0.10; 100 x 0.1 x 0.2^2 = 0.40.
    expect(scene.fills).toEqual(["a 100 at 100.1 taker open", "b 200 at 100.4 taker open"]);
  });

  it("jitter by seed and fill alone, between none and twice the slippage", () => {
    const prices = (seed: number) =>
      Array.from({ length: 300 }, (_, k) => {
        const scene = new Scene(costs({ slippage: { kind: "fixed", bps: 100 }, jitterSeed: seed }));
        scene.submit({ id: `order-${k}`, quantity: 1 });
        scene.bar(100, 100, 100, 100);
        return (scene.desk.state.positions.get("AAA")?.cost ?? 0) / 1e6;
      });
    const drawn = prices(1);
    expect(prices(1)).toEqual(drawn);
    expect(prices(2)).not.toEqual(drawn);
    expect(Math.min(...drawn)).toBeGreaterThanOrEqual(100);
    expect(Math.max(...drawn)).toBeLessThanOrEqual(102);
    // 300 draws from an even spread of 2 have a mean of 1 with a deviation of 0.033.
    expect(Math.abs(drawn.reduce((sum, price) => sum + price - 101, 0) / 300)).toBeLessThan(0.15);
  });
});
