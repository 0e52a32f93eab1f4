import { upperBound } from "../base/search.js";
import { cashOf, worthOf } from "../execution/account.js";
import { type DeskEvent, marketInstant } from "../execution/events.js";
import { roundQuantity } from "../execution/money.js";
import { applyEvent, createState } from "../execution/state.js";

/** Closes of bars of a symbol as they traded: the instant after each, epoch ms ascending. */
export interface BarCloses {
  readonly until: Float64Array;
  readonly close: Float64Array;
}

/**
 * Equity at instants, micros, and what was paid in less paid out up to each. A position is worth its newest close or
 * fill by then, split since where there was a split. @param instants ascending. @param events all of a desk.
 */
export function equityAt(
  events: Iterable<DeskEvent>,
  instants: ArrayLike<number>,
  closes: ReadonlyMap<string, BarCloses>,
): { equity: Float64Array; paid: Float64Array } {
  const queue = [...events];
  const state = createState();
  const marks = new Map<string, { price: number; at: number }>();
  const equity = new Float64Array(instants.length);
  const paid = new Float64Array(instants.length);
  let next = 0;
  let flow = 0;
  for (let i = 0; i < instants.length; i++) {
    for (; next < queue.length && queue[next].at <= instants[i]; next++) {
      const event = queue[next];
      applyEvent(state, event);
      if (event.kind === "order") {
        if ("fill" in event) marks.set(event.symbol, { price: event.fill.price, at: marketInstant(event) });
      } else if (event.event === "transferred") {
        flow += cashOf(event.legs);
      } else if (event.event === "split" && event.symbol !== null) {
        const at = marketInstant(event);
        const before = priceAt(closes.get(event.symbol), at, marks.get(event.symbol));
        // Newer than a close of the same instant, which was traded before the split.
        marks.set(event.symbol, { price: roundQuantity(before / Number(event.facts.ratio)), at: at + 1 });
      }
    }
    let sum = state.cash;
    for (const { symbol, quantity } of state.positions.values()) {
      sum += worthOf(quantity, priceAt(closes.get(symbol), instants[i], marks.get(symbol)));
    }
    equity[i] = sum;
    paid[i] = flow;
  }
  return { equity, paid };
}

/** The newest of a bar's close and what is known from elsewhere. */
function priceAt(
  closes: BarCloses | undefined,
  at: number,
  mark: { readonly price: number; readonly at: number } | undefined,
): number {
  const i = closes === undefined ? -1 : upperBound(closes.until, at) - 1;
  if (closes === undefined || i < 0) return mark?.price ?? 0;
  return mark !== undefined && mark.at > closes.until[i] ? mark.price : closes.close[i];
}
