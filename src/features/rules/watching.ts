import { barClose, barOpen, barOpensBetween, lastClosedBar } from "../../core/market/bar-times.js";
import type { Candles } from "../../core/market/candles.js";
import type { Interval } from "../../core/market/interval.js";
import { calendarOf } from "../../core/market/session.js";
import { leadOf } from "../../core/rules/evaluate.js";
import type { Database } from "../../platform/database.js";
import { AppError } from "../../platform/errors.js";
import type { EventLog } from "../../platform/event-log.js";
import type { Lease, Leases } from "../../platform/lease.js";
import type { Log } from "../../platform/log.js";
import { defineTask, type Workers } from "../../platform/workers.js";
import type { Gateway } from "../../providers/gateway.js";
import type { CandleService, CandleSet } from "../candles/candles.js";
import type { PricedQuote, Quotes } from "../candles/quotes.js";
import type { Instruments } from "../instruments/instruments.js";
import type { KnownInstrument } from "../instruments/store.js";
import type { EvaluationTask, RuleVerdicts } from "./evaluate-worker.js";
import type { createFactReader } from "./facts.js";
import { isDue, type LookedAt, lookAt, oldestSeen } from "./look.js";
import { CATCH_UP_BARS } from "./rules.js";
import type { Watch } from "./store.js";
import { topicOfRules } from "./topics.js";
import { createTroubles } from "./troubles.js";
import { inTurns } from "./turns.js";
import { firingView } from "./views.js";
import type { Watched, WatchStore } from "./watch-store.js";

export interface WatchingOptions {
  readonly database: Database;
  readonly store: WatchStore;
  readonly leases: Pick<Leases, "acquire" | "confirm">;
  readonly eventLog: Pick<EventLog, "append" | "wake">;
  readonly gateway: Pick<Gateway, "feedNowMs" | "synthetic" | "replay">;
  readonly instruments: Pick<Instruments, "resolve">;
  readonly candles: Pick<CandleService, "loadLatest">;
  readonly quotes: Pick<Quotes, "load">;
  readonly workers: Workers;
  readonly factsOf: ReturnType<typeof createFactReader>;
  readonly now: () => number;
  readonly log: Log;
}

/** What holds the rules of all users against the market. */
export interface Watching {
  /** One pass over all rules that look at closed bars, or within them. @returns how many fired. */
  look(watch: Watch, signal: AbortSignal): Promise<number>;
}

export const RULES_LEASE = "rules";
export const RULES_LEASE_MS = 15_000;
const EVALUATE = defineTask<EvaluationTask, (RuleVerdicts | null)[]>(
  new URL("./evaluate-worker.js", import.meta.url),
);

export function createWatching(options: WatchingOptions): Watching {
  const { database, store, leases, eventLog, gateway, instruments, now, log } = options;
  const troubles = createTroubles(options);

  /** States, decisions, firings and their events are one transaction: none is lost by a crash, and none is told twice. */
  async function write(lease: Lease, looks: readonly ReturnType<typeof lookAt>[]) {
    const told = await database.transaction(async (sql) => {
      await leases.confirm(sql, lease);
      const saved = await store.save(
        sql,
        looks.map(({ looked }) => looked),
      );
      const kept = looks.filter(({ looked }) => saved.has(looked.watched.ruleId));
      const decisions = kept.flatMap((look) => look.decisions);
      if (decisions.length > 0) await store.decide(sql, decisions);
      const due = kept.flatMap(({ firings }) => firings);
      const made = due.length === 0 ? [] : await store.fire(sql, due);
      const events = made
        .filter(({ dueAt }) => dueAt === null)
        .map(({ userId, ...firing }) => ({
          topic: topicOfRules(userId),
          payload: { kind: "fired", ...firingView(firing) },
        }));
      await eventLog.append(sql, events);
      return made.length;
    });
    if (told > 0) eventLog.wake();
    return told;
  }

  async function lookAtGroup(group: readonly Watched[], signal: AbortSignal): Promise<number> {
    const [{ symbol, interval, watch }] = group;
    const instrument = await instruments.resolve(symbol);
    const newest = await newestMoment(options, instrument, interval, watch);
    const due = group.filter((watched) => isDue(watched, newest));
    if (due.length === 0) return 0;
    const found = await barsFor(options, instrument, interval, due);
    if (found === null) return 0;
    const rules = await Promise.all(
      due.map(async ({ userId, condition, rearm }) => {
        const conditions = rearm === null ? [condition] : [condition, rearm];
        return { condition, rearm, ...(await options.factsOf({ userId, symbol, interval, conditions })) };
      }),
    );
    const { forming } = found.bars;
    const verdicts = await options.workers.run(
      EVALUATE,
      { candles: found.candles, forming, rules },
      { signal },
    );
    const looks = due.flatMap((watched, i) => {
      const own = verdicts[i];
      return own === null ? [] : [lookAt(watched, found.bars, own, now())];
    });
    const lease = await leases.acquire(RULES_LEASE, RULES_LEASE_MS);
    if (lease === null || looks.length === 0) return 0;
    return write(lease, looks);
  }

  return {
    async look(watch, signal) {
      if ((await leases.acquire(RULES_LEASE, RULES_LEASE_MS)) === null) return 0;
      let fired = 0;
      for (const group of inTurns(await store.load(watch, gateway))) {
        signal.throwIfAborted();
        try {
          fired += await lookAtGroup(group, signal);
          await troubles.end(group);
        } catch (error) {
          // A symbol that no source shows now holds up no other.
          if (!(error instanceof AppError) || error.code === "database_unavailable") throw error;
          const [{ symbol, interval }] = group;
          log.debug(
            { symbol, interval, code: error.code, reason: error.message },
            "rules were not looked at",
          );
          await troubles.begin(group, error.message);
        }
      }
      return fired;
    },
  };
}

