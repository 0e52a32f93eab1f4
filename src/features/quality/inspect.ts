import { lowerBound, upperBound } from "../../core/base/search.js";
import {
  type BarColumn,
  type Bars,
  type Candles,
  dividedCandles,
  sliceCandles,
} from "../../core/market/candles.js";
import type { RejectedBar, RowNote } from "../../core/market/collect.js";
import { checkRows, describeRow, frozenBars } from "../../core/quality/bars.js";
import type { Issue } from "../../core/quality/issue.js";
import { AGREEMENT, agreement, KINSHIP, kinship } from "../../core/quality/kinship.js";
import { type PriceTerms, repairBars } from "../../core/quality/repair.js";
import { slipFrom, TRUSTED_BARS } from "../../core/quality/scale.js";
import { splitJumps, type UnappliedSplit } from "../../core/quality/splits.js";
import type { Verdict } from "../candles/inspection.js";
import { noteIssues, rejectedIssues } from "./rejected.js";

/** What a source gave of a series, and what is stored of it. */
export interface Delivery {
  readonly symbol: string;
  readonly candles: Candles;
  readonly rejected: readonly RejectedBar[];
  /** What the source put right or left out by itself. */
  readonly notes: readonly RowNote[];
  /** What the source gave of the time before, which another source has; null for nothing. */
  readonly overlap: Candles | null;
  /** Stored bars among these and on either side of them, as many as are worth looking at, adjusted as these are. */
  readonly stored: Candles;
  readonly terms: PriceTerms;
  /** Whether a bar is the same hours of trading at whichever source: a day of an exchange. */
  readonly sameDays: boolean;
}

export interface Inspected extends Omit<Verdict, "trouble"> {
  readonly issues: readonly Issue[];
}

/** Looks at bars before they are stored. Nothing critical passes unmended. */
export function inspect(delivery: Delivery, nowMs: number): Inspected {
  const { symbol, stored, terms } = delivery;
  const { candles, slip } = onKnownScale(delivery);
  const issues: Issue[] = [
    ...rejectedIssues(symbol, delivery.rejected),
    ...noteIssues(symbol, delivery.notes),
    ...slip,
  ];
  const none = sliceCandles(candles, 0, 0);
  const nothing = { candles: none, held: [], mended: none, gone: [], againFrom: null, lacked: [], issues };
  if (candles.time.length === 0) return nothing;
  const stranger = strangerIssue(delivery);
  if (stranger !== null) {
    const held = Array.from(candles.time, (time) => ({ time, reason: stranger.detail }));
    return { ...nothing, held, issues: [...issues, stranger] };
  }
  const before = lowerBound(stored.time, candles.time[0]);
  const after = upperBound(stored.time, candles.time[candles.time.length - 1]);
  const joined = joinBars([sliceCandles(stored, 0, before), candles, sliceCandles(stored, after)]);
  const isKnown = (i: number) => i < before || i >= before + candles.time.length;
  const repaired = repairBars(symbol, joined, { ...terms, known: isKnown });
  const frozen = frozenBars(repaired.bars).filter((i) => !isKnown(i));
  const held = new Set([...repaired.held, ...frozen]);
  const passed = select(repaired.bars, (i) => !isKnown(i) && !held.has(i));
  const known = select(
    repaired.bars,
    (i) =>
      isKnown(i) &&
      !held.has(i) &&
      (isRescaled(joined, repaired.bars, i) || repaired.lacked.some(({ from, to }) => from <= i && i < to)),
  );
  const own = { symbol, interval: candles.interval };
  // A few new bars cannot say that stored ones are wrong.
  const gone =
    passed.time.length < TRUSTED_BARS ? [] : repaired.held.filter(isKnown).map((i) => joined.time[i]);
  const fresh = ({ time, code }: Issue) => time === null || time >= candles.time[0] || SCALE.has(code);
  issues.push(
    ...repaired.issues.filter(fresh),
    ...rowIssues(symbol, repaired.bars, before, held, terms, nowMs),
    ...frozenIssue(symbol, repaired.bars, frozen),
  );
  return {
    candles: { ...own, ...passed },
    held: [
      ...repaired.held
        .filter((i) => !isKnown(i))
        .map((i) => ({ time: joined.time[i], reason: "stands on another scale than its series" })),
      ...frozen.map((i) => ({
        time: joined.time[i],
        reason: "repeats the twenty bars before, volume and all",
      })),
    ],
    mended: { ...own, ...known },
    gone,
    againFrom: repaired.unconfirmed < 0 ? null : joined.time[repaired.unconfirmed],
    lacked: lackedBefore(repaired.lacked, before, joined.time[0]),
    issues,
  };
}

