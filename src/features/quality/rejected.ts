import { type Bar, candlesFromRows } from "../../core/market/candles.js";
import type { RejectedBar, RowFault, RowNote } from "../../core/market/collect.js";
import { describeRow } from "../../core/quality/bars.js";
import type { Issue, IssueCode, Severity } from "../../core/quality/issue.js";

/** What is told of each fault. Rows whose fault nobody names are held back for what their source says in words. */
const FAULTS: Readonly<Record<RowFault | "unnamed", { code: IssueCode; severity: Severity; deed: string }>> =
  {
    time_invalid: { code: "time_invalid", severity: "critical", deed: "held back" },
    price_not_finite: { code: "price_not_finite", severity: "critical", deed: "held back" },
    price_not_positive: { code: "price_not_positive", severity: "critical", deed: "held back" },
    high_below_low: { code: "high_below_low", severity: "critical", deed: "held back" },
    price_out_of_range: { code: "price_out_of_range", severity: "critical", deed: "held back" },
    volume_invalid: { code: "volume_invalid", severity: "critical", deed: "held back" },
    off_session: { code: "off_session", severity: "warning", deed: "held back" },
    future: { code: "future", severity: "critical", deed: "held back" },
    replaced_row: { code: "contradicting_rows", severity: "warning", deed: "the later stands" },
    contradicting_rows: { code: "contradicting_rows", severity: "critical", deed: "both are held back" },
    unnamed: { code: "row_refused", severity: "warning", deed: "held back" },
  };

interface Found {
  readonly code: IssueCode;
  readonly severity: Severity;
  readonly detail: string;
}

function finding({ fault, reason, row, other }: RejectedBar): Found {
  const { code, severity, deed } = FAULTS[fault ?? "unnamed"];
  const both = row === undefined || other === undefined ? null : `${textOf(row)} and ${textOf(other)}`;
  const what = both ?? (row === undefined ? reason : `${reason}: ${textOf(row)}`);
  return { code, severity, detail: `${what}; ${deed}` };
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
