import type { CorporateAction } from "../core/market/actions.js";
import type { Instrument } from "../core/market/instrument.js";
import { INTERVALS, type Interval } from "../core/market/interval.js";
import type { ChainQuotes } from "../core/market/option-quote.js";
import type { Quote } from "../core/market/quote.js";
import { inTime } from "../platform/deadline.js";
import { AppError } from "../platform/errors.js";
import type { Log } from "../platform/log.js";
import type { Metrics } from "../platform/metrics.js";
import { baseOf } from "./base-interval.js";
import { type BudgetStore, createMemoryBudgetStore } from "./budget.js";
import type { SourceCall } from "./called.js";
import type { FoundSymbol, MarketStatus, Provider } from "./define.js";
import { type Fetched, fetchFromAll, type Reach, reachOf } from "./gateway-fetch.js";
import { createVerbs, type FetchedNews, type Judge, type NewsQuery, type Sourced } from "./gateway-verbs.js";
import type { ProviderHealth } from "./guard.js";
import { classOf, type MarketClass, type Order } from "./order.js";
import { createSources, type Sources } from "./sources.js";
import { findUnserved, type Unserved } from "./unserved.js";

export type { Fetched } from "./gateway-fetch.js";
export type { FetchedNews, Judge, Judgement, NewsQuery, Sourced, SourceRefusal } from "./gateway-verbs.js";

export interface FetchedQuote {
  readonly quote: Quote;
  readonly source: string;
  readonly synthetic: boolean;
  /** Why it is not that of an earlier source; null where it is. */
  readonly trouble: string | null;
}

/** All sources as one: asks them in the configured order and says which one answered. */
export interface Gateway {
  /** True when the source is the synthetic market, which is always alone. */
  readonly synthetic: boolean;
  readonly providers: readonly Provider[];
  /** Names of the sources that are asked about a class of instruments, in order; null for those without a class. */
  priority(market: MarketClass | null): readonly string[];
  /** Intervals that can be had for an instrument, own ones of a source or made from finer ones. */
  intervals(instrument: Instrument): readonly Interval[];
  /** What is peculiar about the bars of an interval, or why longer ones cannot be made of them; null for nothing. */
  note(instrument: Instrument, interval: Interval): string | null;
  /** Which sources are not asked for candles since they do not know the instrument; null when all are. */
  unasked(instrument: Instrument): string | null;
  /** Name of the replay that is shown; null when the market is shown as it is. */
  readonly replay: string | null;
  /** The moment of the market as a whole: where the replay has come, else now. */
  marketNowMs(): number;
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
  /**
   * Null when no source has quotes of its own. Those that are judged unfit are passed over.
   * @throws {AppError} as `fetchCandles`.
   */
  fetchQuote(instrument: Instrument, judge?: Judge): Promise<FetchedQuote | null>;
  /** Listed expiries, ascending, in days since 1970-01-01. @throws {AppError} as `fetchChain`. */
  fetchExpiries(underlying: Instrument): Promise<Sourced<readonly number[]>>;
  /**
   * All strikes of an expiry, in days since 1970-01-01.
   * @throws {AppError} `source_missing` when no source has options on it, `symbol_unknown`, `provider_unavailable`.
   */
  fetchChain(underlying: Instrument, expiryDay: number): Promise<Sourced<ChainQuotes>>;
  /** Splits and dividends with ex-days in [fromDay, toDay). @throws {AppError} as `fetchChain`. */
  fetchActions(
    instrument: Instrument,
    fromDay: number,
    toDay: number,
  ): Promise<Sourced<readonly CorporateAction[]>>;
  /** What sources have of the actions of an instrument and leave out since it cannot be read, in words. */
  actionFaults(instrument: Instrument): readonly string[];
  /**
   * What the sources that can be searched find for a text, each symbol once.
   * @throws {AppError} `source_missing` when none can, `provider_unavailable` when none answers.
   */
  search(text: string): Promise<readonly Sourced<FoundSymbol>[]>;
  /** Null when no source tells. @throws {AppError} `provider_unavailable` */
  fetchStatus(): Promise<Sourced<MarketStatus> | null>;
  /** Every source of news is asked. @throws {AppError} `source_missing` when there is none. */
  fetchNews(query: NewsQuery): Promise<FetchedNews>;
  listInstruments(): readonly Instrument[];
  /** A question of another kind to one source, through its guard. @throws {ProviderError} */
  ask: Sources["ask"];
  /** Classes of which some instruments have no source that answers; what is not among these is looked at by example. */
  unserved(instruments: readonly Instrument[]): readonly Unserved[];
  health(): readonly ProviderHealth[];
  /** The same, with what all instances used of the budgets. */
  loadHealth(): Promise<readonly ProviderHealth[]>;
  /** Asks each source for something small, those with a budget only where nothing else tells how they are. */
  probe(): Promise<readonly ProviderHealth[]>;
}

