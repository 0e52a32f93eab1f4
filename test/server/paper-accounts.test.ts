import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createManualClock, type ManualClock } from "../fixtures/clock.js";
import { startTestProgram, type TestProgram } from "../fixtures/program.js";

/** A Wednesday: New York trades from 14:30 to 21:00 UTC. */
const NOW = Date.UTC(2024, 9, 2, 16, 7, 30);
const DAY_MS = 86_400_000;

let program: TestProgram;
let clock: ManualClock;
beforeAll(async () => {
  clock = createManualClock(NOW);
  program = await startTestProgram({ clock });
});
afterAll(() => program.close());

type Method = "GET" | "POST" | "PATCH" | "DELETE";
async function call(method: Method, url: string, payload?: object) {
  const answer = await program.call({ method, url, ...(payload === undefined ? {} : { payload }) });
  return { status: answer.statusCode, ...(await answer.json()) };
}
const open = async (terms: object = {}): Promise<string> => {
  const name = `Account ${Math.floor(performance.now() * 1_000)}`;
  return (await call("POST", "/api/paper-trade/accounts", { name, ...terms })).data.id;
};
const buy = (account_id: string, change: object = {}) =>
  call("POST", "/api/paper-trade/orders", {
    symbol: "AAPL",
    side: "buy",
    quantity: 10,
    account_id,
    ...change,
  });
const codes = (answer: { problems?: { code: string }[] }) => (answer.problems ?? []).map(({ code }) => code);
const allow = (settings: object) => call("POST", "/api/risk-settings", settings);

