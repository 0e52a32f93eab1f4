import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { dateOf, dayOf } from "../../src/core/market/day.js";
import { writeMarketFiles } from "../fixtures/candle-files.js";
import { expectProblem } from "../fixtures/expect-problem.js";
import { ADMIN_KEY } from "../fixtures/keyed.js";
import { modelChain, recordedBody } from "../fixtures/options.js";
import { startTestProgram, type TestProgram } from "../fixtures/program.js";

const TIME = Date.parse("2024-07-09T15:00:00Z");
const DAY = 86_400_000;
const EXPIRIES = ["2024-07-12", "2024-07-19", "2024-08-16"].map(dayOf);
const folder = mkdtempSync(join(tmpdir(), "tx-options-"));

let program: TestProgram;
let synthetic: TestProgram;

/** Puts outweigh calls two to one, most of both at strikes that are known. */
const openInterest = (strike: number, right: "call" | "put") => {
  if (right === "call") return strike === 220 ? 500 : 100;
  return strike === 180 ? 1_000 : 200;
};
const body = (change: object = {}) =>
  recordedBody({
    ...modelChain({
      underlying: "AAPL",
      time: TIME,
      spot: 200,
      volatility: 0.25,
      expiries: EXPIRIES,
      openInterest,
    }),
    ...change,
  });

beforeAll(async () => {
  const environment = { MARKET_DATA: "files", FILES_DIR: writeMarketFiles(folder) };
  program = await startTestProgram({ environment: { ...environment, OPTION_RATES: "USD=0.04" } });
  synthetic = await startTestProgram();
  for (const time of [TIME - DAY, TIME]) expect((await post(body({ time }))).statusCode).toBe(200);
});
afterAll(async () => {
  await Promise.all([program.close(), synthetic.close()]);
  rmSync(folder, { recursive: true, force: true });
});

const post = (payload: object, to: TestProgram = program) =>
  to.call({ method: "POST", url: "/api/options/snapshots", payload });
const get = async (url: string) => {
  const answer = await program.call(url);
  expect(answer.statusCode, answer.body).toBe(200);
  return answer.json().data;
};

const SYMBOL_ROUTES = ["chain", "analytics", "expiries", "snapshots", "history"];
describe.each(SYMBOL_ROUTES)("GET /api/options/%s/:symbol", (name) => {
  it.each([
    ["symbol_invalid", "%24%24"],
    ["symbol_unknown", "VOD.L"],
    ["invalid_request", "A".repeat(41)],
    ["invalid_request", "%00"],
  ] as const)("%s for %s", async (code, symbol) => {
    expectProblem(await program.call(`/api/options/${name}/${symbol}`), code);
  });

  it("400 names a parameter that it does not know", async () => {
    expectProblem(
      await program.call(`/api/options/${name}/AAPL?apikey=1`),
      "invalid_request",
      "query apikey",
    );
  });
});

