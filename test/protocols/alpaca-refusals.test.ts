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
  await alpaca.program.call({ method: "POST", url: "/api/risk-settings", payload: ROOMY });
});
afterAll(() => alpaca.program.close());

const send = checkedSender(() => alpaca, check, wrong);

const place = (terms: object) =>
  send("POST", "/v2/orders", { side: "buy", qty: "1", type: "limit", time_in_force: "gtc", ...terms });
const refused = async (terms: object) => {
  const { status, body } = await place(terms);
  return { status, ...body };
};
const WASH = {
  status: 403,
  code: 40310000,
  message: "potential wash trade detected. use complex orders",
};

describe("a client_order_id", () => {
  const limit = { symbol: "MSFT", limit_price: "20" };
  const native = (client_order_id: string) =>
    alpaca.program.call({
      method: "POST",
      url: "/api/paper-trade/orders",
      payload: { symbol: "MSFT", side: "buy", quantity: 1, type: "limit", limit_price: 20, client_order_id },
    });

  it.each(["", "\n", "a\n", "a\tb", "ümlaut", "a\u007f", "a\u0000", " a", "a ", "é", "😀", "x".repeat(129)])(
    "%j is refused, as by the native API",
    async (name) => {
      const { body: resting } = await place(limit);
      for (const answer of [
        await refused({ ...limit, client_order_id: name }),
        await send("PATCH", `/v2/orders/${resting.id}`, { qty: "2", client_order_id: name }).then(
          ({ status, body }) => ({ status, ...body }),
        ),
      ]) {
        expect(answer).toMatchObject({ status: 422, code: 40010001 });
        expect(answer.message).toContain("client_order_id");
      }
      expect((await native(name)).statusCode).toBe(400);
      await send("DELETE", "/v2/orders");
    },
  );

  it.each(["early bird", "!", "~".repeat(128), "a=b/c?d"])(
    "%j is taken, as by the native API",
    async (name) => {
      const { status, body } = await place({ ...limit, client_order_id: name });
      expect({ status, name: body.client_order_id }).toEqual({ status: 200, name });
      const found = await send(
        "GET",
        `/v2/orders:by_client_order_id?client_order_id=${encodeURIComponent(name)}`,
      );
      expect(found.body.id).toBe(body.id);
      expect((await native(`${name.slice(1)}n`)).statusCode).toBe(201);
      await send("DELETE", "/v2/orders");
    },
  );
});

describe("an order against one's own", () => {
  it("is refused where the two could trade, and taken where they could not", async () => {
    const { body: resting } = await place({ symbol: "MSFT", limit_price: "20" });
    expect(resting.status).toBe("new");
    const sell = { symbol: "MSFT", side: "sell" };
    expect(await refused({ ...sell, limit_price: "20" })).toEqual(WASH);
    expect(await refused({ ...sell, type: "market" })).toEqual(WASH);
    const far = await place({ ...sell, limit_price: "900" });
    expect(far.status).toBe(200);
    // The change of an order is one as well.
    const { body: next } = await send("PATCH", `/v2/orders/${far.body.id}`, { limit_price: "950" });
    const moved = await send("PATCH", `/v2/orders/${next.id}`, { limit_price: "19" });
    expect({ status: moved.status, ...moved.body }).toEqual(WASH);
    await send("DELETE", "/v2/orders");
  });

  it("is refused too where it closes what is held, and not as a complex order", async () => {
    await place({ symbol: "KO", type: "market", qty: "10" });
    await place({ symbol: "KO", limit_price: "20", qty: "10" });
    const sell = { symbol: "KO", side: "sell", qty: "10" };
    expect(await refused({ ...sell, type: "market" })).toEqual(WASH);
    const pair = { order_class: "oco", take_profit: { limit_price: "900" }, stop_loss: { stop_price: "10" } };
    expect((await place({ ...sell, ...pair })).status).toBe(200);
    await send("DELETE", "/v2/orders");
  });

  it("is refused too where a position is closed, which then leaves all as it was", async () => {
    await place({ symbol: "PFE", type: "market", qty: "10" });
    const { body: resting } = await place({ symbol: "PFE", limit_price: "5" });
    const pair = { order_class: "oco", take_profit: { limit_price: "900" }, stop_loss: { stop_price: "2" } };
    await place({ symbol: "PFE", side: "sell", qty: "10", ...pair });
    const open = async () => (await send("GET", "/v2/orders?symbols=PFE")).body;
    const before = await open();
    expect(before).toHaveLength(3);
    const { status, body } = await send("DELETE", "/v2/positions/PFE");
    expect({ status, ...body }).toEqual(WASH);
    expect(await open()).toEqual(before);
    await send("DELETE", `/v2/orders/${resting.id}`);
    expect((await send("DELETE", "/v2/positions/PFE")).status).toBe(200);
    expect(await open()).toEqual([]);
  });

  it("is taken by the native API, as before", async () => {
    const { call } = alpaca.program;
    const order = { symbol: "AMZN", quantity: 1, type: "limit", time_in_force: "gtc" };
    for (const [side, limit_price] of [
      ["buy", 20],
      ["sell", 19],
    ]) {
      const payload = { ...order, side, limit_price };
      const answer = await call({ method: "POST", url: "/api/paper-trade/orders", payload });
      expect(answer.statusCode, answer.body).toBe(201);
    }
    await send("DELETE", "/v2/orders");
  });

  it("is refused to the official clients in their words", async () => {
    const { url, key } = alpaca;
    await place({ symbol: "META", limit_price: "20" });
    const { orders } = new Alpaca({
      keyId: key.id,
      secret: key.secret,
      retry: false,
      fetchApi: fetchAt(url, async () => undefined),
    }).trading;
    await expect(orders.market({ symbol: "META", side: "sell", qty: 1 })).rejects.toMatchObject({
      status: 403,
      code: 40310000,
    });
    const older = new Alpaca3({ keyId: key.id, secretKey: key.secret, baseUrl: url, dataBaseUrl: url });
    const sell = { symbol: "META", side: "sell", qty: 1, type: "market", time_in_force: "day" };
    await expect(older.createOrder(sell)).rejects.toThrow("403");
    await send("DELETE", "/v2/orders");
  });
});

