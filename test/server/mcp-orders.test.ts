import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createManualClock, type ManualClock } from "../fixtures/clock.js";
import { createTestDatabase, type TestDatabase } from "../fixtures/database.js";
import { KEYED, keyFor } from "../fixtures/keyed.js";
import { connectMcp, type McpCaller, SPEAKERS } from "../fixtures/mcp.js";
import { startTestProgram, type TestProgram } from "../fixtures/program.js";

/** A Wednesday: New York trades from 14:30 to 21:00 UTC. */
const NOW = Date.UTC(2024, 10, 6, 16, 7, 30);
const ORDERS = ["preview_order", "place_order", "cancel_order"];
const TRADING = { ...KEYED, MCP_ORDERS: "true" };

let clock: ManualClock;
let database: TestDatabase;
let program: TestProgram;
let url: string;
const open: McpCaller[] = [];

beforeAll(async () => {
  clock = createManualClock(NOW);
  database = await createTestDatabase();
  program = await startTestProgram({ clock, database, environment: TRADING });
  url = await program.listen();
}, 60_000);
afterAll(async () => {
  for (const caller of open) await caller.close();
  await program.close();
  await database.drop();
});

let users = 0;

/** A client of a trader whom nobody has met before. */
async function trader(speaker: (typeof SPEAKERS)[number] = "auto", name = `trader-${++users}`) {
  const caller = await connectMcp(speaker, url, await keyFor(program, name, "trader"));
  open.push(caller);
  return caller;
}

const BUY = { symbol: "BTC", side: "buy", quantity: 0.1 };
const previewed = async (caller: McpCaller, args: object) =>
  String((await caller.call("preview_order", args)).confirm_token);

describe.each(SPEAKERS)("orders over /mcp, spoken as %s,", (speaker) => {
  it("are previewed, placed as they were shown, once, listed and canceled", async () => {
    const caller = await trader(speaker);
    const shown = await caller.call("preview_order", BUY);
    expect(shown).toMatchObject({
      order: { symbol: "BTC-USD", side: "buy", quantity: 0.1, type: "market", time_in_force: "day" },
      would: { state: "filled", filled: 0.1, average_price: expect.any(Number), waits: null },
      synthetic: true,
    });
    // Nothing of it has happened.
    expect((await caller.call("list_orders", { status: "all" })).orders).toEqual([]);
    expect(await caller.call("get_portfolio")).toMatchObject({ positions: [], cash: 100_000 });
    const placed = await caller.call("place_order", { ...BUY, confirm_token: shown.confirm_token });
    const { average_price } = shown.would as { average_price: number };
    expect(placed).toMatchObject({ symbol: "BTC-USD", state: "filled", filled: 0.1, average_price });
    expect((await caller.call("get_portfolio")).positions).toMatchObject([
      { symbol: "BTC-USD", quantity: 0.1 },
    ]);
    const again = await caller.fail("place_order", { ...BUY, confirm_token: shown.confirm_token });
    expect(again).toMatchObject({ code: "confirmation_refused" });
    expect(again.message).toContain(`already_used: it placed the order ${String(placed.order_id)}`);
    expect((await caller.call("list_orders", { status: "all" })).orders).toHaveLength(1);

    const limit = { ...BUY, type: "limit", limit_price: 100, stop_loss: 90, take_profit: 120 };
    const resting = await caller.call("place_order", {
      ...limit,
      confirm_token: await previewed(caller, limit),
    });
    expect(resting).toMatchObject({
      state: "new",
      time_in_force: "gtc",
      stop_loss: 90,
      take_profit: 120,
    });
    expect((await caller.call("list_orders")).orders).toMatchObject([{ order_id: resting.order_id }]);
    expect(await caller.call("cancel_order", { order_id: resting.order_id })).toMatchObject({
      state: "canceled",
    });
    expect((await caller.call("list_orders")).orders).toEqual([]);
    expect(await caller.fail("cancel_order", { order_id: resting.order_id })).toMatchObject({
      code: "order_refused",
    });
  });
});

