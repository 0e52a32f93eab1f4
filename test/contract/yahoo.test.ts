import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { ensure } from "../../src/core/base/assert.js";
import { findInvalidBar } from "../../src/core/market/candles.js";
import { classifySymbol, type Instrument } from "../../src/core/market/instrument.js";
import type { Interval } from "../../src/core/market/interval.js";
import type { HttpAnswer } from "../../src/platform/http-client.js";
import { ProviderError } from "../../src/providers/define.js";
import { candlesOf, chartRequest, parseChart, quoteOf } from "../../src/providers/yahoo-chart.js";

const folder = new URL("../fixtures/providers/yahoo/", import.meta.url);
const at = (text: string) => Date.parse(text);
const NOW = at("2024-07-09T15:00Z");
const instrumentOf = (symbol: string): Instrument => ensure(classifySymbol(symbol), symbol);

interface Payload {
  readonly about: string;
  readonly symbol: string;
  readonly interval: Interval;
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: unknown;
}

function payloadOf(name: string): Payload & { readonly answer: HttpAnswer; readonly instrument: Instrument } {
  const payload = JSON.parse(readFileSync(new URL(`${name}.json`, folder), "utf8")) as Payload;
  const { status, headers, body, symbol } = payload;
  const text = typeof body === "string" ? body : JSON.stringify(body);
  return {
    ...payload,
    instrument: instrumentOf(symbol),
    answer: { status, headers: new Headers({ ...headers }), text },
  };
}

/** Bars as "time open high low close volume" and rejected rows as "time reason". */
function read(name: string, nowMs = NOW) {
  const { answer, symbol, interval, instrument } = payloadOf(name);
  const { candles, rejected } = candlesOf(parseChart(answer, symbol, nowMs), instrument, interval);
  expect(findInvalidBar(candles)).toBeNull();
  expect(candles).toMatchObject({ symbol, interval });
  const { time, open, high, low, close, volume } = candles;
  const iso = (ms: number) => `${new Date(ms).toISOString().slice(0, 16)}Z`;
  return {
    bars: Array.from(time, (ms, i) => `${iso(ms)} ${open[i]} ${high[i]} ${low[i]} ${close[i]} ${volume[i]}`),
    rejected: rejected.map(({ time: ms, reason }) => `${Math.abs(ms) < 4e12 ? iso(ms) : ms} ${reason}`),
  };
}

