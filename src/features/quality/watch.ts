import { LRUCache } from "lru-cache";
import type { Quote } from "../../core/market/quote.js";
import type { Band } from "../../core/quality/band.js";
import type { Issue } from "../../core/quality/issue.js";
import { checkState, type MarketState } from "../../core/quality/state.js";
import { messageOf } from "../../platform/errors.js";
import type { Log } from "../../platform/log.js";
import type { Metrics } from "../../platform/metrics.js";
import type { Judgement } from "../../providers/gateway.js";
import type { Trade } from "../../providers/stream-client.js";
import { freshnessOf } from "../candles/freshness.js";
import type { PriceWatch } from "../candles/price-watch.js";
import type { Instruments } from "../instruments/instruments.js";
import type { KnownInstrument } from "../instruments/store.js";
import type { Bands, LearnedBand } from "./bands.js";
import type { Quality } from "./quality.js";

export interface PriceWatchOptions {
  readonly bands: Bands;
  readonly quality: Pick<Quality, "record">;
  readonly instruments: Pick<Instruments, "resolve">;
  /** Whether prices are made up, which need no looking at. */
  readonly synthetic: boolean;
  readonly now: () => number;
  readonly log: Log;
  readonly metrics: Metrics;
}

const GIVEN: Judgement = Object.freeze({ use: "given", reason: null });
/** What is found in the prices of an instrument is written down once in this time, and counted each time. */
const TOLD_MS = 600_000;
const TOLD_KEPT = 10_000;

/** Holds quotes and streamed trades against what is known of their instruments. */
export function createPriceWatch(options: PriceWatchOptions): PriceWatch {
  const { bands, instruments, synthetic, now, log, metrics } = options;
  const note = createNotes(options);
  const asked = new Set<string>();

  /** Has a band learned that is not known, or anew, while trades go on. */
  function learnAside({ symbol }: { symbol: string }): void {
    if (asked.has(symbol)) return;
    asked.add(symbol);
    const work = instruments.resolve(symbol).then((instrument) => bands.reload(instrument));
    work
      .catch((error: unknown) => log.debug({ symbol, reason: messageOf(error) }, "no band learned"))
      .finally(() => asked.delete(symbol));
  }

  async function bandFor(instrument: KnownInstrument, { price }: Quote): Promise<LearnedBand> {
    const learned = await bands.load(instrument);
    return isWithin(price, learned.band) ? learned : bands.reload(instrument);
  }

  return {
    async judge(instrument, quote, { source, fromCandles }) {
      if (synthetic) return GIVEN;
      const atMs = now();
      const learned = await bandFor(instrument, quote);
      const { stale } = freshnessOf(instrument.calendar, quote.time, atMs);
      const issues = [
        ...checkState(stateOf(quote), atMs, learned.band, stale && !fromCandles),
        ...dayIssues(quote, learned.band),
      ];
      await note(issues, source);
      return judgementOf(issues, fromCandles ? null : learned);
    },
    admits(trade) {
      const { instrument, price, source } = trade;
      const { symbol } = instrument;
      const known = bands.known(symbol);
      if (known === null) learnAside(instrument);
      else if (isWithin(price, known.band)) return true;
      metrics.streamRefusals.inc({ stream: source });
      if (known === null) return false;
      learnAside(instrument);
      const issues = checkState(stateOfTrade(trade), now(), known.band, false);
      note(issues, source).catch((error: unknown) =>
        log.warn({ symbol, reason: messageOf(error) }, "what was found in a trade could not be kept"),
      );
      return false;
    },
  };
}

function isWithin(price: number, band: Band | null): boolean {
  return price > 0 && price < Number.POSITIVE_INFINITY && (band === null || isBetween(price, band));
}

function isBetween(price: number, { low, high }: Band): boolean {
  return price >= low && price <= high;
}

/** A day reaches no further beyond the band than by this factor. */
const DAY_FACTOR = 2;

/** Open, high and low of the day that cannot be those of the instrument. */
function dayIssues({ symbol, time, open, high, low }: Quote, band: Band | null): Issue[] {
  const wide = band === null ? null : { ...band, low: band.low / DAY_FACTOR, high: band.high * DAY_FACTOR };
  return Object.entries({ open, high, low }).flatMap(([name, value]): Issue[] => {
    if (value === null || isWithin(value, wide)) return [];
    const detail = `the day's ${name} of ${value} cannot be`;
    return [{ code: "out_of_band", severity: "critical", subject: symbol, detail, time, count: 1 }];
  });
}

function stateOf({ symbol, price, time, bid, ask }: Quote): MarketState {
  return { symbol, price, time, bid, ask, chain: null, expectsChain: false };
}

function stateOfTrade({ instrument: { symbol }, price, time }: Trade): MarketState {
  return { symbol, price, time, bid: null, ask: null, chain: null, expectsChain: false };
}

/**
 * A quote that is old, or could not be held against its history, stands where no better one is had; one that is wrong
 * never does.
 */
function judgementOf(issues: readonly Issue[], learned: LearnedBand | null): Judgement {
  const critical = issues.filter(({ severity }) => severity === "critical");
  if (critical.length === 0) {
    if (learned?.untold !== true) return GIVEN;
    return { use: "spare", reason: `could not be held against its history: ${learned.problem}` };
  }
  const reason = critical.map(({ detail }) => detail).join("; ");
  if (critical.every(({ code }) => code === "stale")) return { use: "spare", reason };
  return { use: "never", reason: `held back: ${reason}` };
}

/** Keeps what was found, each kind of it once in a while, and counts it each time. */
function createNotes({ quality, metrics, now }: PriceWatchOptions) {
  const toldAt = new LRUCache<string, number>({ max: TOLD_KEPT });

  return async function note(issues: readonly Issue[], source: string): Promise<void> {
    const fresh: Issue[] = [];
    for (const issue of issues) {
      const { code, severity, subject } = issue;
      const key = `${subject} ${source} ${code}`;
      const last = toldAt.get(key);
      if (last !== undefined && now() - last < TOLD_MS) {
        metrics.dataIssues.inc({ code, severity });
        continue;
      }
      toldAt.set(key, now());
      fresh.push(issue);
    }
    await quality.record(fresh, { source, synthetic: false });
  };
}
