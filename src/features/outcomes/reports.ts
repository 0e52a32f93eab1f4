import { AppError } from "../../platform/errors.js";
import type { Alerts } from "../alerts/alerts.js";
import type { Alert } from "../alerts/store.js";
import type { Instruments } from "../instruments/instruments.js";
import { outcomeOfGain } from "./settle.js";
import { type NewOutcome, NOTHING_SAID, type OutcomeStore } from "./store.js";

type Result = "profit" | "loss" | "breakeven";

/** What a user tells of a trade. Times in epoch ms, money in the currency of the instrument. */
export interface Report {
  readonly symbol: string;
  readonly pattern: string;
  readonly outcome?: Result | undefined;
  readonly pnl?: number | undefined;
  readonly returnPct?: number | undefined;
  readonly entry?: number | undefined;
  readonly exit?: number | undefined;
  readonly quantity?: number | undefined;
  readonly direction?: 1 | -1 | undefined;
  readonly alertId?: number | undefined;
  readonly interval?: string | undefined;
  readonly openedAt?: number | undefined;
  readonly closedAt?: number | undefined;
  readonly durationMin?: number | undefined;
  /** 0..1 */
  readonly confidence?: number | undefined;
  readonly metadata?: unknown;
}

/** A report as it was kept. */
export interface Kept {
  readonly id: number;
  readonly outcome: Result;
  readonly gain: number | null;
  readonly r: number | null;
}

export interface Reports {
  /** @throws {AppError} as symbols do, `alert_not_found`, `invalid_request` for what contradicts itself, `conflict`. */
  report(userId: string, report: Report): Promise<Kept>;
}

export interface ReportOptions {
  readonly store: Pick<OutcomeStore, "report">;
  readonly instruments: Pick<Instruments, "resolve">;
  readonly alerts: Pick<Alerts, "get">;
  readonly now: () => number;
}

export function createReports({ store, instruments, alerts, now }: ReportOptions): Reports {
  return {
    async report(userId, report) {
      const { alertId } = report;
      const instrument = await instruments.resolve(report.symbol);
      const alert = alertId === undefined ? null : (await alerts.get(alertId)).alert;
      if (alert !== null && alert.symbol !== instrument.symbol) {
        throw refused(`alert_id: alert ${alert.id} is on ${alert.symbol}, not on ${instrument.symbol}`);
      }
      const read = readReport(report, alert, now());
      const { id: instrumentId, symbol } = instrument;
      const id = await store.report({ ...read, userId, instrumentId, symbol });
      return { id, outcome: read.outcome, gain: read.gain, r: read.r };
    },
  };
}

/** @throws {AppError} `invalid_request` where it says nothing of an outcome, or two things. */
function readReport(
  report: Report,
  alert: Alert | null,
  nowMs: number,
): Omit<NewOutcome, "outcome"> & { outcome: Result } {
  const { entry, exit, openedAt, quantity, metadata = null } = report;
  const { closedAt = nowMs } = report;
  if (closedAt > nowMs) throw refused("closed_at: lies in the future");
  if (openedAt !== undefined && openedAt > closedAt) throw refused("opened_at: lies after closed_at");
  const direction = report.direction ?? (alert === null || alert.direction === 0 ? null : alert.direction);
  requireConsistent(report, direction);
  const gain = gainOf(report, direction);
  const durationMin = openedAt === undefined ? null : (closedAt - openedAt) / 60_000;
  return {
    ...NOTHING_SAID,
    source: "user",
    symbol: report.symbol,
    alertId: alert?.id ?? null,
    interval: report.interval ?? alert?.interval ?? null,
    pattern: report.pattern,
    direction,
    outcome: resultOf(report, gain),
    entry: entry ?? null,
    exit: exit ?? null,
    enteredAt: openedAt ?? null,
    exitedAt: report.closedAt ?? null,
    gain,
    r: entry === undefined || gain === null ? null : inRisk(gain * entry, alert),
    quantity: quantity === undefined ? null : String(quantity),
    pnl: pnlOf(report, gain)?.toFixed(6) ?? null,
    confidence: report.confidence ?? null,
    durationMin: report.durationMin ?? durationMin,
    metadata,
    settledAt: closedAt,
  };
}