const CHARTS: Readonly<Record<string, { bars: readonly string[]; rejected?: readonly string[] }>> = {
  "days-over-a-holiday": {
    bars: [
      "2024-07-02T13:30Z 101.5 103.25 100.75 102.5 1200000",
      "2024-07-03T13:30Z 102.5 104 102 103.75 800000",
      "2024-07-05T13:30Z 104 106.5 103.5 106 1500000",
      "2024-07-08T13:30Z 106 107 104.25 104.5 1350000",
    ],
  },
  "days-over-a-closed-monday": {
    bars: [
      "2024-08-30T13:30Z 98 99 97 98.5 1000",
      "2024-09-03T13:30Z 98 98.5 95 96 2000",
      "2024-09-04T13:30Z 96 97.5 95.5 97 1100",
      "2024-09-05T13:30Z 97 99 96.5 98.75 1200",
      "2024-09-06T13:30Z 98.5 98.5 94 95.25 1900",
    ],
  },
  "two-days-with-live-row": {
    bars: ["2024-07-08T13:30Z 106 107 104.25 104.5 1350000", "2024-07-09T13:30Z 104.5 105.25 103 105 910000"],
  },
  "days-with-null": {
    bars: [
      "2024-07-08T13:30Z 106 107 104.25 104.5 1350000",
      "2024-07-10T13:30Z 104.5 105.5 104 105.25 1000000",
    ],
  },
  "minutes-with-nulls": {
    bars: ["2024-07-09T14:00Z 10.1 10.2 10 10.15 100"],
    rejected: ["2024-07-09T14:02Z volume is negative or not finite", "2024-07-09T14:03Z price is not finite"],
  },
  "minutes-off-the-grid": {
    bars: ["2024-07-09T14:00Z 10.1 10.2 10 10.15 100", "2024-07-09T14:02Z 10.2 10.3 10.1 10.25 5"],
    rejected: ["2024-07-09T14:00Z time is not that of a bar"],
  },
  "hours-of-a-half-day": {
    bars: [
      "2024-07-03T13:30Z 102.5 103 102.25 102.75 300",
      "2024-07-03T14:30Z 102.75 103.5 102.5 103.25 200",
      "2024-07-03T15:30Z 103.25 104 103 103.5 150",
      "2024-07-03T16:30Z 103.5 103.75 103.25 103.75 120",
    ],
  },
  "no-timestamps": { bars: [] },
  "quotes-without-timestamps": { bars: [] },
  "columns-of-other-length": { bars: ["2024-07-08T13:30Z 106 107 104.25 104.5 1350000"] },
  "crypto-days": {
    bars: [
      "2024-07-06T00:00Z 56000.5 58400 55900.25 58200 21000",
      "2024-07-07T00:00Z 58200 58300 55700 55800.75 19000",
      "2024-07-08T00:00Z 55800.75 57900 54300 57100 15000",
    ],
  },
  // The sessions that close on Monday to Wednesday, each from 17:00 in New York.
  "fx-days-of-summer-seen-in-winter": {
    bars: [
      "2024-06-30T21:00Z 1.0721 1.0776 1.071 1.0739 0",
      "2024-07-01T21:00Z 1.0739 1.0748 1.071 1.0745 0",
      "2024-07-02T21:00Z 1.0745 1.0816 1.0737 1.0786 0",
    ],
  },
  "index-days": {
    bars: ["2024-07-08T13:30Z 12.5 12.9 12.3 12.37 0", "2024-07-09T13:30Z 12.4 12.7 12.2 12.51 0"],
  },
  "share-class": { bars: ["2024-07-08T13:30Z 410 412 408 409 100"] },
  "impossible-rows": {
    bars: ["2024-07-08T13:30Z 106 107 104.25 104.5 1350000"],
    rejected: [
      "2024-07-02T13:30Z low is above open, close or high",
      "2024-07-03T13:30Z price is not positive",
      "2024-07-05T13:30Z volume is negative or not finite",
    ],
  },
  // The last row is left out unnamed, as is any last row that is no bar.
  "times-in-milliseconds": { bars: [], rejected: ["1720445400000000 time is not that of a bar"] },
  "times-beyond-all-dates": { bars: [], rejected: ["1e+303 time is not that of a bar"] },
  "price-of-zero": { bars: [] },
};

const FAILURES: Readonly<Record<string, { failure: string; message?: RegExp; retryAfterMs?: number }>> = {
  "numbers-as-text": { failure: "bad_payload", message: /not a chart: .*open/ },
  "other-symbol": { failure: "bad_payload", message: /answered for MSFT instead of AAPL/ },
  "unknown-symbol": { failure: "unknown_symbol", message: /may be delisted/ },
  "error-in-200": { failure: "unavailable", message: /Something went wrong/ },
  "unauthorized-in-200": { failure: "unauthorized" },
  "empty-result": { failure: "unknown_symbol" },
  "crumb-refused": { failure: "unauthorized", message: /401/ },
  "range-refused": { failure: "refused", message: /last 30 days/ },
  "too-many-requests": { failure: "rate_limited" },
  "too-many-requests-seconds": { failure: "rate_limited", retryAfterMs: 120_000 },
  "too-many-requests-date": { failure: "rate_limited", retryAfterMs: 600_000 },
  "too-many-requests-absurd": { failure: "rate_limited", retryAfterMs: 1e23 },
  "too-many-requests-nonsense": { failure: "rate_limited" },
  "too-many-requests-in-200": { failure: "rate_limited" },
  "page-of-maintenance": { failure: "bad_payload", message: /not JSON/ },
  "page-not-found": { failure: "bad_payload", message: /not JSON/ },
  truncated: { failure: "bad_payload", message: /not JSON/ },
  "other-shape": { failure: "bad_payload", message: /not a chart: chart/ },
  "server-error": { failure: "unavailable", message: /503/ },
};

