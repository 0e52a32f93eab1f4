import { type Bar, candlesFromRows } from "../../core/market/candles.js";
import { CONTRADICTED, REPLACED, type RejectedBar, type RowNote } from "../../core/market/collect.js";
import { describeRow, rowDefect } from "../../core/quality/bars.js";
import type { Issue, IssueCode, Severity } from "../../core/quality/issue.js";

/** Codes of the reasons that `collectCandles`, the gateway and the sources give, for rows that are not told with them. */
const REASONS: readonly [RegExp, IssueCode][] = [
  [/volume/, "volume_invalid"],
  [/^time is not a number/, "time_invalid"],
  [/not positive/, "price_not_positive"],
  [/low is above|high is below/, "price_out_of_range"],
  [/not that of a bar|exchange was closed|lies across its edge/, "off_session"],
  [/future/, "future"],
];

interface Found {
  readonly code: IssueCode;
  readonly severity: Severity;
  readonly detail: string;
}

function finding({ reason, row, other }: RejectedBar): Found {
  if (reason === CONTRADICTED || reason === REPLACED) {
    const values = row === undefined || other === undefined ? reason : `${textOf(row)} and ${textOf(other)}`;
    const replaced = reason === REPLACED;
    return {
      code: "contradicting_rows",
      severity: replaced ? "warning" : "critical",
      detail: `${values}; ${replaced ? "the later stands" : "both are held back"}`,
    };
  }
  const told = row === undefined ? null : rowDefect(candlesFromRows("", "1d", [row]), 0);
  const code = told ?? REASONS.find(([pattern]) => pattern.test(reason))?.[1] ?? "price_not_finite";
  return {
    code,
    severity: code === "off_session" ? "warning" : "critical",
    detail: `${reason}${row === undefined ? "" : `: ${textOf(row)}`}; held back`,
  };
}

function textOf(row: Bar): string {
  return describeRow(candlesFromRows("", "1d", [row]), 0);
}

/** Rows that were left out before anybody looked at them, as one issue for each kind. */
export function rejectedIssues(symbol: string, rejected: readonly RejectedBar[]): Issue[] {
  const found = new Map<string, Found & { readonly time: number; count: number }>();
  for (const each of rejected) {
    const { code, severity, detail } = finding(each);
    const key = `${code} ${severity}`;
    const known = found.get(key);
    if (known === undefined) found.set(key, { code, severity, detail, time: each.time, count: 1 });
    else known.count++;
  }
  return [...found.values()].map(({ time, ...issue }) => ({
    ...issue,
    subject: symbol,
    time: Number.isFinite(time) ? time : null,
  }));
}

const NOTES: Readonly<Record<RowNote["kind"], { code: IssueCode; severity: Severity; deed: string }>> = {
  out_of_order: { code: "out_of_order", severity: "warning", deed: "put in order" },
  repeated: { code: "repeated_row", severity: "info", deed: "taken once" },
  future: { code: "future", severity: "critical", deed: "held back" },
  unreadable: { code: "time_invalid", severity: "critical", deed: "left out" },
  cut_off: { code: "field_missing", severity: "critical", deed: "left out" },
};

/** What a source put right or left out of its rows. */
export function noteIssues(symbol: string, notes: readonly RowNote[]): Issue[] {
  return notes.map(({ kind, time, count, detail }) => {
    const { code, severity, deed } = NOTES[kind];
    const at = Number.isFinite(time) ? time : null;
    return { code, severity, subject: symbol, detail: `${detail}; ${deed}`, time: at, count };
  });
}