describe("place_order", () => {
  it("is refused without a token, with one that was made up, and with each argument changed", async () => {
    const caller = await trader();
    const shown = {
      ...{
        symbol: "ETH",
        side: "buy",
        quantity: 0.1,
        type: "stop_limit",
        limit_price: 90_000,
        stop_price: 80_000,
      },
      ...{ time_in_force: "gtc", stop_loss: 50_000, take_profit: 99_000 },
    };
    const token = await previewed(caller, shown);
    const refusal = async (args: object) => {
      const { code, message, hint } = await caller.fail("place_order", args);
      expect([code, hint]).toEqual(["confirmation_refused", expect.stringContaining("preview_order")]);
      return message;
    };
    expect(await refusal(shown)).toMatch(/^missing/);
    expect(await refusal({ ...shown, confirm_token: "confirm_AAAA" })).toMatch(/^unknown/);
    const changes: Record<string, object> = {
      symbol: { symbol: "BTC" },
      side: { side: "sell" },
      quantity: { quantity: 1.0001 },
      type: { type: "stop" },
      limit_price: { limit_price: 90_001 },
      stop_price: { stop_price: 80_001 },
      time_in_force: { time_in_force: "day" },
      stop_loss: { stop_loss: undefined },
      take_profit: { take_profit: 99_001 },
    };
    for (const [field, change] of Object.entries(changes))
      expect(await refusal({ ...shown, ...change, confirm_token: token })).toBe(
        `other_arguments: ${field} differ from the preview`,
      );
    // None of this has used it up, and another spelling is the same order.
    const placed = await caller.call("place_order", { ...shown, symbol: "eth/usd", confirm_token: token });
    expect(placed).toMatchObject({ symbol: "ETH-USD", state: "new" });
  });

  it("is refused by another user, for another account, and after five minutes", async () => {
    const [ann, bob] = [await trader("auto", "ann"), await trader("auto", "bob")];
    const token = await previewed(ann, BUY);
    const stolen = await bob.fail("place_order", { ...BUY, confirm_token: token });
    expect(stolen).toMatchObject({
      code: "confirmation_refused",
      message: expect.stringMatching(/^unknown/),
    });
    const headers = { "x-api-key": await keyFor(program, "ann", "trader") };
    const payload = { name: "second", cash: 50_000 };
    const made = await program.call({ method: "POST", url: "/api/paper-trade/accounts", headers, payload });
    const other = { ...BUY, account_id: made.json().data.id, confirm_token: token };
    expect((await ann.fail("place_order", other)).message).toMatch(/^other_account/);
    clock.set(NOW + 300_000);
    expect((await ann.fail("place_order", { ...BUY, confirm_token: token })).message).toMatch(/^expired/);
    clock.set(NOW);
    expect(await ann.call("place_order", { ...BUY, confirm_token: token })).toMatchObject({
      state: "filled",
    });
  });

  it("is done once where many send it at the same time, and by any instance", async () => {
    const name = `trader-${++users}`;
    const key = await keyFor(program, name, "trader");
    const second = await startTestProgram({ clock, database, environment: TRADING });
    try {
      const there = await second.listen();
      const callers = [await connectMcp("auto", url, key), await connectMcp("2026-07-28", there, key)];
      open.push(...callers);
      const args = { ...BUY, confirm_token: await previewed(callers[0], BUY) };
      const tries = Array.from({ length: 8 }, (_, i) =>
        callers[i % 2].call("place_order", args).then(
          () => "placed",
          (error: Error) => error.message,
        ),
      );
      const outcomes = await Promise.all(tries);
      expect(outcomes.filter((outcome) => outcome === "placed")).toHaveLength(1);
      expect(outcomes.filter((outcome) => outcome.includes("already_used"))).toHaveLength(7);
      expect((await callers[1].call("list_orders", { status: "all" })).orders).toHaveLength(1);
    } finally {
      await second.close();
    }
  });

  it("leaves the token for another try where the order itself is refused", async () => {
    const caller = await trader();
    const token = await previewed(caller, BUY);
    const { account_id } = await caller.call("get_portfolio");
    const key = await keyFor(program, `trader-${users}`, "trader");
    const brake = (verb: string) =>
      program.call({
        method: "POST",
        url: `/api/paper-trade/accounts/${String(account_id)}/${verb}`,
        headers: { "x-api-key": key },
      });
    await brake("halt");
    const args = { ...BUY, confirm_token: token };
    expect(await caller.fail("place_order", args)).toMatchObject({ code: "trading_halted" });
    await brake("resume");
    expect(await caller.call("place_order", args)).toMatchObject({ state: "filled" });
  });
});

