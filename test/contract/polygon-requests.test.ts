import { afterAll, beforeAll, beforeEach, expect, it } from "vitest";
import { dayOf } from "../../src/core/market/day.js";
import { createPolygonProvider } from "../../src/providers/polygon.js";
import { type AskedVendor, openAskedVendor, stretch } from "../fixtures/asked-vendor.js";
import { at, failedLater, instrumentOf, KEY } from "../fixtures/vendor-answers.js";

const never = new AbortController().signal;
const AAPL = instrumentOf("AAPL");
let vendor: AskedVendor;
let elsewhere: AskedVendor;
let nowMs = 0;
const now = () => nowMs;

beforeAll(async () => {
  vendor = await openAskedVendor("polygon");
  elsewhere = await openAskedVendor("polygon");
});
afterAll(async () => {
  await vendor.close();
  await elsewhere.close();
});
beforeEach(() => {
  nowMs = at("2024-07-09T15:00Z");
});

const polygon = () =>
  createPolygonProvider({
    baseUrl: vendor.url,
    key: KEY,
    http: vendor.http,
    now,
    callsPerMinute: 5,
    historyYears: 2,
    delayMs: 900_000,
  });

it("is asked for raw bars, with the key in a header alone", async () => {
  vendor.serve((url) => (url.pathname.includes("day") ? "days" : "minutes"));
  const provider = polygon();
  await provider.fetchCandles(stretch("1d", "2024-07-03T13:30Z", "2024-07-08T13:31Z"), never);
  await provider.fetchCandles(stretch("1m", "2024-07-08T13:30Z", "2024-07-08T14:00Z"), never);
  expect(vendor.asked()).toEqual([
    "/v2/aggs/ticker/AAPL/range/1/day/2024-07-03/2024-07-08?adjusted=false&sort=asc&limit=50000",
    `/v2/aggs/ticker/AAPL/range/1/minute/${at("2024-07-08T13:30Z")}/${at("2024-07-08T14:00Z") - 1}` +
      "?adjusted=false&sort=asc&limit=50000",
  ]);
  expect(vendor.headers.map(({ authorization }) => authorization)).toEqual([
    `Bearer ${KEY}`,
    `Bearer ${KEY}`,
  ]);
  expect(vendor.asked().join()).not.toContain(KEY);
});

it("gives only what was asked for", async () => {
  vendor.serve(() => "minutes");
  const { candles } = await polygon().fetchCandles(
    stretch("1m", "2024-07-08T13:30Z", "2024-07-08T13:32Z"),
    never,
  );
  expect([...candles.time]).toEqual([at("2024-07-08T13:30Z")]);
});

it("asks for long stretches in pieces", async () => {
  vendor.serve(() => "minutes");
  await polygon().fetchCandles(stretch("30m", "2024-01-02T14:30Z", "2024-07-08T20:00Z"), never);
  expect(vendor.requests).toHaveLength(4);
  const edges = vendor.requests.map(({ pathname }) => pathname.split("/").slice(-2).map(Number));
  expect(edges.slice(1).map(([from]) => from)).toEqual(edges.slice(0, -1).map(([, to]) => to + 1));
  expect(edges.every(([from, to]) => to - from < 60 * 86_400_000)).toBe(true);
});

it("follows pages of both names of the service, always at the configured address", async () => {
  const page = (close: number, t: string, next?: string) => ({
    body: {
      ticker: "AAPL",
      adjusted: false,
      status: "OK",
      results: [{ o: 1, h: 9, l: 1, c: close, v: 1, t: at(t) }],
      ...(next === undefined ? {} : { next_url: next }),
    },
  });
  const pages = [
    page(2, "2024-07-08T13:30Z", "https://api.polygon.io/v2/aggs/ticker/AAPL/x?cursor=a&apiKey=other"),
    page(3, "2024-07-08T13:31Z", "https://api.massive.com:443/v2/aggs/ticker/AAPL/x?cursor=b"),
    page(4, "2024-07-08T13:32Z", `${vendor.url}/v2/aggs/ticker/AAPL/x?cursor=c`),
    page(5, "2024-07-08T13:33Z"),
  ];
  vendor.serve((_url, nth) => pages[nth]);
  const { candles } = await polygon().fetchCandles(
    stretch("1m", "2024-07-08T13:30Z", "2024-07-08T14:00Z"),
    never,
  );
  expect([...candles.close]).toEqual([2, 3, 4, 5]);
  expect(vendor.asked().slice(1)).toEqual(
    ["a", "b", "c"].map((cursor) => `/v2/aggs/ticker/AAPL/x?cursor=${cursor}`),
  );
  expect(vendor.headers.map(({ authorization }) => authorization)).toEqual(Array(4).fill(`Bearer ${KEY}`));
});

