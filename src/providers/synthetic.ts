import { setImmediate as yieldToOthers } from "node:timers/promises";
import { lowerBound, upperBound } from "../core/base/search.js";
import { allocateBars, BAR_COLUMNS, type Bars, type Candles, sliceCandles } from "../core/market/candles.js";
import { type Instrument, namedInstruments } from "../core/market/instrument.js";
import { INTERVAL_MS, INTERVALS, isIntraday } from "../core/market/interval.js";
import type { Quote } from "../core/market/quote.js";
import { resample } from "../core/market/resample.js";
import { calendarOf } from "../core/market/session.js";
import { type CandleRequest, type Provider, ProviderError } from "./define.js";
import { priceWithin } from "./synthetic-market.js";
import { createSyntheticMemory, type SyntheticMemory } from "./synthetic-memory.js";

/** Minutes that are drawn between two looks at other work: well under ten milliseconds. */
const MINUTES_A_TURN = 15_000;
const MINUTE_MS = INTERVAL_MS["1m"];

/** Sessions [first, end). */
interface Stretch {
  readonly first: number;
  readonly end: number;
}

/** A name of letters, such as real markets give out: typing errors and numbers have no prices here either. */
function hasTicker({ symbol }: Instrument): boolean {
  return /^(\^[A-Z][A-Z0-9]{0,9}|[A-Z]{1,10}(-[A-Z]{3,4}|=[XF]|\.(NS|BO|[ABCU]))?)$/.test(symbol);
}

/**
 * The labelled synthetic market: what TX shows when no real source is configured. It carries whatever has a ticker
 * of letters. @param memory one that it shares with others, if any.
 */
export function createSyntheticProvider(
  seed: number,
  now: () => number,
  memory: SyntheticMemory = createSyntheticMemory(seed),
): Provider {
  const { marketOf, minutesOf } = memory;
  const { minuteBars, dailyBars } = createSource(memory, now);

  async function candles(
    { instrument, interval, fromMs, toMs }: CandleRequest,
    signal: AbortSignal,
  ): Promise<Candles> {
    const calendar = calendarOf(instrument.calendar);
    // Whole bars at both ends: the first and last may reach over the stretch that was asked for.
    const margin = interval === "1m" ? 0 : INTERVAL_MS[interval];
    const source = isIntraday(interval) ? minuteBars : dailyBars;
    const made = resample(
      await source(instrument, fromMs - margin, toMs + margin, signal),
      interval,
      calendar,
    );
    return sliceCandles(made, lowerBound(made.time, fromMs), lowerBound(made.time, toMs));
  }

  /** The price within the minute that is forming, or the last there was, and what came before it in its session. */
  function quoteOf(instrument: Instrument): Quote | null {
    const market = marketOf(instrument);
    const nowMs = now();
    const session = market.sessionsOpenedBy(nowMs) - 1;
    if (session < market.firstSession) return null;
    const today = minutesOf(instrument, session);
    const begun = upperBound(today.time, nowMs);
    const i = begun - 1;
    const until = today.time[i] + MINUTE_MS;
    const over = nowMs >= until;
    const price = over
      ? today.close[i]
      : priceWithin(today, i, (nowMs - today.time[i]) / MINUTE_MS, market.stepsPerUnit);
    // What the minute will have reached and traded is not known before it is over.
    const closed = over ? begun : i;
    const before = session === market.firstSession ? null : minutesOf(instrument, session - 1).close;
    return {
      symbol: instrument.symbol,
      price,
      time: over ? until : nowMs,
      open: today.open[0],
      high: today.high.subarray(0, closed).reduce((a, b) => Math.max(a, b), price),
      low: today.low.subarray(0, closed).reduce((a, b) => Math.min(a, b), price),
      previousClose: before?.at(-1) ?? null,
      volume: today.volume.subarray(0, closed).reduce((a, b) => a + b, 0),
      bid: null,
      ask: null,
    };
  }

  return {
    name: "synthetic",
    title: "Synthetic market",
    synthetic: true,
    remote: false,
    recorded: false,
    listsAll: false,
    basis: () => "none",
    concurrency: 4,
    intervals: (instrument) => (hasTicker(instrument) ? INTERVALS : []),
    earliestMs: async (instrument) => calendarOf(instrument.calendar).open[marketOf(instrument).firstSession],
    feedNowMs: async (_instrument, _interval, nowMs) => nowMs,
    liesOnGrid: () => true,
    version: async () => null,
    replay: null,
    async fetchCandles(request, signal) {
      return { candles: await candles(request, signal), rejected: [] };
    },
    async fetchQuote(instrument) {
      const quote = quoteOf(instrument);
      if (quote === null) throw new ProviderError("unavailable", "the market has not begun");
      return quote;
    },
    listInstruments: namedInstruments,
    probe: async () => undefined,
  };
}