/** Costs and dividends of a trade come to no more than this share of what was traded. */
const MOST_COSTS = 0.05;
/** Nothing larger can be told, either. */
const MOST_PNL = 1e12;
/** A return in percent may be rounded by so much of the entry. */
const ROUNDED = 0.005;

/** @throws {AppError} `invalid_request` where what is told of a gain does not fit together. */
function requireConsistent(report: Report, direction: 1 | -1 | null): void {
  const { entry, exit, returnPct, pnl } = report;
  const [said, earned] = [returnPct === undefined ? null : returnPct / 100, shareOfPnl(report)];
  if (said !== null && earned !== null && Math.abs(said - earned) > ROUNDED) {
    throw refused(`return_pct: ${returnPct} contradicts a pnl of ${pnl} at this entry and quantity`);
  }
  if (entry === undefined || exit === undefined) return;
  const moved = (exit - entry) / entry;
  const costs = (MOST_COSTS * (entry + exit)) / entry;
  // Without a side either may be meant.
  const ways = direction === null ? [1, -1] : [direction];
  const fits = (gain: number) => ways.some((way) => Math.abs(gain - way * moved) <= costs);
  const prices = `prices of ${entry} and ${exit}, by more than costs may be`;
  if (earned !== null && !fits(earned)) throw refused(`pnl: ${pnl} contradicts ${prices}`);
  if (said !== null && !fits(said)) throw refused(`return_pct: ${returnPct} contradicts ${prices}`);
}

/** What was gained as a share of the entry; null where the money put in is not told. */
function shareOfPnl({ pnl, entry, quantity }: Report): number | null {
  return pnl === undefined || entry === undefined || quantity === undefined ? null : pnl / (entry * quantity);
}

/** As a share of the entry, after costs where it is told so; null where nothing tells it. */
function gainOf(report: Report, direction: 1 | -1 | null): number | null {
  const { returnPct, entry, exit } = report;
  if (returnPct !== undefined) return returnPct / 100;
  const earned = shareOfPnl(report);
  if (earned !== null) return earned;
  if (entry === undefined || exit === undefined || direction === null) return null;
  return (direction * (exit - entry)) / entry;
}

/** In the currency of the instrument, as it is told or as it follows from the gain. */
function pnlOf({ pnl, entry, quantity }: Report, gain: number | null): number | null {
  if (pnl !== undefined) return pnl;
  if (gain === null || entry === undefined || quantity === undefined) return null;
  const follows = gain * entry * quantity;
  return Math.abs(follows) <= MOST_PNL ? follows : null;
}

/** What is said, where the money and the return do not say otherwise. */
function resultOf({ outcome, pnl }: Report, gain: number | null): Result {
  const told = pnl ?? gain;
  if (told === null) {
    if (outcome !== undefined) return outcome;
    throw refused("outcome: is needed, or pnl, or return_pct, or both prices and a side");
  }
  const measured = outcomeOfGain(told);
  // Prices are before costs: what they say does not contradict what the trader says.
  if (outcome === undefined) return measured;
  if (pnl !== undefined && measured !== outcome) {
    throw refused(`outcome: ${outcome} contradicts a pnl of ${pnl}`);
  }
  return outcome;
}

function inRisk(perUnit: number, alert: Alert | null): number | null {
  if (alert === null || alert.stop === null) return null;
  const risk = Math.abs(alert.price - alert.stop);
  return risk > 0 ? perUnit / risk : null;
}

function refused(problem: string): AppError {
  return new AppError("invalid_request", `body ${problem}`);
}
