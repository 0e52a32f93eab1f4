import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { dayOf } from "../../src/core/market/day.js";
import { zoneOf } from "../../src/core/market/zone.js";
import { ACHIEVEMENTS, MEASURES, RARITIES } from "../../src/core/performance/achievement-table.js";
import { achievementsOf, experienceOf, levelOf } from "../../src/core/performance/achievements.js";
import { careerOf } from "../../src/core/performance/career.js";
import { streaksOf } from "../../src/core/performance/streaks.js";
import type { Trade } from "../../src/core/performance/trade.js";
import { createTrades } from "../../src/core/performance/trades.js";
import { causeFor, closedTrade, HOUR_MS, tradesOfNets } from "../fixtures/closed-trades.js";
import { Model } from "../fixtures/execution-model.js";

const NEW_YORK = zoneOf("America/New_York");
const DAY_MS = 24 * HOUR_MS;
/** A Tuesday, 15:00 in London and 10:00 in New York. */
const START = Date.UTC(2024, 0, 2, 15);

/** Trades of the nets in dollars, all of a list on one day, from one day to the next. */
function tradesByDay(...days: readonly (readonly number[])[]): Trade[] {
  let seq = 0;
  return days.flatMap((nets, day) =>
    nets.map((net) => {
      const closedAt = START + day * DAY_MS + ++seq;
      return closedTrade(seq, { net: net * 1e6, closedAt, openedAt: closedAt - 1 });
    }),
  );
}

describe("streaks", () => {
  it("of trades and of days, with a calendar", () => {
    const trades = tradesByDay([5, -1], [3], [], [2, 2, 2], [-9, 1], [4]);
    const open = { ...closedTrade(50, { openedAt: START + 6 * DAY_MS }), closedAt: null, closedSeq: null };
    const all: Trade[] = [...trades, { ...open, exitReason: null }];
    const found = streaksOf(all, NEW_YORK, dayOf("2024-01-08"));
    expect(found.trades).toEqual({
      kind: "winning",
      current: 2,
      since: START + 4 * DAY_MS + 8,
      longestWinning: 4,
      longestLosing: 1,
    });
    // Days of 4, 3, 6, -8 and 4.
    expect(found.days).toEqual({
      kind: "winning",
      current: 1,
      since: START + 5 * DAY_MS + 9,
      longestWinning: 3,
      longestLosing: 1,
    });
    expect([found.lastResult, found.tradingDays, found.profitableDays]).toEqual(["win", 6, 4]);
    expect(found.calendar).toHaveLength(30);
    expect(found.calendar.slice(-8)).toEqual([
      { date: "2024-01-01", traded: false, profitable: false, net: 0 },
      { date: "2024-01-02", traded: true, profitable: true, net: 4e6 },
      { date: "2024-01-03", traded: true, profitable: true, net: 3e6 },
      { date: "2024-01-04", traded: false, profitable: false, net: 0 },
      { date: "2024-01-05", traded: true, profitable: true, net: 6e6 },
      { date: "2024-01-06", traded: true, profitable: false, net: -8e6 },
      { date: "2024-01-07", traded: true, profitable: true, net: 4e6 },
      { date: "2024-01-08", traded: true, profitable: false, net: 0 },
    ]);
    expect(found.tradeMilestones.map(({ threshold, reached }) => [threshold, reached])).toEqual([
      [3, true],
      [5, false],
      [10, false],
    ]);
    expect(found.dayMilestones.map(({ days, reached }) => [days, reached])).toEqual([
      [3, true],
      [7, false],
      [14, false],
      [30, false],
    ]);
  });

  it("are none without trades, and after one that breaks even", () => {
    const nothing = { kind: "none", current: 0, since: null, longestWinning: 0, longestLosing: 0 };
    const empty = streaksOf([], NEW_YORK, dayOf("2024-01-08"));
    expect(empty).toMatchObject({ trades: nothing, days: nothing, lastResult: null, tradingDays: 0 });
    const even = streaksOf(tradesOfNets(1, 1, 0), NEW_YORK, dayOf("2024-01-08"));
    expect(even.trades).toEqual({ ...nothing, longestWinning: 2 });
    expect(even.lastResult).toBe("break_even");
    const again = streaksOf(tradesOfNets(-1, -1, 0, -1), NEW_YORK, dayOf("2024-01-08"));
    expect(again.trades).toMatchObject({ kind: "losing", current: 1, longestLosing: 2 });
  });
});

