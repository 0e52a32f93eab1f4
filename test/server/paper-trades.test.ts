import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createManualClock, type ManualClock } from "../fixtures/clock.js";
import { startTestProgram, type TestProgram } from "../fixtures/program.js";

/** A Wednesday: New York trades from 14:30 to 21:00 UTC. */
const NOW = Date.UTC(2024, 10, 6, 16, 7, 30);
const MINUTE_MS = 60_000;

let program: TestProgram;
let clock: ManualClock;
beforeAll(async () => {
  clock = createManualClock(NOW);
  program = await startTestProgram({ clock });
});
afterAll(() => program.close());

const post = async (url: string, payload: object, headers: Record<string, string> = {}) => {
  const answer = await program.call({ method: "POST", url, payload, headers });
  return { status: answer.statusCode, headers: answer.headers, ...(await answer.json()) };
};
const get = async (url: string) => {
  const answer = await program.call(url);
  return { status: answer.statusCode, ...(await answer.json()) };
};

describe("POST /api/paper-trades", () => {
  it("200 buys at the price of now in an open market, and shows it as a trade", async () => {
    const bought = await post("/api/paper-trades", {
      symbol: "aapl",
      side: "BUY",
      quantity: 10,
      pattern: "doji",
    });
    const { price } = (await get("/api/market/AAPL")).data;
    expect(bought).toMatchObject({ status: 200, success: true, trade: { symbol: "AAPL", status: "filled" } });
    // Half of a spread of 2 basis points above it, on the next cent.
    expect(bought.trade.price).toBeCloseTo(Math.ceil(price * 1.0001 * 100 - 1e-6) / 100, 10);
    const { data, portfolio } = await get("/api/paper-trades");
    expect(data).toMatchObject([
      { id: bought.trade.id, symbol: "AAPL", side: "BUY", quantity: 10, status: "open", pattern: "doji" },
    ]);
    expect(portfolio.positions.AAPL).toMatchObject({ quantity: 10, avg_entry: bought.trade.price, price });
    expect(portfolio.equity).toBeCloseTo(100_000 + 10 * (price - bought.trade.price), 6);
  });

  it("200 waits where the market is closed, and is met by its next bar", async () => {
    clock.set(Date.UTC(2024, 10, 6, 22));
    const placed = await post("/api/paper-trades", { symbol: "MSFT", side: "buy", quantity: 1 });
    expect(placed.trade).toMatchObject({ id: null, price: null, status: "accepted" });
    expect(placed.trade.waits).toMatch(/closed/);
    clock.set(Date.UTC(2024, 10, 7, 14, 32, 10));
    await program.parts.paper.matching.run(placed.trade.account_id);
    const { data } = await get(`/api/paper-trade/orders/${placed.trade.order_id}`);
    const minutes = await get("/api/market/MSFT/candles?interval=1m&limit=3").catch(() => null);
    expect(data.state, JSON.stringify(minutes)).toBe("filled");
    expect(data.filled_at).toBe("2024-11-07T14:30:00.000Z");
  });
});

describe("POST /api/close-position", () => {
  it("200 closes what a trade opened, and once", async () => {
    const [trade] = (await get("/api/paper-trades?symbol=AAPL")).data;
    const closed = await post("/api/close-position", { trade_id: trade.id });
    expect(closed.trade.status).toBe("filled");
    expect(await post("/api/close-position", { trade_id: trade.id })).toMatchObject({
      status: 404,
      code: "position_not_found",
    });
    const [after] = (await get("/api/paper-trades?symbol=AAPL")).data;
    expect(after).toMatchObject({ status: "closed", exit_reason: "trader", open_quantity: 0 });
    expect(after.pnl).toBeCloseTo(closed.pnl, 6);
    clock.advance(MINUTE_MS);
  });
});

