import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { candlesFromRows, sliceCandles } from "../../src/core/market/candles.js";
import {
  CONFIRMATION_REFUSALS,
  type ConfirmationRefusal,
  createConfirmations,
} from "../../src/features/risk/confirmation.js";
import { DEFAULT_RISK_SETTINGS } from "../../src/features/risk/settings.js";
import { spreadOf } from "../../src/features/risk/spread.js";
import { expectProblem } from "../fixtures/expect-problem.js";
import type { TestProgram } from "../fixtures/program.js";
import { startScannedProgram } from "../fixtures/scanned.js";

let program: TestProgram;
let price: number;
beforeAll(async () => {
  program = await startScannedProgram();
  // The files end long ago; redemptions are by the clock of the database.
  const { quotes } = program.parts;
  const { load } = quotes;
  vi.spyOn(quotes, "load").mockImplementation(async (instrument) => ({
    ...(await load(instrument)),
    stale: false,
    ageMs: 60_000,
  }));
  price = (await (await program.call("/api/market/AAPL")).json()).data.price;
});
afterAll(() => program.close());

const post = (url: string, payload: object) => program.call({ method: "POST", url, payload });
const cents = (amount: number) => Math.round(100 * amount) / 100;
const plan = (change: object = {}) => ({
  symbol: "aapl",
  side: "BUY",
  entry: price,
  stop_loss: cents(0.9 * price),
  take_profit: cents(1.3 * price),
  quantity: 1,
  ...change,
});
const orderOf = ({ symbol, side, entry, stop_loss, take_profit, quantity }: ReturnType<typeof plan>) => ({
  ...{ symbol, side, entry, stop_loss, take_profit, quantity },
});

describe("POST /api/risk/pre-trade-check", () => {
  it("200 holds an order against market and settings, and gives a token when it passes", async () => {
    const { data } = (await post("/api/risk/pre-trade-check", plan())).json();
    expect(data).toMatchObject({
      symbol: "AAPL",
      side: "buy",
      current_price: price,
      approved: true,
      refusals: [],
      recommendation_level: expect.toBeOneOf(["info", "caution"]),
      synthetic: false,
      historical: { failure_rate: null, reason: expect.any(String) },
    });
    expect(data.rr).toBeCloseTo((data.take_profit - price) / (price - data.stop_loss), 9);
    expect(data.rr).toBeCloseTo(3, 1);
    expect(data.atr).toBeGreaterThan(0);
    // Its source tells neither bid and ask nor minutes.
    expect(data).toMatchObject({ spread_estimate_bps: null, spread_from: null, slippage_estimate_bps: null });
    expect(data.risk_confirmation_token).toMatch(/^[\w-]+\.[\w-]{43}$/);
    const lifeMs = Date.parse(data.token_expires_at) - Date.parse(data.timestamp);
    // The answer is made a little later than the token.
    expect(lifeMs).toBeLessThanOrEqual(300_000);
    expect(lifeMs).toBeGreaterThan(299_000);
    expect(Date.parse(data.timestamp_eat)).toBe(Date.parse(data.timestamp));
    expect(data.unchecked).toContain("open_positions_exceeded");
    expect(data).toMatchObject({ complete: false, verdict: "approved_in_part", stop_loss_from: "order" });
    expect(data.summary).toMatch(/Not looked at.*: .*open positions exceeded/);
    const { token, ...order } = { token: data.risk_confirmation_token, ...orderOf(plan()) };
    const redeemed = (await post("/api/risk/confirmations", { token, ...order })).json().data;
    expect(redeemed).toMatchObject({ accepted: true, complete: false, unchecked: data.unchecked });
  });

  it("200 refuses by a price that is too old to trade by", async () => {
    const quote = await program.parts.quotes.load(await program.parts.instruments.resolve("AAPL"));
    const old = { ...quote, stale: true, ageMs: 365 * 86_400_000 };
    vi.mocked(program.parts.quotes.load).mockResolvedValueOnce(old);
    const { data } = (await post("/api/risk/pre-trade-check", plan())).json();
    expect(data).toMatchObject({ approved: false, verdict: "refused", risk_confirmation_token: null });
    expect(data.refusals).toMatchObject([{ code: "price_too_old", value: 365, limit: 14 }]);
    expect(data.warnings.map(({ code }: { code: string }) => code)).toContain("price_stale");
  });

  it("200 names what refuses an order, and gives no token", async () => {
    const { data } = (
      await post("/api/risk/pre-trade-check", plan({ stop_loss: cents(1.1 * price), quantity: 1e6 }))
    ).json();
    expect(data.refusals.map(({ code }: { code: string }) => code)).toEqual([
      "stop_on_wrong_side",
      "position_too_large",
    ]);
    expect(data).toMatchObject({
      approved: false,
      risk_confirmation_token: null,
      recommendation_level: "high_risk",
      risk_score: 100,
    });
  });

  it("200 takes the price now without an entry, and the equity of the caller for shares of it", async () => {
    const { data } = (
      await post("/api/risk-assessment", plan({ entry: undefined, account_size: 5 * price, quantity: 2 }))
    ).json();
    expect(data.entry).toBe(price);
    expect(data.refusals.map(({ code }: { code: string }) => code)).toEqual(["risk_per_trade_exceeded"]);
  });

  it.each<[string, object, string]>([
    ["no quantity", { quantity: 0 }, "quantity"],
    ["a side that is none", { side: "hold" }, "side"],
    ["a price below 0", { stop_loss: -1 }, "stop_loss"],
    ["a time to live beyond half an hour", { ttl_seconds: 1_801 }, "ttl_seconds"],
  ])("400 for %s", async (_, change, field) => {
    expectProblem(await post("/api/risk/pre-trade-check", plan(change)), "invalid_request", field);
  });

  it("404 for a pattern and a symbol that there are not", async () => {
    expectProblem(await post("/api/risk/pre-trade-check", plan({ pattern_type: "moon" })), "pattern_unknown");
    expectProblem(await post("/api/risk/pre-trade-check", plan({ symbol: "NOSUCH" })), "symbol_unknown");
  });
});