describe("GET /api/options/chain/:symbol", () => {
  it("200 has strikes with prices, open interest, volatilities and greeks, and says where they come from", async () => {
    const data = await get("/api/options/chain/AAPL?dividend_yield=0&rate=0&filter=false");
    expect(data).toMatchObject({
      symbol: "AAPL",
      spot: 200,
      source: "recorded",
      synthetic: false,
      loaded: true,
      as_of: "2024-07-09T15:00:00.000Z",
      stale: true,
      trouble: "No configured source lists options on AAPL",
      expiry: "2024-07-12",
      previous_oi_from: "snapshot",
      pricing: { cut_off: "2024-07-12T20:00:00.000Z", price: "mid", rate: 0, rate_from: "request" },
    });
    expect(data.strikes).toHaveLength(9);
    const { call, put } = data.strikes[4];
    expect(call).toMatchObject({
      oi: 100,
      prev_oi: 100,
      oi_change: 0,
      iv_from: "price",
      greeks_from: "model",
    });
    expect(call.iv).toBeCloseTo(0.25, 9);
    expect(put.iv).toBeCloseTo(0.25, 9);
    expect(call.delta - put.delta).toBeCloseTo(1, 9);
    expect(call.gamma).toBeCloseTo(put.gamma, 12);
    expect(call.theta).toBeLessThan(0);
    // A spot that moves by one cent moves the price by its delta.
    const priced = async (spot: number) =>
      (
        await get(
          `/api/options/price?right=call&spot=${spot}&strike=200&years=${data.pricing.years}&volatility=0.25`,
        )
      ).price;
    expect((await priced(200.01)) - (await priced(199.99))).toBeCloseTo(0.02 * call.delta, 7);
  });

  it("200 takes the configured rate and put-call parity where nothing is said", async () => {
    const { pricing } = await get("/api/options/chain/AAPL?expiry=2024-08-16");
    expect(pricing).toMatchObject({
      rate: 0.04,
      rate_from: "configuration",
      dividend_yield_from: "put-call parity",
    });
    // The prices were made without interest, which a yield of the same size makes up for.
    expect(pricing.dividend_yield).toBeCloseTo(0.04, 6);
  });

  it("200 filters by the rules of the request and counts", async () => {
    const data = await get("/api/options/chain/AAPL?within=0.06&min_oi=400");
    expect(data.filter).toMatchObject({
      original: 9,
      filtered: 1,
      kept: { near_money: 1 },
      dropped: { distance: 6, oi: 2 },
    });
    expect(data.strikes.map(({ strike }: { strike: number }) => strike)).toEqual([200]);
  });

  it("200 of a moment of the past is the chain of then", async () => {
    const data = await get(`/api/options/chain/AAPL?at=${TIME - 1}`);
    expect(data).toMatchObject({ as_of: "2024-07-08T15:00:00.000Z", previous_oi_from: null, trouble: null });
  });

  it.each([
    ["options_unavailable", "/api/options/chain/MSFT", "No configured source lists options on MSFT"],
    ["expiry_unknown", "/api/options/chain/AAPL?expiry=2024-07-13", "no such expiry"],
    ["no_data", "/api/options/chain/AAPL?at=2020-01-01", "before that moment"],
    ["invalid_request", "/api/options/chain/AAPL?expiry=2024-02-30", "query expiry"],
    ["invalid_request", "/api/options/chain/AAPL?rate=2", "query rate"],
    ["invalid_request", "/api/options/chain/AAPL?price=ask", "query price"],
  ] as const)("%s for %s", async (code, url, detail) => {
    expectProblem(await program.call(url), code, detail);
  });

  it("404 in a synthetic market says that it has none", async () => {
    const answer = await synthetic.call("/api/options/chain/AAPL");
    expectProblem(answer, "options_unavailable", "The synthetic market has no options");
  });
});

describe("GET /api/options/analytics/:symbol", () => {
  it("200 has figures of the whole chain, of each expiry and of the one that was asked for", async () => {
    const data = await get("/api/options/analytics/AAPL?expiry=2024-07-19&rate=0&dividend_yield=0");
    const calls = 8 * 100 + 500;
    const puts = 8 * 200 + 1_000;
    expect(data).toMatchObject({
      totals: { call_oi: 3 * calls, put_oi: 3 * puts, unknown_oi: 0 },
      expiries_read: 3,
      expiries_listed: null,
      iv_rank: { sessions: 1, sessions_needed: 59 },
    });
    expect(data.pcr.oi.value).toBeCloseTo(puts / calls, 12);
    expect(data.by_expiry.map(({ expiry }: { expiry: string }) => expiry)).toEqual(EXPIRIES.map(dateOf));
    expect(data.selected).toMatchObject({
      expiry: "2024-07-19",
      support: { strike: 180, oi: 1_000 },
      resistance: { strike: 220, oi: 500 },
      oi_change: { call: { value: 0, reason: null }, put: { value: 0, reason: null } },
    });
    expect(data.selected.atm_iv.value).toBeCloseTo(0.25, 9);
    expect(data.iv_30d.value).toBeCloseTo(0.25, 9);
    expect(data.iv_rank.rank).toEqual({ value: null, reason: "1 past values, 60 needed" });
    expect(data.selected.iv_skew.ratio.value).toBeCloseTo(1, 6);
  });

  it("404 in a synthetic market says that it has none", async () => {
    const answer = await synthetic.call("/api/options/analytics/NIFTY");
    expectProblem(answer, "options_unavailable", "The synthetic market has no options");
  });
});

