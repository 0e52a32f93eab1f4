import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { drawWord, hash32 } from "../../src/core/base/rng.js";
import { createManualClock, type ManualClock } from "../fixtures/clock.js";
import { startTestProgram, type TestProgram } from "../fixtures/program.js";
import { ROOMY } from "../fixtures/roomy-settings.js";

/** A Wednesday: New York trades from 13:30 to 20:00 UTC. */
const NOW = Date.UTC(2024, 9, 2, 16, 7, 30);
const ACCOUNTS = "/api/paper-trade/accounts";

let program: TestProgram;
let clock: ManualClock;
let price: number;
beforeAll(async () => {
  clock = createManualClock(NOW);
  program = await startTestProgram({ clock });
  await call("POST", "/api/risk-settings", ROOMY);
  // Without spread and slippage a fill is at the price itself.
  price = (await buy(await open({}), 1)).average_price;
});
afterAll(() => program.close());

async function call(method: "GET" | "POST", url: string, payload?: object) {
  const answer = await program.call({ method, url, ...(payload === undefined ? {} : { payload }) });
  return { status: answer.statusCode, ...answer.json() };
}

interface Bar {
  readonly open: number;
  readonly high: number;
  readonly low: number;
  readonly volume: number;
}

let opened = 0;
async function open(terms: object): Promise<string> {
  const account = { name: `Account ${++opened}`, cash: 50_000, spread_bps: 0, ...terms };
  const made = await call("POST", ACCOUNTS, account);
  expect(made.status, JSON.stringify(made)).toBe(201);
  return made.data.id;
}

async function trade(account_id: string, side: "buy" | "sell", quantity: number, change: object = {}) {
  const order = { symbol: "AAPL", side, quantity, account_id, ...change };
  const placed = await call("POST", "/api/paper-trade/orders", order);
  expect(placed.status, JSON.stringify(placed)).toBe(201);
  return placed.data;
}
const buy = (account: string, quantity: number) => trade(account, "buy", quantity);
const minutes = async (from: string, to: string) =>
  (await call("GET", `/api/historical/AAPL?interval=1m&from=${from}&to=${to}`)).data.candles as Bar[];

/** Dollars to the millionth, half up. */
const micros = (amount: number) => Math.round(amount * 1e6 + 1e-6) / 1e6;
/** To the cent above. */
const centsUp = (amount: number) => Math.ceil(amount * 100 - 1e-7) / 100;

describe("a commission", () => {
  it("per share has a minimum and a cap", async () => {
    const id = await open({
      commission: { kind: "per_share", amount: 0.01, minimum: 1, maximum_rate: 0.001 },
    });
    // 200 times a cent; the minimum; and a thousandth of the value where the minimum is more than that.
    expect((await buy(id, 200)).fees).toBe(2);
    expect((await buy(id, 30)).fees).toBe(1);
    expect((await buy(id, 1)).fees).toBe(micros(0.001 * price));
  });

  it("in percent has a minimum", async () => {
    const id = await open({ commission: { kind: "percent", rate: 0.001, minimum: 0.5 } });
    expect((await buy(id, 100)).fees).toBe(micros(0.001 * 100 * price));
    expect((await buy(id, 1)).fees).toBe(0.5);
  });

  it("of a maker and of a taker differ", async () => {
    const id = await open({ commission: { kind: "maker_taker", maker_rate: 0.0002, taker_rate: 0.001 } });
    expect((await buy(id, 10)).fees).toBe(micros(0.001 * 10 * price));
    const limit = Math.round(99 * price) / 100;
    const resting = await trade(id, "buy", 10, { type: "limit", limit_price: limit, time_in_force: "gtc" });
    expect(resting.state).toBe("new");
    // Of what rests and is met later, by bars within the day.
    for (let hour = 0; hour < 72; hour++) {
      clock.advance(3_600_000);
      await program.parts.paper.matching.run(id);
      const { data } = await call("GET", `/api/paper-trade/orders/${resting.id}?account_id=${id}`);
      if (data.state !== "filled") continue;
      expect(data.average_price).toBeLessThanOrEqual(limit);
      expect(data.fees).toBe(micros(0.0002 * 10 * data.average_price));
      clock.advance(NOW - clock.now());
      return;
    }
    throw new Error("the price did not come down by one percent in three days");
  });

  it("of Indian options is charged item by item, at its own rates or at those that are said", async () => {
    const id = await open({ commission: { kind: "indian_options" } });
    const value = 10 * price;
    const brokerage = micros(Math.min(20, 0.0005 * value));
    const exchange = micros(0.00053 * value);
    const common = brokerage + exchange + micros(0.18 * (brokerage + exchange)) + micros(0.000001 * value);
    expect((await buy(id, 10)).fees).toBeCloseTo(common + micros(0.00003 * value), 6);
    expect((await trade(id, "sell", 10)).fees).toBeCloseTo(common + micros(0.000625 * value), 6);
    const capped = await open({
      commission: {
        kind: "indian_options",
        brokerage_cap: 0.1,
        exchange_rate: 0,
        gst_rate: 0,
        sebi_rate: 0,
        stamp_rate: 0,
      },
    });
    expect((await buy(capped, 10)).fees).toBe(0.1);
  });
});

