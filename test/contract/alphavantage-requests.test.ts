import { afterAll, beforeAll, beforeEach, expect, it } from "vitest";
import { type AlphaVantageOptions, createAlphaVantageProvider } from "../../src/providers/alphavantage.js";
import { type AskedVendor, openAskedVendor, stretch } from "../fixtures/asked-vendor.js";
import { at, failedLater, instrumentOf, KEY } from "../fixtures/vendor-answers.js";

const never = new AbortController().signal;
const AAPL = instrumentOf("AAPL");
let vendor: AskedVendor;
let nowMs = 0;
const now = () => nowMs;

beforeAll(async () => {
  vendor = await openAskedVendor("alphavantage");
});
afterAll(() => vendor.close());
beforeEach(() => {
  nowMs = at("2024-07-09T15:00Z");
});

const alphaVantage = (plan: Partial<AlphaVantageOptions> = {}) =>
  createAlphaVantageProvider({
    baseUrl: vendor.url,
    key: KEY,
    http: vendor.http,
    now,
    callsPerMinute: 5,
    callsPerDay: 25,
    premium: true,
    delayMs: 0,
    ...plan,
  });

it("is asked for raw bars, a month or all newest days at a time", async () => {
  vendor.serve((url) => (url.search.includes("DAILY") ? "days" : "five-minutes"));
  const provider = alphaVantage();
  await provider.fetchCandles(stretch("1d", "2024-07-05T13:30Z", "2024-07-09T00:00Z"), never);
  await provider.fetchCandles(stretch("1d", "2024-01-05T13:30Z", "2024-07-09T00:00Z"), never);
  await provider.fetchCandles(stretch("5m", "2024-06-28T13:30Z", "2024-07-09T00:00Z"), never);
  const month = "outputsize=full&adjusted=false&extended_hours=false";
  expect(vendor.asked()).toEqual(
    [
      "TIME_SERIES_DAILY&symbol=AAPL&outputsize=compact",
      "TIME_SERIES_DAILY&symbol=AAPL&outputsize=full",
      `TIME_SERIES_INTRADAY&symbol=AAPL&interval=5min&month=2024-07&${month}`,
      `TIME_SERIES_INTRADAY&symbol=AAPL&interval=5min&month=2024-06&${month}`,
    ].map((query) => `/query?function=${query}&apikey=${KEY}`),
  );
});

it("ends at the month before a symbol was listed, and does not know one without months", async () => {
  const unknown = { body: { "Error Message": "Invalid API call. Please retry." } };
  const fetch = () =>
    alphaVantage().fetchCandles(stretch("5m", "2024-03-01T14:30Z", "2024-07-09T00:00Z"), never);
  vendor.serve((_url, nth) => (nth === 0 ? "five-minutes" : unknown));
  expect((await fetch()).candles.time).toHaveLength(2);
  expect(vendor.requests).toHaveLength(2);
  vendor.serve(() => unknown);
  expect(await failedLater(fetch())).toMatchObject({ failure: "unknown_symbol" });
});

it("has days alone, and the newest hundred, on a free plan", async () => {
  const provider = alphaVantage({ premium: false, delayMs: 86_400_000 });
  expect(provider.intervals(AAPL)).toEqual(["1d"]);
  expect(alphaVantage().intervals(AAPL)).toEqual(["1m", "5m", "15m", "30m", "1d"]);
  expect(alphaVantage().intervals(instrumentOf("RELIANCE.BO"))).toEqual(["1d"]);
  expect(alphaVantage().intervals(instrumentOf("BTC-USD"))).toEqual([]);
  expect(nowMs - (await provider.earliestMs(AAPL, "1d", nowMs))).toBe(139 * 86_400_000);
  expect(await provider.feedNowMs(AAPL, "1d", nowMs)).toBe(nowMs - 86_400_000);
  expect(provider.quota).toEqual({ perMinute: 5, perDay: 25 });
  expect(provider.concurrency).toBe(1);
});

it("is asked for news in minutes, quotes and symbols", async () => {
  vendor.serve((url) => {
    const name = url.searchParams.get("function");
    return name === "NEWS_SENTIMENT" ? "news" : name === "SYMBOL_SEARCH" ? "symbols" : "quote";
  });
  const provider = alphaVantage();
  const query = { fromMs: at("2024-07-08T11:30:30Z"), toMs: at("2024-07-08T12:00:30Z") };
  expect(
    await provider.news?.fetchNews({ instrument: instrumentOf("BTC-USD"), ...query }, never),
  ).toHaveLength(1);
  expect(await provider.news?.fetchNews({ instrument: null, ...query }, never)).toHaveLength(1);
  expect(await provider.search?.("apples & co", never)).toHaveLength(4);
  expect(await provider.fetchQuote(AAPL, never)).toMatchObject({ price: 104.5 });
  expect(await failedLater(provider.probe(never))).toMatchObject({ failure: "bad_payload" });
  const rest = "time_from=20240708T1130&time_to=20240708T1201&sort=LATEST&limit=1000";
  expect(vendor.asked()).toEqual(
    [
      `NEWS_SENTIMENT&tickers=CRYPTO:BTC&${rest}`,
      `NEWS_SENTIMENT&topics=financial_markets&${rest}`,
      "SYMBOL_SEARCH&keywords=apples+&+co",
      "GLOBAL_QUOTE&symbol=AAPL",
      "GLOBAL_QUOTE&symbol=SPY",
    ].map((each) => `/query?function=${each}&apikey=${KEY}`),
  );
});

it("shows its key in no failure, whatever fails", async () => {
  const away = alphaVantage({ baseUrl: "http://127.0.0.1:9" });
  const work = away.fetchCandles(stretch("1d", "2024-07-05T13:30Z", "2024-07-09T00:00Z"), never);
  expect(await failedLater(work)).toMatchObject({ failure: "unavailable" });
});