describe("the change of an order", () => {
  const change = async (id: string, terms: object) => {
    const { status, body } = await send("PATCH", `/v2/orders/${id}`, terms);
    return { status, code: body.code, message: String(body.message ?? ""), id: String(body.id ?? "") };
  };

  it("gives coins no other time in force than they have", async () => {
    const { body } = await place({ symbol: "BTC/USD", limit_price: "50", qty: "1" });
    for (const time_in_force of ["day", "fok", "opg", "cls"]) {
      expect(await change(body.id, { time_in_force })).toMatchObject({
        ...{ status: 422, code: 42210000, message: "invalid crypto time_in_force" },
      });
    }
    expect((await change(body.id, { time_in_force: "gtc", limit_price: "51" })).status).toBe(200);
    await send("DELETE", "/v2/orders");
  });

  it("leaves legs on their side of the entry and of each other, as where they are placed", async () => {
    const legs = { take_profit: { limit_price: "250" }, stop_loss: { stop_price: "10" } };
    const { body } = await place({ symbol: "AAPL", limit_price: "20", order_class: "bracket", ...legs });
    const [target, stop] = body.legs;
    expect(await change(target.id, { limit_price: "19" })).toMatchObject({ status: 422, code: 42210000 });
    expect((await change(target.id, { limit_price: "20" })).message).toContain("target_on_wrong_side");
    expect((await change(stop.id, { stop_price: "20" })).message).toContain("loss_on_wrong_side");
    expect(await change(stop.id, { stop_price: "300" })).toMatchObject({ status: 422, code: 42210000 });
    const moved = await change(target.id, { limit_price: "21" });
    expect(moved.status).toBe(200);
    expect((await change(stop.id, { stop_price: "19.99" })).status).toBe(200);
    // The entry is held against what its legs are now.
    expect(await change(body.id, { limit_price: "21" })).toMatchObject({ status: 422 });
    await send("DELETE", "/v2/orders");
  });

  it("is another name alone, too, and no name that was used", async () => {
    const { body } = await place({ symbol: "MSFT", limit_price: "20", client_order_id: "first-name" });
    expect(await change(body.id, {})).toMatchObject({ message: "order parameters are not changed" });
    const renamed = await change(body.id, { client_order_id: "second-name" });
    expect(renamed.status).toBe(200);
    const { body: found } = await send("GET", "/v2/orders:by_client_order_id?client_order_id=second-name");
    expect(found).toMatchObject({ id: renamed.id, replaces: body.id, limit_price: "20", status: "new" });
    expect(await change(renamed.id, { client_order_id: "first-name" })).toMatchObject({
      ...{ status: 422, message: "client_order_id must be unique" },
    });
    await send("DELETE", "/v2/orders");
  });

  it("is refused with the dialect's codes where a token is demanded, as an order is", async () => {
    const settings = { method: "POST", url: "/api/risk-settings" } as const;
    const { body } = await place({ symbol: "MSFT", limit_price: "20", qty: "2" });
    await alpaca.program.call({ ...settings, payload: { require_confirmation: true } });
    expect(await refused({ symbol: "MSFT", limit_price: "20" })).toMatchObject({
      status: 403,
      code: 40310000,
    });
    expect(await change(body.id, { qty: "3" })).toMatchObject({ status: 403, code: 40310000 });
    await alpaca.program.call({ ...settings, payload: { require_confirmation: false } });
    await send("DELETE", "/v2/orders");
  });
});