it.each([
  ["another host", () => `${elsewhere.url}/v2/aggs?cursor=a`],
  ["a host that looks alike", () => "https://api.polygon.io.example/v2/aggs?cursor=a"],
  ["the service without encryption", () => "http://api.polygon.io/v2/aggs?cursor=a"],
  ["no address", () => "page 2"],
  ["a file", () => "file:///etc/passwd"],
])("does not follow pages to %s", async (_about, next) => {
  vendor.serve(() => ({ body: { ticker: "AAPL", adjusted: false, results: [], next_url: next() } }));
  const work = polygon().fetchCandles(stretch("1m", "2024-07-08T13:30Z", "2024-07-08T14:00Z"), never);
  expect(await failedLater(work)).toMatchObject({
    failure: "bad_payload",
    message: "the next page is not the service's own",
  });
  expect(elsewhere.requests).toHaveLength(0);
  expect(vendor.requests).toHaveLength(1);
});

it.each([
  "https://api.polygon.io//elsewhere.example/v2?cursor=a",
  "https://api.polygon.io/\\\\elsewhere.example/v2",
])("is not led elsewhere by the page %s", async (next) => {
  vendor.serve((_url, nth) => ({
    body: {
      ticker: "AAPL",
      adjusted: false,
      results: [],
      ...(nth === 0 ? { next_url: next } : { status: "OK" }),
    },
  }));
  const { http } = vendor;
  const origins: string[] = [];
  const provider = createPolygonProvider({
    baseUrl: vendor.url,
    key: KEY,
    http: {
      get(request, signal) {
        origins.push(new URL(request.url).origin);
        return http.get(request, signal);
      },
    },
    now,
    callsPerMinute: null,
    historyYears: 2,
    delayMs: 0,
  });
  const work = provider.fetchCandles(stretch("1m", "2024-07-08T13:30Z", "2024-07-08T14:00Z"), never);
  expect(await failedLater(work)).toMatchObject({ failure: "bad_payload" });
  expect(origins).toEqual([vendor.url, vendor.url, vendor.url]);
});

it("is not asked for a stretch that takes more requests than a minute has", async () => {
  vendor.serve(() => "minutes");
  const work = polygon().fetchCandles(stretch("1m", "2023-01-03T14:30Z", "2024-07-08T14:00Z"), never);
  expect(await failedLater(work)).toMatchObject({
    failure: "refused",
    message: expect.stringMatching(/takes 10 requests, and 5 may/),
  });
  expect(vendor.requests).toHaveLength(0);
});

it("gives pages up that go round in circles or never end", async () => {
  const body = (cursor: string) => ({
    body: {
      ticker: "AAPL",
      adjusted: false,
      results: [],
      next_url: `${vendor.url}/v2/aggs?cursor=${cursor}`,
    },
  });
  const failure = { failure: "bad_payload", message: "the pages of its answer do not end" };
  const fetch = () => polygon().fetchCandles(stretch("1m", "2024-07-08T13:30Z", "2024-07-08T14:00Z"), never);
  vendor.serve(() => body("same"));
  expect(await failedLater(fetch())).toMatchObject(failure);
  expect(vendor.requests).toHaveLength(2);
  vendor.serve((_url, nth) => body(String(nth)));
  expect(await failedLater(fetch())).toMatchObject(failure);
  expect(vendor.requests.length).toBeLessThan(50);
});

it("asks once whether a ticker without bars exists", async () => {
  const empty = { body: { ticker: "AAPL", adjusted: false, resultsCount: 0, status: "OK" } };
  const known = { body: { status: "OK", results: { ticker: "AAPL" } } };
  vendor.serve((url) => (url.pathname.includes("reference") ? known : empty));
  const provider = polygon();
  for (const to of ["2024-07-06T14:00Z", "2024-07-07T14:00Z"]) {
    const { candles } = await provider.fetchCandles(stretch("1m", "2024-07-06T13:30Z", to), never);
    expect(candles.time).toHaveLength(0);
  }
  expect(vendor.asked().filter((path) => path === "/v3/reference/tickers/AAPL")).toHaveLength(1);
  vendor.serve((url) => (url.pathname.includes("reference") ? "not-found" : empty));
  const work = polygon().fetchCandles(stretch("1m", "2024-07-06T13:30Z", "2024-07-06T14:00Z"), never);
  expect(await failedLater(work)).toMatchObject({ failure: "unknown_symbol" });
});

it("gives the last close where the plan shows no prices, and asks for those again after hours", async () => {
  vendor.serve((url) => (url.pathname.includes("snapshot") ? "not-entitled" : "previous"));
  const provider = polygon();
  for (let i = 0; i < 3; i++) {
    expect(await provider.fetchQuote(AAPL, never)).toMatchObject({
      price: 104.5,
      time: at("2024-07-08T20:00Z"),
    });
  }
  const snapshot = "/v2/snapshot/locale/us/markets/stocks/tickers/AAPL";
  const previous = "/v2/aggs/ticker/AAPL/prev?adjusted=false";
  expect(vendor.asked()).toEqual([snapshot, previous, previous, previous]);
  nowMs += 7 * 3_600_000;
  await provider.fetchQuote(AAPL, never);
  expect(vendor.asked().slice(-2)).toEqual([snapshot, previous]);
});

