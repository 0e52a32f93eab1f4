import { z } from "zod";
import { ensure } from "../../core/base/assert.js";
import { DAY_MS, dateOf } from "../../core/market/day.js";
import type { ChainQuotes } from "../../core/market/option-quote.js";
import { chainFromColumns, collectChain, mapLegs, type OptionChain } from "../../core/options/chain.js";
import { leftOutIssues, soundChain } from "../../core/options/sound.js";
import { ISSUES, type Issue, type IssueCode } from "../../core/quality/issue.js";
import { type Cache, type CacheKind, jsonKind } from "../../platform/cache.js";
import { AppError } from "../../platform/errors.js";
import type { Log } from "../../platform/log.js";
import { packChain, unpackChain } from "./encoding.js";
import type { OptionFeed, Sourced } from "./feed.js";
import { type InspectChain, marketState } from "./inspection.js";
import { cutOffOf, type Underlying } from "./underlyings.js";

/** A chain as sources gave it just now, impossible prices and all. */
export interface FetchedChain {
  readonly chain: OptionChain;
  readonly source: string;
  /** Of the expiry whose legs are oldest, epoch ms; the time of the chain is that of the newest. */
  readonly oldestTime: number;
  /** How many expiries the source lists; the chain may have some of them. */
  readonly listed: number;
  /** Of quotes that do not stand in it. */
  readonly leftOut: readonly Issue[];
}

/** Which expiries are fetched. */
export interface Scope {
  /** One, or the few that say most with few questions, or all. */
  readonly which: "one" | "near" | "all";
  /** Must be among them; for one, the first that has not ended unless given. */
  readonly expiry?: number | undefined;
}

const LISTED_TTL_MS = 600_000;
const CHAIN_TTL_MS = 60_000;
/** Expiries on both sides of this many days tell the volatility for thirty days. */
const THIRTY_DAYS = 30;
/** Expiries of one answer at most. */
const MOST_EXPIRIES = 40;

const LISTED_KIND = jsonKind(
  "option-expiries1",
  z.object({ value: z.array(z.number()), source: z.string(), synthetic: z.boolean() }),
);

interface CachedChain {
  readonly chain: OptionChain;
  readonly source: string;
  readonly leftOut: readonly Issue[];
}

const headSchema = z.object({
  source: z.string(),
  leftOut: z.array(
    z.object({
      code: z.enum(Object.keys(ISSUES) as [IssueCode, ...IssueCode[]]),
      severity: z.enum(["critical", "warning", "info"]),
      subject: z.string(),
      detail: z.string(),
      time: z.number().nullable(),
      count: z.number(),
    }),
  ),
});

/** The source and what was left out as JSON, a NUL, and the packed chain. */
const CHAIN_KIND: CacheKind<CachedChain> = {
  prefix: "option-chain2",
  encode: ({ chain, ...head }) => Buffer.concat([Buffer.from(`${JSON.stringify(head)}\0`), packChain(chain)]),
  decode(bytes) {
    const end = bytes.indexOf(0);
    if (end < 0) return null;
    const chain = unpackChain(bytes.subarray(end + 1));
    const head = headSchema.safeParse(JSON.parse(Buffer.from(bytes.subarray(0, end)).toString("utf8")));
    return chain === null || !head.success ? null : { chain, ...head.data };
  },
};

export interface ChainReader {
  /** Expiries that a source lists, at most ten minutes old. @throws {AppError} */
  loadListed(underlying: Underlying): Promise<Sourced<readonly number[]>>;
  /** At most a minute old. @throws {AppError} `expiry_unknown`, `no_data`, or as the sources do. */
  load(underlying: Underlying, scope: Scope): Promise<FetchedChain>;
}

