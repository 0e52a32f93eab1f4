import { readdirSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { ensure } from "../../src/core/base/assert.js";
import { barAt, findInvalidBar } from "../../src/core/market/candles.js";
import { dateOf, dayOf } from "../../src/core/market/day.js";
import { classifySymbol, type Instrument } from "../../src/core/market/instrument.js";
import type { Interval } from "../../src/core/market/interval.js";
import { collectChain, rowsOfExpiry } from "../../src/core/options/chain.js";
import type { HttpAnswer } from "../../src/platform/http-client.js";
import { createUpstoxProvider } from "../../src/providers/upstox.js";
import { bodyOf } from "../../src/providers/upstox-answer.js";
import { candlesOf, rowsOf } from "../../src/providers/upstox-candles.js";
import { INSTRUMENT_KEYS } from "../../src/providers/upstox-keys.js";
import { chainOf, expiriesOf } from "../../src/providers/upstox-options.js";
import { quoteOf } from "../../src/providers/upstox-quote.js";
import { answerOf, badAnswers, recordedAnswer, textOf } from "../fixtures/recorded.js";
import { expectRefusal, refusalOf, scriptedClient } from "../fixtures/refusal.js";
import { sharedPath } from "../fixtures/shared.js";

const TOKEN = "secret-token-2";
const at = (text: string) => Date.parse(text);
/** Friday, an hour before the close. */
const NOW = at("2024-06-14T09:00Z");
const instrumentOf = (symbol: string): Instrument => ensure(classifySymbol(symbol), symbol);
const TCS = instrumentOf("TCS.NS");
const NIFTY = instrumentOf("^NSEI");
const never = new AbortController().signal;
const EXPIRY = dayOf("2024-06-20");

const stretch = (interval: Interval, from: string, to: string, instrument = TCS) => ({
  instrument,
  interval,
  fromMs: at(from),
  toMs: at(to),
});
const bodyIn = (answer: HttpAnswer) => bodyOf(answer, TOKEN, NOW);
const readNifty = { instrument: NIFTY, key: INSTRUMENT_KEYS["^NSEI"], expiry: EXPIRY };

const READERS: Readonly<Record<string, (answer: HttpAnswer) => unknown>> = {
  candles: (answer) => candlesOf(rowsOf(bodyIn(answer)), stretch("1m", "2024-06-10", "2024-06-11")),
  quote: (answer) => quoteOf(bodyIn(answer), TCS, INSTRUMENT_KEYS["TCS.NS"], NOW),
  chain: (answer) => chainOf(bodyIn(answer), readNifty, NOW),
  contracts: (answer) => expiriesOf(bodyIn(answer), INSTRUMENT_KEYS["^NSEI"]),
};

/** What each recorded answer is read to. */
const RECORDED: Readonly<Record<string, (answer: HttpAnswer) => void>> = {
  "candles-empty.json": (answer) =>
    expect(
      candlesOf(rowsOf(bodyIn(answer)), stretch("1d", "2024-01-01", "2024-02-01")).candles.time.length,
    ).toBe(0),
  "error-400-UDAPI1021.json": (answer) =>
    expect(refusalOf(() => bodyIn(answer))).toMatchObject({
      failure: "unknown_symbol",
      message: "UDAPI1021 Instrument key is of invalid format",
    }),
  "error-401-UDAPI100050.json": (answer) =>
    expect(refusalOf(() => bodyIn(answer)).failure).toBe("unauthorized"),
  "error-429-UDAPI10005.json": (answer) =>
    expect(refusalOf(() => bodyIn(answer)).failure).toBe("rate_limited"),
  "intraday-candles.json": (answer) => {
    const { candles, rejected } = candlesOf(
      rowsOf(bodyIn(answer)),
      stretch("1m", "2024-06-10", "2024-06-11"),
    );
    expect(rejected).toEqual([]);
    expect(findInvalidBar(candles)).toBeNull();
    expect(candles.time.length).toBe(194);
    expect(candles.volume.reduce((a, b) => a + b, 0)).toBe(25_396_760);
    expect(candles.close.reduce((a, b) => a + b, 0)).toBeCloseTo(20_005.1, 6);
    expect(barAt(candles, 0)).toMatchObject({ time: at("2024-06-10T06:46Z"), open: 103.37, close: 103.41 });
    expect(barAt(candles, 193)).toEqual({
      time: at("2024-06-10T09:59Z"),
      open: 101.82,
      high: 101.9,
      low: 101.75,
      close: 101.85,
      volume: 337_458,
    });
  },
};

const folder = sharedPath("data", "api-fixtures", "upstox");

describe.skipIf(folder === null)("recorded answers", () => {
  it("are all in the table", () => {
    expect(readdirSync(folder ?? "").sort()).toEqual(Object.keys(RECORDED).sort());
  });
  it.each(Object.keys(RECORDED))("%s", (name) => {
    RECORDED[name](recordedAnswer(`upstox/${name}`).answer);
  });
});

const chainFile = sharedPath("data", "options", "upstox-NIFTY-chain-spot23593.5.json.gz");

describe.skipIf(chainFile === null)("the recorded chain of 2024-06-20", () => {
  const chain = chainFile === null ? null : chainOf(JSON.parse(textOf(chainFile)), readNifty, NOW);
  const quotes = chain?.quotes ?? [];
  const legs = (right: string) => quotes.filter((leg) => leg.right === right);
  const sum = (right: string, column: "openInterest" | "previousOpenInterest" | "volume") =>
    legs(right).reduce((total, leg) => total + (leg[column] ?? 0), 0);

  it("is read whole, in shares, with its totals", () => {
    expect(chain).toMatchObject({ underlying: "^NSEI", spot: 23_593.5, time: NOW });
    expect(quotes).toHaveLength(208);
    expect([sum("call", "openInterest"), sum("put", "openInterest")]).toEqual([179_068_975, 195_077_475]);
    expect([sum("call", "previousOpenInterest"), sum("put", "previousOpenInterest")]).toEqual([
      92_844_300, 88_885_150,
    ]);
    expect([sum("call", "volume"), sum("put", "volume")]).toEqual([6_021_170_350, 5_315_225_425]);
    // A lot was 25: contracts would not all be multiples of it.
    expect(quotes.every(({ openInterest }) => (openInterest ?? 0) % 25 === 0)).toBe(true);
  });

  it("has volatilities as fractions, of deep strikes above 6, and 0 where there is none", () => {
    const volatilities = (right: string) => legs(right).map(({ volatility }) => volatility ?? Number.NaN);
    expect(Math.max(...volatilities("put"))).toBeCloseTo(6.1487, 10);
    expect(Math.max(...volatilities("call"))).toBeCloseTo(4.9219, 10);
    expect(
      [volatilities("call"), volatilities("put")].map((all) => all.filter((one) => one === 0).length),
    ).toEqual([45, 13]);
    expect(quotes.find((leg) => leg.strike === 23_600 && leg.right === "call")).toEqual({
      expiry: EXPIRY,
      strike: 23_600,
      right: "call",
      last: 28.55,
      bid: 28.5,
      ask: 28.6,
      volume: 999_147_950,
      openInterest: 18_101_300,
      previousOpenInterest: 5_618_275,
      volatility: 0.2869,
      delta: 0.4757,
      gamma: 0.0051,
      theta: -320.3059,
      vega: 1.083,
    });
  });

  it("stands as a chain of 104 strikes without a rejected leg", () => {
    const collected = collectChain(ensure(chain, "chain"), quotes);
    expect(collected.rejected).toEqual([]);
    expect(rowsOfExpiry(collected.chain, EXPIRY)).toEqual({ expiry: EXPIRY, from: 0, to: 104 });
    expect(collected.chain.call.volatility.filter(Number.isNaN)).toHaveLength(45);
  });
});

describe("bad answers", () => {
  it.each(badAnswers("upstox").map((bad) => [bad.about, bad] as const))("%s", (_, bad) => {
    expectRefusal(bad, READERS[bad.call], [TOKEN]);
  });
});

describe("candles", () => {
  it("of days have the time of their session, rows of nulls are left out, what is off the grid is named", () => {
    const days = candlesOf(
      [
        ["2024-06-12T00:00:00+05:30", 10, 11, 9, 10.5, 100, 0],
        ["2024-06-11T00:00:00+05:30", null, null, null, null, null, 0],
        ["2024-06-10T00:00:00+05:30", 10, 11, 9, 10.25, 90, 0],
      ],
      stretch("1d", "2024-06-01", "2024-07-01"),
    );
    expect(Array.from(days.candles.time)).toEqual([at("2024-06-10T03:45Z"), at("2024-06-12T03:45Z")]);
    expect(days.rejected).toEqual([]);
    const minutes = candlesOf(
      [
        ["2024-06-10T15:30:00+05:30", 10, 11, 9, 10.5, 1, 0],
        ["2024-06-10T15:29:00+05:30", 10, 11, 9, 10.5, 1, 0],
        ["2024-06-10T15:28:00+05:30", 10, null, 9, 10.5, 1, 0],
        ["2024-06-10T09:07:00+05:30", 10, 11, 9, 10.5, 1, 0],
      ],
      stretch("1m", "2024-06-10", "2024-06-11"),
    );
    expect(Array.from(minutes.candles.time)).toEqual([at("2024-06-10T09:59Z")]);
    expect(minutes.rejected.map(({ reason }) => reason)).toEqual([
      "time is not that of a bar",
      "time is not that of a bar",
      "price is not finite",
    ]);
  });
});

describe("quotes", () => {
  const entry = {
    instrument_token: "NSE_EQ|INE467B01029",
    last_price: 3_831.649999,
    ohlc: { open: 3_800, high: 3_850, low: 3_790.5, close: 3_831.65 },
    depth: { buy: [{ price: 3_831.6, quantity: 4 }], sell: [{ price: 0, quantity: 0 }] },
    volume: 1_200_000,
    net_change: -11.250001,
    last_trade_time: "1718355590000",
    timestamp: "2024-06-14T14:29:55.099+05:30",
  };
  const read = (changes: object) =>
    READERS.quote(answerOf({ status: "success", data: { "NSE_EQ:TCS": { ...entry, ...changes } } }));

  it("have the close before by the vendor's own change, and no price where an order book is empty", () => {
    expect(read({})).toEqual({
      symbol: "TCS.NS",
      price: 3_831.649999,
      time: 1_718_355_590_000,
      open: 3_800,
      high: 3_850,
      low: 3_790.5,
      previousClose: 3_842.9,
      volume: 1_200_000,
      bid: 3_831.6,
      ask: null,
    });
  });

  it("of indices, which are not traded, have the time at which they were told", () => {
    const index = { last_trade_time: null, depth: null, volume: null, net_change: null };
    expect(read(index)).toMatchObject({
      time: at("2024-06-14T08:59:55.099Z"),
      volume: null,
      previousClose: null,
      bid: null,
    });
  });

  it("are null without a price", () => {
    expect(read({ last_price: 0 })).toBeNull();
    expect(read({ last_price: null })).toBeNull();
  });
});

describe("chains", () => {
  const row = (more: object) => ({
    expiry: "2024-06-20",
    strike_price: 23_600,
    underlying_key: "NSE_INDEX|Nifty 50",
    ...more,
  });
  const read = (rows: readonly unknown[], nowMs = NOW) =>
    chainOf({ status: "success", data: rows }, readNifty, nowMs);

  it("may lack a leg, or its prices, or its greeks", () => {
    const { quotes, spot } = read([
      row({ call_options: { market_data: { ltp: 5, oi: 25 } } }),
      row({
        strike_price: 23_650,
        call_options: null,
        put_options: { option_greeks: { iv: 367, delta: -1 } },
      }),
      row({ strike_price: 23_700, call_options: {}, put_options: { market_data: null } }),
    ]);
    expect(spot).toBeNaN();
    expect(quotes).toMatchObject([
      { strike: 23_600, right: "call", last: 5, openInterest: 25, volatility: null },
      { strike: 23_650, right: "put", last: null, volatility: 3.67, delta: -1 },
    ]);
  });

  it("are of now, and of the last close outside sessions", () => {
    expect(read([]).time).toBe(NOW);
    expect(read([], at("2024-06-15T06:00Z")).time).toBe(at("2024-06-14T10:00Z"));
  });
});

describe("instrument keys", () => {
  /** The last digit of an ISIN: letters as two digits each, every second digit from the right doubled. */
  function hasCheckDigit(isin: string): boolean {
    const digits = [...isin.slice(0, -1)].map((one) => Number.parseInt(one, 36)).join("");
    const total = [...digits].reverse().reduce((sum, digit, i) => {
      const doubled = Number(digit) * (i % 2 === 0 ? 2 : 1);
      return sum + (doubled > 9 ? doubled - 9 : doubled);
    }, 0);
    return (10 - (total % 10)) % 10 === Number(isin.at(-1));
  }

  it("are of Indian instruments, and ISINs have their check digit", () => {
    for (const [symbol, key] of Object.entries(INSTRUMENT_KEYS)) {
      expect(instrumentOf(symbol).calendar, symbol).toBe("XNSE");
      const [, isin] = /^NSE_EQ\|(INE\w{9})$/.exec(key) ?? [];
      expect(isin === undefined ? symbol.startsWith("^") : hasCheckDigit(isin), key).toBe(true);
    }
    expect(new Set(Object.values(INSTRUMENT_KEYS)).size).toBe(Object.keys(INSTRUMENT_KEYS).length);
    expect(hasCheckDigit("INE467B01028")).toBe(false);
  });
});

describe("requests", () => {
  const opened = (body: unknown, keys: Readonly<Record<string, string>> = {}) => {
    const http = scriptedClient(() => answerOf(body));
    const options = { baseUrl: "https://vendor.example", token: TOKEN, keys, http, now: () => NOW };
    return { http, provider: createUpstoxProvider(options) };
  };
  const paths = (http: ReturnType<typeof opened>["http"]) =>
    http.requests.map(({ url }) => url.replace("https://vendor.example", ""));
  const candles = { status: "success", data: { candles: [] } };

  it("are cut into the stretches that it gives at a time, today apart, keys encoded", async () => {
    const { http, provider } = opened(candles);
    await provider.fetchCandles(stretch("15m", "2024-05-01T03:45Z", "2024-06-15T00:00Z", NIFTY), never);
    const key = "/v3/historical-candle/NSE_INDEX%7CNifty%2050/minutes/15";
    expect(paths(http)).toEqual([
      "/v3/historical-candle/intraday/NSE_INDEX%7CNifty%2050/minutes/15",
      `${key}/2024-05-28/2024-05-01`,
      `${key}/2024-06-13/2024-05-29`,
    ]);
  });

  it("of days that are over ask the history alone, of today the intraday service alone", async () => {
    const { http, provider } = opened(candles);
    await provider.fetchCandles(stretch("1d", "2024-06-03T00:00Z", "2024-06-07T00:00Z"), never);
    await provider.fetchCandles(stretch("30m", "2024-06-14T03:45Z", "2024-06-14T09:00Z"), never);
    await provider.fetchCandles(stretch("30m", "2024-06-14T03:45Z", "2024-06-14T03:45Z"), never);
    expect(paths(http)).toEqual([
      "/v3/historical-candle/NSE_EQ%7CINE467B01029/days/1/2024-06-07/2024-06-03",
      "/v3/historical-candle/intraday/NSE_EQ%7CINE467B01029/minutes/30",
    ]);
  });

  it("of chains and expiries, with the token in a header alone", async () => {
    const { http, provider } = opened({ status: "success", data: [] });
    const options = ensure(provider.options, "options");
    for (const symbol of ["^NSEI", "^NSEBANK", "^BSESN", "TCS.NS"])
      expect(options.carries(instrumentOf(symbol))).toBe(true);
    for (const symbol of ["^INDIAVIX", "NOPE.NS", "AAPL"])
      expect(options.carries(instrumentOf(symbol))).toBe(false);
    expect(await options.fetchExpiries(instrumentOf("^BSESN"), never)).toEqual([]);
    expect((await options.fetchChain(TCS, EXPIRY, never)).quotes).toEqual([]);
    expect(paths(http)).toEqual([
      "/v2/option/contract?instrument_key=BSE_INDEX%7CSENSEX",
      "/v2/option/chain?instrument_key=NSE_EQ%7CINE467B01029&expiry_date=2024-06-20",
    ]);
    for (const { url, headers } of http.requests) {
      expect(new URL(url).origin).toBe("https://vendor.example");
      expect(url).not.toContain(TOKEN);
      expect(headers).toEqual({ authorization: `Bearer ${TOKEN}`, accept: "application/json" });
    }
  });

  it("are not made without a key, and configured keys come first", async () => {
    const { http, provider } = opened({ status: "success", data: null }, { "TCS.NS": "BSE_EQ|INE467B01029" });
    const unknown = instrumentOf("TATAPOWER.NS");
    expect(provider.intervals(unknown)).toEqual([]);
    await expect(provider.fetchQuote(unknown, never)).rejects.toMatchObject({ failure: "unknown_symbol" });
    expect(http.requests).toEqual([]);
    await expect(provider.fetchQuote(TCS, never)).rejects.toMatchObject({ failure: "unknown_symbol" });
    expect(paths(http)).toEqual(["/v2/market-quote/quotes?instrument_key=BSE_EQ%7CINE467B01029"]);
  });

  it("lists expiries once each, ascending", () => {
    const contract = (expiry: string) => ({ expiry, underlying_key: "NSE_INDEX|Nifty 50", strike_price: 1 });
    const data = ["2024-06-27", "2024-06-20", "2024-06-27"].map(contract);
    expect((READERS.contracts(answerOf({ status: "success", data })) as number[]).map(dateOf)).toEqual([
      "2024-06-20",
      "2024-06-27",
    ]);
  });
});
