import type { CorporateAction } from "../core/market/actions.js";
import type { PriceBasis } from "../core/market/adjust.js";
import type { CollectedCandles } from "../core/market/collect.js";
import type { Instrument } from "../core/market/instrument.js";
import type { Interval } from "../core/market/interval.js";
import type { ChainQuotes } from "../core/market/option-quote.js";
import type { Quote } from "../core/market/quote.js";

export interface CandleRequest {
  readonly instrument: Instrument;
  /** One of the provider's own intervals. */
  readonly interval: Interval;
  /** Bars that open in [fromMs, toMs). */
  readonly fromMs: number;
  readonly toMs: number;
}

/** How many calls a vendor allows; null where it sets no such limit. Calls beyond are not made. */
export interface Quota {
  readonly perMinute: number | null;
  /** In a day of UTC. */
  readonly perDay: number | null;
}

/** A symbol that a vendor found for a text. */
export interface FoundSymbol {
  readonly instrument: Instrument;
  /** The vendor's own spelling. */
  readonly vendorSymbol: string;
}

/** A text about markets, as its publisher gave it: untrusted. */
export interface NewsItem {
  /** The vendor's own number or address of it. */
  readonly id: string;
  readonly publisher: string;
  readonly title: string;
  readonly summary: string;
  readonly url: string;
  readonly publishedMs: number;
  /** Normalised symbols that the vendor names; more may be found in the text. */
  readonly symbols: readonly string[];
}

/** Texts from one vendor or network. */
export interface NewsSource {
  /** About an instrument, or about markets at large; published in [fromMs, toMs). @throws {ProviderError} */
  fetchNews(
    query: { readonly instrument: Instrument | null; readonly fromMs: number; readonly toMs: number },
    signal: AbortSignal,
  ): Promise<readonly NewsItem[]>;
}

export interface OptionSource {
  /** Whether it lists options on an underlying. */
  carries(underlying: Instrument): boolean;
  /** Listed expiries, ascending, in days since 1970-01-01. @throws {ProviderError} */
  fetchExpiries(underlying: Instrument, signal: AbortSignal): Promise<readonly number[]>;
  /** All strikes of one expiry. @throws {ProviderError} */
  fetchChain(underlying: Instrument, expiry: number, signal: AbortSignal): Promise<ChainQuotes>;
}

/** What a vendor says of an exchange now. */
export interface MarketStatus {
  readonly phase: "open" | "closed" | "pre" | "post";
  /** When it was so, epoch ms. */
  readonly time: number;
  readonly description: string | null;
}

/**
 * A source of market data. Fetching may give bars that still form and bars outside the regular sessions; the
 * gateway leaves them out. A provider never retries, caches or waits for its turn: the gateway does.
 */
export interface Provider {
  readonly name: string;
  readonly title: string;
  /** True when its prices are made up; such data is labelled wherever it appears. */
  readonly synthetic: boolean;
  /** True when fetching leaves this machine. */
  readonly remote: boolean;
  /** True when all it will ever have is there now: worth storing whole. */
  readonly recorded: boolean;
  /** How many fetches it takes at a time. */
  readonly concurrency: number;
  /** Own intervals for an instrument, finest first; none when it does not carry the instrument. */
  intervals(instrument: Instrument): readonly Interval[];
  /** Open of the earliest bar that may be asked for. */
  earliestMs(instrument: Instrument, interval: Interval, nowMs: number): Promise<number>;
  /** The moment the data of an own interval have reached: now for live sources, the last close of recorded ones. */
  feedNowMs(instrument: Instrument, interval: Interval, nowMs: number): Promise<number>;
  /** Whether bars of an own interval lie on the grid of sessions, so that longer ones can be made of them. */
  liesOnGrid(instrument: Instrument, interval: Interval): boolean;
  /** What prices of an own interval are adjusted for, splits up to when they are given. Absent where the source does not say. */
  basis?(instrument: Instrument, interval: Interval): PriceBasis;
  /** What changes when bars of an own interval that were given before are changed; null when that cannot be told. */
  version(instrument: Instrument, interval: Interval): Promise<string | null>;
  /**
   * Name of the replay it shows; null when it shows the market as it is. No other source has a say in what is replayed:
   * its clock is another.
   */
  readonly replay: string | null;
  /** Where that replay has come, whether or not an instrument has bars so late; absent without one. */
  replayedMs?(nowMs: number): number;
  /** Gives up when the signal aborts. @throws {ProviderError} */
  fetchCandles(request: CandleRequest, signal: AbortSignal): Promise<CollectedCandles>;
  /** Null when the source has no quotes of its own. @throws {ProviderError} */
  fetchQuote(instrument: Instrument, signal: AbortSignal): Promise<Quote | null>;
  /** Splits and dividends with ex-days in [fromDay, toDay); absent where the source has none. @throws {ProviderError} */
  fetchActions?(
    instrument: Instrument,
    fromDay: number,
    toDay: number,
    signal: AbortSignal,
  ): Promise<readonly CorporateAction[]>;
  /** What it has of the actions of an instrument and leaves out since it cannot be read, in words. */
  actionFaults?(instrument: Instrument): readonly string[];
  /** Whether it has a word on the actions of an instrument; it has on all without it. */
  tellsActions?(instrument: Instrument): boolean;
  /** What it has and cannot use, and why: files that are no candles. */
  readonly unused?: readonly { readonly name: string; readonly reason: string }[];
  /** Absent where the source cannot be searched. @throws {ProviderError} */
  search?(text: string, signal: AbortSignal): Promise<readonly FoundSymbol[]>;
  /** Absent where the source does not tell. @throws {ProviderError} */
  fetchStatus?(signal: AbortSignal): Promise<MarketStatus>;
  readonly options?: OptionSource;
  readonly news?: NewsSource;
  readonly quota?: Quota;
  /** True when it carries nothing beyond what it lists: that is then what is scanned. */
  readonly listsAll: boolean;
  /** What it is known to carry. */
  listInstruments(): readonly Instrument[];
  /** Asks for something small to see whether it answers. @throws {ProviderError} */
  probe(signal: AbortSignal): Promise<void>;
}

export type ProviderFailure =
  | "unknown_symbol"
  /** It answered that it will not: such a stretch or interval is not given. */
  | "refused"
  | "rate_limited"
  | "unauthorized"
  | "timeout"
  | "unavailable"
  | "bad_payload"
  /** It was not asked: an earlier refusal or repeated failures still count. */
  | "set_aside";

/** Why a provider gave nothing. The message is safe to show: no addresses, no keys. */
export class ProviderError extends Error {
  override readonly name = "ProviderError";
  readonly failure: ProviderFailure;
  /** When the provider said it may be asked again. */
  readonly retryAfterMs: number | null;
  /** All of the source is gone, whatever was asked for, and one more call would tell no more. */
  readonly whole: boolean;

  constructor(
    failure: ProviderFailure,
    detail: string,
    options: { cause?: unknown; retryAfterMs?: number | null; whole?: boolean } = {},
  ) {
    super(detail, options.cause === undefined ? undefined : { cause: options.cause });
    this.failure = failure;
    this.retryAfterMs = options.retryAfterMs ?? null;
    this.whole = options.whole ?? false;
  }
}