describe("paper accounts", () => {
  it("200, 201, 404, 409: several of one user, by name, of other users never", async () => {
    const opened = await call("POST", "/api/paper-trade/accounts", {
      name: "Swing",
      cash: 5_000,
      leverage: 1,
    });
    expect(opened).toMatchObject({ status: 201, data: { kind: "cash", cash: 5_000, leverage: 1 } });
    expect(await call("POST", "/api/paper-trade/accounts", { name: "Swing" })).toMatchObject({ status: 409 });
    expect(await call("GET", "/api/paper-trade/accounts/00000000-0000-4000-8000-000000000000")).toMatchObject(
      {
        status: 404,
        code: "account_not_found",
      },
    );
    await program.parts.users.createUser("eve", "trader");
    const { id } = opened.data;
    await expect(program.parts.paper.accounts.find("eve", id)).rejects.toMatchObject({
      code: "account_not_found",
    });
  });

  it("200 are reset by closing and opening, and the closed one stays to be read", async () => {
    const id = await open({ cash: 10_000 });
    const order = await buy(id);
    const reset = await call("POST", `/api/paper-trade/accounts/${id}/reset`, { cash: 20_000 });
    expect(reset.data).toMatchObject({ cash: 20_000, closed_at: null });
    expect(reset.data.id).not.toBe(id);
    expect(await buy(id)).toMatchObject({ status: 409, code: "account_closed" });
    const kept = await call("GET", `/api/paper-trade/orders/${order.data.id}?account_id=${id}`);
    expect(kept.data.state).toBe("filled");
    const again = await call("POST", `/api/paper-trade/accounts/${id}/reset`, {});
    expect(again).toMatchObject({ status: 409, code: "account_closed" });
  });

  it("200 stand still for ever once they are closed: what they held is sold, or settled where its market is shut", async () => {
    const [day, night] = [await open({ spread_bps: 0 }), await open({ spread_bps: 0 })];
    for (const id of [day, night]) {
      await buy(id);
      await buy(id, { symbol: "BTC-USD", quantity: 0.01, time_in_force: "gtc" });
      await buy(id, { side: "sell", type: "stop", stop_price: 1, time_in_force: "gtc" });
    }
    const figures = async (id: string) => {
      const { data, portfolio } = await call("GET", `/api/paper-trades?account_id=${id}`);
      const { equity, cash, total_pnl, realised, unrealised, positions } = portfolio;
      return { data, equity, cash, total_pnl, realised, unrealised, held: Object.keys(positions) };
    };
    const before = await figures(day);
    expect((await call("POST", `/api/paper-trade/accounts/${day}/close`)).status).toBe(200);
    const closed = await figures(day);
    expect(closed).toMatchObject({ held: [], unrealised: 0, cash: closed.equity });
    // At one quote and without a spread nothing is lost by it, but for ticks.
    expect(Math.abs(closed.equity - before.equity)).toBeLessThan(0.02);
    expect(closed.data).toHaveLength(2);
    for (const trade of closed.data)
      expect(trade).toMatchObject({ status: "closed", exit_reason: "settlement" });
    clock.advance(8 * 3_600_000);
    expect(await figures(day)).toEqual(closed);
    const unlocked = async () => {
      const { achievements } = await call("GET", "/api/achievements");
      return achievements.find(({ id }: { id: string }) => id === "first_trade").unlocked_at;
    };
    const since = await unlocked();
    expect(since).toEqual(expect.any(String));
    const reset = await call("POST", `/api/paper-trade/accounts/${night}/reset`, {});
    expect(reset.status).toBe(200);
    for (const { id } of (await call("GET", "/api/paper-trade/accounts")).data)
      await call("POST", `/api/paper-trade/accounts/${id}/close`);
    expect(await unlocked()).toBe(since);
    expect((await call("GET", "/api/streak")).total_trading_days).toBeGreaterThan(0);
    const said = await program.parts.database.query<{ symbol: string; reason: string }>(
      `select symbol, body->'fill'->>'reason' as reason from paper_events
       where account_id = $1 and event = 'filled' and order_id like 'settlement/%' order by symbol`,
      [night],
    );
    expect(said).toEqual([
      { symbol: "AAPL", reason: "settlement" },
      { symbol: "BTC-USD", reason: "market" },
    ]);
    expect(await figures(night)).toMatchObject({ held: [], unrealised: 0 });
    const left = await call("GET", `/api/paper-trade/orders?status=open&account_id=${night}`);
    expect(left.data).toEqual([]);
    expect(await program.parts.paper.ledger.verify(night)).toEqual([]);
    clock.advance(-8 * 3_600_000);
  });

  it("200 have one sum of what is realised and what is open, to the micro, whatever lots were bought and sold", async () => {
    const id = await open({ commission_percent: 0.013 });
    const trade = async (change: object) => {
      clock.advance(240_000);
      expect((await buy(id, { quantity: 3, ...change })).data.state).toBe("filled");
    };
    await trade({ side: "sell", quantity: 2 });
    for (const change of [{}, {}, {}, { side: "sell", quantity: 4 }, {}, { side: "sell", quantity: 5 }]) {
      await trade(change);
      const { data, portfolio } = await call("GET", `/api/paper-trades?account_id=${id}&limit=50`);
      const micros = (amount: number) => Math.round(amount * 1e6);
      const sum = (rows: Record<string, number>[], field: string) =>
        rows.reduce((total, row) => total + micros(row[field]), 0);
      expect(micros(portfolio.realised) + micros(portfolio.unrealised)).toBe(micros(portfolio.total_pnl));
      expect(sum(data, "realised")).toBe(micros(portfolio.realised));
      expect(sum(data, "unrealised")).toBe(micros(portfolio.unrealised));
      for (const { quantity, avg_entry, value, pnl } of Object.values<Record<string, number>>(
        portfolio.positions,
      ))
        expect(Math.abs(quantity * avg_entry + pnl - value)).toBeLessThan(1e-6);
      const stats = await call("GET", `/api/trading-stats?account_id=${id}`);
      expect(micros(stats.data.unrealised_pnl)).toBe(micros(portfolio.unrealised));
    }
    clock.advance(-7 * 240_000);
  });

  it("200 stay halted when they are reset, until they are resumed", async () => {
    const id = await open();
    await call("POST", `/api/paper-trade/accounts/${id}/halt`);
    const { data } = await call("POST", `/api/paper-trade/accounts/${id}/reset`, {});
    expect(data.halted).toBe("kill_switch");
    expect(await buy(data.id)).toMatchObject({ status: 409, code: "trading_halted" });
    await call("POST", `/api/paper-trade/accounts/${data.id}/resume`);
    expect(await buy(data.id)).toMatchObject({ status: 201, data: { state: "filled" } });
  });

  it("200 with the kill switch close positions and open none, until they are resumed", async () => {
    const id = await open();
    await buy(id);
    const limit = await buy(id, { type: "limit", limit_price: 1, time_in_force: "gtc" });
    const halted = await call("POST", `/api/paper-trade/accounts/${id}/halt`);
    expect(halted).toMatchObject({ status: 200, canceled: 1 });
    const rest = await call("GET", `/api/paper-trade/orders/${limit.data.id}?account_id=${id}`);
    expect(rest.data.state).toBe("canceled");
    expect(await buy(id)).toMatchObject({ status: 409, code: "trading_halted" });
    const sold = await buy(id, { side: "sell", quantity: 4 });
    expect(sold.data.state).toBe("filled");
    await call("POST", `/api/paper-trade/accounts/${id}/resume`);
    expect(await buy(id)).toMatchObject({ status: 201, data: { state: "filled" } });
  });
});

