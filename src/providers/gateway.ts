import type { Instrument } from "../core/market/instrument.js";
import { INTERVALS, type Interval } from "../core/market/interval.js";
import type { Quote } from "../core/market/quote.js";
import { AppError } from "../platform/errors.js";
import type { Log } from "../platform/log.js";
import type { Metrics } from "../platform/metrics.js";
import { baseOf } from "./base-interval.js";
import { type Provider, ProviderError } from "./define.js";
import { type Fetched, fetchFromAll, type Reach, reachOf } from "./gateway-fetch.js";
import type { ProviderHealth } from "./guard.js";
import { createSources, noAnswer, type Refusal, type Sources } from "./sources.js";

export type { Fetched } from "./gateway-fetch.js";

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
  /** What is peculiar about the bars of an interval, or why longer ones cannot be made of them; null for nothing. */
  note(instrument: Instrument, interval: Interval): string | null;
  /** Name of the replay that is shown; null when the market is shown as it is. */
  readonly replay: string | null;
  /**
   * The moment the bars of an instrument and interval have reached, by the source that is furthest.
   * @throws {AppError} `symbol_unknown` when no source carries it, `provider_unavailable` when none can tell.
   */
  feedNowMs(instrument: Instrument, interval: Interval): Promise<number>;
  /** What changes when bars that were given before are changed; null where no source can tell. */
  version(instrument: Instrument, interval: Interval): Promise<string | null>;
  /** Open of the earliest bar that any source may be asked for. @throws {AppError} as `feedNowMs`. */
  earliestMs(instrument: Instrument, interval: Interval): Promise<number>;
  /**
   * Each source is asked for what those before it do not reach.
   * @throws {AppError} `symbol_unknown`, `interval_unavailable` or `provider_unavailable`.
   */
  fetchCandles(instrument: Instrument, interval: Interval, fromMs: number, toMs: number): Promise<Fetched>;
  /** Null when no source has quotes of its own. @throws {AppError} as `fetchCandles`. */
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

  const intervals = (instrument: Instrument): readonly Interval[] =>
    INTERVALS.filter((interval) =>
      carriers(instrument).some((provider) => baseOf(provider, instrument, interval) !== null),
    );

  /** What all sources that have an interval answer about it. */
  const reaches = (instrument: Instrument, interval: Interval): Promise<(Reach | null)[]> =>
    sources.all(instrument, (provider) => reachOf(provider, instrument, interval, now()));

  return {
    synthetic: providers.some((provider) => provider.synthetic),
    replay: providers.find(({ replay }) => replay !== null)?.replay ?? null,
    providers,
    intervals,
    note: (instrument, interval) => noteOn(carriers(instrument), instrument, interval),
    async feedNowMs(instrument, interval) {
      const found = await reaches(instrument, interval);
      return Math.max(0, ...found.map((reach) => reach?.asOfMs ?? 0));
    },
    async earliestMs(instrument, interval) {
      const found = await reaches(instrument, interval);
      return Math.min(...found.map((reach) => reach?.fromMs ?? Number.POSITIVE_INFINITY));
    },
    async version(instrument, interval) {
      const versions: string[] = [];
      for (const provider of carriers(instrument)) {
        const base = baseOf(provider, instrument, interval);
        const version = base === null ? null : await provider.version(instrument, base);
        if (version !== null) versions.push(`${provider.name} ${base}: ${version}`);
      }
      return versions.length === 0 ? null : versions.join("; ");
    },
    async fetchCandles(instrument, interval, fromMs, toMs) {
      if (carriers(instrument).length > 0 && !intervals(instrument).includes(interval)) {
        throw new AppError("interval_unavailable", `${instrument.symbol} has no ${interval} candles`);
      }
      const wanted = { instrument, interval, fromMs, toMs };
      return shared(`${instrument.symbol} ${interval} ${fromMs} ${toMs}`, () =>
        fetchFromAll(sources, wanted, now()),
      );
    },
    fetchQuote: (instrument) =>
      shared(`quote ${instrument.symbol}`, () => fetchQuoteFrom(sources, instrument)),
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

/** The first quote that a source has; null when some answer and have none. */
async function fetchQuoteFrom(sources: Sources, instrument: Instrument): Promise<FetchedQuote | null> {
  const refusals: Refusal[] = [];
  const carriers = sources.carriers(instrument);
  for (const provider of carriers) {
    const answer = await sources.answerOf(provider, instrument, () =>
      sources.ask(provider, (signal) => provider.fetchQuote(instrument, signal)),
    );
    if (answer instanceof ProviderError) refusals.push({ provider, error: answer });
    else if (answer.value !== null) {
      return { quote: answer.value, source: provider.name, synthetic: provider.synthetic };
    }
  }
  if (refusals.length < carriers.length) return null;
  throw noAnswer(instrument, refusals);
}

function noteOn(carriers: readonly Provider[], instrument: Instrument, interval: Interval): string | null {
  for (const provider of carriers) {
    const own = provider.intervals(instrument);
    const odd = own.filter((each) => !provider.liesOnGrid(instrument, each));
    if (odd.includes(interval)) {
      return `${interval} bars lie across the opens of sessions: those that open before a session are left out`;
    }
    if (baseOf(provider, instrument, interval) !== null) return null;
    if (odd.length > 0) {
      return `${odd.join(", ")} bars lie across the opens of sessions: no longer ones are made of them`;
    }
  }
  return null;
}