describe("payloads", () => {
  it("are all in the tables below", () => {
    const names = readdirSync(folder).map((file) => file.replace(/\.json$/, ""));
    expect(names.sort()).toEqual([...Object.keys(CHARTS), ...Object.keys(FAILURES)].sort());
  });

  it.each(Object.entries(CHARTS))("%s is read", (name, { bars, rejected = [] }) => {
    expect(read(name)).toEqual({ bars, rejected });
  });

  it.each(Object.entries(FAILURES))("%s is refused", (name, { failure, message = /./, retryAfterMs }) => {
    const { answer, symbol } = payloadOf(name);
    let thrown: unknown = null;
    try {
      parseChart(answer, symbol, NOW);
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toBeInstanceOf(ProviderError);
    const error = thrown as ProviderError;
    expect(error.failure).toBe(failure);
    expect(error.message).toMatch(message);
    expect(error.retryAfterMs).toBe(retryAfterMs ?? null);
  });

  it("shows nothing of an address or a page in its message", () => {
    for (const name of Object.keys(FAILURES)) {
      const { answer, symbol } = payloadOf(name);
      expect(() => parseChart(answer, symbol, NOW)).toThrow(/^[^<>]{1,240}$/);
    }
  });
});

describe("bars of another length than those that were asked for", () => {
  const given = (granularity: string) => {
    const { answer, symbol } = payloadOf("hours-of-a-half-day");
    const text = answer.text.replaceAll(
      /"dataGranularity":\s*"[^"]+"/g,
      `"dataGranularity":"${granularity}"`,
    );
    return parseChart({ ...answer, text }, symbol, NOW);
  };

  it.each([
    ["1mo", "1d"],
    ["1h", "5m"],
    ["1d", "1h"],
  ] as const)("%s for %s are refused", (granularity, interval) => {
    const chart = given(granularity);
    expect(() => candlesOf(chart, instrumentOf("AAPL"), interval)).toThrow(
      `answered with bars of ${granularity}`,
    );
  });

  it("are not those of an hour by another name", () => {
    for (const granularity of ["1h", "60m"]) {
      const { candles } = candlesOf(given(granularity), instrumentOf("AAPL"), "1h");
      expect(candles.time.length).toBeGreaterThan(0);
    }
  });
});

describe("retry-after", () => {
  const waitOf = (text: string): number | null => {
    try {
      parseChart({ status: 429, headers: new Headers({ "retry-after": text }), text: "" }, "AAPL", NOW);
    } catch (error) {
      if (error instanceof ProviderError) return error.retryAfterMs;
    }
    throw new Error("was not refused");
  };

  it.each([
    ["0", 0],
    ["60", 60_000],
    [" 60 ", 60_000],
    ["Tue, 09 Jul 2024 15:00:30 GMT", 30_000],
    ["Tuesday, 09-Jul-24 15:00:30 GMT", 30_000],
    // The moment is over: now.
    ["Tue, 09 Jul 2019 15:00:30 GMT", 0],
    ["-5", null],
    ["1.5", null],
    ["2024", 2_024_000],
    ["2024-07-09T15:00:30Z", null],
    ["", null],
  ])("of %j is %s", (text, expected) => {
    expect(waitOf(text)).toBe(expected);
  });
});