describe("an estimate of spread and slippage", () => {
  const minutes = candlesFromRows(
    "AAPL",
    "1m",
    Array.from({ length: 50 }, (_, i) => {
      const close = i % 2 === 0 ? 100 : 100.1;
      return { time: i * 60_000, open: close, high: close * 1.002, low: close * 0.998, close, volume: 1 };
    }),
  );

  it("is that of the quote, and half of it slips where no minutes are known", () => {
    expect(spreadOf({ bid: 99.95, ask: 100.05 }, null)).toEqual({
      spreadBps: expect.closeTo(10, 9),
      spreadFrom: "quote",
      slippageBps: expect.closeTo(5, 9),
    });
    expect(spreadOf({ bid: 100, ask: 100.001 }, null).slippageBps).toBe(0.5);
  });

  it("is a quarter of the range of minutes, whose deviation slips too", () => {
    const { spreadBps, spreadFrom, slippageBps } = spreadOf({ bid: null, ask: null }, minutes);
    expect([spreadBps, spreadFrom]).toEqual([expect.closeTo(0.25 * 40, 9), "bars"]);
    const change = 1e4 * Math.log(100.1 / 100);
    // 25 changes up and 24 down.
    const deviation = Math.sqrt(change ** 2 - (change / 49) ** 2);
    expect(slippageBps).toBeCloseTo(5 + 0.1 * deviation, 9);
  });

  it("is null for a crossed quote and too few minutes", () => {
    const unknown = { spreadBps: null, spreadFrom: null, slippageBps: null };
    expect(spreadOf({ bid: 101, ask: 100 }, sliceCandles(minutes, 0, 19))).toEqual(unknown);
  });
});

