import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { marginRules } from "../../src/core/execution/account.js";
import { dateOf, dayOf } from "../../src/core/market/day.js";
import { calendarOf, sessionOn } from "../../src/core/market/session.js";
import { createEquity, dailyEquity, exposureOf } from "../../src/core/performance/equity.js";
import { tradesOf } from "../../src/core/performance/trades.js";
import { Model } from "../fixtures/execution-model.js";
import { Scene, usd } from "../fixtures/execution-scene.js";

const XNYS = calendarOf("XNYS");
const ALWAYS = calendarOf("24x7");

function openOf(date: string): number {
  const session = sessionOn(XNYS, date);
  if (session === null) throw new Error(`no session on ${date}`);
  return session.open;
}

function closesOf(rows: Readonly<Record<string, number>>) {
  return {
    day: Float64Array.from(Object.keys(rows), dayOf),
    close: Float64Array.from(Object.values(rows)),
  };
}

describe("equity by day", () => {
  it("begins with the first session that had not closed when the account was opened", () => {
    // A Tuesday's session closes at 21:00 UTC, and its date ends at 05:00.
    const rowsOf = (at: number) => {
      const scene = new Scene({ at });
      scene.desk.transfer(50, at + 1);
      const { day, paidIn } = dailyEquity(scene.events, XNYS, new Map(), dayOf("2024-11-27"));
      return [...day].map((each, i) => [dateOf(each), paidIn[i] / 1e6]);
    };
    const both = [
      ["2024-11-26", 10_050],
      ["2024-11-27", 0],
    ];
    expect(rowsOf(Date.UTC(2024, 10, 26, 20, 59))).toEqual(both);
    expect(rowsOf(Date.UTC(2024, 10, 26, 21))).toEqual([["2024-11-27", 10_050]]);
    expect(rowsOf(Date.UTC(2024, 10, 27, 4, 58))).toEqual([["2024-11-27", 10_050]]);
  });

  it("goes from the first session to the last, over a weekend, a holiday, a split and a day without a close", () => {
    // A Thursday; the Monday after the weekend is Martin Luther King's day.
    const scene = new Scene({ account: marginRules("USD"), at: openOf("2024-01-11") });
    scene.submit({ id: "a", quantity: 10 });
    scene.bar(100, 100, 100, 100);
    scene.time = openOf("2024-01-12");
    scene.submit({ id: "b", side: "sell", quantity: 20, symbol: "BBB" });
    scene.bar(50, 50, 50, 50, { symbol: "BBB" });
    // A Saturday counts for the Tuesday after it.
    scene.desk.transfer(500, Date.UTC(2024, 0, 13, 18));
    scene.desk.transfer(-200, Date.UTC(2024, 0, 16, 15));
    scene.desk.split("AAA", 2, openOf("2024-01-17"));
    const closes = new Map([
      ["AAA", closesOf({ "2024-01-11": 101, "2024-01-12": 104, "2024-01-16": 106 })],
      ["BBB", closesOf({ "2024-01-16": 45, "2024-01-17": 55 })],
    ]);
    const days = dailyEquity(scene.events, XNYS, closes, dayOf("2024-01-17"));
    const rows = [...days.day].map((day, i) => [
      dateOf(day),
      days.equity[i] / 1e6,
      days.cash[i] / 1e6,
      days.paidIn[i] / 1e6,
      days.paidOut[i] / 1e6,
      days.long[i] / 1e6,
      days.short[i] / 1e6,
      days.carried[i],
    ]);
    expect(rows).toEqual([
      ["2024-01-11", 10_010, 9_000, 10_000, 0, 1_010, 0, 0],
      // BBB is worth what it was sold for.
      ["2024-01-12", 10_040, 10_000, 0, 0, 1_040, -1_000, 1],
      ["2024-01-16", 10_460, 10_300, 500, 200, 1_060, -900, 0],
      // AAA has the close of the day before, halved for twice as many.
      ["2024-01-17", 10_260, 10_300, 0, 0, 1_060, -1_100, 1],
    ]);
    const { gross, net } = exposureOf(days);
    expect([gross[3], net[3]]).toEqual([usd(2_160), usd(-40)]);
    expect(dailyEquity(scene.events, XNYS, closes, dayOf("2024-01-15")).day.length).toBe(2);
    expect(dailyEquity(scene.events, XNYS, closes, dayOf("2024-01-10")).day.length).toBe(0);
    expect(dailyEquity([], XNYS, closes, dayOf("2024-01-17")).day.length).toBe(0);
  });

  it("is what the trades say, on every day of random accounts", () => {
    const anyCommands = fc.array(fc.array(fc.nat(9_999), { minLength: 10, maxLength: 10 }), {
      minLength: 40,
      maxLength: 80,
    });
    let days = 0;
    fc.assert(
      fc.property(fc.nat(9_999), anyCommands, (rules, commands) => {
        const model = new Model(rules, false);
        for (const command of commands) model.step(command);
        const { events } = model;
        const last = Math.floor(Math.max(...events.map(({ at }) => at)) / 86_400_000);
        const found = dailyEquity(events, ALWAYS, new Map(), last);
        for (let i = 0; i < found.day.length; i++) {
          const until = events.filter(({ at }) => at < (found.day[i] + 1) * 86_400_000);
          const { trades, interest, capital } = tradesOf(until);
          const worth = found.long[i] + found.short[i];
          const paid = trades.reduce(
            (sum, trade) => sum + (trade.side === "long" ? trade.openMicros : -trade.openMicros),
            0,
          );
          const net = trades.reduce((sum, trade) => sum + trade.net, interest);
          expect(found.equity[i] - capital).toBe(net + worth - paid);
        }
        const book = createEquity(ALWAYS);
        for (const [k, event] of events.entries()) {
          book.take(event);
          if (k % 9 > 0) continue;
          const part = dailyEquity(events.slice(0, k + 1), ALWAYS, new Map(), last);
          expect(book.days(new Map(), last)).toEqual(part);
        }
        expect(book.days(new Map(), last)).toEqual(found);
        const { capital } = tradesOf(events);
        const flows = found.paidIn.reduce((sum, each, i) => sum + each - found.paidOut[i], 0);
        expect(flows).toBe(capital);
        days += found.day.length;
      }),
      { numRuns: 200 },
    );
    expect(days).toBeGreaterThan(200);
  });
});
