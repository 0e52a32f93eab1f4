import { lowerBound } from "../../core/base/search.js";
import type { Desk } from "../../core/execution/desk.js";
import { factsOf } from "../../core/execution/facts.js";
import { MICROS } from "../../core/execution/money.js";
import type { CorporateAction } from "../../core/market/actions.js";
import { startOfDay } from "../../core/market/adjust.js";
import type { Candles } from "../../core/market/candles.js";
import { DAY_MS, dateOf } from "../../core/market/day.js";
import type { Interval } from "../../core/market/interval.js";
import { type Calendar, calendarOf, dailyBarTime, previousSession } from "../../core/market/session.js";
import { instantOf, offsetAt, type Zone, zoneOf } from "../../core/market/zone.js";
import { peakSince } from "./facts.js";
import { type MarketNow, RANGE_BARS } from "./feed.js";
import type { Account } from "./ledger.js";
import { isFollowed, meetQuote } from "./placing.js";

/** What is known of a symbol since its orders looked last. */
export interface SymbolNews {
  readonly symbol: string;
  readonly market: MarketNow;
  readonly interval: Interval;
  readonly bars: Candles;
  /** Up to where bars were asked for. */
  readonly toMs: number;
  readonly actions: readonly CorporateAction[];
  /** By first instants of ex-days of splits: the last close before, as it traded. */
  readonly closes: ReadonlyMap<number, number>;
}

/** The name under which the last night of an account is kept beside the bars of its symbols. */
export const NIGHT = "@night";
/** Bars of a session's end may come so much later before its orders expire without them. */
const CLOSE_GRACE_MS = 15 * 60_000;
/** Trading after the close. */
const EXTENDED_MS = 4 * 3_600_000;
/** A split or dividend that is told later than this is not applied any more. */
export const LATE_ACTION_MS = 5 * DAY_MS;

/** Where days of an account begin and end. */
export function zoneOfAccount(currency: string): Zone {
  return zoneOf(currency === "INR" ? "Asia/Kolkata" : "America/New_York");
}

/** The first instant of the day of a zone. */
export function dayStart(zone: Zone, timeMs: number): number {
  const local = Math.floor((timeMs + offsetAt(zone, timeMs)) / DAY_MS) * DAY_MS;
  return instantOf(zone, local);
}

/**
 * Walks an account through what happened: splits and dividends, bars, nights, in the order of time over all symbols,
 * and then the prices of now. What it has seen before it passes over. @returns whether more is to be fetched.
 */
export function catchUp(desk: Desk, account: Account, news: readonly SymbolNews[], nowMs: number): boolean {
  const followed = news.filter(({ symbol }) => isFollowed(desk, symbol));
  const horizon = Math.min(nowMs, ...followed.map(({ toMs }) => toMs));
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
      night = nightAfter(zone, night);
    } else if (next !== null && time <= horizon) next.step();
    else break;
  }
  if (horizon < nowMs) {
    // Where there were no bars, the next stretch is another one. What is of the last day may still come.
    const walked = Math.min(horizon, nowMs - DAY_MS);
    for (const { symbol } of followed) {
      account.cursors.set(symbol, Math.max(walked, account.cursors.get(symbol) ?? walked));
    }
    return true;
  }
  for (const { symbol, market } of followed) {
    endSession(desk, symbol, market);
    if (market.quote !== null) desk.mark(symbol, market.quote.price);
    meetQuote(desk, symbol, market);
  }
  if (desk.state.positions.size > 0) {
    peakSince(account.history, dayStart(zone, nowMs), desk.equity() / MICROS);
  }
  return false;
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

function nightAfter(zone: Zone, timeMs: number): number {
  // Days have 23 to 25 hours.
  return dayStart(zone, dayStart(zone, timeMs) + 1.5 * DAY_MS);
}

interface Walk {
  /** Of what comes next; infinite for nothing. */
  time(): number;
  step(): void;
}

function earliest(walks: readonly Walk[]): Walk | null {
  let found: Walk | null = null;
  for (const walk of walks) {
    if (walk.time() < (found?.time() ?? Number.POSITIVE_INFINITY)) found = walk;
  }
  return found;
}

