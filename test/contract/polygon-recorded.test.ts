import { describe, expect, it } from "vitest";
import { dayOf } from "../../src/core/market/day.js";
import type { HttpAnswer } from "../../src/platform/http-client.js";
import { parseChain } from "../../src/providers/polygon-options.js";
import {
  parseDividends,
  parseNews,
  parseSplits,
  parseStatus,
  parseTicker,
} from "../../src/providers/polygon-reference.js";
import { parseAggregates, parseLastTrade, parsePrevious } from "../../src/providers/polygon-wire.js";
import { candlesOfRows } from "../../src/providers/vendor-fields.js";
import { answerOf } from "../fixtures/recorded.js";
import { at, failed, instrumentOf, KEY, recordedAnswers, told } from "../fixtures/vendor-answers.js";

const recorded = recordedAnswers("polygon");
const AAPL = instrumentOf("AAPL");
const later = { key: KEY, nowMs: at("2025-07-01T00:00Z") };

function bars(answer: HttpAnswer) {
  return told(candlesOfRows(parseAggregates(answer, "AAPL", later).rows, AAPL, "1d"));
}

describe.skipIf(recorded.absent)("recorded answers of Polygon", () => {
  const read = recorded.read;
  const raw = (name: string) => {
    const { status, text } = read(name);
    return answerOf({ ...(JSON.parse(text) as object), adjusted: false }, status);
  };
  /** Of a list about many tickers, the rows of one. */
  const rowsOf = (name: string, ticker: string) => {
    const body = JSON.parse(read(name).text) as { results: { ticker: string }[] };
    return answerOf({ ...body, results: body.results.filter((row) => row.ticker === ticker) });
  };
  const parsed: Readonly<Record<string, () => void>> = {
    "aggs-AAPL-1d": () => {
      expect(failed(() => bars(read("aggs-AAPL-1d"))).message).toBe("answered with adjusted prices");
      expect(bars(raw("aggs-AAPL-1d"))).toEqual({
        bars: [
          "2005-04-01T14:30Z 1.5032 1.5064 1.4489 1.4604 642646396",
          "2005-04-04T13:30Z 1.4639 1.4754 1.4343 1.4675 578172308",
        ],
        rejected: [],
      });
    },
    dividends: () => {
      expect(failed(() => parseDividends(read("dividends"), "AIRTP", AAPL, later)).message).toBe(
        "answered for CSSEN instead of AIRTP",
      );
      const { rows, nextUrl } = parseDividends(rowsOf("dividends", "AIRTP"), "AIRTP", AAPL, later);
      expect(rows).toEqual([
        { kind: "dividend", exDay: dayOf("2023-11-13"), amount: 0.5, currency: "USD" },
        { kind: "dividend", exDay: dayOf("2023-08-11"), amount: 0.5, currency: "USD" },
      ]);
      expect(nextUrl).toBeNull();
    },
    "empty-unknown-ticker": () => {
      const { rows } = parseAggregates(read("empty-unknown-ticker"), "NOPE123", later);
      expect(rows).toEqual([]);
    },
    "error-200-body-ERROR-ratelimit": () =>
      refused("error-200-body-ERROR-ratelimit", "rate_limited", "too many requests"),
    "error-403-not-authorized": () =>
      refused(
        "error-403-not-authorized",
        "refused",
        "Your plan doesn't include this data timeframe. Please upgrade your plan at",
      ),
    "error-429": () => refused("error-429", "rate_limited", "too many requests"),
    // Bars of all shares and the prices of one day are not asked for.
    grouped: () => refused("grouped", "bad_payload", "not a list of bars: ticker Invalid input"),
    "open-close-AAPL": () =>
      refused("open-close-AAPL", "bad_payload", "not a list of bars: ticker Invalid input"),
    "trades-AAPL": () => refused("trades-AAPL", "bad_payload", "not a list of bars: ticker Invalid input"),
    "last-trade-AAPL": () => {
      expect(parseLastTrade(read("last-trade-AAPL"), "AAPL", AAPL, later)).toMatchObject({
        symbol: "AAPL",
        price: 166.25,
        time: 1_651_179_319_310,
      });
      const past = { key: KEY, nowMs: at("2022-04-28T20:00Z") };
      expect(failed(() => parseLastTrade(read("last-trade-AAPL"), "AAPL", AAPL, past)).message).toBe(
        "the price is of the future",
      );
    },
    marketstatus: () =>
      expect(parseStatus(read("marketstatus"), later)).toEqual({
        phase: "post",
        time: at("2022-04-28T20:48:08Z"),
        description: "extended-hours",
      }),
    "news-NFLX": () =>
      expect(parseNews(read("news-NFLX"), later).rows).toMatchObject([
        {
          id: "JeJEhAVoKaqJ2zF9nzQYMg07UlEeWlis6Dsop33TPQY",
          publisher: "MarketWatch",
          publishedMs: at("2022-04-28T17:08:00Z"),
          symbols: ["MSFT", "TSN", "NFLX", "AMZN"],
        },
      ]),
    "news-openapi-insights": () => {
      const { rows, nextUrl } = parseNews(read("news-openapi-insights"), later);
      expect(rows).toMatchObject([{ symbols: ["UBS"], publishedMs: at("2024-06-24T18:33:53Z") }]);
      expect(nextUrl).toMatch(/^https:\/\/api\.massive\.com:443\/v2\/reference\/news\?cursor=/);
    },
    "options-chain-openapi": () => {
      const [{ quote, time, spot }] = parseChain(read("options-chain-openapi"), "AAPL", later).rows;
      expect(quote).toMatchObject({ expiry: dayOf("2022-01-21"), strike: 150, right: "call", volatility: 5 });
      expect(quote).toMatchObject({ bid: 120.28, ask: 120.3, last: 0.05, openInterest: 1_543 });
      expect([time, spot]).toEqual([1_605_195_918_507, 147]);
    },
    "prev-AAPL": () =>
      expect(parsePrevious(raw("prev-AAPL"), "AAPL", AAPL, later)).toMatchObject({
        price: 156.8,
        time: at("2022-04-26T20:00Z"),
        open: 162.25,
        high: 162.34,
        low: 156.72,
        volume: 95_595_226,
      }),
    "snapshot-options-AAPL": () => {
      const [{ quote, time, spot }] = parseChain(read("snapshot-options-AAPL"), "AAPL", later).rows;
      expect(quote).toEqual({
        expiry: dayOf("2023-06-16"),
        strike: 150,
        right: "call",
        last: 29.25,
        bid: 28.9,
        ask: 29.25,
        volume: 8,
        openInterest: 8_133,
        volatility: 0.3570277203465058,
        delta: 0.6436614934293701,
        gamma: 0.0061735291012820675,
        theta: -0.028227189324641973,
        vega: 0.6381159723175714,
      });
      expect([time, spot]).toEqual([1_651_254_260_800, 159.9606]);
    },
    splits: () => {
      expect(failed(() => parseSplits(read("splits"), "BRW", later)).failure).toBe("bad_payload");
      const ratio = (ticker: string) => parseSplits(rowsOf("splits", ticker), ticker, later).rows[0];
      expect(ratio("GOOGL")).toEqual({ kind: "split", exDay: dayOf("2022-07-18"), ratio: 20 });
      expect(ratio("BRW")).toMatchObject({ ratio: 0.5 });
      expect(ratio("CIG.C")).toMatchObject({ ratio: 4 / 3 });
    },
    "ticker-details-AAPL": () => {
      expect(parseTicker(read("ticker-details-AAPL"), "AAPL", later)).toBeUndefined();
      expect(failed(() => parseTicker(read("ticker-details-AAPL"), "MSFT", later)).failure).toBe(
        "bad_payload",
      );
    },
  };

  function refused(name: string, failure: string, message: string): void {
    const found = failed(() => parseAggregates(read(name), "AAPL", later));
    expect(found.failure).toBe(failure);
    expect(found.message).toContain(message);
  }

  it("are all expected", () => {
    expect(recorded.names.sort()).toEqual(Object.keys(parsed).sort());
  });

  it.each(Object.entries(parsed))("%s", (_name, check) => check());
});
