import { Alpaca } from "alpaca-client";
import Alpaca3 from "alpaca-client-3/dist/alpaca-trade-api.js";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type AlpacaProgram, checkedSender, fetchAt, startAlpacaProgram } from "../fixtures/alpaca.js";
import { createVendorChecker } from "../fixtures/alpaca-spec.js";
import { ROOMY } from "../fixtures/roomy-settings.js";

const check = createVendorChecker();

let alpaca: AlpacaProgram;
const wrong: string[] = [];
beforeAll(async () => {
  alpaca = await startAlpacaProgram();
  const { call } = alpaca.program;
  const account = { name: "Lent on", cash: 10_000, leverage: 4 };
  await call({ method: "POST", url: "/api/paper-trade/accounts", payload: account });
  await call({ method: "POST", url: "/api/risk-settings", payload: ROOMY });
});
afterAll(() => alpaca.program.close());

const send = checkedSender(() => alpaca, check, wrong);

const COIN = { symbol: "BTC/USD", side: "buy", type: "market", time_in_force: "gtc" } as const;

describe("coins for an amount of money", () => {
  it.each(["gtc", "ioc"] as const)("are bought %s", async (time_in_force) => {
    const { status, body } = await send("POST", "/v2/orders", { ...COIN, time_in_force, notional: "500" });
    expect(status, JSON.stringify(body)).toBe(200);
    expect(body).toMatchObject({ symbol: "BTC/USD", notional: "500", qty: null, status: "filled" });
    const spent = Number(body.filled_qty) * Number(body.filled_avg_price);
    expect(spent).toBeGreaterThan(499.99);
    expect(spent).toBeLessThanOrEqual(500.01);
  });

  it("are not bought for the day, nor shares for longer than that", async () => {
    for (const [change, message] of [
      [{ time_in_force: "day" }, "invalid crypto time_in_force"],
      [{ time_in_force: "fok" }, "invalid crypto time_in_force"],
      [{ symbol: "AAPL" }, "notional orders must be simple market orders, DAY unless for crypto"],
    ] as const) {
      const { status, body } = await send("POST", "/v2/orders", { ...COIN, notional: "500", ...change });
      expect({ status, ...body }).toEqual({ status: 422, code: 42210000, message });
    }
  });

  it("are bought by the official clients", async () => {
    const { url, key } = alpaca;
    const { orders } = new Alpaca({
      keyId: key.id,
      secret: key.secret,
      retry: false,
      fetchApi: fetchAt(url, async () => undefined),
    }).trading;
    const newer = await orders.market({
      symbol: "BTC/USD",
      side: "buy",
      notional: 100,
      timeInForce: "ioc",
    });
    expect(newer).toMatchObject({ status: "filled", notional: "100" });
    const older = new Alpaca3({ keyId: key.id, secretKey: key.secret, baseUrl: url, dataBaseUrl: url });
    expect(await older.createOrder({ ...COIN, symbol: "ETH/USD", notional: 100 })).toMatchObject({
      status: "filled",
    });
  });
});

describe("coins and margin", () => {
  it("coins are bought with cash, however much is lent on shares", async () => {
    expect((await send("GET", "/v2/assets/BTCUSD")).body).toMatchObject({ marginable: false });
    expect((await send("GET", "/v2/assets/AAPL")).body).toMatchObject({ marginable: true });
    const before = (await send("GET", "/v2/account")).body;
    expect(Number(before.buying_power)).toBeGreaterThan(3 * Number(before.cash));
    const power = Number(before.non_marginable_buying_power);
    expect(power).toBeLessThanOrEqual(Number(before.cash));
    const dear = await send("POST", "/v2/orders", { ...COIN, notional: String(Math.ceil(power) + 1) });
    expect({ status: dear.status, ...dear.body }).toMatchObject({
      status: 403,
      code: 40310000,
      message: "insufficient buying power",
      buying_power: before.non_marginable_buying_power,
    });
    expect((await send("POST", "/v2/orders", { ...COIN, notional: "5000" })).body.status).toBe("filled");
    const after = (await send("GET", "/v2/account")).body;
    const held = (await send("GET", "/v2/positions")).body as Record<string, string>[];
    expect(held.every(({ asset_marginable: on }) => String(on) === "false")).toBe(true);
    const worth = held.reduce((sum, { market_value: value }) => sum + Number(value), 0);
    expect(Number(after.initial_margin)).toBeCloseTo(worth, 2);
    expect(Number(after.maintenance_margin)).toBeCloseTo(worth, 2);
    expect(Number(after.non_marginable_buying_power)).toBeCloseTo(power - 5_000, 0);
    expect(Number(after.buying_power)).toBeCloseTo(4 * Number(after.non_marginable_buying_power), 0);
  });
});

describe.skipIf(check === null)("all of it", () => {
  it("has the shapes that the vendor's document says", () => {
    expect([...new Set(wrong)]).toEqual([]);
  });
});
