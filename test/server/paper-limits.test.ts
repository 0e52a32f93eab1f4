import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { createManualClock, type ManualClock } from "../fixtures/clock.js";
import { startTestProgram, type TestProgram } from "../fixtures/program.js";
import { ROOMY } from "../fixtures/roomy-settings.js";

/** A Wednesday: New York trades from 14:30 to 21:00 UTC. */
const NOW = Date.UTC(2024, 9, 2, 16, 7, 30);

let program: TestProgram;
let clock: ManualClock;
beforeAll(async () => {
  clock = createManualClock(NOW);
  program = await startTestProgram({ clock });
});
afterAll(() => program.close());
beforeEach(() => allow({ ...ROOMY, require_confirmation: false }));

async function call(method: "GET" | "POST" | "PATCH" | "DELETE", url: string, payload?: object) {
  const answer = await program.call({ method, url, ...(payload === undefined ? {} : { payload }) });
  return { status: answer.statusCode, ...(await answer.json()) };
}
const allow = (settings: object) => call("POST", "/api/risk-settings", settings);
let opened = 0;
async function open(terms: object = {}): Promise<string> {
  const { data } = await call("POST", "/api/paper-trade/accounts", { name: `Limits ${++opened}`, ...terms });
  return data.id;
}
const order = (account_id: string, change: object = {}) =>
  call("POST", "/api/paper-trade/orders", {
    symbol: "AAPL",
    side: "buy",
    quantity: 1,
    account_id,
    ...change,
  });
const replace = (account_id: string, id: string, change: object) =>
  call("PATCH", `/api/paper-trade/orders/${id}`, { account_id, ...change });
const resting = (price: number) => ({ type: "limit", limit_price: price, time_in_force: "gtc" });
const codes = (answer: { problems?: { code: string }[] }) => (answer.problems ?? []).map(({ code }) => code);
const equityOf = async (id: string): Promise<number> =>
  (await call("GET", `/api/paper-trade/portfolio?account_id=${id}`)).portfolio.equity;

describe("limits of an account's owner", () => {
  it("422 hold for what an order becomes when it is replaced", async () => {
    const id = await open({ cash: 1_000_000 });
    await allow({ max_position_size: 10_000 });
    const { data } = await order(id, resting(50));
    const large = await replace(id, data.id, { quantity: 1_000 });
    expect([large.status, codes(large)]).toEqual([422, ["position_too_large"]]);
    const dear = await replace(id, data.id, { limit_price: 50_000 });
    expect([dear.status, codes(dear)]).toEqual([422, ["position_too_large"]]);
    expect((await replace(id, data.id, { quantity: 3, limit_price: 60 })).status).toBe(200);
    await allow({ require_confirmation: true });
    const [now] = (await call("GET", `/api/paper-trade/orders?account_id=${id}&status=open`)).data;
    expect(await replace(id, now.id, { quantity: 4 })).toMatchObject({ code: "confirmation_refused" });
  });

  it("409 where an account is halted: nothing that closes may become what opens", async () => {
    const id = await open({ cash: 100_000 });
    expect((await order(id)).data.state).toBe("filled");
    const { data } = await order(id, { side: "sell", ...resting(9_000) });
    await call("POST", `/api/paper-trade/accounts/${id}/halt`);
    const larger = await replace(id, data.id, { quantity: 100 });
    expect(larger).toMatchObject({ status: 409, code: "trading_halted" });
    expect((await replace(id, data.id, { limit_price: 9_100 })).status).toBe(200);
  });

  it("422 count what open orders would open, and sales at what they would bring", async () => {
    const id = await open({ cash: 1_000_000, leverage: 4 });
    await allow({ max_position_size: 10_000 });
    expect((await order(id, { ...resting(90), quantity: 100 })).status).toBe(201);
    expect(codes(await order(id, { ...resting(90), quantity: 100 }))).toEqual(["position_too_large"]);
    const { price } = (await call("GET", "/api/market/MSFT")).data;
    const many = Math.ceil(10_000 / price) + 1;
    const low = { symbol: "MSFT", side: "sell", quantity: many, ...resting(0.01) };
    expect(codes(await order(id, low))).toEqual(["position_too_large"]);

    const other = await open({ cash: 1_000_000 });
    await allow({ max_open_positions: 2 });
    for (const symbol of ["AAPL", "MSFT"]) {
      expect((await order(other, { symbol, ...resting(50) })).status).toBe(201);
    }
    expect(codes(await order(other, { symbol: "KO", ...resting(5) }))).toEqual(["open_positions_exceeded"]);
    expect((await order(other, { symbol: "MSFT", ...resting(49) })).status).toBe(201);
    // Orders placed at once are held against each other.
    const third = await open({ cash: 1_000_000 });
    await allow({ max_open_positions: 20 });
    const at = { ...resting(90), quantity: 60 };
    const placed = await Promise.all([order(third, at), order(third, at), order(third, at)]);
    expect(placed.map(({ status }) => status).toSorted()).toEqual([201, 422, 422]);
  });

  it("422 stop an account on its first day, and after resets until the next begins", async () => {
    const roomy = { max_daily_loss: 5_000, max_drawdown_limit: 100, max_daily_trades: 20 };
    await allow({ ...roomy, max_daily_loss: 100, max_position_size: 100_000 });
    let id = await open({ cash: 100_000, spread_bps: 600 });
    expect((await order(id, { quantity: 60 })).data.state).toBe("filled");
    expect((await order(id, { side: "sell", quantity: 60 })).data.state).toBe("filled");
    expect(await equityOf(id)).toBeLessThan(99_900);
    const reached = async () => {
      await allow({ ...roomy, max_daily_loss: 100 });
      expect(codes(await order(id))).toEqual(["daily_loss_reached"]);
      await allow({ ...roomy, max_drawdown_limit: 0.5 });
      expect(codes(await order(id))).toEqual(["drawdown_reached"]);
      await allow({ ...roomy, max_daily_trades: 1 });
      expect(codes(await order(id))).toEqual(["daily_trades_exceeded"]);
    };
    await reached();
    // Whatever money the next one begins with, and however many come.
    for (const terms of [{}, { cash: 50_000 }, { cash: 100_000, currency: "EUR" }, { currency: "USD" }]) {
      id = (await call("POST", `/api/paper-trade/accounts/${id}/reset`, terms)).data.id;
      program.parts.paper.ledger.forget();
      if (!("currency" in terms) || terms.currency === "USD") await reached();
    }
    await allow(roomy);
    expect((await order(id)).status).toBe(201);
    clock.set(NOW + 24 * 3_600_000);
    await allow({ ...roomy, max_daily_loss: 100, max_drawdown_limit: 0.5, max_daily_trades: 1 });
    expect((await order(id)).status).toBe(201);
    clock.set(NOW);
  });

  it("422 say first what is wrong with an order itself", async () => {
    const id = await open();
    await allow({ max_position_size: 0.1 });
    expect(codes(await order(id, { quantity: undefined }))).toEqual(["quantity_missing"]);
  });
});

