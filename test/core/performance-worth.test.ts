import { describe, expect, it } from "vitest";
import { cashRules } from "../../src/core/execution/account.js";
import { GTC_DAYS } from "../../src/core/execution/context.js";
import { NO_COSTS } from "../../src/core/execution/costs.js";
import { createDesk } from "../../src/core/execution/desk.js";
import type { DeskEvent } from "../../src/core/execution/events.js";
import { tradedShare } from "../../src/core/execution/instrument.js";
import { termsOf } from "../../src/core/execution/order.js";
import { calendarOf } from "../../src/core/market/session.js";
import { tradingDaysBy } from "../../src/core/performance/rollups.js";
import { worthBefore } from "../../src/core/performance/worth.js";

const MONEY = 1e6;

describe("what an account had before a date", () => {
  const events: DeskEvent[] = [];
  const desk = createDesk(
    { account: cashRules("USD"), costs: NO_COSTS, volumeShare: null, gtcDays: GTC_DAYS },
    [tradedShare("AAA")],
    (event) => events.push(event),
  );
  const trade = (id: string, side: "buy" | "sell", quantity: number, price: number, at: number) => {
    desk.mark("AAA", price);
    expect(desk.submit(termsOf({ id, symbol: "AAA", side, quantity }), { at, open: true })).toEqual([]);
    desk.quote("AAA", { time: at + 1, price, bid: price, ask: price, regular: true });
  };
  desk.transfer(1_000, Date.UTC(2024, 0, 2, 12));
  trade("a", "buy", 20, 10, Date.UTC(2024, 0, 2, 15));
  trade("b", "sell", 5, 14, Date.UTC(2024, 0, 2, 19));
  trade("c", "sell", 15, 8, Date.UTC(2024, 0, 4, 15));
  desk.transfer(500, Date.UTC(2024, 0, 4, 16));

  it("is what was paid in and realised by then, and null before there was anything", () => {
    const worth = worthBefore(
      events,
      tradingDaysBy(() => calendarOf("24x7")),
    );
    expect(["2024-01-02", "2024-01-03", "2024-01-04", "2024-01-05", "2025-01-01"].map(worth)).toEqual([
      null,
      1_020 * MONEY,
      1_020 * MONEY,
      1_490 * MONEY,
      1_490 * MONEY,
    ]);
  });

  it("follows the clock of the exchange", () => {
    // 19:00 in London is half past midnight in Kolkata.
    const worth = worthBefore(
      events,
      tradingDaysBy(() => calendarOf("XNSE")),
    );
    expect([worth("2024-01-03"), worth("2024-01-04")]).toEqual([1_000 * MONEY, 1_020 * MONEY]);
  });
});
