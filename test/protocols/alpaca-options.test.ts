import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Alpaca } from "alpaca-client";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { dayOf } from "../../src/core/market/day.js";
import { createVendorChecker } from "../fixtures/alpaca-spec.js";
import { writeMarketFiles } from "../fixtures/candle-files.js";
import { createManualClock } from "../fixtures/clock.js";
import { modelChain, recordedBody } from "../fixtures/options.js";
import { startTestProgram, type TestProgram } from "../fixtures/program.js";

const check = createVendorChecker();
/** A Friday, an hour and a half after the open of New York. */
const clock = createManualClock(Date.parse("2024-01-05T16:00:00Z"));
const folder = mkdtempSync(join(tmpdir(), "tx-alpaca-options-"));

let program: TestProgram;
beforeAll(async () => {
  const environment = { MARKET_DATA: "files", FILES_DIR: writeMarketFiles(folder) };
  program = await startTestProgram({ clock, environment });
});
afterAll(async () => {
  await program.close();
  rmSync(folder, { recursive: true, force: true });
});

async function body(url: string) {
  const answer = await program.call(url);
  expect(check?.(url.split("?")[0] ?? "", answer.statusCode, answer.json()) ?? [], url).toEqual([]);
  return answer.json();
}

describe("prices of options", () => {
  const TIME = "2024-01-04T20:00:00Z";
  const chainQuery = "expiration_date=2024-02-16";
  const snapshots = async (query: string) => body(`/v1beta1/options/snapshots${query}`);
  beforeAll(async () => {
    const EXPIRY = dayOf("2024-02-16");
    const model = modelChain({
      underlying: "MSFT",
      time: Date.parse(TIME),
      spot: 370,
      volatility: 0.25,
      expiries: [dayOf("2024-01-19"), EXPIRY],
      strikes: [0.9, 1, 1.1],
    });
    const quotes = model.quotes.map((quote) =>
      quote.expiry === EXPIRY && quote.strike === 370 && quote.right === "put"
        ? { ...quote, bid: null, last: null, volatility: 0.3, delta: -0.45, gamma: 0.01 }
        : quote,
    );
    await program.call({
      method: "POST",
      url: "/api/options/snapshots",
      payload: recordedBody({ ...model, quotes }),
    });
  });

  it("are what the chain has, of its time, with volatility and greeks of the model or of the source", async () => {
    const { snapshots: all, next_page_token: token } = await snapshots(`/MSFT?${chainQuery}`);
    expect(token).toBeNull();
    expect(Object.keys(all)).toEqual([
      ...["00333000", "00370000", "00407000"].map((strike) => `MSFT240216C${strike}`),
      ...["00333000", "00370000", "00407000"].map((strike) => `MSFT240216P${strike}`),
    ]);
    const call = all.MSFT240216C00370000;
    expect(call.latestTrade).toEqual({ t: TIME, p: call.latestQuote.ap, s: null, x: null, c: null });
    expect(call.latestQuote).toMatchObject({ t: TIME, bp: call.latestQuote.ap, bs: null, as: null });
    // 43 days and an hour at 25 %, without interest: what is asked of Black and Scholes is what was put in.
    const years = (Date.parse("2024-02-16T21:00:00Z") - Date.parse(TIME)) / (365 * 86_400_000);
    const d1 = 0.125 * Math.sqrt(years);
    const density = Math.exp(-0.5 * d1 * d1) / Math.sqrt(2 * Math.PI);
    expect(call.impliedVolatility).toBeCloseTo(0.25, 6);
    expect(call.greeks.gamma).toBeCloseTo(density / (370 * 0.25 * Math.sqrt(years)), 8);
    expect(call.greeks.vega).toBeCloseTo((370 * density * Math.sqrt(years)) / 100, 8);
    expect(call.greeks.theta).toBeCloseTo((-370 * density * 0.25) / (2 * Math.sqrt(years) * 365), 8);
    const bump = (rate: number) => {
      const s = 0.25 * Math.sqrt(years);
      const upper = (Math.log(1) + rate * years) / s + 0.5 * s;
      return 370 * normal(upper) - 370 * Math.exp(-rate * years) * normal(upper - s);
    };
    expect(call.greeks.rho).toBeCloseTo((bump(1e-5) - bump(-1e-5)) / 2e-5 / 100, 5);
    const put = all.MSFT240216P00370000;
    expect(put.latestTrade).toBeUndefined();
    expect(put.latestQuote).toMatchObject({ bp: null, ap: expect.any(Number) });
    expect([put.impliedVolatility, put.greeks]).toEqual([
      0.3,
      { delta: -0.45, gamma: 0.01, theta: null, vega: null, rho: null },
    ]);
  });

  it("come in pages, filtered, by chain and by contract", async () => {
    const found: string[] = [];
    let token: string | null = "";
    while (token !== null) {
      const after: string = token === "" ? "" : `&page_token=${encodeURIComponent(token)}`;
      const page: { snapshots: object; next_page_token: string | null } = await snapshots(
        `/MSFT?type=put&strike_price_gte=340&limit=3${after}`,
      );
      found.push(...Object.keys(page.snapshots));
      token = page.next_page_token;
    }
    expect(found).toEqual([
      ...["00370000", "00407000"].map((strike) => `MSFT240119P${strike}`),
      ...["00370000", "00407000"].map((strike) => `MSFT240216P${strike}`),
    ]);
    const names = `symbols=${[...found, "MSFT240216P00371000", "BTC240216P00370000"].join(",")}`;
    expect(Object.keys((await snapshots(`?${names}`)).snapshots)).toEqual(found);
    const { snapshots: first, next_page_token: next } = await snapshots(`?${names}&limit=3`);
    expect(Object.keys(first)).toEqual(found.slice(0, 3));
    expect(Object.keys((await snapshots(`?${names}&page_token=${next}`)).snapshots)).toEqual(found.slice(3));
    expect((await snapshots(`?${names}&updated_since=2024-01-05`)).snapshots).toEqual({});
    expect(Object.keys((await snapshots(`?${names}&updated_since=${TIME}`)).snapshots)).toEqual(found);
    expect((await snapshots("/MSFT?root_symbol=MSFT1")).snapshots).toEqual({});
    expect((await snapshots("/BTCUSD")).snapshots).toEqual({});
  });

  it("are told one by one, of those that have them", async () => {
    const names = "symbols=MSFT240216P00370000,MSFT240216C00370000,MSFT240216C00371000";
    const { quotes } = await body(`/v1beta1/options/quotes/latest?${names}`);
    expect(Object.keys(quotes)).toEqual(["MSFT240216C00370000", "MSFT240216P00370000"]);
    const { trades } = await body(`/v1beta1/options/trades/latest?${names}&feed=indicative`);
    expect(Object.keys(trades)).toEqual(["MSFT240216C00370000"]);
  });

  it.each([
    ["/quotes/latest?symbols=MSFT", 400],
    ["/trades/latest", 400],
    ["/snapshots/MSFT?page_token=x", 400],
    ["/snapshots/MSFT?expiration_date=soon", 400],
    ["/snapshots?symbols=MSFT240216P00370000&limit=1001", 400],
    ["/bars?symbols=MSFT240216P00370000&timeframe=1Day", 404],
    ["/trades?symbols=MSFT240216P00370000", 404],
  ])("%s is refused with %i", async (path, status) => {
    const answer = await program.call(`/v1beta1/options${path}`);
    expect([answer.statusCode, Math.floor(answer.json().code / 100_000)]).toEqual([status, status]);
  });

  it("are read by the official client", async () => {
    const { marketData } = new Alpaca({
      keyId: "k",
      secret: "s",
      retry: false,
      fetchApi: async (input) => {
        const asked = new URL(String(input));
        const answer = await program.call(`${asked.pathname}${asked.search}`);
        return new Response(answer.body, {
          status: answer.statusCode,
          headers: { "content-type": "application/json" },
        });
      },
    });
    const chain = await marketData.options.optionChain({ underlyingSymbol: "MSFT", type: "call", limit: 2 });
    expect(Object.keys(chain.snapshots)).toEqual(["MSFT240119C00333000", "MSFT240119C00370000"]);
    const symbols = "MSFT240216C00370000";
    const { quotes } = await marketData.options.optionLatestQuotes({ symbols });
    expect(quotes[symbols].t).toEqual(new Date(TIME));
  });
});

/** The normal distribution by Simpson's rule. */
function normal(x: number): number {
  const steps = 2_000;
  const h = x / steps;
  let sum = 0;
  for (let i = 0; i <= steps; i++)
    sum += (i === 0 || i === steps ? 1 : i % 2 === 1 ? 4 : 2) * Math.exp(-0.5 * (i * h) ** 2);
  return 0.5 + (sum * h) / 3 / Math.sqrt(2 * Math.PI);
}
