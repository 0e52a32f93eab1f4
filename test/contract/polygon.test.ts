import { describe, expect, it } from "vitest";
import { dayOf } from "../../src/core/market/day.js";
import type { Interval } from "../../src/core/market/interval.js";
import type { HttpAnswer } from "../../src/platform/http-client.js";
import { parseChain, parseContracts } from "../../src/providers/polygon-options.js";
import {
  parseDividends,
  parseNews,
  parseSearch,
  parseSplits,
  parseStatus,
  parseTicker,
} from "../../src/providers/polygon-reference.js";
import { instrumentOfTicker, polygonIntervals, polygonTicker } from "../../src/providers/polygon-symbols.js";
import {
  parseAggregates,
  parseLastTrade,
  parsePrevious,
  parseSnapshot,
} from "../../src/providers/polygon-wire.js";
import { candlesOfRows } from "../../src/providers/vendor-fields.js";
import {
  AAPL,
  at,
  failed,
  instrumentOf,
  ownAnswers,
  reading,
  told,
  unread,
} from "../fixtures/vendor-answers.js";
import { describeReaders } from "../fixtures/vendor-readers.js";

const own = ownAnswers("polygon");

function bars(answer: HttpAnswer, symbol: string, interval: Interval) {
  const ticker = polygonTicker(instrumentOf(symbol)) ?? "";
  const { rows } = parseAggregates(answer, ticker, reading);
  return told(candlesOfRows(rows, instrumentOf(symbol), interval));
}

/** Everything that reads an answer about AAPL. */
const PARSERS: Readonly<Record<string, (answer: HttpAnswer) => unknown>> = {
  bars: (answer) => parseAggregates(answer, "AAPL", reading),
  previous: (answer) => parsePrevious(answer, "AAPL", AAPL, reading),
  snapshot: (answer) => parseSnapshot(answer, "AAPL", AAPL, reading),
  trade: (answer) => parseLastTrade(answer, "AAPL", AAPL, reading),
  splits: (answer) => parseSplits(answer, "AAPL", reading),
  dividends: (answer) => parseDividends(answer, "AAPL", AAPL, reading),
  ticker: (answer) => parseTicker(answer, "AAPL", reading),
  search: (answer) => parseSearch(answer, reading),
  status: (answer) => parseStatus(answer, reading),
  news: (answer) => parseNews(answer, reading),
  chain: (answer) => parseChain(answer, "AAPL", reading),
  contracts: (answer) => parseContracts(answer, "AAPL", reading),
};
const refusal = (name: string, parser: string) => failed(() => PARSERS[parser]?.(own.read(name)));

describeReaders("polygon", PARSERS, [
  ["unknown-key", { failure: "unauthorized" }],
  ["not-entitled", { failure: "refused", message: /^You are not entitled/ }],
  ["not-authorized-in-200", { failure: "refused" }],
  ["not-found", { failure: "unknown_symbol", message: "Ticker not found." }],
  ["error-in-200", { failure: "unavailable", message: "The server of *** is bdown/b" }],
  ["too-many-in-200", { failure: "rate_limited", retryAfterMs: 30_000 }],
  ["wrong-parameter", { failure: "refused", message: /Could not parse/ }],
]);

describe("bars", () => {
  const tables: Readonly<Record<string, [string, Interval, readonly string[], (readonly string[])?]>> = {
    minutes: [
      "AAPL",
      "1m",
      [
        "2024-07-08T13:29Z 105.9 106 105.8 106 40",
        "2024-07-08T13:30Z 106 106.5 105.5 106.25 1200.5",
        "2024-07-08T13:32Z 106.25 106.75 106 106.5 900",
        "2024-07-08T20:00Z 107 107.25 107 107.25 10",
      ],
      ["2024-07-08T13:33Z time is not that of a bar"],
    ],
    days: [
      "AAPL",
      "1d",
      [
        "2024-07-03T13:30Z 102.5 104 102 103.75 800000",
        "2024-07-05T13:30Z 104 106.5 103.5 106 1500000",
        "2024-11-04T14:30Z 110 111 109 110.5 700000",
      ],
    ],
    "crypto-days": ["BTC-USD", "1d", ["2024-07-07T00:00Z 58200 58300 55700 55800.75 19000.5"]],
    "index-days": ["^GSPC", "1d", ["2024-07-08T13:30Z 5500.5 5520 5490 5510 0"]],
    "numbers-as-text": [
      "AAPL",
      "1d",
      ["2024-07-08T13:30Z 106 107 104.25 104.5 1350000"],
      ["2024-07-09T13:30Z price is not finite", "2024-07-05T13:30Z price is not finite"],
    ],
    "impossible-bars": [
      "AAPL",
      "1d",
      ["2024-07-08T13:30Z 106 107 104 104.5 11"],
      [
        "2024-07-02T13:30Z low is above open, close or high",
        "2024-07-03T13:30Z price is not positive",
        "2024-07-05T13:30Z volume is negative or not finite",
        "2024-07-08T13:30Z replaced by a later row of the same time",
      ],
    ],
    "one-bar-as-object": ["AAPL", "1d", ["2024-07-08T13:30Z 106 107 104 105 10"]],
    "previous-none": ["AAPL", "1d", []],
  };

  it.each(Object.entries(tables))("%s are read", (name, [symbol, interval, expected, rejected = []]) => {
    expect(bars(own.read(name), symbol, interval)).toEqual({ bars: expected, rejected });
  });

  it("with absurd times are no bars", () => {
    const { bars: found, rejected } = bars(own.read("absurd-times"), "AAPL", "1m");
    // Seconds taken for milliseconds lie in January 1970, outside sessions: nothing that was asked for.
    expect(found).toEqual(["1970-01-20T21:53Z 1 1 1 1 1"]);
    expect(rejected).toEqual([
      "1720411200000000000 time is not that of a bar",
      "1e+300 time is not that of a bar",
      "NaN time is not that of a bar",
    ]);
  });

  it.each([
    ["adjusted", "answered with adjusted prices"],
    ["other-ticker", "answered for MSFT instead of AAPL"],
    ["results-of-text", "not a list of bars: results Invalid input"],
  ])("%s are refused", (name, message) => {
    expect(refusal(name, "bars")).toMatchObject({ failure: "bad_payload", message });
  });
});

