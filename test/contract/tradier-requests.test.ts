import { describe, expect, it } from "vitest";
import { ensure } from "../../src/core/base/assert.js";
import { dayOf } from "../../src/core/market/day.js";
import { classifySymbol, type Instrument } from "../../src/core/market/instrument.js";
import type { Interval } from "../../src/core/market/interval.js";
import { createTradierProvider } from "../../src/providers/tradier.js";
import { vendorSymbolOf } from "../../src/providers/tradier-answer.js";
import { foundOf } from "../../src/providers/tradier-quote.js";
import { answerOf } from "../fixtures/recorded.js";
import { scriptedClient } from "../fixtures/refusal.js";

const TOKEN = "secret-token-1";
const NOW = Date.parse("2024-06-28T16:06:00Z");
const instrumentOf = (symbol: string): Instrument => ensure(classifySymbol(symbol), symbol);
const AAPL = instrumentOf("AAPL");
const never = new AbortController().signal;
const stretch = (interval: Interval, from: string, to: string, instrument = AAPL) => ({
  instrument,
  interval,
  fromMs: Date.parse(from),
  toMs: Date.parse(to),
});

describe("symbols", () => {
  it("are spelled as the vendor does, or not carried", () => {
    const spelled = (symbol: string) => vendorSymbolOf(instrumentOf(symbol));
    expect(["AAPL", "SPY", "BRK.B", "^GSPC", "^VIX"].map(spelled)).toEqual([
      "AAPL",
      "SPY",
      "BRK/B",
      "SPX",
      "VIX",
    ]);
    expect(["BTC-USD", "EURUSD=X", "TCS.NS", "^NSEI", "^DJI", "GC=F"].map(spelled)).toEqual(
      Array(6).fill(null),
    );
  });
});

describe("symbols that were found", () => {
  it("are shares and funds whose symbol means the same here", () => {
    const security = (symbol: string, type = "stock") => ({ symbol, exchange: "Z", type, description: " " });
    const found = foundOf({
      securities: {
        security: [
          security("BRK/B"),
          security("SPY", "etf"),
          // A fund there, a coin here; a preferred share; an index; an option.
          security("BTC", "etf"),
          security("AAp"),
          security("SPX", "index"),
          security("AAPL240719C00100000", "option"),
        ],
      },
    });
    expect(
      found.map(({ vendorSymbol, instrument }) => [vendorSymbol, instrument.symbol, instrument.name]),
    ).toEqual([
      ["BRK/B", "BRK.B", "BRK.B"],
      ["SPY", "SPY", "SPDR S&P 500"],
    ]);
    expect(foundOf({ securities: { security: security("T") } })).toHaveLength(1);
  });
});

describe("requests", () => {
  const opened = (answer: (path: string) => unknown, baseUrl = "https://vendor.example") => {
    const http = scriptedClient(({ url }) => answerOf(answer(new URL(url).pathname)));
    return { http, provider: createTradierProvider({ baseUrl, token: TOKEN, http, now: () => NOW }) };
  };
  const asked = (http: ReturnType<typeof opened>["http"]) =>
    http.requests.map(({ url }) => {
      const { pathname, searchParams } = new URL(url);
      return [pathname, Object.fromEntries(searchParams)] as const;
    });

  it("cover a stretch in dates and times of the exchange, both ends with it", async () => {
    const { http, provider } = opened((path) =>
      path.endsWith("history") ? { history: { day: [] } } : { quotes: { quote: { symbol: "BRK/B" } } },
    );
    const request = stretch("1d", "2024-06-03T13:30Z", "2024-06-29T00:00Z", instrumentOf("BRK.B"));
    expect((await provider.fetchCandles(request, never)).candles.time.length).toBe(0);
    expect(asked(http)).toEqual([
      [
        "/v1/markets/history",
        {
          symbol: "BRK/B",
          interval: "daily",
          start: "2024-06-03",
          end: "2024-06-28",
          session_filter: "open",
        },
      ],
      // Nothing came: is the symbol known?
      ["/v1/markets/quotes", { symbols: "BRK/B", greeks: "false" }],
    ]);
    const sales = opened(() => ({ series: { data: [] }, quotes: { unmatched_symbols: { symbol: "NOPE" } } }));
    const minutes = stretch("5m", "2024-06-28T13:30Z", "2024-06-28T20:00Z", instrumentOf("NOPE"));
    await expect(sales.provider.fetchCandles(minutes, never)).rejects.toMatchObject({
      failure: "unknown_symbol",
    });
    expect(asked(sales.http)[0]).toEqual([
      "/v1/markets/timesales",
      {
        symbol: "NOPE",
        interval: "5min",
        start: "2024-06-28 09:30",
        end: "2024-06-28 15:59",
        session_filter: "open",
      },
    ]);
  });

  it("of chains, expiries, search and clock", async () => {
    const { http, provider } = opened((path) => {
      if (path.endsWith("chains")) return { options: null };
      if (path.endsWith("quotes"))
        return { quotes: { quote: { symbol: "AAPL", last: 210, trade_date: NOW } } };
      if (path.endsWith("expirations")) return { expirations: { date: ["2024-07-19"] } };
      if (path.endsWith("lookup")) return { securities: null };
      return { clock: { state: "premarket", timestamp: NOW / 1_000 } };
    });
    const options = ensure(provider.options, "options");
    expect(options.carries(AAPL)).toBe(true);
    expect(options.carries(instrumentOf("TCS.NS"))).toBe(false);
    await options.fetchExpiries(AAPL, never);
    expect((await options.fetchChain(AAPL, dayOf("2024-07-19"), never)).spot).toBe(210);
    expect(await provider.search?.("apple & co", never)).toEqual([]);
    expect(await provider.fetchStatus?.(never)).toEqual({ phase: "pre", time: NOW, description: null });
    expect(asked(http)).toEqual([
      ["/v1/markets/options/expirations", { symbol: "AAPL", includeAllRoots: "true", strikes: "false" }],
      ["/v1/markets/options/chains", { symbol: "AAPL", expiration: "2024-07-19", greeks: "true" }],
      ["/v1/markets/quotes", { symbols: "AAPL", greeks: "false" }],
      ["/v1/markets/lookup", { q: "apple & co" }],
      ["/v1/markets/clock", {}],
    ]);
    for (const { url, headers } of http.requests) {
      expect(new URL(url).origin).toBe("https://vendor.example");
      expect(url).not.toContain(TOKEN);
      expect(headers).toEqual({ authorization: `Bearer ${TOKEN}`, accept: "application/json" });
    }
  });

  it("are not made for what it does not carry or an empty stretch", async () => {
    const { http, provider } = opened(() => ({}));
    const tcs = instrumentOf("TCS.NS");
    expect(provider.intervals(tcs)).toEqual([]);
    const work = provider.fetchCandles(stretch("1d", "2024-06-03", "2024-06-04", tcs), never);
    await expect(work).rejects.toMatchObject({ failure: "unknown_symbol" });
    await expect(provider.fetchQuote(tcs, never)).rejects.toMatchObject({ failure: "unknown_symbol" });
    await provider.fetchCandles(stretch("1d", "2024-06-03", "2024-06-03"), never);
    expect(http.requests).toEqual([]);
  });

  it("may be 120 a minute, in the sandbox 60", () => {
    const quota = (baseUrl: string) => opened(() => ({}), baseUrl).provider.quota;
    expect(quota("https://api.tradier.com")).toEqual({ perMinute: 120, perDay: null });
    expect(quota("https://sandbox.tradier.com")).toEqual({ perMinute: 60, perDay: null });
  });
});