/** When the newest bar closed that there can be; for those that look within bars, now. */
async function newestMoment(
  { gateway }: WatchingOptions,
  instrument: KnownInstrument,
  interval: Interval,
  watch: Watch,
): Promise<number> {
  const asOfMs = await gateway.feedNowMs(instrument, interval);
  if (watch === "intrabar") return asOfMs;
  const calendar = calendarOf(instrument.calendar);
  const bar = lastClosedBar(calendar, interval, asOfMs);
  return bar === null ? Number.NEGATIVE_INFINITY : barClose(calendar, interval, bar);
}

/** The bars that rules have not seen and those that lead up to them, and a bar that forms where they look within; null for none. */
async function barsFor(
  options: WatchingOptions,
  instrument: KnownInstrument,
  interval: Interval,
  due: readonly Watched[],
): Promise<{ candles: Candles; bars: LookedAt } | null> {
  const calendar = calendarOf(instrument.calendar);
  const lead = Math.max(
    ...due.flatMap(({ condition, rearm }) =>
      [condition, rearm ?? condition].map((each) => leadOf(each, interval)),
    ),
  );
  const asOfMs = await options.gateway.feedNowMs(instrument, interval);
  const unseen = barOpensBetween(calendar, interval, Math.min(oldestSeen(due), asOfMs), asOfMs).length;
  // One more for the bar that the oldest moment lies in, and one whose level is no edge.
  const wanted = Math.min(CATCH_UP_BARS, unseen) + 2;
  const set = await options.candles.loadLatest(instrument, interval, wanted + lead);
  if (set.candles.time.length === 0) {
    const detail = set.trouble ?? `No source has ${interval} bars of ${instrument.symbol}`;
    throw new AppError("no_data", detail);
  }
  const closes = set.candles.time.map((time) => barClose(calendar, interval, time));
  const quote = due[0].watch === "intrabar" ? await formingQuote(options, set) : null;
  const { candles } = set;
  const grown = quote === null ? candles : withForming(candles, quote);
  const moments = quote === null ? closes : joined(closes, quote.time);
  if (!due.some((watched) => isDue(watched, moments[moments.length - 1]))) {
    if (set.trouble !== null) throw new AppError("provider_unavailable", set.trouble);
    return null;
  }
  const { time, close } = grown;
  const bars = {
    ...{ time, close, moments, source: set.source },
    quoteSource: quote?.source ?? null,
    forming: quote !== null,
    first: Math.max(0, candles.time.length - wanted),
  };
  return { candles: grown, bars };
}

type FormingQuote = PricedQuote & { readonly bar: number };

/** The quote within the bar after the newest one; null where there is none, it is old, or bars before it are missing. */
async function formingQuote(
  { quotes }: WatchingOptions,
  { instrument, candles }: CandleSet,
): Promise<FormingQuote | null> {
  const quote = await orNull(quotes.load(instrument));
  if (quote === null || quote.stale || quote.fromCandles) return null;
  const calendar = calendarOf(instrument.calendar);
  const bar = barOpen(calendar, candles.interval, quote.time);
  const newest = candles.time[candles.time.length - 1];
  if (bar === null || bar <= newest || lastClosedBar(calendar, candles.interval, quote.time) !== newest)
    return null;
  return { ...quote, bar };
}

/** Null for what no source has. */
async function orNull<T>(asked: Promise<T>): Promise<T | null> {
  try {
    return await asked;
  } catch (error) {
    if (!(error instanceof AppError) || error.code === "database_unavailable") throw error;
    return null;
  }
}

/** The bars and one that forms: its close is the price, and what else the quote does not say of it is unknown. */
function withForming(candles: Candles, quote: FormingQuote): Candles {
  const { price, bar } = quote;
  const ofDay = candles.interval === "1d";
  const told = (value: number | null) => (ofDay ? (value ?? Number.NaN) : Number.NaN);
  return {
    symbol: candles.symbol,
    interval: candles.interval,
    time: joined(candles.time, bar),
    open: joined(candles.open, told(quote.open)),
    high: joined(candles.high, told(quote.high)),
    low: joined(candles.low, told(quote.low)),
    close: joined(candles.close, price),
    volume: joined(candles.volume, told(quote.volume)),
  };
}

function joined(column: Float64Array, last: number): Float64Array {
  const longer = new Float64Array(column.length + 1);
  longer.set(column);
  longer[column.length] = last;
  return longer;
}
