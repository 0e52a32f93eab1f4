import type { ActionStore } from "../candles/action-store.js";
import type { Inspect } from "../candles/reader.js";
import type { Quality } from "./quality.js";

/** Has bars looked at on their way into the store. Splits are those that are known; none is asked for here. */
export function createArrivals(options: {
  quality: () => Pick<Quality, "inspect">;
  actionStore: Pick<ActionStore, "load">;
}): Inspect {
  const { quality, actionStore } = options;
  return async ({ instrumentId, part, rejected, stored }) => {
    const { candles, basis, source } = part;
    const told = basis === "none" || basis === "split" ? (await actionStore.load(instrumentId)).actions : [];
    const splits = told.flatMap(({ action, restatedMs }) =>
      action.kind === "split" && restatedMs === null ? [action] : [],
    );
    const terms = { adjusted: basis === "split" ? "split" : "none", splits } as const;
    const delivery = { symbol: candles.symbol, candles, rejected, stored, terms };
    return quality().inspect(delivery, { source, synthetic: false });
  };
}