describe("request", () => {
  const ask = (symbol: string, interval: Interval, fromMs = 1_000_500, toMs = 2_000_500) =>
    new URL(
      chartRequest("https://vendor.example", { instrument: instrumentOf(symbol), interval, fromMs, toMs })
        .url,
    );

  it("covers the stretch in whole seconds", () => {
    const url = ask("AAPL", "1h");
    expect(url.pathname).toBe("/v8/finance/chart/AAPL");
    expect(Object.fromEntries(url.searchParams)).toEqual({
      period1: "1000",
      period2: "2001",
      interval: "60m",
      includePrePost: "false",
    });
  });

  it("spells symbols as the service does, and safely", () => {
    expect(ask("BRK.B", "1d").pathname).toBe("/v8/finance/chart/BRK-B");
    expect(ask("TCS.NS", "1d").pathname).toBe("/v8/finance/chart/TCS.NS");
    expect(ask("^GSPC", "1d").pathname).toBe("/v8/finance/chart/%5EGSPC");
    expect(ask("EURUSD=X", "1d").pathname).toBe("/v8/finance/chart/EURUSD%3DX");
    expect(ask("BTC-USD", "1d").pathname).toBe("/v8/finance/chart/BTC-USD");
  });
});

describe("quote", () => {
  const quote = (name: string, nowMs: number) => {
    const { answer, symbol, instrument } = payloadOf(name);
    return quoteOf(parseChart(answer, symbol, nowMs), instrument, nowMs);
  };

  it("is the last price with the close of the session before its own", () => {
    expect(quote("days-over-a-holiday", at("2024-07-09T03:00Z"))).toEqual({
      symbol: "AAPL",
      price: 104.5,
      time: at("2024-07-08T20:00:01Z"),
      open: 106,
      high: 107,
      low: 104.25,
      previousClose: 106,
      volume: 1_350_000,
      bid: null,
      ask: null,
    });
  });

  it("takes a day that is given twice for one", () => {
    expect(quote("two-days-with-live-row", at("2024-07-09T19:13Z"))).toMatchObject({
      price: 105,
      open: 104.5,
      previousClose: 104.5,
      high: null,
    });
  });

  it("has no open or previous close where those days have no prices", () => {
    // The price is of the 10th, the day before has no prices: the close before is that of the 8th.
    expect(quote("days-with-null", at("2024-07-11T13:00Z"))).toMatchObject({
      open: 104.5,
      previousClose: 104.5,
    });
    const { answer, instrument } = payloadOf("days-with-null");
    const chart = parseChart(answer, "AAPL", NOW);
    const late = { ...chart, meta: { ...chart.meta, regularMarketTime: at("2024-07-11T14:00Z") / 1_000 } };
    expect(quoteOf(late, instrument, at("2024-07-11T14:01Z"))).toMatchObject({
      open: null,
      previousClose: 105.25,
    });
  });

  it("is null without a price or with a price of 0", () => {
    expect(quote("days-over-a-closed-monday", NOW)).toBeNull();
    expect(quote("price-of-zero", NOW)).toBeNull();
  });

  it("is refused when it is of the future", () => {
    expect(() => quote("days-over-a-holiday", at("2024-07-08T19:00Z"))).toThrow(ProviderError);
    expect(quote("days-over-a-holiday", at("2024-07-08T19:59Z"))).not.toBeNull();
  });
});

describe("prices in hundredths of a currency", () => {
  it.each(["GBp", "GBX", "ZAc"])("%s are refused by name", (currency) => {
    const { answer, symbol } = payloadOf("hours-of-a-half-day");
    const text = answer.text.replaceAll(/"currency":\s*"[^"]+"/g, `"currency":"${currency}"`);
    const chart = parseChart({ ...answer, text }, symbol, NOW);
    expect(chart.meta.currency).toBe(currency);
    expect(() => candlesOf(chart, instrumentOf("AAPL"), "1h")).toThrow(
      `answered in ${currency} instead of USD`,
    );
  });
});
