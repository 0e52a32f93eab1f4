import type { Instrument } from "../core/market/instrument.js";
import { INTERVAL_MS, type Interval, isIntraday } from "../core/market/interval.js";
import type { Provider } from "./define.js";

/**
 * The own interval of a provider from which another can be made: itself, or the longest that divides it.
 * @param own intervals of which longer ones can be made, and the wanted one if it is there.
 */
export function baseInterval(own: readonly Interval[], wanted: Interval): Interval | null {
  if (own.includes(wanted)) return wanted;
  const divides = (interval: Interval) =>
    INTERVAL_MS[interval] < INTERVAL_MS[wanted] &&
    (!isIntraday(wanted) || INTERVAL_MS[wanted] % INTERVAL_MS[interval] === 0);
  return own.filter(divides).sort((a, b) => INTERVAL_MS[b] - INTERVAL_MS[a])[0] ?? null;
}

/** The own interval of a provider from which it can give another: itself, or one on the grid of sessions. */
export function baseOf(provider: Provider, instrument: Instrument, wanted: Interval): Interval | null {
  const usable = (own: Interval) => own === wanted || provider.liesOnGrid(instrument, own);
  return baseInterval(provider.intervals(instrument).filter(usable), wanted);
}
