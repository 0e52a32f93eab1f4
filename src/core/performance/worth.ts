import { lowerBound } from "../base/search.js";
import type { DeskEvent } from "../execution/events.js";
import { dayOf } from "../market/day.js";
import type { TradingDayOf } from "./rollups.js";
import { createTrades } from "./trades.js";

/**
 * What an account had before each trading day of its exchanges: money paid in, interest, and what its trades had realised
 * by then, in micros. What open positions are worth beyond their cost is left out, so that no price is needed and the
 * same events always say the same.
 * @param events all of a desk, from the first on.
 * @returns null for dates up to that of the first event.
 */
export function worthBefore(
  events: Iterable<DeskEvent>,
  dayOfEvent: TradingDayOf,
): (date: string) => number | null {
  const days: number[] = [];
  const worths: number[] = [];
  const nets = new Map<string, number>();
  const book = createTrades();
  let realised = 0;
  for (const event of events) {
    const day = dayOfEvent(event.symbol, event.at);
    for (const { id, net } of book.take(event)) {
      realised += net - (nets.get(id) ?? 0);
      nets.set(id, net);
    }
    const worth = book.capital + book.interest + realised;
    const last = days.length - 1;
    // Bars that are walked later tell of what happened before: it counts from where it stands among the events.
    if (last >= 0 && day <= days[last]) worths[last] = worth;
    else {
      days.push(day);
      worths.push(worth);
    }
  }
  const column = Float64Array.from(days);
  return (date) => {
    const before = lowerBound(column, dayOf(date)) - 1;
    return before < 0 ? null : worths[before];
  };
}