describe("an order that was placed over /mcp", () => {
  it("is the same over REST, for whoever has the key", async () => {
    const caller = await trader();
    const token = await previewed(caller, BUY);
    const { order_id } = await caller.call("place_order", { ...BUY, confirm_token: token });
    const headers = { "x-api-key": await keyFor(program, `trader-${users}`, "trader") };
    const { data } = (
      await program.call({ url: `/api/paper-trade/orders/${String(order_id)}`, headers })
    ).json();
    expect(data).toMatchObject({ id: order_id, state: "filled", quantity: 0.1 });
    // A limit by which REST would refuse it, too.
    const asked = { symbol: "BTC", side: "buy", quantity: 1_000 };
    const url = "/api/paper-trade/orders";
    const refused = (await program.call({ method: "POST", url, headers, payload: asked })).json();
    expect(await caller.fail("preview_order", asked)).toMatchObject({
      code: refused.code,
      message: refused.detail,
    });
  });
});

describe("preview_order", () => {
  it("names what would refuse the order, and gives no token", async () => {
    const caller = await trader();
    const failure = await caller.fail("preview_order", { ...BUY, quantity: 1_000 });
    expect(failure).toMatchObject({ code: "order_refused", problems: [{ path: expect.any(String) }] });
    const bad = await caller.fail("preview_order", { ...BUY, type: "limit" });
    expect(bad.code).toBe("order_refused");
    expect(await caller.fail("preview_order", { ...BUY, quantity: -1 })).toMatchObject({
      code: "invalid_request",
      problems: [{ path: "quantity" }],
    });
  });

  it("is held to the pre-trade check where the owner demands one", async () => {
    const caller = await trader();
    const headers = { "x-api-key": await keyFor(program, `trader-${users}`, "trader") };
    const payload = { require_confirmation: true };
    await program.call({ method: "POST", url: "/api/risk-settings", headers, payload });
    const { price } = (await program.call({ url: "/api/market/BTC", headers })).json().data;
    // A stop above the entry is what the check refuses and the desk would not see before a fill.
    const far = { ...BUY, quantity: 0.01, type: "limit", limit_price: Math.round(price / 2) };
    const failure = await caller.fail("preview_order", far);
    expect(failure).toMatchObject({
      code: "order_refused",
      message: expect.stringMatching(/pre-trade check/),
    });
    const near = {
      ...BUY,
      quantity: 0.01,
      stop_loss: Math.round(0.9 * price),
      take_profit: Math.round(1.3 * price),
    };
    const shown = await caller.call("preview_order", near);
    expect(shown.risk).toMatchObject({ refusals: [] });
    const placed = await caller.call("place_order", { ...near, confirm_token: shown.confirm_token });
    expect(placed).toMatchObject({ state: "filled" });
  });
});