describe("POST /api/risk/confirmations", () => {
  const tokenFor = async (body: object) =>
    (await post("/api/risk/pre-trade-check", body)).json().data.risk_confirmation_token as string;
  const redeem = (token: string, order: object) => post("/api/risk/confirmations", { token, ...order });

  it("200 once for the order, within half a percent of its prices; 409 the second time", async () => {
    const token = await tokenFor(plan());
    const nearly = { ...orderOf(plan()), entry: 1.004 * price };
    expect((await redeem(token, nearly)).json()).toMatchObject({
      success: true,
      data: { accepted: true, symbol: "AAPL" },
    });
    expectProblem(await redeem(token, orderOf(plan())), "confirmation_refused", "already_used");
  });

  it("200 for one of many that use it at once", async () => {
    const token = await tokenFor(plan());
    const answers = await Promise.all(Array.from({ length: 8 }, () => redeem(token, orderOf(plan()))));
    expect(answers.filter(({ statusCode }) => statusCode === 200)).toHaveLength(1);
    expect(answers.filter(({ statusCode }) => statusCode === 409)).toHaveLength(7);
  });

  it("409 with the reason for every other use", async () => {
    const { clock } = program.parts;
    const order = orderOf(plan());
    const token = await tokenFor(plan());
    const [body, mac] = token.split(".");
    const flipped = `${body.slice(0, -1)}${body.endsWith("A") ? "B" : "A"}`;
    const tried: Partial<Record<ConfirmationRefusal, [string, object]>> = {
      malformed: ["abc", order],
      altered: [`${flipped}.${mac}`, order],
      other_symbol: [token, { ...order, symbol: "BTC" }],
      other_side: [token, { ...order, side: "sell" }],
      other_prices: [token, { ...order, stop_loss: 0.8 * price }],
      larger_quantity: [token, { ...order, quantity: 1.01 }],
    };
    for (const [reason, [given, changed]] of Object.entries(tried)) {
      expectProblem(await redeem(given, changed), "confirmation_refused", reason);
    }
    expectProblem(
      await redeem(token, { ...order, take_profit: null }),
      "confirmation_refused",
      "other_prices",
    );
    // Nothing of this has used it up.
    expect((await redeem(token, order)).statusCode).toBe(200);
    const secret = new Uint8Array(32).fill(7);
    const own = { symbol: "AAPL", side: "buy", entry: 1, stop: null, target: null, quantity: 1 } as const;
    const first = createConfirmations(secret, () => 0).issue("ann", own, 60_000);
    expect(createConfirmations(secret, () => 59_999).examine(first.token, "ann", own).refusal).toBeNull();
    const refusal = (at: number, user: string) =>
      createConfirmations(secret, () => at).examine(first.token, user, own).refusal;
    expect([refusal(60_000, "ann"), refusal(0, "bob")]).toEqual(["expired", "other_user"]);
    const tight = { ...own, entry: 100, stop: 99.5, target: 101 };
    const second = createConfirmations(secret, () => 0).issue("ann", tight, 60_000);
    const against = (change: object) =>
      createConfirmations(secret, () => 0).examine(second.token, "ann", { ...tight, ...change }).refusal;
    expect(against({ entry: 99.98 })).toBeNull();
    // Within half a percent of the price, and thrice the risk, a stop above a long entry, a target below it.
    expect(against({ entry: 100.49, stop: 99.01 })).toBe("other_prices");
    expect(against({ entry: 99.5, stop: 99.9 })).toBe("other_prices");
    expect(against({ entry: 100.5, stop: 100.1, target: 100.495 })).toBe("other_prices");
    const other = createConfirmations(new Uint8Array(32).fill(8), () => 0).examine(first.token, "ann", own);
    expect(other.refusal).toBe("altered");
    const seen = new Set([...Object.keys(tried), "expired", "other_user", "already_used"]);
    expect(CONFIRMATION_REFUSALS.filter((reason) => !seen.has(reason))).toEqual([]);
    expect(clock.now()).toBeGreaterThan(0);
  });
});

describe("a token", () => {
  it("passes in the text that was issued alone, whatever else is read as the same bytes", () => {
    const desk = createConfirmations(new Uint8Array(32).fill(9), () => 0);
    const own = { symbol: "AAPL", side: "buy", entry: 1, stop: null, target: null, quantity: 1 } as const;
    const { token } = desk.issue("ann", own, 60_000);
    const refusal = (text: string) => desk.examine(text, "ann", own).refusal;
    expect(refusal(token)).toBeNull();
    const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    const [body, mac] = token.split(".");
    const last = letters.indexOf(mac.at(-1) ?? "");
    // 32 bytes are 43 letters, the last of which has two bits that stand for nothing.
    const alike = [1, 2, 3].map((bits) => mac.slice(0, -1) + letters[last ^ bits]);
    for (const each of alike) expect(Buffer.from(each, "base64url")).toEqual(Buffer.from(mac, "base64url"));
    for (const each of [...alike, `${mac}=`, `${mac}!!`, `${mac} `, ` ${mac}`, mac.replace(/^./, "$& ")]) {
      expect(refusal(`${body}.${each}`), each).toBe("altered");
    }
    for (const each of [`${body}=`, `${body}!!`, ` ${body}`, `${body} `]) {
      expect(refusal(`${each}.${mac}`), each).toBe("altered");
    }
    expect(refusal(`${token}.`)).toBe("malformed");
  });
});

