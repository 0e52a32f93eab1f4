import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { HOOKED_AT, type HookProgram, startHookProgram } from "../fixtures/hooks.js";

let hooked: HookProgram;

beforeAll(async () => {
  hooked = await startHookProgram();
});
afterAll(() => hooked.program.close());

describe("a repeated call", () => {
  it("is done once within its minutes, and again after them", async () => {
    const hook = await hooked.ordering({ dedupe_minutes: 2 });
    const buy = { ticker: "BTC", action: "buy", quantity: 0.01, note: "repeated" };
    const before = await hooked.held("BTC-USD");
    // As TradingView repeats what it had no answer to.
    for (let n = 0; n < 4; n++) {
      await hooked.call(hook, buy);
      hooked.clock.advance(5_000);
    }
    const calls = await hooked.done(hook);
    expect(calls.map(({ status }) => status)).toEqual(["ordered", "duplicate", "duplicate", "duplicate"]);
    expect(calls[3]).toMatchObject({ duplicate_of: calls[0].id, order_id: null });
    expect(await hooked.held("BTC-USD")).toBeCloseTo(before + 0.01, 9);
    hooked.clock.advance(121_000);
    await hooked.call(hook, buy);
    expect((await hooked.done(hook)).at(-1)).toMatchObject({ status: "ordered" });
  });

  it("with an id is done once for ever, whatever else it says, also once its text is forgotten", async () => {
    const hook = await hooked.ordering();
    const buy = { id: "a-1", ticker: "BTC", action: "buy", quantity: 0.01 };
    await hooked.call(hook, buy);
    await hooked.done(hook);
    hooked.clock.advance(3_600_000);
    await hooked.call(hook, { ...buy, quantity: 0.02 });
    const [first, second] = await hooked.done(hook);
    expect(second).toMatchObject({ status: "duplicate", duplicate_of: first.id });
    await hooked.call(hook, "without an id");
    await hooked.run();
    hooked.clock.advance(91 * 86_400_000);
    await hooked.program.parts.hookPruning.run(hooked.clock.now(), new AbortController().signal);
    hooked.clock.set(HOOKED_AT + 2 * 3_600_000);
    await hooked.call(hook, buy);
    const calls = await hooked.done(hook);
    expect(calls).toMatchObject([
      { id: first.id, body: "", fields: null, given_id: "a-1" },
      { id: second.id, body: "" },
      { status: "duplicate", duplicate_of: first.id },
    ]);
  });
});

