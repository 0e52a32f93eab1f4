import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type DayOrder, newerClient, olderClient, refused } from "../fixtures/alpaca-day.js";
import { expectVendorShapes } from "../fixtures/alpaca-day-checks.js";
import { away, type Day, startDay } from "../fixtures/alpaca-day-run.js";

const SUB_PENNY = "sub-penny increment does not fulfill minimum pricing criteria";

describe.each([
  { version: "4.0.2", make: newerClient },
  { version: "3.1.3", make: olderClient },
])("the account of the official client $version over a day", ({ make }) => {
  let day: Day;
  beforeAll(async () => {
    day = await startDay(make);
  });
  afterAll(() => day.end());
  const refusal = (request: Promise<unknown>) => refused(request, day.answers);

  it("trades", async () => {
    const { client } = day;
    const order = { qty: "10", side: "buy", type: "market", time_in_force: "day" };
    for (const symbol of ["AAPL", "MSFT"]) {
      const placed = await client.place({ ...order, symbol, client_order_id: `early ${symbol}` });
      expect(placed).toMatchObject({ status: "accepted", symbol });
    }
    await day.at("13:32:10");
    expect(await client.place({ ...order, symbol: "META", qty: "3", side: "sell" })).toMatchObject({
      status: "filled",
      position_intent: "sell_to_open",
    });
    const coin = { symbol: "BTC/USD", qty: "0.01", time_in_force: "gtc" };
    expect(await client.place({ ...order, ...coin })).toMatchObject({ asset_class: "crypto" });
    const price = await day.price("SPY");
    const legs = {
      take_profit: { limit_price: away(price, 300) },
      stop_loss: { stop_price: away(price, -300) },
    };
    expect(
      await client.place({ ...order, symbol: "SPY", order_class: "bracket", time_in_force: "gtc", ...legs }),
    ).toMatchObject({ legs: [{ status: "new" }, { status: "new" }] });
  });

  it("refusals have the codes of the dialect", async () => {
    const { client } = day;
    const limit = { symbol: "KO", qty: "1", side: "buy", type: "limit", time_in_force: "day" };
    const expectations: readonly [order: object, expected: object][] = [
      [
        { ...limit, limit_price: "40.123" },
        { status: 422, code: 42210000, message: `invalid limit_price 40.123. ${SUB_PENNY}` },
      ],
      [
        { ...limit, limit_price: "40", qty: "5000" },
        { status: 403, code: 40310000, message: expect.stringContaining("position_too_large") },
      ],
      [
        { ...limit, symbol: "ZZ9PLURAL", limit_price: "1" },
        { status: 422, code: 40010001, message: "could not find us_equity 'ZZ9PLURAL'" },
      ],
      [
        { ...limit, limit_price: "40", qty: undefined },
        { status: 422, code: 40010001 },
      ],
      [
        { ...limit, limit_price: undefined },
        { status: 422, code: 42210000 },
      ],
      [
        { ...limit, side: "sell", type: "market", qty: "0.5" },
        { status: 422, code: 42210000, message: "fractional orders cannot be sold short" },
      ],
      [
        { ...limit, limit_price: "40", qty: "0.5", time_in_force: "gtc" },
        { status: 422, code: 42210000 },
      ],
      [
        { ...limit, type: "market", qty: undefined, notional: "0.5" },
        { status: 422, code: 42210000, message: "notional amount must be >= 1.00" },
      ],
      [{ ...limit, limit_price: "40", qty: "-1" }, { status: 422 }],
      [{ ...limit, type: "dance" }, { status: 422 }],
    ];
    for (const [order, expected] of expectations) {
      const given = JSON.parse(JSON.stringify(order)) as typeof limit;
      expect(await refusal(client.place(given)), JSON.stringify(order)).toMatchObject(expected);
    }
    const big = async (symbol: string) => {
      const at = await day.price(symbol);
      const qty = String(Math.floor(85_000 / at));
      return { ...limit, symbol, qty, limit_price: away(at, -900) };
    };
    const [one, two] = [await client.place(await big("JPM")), await client.place(await big("XOM"))];
    expect(await refusal(client.place(await big("WMT")))).toMatchObject({
      status: 403,
      code: 40310000,
      message: "insufficient buying power",
      buying_power: expect.stringMatching(/^\d+\.\d\d/),
      cost_basis: expect.stringMatching(/^\d+\.\d\d/),
    });
    for (const { id } of [one, two]) await client.cancel(id);
  });

  it("lists of orders by every filter", async () => {
    const { client } = day;
    const all = await client.orders({ status: "all", limit: 500, direction: "asc" });
    const times = all.map(({ submitted_at: at }) => String(at));
    expect(times).toEqual([...times].sort());
    const down = await client.orders({ status: "all", limit: 500 });
    expect(down.map(({ id }) => id)).toEqual(all.map(({ id }) => id).reverse());
    const open = await client.orders({});
    expect(open.length).toBeGreaterThan(1);
    const ended = (order: DayOrder) => ["filled", "canceled", "expired", "replaced"].includes(order.status);
    expect(open.map(({ id }) => id)).toEqual(down.filter((order) => !ended(order)).map(({ id }) => id));
    const closed = await client.orders({ status: "closed", limit: 3 });
    expect(closed.map(({ id }) => id)).toEqual(
      down
        .filter(ended)
        .slice(0, 3)
        .map(({ id }) => id),
    );
    const of = await client.orders({ status: "all", symbols: "MSFT,NVDA", side: "buy" });
    expect(new Set(of.map(({ symbol }) => symbol))).toEqual(new Set(["MSFT"]));
    expect((await client.orders({ status: "all", side: "sell" })).every(({ side }) => side === "sell")).toBe(
      true,
    );
    const until = await client.orders({ status: "all", until: "2024-07-10T13:00:00Z" });
    expect(until.map(({ client_order_id: name }) => name)).toEqual(["early MSFT", "early AAPL"]);
    const after = await client.orders({ status: "all", limit: 500, after: "2024-07-10T13:00:00Z" });
    expect(after.length + until.length).toBe(all.length);
    const nested = await client.orders({ status: "all", limit: 500, nested: true });
    const legs = nested.flatMap(({ legs }) => legs ?? []);
    expect(nested.length + legs.length).toBe(all.length);
    expect(legs.map(({ id }) => id).every((id) => all.some((order) => order.id === id))).toBe(true);
    const coins = await client.orders({ status: "all", asset_class: ["crypto"] });
    expect(coins.map(({ side }) => side)).toEqual(["buy"]);
    const [third, second, first] = down;
    expect((await client.orders({ status: "all", after_order_id: first.id })).map(({ id }) => id)).toEqual([
      third.id,
      second.id,
    ]);
    expect(
      (await client.orders({ status: "all", limit: 1, before_order_id: third.id })).map(({ id }) => id),
    ).toEqual([second.id]);
  });

  it("positions, and how they are closed", async () => {
    const { client } = day;
    const rows = await client.positions();
    expect(rows.map(({ symbol }) => symbol)).toContain("AAPL");
    const held = await client.position("AAPL");
    expect(await client.position(String(held.asset_id))).toEqual(held);
    const { qty, current_price: current, avg_entry_price: average } = held;
    expect(Number(held.market_value)).toBeCloseTo(Number(qty) * Number(current), 1);
    expect(Number(held.cost_basis)).toBeCloseTo(Number(qty) * Number(average), 1);
    expect(Number(held.unrealized_pl)).toBeCloseTo(Number(held.market_value) - Number(held.cost_basis), 1);
    expect(await refusal(client.position("IBM"))).toEqual({
      status: 404,
      code: 40410000,
      message: "position does not exist",
    });
    expect(await refusal(client.closePosition("IBM"))).toMatchObject({ status: 404, code: 40410000 });
    expect(await client.closePosition("AAPL", { qty: 1 })).toMatchObject({
      status: "filled",
      filled_qty: "1",
    });
    expect(await refusal(client.closePosition("AAPL", { qty: 1_000 }))).toMatchObject({
      status: 403,
      code: 40310000,
    });
    const left = Number(qty) - 1;
    expect(await client.closePosition("AAPL", { percentage: 50 })).toMatchObject({
      status: "filled",
      filled_qty: String(left / 2),
    });
    const closed = await client.closePositions(true);
    expect(day.answers.at(-1)?.status).toBe(207);
    expect(closed.length).toBeGreaterThan(3);
    for (const each of closed) expect(each).toMatchObject({ status: 200, body: { status: "filled" } });
    expect(await client.positions()).toEqual([]);
    expect(await client.orders({})).toEqual([]);
    expect(await client.cancelAll()).toEqual([]);
  });

  it("positions that are being closed are told one by one", async () => {
    const { client } = day;
    const order = { symbol: "MSFT", qty: "2", side: "buy", type: "market", time_in_force: "day" };
    expect(await client.place(order)).toMatchObject({ status: "filled" });
    await day.at("20:20:00");
    expect(await client.closePositions(false)).toMatchObject([
      { symbol: "MSFT", status: 200, body: { status: "accepted" } },
    ]);
    expect(await client.closePositions(false)).toMatchObject([{ symbol: "MSFT", status: 422 }]);
    expect(await client.closePositions(true)).toMatchObject([{ status: 200, body: { status: "accepted" } }]);
    expect(await client.cancelAll()).toHaveLength(1);
  });

  it("activities, by type, by day and by page", async () => {
    const { client } = day;
    const all = await client.activities({});
    const fills = all.filter(({ activity_type: type }) => type === "FILL");
    expect(all.length).toBe(fills.length + 1);
    expect(await client.activitiesOf("CSD", {})).toMatchObject([
      { activity_type: "CSD", net_amount: "100000.00" },
    ]);
    expect(await client.activities({ activity_types: ["FILL"] })).toEqual(fills);
    const pages: unknown[] = [];
    for (let token: unknown; ; ) {
      const page = await client.activities({
        page_size: 7,
        ...(token === undefined ? {} : { page_token: token }),
      });
      pages.push(...page);
      if (page.length < 7) break;
      token = page.at(-1)?.id;
    }
    expect(pages).toEqual(all);
    expect(await client.activities({ direction: "asc" })).toEqual([...all].reverse());
    const before = new Date("2024-07-10T13:00:00Z");
    expect(await client.activitiesOf("FILL", { until: before })).toEqual([]);
    // Of one type, the newer client reads no more than what all types have.
    const ids = async (query: object) =>
      (await client.activitiesOf("FILL", { ...query })).map(({ id }) => id);
    const known = fills.map(({ id }) => id);
    expect(await ids({ after: before })).toEqual(known);
    expect(await ids({ date: new Date("2024-07-10T00:00:00Z") })).toEqual(known);
    expect(await client.activitiesOf("FILL", { date: new Date("2024-07-09T00:00:00Z") })).toEqual([]);
    const cash = fills.reduce(
      (sum, { side, price, qty }) => sum + (side === "buy" ? -1 : 1) * Number(price) * Number(qty),
      100_000,
    );
    expect(Number((await client.account()).cash)).toBeCloseTo(cash, 2);
  });

  it("the history of the equity", async () => {
    const { client } = day;
    await day.at("20:30:00");
    const { equity } = await client.account();
    const daily = await client.history({ period: "1W", timeframe: "1D" });
    expect(daily).toMatchObject({ timeframe: "1D" });
    expect((daily.equity as number[]).at(-1)).toBeCloseTo(Number(equity), 2);
    const fine = await client.history({
      period: "1D",
      timeframe: "5Min",
      intraday_reporting: "market_hours",
    });
    const stamps = fine.timestamp as number[];
    expect(stamps.every((stamp, i) => i === 0 || stamp - stamps[i - 1] === 300)).toBe(true);
    expect((fine.equity as number[]).at(-1)).toBeCloseTo(Number(equity), 2);
    const [start, end] = ["2024-07-10T13:30:00Z", "2024-07-10T15:00:00Z"].map((text) => new Date(text));
    const within = await client.history({ start, end, timeframe: "15Min" });
    expect(within.timestamp).toEqual(Array.from({ length: 7 }, (_, k) => Number(start) / 1_000 + k * 900));
    expect(await refusal(client.history({ period: "3M", timeframe: "5Min" }))).toMatchObject({ status: 422 });
  });

  it("was answered as the vendor's document says", () =>
    expectVendorShapes(day, ["DELETE 204", "DELETE 207"]));
});
