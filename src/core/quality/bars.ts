import { type Bars, barFault } from "../market/candles.js";
import type { Issue, IssueCode, Severity } from "./issue.js";

/** A bar may be so much newer than the clock here. */
const CLOCK_TOLERANCE_MS = 120_000;
/** Change between two closes, as a share of the earlier, from which it is told. */
export const LARGE_MOVE = 0.4;

/** So many bars that are traded and repeat the one before are those of a source that stands still. */
const FROZEN_BARS = 4;
/** So many say nothing of the market any more. */
const LASTING_BARS = 20;

export interface RowCheck {
  readonly issues: readonly Issue[];
  /** Rows that are not bars: to be kept from detection and trading, ascending. */
  readonly held: readonly number[];
}

/** Why one row cannot be a bar, or null. */
export function rowDefect(bars: Bars, i: number): IssueCode | null {
  if (!Number.isFinite(bars.time[i])) return "time_invalid";
  const { open, high, low, close, volume } = bars;
  return barFault(open[i], high[i], low[i], close[i], volume[i])?.code ?? null;
}

/** Collects findings of one kind into one issue each. */
export class Findings {
  readonly #subject: string;
  readonly #found = new Map<
    string,
    { code: IssueCode; severity: Severity; detail: string; time: number | null; count: number }
  >();

  constructor(subject: string) {
    this.#subject = subject;
  }

  /**
   * The detail of the first finding of a kind is kept.
   * @param time NaN for none.
   * @param of what tells kinds of one code apart, as the field that is missing.
   */
  add(code: IssueCode, severity: Severity, time: number, detail: () => string, count = 1, of = ""): void {
    const key = `${code} ${of}`;
    const known = this.#found.get(key);
    if (known === undefined) {
      const at = Number.isFinite(time) ? time : null;
      this.#found.set(key, { code, severity, detail: detail(), time: at, count });
    } else known.count += count;
  }

  list(): Issue[] {
    return [...this.#found.values()].map((finding) => ({ subject: this.#subject, ...finding }));
  }
}

/**
 * Rows as a source sent them, in its order: which of them cannot be bars, and what else is odd about them.
 * Descending rows count as out of order once; their order can be mended, so none is held for it.
 * @param explained whether the move to row i is known to be that of a split.
 */
export function checkRows(
  subject: string,
  bars: Bars,
  nowMs: number,
  explained: (i: number) => boolean = () => false,
): RowCheck {
  const findings = new Findings(subject);
  const held: number[] = [];
  const byTime = new Map<number, number>();
  const { time, high, low, close, volume } = bars;
  let backwards = 0;
  let flat = 0;
  let quiet = 0;
  let past = -1;
  let repeats = 0;
  for (let i = 0; i < time.length; i++) {
    if (i > 0 && time[i] < time[i - 1]) backwards++;
    const defect = rowDefect(bars, i) ?? (time[i] > nowMs + CLOCK_TOLERANCE_MS ? "future" : null);
    if (defect !== null) {
      findings.add(defect, "critical", time[i], () => describeRow(bars, i));
      held.push(i);
      continue;
    }
    const earlier = byTime.get(time[i]);
    if (earlier !== undefined) {
      const same = sameRow(bars, earlier, i);
      if (!same) held.push(i);
      findings.add(same ? "repeated_row" : "contradicting_rows", same ? "info" : "critical", time[i], () =>
        same ? describeRow(bars, i) : `${describeRow(bars, earlier)} and ${describeRow(bars, i)}`,
      );
      continue;
    }
    byTime.set(time[i], i);
    if (high[i] === low[i]) flat++;
    if (volume[i] === 0) quiet++;
    repeats = past >= 0 && volume[i] > 0 && sameRow(bars, past, i) ? repeats + 1 : 0;
    if (repeats >= FROZEN_BARS) {
      const count = repeats === FROZEN_BARS ? FROZEN_BARS : 1;
      findings.add("frozen", "warning", time[i], () => describeRow(bars, i), count);
    }
    if (past >= 0 && Math.abs(close[i] / close[past] - 1) > LARGE_MOVE && !explained(i)) {
      const before = close[past];
      findings.add("large_move", "warning", time[i], () => `from ${before} to ${close[i]}`);
    }
    past = i;
  }
  const first = time[0];
  if (backwards > 0) {
    findings.add(
      "out_of_order",
      "warning",
      first,
      () => `${backwards} rows are older than the one before`,
      backwards,
    );
  }
  if (flat > 0) findings.add("flat", "info", first, () => `${flat} of ${time.length} bars`, flat);
  if (quiet > 0) findings.add("no_volume", "info", first, () => `${quiet} of ${time.length} bars`, quiet);
  return { issues: findings.list(), held };
}

/** Bars, ascending, that are traded and repeat the twenty before them and more, volume and all. */
export function frozenBars(bars: Bars): number[] {
  const frozen: number[] = [];
  let repeats = 0;
  for (let i = 1; i < bars.time.length; i++) {
    repeats = bars.volume[i] > 0 && sameRow(bars, i - 1, i) ? repeats + 1 : 0;
    if (repeats >= LASTING_BARS) frozen.push(i);
  }
  return frozen;
}

function sameRow(bars: Bars, a: number, b: number): boolean {
  return (
    bars.open[a] === bars.open[b] &&
    bars.high[a] === bars.high[b] &&
    bars.low[a] === bars.low[b] &&
    bars.close[a] === bars.close[b] &&
    bars.volume[a] === bars.volume[b]
  );
}

/** A row in words. */
export function describeRow({ open, high, low, close, volume }: Bars, i: number): string {
  return `open ${open[i]} high ${high[i]} low ${low[i]} close ${close[i]} volume ${volume[i]}`;
}