describe("slippage", () => {
  it("fixed moves the price by basis points, to the cent against the taker", async () => {
    const id = await open({ slippage: { kind: "fixed", bps: 25 } });
    expect((await buy(id, 1)).average_price).toBe(centsUp(price * 1.0025));
  });

  it("by volatility is a share of the range of the last minutes", async () => {
    const id = await open({ slippage: { kind: "volatility", share: 0.5, else_bps: 40 } });
    const bars = await minutes("2024-10-02T15:53:00Z", "2024-10-02T16:07:00Z");
    expect(bars).toHaveLength(14);
    const range = bars.reduce((sum, { high, low }) => sum + (high - low) / 14, 0);
    expect((await buy(id, 1)).average_price).toBe(centsUp(price + 0.5 * range));
  });

  it("by the share of the last minute's volume, of which orders take no more than their share together", async () => {
    const id = await open({ slippage: { kind: "volume_share", impact: 0.5 }, volume_share: 0.01 });
    const [{ volume }] = await minutes("2024-10-02T16:06:00Z", "2024-10-02T16:07:00Z");
    const least = Math.floor(0.01 * volume);
    const large = await buy(id, least + 10);
    expect(large).toMatchObject({ state: "partially_filled", filled: least });
    expect(large.average_price).toBe(centsUp(price * (1 + 0.5 * (least / volume) ** 2)));
    expect(await trade(id, "buy", 1, { time_in_force: "ioc" })).toMatchObject({ state: "canceled" });
    clock.advance(60_000);
    await program.parts.paper.matching.run(id);
    const later = await call("GET", `/api/paper-trade/orders/${large.id}?account_id=${id}`);
    expect(later.data.state).toBe("filled");
    clock.advance(NOW - clock.now());
  });

  it("varies by the seed and the fill alone", async () => {
    const id = await open({ slippage: { kind: "fixed", bps: 200 }, jitter_seed: 7 });
    const { id: order, average_price: paid, filled_at: at } = await buy(id, 1);
    const draw = drawWord(7, hash32(`${order}|q${Date.parse(at)}`), 0) / 2 ** 31;
    expect(paid).toBe(centsUp(price * (1 + 0.02 * draw)));
  });

  it("by the share of the volume and by the range moves the price of a bar", async () => {
    const later = { symbol: "AAPL", side: "buy", quantity: 150 };
    const shares = await open({ slippage: { kind: "volume_share", impact: 0.5 }, volume_share: null });
    const ranges = await open({ slippage: { kind: "volatility", share: 0.5 } });
    // After the close orders wait for the first bar of the next day.
    clock.advance(5 * 3_600_000);
    const orders: { account: string; id: string }[] = [];
    for (const account of [shares, ranges]) {
      const { data } = await call("POST", "/api/paper-trade/orders", { ...later, account_id: account });
      expect(data.state).toBe("accepted");
      orders.push({ account, id: data.id });
    }
    clock.advance(17 * 3_600_000);
    const [bar] = await minutes("2024-10-03T13:30:00Z", "2024-10-03T13:31:00Z");
    const before = await minutes("2024-10-02T19:46:00Z", "2024-10-02T20:00:00Z");
    expect(before).toHaveLength(14);
    const [byVolume, byRange] = await Promise.all(
      orders.map(async ({ account, id }) => {
        await program.parts.paper.matching.run(account);
        return (await call("GET", `/api/paper-trade/orders/${id}?account_id=${account}`)).data;
      }),
    );
    expect(byVolume.state).toBe("filled");
    const share = Math.min(1, 150 / bar.volume);
    expect(byVolume.average_price).toBe(centsUp(bar.open * (1 + 0.5 * share * share)));
    const range = before.reduce((sum, { high, low }) => sum + (high - low) / 14, 0);
    expect(byRange.average_price).toBe(centsUp(bar.open + 0.5 * range));
    clock.advance(NOW - clock.now());
  });
});

