import { calendarOf, tradingDay } from "../../core/market/session.js";
import type { OptionChain } from "../../core/options/chain.js";
import { withPreviousOpenInterest } from "../../core/options/open-interest.js";
import { soundChain } from "../../core/options/sound.js";
import type { Issue } from "../../core/quality/issue.js";
import { AppError } from "../../platform/errors.js";
import { freshnessOf } from "../candles/freshness.js";
import type { InstrumentStore } from "../instruments/store.js";
import type { OptionFeed } from "./feed.js";
import type { ChainReader, Scope } from "./reading.js";
import type { OptionStore } from "./store.js";
import type { Underlying } from "./underlyings.js";

/** A chain and what is known of it. */
export interface ReadChain {
  readonly underlying: Underlying;
  /** Without prices that cannot be. */
  readonly chain: OptionChain;
  /** Of those, and of quotes that do not stand in it. */
  readonly issues: readonly Issue[];
  readonly source: string;
  /** True when it was loaded by somebody and not fetched. */
  readonly loaded: boolean;
  /** How many expiries the source lists; null for stored chains. */
  readonly listed: number | null;
  readonly stale: boolean;
  readonly ageMs: number;
  /** Why a stored chain stands in for a fresh one; null when it does not. */
  readonly trouble: string | null;
  /** Where the open interest of the session before comes from; null where nothing tells it. */
  readonly previousFrom: "source" | "snapshot" | null;
}

/** What to read: as of now unless a moment is given. */
export interface ChainRequest {
  readonly at?: number | undefined;
  readonly scope: Scope;
}

/** Chains from sources, with stored ones where none answers or a moment of the past is asked for. */
export interface ChainLoader {
  /** @throws {AppError} `options_unavailable`, `expiry_unknown`, `no_data`, or as the sources do. */
  loadChain(underlying: Underlying, request: ChainRequest): Promise<ReadChain>;
  /** Number of the row of an underlying; null while nothing is stored of it. */
  findRow(underlying: Underlying): Promise<number | null>;
}

export function createChainLoader(options: {
  store: OptionStore;
  instrumentStore: InstrumentStore;
  feed: OptionFeed;
  reader: ChainReader;
  now: () => number;
}): ChainLoader {
  const { store, instrumentStore, feed, reader, now } = options;
  const market = { synthetic: feed.synthetic, replay: feed.replay };

  async function findRow(underlying: Underlying): Promise<number | null> {
    return (await instrumentStore.find(underlying.symbol, market))?.id ?? null;
  }

  async function loadStored(underlying: Underlying, { at, scope }: ChainRequest, trouble: string | null) {
    const id = await findRow(underlying);
    const asked = at ?? now();
    if (id === null) return null;
    const { expiry } = scope;
    const withExpiry = expiry === undefined ? null : await store.loadNewest(id, asked, expiry);
    const found = withExpiry ?? (await store.loadNewest(id, asked));
    if (found === null) return null;
    return {
      ...found,
      underlying,
      listed: null,
      leftOut: [],
      trouble,
      ...freshnessOf(underlying.calendar, found.chain.time, asked),
    };
  }

  async function loadFresh(underlying: Underlying, scope: Scope) {
    const { oldestTime, ...fetched } = await reader.load(underlying, scope);
    const fresh = freshnessOf(underlying.calendar, oldestTime, now());
    return { ...fetched, underlying, loaded: false, trouble: null, ...fresh };
  }

  async function read(underlying: Underlying, request: ChainRequest) {
    if (request.at !== undefined) {
      const found = await loadStored(underlying, request, null);
      if (found !== null) return found;
      throw new AppError("no_data", `No chain of ${underlying.symbol} is stored from before that moment`);
    }
    try {
      if (feed.carries(underlying)) return await loadFresh(underlying, request.scope);
    } catch (error) {
      if (!(error instanceof AppError) || error.code === "expiry_unknown") throw error;
      const found =
        error.code === "database_unavailable" ? null : await loadStored(underlying, request, error.message);
      if (found === null) throw error;
      return found;
    }
    const reason = whyNone(feed, underlying);
    const found = await loadStored(underlying, request, reason);
    if (found !== null) return found;
    const detail = feed.synthetic ? reason : `${reason}, and no chain of it is stored`;
    throw new AppError("options_unavailable", detail);
  }

  async function withPrevious(found: Awaited<ReturnType<typeof read>>): Promise<ReadChain> {
    const { leftOut, ...facts } = found;
    const { underlying, chain, source } = facts;
    const id = await findRow(underlying);
    const sound = soundChain(chain);
    const previous = await previousInterest(store, id, underlying, sound.chain, source);
    return { ...facts, ...previous, issues: [...sound.issues, ...leftOut] };
  }

  return {
    findRow,
    loadChain: async (underlying, request) => withPrevious(await read(underlying, request)),
  };
}

/**
 * The chain with the open interest of the session before: the source's own, or else of the last chain of the same
 * source that is stored of an earlier session, since sources count in units of their own.
 */
export async function previousInterest(
  store: OptionStore,
  instrumentId: number | null,
  underlying: Underlying,
  chain: OptionChain,
  source: string,
): Promise<Pick<ReadChain, "chain" | "previousFrom">> {
  if (tellsPrevious(chain)) return { chain, previousFrom: "source" };
  if (instrumentId === null) return { chain, previousFrom: null };
  const earlier = await store.loadSessionBefore(instrumentId, sessionOf(underlying, chain.time), source);
  if (earlier === null) return { chain, previousFrom: null };
  return { chain: withPreviousOpenInterest(chain, earlier.chain), previousFrom: "snapshot" };
}

/** Trading day of a moment on the exchange of an underlying, in days since 1970-01-01. */
export function sessionOf({ calendar }: Underlying, timeMs: number): number {
  return tradingDay(calendarOf(calendar), timeMs);
}

export function whyNone({ synthetic }: OptionFeed, { symbol }: Underlying): string {
  return synthetic
    ? "The synthetic market has no options"
    : `No configured source lists options on ${symbol}`;
}

function tellsPrevious({ call, put }: OptionChain): boolean {
  return [call, put].some(({ previousOpenInterest }) =>
    previousOpenInterest.some((value) => !Number.isNaN(value)),
  );
}
