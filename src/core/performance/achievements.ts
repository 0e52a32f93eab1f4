import { MICROS } from "../execution/money.js";
import { DAY_MS } from "../market/day.js";
import { dayAt, type Zone } from "../market/zone.js";
import { ACHIEVEMENTS, type Achievement, MEASURES, type Measure } from "./achievement-table.js";
import { type Causes, causeOf } from "./cause.js";
import { type ClosedTrade, isClosed, type Trade } from "./trade.js";

export interface AchievementState extends Achievement {
  /** What is measured, no more than the target. */
  readonly progress: number;
  readonly unlocked: boolean;
  /** Instant of the entry or exit that unlocked it, epoch ms; null while it is not. */
  readonly unlockedAt: number | null;
}

/**
 * The state of every achievement after some trades, in the order of the table. Trades count in the order of their
 * events: what comes later, though it be of an earlier bar of another symbol, takes nothing back.
 */
export function achievementsOf(trades: readonly Trade[], causes: Causes, zone: Zone): AchievementState[] {
  const tally = createTally(causes, zone);
  const reached = new Map<Achievement, number>();
  const look = (at: number) => {
    for (const achievement of ACHIEVEMENTS) {
      if (tally.counts[achievement.measure] >= achievement.target && !reached.has(achievement)) {
        reached.set(achievement, at);
      }
    }
  };
  const entries = trades.toSorted((a, b) => a.openedSeq - b.openedSeq);
  const exits = trades.filter(isClosed).sort((a, b) => a.closedSeq - b.closedSeq);
  let next = 0;
  const open = (until: number) => {
    for (; next < entries.length && entries[next].openedSeq <= until; next++) {
      tally.counts.opened++;
      look(entries[next].openedAt);
    }
  };
  for (const trade of exits) {
    open(trade.closedSeq);
    tally.close(trade);
    look(trade.closedAt);
  }
  open(Number.POSITIVE_INFINITY);
  return ACHIEVEMENTS.map((achievement) => ({
    ...achievement,
    progress: Math.min(tally.counts[achievement.measure], achievement.target),
    unlocked: reached.has(achievement),
    unlockedAt: reached.get(achievement) ?? null,
  }));
}

interface Tally {
  readonly counts: Record<Measure, number>;
  close(trade: ClosedTrade): void;
}

const COMEBACK_LOSSES = 3;

function createTally(causes: Causes, zone: Zone): Tally {
  const counts = Object.fromEntries(MEASURES.map((measure) => [measure, 0])) as Record<Measure, number>;
  const seen = {
    patterns: new Set<string>(),
    symbols: new Set<string>(),
    days: new Set<number>(),
    sides: new Set<string>(),
  };
  let [wins, losses, net] = [0, 0, 0];
  return {
    counts,
    close(trade) {
      const won = trade.net > 0;
      counts.closed++;
      if (won) counts.wins++;
      if (won && losses >= COMEBACK_LOSSES) counts.comebacks++;
      wins = won ? wins + 1 : 0;
      losses = trade.net < 0 ? losses + 1 : 0;
      net += trade.net;
      counts.run = Math.max(counts.run, wins);
      counts.move = Math.max(counts.move, Math.floor(Math.abs(trade.net) / MICROS));
      counts.gain = Math.max(counts.gain, Math.floor(net / MICROS));
      if (trade.exitReason === "stop" || trade.exitReason === "target") counts.planned++;
      const held = Math.floor((trade.closedAt - trade.openedAt) / DAY_MS);
      if (won) counts.patience = Math.max(counts.patience, held);
      const pattern = causeOf(causes, trade)?.pattern ?? null;
      if (pattern !== null) seen.patterns.add(pattern);
      seen.symbols.add(trade.symbol);
      seen.days.add(dayAt(zone, trade.closedAt));
      if (won) seen.sides.add(trade.side);
      counts.patterns = seen.patterns.size;
      counts.symbols = seen.symbols.size;
      counts.days = seen.days.size;
      counts.sides = seen.sides.size;
    },
  };
}

/** How far a trader has come. */
export interface Level {
  /** 1 or more. */
  readonly level: number;
  readonly title: string;
  readonly xp: number;
  /** Experience at which the level began, and the next one does. */
  readonly levelXp: number;
  readonly nextLevelXp: number;
}

/** Titles from a level on. */
const TITLES = [
  { from: 1, title: "Novice" },
  { from: 3, title: "Apprentice" },
  { from: 5, title: "Trader" },
  { from: 7, title: "Strategist" },
  { from: 9, title: "Master" },
] as const;

/** Each level takes 100 more than the one before: they begin at 0, 100, 300, 600, 1,000 and so on. */
export function levelOf(xp: number): Level {
  let level = 1;
  while (xp >= beginOf(level + 1)) level++;
  const title = TITLES.findLast(({ from }) => from <= level)?.title ?? TITLES[0].title;
  return { level, title, xp, levelXp: beginOf(level), nextLevelXp: beginOf(level + 1) };
}

function beginOf(level: number): number {
  return 50 * level * (level - 1);
}

/** Experience that achievements gave. */
export function experienceOf(achievements: readonly AchievementState[]): number {
  return achievements.reduce((sum, { unlocked, rewardXp }) => sum + (unlocked ? rewardXp : 0), 0);
}