export interface GatewayOptions {
  /** In the general order of preference. */
  readonly providers: readonly Provider[];
  readonly now: () => number;
  readonly log: Log;
  readonly metrics: Metrics;
  /** Orders of classes that differ from the general one. */
  readonly order?: Order;
  /** Where budgets of calls are kept; without it, they are those of this process. */
  readonly budgets?: BudgetStore;
  /** Uniform in [0, 1). */
  readonly dice?: () => number;
  /** Hears of each question to a source. */
  readonly onCall?: (call: SourceCall) => void;
  /** Takes keys out of a text. */
  readonly scrub?: (text: string) => string;
}

export function createGateway(options: GatewayOptions): Gateway {
  const { providers, now } = options;
  const sources = createSources({
    order: {},
    budgets: createMemoryBudgetStore(),
    dice: Math.random,
    scrub: (text) => text,
    ...options,
  });
  const carriers = (instrument: Instrument) => sources.carriers(instrument, "candles");
  const shared = createFlights();

  function intervals(instrument: Instrument): readonly Interval[] {
    const having = carriers(instrument);
    return INTERVALS.filter((interval) =>
      having.some((provider) => baseOf(provider, instrument, interval) !== null),
    );
  }

  /** What all sources that have an interval answer about it. */
  const reaches = (instrument: Instrument, interval: Interval): Promise<(Reach | null)[]> =>
    sources.all(instrument, (provider) =>
      sources.look(provider, () => reachOf(provider, instrument, interval, now())),
    );

  return {
    synthetic: providers.some((provider) => provider.synthetic),
    replay: providers.find(({ replay }) => replay !== null)?.replay ?? null,
    marketNowMs() {
      const nowMs = now();
      return providers.find(({ replay }) => replay !== null)?.replayedMs?.(nowMs) ?? nowMs;
    },
    providers,
    intervals,
    unasked: (instrument) => sources.unasked(instrument, "candles"),
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
    ...sharedVerbs(sources, shared),
    listInstruments: () => listedBy(providers, sources),
    priority: (market) => sources.ofClass(market).map(({ name }) => name),
    ask: sources.ask,
    unserved: (instruments) => findUnserved(sources, instruments),
    health: sources.health,
    loadHealth: sources.loadHealth,
    probe: sources.probe,
  };
}

type Share = ReturnType<typeof createFlights>;

/** The verbs that need no candles, each with one flight for the same question. */
function sharedVerbs(sources: Sources, shared: Share) {
  const verbs = createVerbs(sources);
  return {
    async fetchQuote(instrument: Instrument, judge?: Judge): Promise<FetchedQuote | null> {
      const key = `${judge === undefined ? "quote" : "judged quote"} ${instrument.symbol}`;
      const found = await shared(key, () => verbs.fetchQuote(instrument, judge));
      if (found === null) return null;
      const { value: quote, source, synthetic, trouble } = found;
      return { quote, source, synthetic, trouble: trouble ?? sources.unasked(instrument, "quote") };
    },
    fetchExpiries: (underlying: Instrument) =>
      shared(`expiries ${underlying.symbol}`, () => verbs.fetchExpiries(underlying)),
    fetchChain: (underlying: Instrument, expiryDay: number) =>
      shared(`chain ${underlying.symbol} ${expiryDay}`, () => verbs.fetchChain(underlying, expiryDay)),
    fetchActions: (instrument: Instrument, fromDay: number, toDay: number) =>
      shared(`actions ${instrument.symbol} ${fromDay} ${toDay}`, () =>
        verbs.fetchActions(instrument, fromDay, toDay),
      ),
    actionFaults: (instrument: Instrument) =>
      sources
        .carriers(instrument, "actions")
        .flatMap((provider) => provider.actionFaults?.(instrument) ?? []),
    search: (text: string) => shared(`search ${text}`, () => verbs.search(text)),
    fetchStatus: () => shared("status", verbs.fetchStatus),
    fetchNews: (query: NewsQuery) =>
      shared(`news ${query.instrument?.symbol ?? ""} ${query.fromMs} ${query.toMs}`, () =>
        verbs.fetchNews(query),
      ),
  } satisfies Partial<Gateway>;
}

/** What the sources list, each instrument once, of those that are asked about its class. */
function listedBy(providers: readonly Provider[], sources: Sources): readonly Instrument[] {
  const bySymbol = new Map<string, Instrument>();
  for (const provider of providers) {
    for (const instrument of provider.listInstruments()) {
      const asked = sources.ofClass(classOf(instrument)).includes(provider);
      if (asked && !bySymbol.has(instrument.symbol)) bySymbol.set(instrument.symbol, instrument);
    }
  }
  return [...bySymbol.values()];
}

/** Callers that ask for the same at the same time share one answer; none waits longer than it can. */
function createFlights() {
  const flights = new Map<string, Promise<unknown>>();
  const late = () => new AppError("provider_unavailable", "No source answered in time", { retryAfterS: 30 });

  return async function shared<T>(key: string, work: () => Promise<T>): Promise<T> {
    const underway = flights.get(key) as Promise<T> | undefined;
    const flight = underway ?? work().finally(() => flights.delete(key));
    flights.set(key, flight);
    return inTime(flight, late);
  };
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