describe("quotes", () => {
  it("of a live plan are the last trade", () => {
    expect(PARSERS.snapshot?.(own.read("snapshot-live"))).toEqual({
      symbol: "AAPL",
      price: 106,
      time: at("2024-07-09T14:59:30Z"),
      open: 105,
      high: 106.5,
      low: 104.5,
      previousClose: 104.75,
      volume: 910_000,
      bid: 105.95,
      ask: 106.05,
    });
  });

  it("of a delayed plan are the newest minute", () => {
    expect(PARSERS.snapshot?.(own.read("snapshot-delayed"))).toMatchObject({
      price: 105.9,
      time: at("2024-07-09T14:44Z"),
      bid: null,
      ask: null,
    });
  });

  it("of a day without trades are none", () => {
    expect(PARSERS.snapshot?.(own.read("snapshot-before-trading"))).toBeNull();
    expect(PARSERS.previous?.(own.read("previous-none"))).toBeNull();
  });

  it("of a currency have its bid and ask", () => {
    const euro = instrumentOf("EURUSD=X");
    expect(parseSnapshot(own.read("snapshot-currency"), "C:EURUSD", euro, reading)).toMatchObject({
      symbol: "EURUSD=X",
      price: 1.0825,
      time: at("2024-07-09T14:59Z"),
      bid: 1.0825,
      ask: 1.0826,
      previousClose: 1.0821,
    });
  });

  it("of the last session have the time of its close", () => {
    expect(PARSERS.previous?.(own.read("previous"))).toMatchObject({
      price: 104.5,
      time: at("2024-07-08T20:00Z"),
      open: 106,
      previousClose: null,
    });
  });

  it.each([
    ["snapshot-of-the-future", "the price is of the future"],
    ["snapshot-without-time", "the price is of no time"],
    ["snapshot-of-another", "answered for MSFT instead of AAPL"],
  ])("%s are refused", (name, message) => {
    expect(refusal(name, "snapshot")).toMatchObject({ failure: "bad_payload", message });
  });
});