describe("GET /api/options/expiries/:symbol", () => {
  it("200 lists expiries by rule, holidays, early closes and why no source lists any", async () => {
    const data = await get("/api/options/expiries/AAPL?from=2024-11-25&to=2025-01-17");
    expect(data).toMatchObject({
      calendar: "XNYS",
      listed: null,
      listed_reason: "No configured source lists options on AAPL",
      holidays: ["2024-11-28", "2024-12-25", "2025-01-01", "2025-01-09"],
    });
    expect(data.early_closes).toEqual([
      { date: "2024-11-29", close: "2024-11-29T18:00:00.000Z" },
      { date: "2024-12-24", close: "2024-12-24T18:00:00.000Z" },
    ]);
    expect(data.expiries[0]).toMatchObject({
      date: "2024-11-29",
      cut_off: "2024-11-29T18:00:00.000Z",
      kind: "weekly",
    });
    expect(data.expiries.filter(({ kind }: { kind: string }) => kind === "monthly")).toMatchObject([
      { date: "2024-12-20" },
      { date: "2025-01-17" },
    ]);
  });

  it("200 tells where a holiday moved an expiry, and Saturdays with a session", async () => {
    const nifty = await get("/api/options/expiries/NIFTY?from=2023-06-26&to=2023-06-30");
    expect(nifty.expiries).toMatchObject([
      { date: "2023-06-28", nominal: "2023-06-29", last_session: "2023-06-28" },
    ]);
    expect(nifty.holidays).toEqual(["2023-06-29"]);
    const saturday = await get("/api/options/expiries/MIDCPNIFTY?from=2024-01-16&to=2024-01-22");
    expect(saturday).toMatchObject({ weekend_sessions: ["2024-01-20"], expiries: [{ date: "2024-01-20" }] });
  });

  it("200 of what has no rules has only days", async () => {
    expect(await get("/api/options/expiries/TCS.NS?from=2024-01-01&to=2024-01-31")).toMatchObject({
      expiries: null,
      holidays: ["2024-01-22", "2024-01-26"],
    });
  });

  it("200 in a synthetic market has the days of the real exchange and no source", async () => {
    const { data } = (await synthetic.call("/api/options/expiries/SPY")).json();
    expect(data.listed_reason).toBe("The synthetic market has no options");
    expect(data.expiries.length).toBeGreaterThan(10);
  });

  it.each([
    ["from=2024-02-01&to=2024-01-01", "must not lie before from"],
    ["from=2024-01-01&to=2027-02-01", "1100 days"],
    ["from=soon", "query from"],
  ])("400 for %s", async (query, detail) => {
    expectProblem(await program.call(`/api/options/expiries/AAPL?${query}`), "invalid_request", detail);
  });
});

describe("GET /api/options/snapshots/:symbol", () => {
  it("200 lists stored chains, the newest first, within a stretch", async () => {
    const data = await get("/api/options/snapshots/AAPL");
    expect(data).toHaveLength(2);
    expect(data[0]).toMatchObject({
      as_of: "2024-07-09T15:00:00.000Z",
      session: "2024-07-09",
      source: "recorded",
      loaded: true,
      legs: 54,
      kept: true,
      rate: 0.04,
    });
    expect(await get("/api/options/snapshots/AAPL?limit=1")).toEqual([data[0]]);
    expect(await get("/api/options/snapshots/AAPL?to=2024-07-09")).toEqual([data[1]]);
    expect(await get("/api/options/snapshots/MSFT")).toEqual([]);
  });
});

describe("GET /api/options/history/:symbol", () => {
  it("200 has what the chains said of an expiry, the first that had not ended unless named", async () => {
    const data = await get("/api/options/history/AAPL");
    expect(data.map(({ as_of, expiry }: { as_of: string; expiry: string }) => [as_of, expiry])).toEqual([
      ["2024-07-09T15:00:00.000Z", "2024-07-12"],
      ["2024-07-08T15:00:00.000Z", "2024-07-12"],
    ]);
    expect(data[0]).toMatchObject({ call_oi: 1_300, put_oi: 2_600, pcr: 2, support: 180, resistance: 220 });
    // The prices were made without interest; what is stored was computed with the configured rate.
    expect(data[0].atm_iv).toBeCloseTo(0.25, 3);
    expect(data[0].call_oi_change).toBe(0);
    expect(data[1].call_oi_change).toBeNull();
    const later = await get("/api/options/history/AAPL?expiry=2024-08-16&from=2024-07-09&limit=5");
    expect(later).toMatchObject([{ expiry: "2024-08-16" }]);
    expect(await get("/api/options/history/AAPL?expiry=2024-08-17")).toEqual([]);
  });
});