describe("the topic of an account", () => {
  it("tells its owner of all that happens, in order, and nobody else", async () => {
    const id = await open();
    await buy(id);
    const { stream } = program.parts;
    const topic = stream.topicOf(`account:${id}`);
    const owner = { userId: "owner", role: "admin" as const, anonymous: true };
    await stream.admit(topic, owner);
    await expect(stream.admit(topic, { ...owner, userId: "eve" })).rejects.toMatchObject({
      code: "account_not_found",
    });
    const { events } = await stream.replay(topic, 0);
    const told = events.map(({ frame }) => JSON.parse(frame).data);
    expect(told.map(({ event }) => event)).toEqual(["transferred", "opened", "filled"]);
    expect(told.map(({ seq }) => seq)).toEqual([1, 2, 3]);
  });
});

describe("what is refused", () => {
  it("422 names every reason with its code and the figures", async () => {
    const id = await open({ cash: 1_000, leverage: 1 });
    expect(codes(await buy(id))).toEqual(["insufficient_buying_power"]);
    expect(codes(await buy(id, { side: "sell" }))).toEqual(["short_not_allowed"]);
    expect(codes(await buy(id, { type: "limit", quantity: 1.5, time_in_force: "gtc" })).sort()).toEqual([
      "fraction_not_allowed",
      "price_missing",
    ]);
    const first = await buy(id, { quantity: 1, client_order_id: "mine" });
    expect(first.status).toBe(201);
    expect(codes(await buy(id, { quantity: 1, client_order_id: "mine" }))).toEqual(["id_not_unique"]);
    expect(codes(await buy(id, { symbol: "TCS.NS" }))).toEqual(["currency_mismatch"]);
    expect(await buy(id, { symbol: "^GSPC" })).toMatchObject({ status: 400, code: "invalid_request" });
  });

  it("422 holds orders against the settings of their owner", async () => {
    const id = await open({ cash: 1_000_000 });
    await allow({ max_position_size: 3_000 });
    expect(codes(await buy(id, { quantity: 100 }))).toEqual(["position_too_large"]);
    const price = (await call("GET", "/api/market/AAPL")).data.price;
    const some = Math.floor(2_000 / price);
    expect((await buy(id, { quantity: some })).data.state).toBe("filled");
    expect(codes(await buy(id, { quantity: some }))).toEqual(["position_too_large"]);
    await allow({ max_position_size: 100_000, max_open_positions: 1 });
    expect(codes(await buy(id, { symbol: "MSFT", quantity: 1 }))).toEqual(["open_positions_exceeded"]);
    await allow({ max_open_positions: 20, diversification_limit: 1 });
    expect(codes(await buy(id, { quantity: 1 }))).toEqual(["positions_in_symbol_exceeded"]);
    await allow({ diversification_limit: 10, max_daily_trades: 1 });
    expect(codes(await buy(id, { quantity: 1 }))).toEqual(["daily_trades_exceeded"]);
    await allow({ max_daily_trades: 1_000 });
  });

  it("422 stops for the day at its loss, and below the peak until the settings change", async () => {
    const id = await open({ cash: 100_000, leverage: 1 });
    await allow({ max_daily_loss: 50, max_position_size: 100_000, max_drawdown_limit: 100 });
    clock.advance(DAY_MS);
    // 3 % of spread cost more than the limit at once.
    const wide = await open({ cash: 100_000, spread_bps: 600 });
    clock.advance(DAY_MS);
    expect((await buy(wide, { quantity: 30 })).data.state).toBe("filled");
    expect(codes(await buy(wide, { quantity: 1 }))).toEqual(["daily_loss_reached"]);
    const sold = await buy(wide, { side: "sell", quantity: 30 });
    expect(sold.data.state).toBe("filled");
    await allow({ max_daily_loss: 5_000, max_drawdown_limit: 0.5 });
    expect((await buy(id, { quantity: 1 })).data.state).toBe("filled");
    await allow({ max_drawdown_limit: 100 });
  });

  it("409 where the settings demand a token, once for each", async () => {
    const id = await open();
    await allow({ require_confirmation: true, enable_stop_loss: false, enable_take_profit: false });
    expect(await buy(id)).toMatchObject({ status: 409, code: "confirmation_refused" });
    const { price } = (await call("GET", "/api/market/AAPL")).data;
    const check = await call("POST", "/api/risk/pre-trade-check", {
      symbol: "AAPL",
      side: "buy",
      quantity: 1,
      entry: price,
      stop_loss: Math.round(95 * price) / 100,
    });
    expect(check.data.refusals).toEqual([]);
    const token = check.data.risk_confirmation_token;
    const order = {
      quantity: 1,
      order_class: "oto",
      stop_loss: { stop_price: Math.round(95 * price) / 100 },
      time_in_force: "gtc",
      risk_confirmation_token: token,
    };
    expect((await buy(id, order)).data).toMatchObject({
      state: "filled",
      legs: [{ role: "stop", state: "new" }],
    });
    const again = {
      status: 409,
      code: "confirmation_refused",
      detail: expect.stringContaining("already_used"),
    };
    expect(await buy(id, order)).toMatchObject(again);
    // What the first order filled does not hide that its token is used up.
    await allow({ max_position_size: Math.ceil(1.2 * price) });
    expect(await buy(id, order)).toMatchObject(again);
    const { risk_confirmation_token: _, ...plain } = order;
    await allow({ require_confirmation: false });
    expect(codes(await buy(id, plain))).toEqual(["position_too_large"]);
    await allow({ max_position_size: 100_000 });
  });
});

