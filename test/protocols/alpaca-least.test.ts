import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type AlpacaProgram, checkedSender, startAlpacaProgram } from "../fixtures/alpaca.js";
import { createVendorChecker } from "../fixtures/alpaca-spec.js";
import { ROOMY } from "../fixtures/roomy-settings.js";

const check = createVendorChecker();

let alpaca: AlpacaProgram;
const wrong: string[] = [];
beforeAll(async () => {
  alpaca = await startAlpacaProgram();
  await alpaca.program.call({ method: "POST", url: "/api/risk-settings", payload: ROOMY });
});
afterAll(() => alpaca.program.close());

const send = checkedSender(() => alpaca, check, wrong);
const buy = (terms: object) => send("POST", "/v2/orders", { side: "buy", type: "market", ...terms });
const COIN = { symbol: "BTC/USD", time_in_force: "gtc" } as const;
const SHARE = { symbol: "AAPL", time_in_force: "day" } as const;

describe("an order of less than the dialect takes", () => {
  it.each([
    ["a coin for 5 dollars", { ...COIN, notional: "5" }, 10],
    ["a hundred-thousandth of a coin", { ...COIN, qty: "0.00001" }, 10],
    ["a limit of 9.99 on a coin", { ...COIN, qty: "0.01", type: "limit", limit_price: "999" }, 10],
    ["a thousandth of a share", { ...SHARE, qty: "0.001" }, 1],
  ])("is refused: %s", async (_title, terms, least) => {
    const { status, body } = await buy(terms);
    const message = `cost basis must be >= minimal amount of order ${least}`;
    expect({ status, ...body }).toEqual({ status: 403, code: 40310000, message });
  });

  it("is taken at it, and where it closes all that is held", async () => {
    expect((await buy({ ...COIN, notional: "10" })).body).toMatchObject({ status: "filled" });
    const { body: position } = await send("GET", "/v2/positions/BTCUSD");
    const less = await send("POST", "/v2/orders", {
      ...{ ...COIN, side: "sell", type: "market" },
      qty: String(Number(position.qty) / 2),
    });
    expect(less.status).toBe(403);
    const { status, body } = await send("DELETE", "/v2/positions/BTCUSD");
    expect(status).toBe(200);
    expect(body).toMatchObject({ qty: position.qty, time_in_force: "gtc" });
  });

  it.each([
    ["a coin", { ...COIN, qty: "1", limit_price: "50" }, { limit_price: "9.99" }, 10],
    ["shares", { ...SHARE, qty: "3", limit_price: "1" }, { qty: "2", limit_price: "0.45" }, 1],
  ])(
    "is not made of one by a replacement, and what rests stays: %s",
    async (_title, terms, change, least) => {
      const { body: resting } = await buy({ ...terms, type: "limit" });
      const { status, body } = await send("PATCH", `/v2/orders/${resting.id}`, change);
      const message = `cost basis must be >= minimal amount of order ${least}`;
      expect({ status, ...body }).toEqual({ status: 403, code: 40310000, message });
      expect((await send("GET", `/v2/orders/${resting.id}`)).body).toEqual(resting);
      const enough = await send("PATCH", `/v2/orders/${resting.id}`, { limit_price: String(least + 1) });
      expect(enough.status).toBe(200);
      await send("DELETE", "/v2/orders");
    },
  );

  it("has no size in units that is said of its asset, as it depends on the price", async () => {
    const { body } = await send("GET", "/v2/assets/BTCUSD");
    expect(body).toMatchObject({ min_trade_increment: "0.000000001", price_increment: "0.00000001" });
    expect(body).not.toHaveProperty("min_order_size");
  });
});

describe("positions of today", () => {
  it("gained in the session what they gained, and say why they cannot be closed", async () => {
    await buy({ ...COIN, notional: "2000" });
    await buy({ ...COIN, notional: "333.33" });
    await buy({ ...SHARE, qty: "3" });
    const { body: positions } = await send("GET", "/v2/positions");
    for (const each of positions) {
      expect(each.unrealized_intraday_pl, each.symbol).toBe(each.unrealized_pl);
      expect(each.unrealized_intraday_plpc, each.symbol).toBe(each.unrealized_plpc);
    }
    expect((await send("GET", "/v2/account")).body.last_maintenance_margin).toBe("0.00");
    await buy({ ...COIN, qty: "0.1", type: "limit", limit_price: "500" });
    const { status, body } = await send("DELETE", "/v2/positions");
    expect(status).toBe(207);
    const refused = body.find(({ symbol }: { symbol: string }) => symbol === "BTCUSD");
    expect(refused).toEqual({
      symbol: "BTCUSD",
      status: 403,
      body: { code: 40310000, message: "potential wash trade detected. use complex orders" },
    });
  });
});

describe.runIf(check !== null)("the vendor's document", () => {
  it("has all of these answers", () => {
    expect(wrong).toEqual([]);
  });
});
