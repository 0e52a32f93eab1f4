import { describe, expect, it } from "vitest";
import type { Interval } from "../../src/core/market/interval.js";
import type { HttpAnswer } from "../../src/platform/http-client.js";
import {
  finnhubBasis,
  finnhubIntervals,
  finnhubSymbol,
  instrumentOfFinnhub,
} from "../../src/providers/finnhub-symbols.js";
import {
  parseCandles,
  parseNews,
  parseQuote,
  parseSearch,
  parseStatus,
} from "../../src/providers/finnhub-wire.js";
import { candlesOfRows } from "../../src/providers/vendor-fields.js";
import {
  AAPL,
  at,
  failed,
  instrumentOf,
  ownAnswers,
  reading,
  recordedAnswers,
  told,
  unread,
} from "../fixtures/vendor-answers.js";
import { describeReaders } from "../fixtures/vendor-readers.js";

const own = ownAnswers("finnhub");

const bars = (answer: HttpAnswer, symbol: string, interval: Interval) =>
  told(candlesOfRows(parseCandles(answer, reading), instrumentOf(symbol), interval));

/** Everything that reads an answer. */
const PARSERS: Readonly<Record<string, (answer: HttpAnswer) => unknown>> = {
  candles: (answer) => parseCandles(answer, reading),
  quote: (answer) => parseQuote(answer, AAPL, reading),
  news: (answer) => parseNews(answer, reading),
  search: (answer) => parseSearch(answer, reading),
  status: (answer) => parseStatus(answer, reading),
};

describeReaders("finnhub", PARSERS, [
  ["key-refused", { failure: "unauthorized", message: "Invalid API key ***" }],
  ["key-refused-in-200", { failure: "unauthorized", message: "Invalid API key: ***" }],
  ["premium-in-200", { failure: "refused", message: "You don't have access to this resource." }],
  ["limit-in-200", { failure: "rate_limited", retryAfterMs: 40_000 }],
  ["limit-with-both", { failure: "rate_limited", retryAfterMs: 5_000 }],
  ["error-in-200", { failure: "unavailable", message: "Something of *** went wrong at" }],
  ["not-found", { failure: "unknown_symbol", message: "Symbol not found." }],
]);

describe("candles", () => {
  const tables: Readonly<Record<string, [string, Interval, readonly string[], (readonly string[])?]>> = {
    minutes: [
      "AAPL",
      "1m",
      [
        "2024-07-08T13:30Z 106 106.5 105.5 106.25 1200",
        "2024-07-08T13:33Z 106.25 106.5 106 106.5 300",
        "2024-07-08T20:00Z 107 107.25 107 107.25 10",
      ],
      ["2024-07-08T13:31Z time is not that of a bar"],
    ],
    "crypto-days": [
      "BTC-USD",
      "1d",
      [
        "2024-07-07T00:00Z 58200 58300 55700 55800.75 19000.5",
        "2024-07-08T00:00Z 55800.75 57900 54300 57100 15000",
      ],
    ],
    "one-candle-as-numbers": ["AAPL", "1m", ["2024-07-08T13:30Z 106 106.5 105.5 106.25 1200"]],
    "no-data-with-nulls": ["AAPL", "1m", []],
    "empty-columns": ["AAPL", "1m", []],
    "numbers-as-text": [
      "AAPL",
      "1m",
      ["2024-07-08T13:30Z 106 106.5 105.5 106.25 1200"],
      ["2024-07-08T13:31Z price is not finite"],
    ],
    "impossible-candles": [
      "AAPL",
      "1m",
      ["2024-07-08T13:33Z 106 107 104 104.5 11"],
      [
        "2024-07-08T13:30Z low is above open, close or high",
        "2024-07-08T13:31Z price is not positive",
        "2024-07-08T13:32Z volume is negative or not finite",
        "2024-07-08T13:33Z replaced by a later row of the same time",
      ],
    ],
    "times-in-milliseconds": [
      "AAPL",
      "1m",
      [],
      ["1720445400000000 time is not that of a bar", "1e+303 time is not that of a bar"],
    ],
  };

  it.each(Object.entries(tables))("%s are read", (name, [symbol, interval, expected, rejected = []]) => {
    expect(bars(own.read(name), symbol, interval)).toEqual({ bars: expected, rejected });
  });

  it.each([
    ["columns-of-other-length", /columns differ in length/],
    ["other-word", /not a set of candles: s Invalid option/],
  ])("%s are refused", (name, message) => {
    const found = failed(() => parseCandles(own.read(name), reading));
    expect(found.failure).toBe("bad_payload");
    expect(found.message).toMatch(message);
  });
});

describe("quotes", () => {
  it("do not know what is 0 beside the price", () => {
    expect(parseQuote(own.read("quote-alone"), AAPL, reading)).toEqual({
      symbol: "AAPL",
      price: 106.5,
      time: at("2024-07-09T14:59Z"),
      open: null,
      high: null,
      low: null,
      previousClose: null,
      volume: null,
      bid: null,
      ask: null,
    });
  });

  it("may be text", () => {
    const quote = { price: 106.5, open: 106, previousClose: 104.5, time: at("2024-07-09T14:59Z") };
    expect(parseQuote(own.read("quote-as-text"), AAPL, reading)).toMatchObject(quote);
  });

  it.each(["quote-of-the-future", "quote-in-milliseconds", "quote-without-time", "quote-negative"])(
    "%s is refused",
    (name) => {
      expect(failed(() => parseQuote(own.read(name), AAPL, reading)).failure).toBe("bad_payload");
    },
  );
});