it("asks for the last trade before trading begins", async () => {
  const trade = {
    body: { status: "OK", results: { T: "AAPL", p: 105, t: at("2024-07-09T00:00Z") * 1e6 } },
  };
  vendor.serve((url) => (url.pathname.includes("snapshot") ? "snapshot-before-trading" : trade));
  expect(await polygon().fetchQuote(AAPL, never)).toMatchObject({
    price: 105,
    time: at("2024-07-09T00:00Z"),
  });
  expect(vendor.asked()[1]).toBe("/v2/last/trade/AAPL");
});

it("does not take trouble for a plan", async () => {
  vendor.serve(() => ({ status: 500, body: "" }));
  expect(await failedLater(polygon().fetchQuote(AAPL, never))).toMatchObject({ failure: "unavailable" });
  expect(vendor.requests).toHaveLength(1);
});

it("gives splits and dividends in the order of their days", async () => {
  vendor.serve((url) => (url.pathname.endsWith("splits") ? "splits" : "dividends"));
  const [from, to] = [dayOf("2020-01-01"), dayOf("2024-05-10")];
  const actions = (await polygon().fetchActions?.(AAPL, from, to, never)) ?? [];
  expect(actions.map(({ kind, exDay }) => [kind, exDay])).toEqual([
    ["split", dayOf("2020-08-31")],
    ["dividend", dayOf("2023-11-10")],
  ]);
  const query = (date: string) => `${date}.gte=2020-01-01&${date}.lt=2024-05-10&limit=1000`;
  expect(vendor.asked()).toEqual([
    `/v3/reference/splits?ticker=AAPL&${query("execution_date")}`,
    `/v3/reference/dividends?ticker=AAPL&${query("ex_dividend_date")}`,
  ]);
  expect(await polygon().fetchActions?.(instrumentOf("BTC-USD"), from, to, never)).toEqual([]);
});

it("gives a whole chain, and says when none expires then", async () => {
  const second = { body: { status: "OK", results: [] } };
  vendor.serve((url, nth) =>
    url.pathname.includes("contracts") ? "contracts" : nth === 1 ? "chain" : second,
  );
  const { options } = polygon();
  expect(await options?.fetchExpiries(AAPL, never)).toEqual([dayOf("2024-07-19"), dayOf("2024-08-16")]);
  const chain = await options?.fetchChain(AAPL, dayOf("2024-07-19"), never);
  expect(chain).toMatchObject({ underlying: "AAPL", spot: 105.5, time: at("2024-07-09T14:59Z") });
  expect(chain?.quotes).toHaveLength(2);
  expect(vendor.asked()[1]).toBe("/v3/snapshot/options/AAPL?expiration_date=2024-07-19&limit=250");
  const none = options?.fetchChain(AAPL, dayOf("2024-07-20"), never) ?? Promise.resolve();
  expect(await failedLater(none)).toMatchObject({ failure: "refused" });
  expect(options?.carries(instrumentOf("BTC-USD"))).toBe(false);
  expect(options?.carries(instrumentOf("SPY"))).toBe(true);
});

it.each([
  [
    "its legs, however fresh the underlying is",
    { last_updated: at("2024-05-09T15:00Z") },
    "2024-05-09T15:00Z",
  ],
  ["the underlying where no leg has any", {}, "2024-07-09T14:58Z"],
])("gives a chain the time of %s", async (_, day, time) => {
  const leg = {
    details: { contract_type: "call", expiration_date: "2024-07-19", strike_price: 100 },
    underlying_asset: { ticker: "AAPL", price: 105.5, last_updated: at("2024-07-09T14:58Z") },
    day,
  };
  vendor.serve(() => ({ body: { status: "OK", results: [leg] } }));
  const chain = await polygon().options?.fetchChain(AAPL, dayOf("2024-07-19"), never);
  expect(chain?.time).toBe(at(time));
});

it("is asked for news of a stretch, about an instrument or none", async () => {
  vendor.serve(() => "news");
  const { news } = polygon();
  const query = { fromMs: at("2024-07-08T00:00Z"), toMs: at("2024-07-08T12:00Z") };
  expect(await news?.fetchNews({ instrument: AAPL, ...query }, never)).toEqual([]);
  const wider = { ...query, toMs: at("2024-07-08T12:00:01Z") };
  expect(await news?.fetchNews({ instrument: null, ...wider }, never)).toHaveLength(1);
  const [first, second] = vendor.requests.map(({ searchParams }) => Object.fromEntries(searchParams));
  expect(first).toMatchObject({ ticker: "AAPL", "published_utc.gte": "2024-07-08T00:00:00.000Z" });
  expect(second).not.toHaveProperty("ticker");
  expect(await news?.fetchNews({ instrument: instrumentOf("TCS.NS"), ...query }, never)).toEqual([]);
});

it("is late by as much as the plan says, and goes back as far", async () => {
  const provider = polygon();
  expect(await provider.feedNowMs(AAPL, "1m", nowMs)).toBe(nowMs - 900_000);
  expect(await provider.earliestMs(AAPL, "1m", nowMs)).toBe(nowMs - 729.5 * 86_400_000);
  expect(provider.quota).toEqual({ perMinute: 5, perDay: null });
});