describe("legs of an order", () => {
  it("200 are listed with their entry while that is open, and by themselves among open ones once it is filled", async () => {
    const id = await open({ cash: 100_000 });
    const legs = {
      order_class: "bracket",
      take_profit: { limit_price: 9_000 },
      stop_loss: { stop_price: 1 },
    };
    const entry = (await order(id, { ...legs, time_in_force: "gtc" })).data;
    expect(entry.state).toBe("filled");
    const waiting = (await order(id, { ...legs, ...resting(50), symbol: "MSFT" })).data;
    const list = async (status: string) => {
      const { data } = await call("GET", `/api/paper-trade/orders?account_id=${id}&status=${status}`);
      return data.map((each: { id: string; legs: unknown[] }) => [each.id, each.legs.length]);
    };
    expect(await list("open")).toEqual([
      [waiting.id, 2],
      [`${entry.id}/target`, 0],
      [`${entry.id}/stop`, 0],
    ]);
    expect(await list("closed")).toEqual([[entry.id, 2]]);
    expect(await list("all")).toEqual([
      [waiting.id, 2],
      [entry.id, 2],
    ]);
  });
});

describe("the currency of an account", () => {
  it("201, 400 is one in which something is traded", async () => {
    const kept = (currency: string) =>
      call("POST", "/api/paper-trade/accounts", { name: `In ${currency}`, currency });
    for (const currency of ["INR", "EUR", "USDT"]) {
      expect(await kept(currency)).toMatchObject({ status: 201, data: { currency } });
    }
    const refused = await kept("XXX");
    expect([refused.status, refused.detail]).toEqual([
      400,
      expect.stringMatching(/currency.*something is traded/),
    ]);
  });
});

