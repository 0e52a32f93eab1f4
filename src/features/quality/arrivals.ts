import type { CalendarId } from "../../core/market/calendar.js";
import { calendarOf, isOpen } from "../../core/market/session.js";
import type { MarketState } from "../../core/quality/state.js";
import type { Actions } from "../candles/actions.js";
import type { Inspect } from "../candles/reader.js";
import type { Quality } from "./quality.js";

/** Has bars looked at on their way into the store, with the splits that are known by then. */
export function createArrivals(options: {
  quality: () => Pick<Quality, "inspect">;
  actions: () => Pick<Actions, "load">;
}): Inspect {
  const { quality, actions } = options;
  return async ({ instrument, part, rejected, stored }) => {
    const { candles, basis, source } = part;
    const told = basis === "none" || basis === "split" ? (await actions().load(instrument)).actions : [];
    const splits = told.filter((action) => action.kind === "split");
    const terms = { adjusted: basis === "split" ? "split" : "none", splits } as const;
    const delivery = { symbol: candles.symbol, candles, rejected, stored, terms };
    return quality().inspect(delivery, { source, synthetic: false });
  };
}

/** Has chains looked at on their way in, against the hours of their exchange. */
export function createChainArrivals(quality: Pick<Quality, "inspectState">, now: () => number) {
  return (state: MarketState, { calendar }: { calendar: CalendarId }, source: string): Promise<void> =>
    quality.inspectState(state, isOpen(calendarOf(calendar), now()), { source, synthetic: false });
}
