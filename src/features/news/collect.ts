import type { Instrument } from "../../core/market/instrument.js";
import { sleep } from "../../platform/clock.js";
import { AppError, messageOf } from "../../platform/errors.js";
import type { Leases } from "../../platform/lease.js";
import type { Log } from "../../platform/log.js";
import type { LoopDefinition } from "../../platform/loop.js";
import { ProviderError, type ProviderFailure } from "../../providers/define.js";
import type { NewsFeed } from "../../providers/news.js";
import type { Instruments } from "../instruments/instruments.js";
import type { News } from "./news.js";
import { planOf } from "./schedule.js";
import type { NewsStore } from "./store.js";

/** How far back texts are asked for that were never asked for before. */
const FIRST_REACH_MS = 7 * 86_400_000;
/** Texts may appear at a source after their time of publication. */
const OVERLAP_MS = 3_600_000;
const FAILURES_IN_A_ROW = 3;
const LEAST_LEASE_MS = 120_000;
const DAY_MS = 86_400_000;
/** Failures after which a feed is not asked again in the same run. */
const FINAL: ReadonlySet<ProviderFailure> = new Set(["rate_limited", "unauthorized", "set_aside"]);
/** Symbol of texts about markets at large. */
const AT_LARGE = "";

export interface CollectOptions {
  readonly news: News;
  readonly store: NewsStore;
  readonly instruments: Pick<Instruments, "identify">;
  /** Symbols that are scanned now. */
  readonly universe: () => readonly string[];
  readonly leases: Leases;
  readonly everyMs: number;
  readonly retentionDays: number;
  /** Scores what was collected. */
  readonly score: (signal: AbortSignal) => Promise<unknown>;
  readonly now: () => number;
  readonly log: Log;
  readonly pause?: (ms: number, signal: AbortSignal) => Promise<void>;
}

/** Asks each feed about each scanned symbol in turn, as its quota allows; of several instances one does. */
export function createCollect(options: CollectOptions): LoopDefinition {
  const { news, store, everyMs, now, log, pause = sleep } = options;
  const timeoutMs = Math.max(LEAST_LEASE_MS, everyMs);

  async function collectOne(
    feed: NewsFeed,
    symbol: string,
    succeededMs: number | null,
    signal: AbortSignal,
  ): Promise<void> {
    const instrument = symbol === AT_LARGE ? null : options.instruments.identify(symbol);
    const askedMs = now();
    const fromMs = succeededMs === null ? askedMs - FIRST_REACH_MS : succeededMs - OVERLAP_MS;
    const stretch = { instrument, fromMs: Math.max(fromMs, askedMs - FIRST_REACH_MS), toMs: askedMs + 1 };
    let succeeded = false;
    try {
      const items = await news.feeds.fetch(feed, stretch);
      const { stored } = await news.record(feed, items, instrument);
      succeeded = true;
      if (stored > 0) await options.score(signal);
    } finally {
      await store.noteCollection(feed.name, symbol, askedMs, succeeded);
    }
  }

  async function collectFeed(feed: NewsFeed, signal: AbortSignal): Promise<void> {
    const known = await store.loadCollections(feed.name);
    const asked = new Map([...known].map(([symbol, { askedMs }]) => [symbol, askedMs]));
    const wanted = symbolsFor(feed, options);
    const { symbols, gapMs } = planOf(wanted, asked, feed.quota, { nowMs: now(), everyMs });
    let failures = 0;
    for (const [at, symbol] of symbols.entries()) {
      if (at > 0 && gapMs > 0) await pause(gapMs, signal);
      if (signal.aborted) return;
      try {
        await collectOne(feed, symbol, known.get(symbol)?.succeededMs ?? null, signal);
        failures = 0;
      } catch (error) {
        if (!(error instanceof ProviderError)) throw error;
        const { failure, message } = error;
        log.debug({ feed: feed.name, symbol, failure, reason: message }, "no texts");
        const answered = failure === "unknown_symbol" || failure === "refused";
        failures = answered ? 0 : failures + 1;
        if (FINAL.has(failure) || failures >= FAILURES_IN_A_ROW) return;
      }
    }
  }

  return {
    name: "news",
    everyMs: () => everyMs,
    timeoutMs,
    async run(nowMs, signal) {
      if (news.feeds.list.length === 0) return;
      if ((await options.leases.acquire("news", 2 * timeoutMs)) === null) return;
      await news.renewNames();
      const results = await Promise.allSettled(news.feeds.list.map((feed) => collectFeed(feed, signal)));
      await store.prune(nowMs - options.retentionDays * DAY_MS);
      // Also what was stored before, by a model that is new.
      await options.score(signal);
      const failed = results.find((result) => result.status === "rejected");
      if (failed !== undefined) throw failed.reason;
    },
  };
}

/** What is scanned and known to a source, and for vendors of news the markets at large. */
function symbolsFor(feed: NewsFeed, { universe, instruments, log }: CollectOptions): string[] {
  const known = universe().filter((symbol) => instrumentOf(symbol, instruments, log) !== null);
  return feed.kind === "news" ? [AT_LARGE, ...known] : known;
}

function instrumentOf(
  symbol: string,
  instruments: Pick<Instruments, "identify">,
  log: Log,
): Instrument | null {
  try {
    return instruments.identify(symbol);
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    log.debug({ symbol, reason: messageOf(error) }, "no texts are collected");
    return null;
  }
}
