import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { ensure } from "../../src/core/base/assert.js";
import { dateOf, dayOf } from "../../src/core/market/day.js";
import { classifySymbol, type Instrument } from "../../src/core/market/instrument.js";
import type { HttpAnswer } from "../../src/platform/http-client.js";
import { actionsOf } from "../../src/providers/yahoo-actions.js";
import { bodyOf } from "../../src/providers/yahoo-answer.js";
import { parseChart } from "../../src/providers/yahoo-chart.js";
import { headlinesOf } from "../../src/providers/yahoo-news.js";
import { chainOf, expiriesOf } from "../../src/providers/yahoo-options.js";
import { foundOf, quoteOf } from "../../src/providers/yahoo-quote.js";
import { cookieOf, crumbOf } from "../../src/providers/yahoo-session.js";
import { instrumentOfService } from "../../src/providers/yahoo-symbol.js";
import { answerOf, badAnswers, recordedAnswer } from "../fixtures/recorded.js";
import { expectRefusal, refusalOf } from "../fixtures/refusal.js";
import { sharedPath } from "../fixtures/shared.js";

const at = (text: string) => Date.parse(text);
const NOW = at("2025-03-01T00:00Z");
const instrumentOf = (symbol: string): Instrument => ensure(classifySymbol(symbol), symbol);
const AAPL = instrumentOf("AAPL");
const EXPIRY = dayOf("2025-02-28");
const NEWS = { instrument: AAPL, fromMs: at("2025-02-01"), toMs: NOW };

const READERS: Readonly<Record<string, (answer: HttpAnswer) => unknown>> = {
  quote: (answer) => quoteOf(bodyOf(answer, NOW), AAPL, NOW),
  search: (answer) => foundOf(bodyOf(answer, NOW)),
  chain: (answer) => chainOf(bodyOf(answer, NOW), AAPL, EXPIRY, NOW),
  expiries: (answer) => expiriesOf(bodyOf(answer, NOW), AAPL),
  actions: (answer) => actionsOf(parseChart(answer, "AAPL", NOW), AAPL, 0, 30_000),
  news: (answer) => headlinesOf(answer, NEWS, NOW),
  cookie: (answer) => cookieOf(answer),
  crumb: (answer) => crumbOf(answer, NOW),
};

const read = (name: string, reader: string) => READERS[reader](recordedAnswer(`yahoo/${name}.json`).answer);
const isAbsent = sharedPath("data", "api-fixtures", "yahoo") === null;

