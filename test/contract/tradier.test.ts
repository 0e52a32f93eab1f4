import { readdirSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { ensure } from "../../src/core/base/assert.js";
import { barAt, findInvalidBar } from "../../src/core/market/candles.js";
import { dateOf, dayOf } from "../../src/core/market/day.js";
import { classifySymbol, type Instrument } from "../../src/core/market/instrument.js";
import type { Interval } from "../../src/core/market/interval.js";
import type { OptionQuote } from "../../src/core/market/option-quote.js";
import type { HttpAnswer } from "../../src/platform/http-client.js";
import { bodyOf } from "../../src/providers/tradier-answer.js";
import { candlesOf } from "../../src/providers/tradier-candles.js";
import { chainOf, expiriesOf } from "../../src/providers/tradier-options.js";
import { foundOf, quoteOf, quoteRow, statusOf } from "../../src/providers/tradier-quote.js";
import { badAnswers, recordedAnswer } from "../fixtures/recorded.js";
import { expectRefusal, refusalOf } from "../fixtures/refusal.js";
import { sharedPath } from "../fixtures/shared.js";

const TOKEN = "secret-token-1";
const at = (text: string) => Date.parse(text);
/** A minute before the count of calls in the recorded headers begins anew. */
const NOW = 1_719_590_760_000;
const instrumentOf = (symbol: string): Instrument => ensure(classifySymbol(symbol), symbol);
const AAPL = instrumentOf("AAPL");
const stretch = (interval: Interval, from: string, to: string, instrument = AAPL) => ({
  instrument,
  interval,
  fromMs: at(from),
  toMs: at(to),
});

const bodyIn = (answer: HttpAnswer) => bodyOf(answer, TOKEN, NOW);
const underlying = quoteRow(
  { quotes: { quote: { symbol: "AAPL", last: 438.89, trade_date: 1_370_894_400_000 } } },
  "AAPL",
);
const chainIn = (body: unknown, expiry: string) =>
  chainOf(body, { instrument: AAPL, vendorSymbol: "AAPL", expiry: dayOf(expiry), underlying }, NOW);

const READERS: Readonly<Record<string, (answer: HttpAnswer) => unknown>> = {
  quote: (answer) => quoteOf(bodyIn(answer), AAPL, NOW),
  history: (answer) => candlesOf(bodyIn(answer), stretch("1d", "2024-01-01", "2024-07-01")),
  series: (answer) => candlesOf(bodyIn(answer), stretch("1m", "2024-06-28", "2024-06-29")),
  chain: (answer) => chainIn(bodyIn(answer), "2024-07-19"),
  expirations: (answer) => expiriesOf(bodyIn(answer)),
  clock: (answer) => statusOf(bodyIn(answer), NOW),
  lookup: (answer) => foundOf(bodyIn(answer)),
};

const sum = (quotes: readonly OptionQuote[], right: string, column: "openInterest" | "volume") =>
  quotes.filter((leg) => leg.right === right).reduce((total, leg) => total + (leg[column] ?? 0), 0);

/** What each recorded answer is read to. */
const RECORDED: Readonly<Record<string, (answer: HttpAnswer) => void>> = {
  "clock.json": (answer) =>
    expect(READERS.clock(answer)).toEqual({
      phase: "closed",
      time: at("2013-06-11T02:39:13Z"),
      description: "Market is closed.",
    }),
  "error-401-fault.json": (answer) => expect(refusalOf(() => bodyIn(answer)).failure).toBe("unauthorized"),
  "error-401-plain-text.json": (answer) =>
    expect(refusalOf(() => bodyIn(answer)).failure).toBe("unauthorized"),
  "error-500-fault-token-expired.json": (answer) =>
    expect(refusalOf(() => bodyIn(answer)).failure).toBe("unauthorized"),
  "expirations.json": (answer) => {
    const dates = (READERS.expirations(answer) as number[]).map(dateOf);
    expect(dates).toHaveLength(12);
    expect([dates[0], dates[2], dates[11]]).toEqual(["2013-06-07", "2013-06-22", "2015-01-17"]);
  },
  "history-daily.json": (answer) => {
    const found = ensure(candlesOf(bodyIn(answer), stretch("1d", "2012-05-25", "2013-06-11")), "candles");
    const { candles, rejected } = found;
    expect(rejected).toEqual([]);
    expect(findInvalidBar(candles)).toBeNull();
    expect(candles.time.length).toBe(260);
    expect(candles.volume.reduce((a, b) => a + b, 0)).toBe(4_552_612_159);
    expect(candles.close.reduce((a, b) => a + b, 0)).toBeCloseTo(140_224.4942, 6);
    expect(barAt(candles, 259)).toEqual({
      time: at("2013-06-10T13:30Z"),
      open: 444.73,
      high: 449.079,
      low: 436.8,
      close: 438.89,
      volume: 16_084_149,
    });
  },
  "history-null.json": (answer) => expect(READERS.history(answer)).toBeNull(),
  "lookup.json": (answer) => {
    const found = foundOf(bodyIn(answer));
    // 18 came; AAp, a preferred share, would be AAP here, which is another company.
    expect(found).toHaveLength(17);
    expect(found.filter(({ instrument }) => instrument.symbol === "AAP")).toEqual([
      {
        instrument: { ...instrumentOf("AAP"), name: "Advance Auto Parts Inc", exchange: "NYSE" },
        vendorSymbol: "AAP",
      },
    ]);
    expect(found.find(({ vendorSymbol }) => vendorSymbol === "AADR")?.instrument).toMatchObject({
      assetClass: "etf",
      exchange: "ARCA",
    });
  },
  "options-chain-2013.json.gz": (answer) => {
    const { quotes, ...header } = chainIn(bodyIn(answer), "2015-01-17");
    expect(header).toEqual({ underlying: "AAPL", time: 1_370_894_400_000, spot: 438.89 });
    // 330 came; 108 of root AAPL7 are on ten shares.
    expect(quotes).toHaveLength(222);
    expect([sum(quotes, "call", "openInterest"), sum(quotes, "put", "openInterest")]).toEqual([
      166_786, 112_003,
    ]);
    expect([sum(quotes, "call", "volume"), sum(quotes, "put", "volume")]).toEqual([191, 264]);
    expect(quotes.filter(({ last }) => last === null)).toHaveLength(1);
    expect(quotes.find((leg) => leg.strike === 1_050 && leg.right === "call")).toEqual({
      expiry: dayOf("2015-01-17"),
      strike: 1_050,
      right: "call",
      last: 1.48,
      bid: 1.52,
      ask: 1.94,
      volume: 34,
      openInterest: 3_881,
      volatility: null,
      delta: null,
      gamma: null,
      theta: null,
      vega: null,
    });
  },
  "quote-single-object.json": (answer) =>
    expect(READERS.quote(answer)).toEqual({
      symbol: "AAPL",
      price: 438.89,
      time: at("2013-06-10T20:00Z"),
      open: 444.73,
      high: 449.079,
      low: 436.8,
      previousClose: null,
      volume: 14_455_098,
      bid: 438.63,
      ask: 438.66,
    }),
  "quotes-2024-equity-and-option-greeks.json": (answer) => {
    expect(quoteOf(bodyIn(answer), instrumentOf("SPY"), NOW)).toEqual({
      symbol: "SPY",
      price: 547.94,
      time: 1_719_589_860_990,
      open: 547.16,
      high: 550.28,
      low: 546.67,
      previousClose: 546.37,
      volume: 16_616_657,
      bid: 547.95,
      ask: 547.96,
    });
    // The contract beside it has the shape of those in a chain.
    const { quotes } = bodyIn(answer) as { quotes: { quote: readonly unknown[] } };
    const chain = chainOf(
      { options: { option: quotes.quote[1] } },
      {
        instrument: instrumentOf("SPY"),
        vendorSymbol: "SPY",
        expiry: dayOf("2025-12-19"),
        underlying: quoteRow(bodyIn(answer), "SPY"),
      },
      NOW,
    );
    expect(chain).toEqual({
      underlying: "SPY",
      time: 1_719_589_851_000,
      spot: 547.94,
      quotes: [
        {
          expiry: dayOf("2025-12-19"),
          strike: 450,
          right: "put",
          last: 10.05,
          bid: 10.2,
          ask: 10.36,
          volume: 415,
          openInterest: 7_230,
          volatility: 0.209179,
          delta: -0.136692803567622,
          gamma: 0.0014474030220688475,
          theta: -0.05979034211472878,
          vega: 1.2675943936834042,
        },
      ],
    });
  },
  "quotes-array.json": (answer) => {
    expect(READERS.quote(answer)).toMatchObject({ price: 438.89, bid: 438.6, ask: 438.8 });
    expect(quoteOf(bodyIn(answer), instrumentOf("MSFT"), NOW)).toMatchObject({
      price: 35.47,
      volume: 40_762_249,
    });
  },
  "quotes-unmatched.json": (answer) =>
    expect(refusalOf(() => READERS.quote(answer)).failure).toBe("unknown_symbol"),
  // Nothing is asked of this service; its answer is none of those that are read.
  "strikes.json": (answer) =>
    expect(refusalOf(() => READERS.expirations(answer)).failure).toBe("bad_payload"),
  // 590 ticks of a minute, which is what it sends when no interval is named.
  "timesales-ticks.json": (answer) =>
    expect(refusalOf(() => READERS.series(answer)).failure).toBe("bad_payload"),
};

const folder = sharedPath("data", "api-fixtures", "tradier");

describe.skipIf(folder === null)("recorded answers", () => {
  it("are all in the table", () => {
    expect(readdirSync(folder ?? "").sort()).toEqual(Object.keys(RECORDED).sort());
  });
  it.each(Object.keys(RECORDED))("%s", (name) => {
    RECORDED[name](recordedAnswer(`tradier/${name}`).answer);
  });
});

describe("bad answers", () => {
  it.each(badAnswers("tradier").map((bad) => [bad.about, bad] as const))("%s", (_, bad) => {
    expectRefusal(bad, READERS[bad.call], [TOKEN]);
  });
});

describe("candles", () => {
  const row = (time: string, close: number | null = 10.1) => ({
    time,
    open: 10,
    high: 10.2,
    low: 9.9,
    close,
    volume: 5,
  });
  const bars = (body: unknown, request = stretch("1m", "2024-06-28T00:00Z", "2024-06-29T00:00Z")) => {
    const { candles, rejected } = ensure(candlesOf(body, request), "candles");
    return {
      times: Array.from(candles.time, (ms) => new Date(ms).toISOString().slice(0, 16)),
      rejected: rejected.map(({ reason }) => reason),
    };
  };

  it("reads clock times of New York in summer and winter, one row alone, and names what is off the grid", () => {
    expect(bars({ series: { data: row("2024-06-28T09:30:00") } }).times).toEqual(["2024-06-28T13:30"]);
    const winter = stretch("1m", "2024-01-02T00:00Z", "2024-01-03T00:00Z");
    expect(bars({ series: { data: row("2024-01-02T09:30:00") } }, winter).times).toEqual([
      "2024-01-02T14:30",
    ]);
    const early = [row("2024-06-28T09:29:00"), row("2024-06-28T09:30:20"), row("2024-06-28T15:59:00")];
    expect(bars({ series: { data: early } })).toEqual({
      times: ["2024-06-28T19:59"],
      rejected: ["time is not that of a bar", "time is not that of a bar"],
    });
  });

  it("leaves out days without a close and days that are no numbers, and names impossible ones", () => {
    const day = (date: string, close: unknown, low: unknown = 9.9) => ({
      date,
      open: 10,
      high: 10.2,
      low,
      close,
      volume: 5,
    });
    const nan = { open: "NaN", high: "NaN", low: "NaN", close: "NaN", volume: 0 };
    const history = {
      day: [
        day("2024-06-25", 10),
        { date: "2024-06-26", ...nan },
        day("2024-06-27", 10, 10.1),
        day("2024-06-28", null),
      ],
    };
    expect(bars({ history }, stretch("1d", "2024-06-01", "2024-07-01"))).toEqual({
      times: ["2024-06-25T13:30"],
      rejected: ["low is above open, close or high"],
    });
  });

  it("takes null, the word and an empty list for nothing", () => {
    for (const history of [null, "null", { day: [] }, { day: null }, {}]) {
      expect(candlesOf({ history }, stretch("1d", "2024-06-01", "2024-07-01"))).toBeNull();
    }
  });
});

describe("chains", () => {
  const option = (symbol: string, strike: number, more: object = {}) => ({
    symbol,
    strike,
    last: 1,
    open_interest: 1,
    ...more,
  });
  const spx = (list: readonly unknown[]) =>
    chainOf(
      { options: { option: list } },
      {
        instrument: instrumentOf("^GSPC"),
        vendorSymbol: "SPX",
        expiry: dayOf("2024-07-19"),
        underlying: quoteRow({ quotes: { quote: { symbol: "SPX", last: null } } }, "SPX"),
      },
      NOW,
    );

  it("are of the newest time of their legs, however fresh the underlying is", () => {
    const timeOf = (more: object) =>
      chainOf(
        {
          options: { option: [option("AAPL240719C00400000", 400, more), option("AAPL240719P00400000", 400)] },
        },
        { instrument: AAPL, vendorSymbol: "AAPL", expiry: dayOf("2024-07-19"), underlying },
        NOW,
      ).time;
    const old = 1_365_000_000_000;
    expect(timeOf({ trade_date: old - 5, bid_date: old, ask_date: 0 })).toBe(old);
    expect(timeOf({ trade_date: 0 })).toBe(1_370_894_400_000);
  });

  it("prefer contracts of an index's own root to those of its weeklies on one strike", () => {
    const { quotes, spot, time } = spx([
      option("SPX240719C05000000", 5_000, { last: 480 }),
      option("SPXW240719C05000000", 5_000, { last: 481 }),
      option("SPXW240719C05005000", 5_005, { last: 476 }),
    ]);
    expect(quotes.map(({ strike, last }) => [strike, last])).toEqual([
      [5_000, 480],
      [5_005, 476],
    ]);
    expect(spot).toBeNaN();
    expect(time).toBe(NOW);
  });

  it("leave out what is not on 100 shares, and read fractional strikes", () => {
    const { quotes } = chainIn(
      {
        options: {
          option: [
            option("AAPL240719P00187500", 187.5, {
              greeks: { mid_iv: 0.2, delta: -0.4 },
              contract_size: 100,
            }),
            option("AAPL240719P00190000", 190, { contract_size: 10 }),
            option("AAPL1240719P00190000", 190),
          ],
        },
      },
      "2024-07-19",
    );
    expect(quotes).toMatchObject([
      { strike: 187.5, right: "put", volatility: 0.2, delta: -0.4, gamma: null },
    ]);
  });

  it("of an expiry without contracts are empty, and an underlying without options has no expiries", () => {
    expect(chainIn({ options: null }, "2024-07-19").quotes).toEqual([]);
    expect(expiriesOf({ expirations: null })).toEqual([]);
    expect(expiriesOf({ expirations: { date: "2024-07-19" } })).toEqual([dayOf("2024-07-19")]);
  });
});
