import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { newerClient, olderClient, refused } from "../fixtures/alpaca-day.js";
import { expectTold, expectVendorShapes } from "../fixtures/alpaca-day-checks.js";
import { away, type Day, startDay } from "../fixtures/alpaca-day-run.js";

describe.each([
  { version: "4.0.2", make: newerClient },
  { version: "3.1.3", make: olderClient },
])("a day of the official client $version", ({ make }) => {
  let day: Day;
  beforeAll(async () => {
    day = await startDay(make);
  });
  afterAll(() => day.end());
  const refusal = (request: Promise<unknown>) => refused(request, day.answers);

  it("before the open: the account, its switch, and orders that wait", async () => {
    const { client } = day;
    expect(await client.isOpen()).toBe(false);
    expect(await client.account()).toMatchObject({
      status: "ACTIVE",
      currency: "USD",
      cash: "100000.00",
      equity: "100000.00",
      last_equity: "100000.00",
      buying_power: "200000.00",
      multiplier: "2",
      trade_suspended_by_user: false,
    });
    expect(await client.configure({ suspend_trade: true })).toMatchObject({ suspend_trade: true });
    const plain = { symbol: "AAPL", side: "buy", type: "market", time_in_force: "day", qty: "10" };
    expect(await refusal(client.place(plain))).toMatchObject({ status: 403, code: 40310000 });
    expect(await client.account()).toMatchObject({ trade_suspended_by_user: true, trading_blocked: false });
    expect(await refusal(client.configure({ no_shorting: true }))).toMatchObject({
      status: 422,
      code: 42210000,
    });
    // The whole of it, as some send it back.
    await client.configure({ ...(await client.configuration()), suspend_trade: false });
    expect(await client.configuration()).toMatchObject({ suspend_trade: false, no_shorting: false });

    expect(await client.place({ ...plain, client_order_id: "morning" })).toMatchObject({
      status: "accepted",
      order_class: "",
      qty: "10",
      filled_qty: "0",
      position_intent: "buy_to_open",
    });
    const auction = { ...plain, symbol: "MSFT", time_in_force: "opg", qty: "5", client_order_id: "auction" };
    expect(await client.place(auction)).toMatchObject({ status: "accepted", time_in_force: "opg" });
    const large = { ...plain, symbol: "TSLA", qty: "500", client_order_id: "large" };
    expect(await client.place(large)).toMatchObject({ status: "accepted" });
    const early = { ...plain, symbol: "AMZN", type: "limit", limit_price: "1.5", extended_hours: true };
    expect(await client.place({ ...early, client_order_id: "early" })).toMatchObject({
      status: "accepted",
      extended_hours: true,
      limit_price: "1.5",
    });
    expect(await refusal(client.place({ ...plain, extended_hours: true }))).toMatchObject({
      status: 422,
      code: 42210000,
    });
  });

  it("before the open: one order is found, replaced and canceled", async () => {
    const { client } = day;
    const resting = {
      symbol: "NVDA",
      qty: "1",
      side: "buy",
      type: "limit",
      time_in_force: "gtc",
      limit_price: "1.5",
    };
    const first = await client.place({ ...resting, client_order_id: "first" });
    expect(await refusal(client.place({ ...resting, client_order_id: "first" }))).toMatchObject({
      status: 422,
      code: 40010001,
      message: "client_order_id must be unique",
    });
    expect((await client.order(first.id)).client_order_id).toBe("first");
    expect((await client.orderByClientId("first")).id).toBe(first.id);
    const missing = "00000000-0000-4000-8000-000000000000";
    expect(await refusal(client.order(missing))).toEqual({
      status: 404,
      code: 40410000,
      message: `order not found for ${missing}`,
    });
    expect(await refusal(client.orderByClientId("nobody"))).toMatchObject({ status: 404 });
    expect(await refusal(client.replace(first.id, { qty: "1" }))).toMatchObject({
      status: 422,
      code: 42210000,
      message: "order parameters are not changed",
    });
    const second = await client.replace(first.id, {
      qty: "2",
      limit_price: "1.6",
      client_order_id: "second",
    });
    expect(second).toMatchObject({
      replaces: first.id,
      qty: "2",
      limit_price: "1.6",
      client_order_id: "second",
    });
    expect(await client.order(first.id)).toMatchObject({ status: "replaced", replaced_by: second.id });
    expect(await refusal(client.replace(first.id, { qty: "3" }))).toMatchObject({
      status: 422,
      message: "cannot replace order in replaced status",
    });
    await client.cancel(second.id);
    expect(day.answers.at(-1)).toMatchObject({ status: 204, body: null });
    expect(await client.order(second.id)).toMatchObject({
      status: "canceled",
      canceled_at: expect.anything(),
    });
    expect(await refusal(client.cancel(second.id))).toMatchObject({
      status: 422,
      code: 42210000,
      message: 'order is already in "canceled" state',
    });
  });

  it("at the open: what waited is met, the auction once", async () => {
    const { client } = day;
    await day.at("13:31:40");
    expect(await client.isOpen()).toBe(true);
    for (const name of ["morning", "auction", "large"]) {
      expect(await client.orderByClientId(name), name).toMatchObject({ status: "filled" });
    }
    expect(await client.orderByClientId("early")).toMatchObject({ status: "new" });
    // Its share of the volume of the first minute, and the rest at the price of now, which has as much.
    const large = day.updates.filter(({ order }) => order.client_order_id === "large");
    expect(large.map(({ event }) => event)).toEqual(["pending_new", "new", "partial_fill", "fill"]);
    expect(large[2].order).toMatchObject({ status: "partially_filled", filled_qty: large[2].qty });
    const late = { symbol: "MSFT", qty: "1", side: "buy", type: "market", time_in_force: "opg" };
    const waiting = await client.place(late);
    expect(waiting.status).toBe("new");
    await client.cancel(waiting.id);
  });

  it("by day: each type and each time in force", async () => {
    const { client } = day;
    const buy = { symbol: "AAPL", qty: "2", side: "buy", time_in_force: "day" };
    const price = await day.price("AAPL");
    const now = await client.place({ ...buy, type: "market" });
    expect(now).toMatchObject({ status: "filled", filled_qty: "2" });
    expect(Number(now.filled_avg_price)).toBeCloseTo(Math.ceil(price * 1.0001 * 100 - 1e-6) / 100, 8);
    const better = await client.place({ ...buy, type: "limit", limit_price: away(price, 50) });
    expect(better).toMatchObject({ status: "filled", filled_avg_price: now.filled_avg_price });
    const deep = away(price, -4);
    const limit = await client.place({ ...buy, type: "limit", limit_price: deep });
    expect(limit).toMatchObject({ status: "new" });
    const met = await day.ended(limit);
    expect(met.status).toBe("filled");
    expect(Number(met.filled_avg_price)).toBeLessThanOrEqual(Number(deep));

    const above = away(await day.price("AAPL"), 4);
    const stop = await day.ended(await client.place({ ...buy, type: "stop", stop_price: above }));
    expect(stop).toMatchObject({ status: "filled", stop_price: String(Number(above)) });
    expect(Number(stop.filled_avg_price)).toBeGreaterThanOrEqual(Number(above));
    const again = away(await day.price("AAPL"), 4);
    const stopLimit = { ...buy, type: "stop_limit", stop_price: again, limit_price: away(Number(again), 50) };
    expect(await day.ended(await client.place(stopLimit))).toMatchObject({
      status: "filled",
      type: "stop_limit",
    });

    const sell = { symbol: "AAPL", qty: "3", side: "sell", type: "trailing_stop", time_in_force: "gtc" };
    const byPrice = await client.place({ ...sell, trail_price: "0.20" });
    expect(byPrice).toMatchObject({ status: "new", trail_price: "0.2", position_intent: "sell_to_close" });
    const trailed = await day.ended(byPrice);
    expect(trailed.status).toBe("filled");
    expect(Number(trailed.stop_price)).toBeCloseTo(Number(trailed.hwm) - 0.2, 8);
    const byPercent = await client.place({ ...sell, trail_percent: "0.1" });
    expect(byPercent).toMatchObject({ trail_percent: "0.1" });
    expect(await client.replace(byPercent.id, { trail: "0.05" })).toMatchObject({ trail_percent: "0.05" });
    const { replaced_by: next } = await client.order(byPercent.id);
    expect(await day.ended({ id: next })).toMatchObject({ status: "filled" });
  });

  it("by day: at once or not at all, for the close, by money and by fractions", async () => {
    const { client } = day;
    const price = await day.price("TSLA");
    const buy = { symbol: "TSLA", qty: "4", side: "buy", type: "limit" };
    const far = { ...buy, limit_price: away(price, -300) };
    const near = { ...buy, limit_price: away(price, 300) };
    for (const time_in_force of ["ioc", "fok"]) {
      expect(await client.place({ ...far, time_in_force })).toMatchObject({
        status: "canceled",
        filled_qty: "0",
      });
      expect(await client.place({ ...near, time_in_force })).toMatchObject({
        status: "filled",
        filled_qty: "4",
      });
    }
    const close = { symbol: "TSLA", qty: "1", side: "buy", type: "market", time_in_force: "cls" };
    expect(await client.place({ ...close, client_order_id: "close" })).toMatchObject({ status: "new" });
    const money = { symbol: "GOOGL", notional: "500", side: "buy", type: "market", time_in_force: "day" };
    const spent = await client.place(money);
    expect(spent).toMatchObject({ status: "filled", notional: "500" });
    expect(spent.qty ?? null).toBeNull();
    expect(Number(spent.filled_qty) * Number(spent.filled_avg_price)).toBeCloseTo(500, 5);
    const half = { symbol: "GOOGL", qty: 0.1 + 0.2, side: "buy", type: "market", time_in_force: "day" };
    expect(await client.place(half)).toMatchObject({ status: "filled", qty: "0.3", filled_qty: "0.3" });
    const short = { symbol: "META", qty: "3", side: "sell", type: "market", time_in_force: "day" };
    expect(await client.place(short)).toMatchObject({ status: "filled", position_intent: "sell_to_open" });
    expect(await client.position("META")).toMatchObject({
      side: "short",
      qty: "-3",
      asset_class: "us_equity",
    });
  });

  it("by day: brackets that end at the target and at the stop", async () => {
    const { client } = day;
    for (const [target, stop, role] of [
      [4, -300, 0],
      [300, -4, 1],
    ] as const) {
      const price = await day.price("SPY");
      const entry = { symbol: "SPY", qty: "2", side: "buy", type: "market", time_in_force: "gtc" };
      const placed = await client.place({
        ...entry,
        order_class: "bracket",
        take_profit: { limit_price: away(price, target) },
        stop_loss: { stop_price: away(price, stop) },
      });
      expect(placed).toMatchObject({ status: "filled", order_class: "bracket" });
      const [takes, stops] = placed.legs ?? [];
      expect([takes, stops]).toMatchObject([
        { type: "limit", status: "new", side: "sell", order_class: "bracket" },
        { type: "stop", status: "new", position_intent: "sell_to_close" },
      ]);
      if (role === 0) await day.ended(takes);
      else {
        // A stop that follows the price is another order, and still that of the bracket.
        const nearer = await client.replace(stops.id, { stop_price: away(await day.price("SPY"), -2) });
        expect(nearer).toMatchObject({ replaces: stops.id, status: "new", order_class: "bracket" });
        await day.ended(nearer);
      }
      const { legs } = await client.order(placed.id);
      expect(legs?.map(({ status }) => status)).toEqual(
        role === 0 ? ["filled", "canceled"] : ["canceled", "filled"],
      );
      await refusal(client.position("SPY"));
    }
  });

  it("by day: one cancels the other, one triggers the other", async () => {
    const { client } = day;
    const plain = { symbol: "QQQ", qty: "2", time_in_force: "day" };
    await client.place({ ...plain, side: "buy", type: "market" });
    const price = await day.price("QQQ");
    const pair = await client.place({
      ...plain,
      side: "sell",
      type: "limit",
      time_in_force: "gtc",
      order_class: "oco",
      take_profit: { limit_price: away(price, 4) },
      stop_loss: { stop_price: away(price, -200), limit_price: away(price, -250) },
    });
    expect(pair).toMatchObject({ order_class: "oco", type: "limit", legs: [{ type: "stop_limit" }] });
    expect(await refusal(client.place({ ...plain, qty: "1", side: "sell", type: "market" }))).toMatchObject({
      status: 403,
      code: 40310000,
      message: "insufficient qty available for order (requested: 1, available: 0)",
      available: "0",
      existing_qty: "2",
      held_for_orders: "2",
      related_orders: expect.arrayContaining([pair.id, pair.legs?.[0].id]),
      symbol: "QQQ",
    });
    expect(await client.position("QQQ")).toMatchObject({ qty: "2", qty_available: "0" });
    expect((await day.ended(pair)).status).toBe("filled");
    expect(await client.order(String(pair.legs?.[0].id))).toMatchObject({ status: "canceled" });

    const below = away(await day.price("QQQ"), -2);
    const then = await client.place({
      ...plain,
      side: "buy",
      type: "limit",
      limit_price: below,
      order_class: "oto",
      stop_loss: { stop_price: away(Number(below), -300) },
    });
    expect(then).toMatchObject({
      status: "new",
      order_class: "oto",
      legs: [{ status: "held", type: "stop" }],
    });
    expect(await day.ended(then)).toMatchObject({ status: "filled", legs: [{ status: "new" }] });
  });

  it("by day: what waits for an entry goes with it", async () => {
    const { client } = day;
    const price = await day.price("SPY");
    const entry = await client.place({
      ...{ symbol: "SPY", qty: "1", side: "buy", type: "limit", time_in_force: "gtc" },
      ...{ limit_price: away(price, -500), order_class: "bracket" },
      take_profit: { limit_price: away(price, 500) },
      stop_loss: { stop_price: away(price, -900) },
    });
    expect(entry.legs?.map(({ status }) => status)).toEqual(["held", "held"]);
    await client.cancel(entry.id);
    const { status, legs } = await client.order(entry.id);
    expect([status, ...(legs ?? []).map((leg) => leg.status)]).toEqual(["canceled", "canceled", "canceled"]);
  });

  it("by day: coins", async () => {
    const { client } = day;
    const coin = { symbol: "BTC/USD", qty: "0.01", side: "buy", type: "market" };
    expect(await refusal(client.place({ ...coin, time_in_force: "day" }))).toMatchObject({
      status: 422,
      code: 42210000,
      message: "invalid crypto time_in_force",
    });
    expect(await client.place({ ...coin, time_in_force: "gtc" })).toMatchObject({
      status: "filled",
      symbol: "BTC/USD",
      asset_class: "crypto",
    });
    expect(await client.position("BTCUSD")).toMatchObject({
      symbol: "BTCUSD",
      exchange: "CRYPTO",
      qty: "0.01",
    });
    const more = { ...coin, side: "sell", qty: "0.02", time_in_force: "gtc" };
    expect(await refusal(client.place(more))).toMatchObject({ status: 403, code: 40310000 });
    expect(await client.closePosition("BTCUSD")).toMatchObject({ status: "filled", side: "sell" });
  });

  it("after the close: orders for the day have ended, and the account adds up", async () => {
    const { client } = day;
    const resting = { symbol: "NVDA", qty: "1", side: "buy", type: "limit", limit_price: "1.5" };
    const lasting = await client.place({ ...resting, time_in_force: "gtc" });
    const daily = await client.place({ ...resting, time_in_force: "day" });
    const late = await client.place({ ...resting, time_in_force: "day", extended_hours: true });
    const close = await client.place({
      symbol: "TSLA",
      qty: "1",
      side: "buy",
      type: "market",
      time_in_force: "cls",
    });
    await day.at("20:20:00");
    expect(await client.order(close.id)).toMatchObject({ status: "filled" });
    expect(await client.order(daily.id)).toMatchObject({ status: "expired", expired_at: expect.anything() });
    expect(await client.order(late.id)).toMatchObject({ status: "new" });
    expect(await client.order(lasting.id)).toMatchObject({ status: "new" });
    const early = await client.orderByClientId("early");
    expect(await client.cancelAll()).toEqual([early, lasting, late].map(({ id }) => ({ id, status: 200 })));
    expect(day.answers.at(-1)?.status).toBe(207);
    const account = await client.account();
    const figures = [account.cash, account.long_market_value, account.short_market_value].map(Number);
    expect(figures.reduce((sum, figure) => sum + figure)).toBeCloseTo(Number(account.equity), 2);
    expect(figures[2]).toBeLessThan(0);
  });

  it("was told every transition of every order, once and in order", () => expectTold(day));

  it("was answered as the vendor's document says", () =>
    expectVendorShapes(day, ["PATCH 200", "DELETE 200", "DELETE 204", "DELETE 207"]));
});
