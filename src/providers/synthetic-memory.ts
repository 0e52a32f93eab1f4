import { LRUCache } from "lru-cache";
import { allocateBars, BAR_COLUMNS, type Bars } from "../core/market/candles.js";
import type { Instrument } from "../core/market/instrument.js";
import { resample } from "../core/market/resample.js";
import { calendarOf } from "../core/market/session.js";
import { createSyntheticMarket, type SyntheticMarket } from "./synthetic-market.js";

/** Symbols whose states are kept, some 40 kB each: of any other they are made again in a few milliseconds. */
const MARKETS = 2_000;
/** Symbols whose days are kept, 200 kB each: a decade of them takes half a second to draw. */
const DAYS = 100;
/** Sessions whose minutes are kept, 20 to 70 kB each: quotes look at the newest two. */
const SESSIONS = 128;

/** Days of one symbol. */
export interface SyntheticDays {
  /** @returns how many minutes were drawn for it: none where it was drawn before. */
  draw(session: number): number;
  /** Daily bars of sessions [from, to), which have been drawn. */
  slice(from: number, to: number): Bars;
}

/**
 * What was drawn last of the markets of a seed. It follows from the seed alone, of whole sessions, so it may be of
 * the future: who reads it leaves that out.
 */
export interface SyntheticMemory {
  marketOf(instrument: Instrument): SyntheticMarket;
  /** Bars of one minute, which nobody may change. */
  minutesOf(instrument: Instrument, session: number): Bars;
  daysOf(instrument: Instrument): SyntheticDays;
}

export function createSyntheticMemory(seed: number): SyntheticMemory {
  const markets = new LRUCache<string, SyntheticMarket>({ max: MARKETS });
  const days = new LRUCache<string, SyntheticDays>({ max: DAYS });
  const sessions = new LRUCache<string, Bars>({ max: SESSIONS });

  const marketOf = (instrument: Instrument) =>
    recall(markets, instrument.symbol, () =>
      createSyntheticMarket(instrument, calendarOf(instrument.calendar), seed),
    );

  return {
    marketOf,
    minutesOf: (instrument, session) =>
      recall(sessions, `${instrument.symbol} ${session}`, () => marketOf(instrument).minutesOf(session)),
    daysOf: (instrument) =>
      recall(days, instrument.symbol, () => createDays(instrument, marketOf(instrument))),
  };
}

function recall<T extends object>(memory: LRUCache<string, T>, key: string, make: () => T): T {
  const known = memory.get(key);
  if (known !== undefined) return known;
  const made = make();
  memory.set(key, made);
  return made;
}

function createDays(instrument: Instrument, market: SyntheticMarket): SyntheticDays {
  const calendar = calendarOf(instrument.calendar);
  const first = market.firstSession;
  const length = calendar.open.length - first;
  const bars = allocateBars(length);
  const isDrawn = new Uint8Array(length);
  return {
    draw(session) {
      const at = session - first;
      if (isDrawn[at] === 1) return 0;
      const minutes = market.minutesOf(session);
      const day = resample({ symbol: instrument.symbol, interval: "1m", ...minutes }, "1d", calendar);
      for (const column of BAR_COLUMNS) bars[column][at] = day[column][0];
      isDrawn[at] = 1;
      return minutes.time.length;
    },
    slice(from, to) {
      const cut = allocateBars(to - from);
      for (const column of BAR_COLUMNS) cut[column].set(bars[column].subarray(from - first, to - first));
      return cut;
    },
  };
}