describe("a hook that places orders", () => {
  it("buys, turns round and gets out as a strategy says", async () => {
    const hook = await hooked.ordering({ name: "Turtle" });
    const strategy = (action: string, contracts: string, position: string) => ({
      ticker: "NASDAQ:AAPL",
      strategy: { order_action: action, order_contracts: contracts, market_position: position },
    });
    await hooked.call(hook, strategy("buy", "10", "long"));
    const [first] = await hooked.done(hook);
    expect(first).toMatchObject({
      status: "ordered",
      account_id: hooked.accountId,
      order_id: expect.any(String),
    });
    expect(await hooked.held("AAPL")).toBe(10);
    const { data: order } = await hooked.ask(
      "GET",
      `/api/paper-trade/orders/${first.order_id}?account_id=${hooked.accountId}`,
    );
    expect(order).toMatchObject({ client_order_id: `hook-call-${first.id}`, state: "filled" });
    await hooked.call(hook, strategy("sell", "4", "long"));
    await hooked.done(hook);
    expect(await hooked.held("AAPL")).toBe(6);
    await hooked.call(hook, strategy("sell", "9", "short"));
    await hooked.done(hook);
    expect(await hooked.held("AAPL")).toBe(-3);
    await hooked.call(hook, strategy("buy", "3", "flat"));
    expect((await hooked.done(hook)).map(({ status }) => status)).toEqual(Array(4).fill("ordered"));
    expect(await hooked.held("AAPL")).toBe(0);
  });

  it("does calls in the order in which they came", async () => {
    const hook = await hooked.ordering();
    for (let n = 0; n < 5; n++) {
      await hooked.call(hook, { ticker: "ETH", action: "buy", quantity: 0.1, n });
      await hooked.call(hook, { ticker: "ETH", action: "flat", n });
    }
    expect((await hooked.done(hook)).map(({ status }) => status)).toEqual(Array(10).fill("ordered"));
    expect(await hooked.held("ETH-USD")).toBe(0);
  });

  it("places what a share of the equity may lose down to the stop, with its legs", async () => {
    const hook = await hooked.ordering();
    const { price } = (await hooked.ask("GET", "/api/market/MSFT")).data;
    const stop = Math.round(price * 90) / 100;
    await hooked.call(hook, { ticker: "MSFT", action: "buy", risk: "0.1%", stop_loss: stop });
    const [{ status, order_id, detail }] = await hooked.done(hook);
    expect(status, String(detail)).toBe("ordered");
    const { data: order } = await hooked.ask(
      "GET",
      `/api/paper-trade/orders/${order_id}?account_id=${hooked.accountId}`,
    );
    expect(order.legs).toMatchObject([{ side: "sell", stop_price: stop }]);
    expect(order.quantity * (price - stop)).toBeLessThanOrEqual(101);
    expect((order.quantity + 1) * (price - stop)).toBeGreaterThan(99);
    await hooked.ask("POST", "/api/close-position", { symbol: "MSFT", account_id: hooked.accountId });
  });

  it.each<[string, object, object | string, string]>([
    [
      "is of a symbol that nobody knows",
      {},
      { ticker: "BATS:AAPL", action: "buy", quantity: 1 },
      "symbol_invalid",
    ],
    ["is of what no source carries", {}, { ticker: "AAPL.ZZ", action: "buy", quantity: 1 }, "symbol_unknown"],
    [
      "is in another currency",
      {},
      { ticker: "BINANCE:BTCUSDT", action: "buy", quantity: 1 },
      "currency_mismatch",
    ],
    [
      "is on none of its symbols",
      { symbols: ["MSFT"] },
      { ticker: "BTC", action: "buy", quantity: 0.01 },
      "symbol_not_allowed",
    ],
    [
      "is worth too much",
      { max_order_value: 10 },
      { ticker: "BTC", action: "buy", quantity: 0.01 },
      "order_value_exceeded",
    ],
    [
      "is one too many",
      { max_orders_a_day: 0 },
      { ticker: "BTC", action: "buy", quantity: 0.01 },
      "orders_a_day_exceeded",
    ],
    ["closes what is not held", {}, { ticker: "NVDA", action: "close" }, "position_not_found"],
    [
      "breaks a rule of orders",
      {},
      { ticker: "AAPL", action: "buy", quantity: 1.0000000001 },
      "quantity_off_lot",
    ],
    ["says too little", {}, { ticker: "AAPL" }, "action_missing"],
    ["is no command", {}, "AAPL crossed 200", "unreadable"],
    [
      "says more than is read",
      {},
      {
        ...{ ticker: "BTC", action: "buy", quantity: 0.01 },
        ...Object.fromEntries(Array.from({ length: 60 }, (_, i) => [`field_${i}`, i])),
        ...{ type: "limit", limit_price: 1 },
      },
      "unreadable",
    ],
    [
      "has a limit and no type",
      {},
      { ticker: "BTC", action: "buy", quantity: 0.01, limit_price: 1 },
      "type_missing",
    ],
  ])("refuses with a reason what %s", async (_what, terms, body, code) => {
    const hook = await hooked.ordering(terms);
    await hooked.call(hook, body);
    const [only] = await hooked.done(hook);
    expect(only).toMatchObject({ status: "refused", order_id: null, detail: expect.any(String) });
    expect(only.code).toBe(code);
  });

  it("lets through what closes, whatever the limits", async () => {
    const hook = await hooked.ordering({ max_orders_a_day: 1, max_order_value: 1_000_000 });
    await hooked.call(hook, { ticker: "BTC", action: "buy", quantity: 0.01, n: 1 });
    await hooked.call(hook, { ticker: "BTC", action: "buy", quantity: 0.01, n: 2 });
    await hooked.call(hook, { ticker: "BTC", action: "sell", quantity: 0.01, n: 3 });
    await hooked.call(hook, { ticker: "BTC", action: "close", n: 4 });
    const found = (await hooked.done(hook)).map(({ status, code }) => code ?? status);
    expect(found).toEqual(["ordered", "orders_a_day_exceeded", "ordered", "ordered"]);
  });

  it("places nothing that has waited too long", async () => {
    const hook = await hooked.ordering({ max_age_s: 60 });
    await hooked.call(hook, { ticker: "BTC", action: "buy", quantity: 0.01 });
    hooked.clock.advance(61_000);
    expect(await hooked.done(hook)).toMatchObject([{ status: "refused", code: "too_old" }]);
  });

  it("places nothing on an account that was closed", async () => {
    const { id } = (
      await hooked.ask("POST", "/api/paper-trade/accounts", { name: "Short life", cash: 1_000 })
    ).data;
    const hook = await hooked.ordering({ account_id: id });
    await hooked.ask("POST", `/api/paper-trade/accounts/${id}/close`);
    await hooked.call(hook, { ticker: "BTC", action: "buy", quantity: 0.001 });
    expect(await hooked.done(hook)).toMatchObject([{ status: "refused", code: "account_closed" }]);
  });
});
