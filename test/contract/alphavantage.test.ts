import { describe, expect, it } from "vitest";
import type { Interval } from "../../src/core/market/interval.js";
import type { HttpAnswer } from "../../src/platform/http-client.js";
import {
  alphaVantageSymbol,
  instrumentOfAlphaVantage,
  monthsOf,
  newsTicker,
  parseNews,
  parseQuote,
  parseSearch,
  parseSeries,
} from "../../src/providers/alphavantage-wire.js";
import { candlesOfRows } from "../../src/providers/vendor-fields.js";
import {
  AAPL,
  at,
  failed,
  instrumentOf,
  KEY,
  NOW,
  ownAnswers,
  reading,
  recordedAnswers,
  told,
  unread,
} from "../fixtures/vendor-answers.js";
import { describeReaders } from "../fixtures/vendor-readers.js";

const own = ownAnswers("alphavantage");

function bars(answer: HttpAnswer, symbol: string, interval: Interval) {
  const instrument = instrumentOf(symbol);
  const vendorSymbol = alphaVantageSymbol(instrument) ?? "";
  return told(candlesOfRows(parseSeries(answer, vendorSymbol, interval, reading), instrument, interval));
}

/** Everything that reads an answer. */
const PARSERS: Readonly<Record<string, (answer: HttpAnswer) => unknown>> = {
  days: (answer) => parseSeries(answer, "AAPL", "1d", reading),
  "five minutes": (answer) => parseSeries(answer, "AAPL", "5m", reading),
  quote: (answer) => parseQuote(answer, "AAPL", AAPL, reading),
  news: (answer) => parseNews(answer, reading),
  search: (answer) => parseSearch(answer, reading),
};

describeReaders("alphavantage", PARSERS, [
  ["note-of-other-words", { failure: "rate_limited", message: "too many requests" }],
  ["key-detected", { failure: "rate_limited", message: "too many requests", retryAfterMs: null }],
  ["premium-endpoint", { failure: "refused" }],
  ["premium-full", { failure: "refused" }],
  ["demo-key", { failure: "unauthorized" }],
  ["key-refused", { failure: "unauthorized" }],
  ["other-error", { failure: "refused", message: "Something of *** failed" }],
  ["unknown-information", { failure: "refused" }],
  ["empty-object", { failure: "bad_payload" }],
]);

describe("series", () => {
  const tables: Readonly<Record<string, [string, Interval, readonly string[], (readonly string[])?]>> = {
    days: [
      "AAPL",
      "1d",
      ["2024-07-05T13:30Z 104 106.5 103.5 106 1500000", "2024-07-08T13:30Z 106 107 104.25 104.5 1350000"],
    ],
    "share-class": ["BRK.B", "1d", ["2024-07-08T13:30Z 410 412 408 409 100"]],
    "bombay-days": ["RELIANCE.BO", "1d", ["2024-07-08T03:45Z 3100 3150 3080 3120 5000"]],
    "five-minutes": [
      "AAPL",
      "5m",
      ["2024-07-08T13:30Z 105 105.5 104.5 105.25 9000", "2024-07-08T19:55Z 106 106.5 105.5 106.25 1200"],
      ["2024-07-08T13:33Z time is not that of a bar"],
    ],
    "five-minutes-of-winter": ["AAPL", "5m", ["2024-01-08T14:30Z 105 105.5 104.5 105.25 9000"]],
    "impossible-days": [
      "AAPL",
      "1d",
      [],
      [
        "NaN time is not that of a bar",
        "NaN time is not that of a bar",
        "2024-07-08T13:30Z price is not finite",
        "2024-07-05T13:30Z low is above open, close or high",
        "2024-07-03T13:30Z price is not positive",
      ],
    ],
    "numbers-as-numbers": ["AAPL", "1d", ["2024-07-08T13:30Z 106 107 104.25 104.5 1350000"]],
  };

  it.each(Object.entries(tables))("%s are read", (name, [symbol, interval, expected, rejected = []]) => {
    expect(bars(own.read(name), symbol, interval)).toEqual({ bars: expected, rejected });
  });

  it.each([
    ["another-zone", "5m", "answered in the time of another zone"],
    ["another-interval", "5m", "not a time series: Time Series (5min) Invalid input"],
    ["other-symbol", "1d", "answered for MSFT instead of AAPL"],
    ["no-days", "1d", "without a day"],
    ["rows-as-list", "1d", "not a time series: Time Series (Daily) Invalid input"],
    ["days", "5m", "not a time series: Time Series (5min) Invalid input"],
  ] as const)("%s is refused", (name, interval, message) => {
    const found = failed(() => parseSeries(own.read(name), "AAPL", interval, reading));
    expect(found.failure).toBe("bad_payload");
    expect(found.message).toContain(message);
  });

  it.each([
    ["2024-01-31T00:00Z", "2024-03-01T05:00Z", "2024-02 2024-01"],
    // Four in the morning of New York's summer is still the day before at midnight UTC.
    ["2024-07-01T03:59Z", "2024-07-01T04:00Z", "2024-06"],
    ["2024-07-01T04:00Z", "2024-07-01T04:01Z", "2024-07"],
    ["2023-12-31T12:00Z", "2024-01-01T12:00Z", "2024-01 2023-12"],
    ["2024-07-01T04:00Z", "2024-07-01T04:00Z", ""],
  ])("from %s to %s touches %s", (from, to, months) => {
    expect(monthsOf(at(from), at(to)).join(" ")).toBe(months);
  });
});