/** Bars drawn from the markets of all symbols, none of them later than now. */
function createSource({ marketOf, minutesOf, daysOf }: SyntheticMemory, now: () => number) {
  /** The minutes of a session that are over. */
  function closedMinutes(instrument: Instrument, session: number): Candles {
    const minutes = minutesOf(instrument, session);
    const all: Candles = { symbol: instrument.symbol, interval: "1m", ...minutes };
    return sliceCandles(all, 0, lowerBound(all.time, now() - MINUTE_MS + 1));
  }

  /** Makes something of sessions [first, end), one after the other with other work in between. */
  async function each(
    { first, end }: Stretch,
    signal: AbortSignal,
    make: (session: number) => { drawn: number },
  ): Promise<void> {
    let turn = 0;
    signal.throwIfAborted();
    for (let session = first; session < end; session++) {
      turn += make(session).drawn;
      if (turn < MINUTES_A_TURN) continue;
      turn = 0;
      await yieldToOthers();
      signal.throwIfAborted();
    }
  }

  function sessionsOpening(instrument: Instrument, fromMs: number, toMs: number): Stretch {
    const market = marketOf(instrument);
    const first = Math.max(market.firstSession, market.sessionsOpenedBy(fromMs - 1));
    return { first, end: market.sessionsOpenedBy(Math.min(toMs, now()) - 1) };
  }

  async function minuteBars(instrument: Instrument, fromMs: number, toMs: number, signal: AbortSignal) {
    const { first, end } = sessionsOpening(instrument, fromMs, toMs);
    // The session that is open at the start belongs to it too.
    const reaching = { first: Math.max(marketOf(instrument).firstSession, first - 1), end };
    const parts: Bars[] = [];
    await each(reaching, signal, (session) => {
      const minutes = closedMinutes(instrument, session);
      parts.push(minutes);
      return { drawn: minutes.time.length };
    });
    const all: Candles = { symbol: instrument.symbol, interval: "1m", ...concatenate(parts) };
    return sliceCandles(all, lowerBound(all.time, fromMs), lowerBound(all.time, toMs));
  }

  async function dailyBars(instrument: Instrument, fromMs: number, toMs: number, signal: AbortSignal) {
    const calendar = calendarOf(instrument.calendar);
    const { first, end } = sessionsOpening(instrument, fromMs, toMs);
    const over = end > first && calendar.close[end - 1] > now() ? end - 1 : end;
    const days = daysOf(instrument);
    await each({ first, end: over }, signal, (session) => ({ drawn: days.draw(session) }));
    const parts = over > first ? [days.slice(first, over)] : [];
    if (over < end) parts.push(resample(closedMinutes(instrument, over), "1d", calendar));
    return { symbol: instrument.symbol, interval: "1d", ...concatenate(parts) } satisfies Candles;
  }

  return { minuteBars, dailyBars };
}

function concatenate(parts: readonly Bars[]): Bars {
  const result = allocateBars(parts.reduce((sum, part) => sum + part.time.length, 0));
  let at = 0;
  for (const part of parts) {
    for (const column of BAR_COLUMNS) result[column].set(part[column], at);
    at += part.time.length;
  }
  return result;
}
