import { afterAll, beforeAll, beforeEach, expect, it } from "vitest";
import { createFinnhubProvider } from "../../src/providers/finnhub.js";
import { type AskedVendor, openAskedVendor, stretch } from "../fixtures/asked-vendor.js";
import { at, failedLater, instrumentOf, KEY } from "../fixtures/vendor-answers.js";

const never = new AbortController().signal;
const AAPL = instrumentOf("AAPL");
let vendor: AskedVendor;
let nowMs = 0;
const now = () => nowMs;

beforeAll(async () => {
  vendor = await openAskedVendor("finnhub");
});
afterAll(() => vendor.close());
beforeEach(() => {
  nowMs = at("2024-07-09T15:00Z");
});

const finnhub = () =>
  createFinnhubProvider({ baseUrl: vendor.url, key: KEY, http: vendor.http, now, callsPerMinute: 60 });

it("is asked with the key in a header alone", async () => {
  vendor.serve(() => "minutes");
  await finnhub().fetchCandles(stretch("1m", "2024-07-08T13:30Z", "2024-07-08T14:00Z"), never);
  await finnhub().fetchCandles(stretch("1h", "2024-07-08T13:00Z", "2024-07-08T14:00Z", "EURUSD=X"), never);
  await finnhub().fetchCandles(stretch("1d", "2024-07-07T00:00Z", "2024-07-08T00:00Z", "BTC-USD"), never);
  const [one, two, three] = ["2024-07-08T13:30Z", "2024-07-08T14:00Z", "2024-07-08T13:00Z"].map(
    (text) => at(text) / 1_000,
  );
  expect(vendor.asked()).toEqual([
    `/api/v1/stock/candle?symbol=AAPL&resolution=1&from=${one}&to=${two}`,
    `/api/v1/forex/candle?symbol=OANDA:EUR_USD&resolution=60&from=${three}&to=${two}`,
    "/api/v1/crypto/candle?symbol=COINBASE:BTC-USD&resolution=D&from=1720224000&to=1720483200",
  ]);
  expect(vendor.headers.map((each) => each["x-finnhub-token"])).toEqual([KEY, KEY, KEY]);
  expect(vendor.asked().join()).not.toContain(KEY);
});

it("asks for a month at a time", async () => {
  vendor.serve(() => "minutes");
  await finnhub().fetchCandles(stretch("5m", "2024-04-01T13:30Z", "2024-07-08T20:00Z"), never);
  expect(vendor.requests).toHaveLength(4);
});

it("spends no calls on candles for hours after the plan refused them", async () => {
  vendor.serve((url) => (url.pathname.endsWith("candle") ? "premium-in-200" : "quote-as-text"));
  const provider = finnhub();
  const fetch = () =>
    failedLater(provider.fetchCandles(stretch("1m", "2024-07-08T13:30Z", "2024-07-08T14:00Z"), never));
  const refused = { failure: "refused", message: "You don't have access to this resource." };
  expect(await fetch()).toMatchObject(refused);
  expect(await fetch()).toMatchObject(refused);
  expect(vendor.requests).toHaveLength(1);
  expect(await provider.fetchQuote(AAPL, never)).toMatchObject({ price: 106.5 });
  nowMs += 7 * 3_600_000;
  expect(await fetch()).toMatchObject(refused);
  expect(vendor.requests).toHaveLength(3);
});

it("takes no other refusal for the plan's", async () => {
  vendor.serve((_url, nth) => (nth === 0 ? { status: 422, body: { error: "Wrong interval." } } : "minutes"));
  const provider = finnhub();
  const fetch = () => provider.fetchCandles(stretch("1m", "2024-07-08T13:30Z", "2024-07-08T14:00Z"), never);
  expect(await failedLater(fetch())).toMatchObject({ failure: "refused", message: "Wrong interval." });
  expect((await fetch()).candles.time).toHaveLength(2);
});

it("asks once whether a share without candles exists", async () => {
  const zeros = { body: { c: 0, d: null, dp: null, h: 0, l: 0, o: 0, pc: 0, t: 0 } };
  const fetch = () => finnhub().fetchCandles(stretch("1m", "2024-07-06T13:30Z", "2024-07-06T14:00Z"), never);
  vendor.serve((url) => (url.pathname.endsWith("candle") ? "no-data-with-nulls" : "quote-as-text"));
  expect((await fetch()).candles.time).toHaveLength(0);
  vendor.serve((url) => (url.pathname.endsWith("candle") ? "no-data-with-nulls" : zeros));
  expect(await failedLater(fetch())).toMatchObject({ failure: "unknown_symbol" });
});

it("is asked for news of whole days, and gives those of the stretch", async () => {
  vendor.serve((url) => (url.pathname.endsWith("company-news") ? "news" : "news-general"));
  const { news } = finnhub();
  const query = { fromMs: at("2024-07-07T12:00Z"), toMs: at("2024-07-09T00:00Z") };
  expect(await news?.fetchNews({ instrument: AAPL, ...query }, never)).toHaveLength(1);
  expect(await news?.fetchNews({ instrument: null, ...query }, never)).toHaveLength(1);
  const early = { fromMs: at("2024-07-07T12:00Z"), toMs: at("2024-07-08T12:00Z") };
  expect(await news?.fetchNews({ instrument: AAPL, ...early }, never)).toHaveLength(0);
  expect(await news?.fetchNews({ instrument: instrumentOf("BTC-USD"), ...query }, never)).toEqual([]);
  expect(vendor.asked()).toEqual([
    "/api/v1/company-news?symbol=AAPL&from=2024-07-07&to=2024-07-08",
    "/api/v1/news?category=general",
    "/api/v1/company-news?symbol=AAPL&from=2024-07-07&to=2024-07-08",
  ]);
});

it("searches, tells the status, and has no quotes of coins", async () => {
  vendor.serve((url) => (url.pathname.endsWith("search") ? "symbols" : "status-open"));
  expect(await finnhub().search?.("apples & co", never)).toHaveLength(3);
  expect(await finnhub().fetchStatus?.(never)).toMatchObject({ phase: "open" });
  expect(await finnhub().fetchQuote(instrumentOf("BTC-USD"), never)).toBeNull();
  expect(vendor.requests[0].searchParams.get("q")).toBe("apples & co");
  expect(vendor.asked()[1]).toBe("/api/v1/stock/market-status?exchange=US");
});
