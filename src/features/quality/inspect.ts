import { lowerBound } from "../../core/base/search.js";
import { type Bars, type Candles, sliceCandles } from "../../core/market/candles.js";
import type { RejectedBar } from "../../core/market/collect.js";
import { checkRows } from "../../core/quality/bars.js";
import type { Issue, IssueCode } from "../../core/quality/issue.js";
import { KINSHIP, kinship } from "../../core/quality/kinship.js";
import { type PriceTerms, repairBars } from "../../core/quality/repair.js";

/** What a source gave of a series, and what is stored of it. */
export interface Delivery {
  readonly symbol: string;
  readonly candles: Candles;
  readonly rejected: readonly RejectedBar[];
  /** Stored bars that overlap with these or come before them, as many as are worth looking at. */
  readonly stored: Candles;
  readonly terms: PriceTerms;
}

export interface Inspected {
  /** What may be stored: the bars as they came, mended where there is exactly one remedy, none where they are not its own. */
  readonly candles: Candles;
  readonly issues: readonly Issue[];
}

/** Codes of the reasons that `collectCandles` and the sources give. */
const REASONS: readonly [RegExp, IssueCode][] = [
  [/not finite$|is not a number$/, "price_not_finite"],
  [/not positive/, "price_not_positive"],
  [/low is above|high is below/, "price_out_of_range"],
  [/volume/, "volume_invalid"],
  [/replaced by a later row/, "contradicting_rows"],
  [/not that of a bar/, "off_session"],
  [/future/, "future"],
];

/** Looks at bars before they are stored. Nothing critical passes unmended. */
export function inspect({ symbol, candles, rejected, stored, terms }: Delivery, nowMs: number): Inspected {
  const issues: Issue[] = rejectedIssues(symbol, rejected);
  if (candles.time.length === 0) return { candles, issues };
  const related = kinship(candles, stored);
  if (related !== null && related < KINSHIP) {
    const detail = `correlation with the stored returns is ${related.toFixed(2)}; held back`;
    const { length } = candles.time;
    const found = { subject: symbol, time: candles.time[0], count: length } as const;
    issues.push({ ...found, code: "other_instrument", severity: "critical", detail });
    return { candles: sliceCandles(candles, 0, 0), issues };
  }
  const before = lowerBound(stored.time, candles.time[0]);
  const joined = joinBars(stored, before, candles);
  const repaired = repairBars(symbol, joined, terms);
  const mended = sliceBars(repaired.bars, before, joined.time.length);
  const fresh = ({ time }: Issue) => time === null || time >= candles.time[0];
  issues.push(...repaired.issues.filter(fresh));
  issues.push(...checkRows(symbol, mended, nowMs).issues.filter(({ severity }) => severity !== "info"));
  return { candles: { ...candles, ...mended }, issues };
}

function rejectedIssues(symbol: string, rejected: readonly RejectedBar[]): Issue[] {
  const found = new Map<IssueCode, { time: number; detail: string; count: number }>();
  for (const { time, reason } of rejected) {
    const code = REASONS.find(([pattern]) => pattern.test(reason))?.[1] ?? "price_not_finite";
    const known = found.get(code);
    if (known === undefined) found.set(code, { time, detail: `${reason}; held back`, count: 1 });
    else known.count++;
  }
  return [...found].map(([code, { time, detail, count }]) => ({
    ...{ code, subject: symbol, detail, count },
    severity: code === "off_session" ? "warning" : "critical",
    time: Number.isFinite(time) ? time : null,
  }));
}

const COLUMNS = ["time", "open", "high", "low", "close", "volume"] as const;

function sliceBars(bars: Bars, from: number, to: number): Bars {
  const part = (name: (typeof COLUMNS)[number]) => bars[name].subarray(from, to);
  return {
    time: part("time"),
    open: part("open"),
    high: part("high"),
    low: part("low"),
    close: part("close"),
    volume: part("volume"),
  };
}

/** The first `count` bars of one series and all of another. */
function joinBars(stored: Bars, count: number, fetched: Bars): Bars {
  const join = (name: (typeof COLUMNS)[number]) => {
    const column = new Float64Array(count + fetched.time.length);
    column.set(stored[name].subarray(0, count));
    column.set(fetched[name], count);
    return column;
  };
  return {
    time: join("time"),
    open: join("open"),
    high: join("high"),
    low: join("low"),
    close: join("close"),
    volume: join("volume"),
  };
}