describe("the terms of an account", () => {
  const TERMS = {
    commission: { kind: "per_share", amount: 0.005, minimum: 1, maximum_rate: null },
    slippage: { kind: "volume_share", impact: 0.1 },
    jitter_seed: 11,
    borrow_rate: 0.25,
    interest_rate: 0.09,
  };

  it("200, 201 are shown, and kept by a reset unless others are said", async () => {
    const id = await open(TERMS);
    const shown = { ...TERMS, slippage_bps: null, commission_percent: null };
    expect((await call("GET", `${ACCOUNTS}/${id}`)).data).toMatchObject(shown);
    const again = await call("POST", `${ACCOUNTS}/${id}/reset`, {});
    expect(again.data).toMatchObject(shown);
    const other = await call("POST", `${ACCOUNTS}/${again.data.id}/reset`, { commission_percent: 0.1 });
    expect(other.data).toMatchObject({
      ...TERMS,
      commission: { kind: "percent", rate: 0.001, minimum: 0 },
      commission_percent: 0.1,
    });
  });

  it("201 are said in the older words too, and 400 not in both", async () => {
    const id = await open({ slippage_bps: 5, commission_percent: 0 });
    expect((await call("GET", `${ACCOUNTS}/${id}`)).data).toMatchObject({
      slippage: { kind: "fixed", bps: 5 },
      slippage_bps: 5,
      commission: { kind: "none" },
      commission_percent: 0,
      jitter_seed: null,
      borrow_rate: 0.01,
      interest_rate: 0.07,
    });
    const both = { name: "Both", slippage_bps: 5, slippage: { kind: "none" } };
    expect(await call("POST", ACCOUNTS, both)).toMatchObject({ status: 400, code: "invalid_request" });
  });

  it.each([
    { commission: { kind: "percent", rate: 0.06 } },
    { commission: { kind: "percent", rate: -0.01 } },
    { commission: { kind: "percent", rate: 0.00000000015 } },
    { commission: { kind: "per_share", amount: 101 } },
    { commission: { kind: "per_share", amount: 0.01, minimum: 1_001 } },
    { commission: { kind: "maker_taker", maker_rate: 0.001 } },
    { commission: { kind: "indian_options", gst_rate: 1.1 } },
    { commission: { kind: "none", rate: 1 } },
    { commission: { kind: "free" } },
    { slippage: { kind: "fixed", bps: 1_001 } },
    { slippage: { kind: "volume_share", impact: 101 } },
    { slippage: { kind: "volatility", share: -1 } },
    { jitter_seed: 1.5 },
    { jitter_seed: 2 ** 32 },
    { borrow_rate: -0.1 },
    { interest_rate: 11 },
  ])("400 $#: %j", async (terms) => {
    expect(await call("POST", ACCOUNTS, { name: "Wrong", ...terms })).toMatchObject({ status: 400 });
  });

  it("charge what a short position borrows at their own rate", async () => {
    const id = await open({ borrow_rate: 0.36 });
    await trade(id, "sell", 10);
    await program.parts.paper.matching.run(id);
    const before = (await call("GET", `/api/paper-trades?account_id=${id}`)).portfolio.cash;
    clock.advance(86_400_000);
    await program.parts.paper.matching.run(id);
    const events = await program.parts.paper.ledger.look(id, (_desk, { history }) => [...history.postings]);
    const [fee] = events.filter(({ event }) => event === "borrow");
    expect(fee?.facts.rate).toBe(0.36);
    const { cash } = (await call("GET", `/api/paper-trades?account_id=${id}`)).portfolio;
    // A thousandth of the worth a night, of a year of 360 days.
    expect(before - cash).toBeCloseTo(0.001 * 10 * Number(fee?.facts.mark), 5);
    clock.advance(NOW - clock.now());
  });
});