// The other recorded answers are charts and errors: test/reference/yahoo.test.ts.
describe.skipIf(isAbsent)("recorded answers", () => {
  it("quote-AAPL, and of two the one that was asked for", () => {
    const expected = {
      symbol: "AAPL",
      price: 244.6,
      time: at("2025-02-14T21:00Z"),
      open: 241.07,
      high: 245.41,
      low: 241,
      previousClose: 241.53,
      volume: 40_896_227,
      bid: 244.44,
      ask: 253.37,
    };
    expect(read("quote-AAPL", "quote")).toEqual(expected);
    expect(read("quote-AAPL-BABA", "quote")).toEqual(expected);
    const { answer } = recordedAnswer("yahoo/quote-AAPL-BABA.json");
    expect(quoteOf(bodyOf(answer, NOW), instrumentOf("BABA"), NOW)).toMatchObject({
      price: 124.73,
      time: 1_739_566_802_000,
      previousClose: 119.54,
      volume: 52_086_273,
    });
  });

  it("quote-APS.AX-thin has no row", () => {
    expect(refusalOf(() => read("quote-APS.AX-thin", "quote")).failure).toBe("unknown_symbol");
  });

  it("search-AAPL has two instruments among options and a company without a symbol", () => {
    expect(read("search-AAPL", "search")).toEqual([
      { instrument: { ...AAPL, name: "Apple Inc." }, vendorSymbol: "AAPL" },
      {
        instrument: {
          ...instrumentOf("AAPU"),
          name: "Direxion Daily AAPL Bull 2X Shares",
          assetClass: "etf",
          exchange: "NASDAQ",
        },
        vendorSymbol: "AAPU",
      },
    ]);
  });

  it("search-badResult is refused", () => {
    expect(refusalOf(() => read("search-badResult", "search"))).toMatchObject({
      failure: "bad_payload",
      message: expect.stringContaining("not a list of symbols: quotes.0"),
    });
  });

  it("options-AAPL, taken before the open, has prices without bids, volatilities and open interest", () => {
    const { quotes, ...header } = read("options-AAPL", "chain") as ReturnType<typeof chainOf>;
    expect(header).toEqual({ underlying: "AAPL", time: 1_740_171_602_000, spot: 245.55 });
    const count = (right: string) => quotes.filter((leg) => leg.right === right);
    expect([count("call").length, count("put").length]).toEqual([54, 48]);
    const volume = (right: string) => count(right).reduce((sum, leg) => sum + (leg.volume ?? 0), 0);
    expect([volume("call"), volume("put")]).toEqual([182_476, 159_505]);
    // One leg of 102 was priced.
    expect(quotes.filter(({ volatility }) => volatility !== null)).toEqual([
      {
        expiry: EXPIRY,
        strike: 110,
        right: "call",
        last: 111.67,
        bid: 135.9,
        ask: 136.65,
        volume: null,
        openInterest: null,
        volatility: 3.58593853515625,
      },
    ]);
    expect(quotes.every(({ openInterest }) => openInterest === null)).toBe(true);
    const expiries = (read("options-AAPL", "expiries") as number[]).map(dateOf);
    expect([expiries.length, expiries[0], expiries[19]]).toEqual([20, "2025-02-28", "2027-06-17"]);
    const { answer } = recordedAnswer("yahoo/options-AAPL.json");
    expect(refusalOf(() => chainOf(bodyOf(answer, NOW), AAPL, EXPIRY + 7, NOW)).failure).toBe("bad_payload");
  });

  it("options-none-EURUSD has no expiries", () => {
    const { answer } = recordedAnswer("yahoo/options-none-EURUSD.json");
    expect(expiriesOf(bodyOf(answer, NOW), instrumentOf("EURUSD=X"))).toEqual([]);
  });

  it("chart-AAPL-1d-split-2020 and chart-MSFT-1y-dividends have splits and dividends", () => {
    expect(read("chart-AAPL-1d-split-2020", "actions")).toEqual([
      { kind: "split", exDay: dayOf("2020-08-31"), ratio: 4 },
      { kind: "dividend", exDay: dayOf("2020-11-06"), amount: 0.205, currency: "USD" },
    ]);
    const msft = instrumentOf("MSFT");
    const { answer } = recordedAnswer("yahoo/chart-MSFT-1y-dividends.json");
    const actions = (from: string, to: string) =>
      actionsOf(parseChart(answer, "MSFT", NOW), msft, dayOf(from), dayOf(to)).map((one) => [
        dateOf(one.exDay),
        one.kind === "dividend" ? one.amount : one.ratio,
      ]);
    const all = [
      ["2021-02-17", 0.56],
      ["2021-05-19", 0.56],
      ["2021-08-18", 0.56],
      ["2021-11-17", 0.62],
    ];
    expect(actions("2021-01-01", "2022-01-01")).toEqual(all);
    expect(actions("2021-05-19", "2021-08-18")).toEqual([all[1]]);
  });

  it("errors mean the same for all services", () => {
    const failure = (name: string, reader: string) => refusalOf(() => read(name, reader)).failure;
    expect(failure("error-401-invalid-crumb", "quote")).toBe("unauthorized");
    expect(failure("error-404-unknown-symbol", "chain")).toBe("unknown_symbol");
    expect(failure("error-429-text", "search")).toBe("rate_limited");
    expect(failure("error-200-will-be-right-back", "quote")).toBe("bad_payload");
    expect(read("getcrumb", "crumb")).toBe("REDACTEDcrb");
  });
});

describe("bad answers", () => {
  it.each(badAnswers("yahoo-more").map((bad) => [bad.about, bad] as const))("%s", (_, bad) => {
    expectRefusal(bad, READERS[bad.call], []);
  });
});

describe("symbols", () => {
  it("of the service mean an instrument here that is spelled back alike, or none", () => {
    const meant = (text: string) => instrumentOfService(text)?.symbol ?? null;
    expect(["AAPL", "BRK-B", "TCS.NS", "^NSEI", "BTC-USD", "EURUSD=X"].map(meant)).toEqual([
      "AAPL",
      "BRK.B",
      "TCS.NS",
      "^NSEI",
      "BTC-USD",
      "EURUSD=X",
    ]);
    // BTC is a fund there and a coin here; exchanges without a calendar, other spellings of what is known.
    expect(["BTC", "WSU.DE", "JPY=X", "brk-b", "BRK.B"].map(meant)).toEqual(Array(5).fill(null));
  });
});

