import { DAY_MS } from "../../core/market/day.js";
import type { OptionQuote } from "../../core/market/option-quote.js";
import { calendarOf, isOpen } from "../../core/market/session.js";
import {
  type ChainHeader,
  collectChain,
  type OptionChain,
  type RejectedQuote,
} from "../../core/options/chain.js";
import { soundChain } from "../../core/options/sound.js";
import type { Issue } from "../../core/quality/issue.js";
import { AppError, messageOf } from "../../platform/errors.js";
import type { Leases } from "../../platform/lease.js";
import type { Log } from "../../platform/log.js";
import type { LoopDefinition } from "../../platform/loop.js";
import type { InstrumentStore } from "../instruments/store.js";
import type { OptionFeed } from "./feed.js";
import { type Assumptions, figuresOf } from "./figures.js";
import type { TellIssues } from "./inspection.js";
import { previousInterest, sessionOf } from "./loading.js";
import type { ChainReader } from "./reading.js";
import type { OptionStore } from "./store.js";
import { identifyUnderlying, type Underlying } from "./underlyings.js";

/** A chain that somebody recorded, legs in any order. */
export interface RecordedChain {
  readonly symbol: string;
  /** When it was so, epoch ms. */
  readonly time: number;
  /** Price of the underlying; null where it is not known. */
  readonly spot: number | null;
  /** Where it was recorded. */
  readonly source: string;
  readonly quotes: readonly OptionQuote[];
}

export interface LoadedChain {
  readonly underlying: Underlying;
  /** As it was recorded. */
  readonly chain: OptionChain;
  /** Of prices in it that cannot be, and are not used. */
  readonly issues: readonly Issue[];
  readonly source: string;
  /** False when the same chain is there already. */
  readonly stored: boolean;
  readonly legs: number;
  readonly rejected: readonly (RejectedQuote & { readonly index: number })[];
}

export interface Snapshots {
  /**
   * Stores a chain that somebody recorded, without the legs that cannot be.
   * @throws {AppError} `conflict` in a synthetic market and for another chain of that time and source;
   * `invalid_request` when no leg is left.
   */
  saveRecorded(recorded: RecordedChain): Promise<LoadedChain>;
  /** Stores the chains of configured underlyings while their exchanges trade. */
  snapshotLoop(setting: SnapshotSetting): LoopDefinition;
}

export interface SnapshotSetting {
  readonly leases: Leases;
  readonly underlyings: readonly string[];
  readonly everyMs: number;
  /** Age from which only the last chain of each session is kept whole. */
  readonly wholeMs: number;
}

export interface SnapshotOptions {
  readonly store: OptionStore;
  readonly instrumentStore: InstrumentStore;
  readonly feed: OptionFeed;
  readonly reader: ChainReader;
  readonly tell: TellIssues;
  readonly assume: (underlying: Underlying, given: object) => Assumptions;
  readonly now: () => number;
  readonly log: Log;
}

const LEASE = "option-snapshots";
const LEASE_MS = 120_000;
const TIMEOUT_MS = 300_000;
/** A clock that goes ahead of ours by no more than this is taken at its word. */
const AHEAD_MS = 60_000;
/** Volatilities are fractions: a middle one above this is a percentage. */
const MOST_MIDDLE_VOLATILITY = 5;