describe("POST /api/options/snapshots", () => {
  it("200 says what was stored and which legs were not, and that a chain is there already", async () => {
    const again = (await post(body())).json().data;
    expect(again).toMatchObject({ stored: false, legs: 54, strikes: 27, rejected_count: 0 });
    const own = body({ time: TIME - 2 * DAY });
    const quotes = [...(own.quotes as object[]), { expiry: "2024-07-12", strike: -5, right: "put", bid: 1 }];
    const { data } = (await post({ ...own, quotes })).json();
    expect(data).toMatchObject({
      stored: true,
      rejected_count: 1,
      rejected: [
        { index: 54, expiry: "2024-07-12", strike: -5, right: "put", reason: "strike is not above 0" },
      ],
      expiries: EXPIRIES.map(dateOf),
    });
  });

  const leg = { expiry: "2024-07-12", strike: 5, right: "put" };
  it.each([
    [{ quotes: [] }, "body quotes"],
    [{ quotes: [{ ...leg, bid: "1.5" }] }, "body quotes.0.bid"],
    [{ quotes: [{ ...leg, right: "PE" }] }, "body quotes.0.right"],
    [{ quotes: [{ ...leg, expiry: "12-Jul-2024" }] }, "body quotes.0.expiry"],
    [{ quotes: [{ ...leg, rho: 1 }] }, "body quotes.0"],
    [{ quotes: [{ ...leg, iv: 22 }] }, "fractions"],
    [{ quotes: [{ ...leg, strike: 0 }] }, "no leg can stand in a chain: strike is not above 0"],
    [{ quotes: [{ ...leg, expiry: "2024-07-05" }] }, "expired before the time of the chain"],
    [{ spot: 0 }, "body spot"],
    [{ time: "yesterday" }, "body time"],
    [{ time: "2199-01-01" }, "lies in the future"],
    [{ source: "a b" }, "body source"],
    [{ source: "" }, "body source"],
  ])("400 for %j", async (change, detail) => {
    expectProblem(await post({ ...body(), ...change }), "invalid_request", detail);
  });

  it("409 for another chain of the same time and source, and in a synthetic market", async () => {
    expectProblem(await post({ ...body(), spot: 201 }), "conflict", "is stored already");
    expectProblem(await post(body(), synthetic), "conflict", "synthetic");
  });

  it("413 for a body beyond four megabytes, 400 for more than ten thousand legs", async () => {
    const many = Array.from({ length: 10_001 }, (_, i) => ({ ...leg, strike: i + 1 }));
    expectProblem(await post({ ...body(), quotes: many }), "invalid_request", "body quotes");
    const answer = await post({ ...body(), source: "x".repeat(4_300_000) });
    expectProblem(answer, "body_too_large");
  });

  it("401 and 403 for those who are no administrators", async () => {
    const guarded = await startTestProgram({
      environment: {
        ADMIN_API_KEY: ADMIN_KEY,
        ALLOW_ANONYMOUS: "true",
        MARKET_DATA: "files",
        FILES_DIR: folder,
      },
    });
    const ask = (headers: Record<string, string>) =>
      guarded.call({ method: "POST", url: "/api/options/snapshots", payload: body(), headers });
    expectProblem(await ask({}), "forbidden");
    expectProblem(await ask({ "x-api-key": "wrong" }), "unauthenticated");
    expect((await ask({ "x-api-key": ADMIN_KEY })).statusCode).toBe(200);
    await guarded.close();
  });
});

describe("OPTION_UNDERLYINGS", () => {
  it.each([
    ["AAPL,NIFTY", "no configured source lists options on AAPL"],
    ["%%%", "A symbol has letters"],
  ])("of %s stop the start where no source lists options on them", async (configured, reason) => {
    const environment = { MARKET_DATA: "files", FILES_DIR: folder, OPTION_UNDERLYINGS: configured };
    await expect(startTestProgram({ environment })).rejects.toThrow(reason);
  });
});
