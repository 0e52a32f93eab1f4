import { z } from "zod";
import { lowerBound } from "../core/base/search.js";
import { barSpan } from "../core/market/bar-times.js";
import { type Bar, sliceCandles } from "../core/market/candles.js";
import {
  type CollectedCandles,
  collectCandles,
  dayOfDate,
  dayOfStamp,
  MISPLACED,
  type RejectedBar,
} from "../core/market/collect.js";
import { DAY_MS, dateOf } from "../core/market/day.js";
import type { AssetClass, Instrument } from "../core/market/instrument.js";
import { type Interval, isIntraday } from "../core/market/interval.js";
import { type Calendar, calendarOf } from "../core/market/session.js";
import { quotedText } from "./answer.js";
import { ProviderError } from "./define.js";

/** What fields of vendors' payloads have in common. All is pure. */

/** No price is of a later time; a stamp that says so counts in another unit. */
const LATEST_MS = Date.UTC(2100, 0, 1);

/** A number, or one written as text; NaN for null, nothing and text that is no number. */
export const numeric = z
  .union([z.number(), z.string(), z.null()])
  .optional()
  .transform((value) => {
    if (typeof value === "string") return value.trim() === "" ? Number.NaN : Number(value);
    return value ?? Number.NaN;
  });

/** A list, which some services send as its one element. */
export function oneOrMany<Schema extends z.ZodType>(schema: Schema) {
  return z.union([z.array(schema), schema.transform((value) => [value])]);
}

/** Epoch seconds, ms, microseconds or ns as ms, told apart by their size; NaN for what is none of this era. */
export function epochMs(stamp: number): number {
  const size = Math.abs(stamp);
  if (size < LATEST_MS / 1_000) return stamp * 1_000;
  if (size < LATEST_MS) return stamp;
  if (size < LATEST_MS * 1_000) return stamp / 1_000;
  return size < LATEST_MS * 1_000_000 ? Math.floor(stamp / 1_000_000) : Number.NaN;
}

/** @throws {ProviderError} `bad_payload` for an answer about something else. */
export function requireSymbol(answered: string, asked: string, key: string): void {
  if (answered.toUpperCase() === asked.toUpperCase()) return;
  const other = vendorText(answered, key).slice(0, 24);
  throw new ProviderError("bad_payload", `answered for ${other} instead of ${asked}`);
}

/** A vendor's own words without addresses, tags and the caller's key, cut short. */
export function vendorText(text: string, key: string): string {
  const plain = text.replaceAll(/https?:\/\/[^\s)]*/g, "").replaceAll(/[<>]/g, "");
  return quotedText(plain, [key]).trim();
}

/** Addresses that a reader can follow; others, `javascript:` among them, are not passed on. */
export function isWebAddress(text: string): boolean {
  return URL.canParse(text) && /^https?:$/.test(new URL(text).protocol);
}

/** A row as a vendor sends it, with the instant it is stamped with. */
export type StampedRow = Bar;

/**
 * Candles of rows stamped with their opens, of days with any instant of the session or with midnight of their date
 * in UTC. Rows in which all prices are missing are moments without trades: left out. Rows off the grid of a regular
 * session are named; those outside the sessions are given, and left to the caller.
 */
export function candlesOfRows(
  rows: readonly StampedRow[],
  instrument: Instrument,
  interval: Interval,
): CollectedCandles {
  const calendar = calendarOf(instrument.calendar);
  const bars: Bar[] = [];
  const misplaced: RejectedBar[] = [];
  for (const row of rows) {
    const { open, high, low, close } = row;
    if ([open, high, low, close].every(Number.isNaN)) continue;
    const time = timeOfStamp(row.time, calendar, interval);
    if (time === null) misplaced.push({ time: row.time, ...MISPLACED });
    else bars.push({ ...row, time, volume: volumeOf(instrument, row.volume) });
  }
  const collected = collectCandles(instrument.symbol, interval, bars, "either");
  return { ...collected, rejected: [...misplaced, ...collected.rejected] };
}

