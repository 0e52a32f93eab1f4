import type { Interval } from "../../core/market/interval.js";
import { LEAD_BARS } from "../../core/signals/lead.js";
import type { CandleService, CandleSet } from "../candles/candles.js";
import type { KnownInstrument } from "../instruments/store.js";

/** The bar that opens at `barTime` and those that decide what is seen at it, as they were known at a moment or are now. */
export function loadLeading(
  candles: Pick<CandleService, "loadRange">,
  instrument: KnownInstrument,
  interval: Interval,
  barTime: number,
  knownAtMs?: number,
): Promise<CandleSet> {
  const { NEGATIVE_INFINITY } = Number;
  return candles.loadRange(instrument, interval, NEGATIVE_INFINITY, barTime + 1, LEAD_BARS + 1, knownAtMs);
}