export function createChainReader(options: {
  feed: OptionFeed;
  cache: Cache;
  now: () => number;
  log: Log;
  inspect: InspectChain;
}): ChainReader {
  const { feed, cache, now, log, inspect } = options;

  async function loadListed(underlying: Underlying): Promise<Sourced<readonly number[]>> {
    return cache.remember(LISTED_KIND, underlying.symbol, LISTED_TTL_MS, async () => {
      const { value, source, synthetic } = await feed.fetchExpiries(underlying);
      return { value: [...value], source, synthetic };
    });
  }

  function loadOne(underlying: Underlying, expiry: number): Promise<CachedChain> {
    return cache.remember(CHAIN_KIND, `${underlying.symbol} ${expiry}`, CHAIN_TTL_MS, async () => {
      const { value, source, synthetic } = await feed.fetchChain(underlying, expiry);
      if (synthetic) throw new AppError("options_unavailable", "Invented options are not shown");
      const quotes = value.quotes.filter((quote) => quote.expiry === expiry);
      const collected = collectChain(headerOf(underlying, value), quotes);
      const { chain, rejected } = collected;
      const leftOut = leftOutIssues(collected);
      // Of those below 0 the state of the market tells.
      const others = leftOut.filter(({ code }) => code !== "open_interest_negative");
      const issues = [...soundChain(chain).issues, ...others];
      await inspect(marketState(collected, quotes), underlying, source, issues);
      if (rejected.length > 0) {
        const [{ reason }] = rejected;
        log.warn(
          { symbol: underlying.symbol, expiry, source, count: rejected.length, reason },
          "legs rejected",
        );
      }
      return { chain, source, leftOut };
    });
  }

  return {
    loadListed,
    async load(underlying, scope) {
      const { value: listed } = await loadListed(underlying);
      const wanted = chooseExpiries(underlying, listed, scope, now());
      const chains: CachedChain[] = [];
      // One after the other: the gateway has a budget, and a few questions are all there are.
      for (const expiry of wanted) chains.push(await loadOne(underlying, expiry));
      const joined = joinChains(chains);
      if (joined === null) throw new AppError("no_data", `${underlying.symbol} has no listed options`);
      const oldestTime = Math.min(...chains.map(({ chain }) => chain.time));
      return { ...joined, oldestTime, listed: listed.length };
    },
  };
}

function headerOf({ symbol }: Underlying, { time, spot }: ChainQuotes) {
  return { underlying: symbol, time, spot };
}

/** @throws {AppError} `expiry_unknown` for one that is not listed. */
function chooseExpiries(
  underlying: Underlying,
  listed: readonly number[],
  { which, expiry }: Scope,
  nowMs: number,
): readonly number[] {
  if (expiry !== undefined && !listed.includes(expiry)) {
    throw new AppError("expiry_unknown", `No options on ${underlying.symbol} expire on ${dateOf(expiry)}`);
  }
  const own = expiry === undefined ? [] : [expiry];
  const ahead = listed.filter((day) => cutOffOf(underlying, day, nowMs).time > nowMs);
  if (which === "one") return own.length > 0 ? own : ahead.slice(0, 1);
  if (which === "all") return ascending([...ahead.slice(0, MOST_EXPIRIES), ...own]);
  const turn = nowMs + THIRTY_DAYS * DAY_MS;
  const after = ahead.findIndex((day) => cutOffOf(underlying, day, nowMs).time >= turn);
  const rows = [0, 1, after - 1, after].filter((row) => row >= 0 && row < ahead.length);
  return ascending([...rows.map((row) => ahead[row]), ...own]);
}

function ascending(days: readonly number[]): number[] {
  return [...new Set(days)].sort((a, b) => a - b);
}

/** Chains of single expiries, ascending, as one: with the time and spot of the one that is newest. */
function joinChains(parts: readonly CachedChain[]): CachedChain | null {
  const newest = parts.reduce<OptionChain | null>(
    (best, { chain }) => (best === null || chain.time > best.time ? chain : best),
    null,
  );
  if (newest === null) return null;
  const column = (pick: (chain: OptionChain) => Float64Array) =>
    Float64Array.from(parts.flatMap(({ chain }) => Array.from(pick(chain))));
  const chain = chainFromColumns(newest, {
    expiry: column(({ expiry }) => expiry),
    strike: column(({ strike }) => strike),
    call: mapLegs((name) => column(({ call }) => call[name])),
    put: mapLegs((name) => column(({ put }) => put[name])),
  });
  const source = [...new Set(parts.map((part) => part.source))].join(", ");
  const leftOut = parts.flatMap((part) => part.leftOut);
  return { chain: ensure(chain, "each part has one expiry, and they ascend"), source, leftOut };
}
