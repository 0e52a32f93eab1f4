import { dateOf } from "../market/day.js";
import { dayAt, type Zone } from "../market/zone.js";
import { type ClosedTrade, isClosed, type Trade } from "./trade.js";

export type StreakKind = "winning" | "losing" | "none";

/** Runs of trades in the order in which their exits were told, or of days. One that breaks even ends a run and is none. */
export interface Streak {
  readonly kind: StreakKind;
  /** Length of the run that goes on; 0 for none. */
  readonly current: number;
  /** When its first trade was closed, epoch ms; null for none. */
  readonly since: number | null;
  readonly longestWinning: number;
  readonly longestLosing: number;
}

/** Winning trades in a row. */
export const TRADE_MILESTONES = [
  { threshold: 3, name: "Three in a row", icon: "🔥" },
  { threshold: 5, name: "Five in a row", icon: "⚡" },
  { threshold: 10, name: "Ten in a row", icon: "🏆" },
] as const;

/** Profitable trading days in a row. */
export const DAY_MILESTONES = [
  { days: 3, rewardXp: 50 },
  { days: 7, rewardXp: 150 },
  { days: 14, rewardXp: 400 },
  { days: 30, rewardXp: 1_000 },
] as const;

export const CALENDAR_DAYS = 30;

/** A date on the clock of the zone. */
export interface TradingDate {
  readonly date: string;
  /** A trade was opened or closed. */
  readonly traded: boolean;
  /** What was closed gained more than it lost. */
  readonly profitable: boolean;
  /** Net of what was closed, micros. */
  readonly net: number;
}

export interface Streaks {
  readonly trades: Streak;
  readonly lastResult: "win" | "loss" | "break_even" | null;
  /** Runs of days on which a trade was closed, by the net of the day; days without do not count. */
  readonly days: Streak;
  /** Days on which a trade was opened or closed, and those that were profitable. */
  readonly tradingDays: number;
  readonly profitableDays: number;
  /** The last thirty dates, the newest last. */
  readonly calendar: readonly TradingDate[];
  readonly tradeMilestones: readonly ((typeof TRADE_MILESTONES)[number] & { readonly reached: boolean })[];
  readonly dayMilestones: readonly ((typeof DAY_MILESTONES)[number] & { readonly reached: boolean })[];
}

interface DaySum {
  net: number;
  closed: boolean;
  /** First exit of the day, epoch ms. */
  at: number;
}

/** @param today days since 1970-01-01 on the clock of the zone: the last of the calendar. */
export function streaksOf(trades: readonly Trade[], zone: Zone, today: number): Streaks {
  // As achievements have it.
  const closed = trades.filter(isClosed).sort((a, b) => a.closedSeq - b.closedSeq);
  const days = daysOf(trades, closed, zone);
  const ofTrades = runsOf(closed.map(({ net, closedAt }) => ({ net, at: closedAt })));
  const closing = [...days].sort(([a], [b]) => a - b).flatMap(([, day]) => (day.closed ? [day] : []));
  const ofDays = runsOf(closing);
  const last = closed.at(-1);
  return {
    trades: ofTrades,
    lastResult: last === undefined ? null : last.net > 0 ? "win" : last.net < 0 ? "loss" : "break_even",
    days: ofDays,
    tradingDays: days.size,
    profitableDays: [...days.values()].filter(({ net }) => net > 0).length,
    calendar: Array.from({ length: CALENDAR_DAYS }, (_, k) => {
      const day = today - CALENDAR_DAYS + 1 + k;
      const sum = days.get(day);
      const net = sum?.net ?? 0;
      return { date: dateOf(day), traded: sum !== undefined, profitable: net > 0, net };
    }),
    tradeMilestones: TRADE_MILESTONES.map((milestone) => ({
      ...milestone,
      reached: ofTrades.longestWinning >= milestone.threshold,
    })),
    dayMilestones: DAY_MILESTONES.map((milestone) => ({
      ...milestone,
      reached: ofDays.longestWinning >= milestone.days,
    })),
  };
}

function daysOf(trades: readonly Trade[], closed: readonly ClosedTrade[], zone: Zone): Map<number, DaySum> {
  const days = new Map<number, DaySum>();
  const dayOf = (at: number) => {
    const day = dayAt(zone, at);
    const known = days.get(day);
    if (known !== undefined) return known;
    const sum: DaySum = { net: 0, closed: false, at };
    days.set(day, sum);
    return sum;
  };
  for (const { net, closedAt } of closed) {
    const sum = dayOf(closedAt);
    sum.net += net;
    sum.closed = true;
  }
  for (const { openedAt } of trades) dayOf(openedAt);
  return days;
}

function runsOf(results: readonly { readonly net: number; readonly at: number }[]): Streak {
  let kind: StreakKind = "none";
  let [current, since] = [0, null as number | null];
  let [longestWinning, longestLosing] = [0, 0];
  for (const { net, at } of results) {
    const now: StreakKind = net > 0 ? "winning" : net < 0 ? "losing" : "none";
    if (now === "none") [current, since] = [0, null];
    else if (now === kind) current++;
    else [current, since] = [1, at];
    kind = now;
    if (kind === "winning") longestWinning = Math.max(longestWinning, current);
    if (kind === "losing") longestLosing = Math.max(longestLosing, current);
  }
  return { kind, current, since, longestWinning, longestLosing };
}
