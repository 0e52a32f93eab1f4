import { type VolatilityRank, volatilityRank } from "../../core/options/iv-rank.js";
import type { Cache } from "../../platform/cache.js";
import { AppError } from "../../platform/errors.js";
import type { Log } from "../../platform/log.js";
import type { InstrumentStore } from "../instruments/store.js";
import { type ExpiryCalendar, expiryCalendar } from "./calendar.js";
import type { OptionFeed } from "./feed.js";
import { type Assumptions, type ChainFigures, figuresOf } from "./figures.js";
import type { InspectChain, TellIssues } from "./inspection.js";
import { type ChainRequest, createChainLoader, type ReadChain, sessionOf, whyNone } from "./loading.js";
import { createChainReader } from "./reading.js";
import { createSnapshots, type Snapshots } from "./snapshots.js";
import type { HistoryRow, OptionStore, SnapshotHeader } from "./store.js";
import { identifyUnderlying, type Underlying } from "./underlyings.js";

export interface RankedVolatility extends VolatilityRank {
  readonly now: number | null;
  /** Sessions with a figure that are still missing before there is a rank. */
  readonly needed: number;
}

export interface Options extends Snapshots {
  /** @throws {AppError} `options_unavailable`, `expiry_unknown`, `no_data`, or as the sources do. */
  loadChain(text: string, request: ChainRequest): Promise<ReadChain>;
  figures(read: ReadChain, assumptions: Assumptions): ChainFigures;
  /** Where the volatility for thirty days stands in the sessions before that of the chain. */
  rank(read: ReadChain, figures: ChainFigures): Promise<RankedVolatility>;
  /** What is assumed where a caller says nothing. */
  assume(
    underlying: Underlying,
    given: Omit<Assumptions, "rate" | "rateFrom"> & { rate?: number | undefined },
  ): Assumptions;
  identify(text: string): Underlying;
  /** Expiries by rule and by source, with the closures between. */
  loadCalendar(text: string, fromDay: number, toDay: number): Promise<ExpiryCalendar>;
  listSnapshots(text: string, fromMs: number, toMs: number, limit: number): Promise<SnapshotHeader[]>;
  history(
    text: string,
    fromMs: number,
    toMs: number,
    expiry: number | null,
    limit: number,
  ): Promise<HistoryRow[]>;
}

export interface OptionsOptions {
  readonly store: OptionStore;
  readonly instrumentStore: InstrumentStore;
  readonly feed: OptionFeed;
  readonly cache: Cache;
  readonly inspect: InspectChain;
  readonly tell: TellIssues;
  readonly now: () => number;
  readonly log: Log;
  /** Interest a year by currency. */
  readonly rates: Readonly<Record<string, number>>;
}

/** A year of sessions. */
export const RANK_WINDOW = 252;
/** About three months of sessions. */
export const RANK_MINIMUM = 60;

export function createOptions(options: OptionsOptions): Options {
  const { store, feed, rates } = options;
  const reader = createChainReader(options);
  const { findRow, loadChain } = createChainLoader({ ...options, reader });

  const assume: Options["assume"] = ({ currency }, { rate, ...given }) => {
    if (rate !== undefined) return { ...given, rate, rateFrom: "request" };
    const known = Object.hasOwn(rates, currency);
    return known
      ? { ...given, rate: rates[currency], rateFrom: "configuration" }
      : { ...given, rate: 0, rateFrom: "none configured" };
  };

  return {
    ...createSnapshots({ ...options, reader, assume }),
    identify: identifyUnderlying,
    assume,
    loadChain: async (text, request) => loadChain(identifyUnderlying(text), request),
    figures: ({ underlying, chain }, assumptions) => figuresOf(underlying, chain, assumptions),
    async rank({ underlying, chain }, { thirtyDay }) {
      const id = await findRow(underlying);
      const session = sessionOf(underlying, chain.time);
      const history =
        id === null ? new Float64Array(0) : await store.loadDailyVolatility(id, session, RANK_WINDOW);
      const ranked = volatilityRank(history, thirtyDay.value ?? Number.NaN, RANK_MINIMUM);
      return { ...ranked, now: thirtyDay.value, needed: Math.max(0, RANK_MINIMUM - ranked.count) };
    },
    async loadCalendar(text, fromDay, toDay) {
      const underlying = identifyUnderlying(text);
      const listed = feed.carries(underlying)
        ? await reader.loadListed(underlying).catch((error: unknown) => refusalOf(error))
        : whyNone(feed, underlying);
      return expiryCalendar(underlying, fromDay, toDay, listed);
    },
    async listSnapshots(text, fromMs, toMs, limit) {
      const id = await findRow(identifyUnderlying(text));
      return id === null ? [] : store.list(id, fromMs, toMs, limit);
    },
    async history(text, fromMs, toMs, expiry, limit) {
      const id = await findRow(identifyUnderlying(text));
      return id === null ? [] : store.history(id, fromMs, toMs, expiry, limit);
    },
  };
}

function refusalOf(error: unknown): string {
  if (error instanceof AppError && error.code !== "database_unavailable") return error.message;
  throw error;
}