describe("POST /api/position-sizing", () => {
  it("200 sizes by each method, within the caller's limits", async () => {
    const sizing = { account_size: 10_000, entry: 100, stop_loss: 95, risk_pct: 2 };
    const size = async (change: object = {}) =>
      (await post("/api/position-sizing", { ...sizing, ...change })).json().data;
    expect(await size()).toMatchObject({ quantity: 40, notional: 4_000, risk_amount: 200, kelly: null });
    expect(await size({ risk_pct: undefined })).toMatchObject({ quantity: 20 });
    expect(await size({ method: "volatility", atr: 5 })).toMatchObject({ quantity: 20, stop_distance: 10 });
    expect((await size({ method: "volatility", symbol: "AAPL" })).stop_distance).toBeGreaterThan(0);
    expect(await size({ method: "kelly", win_rate: 40, payoff: 1 })).toMatchObject({ quantity: 0 });
    expect(await size({ account_size: 1e6 })).toMatchObject({ quantity: 100, uncapped_quantity: 4_000 });
  });

  it("200 takes price and stop from the symbol where they are not given", async () => {
    const body = { symbol: "AAPL", account_size: 10_000, risk_pct: 1 };
    const { data } = (await post("/api/position-sizing", body)).json();
    expect(data.entry).toBe(price);
    expect(data.stop_distance).toBeCloseTo(data.entry - data.stop_loss, 9);
    expect(data.risk_amount).toBeCloseTo(Math.min(100, data.quantity * data.stop_distance), 6);
    const { data: wide } = (await post("/api/position-sizing", { ...body, atr: 10 })).json();
    expect(wide.stop_distance).toBeCloseTo(15, 9);
    const { data: alone } = (
      await post("/api/position-sizing", { account_size: 10_000, entry: 100, atr: 2 })
    ).json();
    expect(alone).toMatchObject({ entry: 100, stop_loss: 97 });
  });

  it.each<[string, object, string]>([
    ["a stop at the entry", { stop_loss: 100 }, "stop_loss"],
    ["Kelly without odds", { method: "kelly" }, "win_rate"],
    ["volatility without a range", { method: "volatility" }, "atr"],
    ["no entry and no symbol", { entry: undefined }, "entry"],
    ["no stop, no symbol and no range", { stop_loss: undefined }, "stop_loss"],
    ["a range that leaves no stop", { stop_loss: undefined, atr: 90 }, "stop_loss"],
    ["odds that the method does not look at", { win_rate: 40, payoff: 1 }, "win_rate"],
  ])("400 for %s", async (_, change, field) => {
    const body = { account_size: 1_000, entry: 100, stop_loss: 95, ...change };
    expectProblem(await post("/api/position-sizing", body), "invalid_request", field);
  });
});

describe("/api/risk-settings", () => {
  const settings = async () => (await program.call("/api/risk-settings")).json().data;

  it("200 gives the defaults, and after a change the change and what was before", async () => {
    expect(await settings()).toEqual(DEFAULT_RISK_SETTINGS);
    const change = { max_position_size: 250, confidence_threshold: 0.4, enable_take_profit: false };
    const saved = (await post("/api/risk-settings", change)).json().data;
    expect(saved).toEqual({ ...DEFAULT_RISK_SETTINGS, ...change });
    expect(await settings()).toEqual(saved);
    const { data } = (
      await post("/api/risk/pre-trade-check", plan({ quantity: Math.ceil(300 / price) }))
    ).json();
    expect(data.refusals).toMatchObject([
      { code: "confidence_unknown", value: null, limit: 0.4 },
      { code: "position_too_large", limit: 250 },
    ]);
    expect(data).toMatchObject({ approved: false, risk_confirmation_token: null });
    expect((await post("/api/risk-settings", { max_position_size: 9_000 })).json().data).toEqual({
      ...saved,
      max_position_size: 9_000,
    });
    // Clients send the whole object back.
    expect((await post("/api/risk-settings", saved)).json().data).toEqual(saved);
  });

  it("200 places the stop of an order without one where the settings say so", async () => {
    const without = plan({ stop_loss: undefined });
    const before = (await post("/api/risk/pre-trade-check", without)).json().data;
    expect(before).toMatchObject({ stop_loss: null, stop_loss_from: null, approved: false });
    await post("/api/risk-settings", {
      enable_auto_stop_loss: true,
      stop_loss_percentage: 4,
      confidence_threshold: null,
    });
    for (const [side, stop] of [
      ["buy", Math.floor(96 * price) / 100],
      ["sell", Math.ceil(104 * price) / 100],
    ] as const) {
      const body = { ...without, side, take_profit: cents((side === "buy" ? 1.3 : 0.7) * price) };
      const { data } = (await post("/api/risk/pre-trade-check", body)).json();
      expect(data).toMatchObject({ stop_loss: expect.closeTo(stop, 9), stop_loss_from: "settings" });
      expect(data).toMatchObject({ approved: true });
      const own = { ...body, stop_loss: data.stop_loss };
      const token = data.risk_confirmation_token;
      expect((await post("/api/risk/confirmations", { ...orderOf(own), token })).statusCode).toBe(200);
    }
    await post("/api/risk-settings", { enable_auto_stop_loss: false, stop_loss_percentage: 2 });
  });

  it.each<[string, object]>([
    ["max_open_positions", { max_open_positions: 21 }],
    ["stop_loss_percentage", { stop_loss_percentage: 0.4 }],
    ["leverage", { leverage: 100 }],
    ["at least one", {}],
  ])("400 for %s", async (field, change) => {
    expectProblem(await post("/api/risk-settings", change), "invalid_request", field);
  });
});
