import { describe, expect, it } from "vitest";
import { ensure } from "../../src/core/base/assert.js";
import { dayOf } from "../../src/core/market/day.js";
import { classifySymbol, type Instrument } from "../../src/core/market/instrument.js";
import { type HttpAnswer, HttpClientError, type HttpRequest } from "../../src/platform/http-client.js";
import { ProviderError } from "../../src/providers/define.js";
import { createYahooProvider } from "../../src/providers/yahoo.js";
import { answerOf } from "../fixtures/recorded.js";
import { scriptedClient } from "../fixtures/refusal.js";
import { chartBody } from "../fixtures/yahoo.js";

const NOW = Date.parse("2025-02-14T21:01Z");
const instrumentOf = (symbol: string): Instrument => ensure(classifySymbol(symbol), symbol);
const AAPL = instrumentOf("AAPL");
const never = new AbortController().signal;
const SECONDS = Date.parse("2025-02-14T21:00Z") / 1_000;

const QUOTE = {
  quoteResponse: {
    result: [{ symbol: "AAPL", regularMarketPrice: 244.6, regularMarketTime: SECONDS, bid: 244.4 }],
    error: null,
  },
};
const CHART = chartBody("AAPL", [], { regularMarketPrice: 244.5, regularMarketTime: SECONDS });
const INVALID = answerOf(
  { finance: { result: null, error: { code: "Unauthorized", description: "Invalid Crumb" } } },
  401,
);

interface Service {
  /** Cookie of a visit, by its number; null sets none. */
  readonly cookie?: (visit: number) => HttpAnswer | Promise<HttpAnswer>;
  readonly crumb?: (visit: number) => HttpAnswer;
  readonly quote?: (request: HttpRequest) => HttpAnswer;
}

const visitOf = (visit: number) =>
  answerOf("", 404, { "set-cookie": `A3=visit-${visit}; Domain=.yahoo.example; Secure` });

function opened(service: Service = {}) {
  let visit = 0;
  let nowMs = NOW;
  const {
    cookie = visitOf,
    crumb = (nth) => answerOf(`crumb-${nth}`),
    quote = () => answerOf(QUOTE),
  } = service;
  const http = scriptedClient((request) => {
    const { pathname } = new URL(request.url);
    if (pathname === "/cookie") return cookie(++visit);
    if (pathname === "/v1/test/getcrumb") return crumb(visit);
    if (pathname.startsWith("/v8/")) return answerOf(CHART);
    return quote(request);
  });
  const provider = createYahooProvider({
    baseUrl: "https://query.example",
    cookieUrl: "https://fc.example/cookie",
    feedUrl: "https://feeds.example",
    http,
    now: () => nowMs,
  });
  return {
    provider,
    paths: () => http.requests.splice(0).map(({ url }) => new URL(url).pathname),
    http,
    pass: (ms: number) => {
      nowMs += ms;
    },
  };
}

const OPENING = ["/cookie", "/v1/test/getcrumb"];
const QUOTING = "/v7/finance/quote";
const CHARTING = "/v8/finance/chart/AAPL";