describe("order tools", () => {
  const offered = async (caller: McpCaller) =>
    (await caller.tools()).map(({ name }) => name).filter((name) => ORDERS.includes(name));

  it("are 17 with all others, and say what they change", async () => {
    const tools = await (await trader()).tools();
    expect(tools).toHaveLength(17);
    expect(JSON.stringify(tools).length).toBeLessThan(40_000);
    const destructive = tools.filter(({ annotations }) => annotations.destructiveHint === true);
    expect(destructive.map(({ name }) => name)).toEqual(["place_order", "cancel_order"]);
    expect(await offered(await trader())).toEqual(ORDERS);
  });

  it("are not there for viewers, and without MCP_ORDERS for nobody", async () => {
    const viewer = await connectMcp("auto", url, await keyFor(program, "viewer-1", "viewer"));
    open.push(viewer);
    expect((await viewer.tools()).map(({ name }) => name)).not.toContain("run_backtest");
    expect(await offered(viewer)).toEqual([]);
    expect(await viewer.fail("place_order", BUY)).toMatchObject({ code: "tool_unknown" });
    const plain = await startTestProgram({ environment: KEYED });
    const key = await keyFor(plain, "trader-1", "trader");
    const caller = await connectMcp("auto", await plain.listen(), key);
    expect(await offered(caller)).toEqual([]);
    expect(await caller.fail("cancel_order", { order_id: "1" })).toMatchObject({ code: "tool_unknown" });
    await caller.close();
    await plain.close();
  });

  it("are not there for the owner on loopback who sends no key", async () => {
    const own = await startTestProgram({ environment: { MCP_ORDERS: "true" } });
    const caller = await connectMcp("auto", await own.listen());
    expect(await offered(caller)).toEqual([]);
    await caller.close();
    await own.close();
  });
});

describe("/mcp beyond loopback", () => {
  it("401 without a key and with a wrong one", async () => {
    for (const headers of [{}, { authorization: "Bearer tx_wrong" }]) {
      const answer = await fetch(`${url}/mcp`, {
        method: "POST",
        headers: { "content-type": "application/json", ...headers },
        body: "{}",
      });
      expect([answer.status, answer.headers.get("www-authenticate")]).toEqual([401, 'Bearer realm="tx"']);
    }
  });

  it("403 for a host that is not on the list; MCP_HOSTS adds to it", async () => {
    const ask = (target: TestProgram, host: string, key: string) =>
      target.server.inject({
        method: "POST",
        url: "/mcp",
        headers: { host, "x-api-key": key, accept: "application/json, text/event-stream" },
        payload: { jsonrpc: "2.0", id: 1, method: "tools/list" },
      });
    const key = await keyFor(program, "viewer-2", "viewer");
    const refused = await ask(program, "tx.example.com", key);
    expect([refused.statusCode, refused.json().error.message]).toEqual([403, "Invalid Host: tx.example.com"]);
    const named = await startTestProgram({ environment: { ...KEYED, MCP_HOSTS: "TX.example.com" } });
    const answer = await ask(named, "tx.example.com:443", await keyFor(named, "viewer-2", "viewer"));
    expect(answer.statusCode).toBe(200);
    await named.close();
  });

  it("429 beyond the limit of the route", async () => {
    const slow = await startTestProgram({ environment: { RATE_LIMIT_MULTIPLIER: "0.01" } });
    const ask = () =>
      slow.server.inject({ method: "POST", url: "/mcp", payload: { jsonrpc: "2.0", id: 1, method: "ping" } });
    expect((await ask()).statusCode).not.toBe(429);
    expect((await ask()).statusCode).toBe(429);
    await slow.close();
  });

  it("answers for an account of many orders within the bound of replies", async () => {
    const caller = await trader();
    for (let k = 0; k < 12; k++) {
      const levels = { limit_price: 100.25 + k, stop_loss: 90.25, take_profit: 220.25 };
      const args = { ...BUY, type: "limit", quantity: 0.01, ...levels };
      const placed = await caller.call("place_order", {
        ...args,
        confirm_token: await previewed(caller, args),
      });
      await caller.call("cancel_order", { order_id: placed.order_id });
    }
    const listed = await caller.call("list_orders", { status: "all" });
    expect(listed.orders).toHaveLength(10);
    expect(JSON.stringify(listed).length).toBeLessThan(6_000);
  });
});
