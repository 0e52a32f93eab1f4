import { lowerBound } from "../../core/base/search.js";
import { barClose, barOpensBetween } from "../../core/market/bar-times.js";
import type { Candles } from "../../core/market/candles.js";
import { INTERVAL_MS } from "../../core/market/interval.js";
import { calendarOf } from "../../core/market/session.js";
import { horizonOf, ROUND_TRIP_BPS } from "../../core/signals/levels.js";
import { type Settlement, settleHorizon, settlePlan } from "../../core/signals/settlement.js";
import type { PendingAlert } from "./pending-store.js";
import { type NewOutcome, NOTHING_SAID } from "./store.js";

/** Bars that did not come by then, after the last of them was due, are taken to come no more. */
export const PATIENCE_MS = 7 * 86_400_000;

const NO_DIRECTION = "The pattern expects neither rise nor fall: there is no trade on it";
const NO_LEVELS = "The alert has no stop and no target";
const VOID = "The open that was to be the entry lay beyond the stop or the target already";
const NO_BAR = "The bar of the alert is no longer given by its source";
const NO_BARS = "The bars that would tell did not come within a week";

/** When the bars of an alert are due, epoch ms. */
export interface AlertTimes {
  /** Bars from the entry's on after which the trade is closed. */
  readonly horizon: number;
  /** Close of the last of them, as the calendar has it. */
  readonly dueMs: number;
  /** Opens below this may be needed, with as many again for holes. */
  readonly toMs: number;
}

export function timesOf({ policy, terms, shaped, ...alert }: PendingAlert): AlertTimes {
  const { interval, startTime, barTime, instrument } = alert;
  const calendar = calendarOf(instrument.calendar);
  const shape = shaped ? barOpensBetween(calendar, interval, startTime, barTime + 1).length : null;
  const horizon = policy === "horizon" ? Number(terms) : horizonOf(shape);
  const wanted = 2 * horizon + 2;
  const end = barTime + 6 * wanted * INTERVAL_MS[interval] + PATIENCE_MS;
  const opens = barOpensBetween(calendar, interval, barTime, end);
  const last = opens[horizon];
  return {
    horizon,
    dueMs: last === undefined ? end : barClose(calendar, interval, last),
    toMs: opens[wanted] ?? end,
  };
}

/** Why no bars can settle an alert; null where they can. */
export function obstacleOf({ direction, policy, stop, target }: PendingAlert): string | null {
  if (direction === 0) return NO_DIRECTION;
  return policy === "sltp" && (stop === null || target === null) ? NO_LEVELS : null;
}

/**
 * What became of an alert on bars that hold its own and those after it, adjusted for splits. Null while they do not
 * tell yet; unsettled with the reason where they never will. @param candles null where none can be had.
 */
export function settleAlert(alert: PendingAlert, candles: Candles | null, nowMs: number): NewOutcome | null {
  const obstacle = obstacleOf(alert);
  if (obstacle !== null) return unsettled(alert, alert.closedAt, obstacle);
  const times = timesOf(alert);
  const overdueMs = times.dueMs + PATIENCE_MS;
  const later = (reason: string) => (nowMs < overdueMs ? null : unsettled(alert, overdueMs, reason));
  if (candles === null) return later(NO_BARS);
  const at = lowerBound(candles.time, alert.barTime);
  if (candles.time[at] !== alert.barTime) return later(NO_BAR);
  // After a split the same bar stands on another scale, and so do the levels.
  const scale = candles.close[at] / alert.price;
  const settlement = settlementOf(alert, candles, { at, horizon: times.horizon, scale });
  return settlement === null ? later(NO_BARS) : outcomeOf(alert, candles, { at, scale, ...settlement });
}

function settlementOf(
  { direction, policy, stop, target, instrument }: PendingAlert,
  candles: Candles,
  { at, horizon, scale }: { at: number; horizon: number; scale: number },
): Settlement | null {
  if (direction === 0) return null;
  const plan = { at, direction, horizon, costBps: ROUND_TRIP_BPS[instrument.assetClass] };
  const scaled = (level: number | null) => (level === null ? null : level * scale);
  if (policy === "horizon") return settleHorizon(candles, { ...plan, stop: scaled(stop) });
  return stop === null || target === null
    ? null
    : settlePlan(candles, { ...plan, stop: stop * scale, target: target * scale });
}

function outcomeOf(
  alert: PendingAlert,
  { time }: Candles,
  settled: Settlement & { readonly at: number; readonly scale: number },
): NewOutcome {
  const { at, scale, end, exitAt, entry, exit, bars, gain, r, mfe, mae, ambiguous } = settled;
  const { instrument, interval } = alert;
  const isVoid = end === "void";
  return {
    ...named(alert),
    ending: end,
    outcome: gain === null ? null : outcomeOfGain(gain),
    reason: isVoid ? VOID : null,
    entry: entry / scale,
    exit: isVoid ? null : exit / scale,
    enteredAt: time[at + 1],
    exitedAt: isVoid ? null : time[exitAt],
    barsHeld: bars,
    costBps: ROUND_TRIP_BPS[instrument.assetClass],
    gain,
    r,
    mfe,
    mae,
    ambiguous,
    settledAt: barClose(calendarOf(instrument.calendar), interval, time[exitAt]),
  };
}

function unsettled(alert: PendingAlert, settledAt: number, reason: string): NewOutcome {
  return { ...named(alert), ending: "unsettled", reason, settledAt };
}

function named(alert: PendingAlert): Omit<NewOutcome, "settledAt"> {
  const { id, policy, terms, instrument, interval, pattern, direction, confidence } = alert;
  return {
    ...NOTHING_SAID,
    source: "settled",
    policy,
    terms,
    alertId: id,
    instrumentId: instrument.id,
    symbol: instrument.symbol,
    interval,
    pattern,
    direction,
    confidence,
  };
}

/** Of a gain after costs, whatever it is measured in. */
export function outcomeOfGain(gain: number): "profit" | "loss" | "breakeven" {
  return gain > 0 ? "profit" : gain < 0 ? "loss" : "breakeven";
}