describe("the intent of an order", () => {
  const day = { symbol: "SPY", type: "market", time_in_force: "day" };

  it("must be that of its side, and what it does to what is held", async () => {
    const contradicted = { status: 422, code: 42210000 };
    for (const position_intent of ["sell_to_close", "sell_to_open", "buy_to_close"])
      expect(await refused({ ...day, position_intent }), position_intent).toMatchObject(contradicted);
    const bought = await place({ ...day, qty: "3", position_intent: "buy_to_open" });
    expect(bought.body).toMatchObject({ status: "filled", position_intent: "buy_to_open" });
    const sell = { ...day, side: "sell" };
    expect(await refused({ ...sell, position_intent: "sell_to_open" })).toMatchObject(contradicted);
    expect(await refused({ ...sell, position_intent: "buy_to_close" })).toMatchObject(contradicted);
    // No more is closed than there is, though the account may sell short.
    expect(await refused({ ...sell, qty: "4", position_intent: "sell_to_close" })).toMatchObject({
      status: 403,
      code: 40310000,
      message: "insufficient qty available for order (requested: 4, available: 3)",
    });
    const sold = await place({ ...sell, qty: "3", position_intent: "sell_to_close" });
    expect(sold.body).toMatchObject({ status: "filled", position_intent: "sell_to_close" });
    const short = await place({ ...sell, position_intent: "sell_to_open" });
    expect(short.body).toMatchObject({ status: "filled", position_intent: "sell_to_open" });
    const covered = await place({ ...day, position_intent: "buy_to_close" });
    expect(covered.body).toMatchObject({ status: "filled", position_intent: "buy_to_close" });
  });
});

describe("errors of coins", () => {
  it("spell them as the dialect does", async () => {
    const sell = { symbol: "ETH/USD", side: "sell", type: "market", qty: "2" };
    expect(await refused(sell)).toEqual({
      status: 403,
      code: 40310000,
      message: "insufficient balance for ETH (requested: 2, available: 0)",
      available: "0",
      existing_qty: "0",
      held_for_orders: "0",
      related_orders: [],
      symbol: "ETH/USD",
    });
    await place({ ...sell, side: "buy", qty: "1.5" });
    expect(await refused(sell)).toMatchObject({
      message: "insufficient balance for ETH (requested: 2, available: 1.5)",
      existing_qty: "1.5",
      symbol: "ETH/USD",
    });
    const { status, body } = await send("DELETE", "/v2/positions/ETHUSD?qty=2");
    expect({ status, ...body }).toMatchObject({ status: 403, symbol: "ETH/USD" });
  });
});

describe("an order that needs a token of the native API", () => {
  it("is forbidden, in the dialect's code", async () => {
    const demand = (require_confirmation: boolean) =>
      alpaca.program.call({
        method: "POST",
        url: "/api/risk-settings",
        payload: { ...ROOMY, require_confirmation },
      });
    await demand(true);
    expect(await refused({ symbol: "AAPL", limit_price: "20" })).toMatchObject({
      status: 403,
      code: 40310000,
      message: expect.stringMatching(/^missing: /),
    });
    await demand(false);
  });
});

describe("an order that has ended", () => {
  it("is said to be in its state by every refusal, also where it ended only now", async () => {
    const words = { status: 422, code: 42210000 };
    const quote = (await alpaca.program.call("/api/market/AAPL")).json<{ data: { price: number } }>().data;
    const near = { symbol: "AAPL", limit_price: (quote.price * 0.999).toFixed(2) };
    const [one, other] = [(await place(near)).body, (await place(near)).body];
    const replace = async ({ id }: { id: string }) => {
      const { status, body } = await send("PATCH", `/v2/orders/${id}`, { limit_price: "10" });
      return { status, ...body };
    };
    const cancel = async ({ id }: { id: string }) => {
      const { status, body } = await send("DELETE", `/v2/orders/${id}`);
      return { status, ...body };
    };
    const inState = (state: string) => ({
      replace: { ...words, message: `cannot replace order in ${state} status` },
      cancel: { ...words, message: `order is already in "${state}" state` },
    });
    // What they rested for has come meanwhile, which the first to ask finds out.
    const before = [one.status, other.status];
    alpaca.clock.advance(3 * 3_600_000);
    const first = await replace(one);
    const state = (await send("GET", `/v2/orders/${one.id}`)).body.status;
    expect([before, state]).toEqual([["new", "new"], "filled"]);
    expect(first).toEqual(inState("filled").replace);
    expect(await replace(one)).toEqual(first);
    expect(await cancel(other)).toEqual(inState("filled").cancel);
  });
});

describe.skipIf(check === null)("all of it", () => {
  it("has the shapes that the vendor's document says", () => {
    expect([...new Set(wrong)]).toEqual([]);
  });
});