function timeOfStamp(stampMs: number, calendar: Calendar, interval: Interval): number | null {
  if (!(Math.abs(stampMs) < LATEST_MS)) return null;
  if (isIntraday(interval)) {
    const span = barSpan(calendar, interval, stampMs);
    return span !== null && (span.open === stampMs || !span.regular) ? stampMs : null;
  }
  if (stampMs % DAY_MS === 0) return dayOfDate(calendar, dateOf(stampMs / DAY_MS));
  return dayOfStamp(calendar, stampMs);
}

/** Classes of which not every bar has a volume: it is 0 where none is told. */
const WITHOUT_VOLUME: readonly AssetClass[] = ["index", "fx", "commodity"];

/** The volume of a bar. One that is not told is unknown, and no row is a bar without it. */
export function volumeOf({ assetClass }: Instrument, told: number | null | undefined): number {
  if (typeof told === "number" && !Number.isNaN(told)) return told;
  return WITHOUT_VOLUME.includes(assetClass) ? 0 : Number.NaN;
}

/** Bars that open in [fromMs, toMs), of an answer that may have more. */
export function within(collected: CollectedCandles, fromMs: number, toMs: number): CollectedCandles {
  const { candles } = collected;
  const { time } = candles;
  return {
    ...collected,
    candles: sliceCandles(candles, lowerBound(time, fromMs), lowerBound(time, toMs)),
  };
}

/** Rows come for whole days. */
const BESIDE_MS = 2 * DAY_MS;

/**
 * The same of a service that gives what it is asked for.
 * @throws {ProviderError} `bad_payload` when all bars lie elsewhere: of the stretch it says nothing then.
 */
export function requireWithin(collected: CollectedCandles, fromMs: number, toMs: number): CollectedCandles {
  const { time } = collected.candles;
  const beside = within(collected, fromMs - BESIDE_MS, toMs + BESIDE_MS).candles;
  if (time.length > 0 && beside.time.length === 0) {
    throw new ProviderError("bad_payload", "answered with bars of another stretch");
  }
  return within(collected, fromMs, toMs);
}

/**
 * A stretch in pieces no longer than a limit, oldest first.
 * @throws {ProviderError} as `requireFew`.
 */
export function piecesOf(
  fromMs: number,
  toMs: number,
  limitMs: number,
  callsPerMinute: number | null,
): readonly (readonly [from: number, to: number])[] {
  requireFew(Math.ceil((toMs - fromMs) / limitMs), callsPerMinute);
  const pieces: [number, number][] = [];
  for (let from = fromMs; from < toMs; from += limitMs) pieces.push([from, Math.min(toMs, from + limitMs)]);
  return pieces;
}

/** Requests that one question may take, whatever the plan: more are not answered in time. */
const REQUESTS_LIMIT = 40;

/**
 * A stretch that takes more requests than may be made in a minute would spend them all and end without an answer.
 * @throws {ProviderError} `refused`.
 */
export function requireFew(requests: number, callsPerMinute: number | null): void {
  const most = Math.min(callsPerMinute ?? REQUESTS_LIMIT, REQUESTS_LIMIT);
  if (requests <= most) return;
  throw new ProviderError(
    "refused",
    `so long a stretch takes ${requests} requests, and ${most} may be made at a time`,
  );
}

/** What the caller's plan does not include. */
export class PlanError extends ProviderError {
  constructor(detail: string) {
    super("refused", detail);
  }
}

/** What a plan does not include, for some hours: so that no calls are spent on asking for it again. */
export interface Refusals {
  /** Remembers when the plan does not include it. @throws what the work throws. */
  heed<T>(what: string, work: () => Promise<T>): Promise<T>;
}

const REFUSAL_MS = 6 * 3_600_000;

export function createRefusals(now: () => number): Refusals {
  const since = new Map<string, { at: number; reason: string }>();
  function requireNone(what: string): void {
    const refusal = since.get(what);
    if (refusal !== undefined && now() - refusal.at < REFUSAL_MS) {
      throw new ProviderError("refused", refusal.reason);
    }
  }
  return {
    async heed(what, work) {
      requireNone(what);
      try {
        return await work();
      } catch (error) {
        if (error instanceof PlanError) {
          since.set(what, { at: now(), reason: error.message });
        }
        throw error;
      }
    },
  };
}