describe("news", () => {
  it("without an address or a time is left out", () => {
    expect(parseNews(own.read("news"), reading)).toEqual([
      {
        id: "7",
        publisher: "Example Wire",
        title: "Apples fall",
        summary: "Far from the tree.",
        url: "https://news.example/1",
        publishedMs: at("2024-07-08T12:00Z"),
        symbols: ["AAPL"],
      },
    ]);
  });

  it("may be none, of no company, or one text alone", () => {
    expect(parseNews(own.read("news-none"), reading)).toEqual([]);
    expect(parseNews(own.read("news-general"), reading)).toMatchObject([{ id: "10", symbols: [] }]);
    expect(parseNews(own.read("news-one-as-object"), reading)).toMatchObject([
      { id: "7a", summary: "", symbols: ["AAPL", "MSFT"] },
    ]);
  });
});

describe("the rest", () => {
  it("what is found has a spelling of ours", () => {
    const found = parseSearch(own.read("symbols"), reading);
    expect(found.map(({ instrument: { symbol, name, assetClass } }) => [symbol, name, assetClass])).toEqual([
      ["APLX", "EXAMPLE APPLES", "equity"],
      ["BRK.B", "EXAMPLE CLASS B", "equity"],
      ["FNDX", "EXAMPLE FUND", "etf"],
    ]);
  });

  it.each([
    ["status-open", "open", "regular"],
    ["status-before-open", "pre", "pre-market"],
    ["status-holiday", "closed", "Independence Day"],
  ])("%s says that the market is %s", (name, phase, description) => {
    expect(parseStatus(own.read(name), reading)).toMatchObject({ phase, description });
  });

  it.each([
    ["AAPL", "AAPL", "1m 5m 15m 30m 1d"],
    ["BRK.B", "BRK.B", "1m 5m 15m 30m 1d"],
    ["BTC-USD", "COINBASE:BTC-USD", "1m 5m 15m 30m 1h 1d"],
    ["BTC-USDT", "BINANCE:BTCUSDT", "1m 5m 15m 30m 1h 1d"],
    ["EURUSD=X", "OANDA:EUR_USD", "1m 5m 15m 30m 1h"],
    ["TCS.NS", null, ""],
    ["^GSPC", null, ""],
    ["GC=F", null, ""],
    ["BTC-INR", null, ""],
  ])("%s is %s", (symbol, vendorSymbol, intervals) => {
    const instrument = instrumentOf(symbol);
    expect(finnhubSymbol(instrument)).toBe(vendorSymbol);
    expect(finnhubIntervals(instrument).join(" ")).toBe(intervals);
    if (vendorSymbol !== null) expect(instrumentOfFinnhub(vendorSymbol)).toEqual(instrument);
  });

  it("days of shares are adjusted for splits, and nothing else is", () => {
    const basis = (symbol: string, interval: Interval) => finnhubBasis(instrumentOf(symbol), interval);
    expect([basis("AAPL", "1d"), basis("AAPL", "30m"), basis("BTC-USD", "1d")]).toEqual([
      "split",
      "none",
      "none",
    ]);
  });

  it("every answer of our own is read", () => {
    expect(unread(own.names, import.meta.url)).toEqual([]);
  });
});

const recorded = recordedAnswers("finnhub");
describe.skipIf(recorded.absent)("recorded answers", () => {
  const read = recorded.read;
  const refused = (name: string) => {
    const { failure, message, retryAfterMs } = failed(() => parseQuote(read(name), AAPL, reading));
    return [failure, message, retryAfterMs];
  };
  const parsed: Readonly<Record<string, () => void>> = {
    "candles-no_data": () => expect(parseCandles(read("candles-no_data"), reading)).toEqual([]),
    // Its rows are days, stamped with midnight in New York.
    candles: () =>
      expect(bars(read("candles"), "AAPL", "1d")).toEqual({
        bars: [
          "2019-09-24T13:30Z 221.03 222.49 217.19 217.68 33463820",
          "2019-09-25T13:30Z 218.55 221.5 217.1402 221.03 24018876",
          "2019-09-26T13:30Z 220 220.94 218.83 219.89 20730608",
        ],
        rejected: [],
      }),
    "company-news": () =>
      expect(parseNews(read("company-news"), reading)).toEqual([
        {
          id: "25286",
          publisher: "The Economic Times India",
          title: "More sops needed to boost electronic manufacturing: Top govt official",
          summary: "NEW DELHI | CHENNAI: ...",
          url: "https://example.com/a",
          publishedMs: 1_569_550_360_000,
          symbols: ["AAPL"],
        },
      ]),
    "error-401": () => expect(refused("error-401")).toEqual(["unauthorized", "Invalid API key", null]),
    "error-403-premium": () =>
      expect(refused("error-403-premium")).toEqual([
        "refused",
        "You don't have access to this resource.",
        null,
      ]),
    // The minute that its header names is long over.
    "error-429": () => expect(refused("error-429")).toEqual(["rate_limited", "too many requests", 0]),
    "quote-unknown-symbol-zeros": () =>
      expect(refused("quote-unknown-symbol-zeros")).toEqual(["unknown_symbol", "no data for AAPL", null]),
    quote: () =>
      expect(parseQuote(read("quote"), AAPL, reading)).toMatchObject({
        price: 261.74,
        time: at("2020-02-25T14:30Z"),
        open: 261.07,
        high: 263.31,
        low: 260.68,
        previousClose: 259.45,
        volume: null,
      }),
  };

  it("are all expected", () => {
    expect(recorded.names.sort()).toEqual(Object.keys(parsed).sort());
  });

  it.each(Object.entries(parsed))("%s", (_name, check) => check());
});