export function createSnapshots(options: SnapshotOptions): Snapshots {
  const { store, instrumentStore, feed, reader, tell, assume, now, log } = options;
  const market = { synthetic: feed.synthetic, replay: feed.replay };

  async function save(underlying: Underlying, chain: OptionChain, source: string, loaded: boolean) {
    const { id: instrumentId } = await instrumentStore.save(underlying, market);
    const assumptions = assume(underlying, {});
    const session = sessionOf(underlying, chain.time);
    const told = await previousInterest(store, instrumentId, underlying, chain, source);
    const figures = figuresOf(underlying, soundChain(told.chain).chain, assumptions);
    const { rate } = assumptions;
    const legs = countLegs(chain);
    return store.save({ instrumentId, chain, session, source, loaded, legs, figures, rate });
  }

  async function take(symbol: string): Promise<void> {
    const underlying = identifyUnderlying(symbol);
    const { chain, source } = await reader.load(underlying, { which: "near" });
    const outcome = await save(underlying, chain, source, false);
    log.debug({ symbol: underlying.symbol, source, rows: chain.strike.length, outcome }, "chain taken");
  }

  return {
    async saveRecorded({ symbol, time, spot, source, quotes }) {
      const underlying = identifyUnderlying(symbol);
      if (feed.synthetic) {
        throw new AppError(
          "conflict",
          "The market is synthetic: recorded chains of a real one stay out of it",
        );
      }
      if (time > now() + AHEAD_MS) throw new AppError("invalid_request", "body time: lies in the future");
      const header = { underlying: underlying.symbol, time, spot: spot ?? Number.NaN };
      const { chain, rejected } = collectRecorded(header, quotes, sessionOf(underlying, time));
      const outcome = await save(underlying, chain, source, true);
      if (outcome === "different") {
        const detail = `Another chain of ${underlying.symbol} at this time from ${source} is stored already`;
        throw new AppError("conflict", detail);
      }
      const { issues } = soundChain(chain);
      if (outcome === "saved") await tell(issues, source);
      return {
        underlying,
        chain,
        issues,
        source,
        stored: outcome === "saved",
        legs: countLegs(chain),
        rejected,
      };
    },

    snapshotLoop({ leases, underlyings, everyMs, wholeMs }) {
      let thinnedDay = Number.NaN;
      return {
        name: LEASE,
        everyMs: () => everyMs,
        timeoutMs: TIMEOUT_MS,
        aligned: true,
        async run(nowMs, signal) {
          const failures: string[] = [];
          for (const symbol of underlyings) {
            if (signal.aborted || (await leases.acquire(LEASE, LEASE_MS)) === null) return;
            if (!isOpen(calendarOf(identifyUnderlying(symbol).calendar), nowMs)) continue;
            try {
              await take(symbol);
            } catch (error) {
              failures.push(`${symbol}: ${messageOf(error)}`);
            }
          }
          const day = Math.floor(nowMs / DAY_MS);
          if (day !== thinnedDay) await store.thin(nowMs - wholeMs);
          thinnedDay = day;
          if (failures.length > 0) throw new Error(failures.join("; "));
        },
      };
    },
  };
}

/**
 * The chain of recorded legs, and those that cannot stand in it, by their places.
 * @throws {AppError} `invalid_request` when no leg is left, and for volatilities in percent.
 */
function collectRecorded(header: ChainHeader, quotes: readonly OptionQuote[], today: number) {
  const [lapsed, alive] = split(quotes, ({ expiry }) => expiry < today);
  const { chain, rejected } = collectChain(header, alive);
  requireFractions(chain);
  const places = new Map(quotes.map((quote, index) => [quote, index]));
  const refused = [
    ...lapsed.map((quote) => ({ quote, reason: "expired before the time of the chain", replacedBy: null })),
    ...rejected,
  ].map((leg) => ({ ...leg, index: places.get(leg.quote) ?? -1 }));
  refused.sort((a, b) => a.index - b.index);
  if (chain.strike.length > 0) return { chain, rejected: refused };
  const why = refused.length === 0 ? "there are none" : refused[0].reason;
  throw new AppError("invalid_request", `body quotes: no leg can stand in a chain: ${why}`);
}

function split<T>(items: readonly T[], test: (item: T) => boolean): [T[], T[]] {
  const yes: T[] = [];
  const no: T[] = [];
  for (const item of items) (test(item) ? yes : no).push(item);
  return [yes, no];
}

/** Legs that say anything. */
function countLegs(chain: OptionChain): number {
  let legs = 0;
  for (const side of [chain.call, chain.put]) {
    const columns = Object.values(side);
    for (let row = 0; row < chain.strike.length; row++) {
      if (columns.some((column) => !Number.isNaN(column[row]))) legs++;
    }
  }
  return legs;
}

/** @throws {AppError} `invalid_request` for volatilities in percent. */
function requireFractions({ call, put }: OptionChain): void {
  const known = [...call.volatility, ...put.volatility].filter((value) => !Number.isNaN(value));
  known.sort((a, b) => a - b);
  if (known.length > 0 && known[known.length >> 1] > MOST_MIDDLE_VOLATILITY) {
    throw new AppError("invalid_request", "body quotes: volatilities are fractions, 0.2 for 20 %");
  }
}
