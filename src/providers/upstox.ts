import { ensure } from "../core/base/assert.js";
import { classifySymbol, type Instrument } from "../core/market/instrument.js";
import type { Interval } from "../core/market/interval.js";
import type { HttpClient, HttpRequest } from "../platform/http-client.js";
import { fetchAnswer } from "./answer.js";
import { type OptionSource, type Provider, ProviderError } from "./define.js";
import { bodyOf, type UpstoxAccess } from "./upstox-answer.js";
import { type CandleRow, candleRequests, candlesOf, rowsOf, UNITS } from "./upstox-candles.js";
import { createKeyTable, INSTRUMENT_KEYS } from "./upstox-keys.js";
import { chainOf, chainRequest, contractsRequest, expiriesOf } from "./upstox-options.js";
import { quoteOf, quoteRequest } from "./upstox-quote.js";

const OWN_INTERVALS = Object.keys(UNITS) as Interval[];
/** What the history is said to begin with. */
const EARLIEST_INTRADAY_MS = Date.UTC(2022, 0, 1);
const EARLIEST_DAY_MS = Date.UTC(2000, 0, 1);
const PROBED = ensure(classifySymbol("^NSEI"), "^NSEI is a symbol");
/** 500 are allowed in one minute, and 2000 in 30: this many in each of them. */
const PER_MINUTE = 66;

/**
 * Indian shares and indices that a key is known for: candles, quotes and option chains. Nothing it documents says
 * whether its candles are adjusted for splits.
 */
export function createUpstoxProvider(
  options: UpstoxAccess & {
    /** Keys of further instruments by symbol. */
    readonly keys: Readonly<Record<string, string>>;
    readonly http: HttpClient;
    readonly now: () => number;
  },
): Provider {
  const { http, now, token, baseUrl } = options;
  const access: UpstoxAccess = { baseUrl, token };
  const table = createKeyTable(options.keys);

  async function fetchBody(request: HttpRequest, signal: AbortSignal): Promise<unknown> {
    return bodyOf(await fetchAnswer(http, request, signal), token, now());
  }

  function requireKey(instrument: Instrument): string {
    const key = table.keyOf(instrument);
    if (key !== null) return key;
    throw new ProviderError("unknown_symbol", `no instrument key is known for ${instrument.symbol}`);
  }

  const chains: OptionSource = {
    carries: (underlying) => table.mayHaveOptions(underlying),
    async fetchExpiries(underlying, signal) {
      const key = requireKey(underlying);
      return expiriesOf(await fetchBody(contractsRequest(access, key), signal), key);
    },
    async fetchChain(instrument, expiry, signal) {
      const key = requireKey(instrument);
      const body = await fetchBody(chainRequest(access, key, expiry), signal);
      return chainOf(body, { instrument, key, expiry }, now());
    },
  };

  return {
    name: "upstox",
    title: "Upstox",
    synthetic: false,
    remote: true,
    recorded: false,
    listsAll: false,
    concurrency: 4,
    quota: { perMinute: PER_MINUTE, perDay: null },
    intervals: (instrument) => (table.keyOf(instrument) === null ? [] : OWN_INTERVALS),
    earliestMs: async (_instrument, interval) => (interval === "1d" ? EARLIEST_DAY_MS : EARLIEST_INTRADAY_MS),
    feedNowMs: async (_instrument, _interval, nowMs) => nowMs,
    liesOnGrid: () => true,
    version: async () => null,
    replay: null,
    async fetchCandles(request, signal) {
      const key = requireKey(request.instrument);
      const rows: CandleRow[] = [];
      if (request.fromMs >= request.toMs) return candlesOf(rows, request);
      for (const part of candleRequests(access, key, request, now())) {
        for (const row of rowsOf(await fetchBody(part, signal))) rows.push(row);
      }
      return candlesOf(rows, request);
    },
    async fetchQuote(instrument, signal) {
      const key = requireKey(instrument);
      return quoteOf(await fetchBody(quoteRequest(access, key), signal), instrument, key, now());
    },
    options: chains,
    listInstruments: table.instruments,
    async probe(signal) {
      const key = INSTRUMENT_KEYS[PROBED.symbol];
      quoteOf(await fetchBody(quoteRequest(access, key), signal), PROBED, key, now());
    },
  };
}