describe("quotes", () => {
  const read = (name: string, nowMs = NOW) => parseQuote(own.read(name), "AAPL", AAPL, { key: KEY, nowMs });

  it("have the time of their session's close", () => {
    expect(read("quote")).toEqual({
      symbol: "AAPL",
      price: 104.5,
      time: at("2024-07-08T20:00Z"),
      open: 106,
      high: 107,
      low: 104.25,
      previousClose: 106,
      volume: 1_350_000,
      bid: null,
      ask: null,
    });
  });

  it("claim no more than the open of a session that lasts", () => {
    expect(read("quote-of-today").time).toBe(at("2024-07-09T13:30Z"));
    expect(read("quote-of-today", at("2024-07-09T20:00Z")).time).toBe(at("2024-07-09T20:00Z"));
  });

  it.each([
    ["quote-unknown", "unknown_symbol"],
    ["quote-of-another", "bad_payload"],
    ["quote-of-tomorrow", "bad_payload"],
    ["quote-of-sunday", "bad_payload"],
    ["quote-without-price", "bad_payload"],
  ])("%s is refused", (name, failure) => {
    expect(failed(() => read(name)).failure).toBe(failure);
  });
});

describe("the rest", () => {
  it("news without an address or a time is left out, and finding none is no failure", () => {
    expect(parseNews(own.read("news"), reading)).toEqual([
      {
        id: "https://news.example/1",
        publisher: "Example Wire",
        title: "Apples fall",
        summary: "Far from the tree.",
        url: "https://news.example/1",
        publishedMs: at("2024-07-08T12:00Z"),
        symbols: ["AAPL", "BTC-USD"],
      },
    ]);
    expect(parseNews(own.read("news-one-as-object"), reading)).toMatchObject([{ symbols: ["BRK.B"] }]);
    expect(parseNews(own.read("no-articles"), reading)).toEqual([]);
    expect(failed(() => parseSearch(own.read("no-articles"), reading)).failure).toBe("refused");
  });

  it("what is found has a spelling of ours", () => {
    const found = parseSearch(own.read("symbols"), reading);
    const short = found.map(({ instrument: { symbol, name, assetClass, currency } }) =>
      [symbol, name, assetClass, currency].join("|"),
    );
    expect(short).toEqual([
      "APLX|Example Apples|equity|USD",
      "BRK.B|Example Class B|equity|USD",
      "FNDX|Example Fund|etf|USD",
      "RELIANCE.BO|Reliance Industries|equity|INR",
    ]);
  });

  it.each([
    ["AAPL", "AAPL", "AAPL"],
    ["BRK.B", "BRK-B", "BRK-B"],
    ["RELIANCE.BO", "RELIANCE.BSE", null],
    ["TCS.NS", null, null],
    ["^GSPC", null, null],
    ["BTC-USD", null, "CRYPTO:BTC"],
    ["EURUSD=X", null, null],
    ["GC=F", null, null],
  ])("%s is %s, in news %s", (symbol, vendorSymbol, ticker) => {
    const instrument = instrumentOf(symbol);
    expect(alphaVantageSymbol(instrument)).toBe(vendorSymbol);
    expect(newsTicker(instrument)).toBe(ticker);
    if (vendorSymbol !== null) expect(instrumentOfAlphaVantage(vendorSymbol)).toEqual(instrument);
  });

  it("every answer of our own is read", () => {
    expect(unread(own.names, import.meta.url)).toEqual([]);
  });
});

