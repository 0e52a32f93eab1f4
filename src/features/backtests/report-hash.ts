import { createHash } from "node:crypto";
import type { RunColumns } from "./run-store.js";
import { bytesOf } from "./store.js";

/** What of a report says what its result is worth after other trials, which are more from one run of it to the next. */
const AFTER_OTHERS = new Set([
  ...["trials", "trials_on_these_bars", "independent_trials", "deflated_sharpe", "deflated_from"],
  ...["probability_of_overfitting", "loss_probability", "sharpe_degradation", "cross_validated", "verdicts"],
]);

/** What answers and documents say of it. */
export const HASH_WORDS =
  "Names the whole report: strategy, bars, notes, terms, figures, months, drawdowns, fills, trades, breakdown, permutation_p and all that is drawn, with the equity and the benchmark of each bar. " +
  "Not in it are ids, times of answering, and what other trials in the ledger decide: of overfitting the counts of trials, the deflated Sharpe ratio with what it is made of, the figures of cross-validation, and the verdicts. " +
  "The same order on the same bars has the same, whatever the machine, its threads and the time";
export const RUN_HASH_WORDS =
  "Names what the engine did, and nothing that was reckoned from it: orders, fills, equity, time and bounds of the run";

/** 32 hexadecimal digits of a report, and of the columns that are kept with it. @param report without ids and clocks. */
export function reportHash(report: object, columns: RunColumns | null = null): string {
  const hash = createHash("sha256").update(JSON.stringify(report, ownFindings));
  if (columns !== null) hash.update(bytesOf([columns.time, columns.equity, columns.benchmark]));
  return hash.digest("hex").slice(0, 32);
}

/** A report with its hash. */
export function hashed<R extends object>(report: R, columns: RunColumns | null = null): R & { hash: string } {
  return { ...report, hash: reportHash(report, columns) };
}

function ownFindings(key: string, value: unknown): unknown {
  // A limit and a verdict have the same name, and are no block.
  if (key !== "overfitting" || typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).filter(([name]) => !AFTER_OTHERS.has(name)));
}
