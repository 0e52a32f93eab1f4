import type { Desk } from "../../core/execution/desk.js";
import { DAY_MS } from "../../core/market/day.js";
import { calendarOf, previousSession } from "../../core/market/session.js";
import { nightAfter, zoneOfAccount } from "./account-day.js";
import type { MarketNow } from "./feed.js";
import type { FillLimits } from "./fill-limits.js";
import type { Account } from "./ledger.js";
import { markBy } from "./marks.js";
import { noteWorth } from "./peaks.js";
import { isFollowed, meetQuote } from "./placing.js";
import { CLOSE_GRACE_MS, createWalk, type SymbolNews, type Walk } from "./symbol-walk.js";

/** The name under which the last night of an account is kept beside the bars of its symbols. */
export const NIGHT = "@night";

/**
 * Walks an account through what happened, in the order of time over all symbols, and then shows it the prices of now.
 * Which price counts when: within a bar those of the bar; at a split the last close before it, which the split then
 * divides; from its last bar to now the quote, in shares of now, at which orders trade where it is fresh.
 * @param limits of the account's owner, which the caller holds fills to; days begin with the nights that are walked.
 * @returns whether more is to be fetched: bars are given in stretches, and the account has come to the end of the
 * shortest, its horizon.
 */
export function catchUp(
  desk: Desk,
  account: Account,
  news: readonly SymbolNews[],
  nowMs: number,
  limits: FillLimits | null = null,
): boolean {
  const followed = news.filter(({ symbol }) => isFollowed(desk, symbol));
  const horizon = Math.min(nowMs, ...followed.map(({ toMs }) => toMs));
  walkTo(horizon, desk, account, { followed, nowMs, limits });
  if (horizon < nowMs) {
    passEmpty(account, followed, Math.min(horizon, nowMs - DAY_MS));
    return true;
  }
  meetNow(desk, account, followed, nowMs);
  return false;
}

/** Bars and actions of all symbols, and nights, by time; at one instant the night first, then splits, dividends and bars. */
function walkTo(
  horizon: number,
  desk: Desk,
  account: Account,
  { followed, nowMs, limits }: { followed: readonly SymbolNews[]; nowMs: number; limits: FillLimits | null },
): void {
  const zone = zoneOfAccount(account.row.rules.account.currency);
  const walks = followed.map((each) => createWalk(desk, account, each));
  const since = lastNight(account, followed, nowMs);
  let night = nightAfter(zone, since);
  if (!account.cursors.has(NIGHT)) account.cursors.set(NIGHT, since);
  for (;;) {
    const next = earliest(walks);
    const time = next?.time() ?? Number.POSITIVE_INFINITY;
    if (night <= Math.min(time, horizon)) {
      desk.night({ at: night, nights: 1 });
      account.cursors.set(NIGHT, night);
      limits?.begin(night);
      night = nightAfter(zone, night);
    } else if (next !== null && time <= horizon) {
      next.step();
      noteWorth(desk, account, Math.max(time, since));
    } else return;
  }
}

/** Where a stretch had no bars, the next is another one. What is of the last day may still come. */
function passEmpty({ cursors }: Account, followed: readonly SymbolNews[], walkedMs: number): void {
  for (const { symbol } of followed) {
    cursors.set(symbol, Math.max(walkedMs, cursors.get(symbol) ?? walkedMs));
  }
}

/** Ends sessions that are over, and lets what rests meet the quotes. */
function meetNow(desk: Desk, account: Account, followed: readonly SymbolNews[], nowMs: number): void {
  for (const { symbol, market } of followed) {
    endSession(desk, symbol, market);
    if (market.quote !== null) markBy(desk, account, symbol, market.quote);
    meetQuote(desk, symbol, market);
  }
  noteWorth(desk, account, nowMs);
}

/** Up to when nights have been counted: for an account that has seen none, since its first symbols are followed. */
function lastNight({ cursors }: Account, followed: readonly { symbol: string }[], nowMs: number): number {
  const known = cursors.get(NIGHT);
  return known ?? Math.min(nowMs, ...followed.map(({ symbol }) => cursors.get(symbol) ?? nowMs));
}

/** Whether an account follows a symbol that it has seen up to somewhere. */
export function followsAny(desk: Desk, { cursors }: Account): boolean {
  for (const symbol of cursors.keys()) if (symbol !== NIGHT && isFollowed(desk, symbol)) return true;
  return false;
}

/** Whether a day has begun of which an account that follows symbols has not been told. */
export function isNightDue(desk: Desk, account: Account, atMs: number): boolean {
  const { cursors } = account;
  const followed = [...cursors.keys()]
    .filter((symbol) => symbol !== NIGHT && isFollowed(desk, symbol))
    .map((symbol) => ({ symbol }));
  if (followed.length === 0) return false;
  const zone = zoneOfAccount(account.row.rules.account.currency);
  return nightAfter(zone, lastNight(account, followed, atMs)) <= atMs;
}

function earliest(walks: readonly Walk[]): Walk | null {
  let found: Walk | null = null;
  for (const walk of walks) {
    if (walk.time() < (found?.time() ?? Number.POSITIVE_INFINITY)) found = walk;
  }
  return found;
}

/** Orders for a session that has closed expire, also where no bar told of it; those of the hours after it in the walk. */
function endSession(desk: Desk, symbol: string, { instrument, atMs }: MarketNow): void {
  const session = previousSession(calendarOf(instrument.calendar), atMs - CLOSE_GRACE_MS);
  if (session === null) return;
  desk.closeSession(symbol, session.close, false);
}