describe("POST /api/paper-trades/:id/close", () => {
  const account = async (name: string) =>
    (await post("/api/paper-trade/accounts", { name })).data.id as string;
  const opened = async (account_id: string, quantity: number, more: object = {}) =>
    (await post("/api/paper-trades", { symbol: "AAPL", side: "buy", quantity, account_id, ...more })).trade
      .id as number;
  const openIn = async (id: string) => {
    const { data, portfolio } = await get(`/api/paper-trades?account_id=${id}`);
    const rows: { id: number; open_quantity: number; realised: number; unrealised: number }[] = data;
    const sum = rows.reduce((total, row) => total + row.realised + row.unrealised, 0);
    expect(sum).toBeCloseTo(portfolio.total_pnl, 5);
    return Object.fromEntries(rows.map((row) => [row.id, row.open_quantity]));
  };
  const legsIn = async (id: string, order: string) => {
    const { data } = await get(`/api/paper-trade/orders/${order}?account_id=${id}`);
    return data.legs.map(
      ({ state, quantity }: { state: string; quantity: number }) => `${state} ${quantity}`,
    );
  };
  const close = (id: number, account_id: string, quantity?: number) =>
    post(`/api/paper-trades/${id}/close`, { account_id, ...(quantity === undefined ? {} : { quantity }) });

  it("200 closes that trade and no other, whole or in part", async () => {
    clock.set(Date.UTC(2024, 10, 7, 15, 30, 10));
    const id = await account("Three");
    const [a, b, c] = [await opened(id, 1), await opened(id, 2), await opened(id, 3)];
    expect((await close(b, id)).trade.status).toBe("filled");
    expect(await openIn(id)).toEqual({ [a]: 1, [b]: 0, [c]: 3 });
    expect((await close(c, id, 1)).trade.status).toBe("filled");
    expect(await openIn(id)).toEqual({ [a]: 1, [b]: 0, [c]: 2 });
    expect(await close(c, id, 2.5)).toMatchObject({ status: 422, code: "order_refused" });
    expect(await close(b, id)).toMatchObject({ status: 404, code: "position_not_found" });
  });

  it("200 leaves other trades their stops and targets, and its own for what is left of it", async () => {
    const id = await account("Stops");
    const { price } = (await get("/api/market/AAPL")).data;
    const legs = { stop_loss: Math.round(price * 50) / 100, take_profit: Math.round(price * 200) / 100 };
    const guarded = await opened(id, 2, { ...legs, client_order_id: "guarded" });
    const rowsOf = async (status: string) =>
      (await get(`/api/paper-trade/orders?account_id=${id}&status=${status}`)).data.map(
        ({ role, state, legs }: { role: string; state: string; legs: unknown[] }) =>
          `${role} ${state} ${legs.length}`,
      );
    expect(await rowsOf("open")).toEqual(["target new 0", "stop new 0"]);
    expect(await rowsOf("closed")).toEqual(["parent filled 2"]);
    expect(await rowsOf("all")).toEqual(["parent filled 2"]);
    const plain = await opened(id, 2);
    const [, { order_id: order }] = (await get(`/api/paper-trades?account_id=${id}`)).data;
    // A sale of the trader's own is in the way of what it promises, and goes.
    const resting = { symbol: "AAPL", side: "sell", type: "limit", time_in_force: "gtc", account_id: id };
    const rest = (
      await post("/api/paper-trade/orders", { ...resting, quantity: 2, limit_price: legs.take_profit })
    ).data;
    expect(rest.state).toBe("new");
    expect((await close(plain, id)).trade.status).toBe("filled");
    expect(await openIn(id)).toEqual({ [guarded]: 2, [plain]: 0 });
    expect((await get(`/api/paper-trade/orders/${rest.id}?account_id=${id}`)).data.state).toBe("canceled");
    expect(await legsIn(id, order)).toEqual(["new 2", "new 2"]);
    expect((await close(guarded, id, 0.5)).trade.status).toBe("filled");
    expect(await legsIn(id, order)).toEqual(["new 1.5", "new 1.5"]);
    expect((await close(guarded, id)).trade.status).toBe("filled");
    expect(await legsIn(id, order)).toEqual(["canceled 1.5", "canceled 1.5"]);
    expect(await program.parts.paper.ledger.verify(id)).toEqual([]);
  });

  it("200 waits in a closed market while another trade may be closed, and 409 twice", async () => {
    const id = await account("Waiting");
    const [a, b] = [await opened(id, 1), await opened(id, 1)];
    clock.set(Date.UTC(2024, 10, 7, 23));
    expect((await close(b, id)).trade.status).toBe("accepted");
    expect(await close(b, id)).toMatchObject({ status: 409, code: "conflict" });
    expect((await close(a, id)).trade.status).toBe("accepted");
    clock.set(Date.UTC(2024, 10, 8, 15, 30, 10));
    await program.parts.paper.matching.run(id);
    expect(await openIn(id)).toEqual({ [a]: 0, [b]: 0 });
  });
});

describe("an order without a key", () => {
  it("201 takes two statements, one that reads and one that commits, and no more is read after it", async () => {
    clock.set(Date.UTC(2024, 10, 8, 16, 0, 10));
    const order = { symbol: "AAPL", side: "buy", quantity: 1 };
    expect((await post("/api/paper-trade/orders", order)).data.state).toBe("filled");
    const { database } = program.parts;
    const { query, transaction } = database;
    const statements: string[] = [];
    Object.assign(database, {
      query: (text: string, values?: unknown[]) => {
        statements.push(text.trim().replace(/\s+/g, " "));
        return query(text, values);
      },
      transaction: (work: Parameters<typeof transaction>[0]) => {
        statements.push("a transaction");
        return transaction(work);
      },
    });
    const placed = await post("/api/paper-trade/orders", order).finally(() =>
      Object.assign(database, { query, transaction }),
    );
    expect(placed.status).toBe(201);
    expect(statements).toEqual([
      expect.stringMatching(/^select .* from paper_accounts|^select .* left join paper_accounts/),
      expect.stringMatching(/^with updated as \( update paper_accounts/),
    ]);
  });
});
