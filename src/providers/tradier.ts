import { emptyCandles } from "../core/market/candles.js";
import { type Instrument, namedInstruments } from "../core/market/instrument.js";
import type { Interval } from "../core/market/interval.js";
import type { HttpClient, HttpRequest } from "../platform/http-client.js";
import { fetchAnswer } from "./answer.js";
import { type OptionSource, type Provider, ProviderError } from "./define.js";
import { bodyOf, marketsRequest, type TradierAccess, vendorSymbolOf } from "./tradier-answer.js";
import { candlesOf, candlesRequest, SALES_INTERVALS } from "./tradier-candles.js";
import { chainOf, chainRequest, expirationsRequest, expiriesOf } from "./tradier-options.js";
import { foundOf, quoteOf, quoteRow, statusOf } from "./tradier-quote.js";

const OWN_INTERVALS: readonly Interval[] = [...(Object.keys(SALES_INTERVALS) as Interval[]), "1d"];
const DAY_MS = 86_400_000;
/** How far back regular sessions go by interval; a day less than documented, for it counts from its own now. */
const HISTORY_DAYS: Readonly<Partial<Record<Interval, number>>> = { "1m": 19, "5m": 39, "15m": 39 };
const EARLIEST_MS = Date.UTC(1970, 0, 2);
/** Market data a minute, by token; the sandbox gives half. */
const PER_MINUTE = 120;
const SANDBOX_PER_MINUTE = 60;

/**
 * US shares, funds and four indices: candles, quotes, option chains, clock and search. Days are given as the vendor
 * has them: it says that dividends may not be adjusted for, and says nothing of splits.
 */
export function createTradierProvider(
  options: TradierAccess & { http: HttpClient; now: () => number },
): Provider {
  const { http, now, baseUrl, token } = options;
  const access: TradierAccess = { baseUrl, token };

  async function fetchBody(request: HttpRequest, signal: AbortSignal): Promise<unknown> {
    return bodyOf(await fetchAnswer(http, request, signal), token, now());
  }

  const fetchQuotes = (vendorSymbol: string, signal: AbortSignal) =>
    fetchBody(marketsRequest(access, "quotes", { symbols: vendorSymbol, greeks: "false" }), signal);

  const chains: OptionSource = {
    carries: (underlying) => vendorSymbolOf(underlying) !== null,
    async fetchExpiries(underlying, signal) {
      return expiriesOf(await fetchBody(expirationsRequest(access, requireCarried(underlying)), signal));
    },
    async fetchChain(instrument, expiry, signal) {
      const vendorSymbol = requireCarried(instrument);
      const [chain, quotes] = await Promise.all([
        fetchBody(chainRequest(access, vendorSymbol, expiry), signal),
        fetchQuotes(vendorSymbol, signal),
      ]);
      const underlying = quoteRow(quotes, vendorSymbol);
      return chainOf(chain, { instrument, vendorSymbol, expiry, underlying }, now());
    },
  };

  return {
    name: "tradier",
    title: "Tradier",
    synthetic: false,
    remote: true,
    recorded: false,
    listsAll: false,
    concurrency: 4,
    quota: {
      perMinute: new URL(baseUrl).hostname.startsWith("sandbox.") ? SANDBOX_PER_MINUTE : PER_MINUTE,
      perDay: null,
    },
    intervals: (instrument) => (vendorSymbolOf(instrument) === null ? [] : OWN_INTERVALS),
    async earliestMs(_instrument, interval, nowMs) {
      const days = HISTORY_DAYS[interval];
      return days === undefined ? EARLIEST_MS : nowMs - days * DAY_MS;
    },
    feedNowMs: async (_instrument, _interval, nowMs) => nowMs,
    liesOnGrid: () => true,
    version: async () => null,
    replay: null,
    async fetchCandles(request, signal) {
      const { instrument, interval, fromMs, toMs } = request;
      const vendorSymbol = requireCarried(instrument);
      const none = { candles: emptyCandles(instrument.symbol, interval), rejected: [] };
      if (fromMs >= toMs) return none;
      const found = candlesOf(
        await fetchBody(candlesRequest(access, vendorSymbol, request), signal),
        request,
      );
      if (found !== null) return found;
      // It has nothing in the stretch, or does not know the symbol: its answer is the same.
      quoteRow(await fetchQuotes(vendorSymbol, signal), vendorSymbol);
      return none;
    },
    async fetchQuote(instrument, signal) {
      return quoteOf(await fetchQuotes(requireCarried(instrument), signal), instrument, now());
    },
    async search(text, signal) {
      return foundOf(await fetchBody(marketsRequest(access, "lookup", { q: text }), signal));
    },
    async fetchStatus(signal) {
      return statusOf(await fetchBody(marketsRequest(access, "clock"), signal), now());
    },
    options: chains,
    listInstruments: () => namedInstruments().filter((instrument) => vendorSymbolOf(instrument) !== null),
    async probe(signal) {
      statusOf(await fetchBody(marketsRequest(access, "clock"), signal), now());
    },
  };
}

function requireCarried(instrument: Instrument): string {
  const vendorSymbol = vendorSymbolOf(instrument);
  if (vendorSymbol !== null) return vendorSymbol;
  throw new ProviderError("unknown_symbol", `does not carry ${instrument.symbol}`);
}
