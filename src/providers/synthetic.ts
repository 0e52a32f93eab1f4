import { setImmediate as yieldToOthers } from "node:timers/promises";
import { LRUCache } from "lru-cache";
import { allocateBars, BAR_COLUMNS, type Bars, type Candles, sliceCandles } from "../core/market/candles.js";
import { type Instrument, namedInstruments } from "../core/market/instrument.js";
import { INTERVAL_MS, INTERVALS, isIntraday } from "../core/market/interval.js";
import { resample } from "../core/market/resample.js";
import { calendarOf } from "../core/market/session.js";
import { lowerBound } from "../core/base/search.js";
import { type CandleRequest, type Provider, ProviderError } from "./define.js";
import { createSyntheticMarket, type SyntheticMarket } from "./synthetic-market.js";

/** Minutes that are drawn between two looks at other work. */
const MINUTES_A_TURN = 40_000;
const DAY_MS = 86_400_000;

/** The labelled synthetic market: what TX shows when no real source is configured. */
export function createSyntheticProvider(seed: number, now: () => number): Provider {
  const { marketOf, minuteBars, dailyBars } = createSource(seed, now);

  async function candles({ instrument, interval, fromMs, toMs }: CandleRequest): Promise<Candles> {
    const calendar = calendarOf(instrument.calendar);
    // Whole bars at both ends: the first and last may reach over the stretch that was asked for.
    const margin = interval === "1m" ? 0 : INTERVAL_MS[interval];
    const end = Math.min(toMs + margin, now());
    const source = isIntraday(interval) ? minuteBars : dailyBars;
    const made = resample(await source(instrument, fromMs - margin, end), interval, calendar);
    return sliceCandles(made, lowerBound(made.time, fromMs), lowerBound(made.time, toMs));
  }

  return {
    name: "synthetic",
    title: "Synthetic market",
    synthetic: true,
    remote: false,
    recorded: false,
    listsAll: false,
    concurrency: 4,
    intervals: () => INTERVALS,
    earliestMs: async (instrument) => calendarOf(instrument.calendar).open[marketOf(instrument).firstSession],
    feedNowMs: async (_instrument, nowMs) => nowMs,
    async fetchCandles(request) {
      return { candles: await candles(request), rejected: [] };
    },
    async fetchQuote(instrument) {
      const at = now();
      const recent = await minuteBars(instrument, at - 7 * DAY_MS, at);
      const days = await dailyBars(instrument, at - 10 * DAY_MS, at);
      const minutes = recent.time.length;
      const sessions = days.time.length;
      if (minutes === 0 || sessions < 2) throw new ProviderError("unavailable", "no session within ten days");
      const today = lowerBound(recent.time, days.time[sessions - 1]);
      return {
        symbol: instrument.symbol,
        price: recent.close[minutes - 1],
        time: recent.time[minutes - 1],
        open: recent.open[today],
        high: recent.high.subarray(today).reduce((a, b) => Math.max(a, b)),
        low: recent.low.subarray(today).reduce((a, b) => Math.min(a, b)),
        previousClose: days.close[sessions - 2],
        volume: recent.volume.subarray(today).reduce((a, b) => a + b),
        bid: null,
        ask: null,
      };
    },
    listInstruments: namedInstruments,
    probe: async () => undefined,
  };
}

/** Bars drawn from the markets of all symbols. */
function createSource(seed: number, now: () => number) {
  const markets = new Map<string, SyntheticMarket>();
  const days = new LRUCache<string, Bars>({ max: 40_000 });

  function marketOf(instrument: Instrument): SyntheticMarket {
    const known = markets.get(instrument.symbol);
    if (known !== undefined) return known;
    const market = createSyntheticMarket(instrument, calendarOf(instrument.calendar), seed);
    markets.set(instrument.symbol, market);
    return market;
  }

  async function minuteBars(instrument: Instrument, fromMs: number, toMs: number): Promise<Candles> {
    const market = marketOf(instrument);
    const first = Math.max(market.firstSession, market.sessionsOpenedBy(fromMs) - 1);
    const parts: Bars[] = [];
    let turn = 0;
    for (let session = first; session < market.sessionsOpenedBy(toMs - 1); session++) {
      const part = market.minutesOf(session);
      parts.push(part);
      turn += part.time.length;
      if (turn > MINUTES_A_TURN) {
        turn = 0;
        await yieldToOthers();
      }
    }
    const all: Candles = { symbol: instrument.symbol, interval: "1m", ...concatenate(parts) };
    return sliceCandles(all, lowerBound(all.time, fromMs), lowerBound(all.time, toMs));
  }

  /** Sessions that are over never change: their days are kept. */
  async function dailyBars(instrument: Instrument, fromMs: number, toMs: number): Promise<Candles> {
    const market = marketOf(instrument);
    const calendar = calendarOf(instrument.calendar);
    const first = Math.max(market.firstSession, market.sessionsOpenedBy(fromMs - 1));
    const parts: Bars[] = [];
    let turn = 0;
    for (let session = first; session < market.sessionsOpenedBy(toMs - 1); session++) {
      const key = `${instrument.symbol} ${session}`;
      let day = days.get(key);
      if (day === undefined) {
        const minutes = market.minutesOf(session);
        turn += minutes.time.length;
        day = resample({ symbol: instrument.symbol, interval: "1m", ...minutes }, "1d", calendar);
        if (calendar.close[session] <= now()) days.set(key, day);
      }
      parts.push(day);
      if (turn > MINUTES_A_TURN) {
        turn = 0;
        await yieldToOthers();
      }
    }
    return { symbol: instrument.symbol, interval: "1d", ...concatenate(parts) };
  }

  return { marketOf, minuteBars, dailyBars };
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