describe("splits and dividends", () => {
  const seconds = (day: string) => at(`${day}T14:30Z`) / 1_000;
  const chart = (
    dividends: Readonly<Record<string, number>>,
    splits: Readonly<Record<string, readonly [number, number]>>,
  ) => ({
    meta: { symbol: "AAPL", currency: "USD" },
    events: {
      dividends: Object.fromEntries(
        Object.entries(dividends).map(([day, amount]) => [day, { amount, date: seconds(day) }]),
      ),
      splits: Object.fromEntries(
        Object.entries(splits).map(([day, [numerator, denominator]]) => [
          day,
          { date: seconds(day), numerator, denominator },
        ]),
      ),
    },
    indicators: { quote: [{}] },
  });

  it("have dividends as they were on their day, whatever was split since", () => {
    // What Apple paid in February 2014 was 3.05 a share; 7:1 and 4:1 later it is told as 0.108929.
    const told = chart(
      { "2014-02-06": 0.108_929, "2014-08-07": 0.1175, "2020-11-06": 0.205 },
      { "2014-06-09": [7, 1], "2020-08-31": [4, 1] },
    );
    expect(actionsOf(told, AAPL, dayOf("2014-01-01"), dayOf("2021-01-01"))).toEqual([
      { kind: "dividend", exDay: dayOf("2014-02-06"), amount: 3.050_012, currency: "USD" },
      { kind: "split", exDay: dayOf("2014-06-09"), ratio: 7 },
      { kind: "dividend", exDay: dayOf("2014-08-07"), amount: 0.47, currency: "USD" },
      { kind: "split", exDay: dayOf("2020-08-31"), ratio: 4 },
      { kind: "dividend", exDay: dayOf("2020-11-06"), amount: 0.205, currency: "USD" },
    ]);
    // A split outside the stretch counts all the same.
    expect(actionsOf(told, AAPL, dayOf("2014-08-01"), dayOf("2014-09-01"))).toMatchObject([{ amount: 0.47 }]);
  });

  it("have reverse splits below 1, and none where the chart has none", () => {
    expect(actionsOf(chart({}, { "2024-01-02": [1, 10] }), AAPL, 0, 30_000)).toMatchObject([{ ratio: 0.1 }]);
    expect(actionsOf({ ...chart({}, {}), events: undefined }, AAPL, 0, 30_000)).toEqual([]);
  });
});

describe("headlines", () => {
  const folder = new URL("../fixtures/providers/yahoo-more/", import.meta.url);
  const feed = answerOf(readFileSync(new URL("headlines.xml", folder), "utf8"));

  it("are read newest first, entities and CDATA resolved, without those that have no date or address", () => {
    expect(headlinesOf(feed, NEWS, NOW)).toEqual([
      {
        id: "33333333-aaaa-3bbb-8ccc-444444444444",
        publisher: "The Wire",
        title: 'Why "AAPL" & <friends> fell',
        summary: 'A <script>alert("x")</script> & a cat',
        url: "https://finance.example/news/cdata.html",
        publishedMs: at("2025-02-28T09:00Z"),
        symbols: ["AAPL"],
      },
      {
        id: "11111111-aaaa-3bbb-8ccc-222222222222",
        publisher: "Yahoo Finance",
        title: "Orchard & Sons beats estimates",
        summary: "Shares of Orchard & Sons rose <b>3%</b> after the maker’s results.",
        url: "https://finance.example/news/orchard-rises-101500001.html?.tsrc=rss&a=1",
        publishedMs: at("2025-02-27T10:15Z"),
        symbols: ["AAPL"],
      },
    ]);
  });

  it("are those of the stretch, which excludes its end", () => {
    const early = headlinesOf(
      feed,
      { ...NEWS, fromMs: at("2025-01-01"), toMs: at("2025-02-27T10:15Z") },
      NOW,
    );
    expect(early.map(({ id }) => id)).toEqual(["https://finance.example/news/early.html"]);
    expect(early[0].publishedMs).toBe(at("2025-01-01T14:00Z"));
  });

  it("are refused when there are more than anybody reads", () => {
    const item = "<item><title>&amp;</title><link>https://a.example</link><pubDate>x</pubDate></item>";
    const long = answerOf(`<rss><channel>${item.repeat(4_000)}</channel></rss>`);
    expect(refusalOf(() => headlinesOf(long, NEWS, NOW))).toMatchObject({
      failure: "bad_payload",
      message: "answered with more than 262144 characters",
    });
  });

  it("of markets at large name no symbol, and an empty feed has none", () => {
    const empty = answerOf('<rss version="2.0"><channel><title>News</title></channel></rss>');
    expect(headlinesOf(empty, NEWS, NOW)).toEqual([]);
    const one = answerOf(
      "<rss><channel><item><title>T</title><link>https://a.example/x</link><pubDate>28 Feb 2025 09:00:00 GMT</pubDate></item></channel></rss>",
    );
    expect(headlinesOf(one, { ...NEWS, instrument: null }, NOW)).toMatchObject([
      { title: "T", summary: "", symbols: [] },
    ]);
  });
});
