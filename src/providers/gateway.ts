import { lowerBound } from "../core/base/search.js";
import { type Candles, emptyCandles, sliceCandles } from "../core/market/candles.js";
import type { RejectedBar } from "../core/market/collect.js";
import type { Instrument } from "../core/market/instrument.js";
import { INTERVAL_MS, INTERVALS, type Interval, isIntraday } from "../core/market/interval.js";
import type { Quote } from "../core/market/quote.js";
import { firstFormingBar, regularBars, resample } from "../core/market/resample.js";
import { calendarOf } from "../core/market/session.js";
import { AppError } from "../platform/errors.js";
import type { Log } from "../platform/log.js";
import type { Metrics } from "../platform/metrics.js";
import { type CandleRequest, type Provider, ProviderError } from "./define.js";
import type { ProviderHealth } from "./guard.js";
import { createSources, type Sources } from "./sources.js";

export interface Fetched {
  /** Closed bars of regular sessions that open in the stretch that was asked for. */
  readonly candles: Candles;
  readonly source: string;
  readonly synthetic: boolean;
  /** The moment the source's data have reached. */
  readonly asOfMs: number;
  readonly rejected: readonly RejectedBar[];
}

export interface FetchedQuote {
  readonly quote: Quote;
  readonly source: string;
  readonly synthetic: boolean;
}

/** All sources as one: asks them in the configured order and says which one answered. */
export interface Gateway {
  /** True when the source is the synthetic market, which is always alone. */
  readonly synthetic: boolean;
  readonly providers: readonly Provider[];
  /** Intervals that can be had for an instrument, own ones of a source or made from finer ones. */
  intervals(instrument: Instrument): readonly Interval[];
  /**
   * The moment the data of an instrument have reached, by the first source that can tell.
   * @throws {AppError} `symbol_unknown` when no source carries it, `provider_unavailable` when none can tell.
   */
  feedNowMs(instrument: Instrument): Promise<number>;
  /** Open of the earliest bar that any source may be asked for. @throws {AppError} as `feedNowMs`. */
  earliestMs(instrument: Instrument, interval: Interval): Promise<number>;
  /** @throws {AppError} `symbol_unknown`, `interval_unavailable` or `provider_unavailable`. */
  fetchCandles(instrument: Instrument, interval: Interval, fromMs: number, toMs: number): Promise<Fetched>;
  /** Null when the source has no quotes of its own. @throws {AppError} as `fetchCandles`. */
  fetchQuote(instrument: Instrument): Promise<FetchedQuote | null>;
  listInstruments(): readonly Instrument[];
  health(): readonly ProviderHealth[];
  /** Asks each source for something small; false for those that do not answer. */
  probe(): Promise<readonly ProviderHealth[]>;
}

export interface GatewayOptions {
  readonly providers: readonly Provider[];
  readonly now: () => number;
  readonly log: Log;
  readonly metrics: Metrics;
}

/** The own interval of a provider from which another can be made: itself, or the longest that divides it. */
export function baseInterval(own: readonly Interval[], wanted: Interval): Interval | null {
  if (own.includes(wanted)) return wanted;
  const divides = (interval: Interval) =>
    INTERVAL_MS[interval] < INTERVAL_MS[wanted] &&
    (!isIntraday(wanted) || INTERVAL_MS[wanted] % INTERVAL_MS[interval] === 0);
  return own.filter(divides).sort((a, b) => INTERVAL_MS[b] - INTERVAL_MS[a])[0] ?? null;
}

