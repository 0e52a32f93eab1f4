import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { findInvalidBar } from "../../src/core/market/candles.js";
import type { Instrument } from "../../src/core/market/instrument.js";
import type { Interval } from "../../src/core/market/interval.js";
import { ProviderError } from "../../src/providers/define.js";
import { candlesOf, parseChart, quoteOf } from "../../src/providers/yahoo-chart.js";
import { sharedPath } from "../fixtures/shared.js";

/** Answers of the service that others recorded or rebuilt, as whole requests and responses. */
const folder = sharedPath("data", "api-fixtures", "yahoo") ?? "";

interface Recorded {
  readonly request: { readonly url: string };
  readonly response: {
    readonly status: number;
    readonly headers: Readonly<Record<string, string>>;
    readonly body: unknown;
  };
}

interface Outcome {
  /** Closes of the bars, or how the answer is refused. */
  readonly bars?: number;
  readonly firstDate?: string;
  readonly lastDate?: string;
  readonly rejected?: number;
  readonly quote?: boolean;
  readonly failure?: string;
}

const NOW = Date.parse("2025-03-01T00:00Z");
const EXPECTED: Readonly<Record<string, Outcome>> = {
  // Its minutes begin at 20 s past: a built answer, whose rows are no bars of any grid.
  "chart-1m-null-bars": { bars: 0, rejected: 3, quote: true },
  "chart-AAPL-1d-2bars": { bars: 1, firstDate: "2020-01-02", lastDate: "2020-01-02", quote: true },
  "chart-AAPL-1d-split-2020": { bars: 49, firstDate: "2020-08-31", lastDate: "2020-11-06", quote: true },
  "chart-AAPL-1m-no-trading-day": { bars: 0, quote: true },
  // The day that begins at the end of what was asked for is sent, too.
  "chart-BTC-USD": { bars: 3, firstDate: "2020-01-01", lastDate: "2020-01-03", quote: true },
  "chart-MSFT-1y-dividends": { bars: 252, firstDate: "2021-02-01", lastDate: "2022-01-28", quote: true },
  "chart-WSU.DE": { bars: 3, firstDate: "2023-08-04", lastDate: "2023-08-08", quote: true },
  "chart-notimestamp-with-quotes": { bars: 0, quote: true },
  "error-200-will-be-right-back": { failure: "bad_payload" },
  "error-401-invalid-crumb": { failure: "unauthorized" },
  "error-404-unknown-symbol": { failure: "unknown_symbol" },
  "error-429-text": { failure: "rate_limited" },
  getcrumb: { failure: "bad_payload" },
  "options-AAPL": { failure: "bad_payload" },
  "options-none-EURUSD": { failure: "bad_payload" },
  "quote-AAPL": { failure: "bad_payload" },
  "quote-AAPL-BABA": { failure: "bad_payload" },
  "quote-APS.AX-thin": { failure: "bad_payload" },
  "search-AAPL": { failure: "bad_payload" },
  "search-badResult": { failure: "bad_payload" },
};

/** The calendar of New York or of every day; of others only the dates of bars are looked at. */
function instrumentOf(symbol: string): Instrument {
  const crypto = symbol.endsWith("-USD");
  return {
    symbol,
    name: symbol,
    assetClass: crypto ? "crypto" : "equity",
    exchange: "",
    currency: "USD",
    calendar: crypto ? "24x7" : "XNYS",
  };
}

function outcomeOf(name: string): Outcome {
  const { request, response } = JSON.parse(readFileSync(`${folder}/${name}.json`, "utf8")) as Recorded;
  const { pathname, searchParams } = new URL(request.url);
  const symbol = decodeURIComponent(pathname.split("/").at(-1) ?? "");
  const interval = (searchParams.get("interval") ?? "1d") as Interval;
  const text = typeof response.body === "string" ? response.body : JSON.stringify(response.body);
  const answer = { status: response.status, headers: new Headers({ ...response.headers }), text };
  try {
    const chart = parseChart(answer, symbol, NOW);
    const instrument = instrumentOf(symbol);
    const { candles, rejected } = candlesOf(chart, instrument, interval);
    expect(findInvalidBar(candles)).toBeNull();
    const date = (time: number | undefined) =>
      time === undefined || interval !== "1d" ? undefined : new Date(time).toISOString().slice(0, 10);
    return {
      bars: candles.time.length,
      firstDate: date(candles.time[0]),
      lastDate: date(candles.time.at(-1)),
      rejected: rejected.length,
      quote: quoteOf(chart, instrument, NOW) !== null,
    } as Outcome;
  } catch (error) {
    if (!(error instanceof ProviderError)) throw error;
    return { failure: error.failure };
  }
}

describe.skipIf(folder === "")("recorded answers of the chart service", () => {
  const names = folder === "" ? [] : readdirSync(folder).map((file) => file.replace(/\.json$/, ""));

  it("are all expected", () => {
    expect(names.sort()).toEqual(Object.keys(EXPECTED).sort());
  });

  it.each(Object.keys(EXPECTED))("%s", (name) => {
    const found = outcomeOf(name);
    expect(found).toMatchObject(EXPECTED[name]);
    if (found.failure === undefined && EXPECTED[name].rejected === undefined) expect(found.rejected).toBe(0);
  });
});
