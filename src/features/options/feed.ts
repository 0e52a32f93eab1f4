import type { Instrument } from "../../core/market/instrument.js";
import type { ChainQuotes } from "../../core/market/option-quote.js";
import type { Provider } from "../../providers/define.js";

/** A value and the source it came from. */
export interface Sourced<T> {
  readonly value: T;
  readonly source: string;
  readonly synthetic: boolean;
}

/** What fetches options: all sources as one. */
export interface OptionVerbs {
  /** Listed expiries, ascending, in days since 1970-01-01. @throws {AppError} */
  fetchExpiries(underlying: Instrument): Promise<Sourced<readonly number[]>>;
  /** All strikes of one expiry. @throws {AppError} */
  fetchChain(underlying: Instrument, expiry: number): Promise<Sourced<ChainQuotes>>;
}

/** The part of the gateway that the desk needs. */
export interface OptionGateway extends OptionVerbs {
  readonly synthetic: boolean;
  /** Name of the replay that is shown; null for none. */
  readonly replay: string | null;
  readonly providers: readonly Pick<Provider, "options">[];
}

export interface OptionFeed extends OptionVerbs {
  readonly synthetic: boolean;
  readonly replay: string | null;
  /** Whether any configured source lists options on an underlying. */
  carries(underlying: Instrument): boolean;
}

/** The options of the configured sources. What is replayed has a clock of its own, which no options share. */
export function createOptionFeed(gateway: OptionGateway): OptionFeed {
  const { synthetic, replay, providers, fetchExpiries, fetchChain } = gateway;
  return {
    synthetic,
    replay,
    fetchExpiries,
    fetchChain,
    carries: (underlying) =>
      replay === null && providers.some(({ options }) => options?.carries(underlying) === true),
  };
}