describe("an account that is imported", () => {
  it("201 for what was closed by halves, bought as far as its equity bears, or paid for itself", async () => {
    const imported = (name: string, transactions: object[]) =>
      call("POST", "/api/paper-trade/accounts/import", { name, transactions });
    const transfer = { at: "2024-01-02T15:00:00.000Z", kind: "transfer", amount: 10_000 };
    const traded = { kind: "fill", symbol: "AAPL", price: 10 };
    const fill = {
      ...traded,
      at: "2024-01-03T15:00:00.000Z",
      order: "a",
      side: "buy",
      quantity: 2,
      amount: -20,
    };
    const sale = { ...fill, order: "b", side: "sell", amount: 20, at: "2024-01-04T15:00:00.000Z" };
    const half = { ...fill, at: "2024-01-05T15:00:00.000Z", quantity: 0.5, amount: -5 };
    const short = { ...sale, quantity: 1, amount: 10 };
    expect((await imported("Half back", [transfer, short, half])).status).toBe(201);
    expect((await imported("Just enough", [{ ...transfer, amount: 10 }, fill])).status).toBe(201);
    const coin = { ...fill, symbol: "BTC-USD" };
    expect((await imported("A coin", [{ ...transfer, amount: 20 }, coin])).status).toBe(201);
    // What shares gained beside it is not told, so that it may have been so.
    const more = { ...fill, symbol: "MSFT", order: "c", amount: -20 };
    expect((await imported("Two", [{ ...transfer, amount: 10 }, fill, more])).status).toBe(201);
  });

  it("201 takes an export as it is, with the terms of its account unless others are said", async () => {
    const terms = {
      ...{ currency: "USD", leverage: 4, shorting: false, spread_bps: 7, jitter_seed: 5, volume_share: 0.3 },
      slippage: { kind: "fixed", bps: 3 },
      commission: { kind: "per_share", amount: 0.01, minimum: 0.5, maximum_rate: null },
      ...{ borrow_rate: 0.02, interest_rate: 0.09 },
    };
    const opened = await call("POST", "/api/paper-trade/accounts", { name: "Terms", cash: 1_000, ...terms });
    expect(opened, opened.detail).toMatchObject({ status: 201 });
    for (const format of ["json", "csv"]) {
      const { data } = await call(
        "GET",
        `/api/paper-trade/accounts/${opened.data.id}/export?format=${format}`,
      );
      const taken = await call("POST", "/api/paper-trade/accounts/import", {
        ...data,
        name: `As is ${format}`,
      });
      expect(taken, taken.detail).toMatchObject({ status: 201, record_count: 1 });
      const { id: _id, name: _name, opened_at: _at, ...told } = taken.data;
      expect(opened.data).toMatchObject(told);
      // Its own name is taken while it is open.
      expect((await call("POST", "/api/paper-trade/accounts/import", data)).status).toBe(409);
      const short = { ...data, name: "Cut off", record_count: 2 };
      expect((await call("POST", "/api/paper-trade/accounts/import", short)).detail).toMatch(
        /is 2, and there are 1/,
      );
      const other = await call("POST", "/api/paper-trade/accounts/import", {
        ...{ ...data, name: `Other ${format}` },
        leverage: 2,
      });
      expect(other.data).toMatchObject({ leverage: 2, spread_bps: 7 });
    }
  });
});

describe("orders of next to nothing", () => {
  it("422 are not taken, for their money has no places: none is made of it", async () => {
    const id = await open({ cash: 1, leverage: 1 });
    const tiny = { symbol: "ETH", quantity: 2e-9 };
    const refused = await order(id, { ...tiny, time_in_force: "gtc" });
    expect([refused.status, codes(refused)]).toEqual([422, ["value_too_small"]]);
    const some = await order(id, { symbol: "ETH", quantity: 1e-3, time_in_force: "gtc" });
    expect(some.data?.state, JSON.stringify(some)).toBe("filled");
    const part = await call("POST", "/api/close-position", { symbol: "ETH", quantity: 2e-9, account_id: id });
    expect([part.status, codes(part)]).toEqual([422, ["value_too_small"]]);
    const { data: small } = await order(id, { symbol: "ETH", quantity: 1e-3, ...resting(20) });
    const less = await replace(id, small.id, { limit_price: 9.99 });
    expect([less.status, codes(less)]).toEqual([422, ["value_too_small"]]);
    expect((await call("DELETE", `/api/paper-trade/orders/${small.id}?account_id=${id}`)).status).toBe(200);
    const whole = await call("POST", "/api/close-position", { symbol: "ETH", account_id: id });
    expect(whole.status).toBe(200);
    expect(await equityOf(id)).toBeLessThanOrEqual(1);
  });
});

describe("the usual account", () => {
  it("200 stays the usual one when it is reset, whatever others there are", async () => {
    await open();
    const { id: usual } = await call("GET", "/v2/account");
    const reset = await call("POST", `/api/paper-trade/accounts/${usual}/reset`, {});
    await open();
    expect(await call("GET", "/v2/account")).toMatchObject({ id: reset.data.id });
    await call("POST", "/api/paper-trades", { symbol: "MSFT", side: "buy", quantity: 1 });
    const { pagination } = await call("GET", `/api/paper-trades?account_id=${reset.data.id}`);
    expect(pagination.total).toBe(1);
  });
});

describe("the pre-trade check of a user with an account", () => {
  it("200 looks at everything and refuses what the account cannot bear", async () => {
    await call("GET", "/api/paper-trades");
    const { price } = (await call("GET", "/api/market/AAPL")).data;
    const cents = (amount: number) => Math.round(100 * amount) / 100;
    const levels = { entry: price, stop_loss: cents(0.97 * price), take_profit: cents(1.1 * price) };
    const checked = (quantity: number) =>
      call("POST", "/api/risk/pre-trade-check", { symbol: "AAPL", side: "buy", quantity, ...levels });
    const check = await checked(1);
    expect(check.data).toMatchObject({ complete: true, unchecked: [], verdict: "approved" });
    const large = await checked(1e6);
    expect(large.data.refusals.map(({ code }: { code: string }) => code)).toEqual(
      expect.arrayContaining(["buying_power_exceeded", "portfolio_risk_exceeded", "position_too_large"]),
    );
  });
});