describe("GET /api/paper-trade/accounts/:id/export and POST import", () => {
  it("200, 201 go round: the imported account has the same transactions, trades and money", async () => {
    const id = await open({ cash: 50_000, commission_percent: 0.1 });
    await buy(id, { pattern: "=1+1", strategy: "swing" });
    await buy(id, { side: "sell", quantity: 4 });
    await buy(id, { symbol: "BTC-USD", quantity: 0.015625, time_in_force: "gtc" });
    for (const format of ["json", "csv"]) {
      const { data } = await call("GET", `/api/paper-trade/accounts/${id}/export?format=${format}`);
      expect(data.record_count).toBe(4);
      const file = format === "csv" ? { csv_content: data.csv_content } : { transactions: data.transactions };
      if (format === "csv") expect(data.csv_content).toContain("'=1+1");
      const imported = await call("POST", "/api/paper-trade/accounts/import", {
        name: `Copy ${format}`,
        ...file,
      });
      expect(imported).toMatchObject({ status: 201, record_count: 4 });
      const copy = await call("GET", `/api/paper-trade/accounts/${imported.data.id}/export?format=${format}`);
      expect(copy.data.transactions).toEqual(data.transactions);
      expect(copy.data.csv_content).toEqual(data.csv_content);
      const [own, its] = [id, imported.data.id].map((account) =>
        call("GET", `/api/paper-trades?account_id=${account}`),
      );
      const moneyOf = ({ portfolio }: { portfolio: { cash: number; equity: number } }) => [
        portfolio.cash,
        portfolio.equity,
      ];
      expect(moneyOf(await its)).toEqual(moneyOf(await own));
      expect(await program.parts.paper.ledger.verify(imported.data.id)).toEqual([]);
    }
  });

  it("400 names the row that cannot be", async () => {
    const row = {
      at: "2024-01-02T15:00:00.000Z",
      kind: "fill",
      symbol: "AAPL",
      order: "a",
      side: "buy",
      quantity: 1,
      price: 10,
      amount: -9,
    };
    const wrong = await call("POST", "/api/paper-trade/accounts/import", {
      name: "Wrong",
      transactions: [{ at: row.at, kind: "transfer", amount: 100 }, row],
    });
    expect(wrong).toMatchObject({ status: 400, detail: expect.stringMatching(/row 2: its amount is -9/) });
    const text = await call("POST", "/api/paper-trade/accounts/import", {
      name: "Wrong",
      csv_content: "at,kind\n2024,fill\n",
    });
    expect(text).toMatchObject({ status: 400, detail: expect.stringMatching(/line 2/) });
  });
});