/** Bars of a symbol that its orders have not seen, and the actions before them. */
function createWalk(
  desk: Desk,
  account: Account,
  { symbol, market, interval, bars, actions, closes }: SymbolNews,
): Walk {
  const calendar = calendarOf(market.instrument.calendar);
  const seen = account.cursors.get(symbol) ?? market.atMs;
  const due = dueActions(account, symbol, actions, calendar, seen, market.atMs);
  let a = 0;
  let i = lowerBound(bars.time, seen);
  const actionTime = () => due[a]?.at ?? Number.POSITIVE_INFINITY;
  const barTime = () => bars.time[i] ?? Number.POSITIVE_INFINITY;
  return {
    time: () => Math.min(actionTime(), barTime()),
    step() {
      if (actionTime() <= barTime()) {
        const { at } = due[a];
        // The price of now may be of the new share already, or of a day long before.
        const close = closes.get(at);
        if (due[a].kind === "split" && close !== undefined) desk.mark(symbol, close);
        apply(desk, symbol, due[a++]);
        // Bars before it that come later are of another kind of share.
        account.cursors.set(symbol, Math.max(at, account.cursors.get(symbol) ?? at));
        i = Math.max(i, lowerBound(bars.time, at));
        return;
      }
      const facts = factsOf(calendar, interval, bars.time[i], rangeBefore(bars, i));
      desk.bar(symbol, bars, i, facts);
      account.cursors.set(symbol, facts.until);
      i++;
    },
  };
}

/** Average of high less low of the bars before; NaN with too few. */
function rangeBefore({ high, low }: Candles, i: number): number {
  if (i < RANGE_BARS) return Number.NaN;
  let sum = 0;
  for (let k = i - RANGE_BARS; k < i; k++) sum += high[k] - low[k];
  return sum / RANGE_BARS;
}

interface Due {
  readonly at: number;
  /** First instant of the ex-day. */
  readonly begin: number;
  readonly kind: "split" | "dividend";
  /** New shares for an old one, or money a share. */
  readonly amount: number;
}

/**
 * Actions of ex-days that have begun and that were not applied: splits when the day begins, as prices are told from
 * then on, and dividends, which are one sum, when it opens.
 * What is told late counts where nothing was traded since, so that what is held now was held then.
 */
function dueActions(
  { history, row }: Account,
  symbol: string,
  actions: readonly CorporateAction[],
  calendar: Calendar,
  seen: number,
  nowMs: number,
): Due[] {
  const { currency } = row.rules.account;
  const touched = history.lastTouched(symbol) ?? row.openedAt;
  const due: Due[] = [];
  for (const action of actions) {
    const { kind, exDay } = action;
    const begin = startOfDay(calendar, exDay);
    const at = kind === "split" ? begin : (dailyBarTime(calendar, dateOf(exDay)) ?? begin);
    if (at > nowMs || history.applied(symbol, kind, begin, startOfDay(calendar, exDay + 1))) continue;
    if (at < seen && (at < touched || nowMs - at > LATE_ACTION_MS)) continue;
    if (action.kind === "split") due.push({ at, begin, kind, amount: action.ratio });
    else if (action.currency === currency) due.push({ at, begin, kind, amount: action.amount });
  }
  due.sort((a, b) => a.at - b.at || (a.kind === b.kind ? 0 : a.kind === "split" ? -1 : 1));
  return due.flatMap((one, k) => {
    const before = due[k - 1];
    if (one.kind === "dividend" && before?.kind === "dividend" && before.at === one.at) return [];
    const same = due.filter(({ at, kind }) => at === one.at && kind === "dividend");
    return [
      one.kind === "split" ? one : { ...one, amount: same.reduce((sum, { amount }) => sum + amount, 0) },
    ];
  });
}

function apply(desk: Desk, symbol: string, { at, begin, kind, amount }: Due): void {
  if (kind === "split") desk.split(symbol, amount, at);
  else desk.dividend(symbol, amount, at, begin);
}

/** Orders for a session that has closed expire, also where no bar told of it. */
function endSession(desk: Desk, symbol: string, { instrument, atMs }: MarketNow): void {
  const session = previousSession(calendarOf(instrument.calendar), atMs - CLOSE_GRACE_MS);
  if (session === null) return;
  desk.closeSession(symbol, session.close, atMs - CLOSE_GRACE_MS >= session.close + EXTENDED_MS);
}
