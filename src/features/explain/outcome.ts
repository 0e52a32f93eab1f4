import { lowerBound } from "../../core/base/search.js";
import { barOpensBetween } from "../../core/market/bar-times.js";
import type { Candles } from "../../core/market/candles.js";
import type { Instrument } from "../../core/market/instrument.js";
import { INTERVAL_MS } from "../../core/market/interval.js";
import { type CalendarId, calendarOf } from "../../core/market/session.js";
import { horizonOf, ROUND_TRIP_BPS } from "../../core/signals/levels.js";
import { isHit, type TradeEnd, tradeOutcome } from "../../core/signals/trade.js";
import type { CandleService } from "../candles/candles.js";
import { levelsOf } from "../detections/levels.js";
import type { NewDetection } from "../detections/store.js";
import type { KnownInstrument } from "../instruments/store.js";

/** What became of the trade on a detection, by the one policy; `open` while the bars do not tell, `none` without one. */
export interface Outcome {
  readonly status: TradeEnd | "open" | "none";
  /** Whether the target came first and the trade gained after costs; null while open and without a trade. */
  readonly hit: boolean | null;
  /** Gain after costs: in units of the planned risk, and as a share of the entry. */
  readonly r: number | null;
  readonly gain: number | null;
  readonly entry: number | null;
  readonly exit: number | null;
  /** Open of the bar that ended it, epoch ms. */
  readonly exitTime: number | null;
  /** One bar held both stop and target, so that the stop was assumed. */
  readonly ambiguous: boolean;
  /** Why there is no trade; null otherwise. */
  readonly reason: string | null;
}

/** What became of a detection on bars that reach from its own as far as is known. */
export function outcomeOf(
  detection: NewDetection,
  candles: Candles,
  { assetClass, calendar }: Pick<Instrument, "assetClass" | "calendar">,
): Outcome {
  const { direction, state, barTime, price } = detection;
  if (direction === 0) return absent("The pattern expects neither rise nor fall: there is no trade on it");
  if (state !== "confirmed") return absent(`The pattern is ${state}: there is no trade on it`);
  const levels = levelsOf(detection);
  if (levels === null) return absent("There are no levels: too few bars for a range");
  const at = lowerBound(candles.time, barTime);
  if (candles.time[at] !== barTime) return absent("The bar is no longer given by its source");
  // After a split the same bar stands on another scale, and so do the levels.
  const scale = candles.close[at] / price;
  const costBps = ROUND_TRIP_BPS[assetClass];
  const plan = {
    at,
    direction,
    stop: levels.stop * scale,
    target: levels.target * scale,
    horizon: horizonOf(shapeBars(detection, calendar)),
    costBps,
  };
  const trade = tradeOutcome(candles, plan);
  if (trade === null) return { ...NOTHING, status: "open" };
  const { end, entry, exit, r, exitAt, ambiguous } = trade;
  const made = end !== "void";
  return {
    status: end,
    hit: made ? isHit(trade) : null,
    r: made ? r : null,
    gain: made ? (direction * (exit - entry)) / entry - costBps / 10_000 : null,
    entry,
    exit,
    exitTime: candles.time[exitAt],
    ambiguous,
    reason: made ? null : "The open that was to be the entry lay beyond the stop or the target already",
  };
}

const NOTHING = {
  hit: null,
  r: null,
  gain: null,
  entry: null,
  exit: null,
  exitTime: null,
  ambiguous: false,
  reason: null,
};

function absent(reason: string): Outcome {
  return { ...NOTHING, status: "none", reason };
}

/** Bars of a formation, as the calendar counts them; null for candlesticks, whose trades last as long as others. */
function shapeBars({ startTime, barTime, interval, formation }: NewDetection, id: CalendarId): number | null {
  if (formation === null) return null;
  return barOpensBetween(calendarOf(id), interval, startTime, barTime + 1).length;
}

const DAY_MS = 86_400_000;

/** Bars from a detection's own on that a trade on it may need, with as many again for holes. */
function stretchOf(detection: NewDetection, { calendar }: KnownInstrument) {
  const { barTime, interval } = detection;
  const wanted = 2 * horizonOf(shapeBars(detection, calendar)) + 2;
  const end = barTime + 6 * wanted * INTERVAL_MS[interval] + 7 * DAY_MS;
  const opens = barOpensBetween(calendarOf(calendar), interval, barTime, end);
  return { from: barTime, to: opens[wanted] ?? end };
}

/** `outcomeOf` on the bars as they were known at a moment, or as they are known now. */
export async function loadOutcome(
  candles: Pick<CandleService, "loadRange">,
  detection: NewDetection,
  instrument: KnownInstrument,
  knownAtMs?: number,
): Promise<Outcome> {
  const { from, to } = stretchOf(detection, instrument);
  const set = await candles.loadRange(instrument, detection.interval, from, to, undefined, knownAtMs);
  return outcomeOf(detection, set.candles, instrument);
}
