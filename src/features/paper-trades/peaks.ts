import type { Desk } from "../../core/execution/desk.js";
import { dayStart, zoneOfAccount } from "./account-day.js";
import type { Account } from "./ledger.js";

/** The highest equity that was seen of an account in one of its days. */
export interface Peak {
  /** First instant of the day, epoch ms. */
  readonly startMs: number;
  readonly micros: number;
}

/** The peak of the newest day that was seen, as this process and the account's row have it. */
export interface Peaks {
  /** Notes an equity, micros. One of a day before the newest is nothing new. */
  note(atMs: number, micros: number): void;
  /** Learns what the row has. */
  learn(kept: Peak | null): void;
  /** Micros; below all where no day was seen that began then or later. */
  since(startMs: number): number;
  /** What the row does not have yet; null where it has all. */
  unwritten(): Peak | null;
}

export function createPeaks(currency: string, kept: Peak | null): Peaks {
  const zone = zoneOfAccount(currency);
  let written = kept;
  let newest = kept;
  return {
    note(atMs, micros) {
      const seen = { startMs: dayStart(zone, atMs), micros };
      if (isAbove(seen, newest)) newest = seen;
    },
    learn(row) {
      if (row === null) return;
      if (isAbove(row, written)) written = row;
      if (isAbove(row, newest)) newest = row;
    },
    since: (startMs) =>
      newest !== null && newest.startMs >= startMs ? newest.micros : Number.NEGATIVE_INFINITY,
    unwritten: () => (newest !== null && isAbove(newest, written) ? newest : null),
  };
}

function isAbove({ startMs, micros }: Peak, other: Peak | null): boolean {
  if (other === null || startMs > other.startMs) return true;
  return startMs === other.startMs && micros > other.micros;
}

/**
 * Notes what an account is worth now, unless it holds something whose price nobody has told since its desk was opened and
 * which was not traded that day: what it was bought at long ago says nothing of today.
 */
export function noteWorth(desk: Desk, account: Account, atMs: number): void {
  const { peaks, marked, history, row } = account;
  const begin = dayStart(zoneOfAccount(row.rules.account.currency), atMs);
  for (const symbol of desk.state.positions.keys()) {
    const isTold = marked.has(symbol) || (history.lastFill(symbol)?.at ?? Number.NEGATIVE_INFINITY) >= begin;
    if (!isTold) return;
  }
  peaks.note(atMs, desk.equity());
}