/** Splits that the stored bars before new ones lack, too, as far back as is seen: up to `beforeMs`. */
function lackedBefore(
  lacked: readonly UnappliedSplit[],
  before: number,
  beforeMs: number,
): Verdict["lacked"] {
  if (before === 0) return [];
  return lacked.flatMap(({ split, from, to }) => (from === 0 && to >= before ? [{ split, beforeMs }] : []));
}

/** Bars that are all 100 times off what is stored of the same times, put on the scale of what is stored. */
function onKnownScale({ symbol, candles, stored }: Delivery): { candles: Candles; slip: Issue[] } {
  const exponent = slipFrom(stored, candles);
  if (exponent === 0) return { candles, slip: [] };
  const { time, close } = candles;
  const text = exponent > 0 ? "too large" : "too small";
  const issue = {
    code: "scale_slip",
    severity: "critical",
    subject: symbol,
    detail: `closes from ${close[0]} on are ${text} beside the stored ones of the same times; mended`,
    time: time[0],
    count: time.length,
  } as const;
  return {
    slip: [issue],
    candles: dividedCandles(candles, 100 ** exponent),
  };
}

const SCALE: ReadonlySet<string> = new Set(["scale_slip", "level_break"]);

/** That bars are of another instrument, by the returns of the days that are known already; null where they are not. */
function strangerIssue({ symbol, candles, overlap, stored, sameDays }: Delivery): Issue | null {
  const [relate, least] = sameDays ? [agreement, AGREEMENT] : [kinship, KINSHIP];
  const related =
    overlap === null ? relate(candles, stored) : (relate(overlap, stored) ?? relate(candles, stored));
  if (related === null || related >= least) return null;
  const detail = sameDays
    ? `${Math.round(100 * related)} % of the days have the stored returns; held back`
    : `correlation with the stored returns is ${related.toFixed(2)}; held back`;
  return {
    code: "other_instrument",
    severity: "critical",
    subject: symbol,
    detail,
    time: candles.time[0],
    count: candles.time.length,
  };
}

function frozenIssue(symbol: string, bars: Bars, frozen: readonly number[]): Issue[] {
  if (frozen.length === 0) return [];
  const detail = `${describeRow(bars, frozen[0])} repeats the twenty bars before; held back`;
  const time = bars.time[frozen[0]];
  return [{ code: "frozen", severity: "critical", subject: symbol, detail, time, count: frozen.length }];
}

/** What is odd about the bars that pass, the step from the last stored one before them included. */
function rowIssues(
  symbol: string,
  bars: Bars,
  before: number,
  held: ReadonlySet<number>,
  { adjusted, splits }: PriceTerms,
  nowMs: number,
): Issue[] {
  const looked = select(bars, (i) => i >= before - 1 && !held.has(i));
  // Of prices that should have their splits no known one explains a move.
  const jumps = adjusted === "none" ? splitJumps(bars, splits) : [];
  const explained = new Set([...jumps].map((i) => bars.time[i]));
  const { issues } = checkRows(symbol, looked, nowMs, (i) => explained.has(looked.time[i]));
  return issues.filter(({ severity }) => severity !== "info");
}

/** Whether a bar was multiplied by a power of 100. */
function isRescaled(from: Bars, to: Bars, i: number): boolean {
  const exponent = Math.log(to.close[i] / from.close[i]) / Math.log(100);
  return Math.abs(exponent) > 0.5 && Math.abs(exponent - Math.round(exponent)) < 1e-9;
}

function select(bars: Bars, wanted: (i: number) => boolean): Bars {
  const keep = (name: BarColumn) => bars[name].filter((_, i) => wanted(i));
  return columnsOf(keep);
}

function joinBars(parts: readonly Bars[]): Bars {
  const length = parts.reduce((sum, { time }) => sum + time.length, 0);
  return columnsOf((name) => {
    const column = new Float64Array(length);
    let at = 0;
    for (const part of parts) {
      column.set(part[name], at);
      at += part[name].length;
    }
    return column;
  });
}

function columnsOf(column: (name: BarColumn) => Float64Array): Bars {
  return {
    time: column("time"),
    open: column("open"),
    high: column("high"),
    low: column("low"),
    close: column("close"),
    volume: column("volume"),
  };
}