describe("a session", () => {
  it("is opened once for all who need it at one time, and then kept", async () => {
    const { provider, paths, http } = opened();
    const asked = Array.from({ length: 5 }, () => provider.fetchQuote(AAPL, never));
    expect((await Promise.all(asked)).map((quote) => quote?.price)).toEqual(Array(5).fill(244.6));
    await provider.fetchQuote(AAPL, never);
    const [page, crumb, quote] = http.requests;
    expect(page).toEqual({ url: "https://fc.example/cookie", headers: { accept: "text/html" } });
    expect(crumb).toEqual({
      url: "https://query.example/v1/test/getcrumb",
      headers: { accept: "text/plain", cookie: "A3=visit-1" },
    });
    expect(quote).toEqual({
      url: "https://query.example/v7/finance/quote?symbols=AAPL&crumb=crumb-1",
      headers: { cookie: "A3=visit-1" },
    });
    expect(paths()).toEqual([...OPENING, ...Array(6).fill(QUOTING)]);
  });

  it("is renewed once for all when it is no longer taken, in words or by status", async () => {
    for (const refusal of [INVALID, { ...INVALID, status: 200 }, answerOf("", 401)]) {
      let taken = "crumb-1";
      const { provider, paths } = opened({
        quote: ({ url }) => (url.endsWith(taken) ? answerOf(QUOTE) : refusal),
      });
      await provider.fetchQuote(AAPL, never);
      paths();
      taken = "crumb-2";
      const both = await Promise.all([provider.fetchQuote(AAPL, never), provider.fetchQuote(AAPL, never)]);
      expect(both.map((quote) => quote?.bid)).toEqual([244.4, 244.4]);
      const made = paths();
      expect(made.filter((path) => path === "/cookie")).toHaveLength(1);
      expect(made.filter((path) => path === QUOTING)).toHaveLength(4);
    }
  });

  it("that is never taken leaves the price of the chart, and is not asked for again for ten minutes", async () => {
    const { provider, paths, pass } = opened({ quote: () => INVALID });
    expect(await provider.fetchQuote(AAPL, never)).toMatchObject({ price: 244.5, bid: null });
    expect(paths()).toEqual([...OPENING, QUOTING, ...OPENING, QUOTING, CHARTING]);
    await provider.fetchQuote(AAPL, never);
    expect(paths()).toEqual([CHARTING]);
    pass(600_000);
    await provider.fetchQuote(AAPL, never);
    expect(paths()[0]).toBe("/cookie");
  });

  it.each<[string, Service]>([
    ["no cookie", { cookie: () => answerOf("", 200) }],
    [
      "nobody at the address of the cookie",
      { cookie: () => Promise.reject(new HttpClientError("network", "refused")) },
    ],
    ["a page for a crumb", { crumb: () => answerOf("<html>consent</html>") }],
    ["no crumb", { crumb: () => answerOf("", 401) }],
  ])("that is not to be had (%s) leaves the price of the chart, but no options", async (_, service) => {
    const { provider, paths } = opened(service);
    expect(await provider.fetchQuote(AAPL, never)).toMatchObject({ price: 244.5 });
    const made = paths();
    expect(made.at(-1)).toBe(CHARTING);
    expect(made).not.toContain(QUOTING);
    const options = ensure(provider.options, "options");
    await expect(options.fetchExpiries(AAPL, never)).rejects.toMatchObject({ failure: "unauthorized" });
    expect(paths()).toEqual([]);
  });

  it("that too many asked for is a limit of the source", async () => {
    for (const service of [
      { cookie: () => answerOf("", 429, { "retry-after": "4" }) },
      { crumb: () => answerOf("Too Many Requests", 429, { "retry-after": "4" }) },
    ]) {
      const work = opened(service).provider.fetchQuote(AAPL, never);
      await expect(work).rejects.toMatchObject({ failure: "rate_limited", retryAfterMs: 4_000 });
    }
  });

  it("shows in no error", async () => {
    const refusals: readonly HttpAnswer[] = [
      INVALID,
      answerOf("", 500),
      answerOf("<html>", 200),
      answerOf({}, 404),
    ];
    for (const refusal of refusals) {
      const { provider } = opened({ quote: () => refusal });
      const options = ensure(provider.options, "options");
      const error = await options.fetchChain(AAPL, dayOf("2025-02-21"), never).then(
        () => null,
        (thrown: unknown) => thrown,
      );
      expect(error).toBeInstanceOf(ProviderError);
      expect(`${(error as ProviderError).message} ${(error as ProviderError).stack}`).not.toMatch(
        /crumb-|visit-/,
      );
    }
  });

  it("does not end with the caller who opened it", async () => {
    let give: (answer: HttpAnswer) => void = () => undefined;
    const { provider } = opened({
      cookie: () =>
        new Promise((resolve) => {
          give = resolve;
        }),
    });
    const first = new AbortController();
    const [one, two] = [provider.fetchQuote(AAPL, first.signal), provider.fetchQuote(AAPL, never)];
    first.abort();
    give(visitOf(1));
    await one;
    expect((await two)?.price).toBe(244.6);
  });
});

describe("requests", () => {
  it("of options, actions, search and headlines", async () => {
    const body = {
      optionChain: { result: [{ underlyingSymbol: "BRK-B", expirationDates: [], options: [] }], error: null },
    };
    const { provider, http } = opened({
      quote: ({ url }) => {
        if (url.includes("/rss/")) return answerOf("<rss><channel><title>News</title></channel></rss>");
        return answerOf(url.includes("/search") ? { quotes: [] } : body);
      },
    });
    const options = ensure(provider.options, "options");
    const brk = instrumentOf("BRK.B");
    expect(options.carries(brk)).toBe(true);
    expect(options.carries(instrumentOf("EURUSD=X"))).toBe(false);
    expect(options.carries(instrumentOf("TCS.NS"))).toBe(false);
    await options.fetchExpiries(brk, never);
    await options.fetchChain(brk, dayOf("2025-02-21"), never);
    expect(await provider.fetchActions?.(AAPL, dayOf("2024-01-01"), dayOf("2024-02-01"), never)).toEqual([]);
    await provider.search?.("apple & co", never);
    const news = ensure(provider.news, "news");
    await news.fetchNews({ instrument: brk, fromMs: 0, toMs: NOW }, never);
    await news.fetchNews({ instrument: null, fromMs: 0, toMs: NOW }, never);
    expect(http.requests.slice(2).map(({ url }) => url)).toEqual([
      "https://query.example/v7/finance/options/BRK-B?crumb=crumb-1",
      "https://query.example/v7/finance/options/BRK-B?date=1740096000&crumb=crumb-1",
      // Up to now, a day more on either side.
      `https://query.example/v8/finance/chart/AAPL?period1=${Date.UTC(2023, 11, 31) / 1_000}&period2=${(NOW + 86_400_000) / 1_000}&interval=1d&includePrePost=false&events=div%2Csplit`,
      "https://query.example/v1/finance/search?q=apple+%26+co&quotesCount=20&newsCount=0",
      "https://feeds.example/rss/2.0/headline?s=BRK-B&region=US&lang=en-US",
      "https://feeds.example/rss/2.0/headline?s=%5EGSPC&region=US&lang=en-US",
    ]);
    // The cookie goes to the quote service alone.
    for (const { url, headers } of http.requests.slice(4))
      expect(headers ?? {}, url).not.toHaveProperty("cookie");
  });
});
