import type { ConfidenceDrift, RegressionFailure, RegressionResult } from "./regression.js";
import type { SignalSnapshot } from "./snapshot.js";

/** Signals of one kind that are listed by name for a strategy; the rest are counted. */
const SHOWN = 5;

const FAILURES: Readonly<Record<RegressionFailure, string>> = {
  no_baseline: "there is no baseline",
  empty_baseline: "the baseline is empty: nothing was compared",
  other_data: "the baseline is of other data",
  error: "could not be computed",
  missing_signals: "signals are missing",
  extra_signals: "there are signals that were not there before",
  confidence_drift: "confidence moved by more than the tolerance",
};

const HEAD = ["strategy", "baseline", "current", "matched", "missing", "extra", "drift", "largest", "result"];

/**
 * Results as text: a table with a line for each strategy, what failed of each, and a closing line.
 * @param tolerance that they were compared with.
 */
export function regressionText(results: readonly RegressionResult[], tolerance: number): string {
  const rows = results.map((result) => [
    result.strategyId,
    ...[result.baseline, result.current, result.matched].map(String),
    ...[result.missing, result.extra, result.drifts].map(({ length }) => String(length)),
    result.largestDrift === null ? "-" : result.largestDrift.toFixed(4),
    result.passed ? "passed" : "FAILED",
  ]);
  const failed = results.filter(({ passed }) => !passed);
  const parts = [
    alignedText([HEAD, ...rows]),
    ...failed.map(failureText),
    results.length === 0
      ? "FAILED: no strategy was compared"
      : `${results.length - failed.length} of ${results.length} strategies passed; confidence may move by ${tolerance}`,
  ];
  return `${parts.join("\n\n")}\n`;
}

/** Cells in columns: the first to the left, the others to the right. */
function alignedText(rows: readonly (readonly string[])[]): string {
  const widths = HEAD.map((_, column) => Math.max(...rows.map((row) => row[column].length)));
  return rows
    .map((row) =>
      row
        .map((cell, i) => (i === 0 ? cell.padEnd(widths[i]) : cell.padStart(widths[i])))
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}

function failureText({ strategyId, failures, note, missing, extra, drifts }: RegressionResult): string {
  const lines = [
    `${strategyId}: ${failures.map((failure) => FAILURES[failure]).join("; ")}`,
    ...(note === null ? [] : [`  ${note}`]),
    ...listText("missing", missing.map(signalText)),
    ...listText("extra", extra.map(signalText)),
    ...listText("drift", drifts.map(driftText)),
  ];
  return lines.join("\n");
}

function listText(kind: string, lines: readonly string[]): string[] {
  const shown = lines.slice(0, SHOWN).map((line) => `  ${kind}: ${line}`);
  return lines.length > SHOWN ? [...shown, `  ${kind}: and ${lines.length - SHOWN} more`] : shown;
}

function signalText({ symbol, interval, time, side, entry, confidence }: SignalSnapshot): string {
  const at = new Date(time).toISOString();
  return `${at} ${symbol} ${interval} ${side} at ${entry ?? "no price"}, confidence ${confidence ?? "none"}`;
}

function driftText({ signal, from, to, change }: ConfidenceDrift): string {
  const moved = change === null ? "" : ` (${change > 0 ? "+" : ""}${change.toFixed(4)})`;
  const { symbol, interval, time, side } = signal;
  const at = new Date(time).toISOString();
  return `${at} ${symbol} ${interval} ${side}: confidence ${from ?? "none"} became ${to ?? "none"}${moved}`;
}
