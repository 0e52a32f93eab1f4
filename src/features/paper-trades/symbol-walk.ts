import { lowerBound } from "../../core/base/search.js";
import type { Desk } from "../../core/execution/desk.js";
import { factsOf } from "../../core/execution/facts.js";
import type { CorporateAction } from "../../core/market/actions.js";
import { startOfDay } from "../../core/market/adjust.js";
import type { Candles } from "../../core/market/candles.js";
import { DAY_MS, dateOf } from "../../core/market/day.js";
import type { Interval } from "../../core/market/interval.js";
import { type Calendar, calendarOf, dailyBarTime, sessionsBetween } from "../../core/market/session.js";
import type { MarketNow } from "./feed.js";
import { rangeBefore } from "./last-bars.js";
import type { Account } from "./ledger.js";
import { noteMark } from "./marks.js";

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

/** Bars of the end of a session, or of the hours after it, may come so much later before orders expire without them. */
export const CLOSE_GRACE_MS = 15 * 60_000;
/** Trading after the close. */
export const EXTENDED_MS = 4 * 3_600_000;

/** A split or dividend that is told later than this is not applied any more. */
export const LATE_ACTION_MS = 5 * DAY_MS;

/** One symbol of an account, from what was seen of it last. */
export interface Walk {
  /** Of what comes next; infinite for nothing. */
  time(): number;
  step(): void;
}

/**
 * Bars of a symbol that its orders have not seen, the actions before them, and ends of the hours after sessions. Seen is what opened before the cursor;
 * each bar moves it to its end, and each action to its instant, past bars that are told late and of other shares.
 */
export function createWalk(
  desk: Desk,
  account: Account,
  { symbol, market, interval, bars, actions, closes }: SymbolNews,
): Walk {
  const calendar = calendarOf(market.instrument.calendar);
  const seen = account.cursors.get(symbol) ?? market.atMs;
  const due = dueActions(account, symbol, actions, calendar, seen, market.atMs);
  const ends = endsOfHours(desk, symbol, calendar, market.atMs);
  let a = 0;
  let e = 0;
  let i = lowerBound(bars.time, seen);
  const actionTime = () => due[a]?.at ?? Number.POSITIVE_INFINITY;
  const barTime = () => bars.time[i] ?? Number.POSITIVE_INFINITY;
  const endTime = () => ends[e] ?? Number.POSITIVE_INFINITY;
  return {
    time: () => Math.min(endTime(), actionTime(), barTime()),
    step() {
      if (endTime() <= Math.min(actionTime(), barTime())) {
        desk.closeSession(symbol, ends[e++], true);
        return;
      }
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
      noteMark(account, symbol, facts.until);
      account.cursors.set(symbol, facts.until);
      i++;
    },
  };
}

/** When the hours after a session have ended, since orders came that trade in them; none where there are none. */
function endsOfHours(desk: Desk, symbol: string, calendar: Calendar, nowMs: number): number[] {
  let since = Number.POSITIVE_INFINITY;
  for (const { extendedHours, timeInForce, submittedAt } of desk.working(symbol)) {
    if (extendedHours && timeInForce === "day") since = Math.min(since, submittedAt);
  }
  if (since > nowMs) return [];
  return sessionsBetween(calendar, since - 2 * DAY_MS, nowMs)
    .map(({ close }) => close + EXTENDED_MS)
    .filter((end) => end > since && end <= nowMs - CLOSE_GRACE_MS);
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