export function createGateway(options: GatewayOptions): Gateway {
  const { providers, now } = options;
  const sources = createSources(options);
  const { carriers } = sources;
  const flights = new Map<string, Promise<unknown>>();

  /** Callers that ask for the same at the same time share one answer. */
  async function shared<T>(key: string, work: () => Promise<T>): Promise<T> {
    const underway = flights.get(key);
    if (underway !== undefined) return underway as Promise<T>;
    const flight = work().finally(() => flights.delete(key));
    flights.set(key, flight);
    return flight;
  }

  function intervals(instrument: Instrument): readonly Interval[] {
    const own = carriers(instrument).map((provider) => provider.intervals(instrument));
    return INTERVALS.filter((interval) => own.some((each) => baseInterval(each, interval) !== null));
  }

  return {
    synthetic: providers.some((provider) => provider.synthetic),
    providers,
    intervals,
    feedNowMs: (instrument) => sources.first(instrument, (provider) => provider.feedNowMs(instrument, now())),
    async earliestMs(instrument, interval) {
      const starts = await sources.all(instrument, async (provider) => {
        const base = baseInterval(provider.intervals(instrument), interval);
        return base === null ? Number.POSITIVE_INFINITY : provider.earliestMs(instrument, base, now());
      });
      return Math.min(...starts);
    },
    async fetchCandles(instrument, interval, fromMs, toMs) {
      if (carriers(instrument).length > 0 && !intervals(instrument).includes(interval)) {
        throw new AppError("interval_unavailable", `${instrument.symbol} has no ${interval} candles`);
      }
      const wanted = { instrument, interval, fromMs, toMs };
      return shared(`${instrument.symbol} ${interval} ${fromMs} ${toMs}`, () =>
        sources.first(instrument, (provider) => fetchFrom(sources, provider, wanted, now())),
      );
    },
    async fetchQuote(instrument) {
      return shared(`quote ${instrument.symbol}`, () =>
        sources.first(instrument, async (provider) => {
          const quote = await sources.ask(provider, (signal) => provider.fetchQuote(instrument, signal));
          return quote === null ? null : { quote, source: provider.name, synthetic: provider.synthetic };
        }),
      );
    },
    listInstruments() {
      const bySymbol = new Map<string, Instrument>();
      for (const instrument of providers.flatMap((provider) => provider.listInstruments())) {
        if (!bySymbol.has(instrument.symbol)) bySymbol.set(instrument.symbol, instrument);
      }
      return [...bySymbol.values()];
    },
    health: sources.health,
    probe: sources.probe,
  };
}

/** What one source has of a stretch, as closed bars of an interval that may be longer than its own. */
async function fetchFrom(
  sources: Sources,
  provider: Provider,
  { instrument, interval, fromMs, toMs }: CandleRequest,
  nowMs: number,
): Promise<Fetched> {
  const base = baseInterval(provider.intervals(instrument), interval);
  if (base === null) throw new ProviderError("unknown_symbol", `has no bars that make ${interval}`);
  // Whole bars at both ends when they are made of finer ones.
  const margin = base === interval ? 0 : INTERVAL_MS[interval];
  const request = { instrument, interval: base, fromMs: fromMs - margin, toMs: toMs + margin };
  const asOfMs = await provider.feedNowMs(instrument, nowMs);
  const { candles, rejected } = await sources.ask(provider, (signal) =>
    provider.fetchCandles(request, signal),
  );
  return {
    candles: closedBars(candles, instrument, interval, { fromMs, toMs }, asOfMs),
    source: provider.name,
    synthetic: provider.synthetic,
    asOfMs,
    rejected,
  };
}

/** Of what a source sent, the closed bars of regular sessions, as bars of an interval that open in a stretch. */
function closedBars(
  candles: Candles,
  instrument: Instrument,
  interval: Interval,
  stretch: { fromMs: number; toMs: number },
  asOfMs: number,
): Candles {
  const calendar = calendarOf(instrument.calendar);
  const known = sliceCandles(candles, 0, firstFormingBar(candles, calendar, asOfMs));
  const made = resample(onlyRegular(known, instrument), interval, calendar);
  const from = lowerBound(made.time, stretch.fromMs);
  const to = Math.min(lowerBound(made.time, stretch.toMs), firstFormingBar(made, calendar, asOfMs));
  return from < to ? sliceCandles(made, from, to) : emptyCandles(instrument.symbol, interval);
}

/** Without bars from outside the regular sessions. */
function onlyRegular(candles: Candles, instrument: Instrument): Candles {
  const flags = regularBars(candles, calendarOf(instrument.calendar));
  if (flags.every((flag) => flag === 1)) return candles;
  const keep = (column: Float64Array) => column.filter((_, i) => flags[i] === 1);
  const { symbol, interval, time, open, high, low, close, volume } = candles;
  return {
    symbol,
    interval,
    time: keep(time),
    open: keep(open),
    high: keep(high),
    low: keep(low),
    close: keep(close),
    volume: keep(volume),
  };
}