const recorded = recordedAnswers("alphavantage");
describe.skipIf(recorded.absent)("recorded answers", () => {
  const read = recorded.read;
  const refused = (name: string, failure: string, message = "") => {
    const found = failed(() => parseSeries(read(name), "IBM", "1d", reading));
    expect(found.failure).toBe(failure);
    expect(found.message).toContain(message);
  };
  const parsed: Readonly<Record<string, () => void>> = {
    // These are not asked for.
    CURRENCY_EXCHANGE_RATE: () =>
      refused("CURRENCY_EXCHANGE_RATE", "bad_payload", "not a time series: Meta Data"),
    OVERVIEW: () => refused("OVERVIEW", "bad_payload", "not a time series: Meta Data"),
    "SMA-MSFT": () => refused("SMA-MSFT", "bad_payload", "answered for MSFT instead of IBM"),
    "NEWS_SENTIMENT-AAPL": () =>
      expect(parseNews(read("NEWS_SENTIMENT-AAPL"), reading)).toMatchObject([
        {
          publisher: "CNBC",
          title: "Top Wall Street analysts say these are the best stocks to beat the volatile market",
          publishedMs: at("2022-06-19T12:47:03Z"),
          symbols: ["AAPL", "CBSU"],
        },
      ]),
    "TIME_SERIES_DAILY-IBM-shape": () =>
      expect(bars(read("TIME_SERIES_DAILY-IBM-shape"), "IBM", "1d")).toEqual({
        bars: [
          "2024-01-02T14:30Z 162.83 163.29 160.46 161.5 3825044",
          "2024-01-03T14:30Z 161 161.73 160.08 160.1 4086065",
        ],
        rejected: [],
      }),
    "TIME_SERIES_INTRADAY-MSFT-1min": () => {
      const { bars: found, rejected } = bars(read("TIME_SERIES_INTRADAY-MSFT-1min"), "MSFT", "1m");
      expect(found).toHaveLength(100);
      expect(found[0]).toMatch(/^2017-12-18T18:17Z /);
      expect(found.at(-1)).toBe("2017-12-18T19:56Z 86.49 86.5 86.475 86.5 10494");
      expect(rejected).toEqual([]);
    },
    "error-200-Error-Message-bad-key": () =>
      refused("error-200-Error-Message-bad-key", "unauthorized", "the parameter apikey is invalid"),
    "error-200-Error-Message-invalid-symbol": () =>
      refused("error-200-Error-Message-invalid-symbol", "unknown_symbol", "Invalid API call"),
    "error-200-Information-25-per-day": () => refused("error-200-Information-25-per-day", "rate_limited"),
    "error-200-Information-burst": () => refused("error-200-Information-burst", "rate_limited"),
    "error-200-Note-5-per-minute": () => refused("error-200-Note-5-per-minute", "rate_limited"),
  };

  it("are all expected", () => {
    expect(recorded.names.sort()).toEqual(Object.keys(parsed).sort());
  });

  it.each(Object.entries(parsed))("%s", (_name, check) => check());
});