describe("achievements", () => {
  const unlocked = (trades: readonly Trade[], causes = new Map()) =>
    achievementsOf(trades, causes, NEW_YORK).flatMap((each) => (each.unlocked ? [each.id] : []));

  it("are fifteen, each with all that is said of it", () => {
    expect(ACHIEVEMENTS).toHaveLength(15);
    expect(new Set(ACHIEVEMENTS.map(({ id }) => id)).size).toBe(15);
    for (const { id, title, description, icon, rarity, rewardXp, target, measure } of ACHIEVEMENTS) {
      expect(id).toMatch(/^[a-z_]+$/);
      for (const text of [title, description, icon]) expect(text).not.toBe("");
      expect(RARITIES).toContain(rarity);
      expect(Math.min(rewardXp, target)).toBeGreaterThan(0);
      expect(MEASURES).toContain(measure);
    }
    expect(MEASURES.filter((measure) => !ACHIEVEMENTS.some((each) => each.measure === measure))).toEqual([]);
  });

  it("are all locked without trades, at level 1", () => {
    const none = achievementsOf([], new Map(), NEW_YORK);
    expect(none.map(({ progress, unlocked: is, unlockedAt }) => [progress, is, unlockedAt])).toEqual(
      none.map(() => [0, false, null]),
    );
    expect(levelOf(experienceOf(none))).toEqual({
      level: 1,
      title: "Novice",
      xp: 0,
      levelXp: 0,
      nextLevelXp: 100,
    });
  });

  it("are unlocked at the instant of what completed them", () => {
    const trades = tradesOfNets(-100, 5, 5, 5, 5, 5);
    const found = achievementsOf(trades, new Map(), NEW_YORK);
    const at = (id: string) => found.find((each) => each.id === id)?.unlockedAt;
    expect(at("first_trade")).toBe(trades[0].openedAt);
    expect(at("big_move")).toBe(trades[0].closedAt);
    expect(at("first_win")).toBe(trades[1].closedAt);
    expect(at("five_in_a_row")).toBe(trades[5].closedAt);
    expect(at("ten_wins")).toBeNull();
    expect(found.find(({ id }) => id === "ten_wins")).toMatchObject({ progress: 5, target: 10 });
    expect(experienceOf(found)).toBe(50 + 50 + 100 + 250);
    expect(levelOf(450)).toEqual({ level: 3, title: "Apprentice", xp: 450, levelXp: 300, nextLevelXp: 600 });
  });

  it.each([
    ["ten_wins", tradesOfNets(...Array(10).fill(1)), tradesOfNets(...Array(9).fill(1), 0)],
    ["big_move", tradesOfNets(100), tradesOfNets(99.999999)],
    ["big_move", tradesOfNets(-100), tradesOfNets(-99.999999)],
    ["five_in_a_row", tradesOfNets(1, 1, 1, 1, 1), tradesOfNets(1, 1, 0, 1, 1, 1)],
    ["ten_in_a_row", tradesOfNets(...Array(10).fill(1)), tradesOfNets(...Array(9).fill(1))],
    ["hundred_trades", tradesOfNets(...Array(100).fill(-1)), tradesOfNets(...Array(99).fill(-1))],
    ["thousand_gained", tradesOfNets(600, 400, -900), tradesOfNets(600, -1, 400)],
    ["comeback", tradesOfNets(-1, -1, -1, 1), tradesOfNets(-1, -1, 0, -1, 1)],
    [
      "ten_symbols",
      tradesOfNets(...Array(10).fill(1)).map((each, k) => ({ ...each, symbol: `S${k}` })),
      tradesOfNets(...Array(10).fill(1)).map((each, k) => ({ ...each, symbol: `S${k % 9}` })),
    ],
    [
      "both_ways",
      [closedTrade(1, { net: 1 }), closedTrade(2, { net: 1, side: "short" })],
      [closedTrade(1, { net: 1 }), closedTrade(2, { net: -1, side: "short" })],
    ],
    [
      "to_plan",
      Array.from({ length: 25 }, (_, k) => closedTrade(k, { exitReason: k % 2 ? "stop" : "target" })),
      Array.from({ length: 25 }, (_, k) => closedTrade(k, { exitReason: k % 9 ? "stop" : "trader" })),
    ],
    ["patience", [held(30, 1)], [held(30, -1)]],
    ["patience", [held(30, 1)], [held(29.9, 1)]],
    ["thirty_days", tradesByDay(...Array(30).fill([1])), tradesByDay(...Array(29).fill([1]))],
  ] as const)("%s: what unlocks it and what does not", (id, enough, little) => {
    expect(unlocked(enough)).toContain(id);
    expect(unlocked(little)).not.toContain(id);
  });

  function held(days: number, net: number): Trade {
    return closedTrade(1, { net, openedAt: START - days * DAY_MS, closedAt: START });
  }

  it("five_patterns: by what caused the trades", () => {
    const trades = tradesOfNets(1, 1, 1, 1, 1);
    const causes = (n: number) =>
      new Map(trades.map(({ orderId }, k) => [orderId, causeFor({ pattern: `p${k % n}` })]));
    expect(unlocked(trades, causes(5))).toContain("five_patterns");
    expect(unlocked(trades, causes(4))).not.toContain("five_patterns");
  });

  it("stay where something earlier becomes known later, as of another symbol whose bars were missing", () => {
    const wins = tradesOfNets(1, 1, 1, 1, 1);
    const loss = closedTrade(9, { net: -1e6, closedAt: wins[2].closedAt - 1, symbol: "BBB" });
    expect(unlocked(wins)).toContain("five_in_a_row");
    expect(unlocked([loss, ...wins])).toContain("five_in_a_row");
    // A streak is of the same trades in the same order.
    expect(streaksOf([loss, ...wins], NEW_YORK, dayOf("2024-01-08")).trades.longestWinning).toBe(5);
  });

  it("are of a career over accounts, in which each keeps its order", () => {
    const first = tradesOfNets(1, 1, 1);
    const last = first[2].closedAt;
    const second = [1, 2].map((seq) =>
      closedTrade(seq, { net: 1e6, openedAt: last + seq, closedAt: last + seq + 1 }),
    );
    expect(unlocked(first)).not.toContain("five_in_a_row");
    expect(unlocked(second)).not.toContain("five_in_a_row");
    expect(unlocked(careerOf([first, second]))).toContain("five_in_a_row");
    const loss = closedTrade(9, { net: -1e6, openedAt: last, closedAt: last });
    expect(unlocked(careerOf([first, second, [loss]]))).not.toContain("five_in_a_row");
  });

  it("of a career have the runs of a plain merge by instants", () => {
    const anyAccounts = fc.array(
      fc.array(fc.tuple(fc.integer({ min: -1, max: 1 }), fc.nat(20)), { maxLength: 12 }),
      {
        maxLength: 4,
      },
    );
    fc.assert(
      fc.property(anyAccounts, (accounts) => {
        let instant = 0;
        const trades = accounts.map((rows, account) => {
          let at = START + account;
          return rows.map(([net, hours], k) => {
            // No two accounts have an instant in common.
            at += 10 * (hours + 1);
            instant = Math.max(instant, at);
            return closedTrade(k + 1, { net: net * 1e6, openedAt: at - 5, closedAt: at });
          });
        });
        const merged = trades.flat().sort((a, b) => a.closedAt - b.closedAt);
        let [run, longest] = [0, 0];
        for (const { net } of merged) {
          run = net > 0 ? run + 1 : 0;
          longest = Math.max(longest, run);
        }
        const career = careerOf(trades);
        const today = dayOf("2024-01-08");
        expect(streaksOf(career, NEW_YORK, today).trades.longestWinning).toBe(longest);
        const progress = (id: string) =>
          achievementsOf(career, new Map(), NEW_YORK).find((each) => each.id === id)?.progress;
        expect(progress("ten_in_a_row")).toBe(Math.min(10, longest));
        expect(progress("hundred_trades")).toBe(Math.min(100, merged.length));
      }),
    );
  });

  it("are never taken back, whatever an account does", () => {
    const anyCommands = fc.array(fc.array(fc.nat(9_999), { minLength: 10, maxLength: 10 }), {
      minLength: 40,
      maxLength: 80,
    });
    let changes = 0;
    fc.assert(
      fc.property(fc.nat(9_999), anyCommands, (rules, commands) => {
        const model = new Model(rules, false);
        for (const command of commands) model.step(command);
        const book = createTrades();
        let before = achievementsOf([], new Map(), NEW_YORK);
        for (const event of model.events) {
          if (book.take(event).length === 0) continue;
          const now = achievementsOf(book.trades, new Map(), NEW_YORK);
          for (const [k, each] of now.entries()) {
            expect(each.progress).toBeGreaterThanOrEqual(before[k].progress);
            expect(each.progress === each.target).toBe(each.unlocked);
            if (before[k].unlocked) expect(each.unlockedAt).toBe(before[k].unlockedAt);
            else if (each.unlocked) changes++;
          }
          before = now;
        }
      }),
      { numRuns: 60 },
    );
    expect(changes).toBeGreaterThan(60);
  });

  it("give levels that take a hundred more each", () => {
    const begins = [0, 100, 300, 600, 1_000, 1_500];
    for (const [k, xp] of begins.entries()) {
      expect(levelOf(xp)).toMatchObject({ level: k + 1, levelXp: xp });
      if (xp > 0) expect(levelOf(xp - 1)).toMatchObject({ level: k, nextLevelXp: xp });
    }
    const all = ACHIEVEMENTS.reduce((sum, { rewardXp }) => sum + rewardXp, 0);
    expect(levelOf(all)).toMatchObject({ level: 9, title: "Master" });
  });
});