describe("facts", () => {
  it("splits are new shares for an old one", () => {
    expect(parseSplits(own.read("splits"), "AAPL", reading).rows).toEqual([
      { kind: "split", exDay: dayOf("2020-08-31"), ratio: 4 },
      { kind: "split", exDay: dayOf("2014-06-09"), ratio: 7 },
    ]);
  });

  it.each(["split-of-nothing", "split-without-a-day"])("%s is refused", (name) => {
    expect(refusal(name, "splits").failure).toBe("bad_payload");
  });

  it("dividends of nothing are none", () => {
    expect(parseDividends(own.read("dividends"), "AAPL", AAPL, reading).rows).toEqual([
      { kind: "dividend", exDay: dayOf("2024-05-10"), amount: 0.25, currency: "USD" },
      { kind: "dividend", exDay: dayOf("2023-11-10"), amount: 0.2, currency: "CAD" },
    ]);
  });

  it("of another share are refused", () => {
    const message = "answered for AAPL instead of MSFT";
    expect(failed(() => parseSplits(own.read("splits"), "MSFT", reading)).message).toBe(message);
    const dividends = () => parseDividends(own.read("dividends"), "MSFT", AAPL, reading);
    expect(failed(dividends).message).toBe(message);
  });

  it("what is found has a name, an exchange and a spelling of ours", () => {
    const found = parseSearch(own.read("tickers"), reading);
    const short = found.map(({ instrument: { symbol, name, exchange, assetClass }, vendorSymbol }) =>
      [vendorSymbol, symbol, name, exchange, assetClass].join("|"),
    );
    expect(short).toEqual([
      "APLX|APLX|Example Apples|NASDAQ|equity",
      "BRK.B|BRK.B|Example Class B|NYSE|equity",
      "FNDX|FNDX|Example Fund|ARCA|etf",
      "X:BTCUSD|BTC-USD|Bitcoin|CRYPTO|crypto",
      "C:EURUSD|EURUSD=X|EUR/USD|FX|fx",
      "I:SPX|^GSPC|S&P 500|INDEX|index",
    ]);
  });

  it("news without an address or a time is left out", () => {
    expect(parseNews(own.read("news"), reading).rows).toEqual([
      {
        id: "n1",
        publisher: "Example Wire",
        title: "Apples fall",
        summary: "Far from the tree.",
        url: "https://news.example/1",
        publishedMs: at("2024-07-08T12:00Z"),
        symbols: ["AAPL", "BTC-USD"],
      },
    ]);
  });

  it("the market is open, closed, or before or after its hours", () => {
    expect(parseStatus(own.read("status-weekend"), reading)).toMatchObject({ phase: "closed" });
    expect(parseStatus(own.read("status-before-open"), reading)).toMatchObject({
      phase: "pre",
      time: at("2024-07-09T12:00Z"),
    });
    expect(refusal("status-without-time", "status").failure).toBe("bad_payload");
  });
});

describe("chains", () => {
  it("have no adjusted contracts, and null or no number for what is not known", () => {
    const { rows } = parseChain(own.read("chain"), "AAPL", reading);
    const expiry = dayOf("2024-07-19");
    expect(rows.map(({ quote }) => quote)).toEqual([
      {
        expiry,
        strike: 100,
        right: "call",
        last: 6.15,
        bid: 6,
        ask: 6.2,
        volume: 40,
        openInterest: 1_200,
        volatility: 0.25,
        delta: 0.8,
        gamma: 0.02,
        theta: -0.05,
        vega: 0.1,
      },
      {
        expiry,
        strike: 100,
        right: "put",
        last: null,
        bid: null,
        ask: null,
        volume: Number.NaN,
        openInterest: 0,
        volatility: null,
        delta: null,
        gamma: null,
        theta: null,
        vega: null,
      },
    ]);
    expect(rows.map(({ time, spotTime, spot }) => [time, spotTime, spot])).toEqual([
      [at("2024-07-09T14:59Z"), at("2024-07-09T14:58Z"), 105.5],
      [Number.NaN, at("2024-07-09T14:58Z"), 105.5],
    ]);
    expect(refusal("chain-of-another", "chain").message).toBe("answered for MSFT instead of AAPL");
  });

  it("expire on the days of their contracts", () => {
    const { rows } = parseContracts(own.read("contracts"), "AAPL", reading);
    expect(rows).toEqual([dayOf("2024-07-19"), dayOf("2024-07-19"), dayOf("2024-08-16")]);
  });
});

describe("symbols", () => {
  it.each([
    ["AAPL", "AAPL", "1m 5m 15m 30m 1d"],
    ["BRK.B", "BRK.B", "1m 5m 15m 30m 1d"],
    ["^VIX", "I:VIX", "1m 5m 15m 30m 1d"],
    ["BTC-USD", "X:BTCUSD", "1m 5m 15m 30m 1h 1d"],
    ["EURUSD=X", "C:EURUSD", "1m 5m 15m 30m 1h"],
    ["XAUUSD=X", "C:XAUUSD", "1m 5m 15m 30m 1h"],
    ["TCS.NS", null, ""],
    ["^NSEI", null, ""],
    ["BTC-USDT", null, ""],
    ["GC=F", null, ""],
  ])("%s is %s", (symbol, ticker, intervals) => {
    const instrument = instrumentOf(symbol);
    expect(polygonTicker(instrument)).toBe(ticker);
    expect(polygonIntervals(instrument).join(" ")).toBe(intervals);
    if (ticker !== null) expect(instrumentOfTicker(ticker)).toEqual(instrument);
  });

  it.each(["BACpL", "BTC", "ETH", "O:AAPL240719C00100000", "I:XYZ", "", "a b", "TCS.NS"])(
    "%j is nothing of ours",
    (ticker) => {
      expect(instrumentOfTicker(ticker)).toBeNull();
    },
  );
});

it("every answer of our own is read", () => {
  expect(unread(own.names, import.meta.url)).toEqual([]);
});
