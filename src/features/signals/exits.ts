import { barClose } from "../../core/market/bar-times.js";
import { calendarOf } from "../../core/market/session.js";
import { TRADE_POLICY } from "../../core/signals/levels.js";
import { type Exit, exitsOf, type OpenPosition } from "../../core/signals/signal.js";
import type { PricedQuote } from "../candles/quotes.js";
import type { Measure } from "../sentiment/measure.js";
import type { TimeframeLook } from "./look.js";
import type { Found } from "./reading.js";

/** A position as its holder knows it; prices in the unit of the candles. */
export interface HeldPosition {
  readonly direction: 1 | -1;
  readonly entry: number;
  readonly stop: number | null;
  readonly target: number | null;
  /** Units; null where they are not known. */
  readonly quantity: number | null;
  /** Epoch ms; null where it is not known. */
  readonly openedAt: number | null;
}

export interface ExitReading {
  readonly main: TimeframeLook;
  readonly sentiment: Found<Measure>;
  readonly quote: Found<PricedQuote>;
  readonly price: number;
  readonly positions: readonly { readonly position: HeldPosition; readonly exits: readonly Exit[] }[];
}

/** Every reason to close each of the positions now. */
export function readExits(
  main: TimeframeLook,
  sentiment: Found<Measure>,
  quote: Found<PricedQuote>,
  positions: readonly HeldPosition[],
): ExitReading {
  const price = quote.value?.price ?? main.close;
  const aggregate = sentiment.value?.aggregate;
  const score = aggregate?.available === true ? aggregate.score : null;
  const found = positions.map((position) => {
    const opposite = main.patterns
      .filter(({ detection, over }) => !over && detection.direction === -position.direction)
      .map(({ detection }) => detection.pattern);
    const facts = { price, range: main.range, sentiment: score, horizon: TRADE_POLICY.horizonBars };
    return { position, exits: exitsOf(openPosition(position, main, price), { ...facts, opposite }) };
  });
  return { main, sentiment, quote, price, positions: found };
}

/**
 * With the bars that have closed since it was opened, and the best price of those that opened since. Both are null
 * where it was opened before the candles that were looked at.
 */
function openPosition(position: HeldPosition, { set, interval }: TimeframeLook, price: number): OpenPosition {
  const { direction, entry, stop, target, openedAt } = position;
  const known = { direction, entry, stop, target };
  const { time, high, low } = set.candles;
  if (openedAt === null || openedAt < time[0]) return { ...known, best: null, bars: null };
  const calendar = calendarOf(set.instrument.calendar);
  let best = direction > 0 ? Math.max(entry, price) : Math.min(entry, price);
  let bars = 0;
  for (let i = time.length - 1; i >= 0 && barClose(calendar, interval, time[i]) > openedAt; i--) {
    bars++;
    // Of the bar in which it was opened, what came before can't be told from what came after.
    if (time[i] < openedAt) continue;
    best = direction > 0 ? Math.max(best, high[i]) : Math.min(best, low[i]);
  }
  return { ...known, best, bars };
}
