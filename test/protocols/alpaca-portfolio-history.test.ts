import { describe, expect, it } from "vitest";
import { marginRules } from "../../src/core/execution/account.js";
import { GTC_DAYS } from "../../src/core/execution/context.js";
import { NO_COSTS } from "../../src/core/execution/costs.js";
import { createDesk } from "../../src/core/execution/desk.js";
import type { AccountEvent, DeskEvent } from "../../src/core/execution/events.js";
import { tradedShare } from "../../src/core/execution/instrument.js";
import { termsOf } from "../../src/core/execution/order.js";
import { equityAt } from "../../src/core/performance/equity-at.js";
import type { AccountRow } from "../../src/features/paper-trades/store.js";
import { portfolioQuery } from "../../src/protocols/alpaca/account-schema.js";
import { portfolioHistory } from "../../src/protocols/alpaca/portfolio-history.js";

/** July 2024 in New York: from 13:30 to 20:00 UTC. */
const july = (day: number, hour = 20, minute = 0) => Date.UTC(2024, 6, day, hour, minute);

/**
 * Opened on Friday, 5 July with 10,000 at noon, of which 100 shares are bought at 50. They close at 51 that day, at 53 on
 * Monday, after 2,000 came in at 16:00 UTC, at 52 on Tuesday, after 500 went out and 10 of dividends came in, and stand at
 * 54 at 15:00 on Wednesday.
 */
function written() {
  const events: DeskEvent[] = [];
  const rules = { account: marginRules("USD"), costs: NO_COSTS, volumeShare: null, gtcDays: GTC_DAYS };
  const desk = createDesk(rules, [tradedShare("AAA")], (event) => events.push(event));
  desk.transfer(10_000, july(5, 16));
  desk.mark("AAA", 50);
  desk.submit(termsOf({ id: "a", symbol: "AAA", side: "buy", quantity: 100 }), {
    at: july(5, 16),
    open: true,
  });
  desk.quote("AAA", { time: july(5, 16) + 1, price: 50, bid: null, ask: null, regular: true });
  desk.transfer(2_000, july(8, 16));
  desk.dividend("AAA", 0.1, july(9, 13, 30));
  desk.transfer(-500, july(9, 16));
  const until = [july(5), july(8, 15), july(8), july(9, 15), july(9), july(10, 15)];
  const close = [51, 51.5, 53, 52.5, 52, 54];
  const closes = new Map([["AAA", { until: Float64Array.from(until), close: Float64Array.from(close) }]]);
  const told = {
    row: {} as AccountRow,
    openedAt: events[0].at,
    postings: events.filter((event): event is AccountEvent => event.kind === "account"),
  };
  const days = {
    at: async (_row: AccountRow, instants: Float64Array) => ({
      instants,
      ...equityAt(events, instants, closes),
    }),
  };
  return (query: Record<string, string>, nowMs = july(10, 15)) =>
    portfolioHistory(days, told, portfolioQuery.parse(query), nowMs);
}

describe("the history of a portfolio", () => {
  const history = written();
  const daily = { timeframe: "1D", start: "2024-07-08T00:00:00-04:00" };

  it("by days counts from the close before the first, and flows are no gains", async () => {
    const told = await history(daily);
    // 10,100 on Friday; 2,000 in and 200 gained; 500 out, 10 of dividends, 100 lost; 200 gained.
    expect(told).toMatchObject({
      timestamp: [july(8), july(9), july(10, 15)].map((at) => at / 1_000),
      equity: [12_300, 11_710, 11_910],
      profit_loss: [200, 110, 310],
      base_value: 10_100,
      base_value_asof: "2024-07-05",
    });
    expect(told.profit_loss_pct).toEqual([200, 110, 310].map((gain) => gain / 10_100));
    expect(told).not.toHaveProperty("cashflow");
  });

  it("of a new account counts from what it began with, whatever came later, and names no day", async () => {
    const told = await history({ timeframe: "1D", period: "1M" });
    expect(told).toMatchObject({ equity: [10_100, 12_300, 11_710, 11_910], base_value: 10_000 });
    expect(told.profit_loss).toEqual([100, 300, 210, 410]);
    expect(told).not.toHaveProperty("base_value_asof");
  });

  it("within days counts from the close before each, or before the first", async () => {
    const hours = { timeframe: "1H", start: "2024-07-08T09:30:00-04:00" };
    const at = (told: { timestamp: number[] }, instants: number[]) =>
      instants.map((instant) => told.timestamp.indexOf(instant / 1_000));
    const points = [july(8, 15, 30), july(8, 16, 30), july(9, 15, 30), july(9, 16, 30), july(10, 14, 30)];
    const reset = await history(hours);
    const kept = await history({ ...hours, pnl_reset: "no_reset" });
    const [gains, all] = [reset, kept].map((told) =>
      at(told, points).map((i) => [told.profit_loss[i], told.profit_loss_pct[i]]),
    );
    // 51.5 after 51; the same; 52.5 after 53 with 10 of dividends; 52.5 until the close; 52 as it closed.
    expect(gains).toEqual([
      [50, 50 / 10_100],
      [50, 50 / 10_100],
      [-40, -40 / 12_300],
      [-40, -40 / 12_300],
      [0, 0],
    ]);
    expect(all.map(([gain]) => gain)).toEqual([50, 50, 160, 160, 110]);
    expect(all.map(([gain, share]) => share === (gain ?? 0) / 10_100)).toEqual(points.map(() => true));
    for (const told of [reset, kept]) {
      expect(told).toMatchObject({ base_value: 10_100, base_value_asof: "2024-07-05" });
    }
  });

  it("on a weekend counts on from the close before Friday's session", async () => {
    const day = { timeframe: "1H", intraday_reporting: "continuous", start: "2024-07-06T16:00:00Z" };
    const told = await history({ ...day, end: "2024-07-06T17:00:00Z" }, july(8, 10));
    // The account was opened on that Friday.
    expect(told).toMatchObject({ equity: [10_100, 10_100], profit_loss: [100, 100], base_value: 10_000 });
  });

  it("tells what came in by step, of all types or of those that are named", async () => {
    const { cashflow } = await history({ ...daily, cashflow_types: "ALL" });
    expect(cashflow).toEqual({ CSD: [2_000, 0, 0], CSW: [0, -500, 0], DIV: [0, 10, 0] });
    const named = await history({ ...daily, cashflow_types: "CSW,FEE" });
    expect(named.cashflow).toEqual({ CSW: [0, -500, 0], FEE: [0, 0, 0] });
    expect(await history({ ...daily, cashflow_types: "NONE" })).not.toHaveProperty("cashflow");
    const first = await history({ timeframe: "1D", period: "1M", cashflow_types: "CSD" });
    expect(first.cashflow).toEqual({ CSD: [10_000, 2_000, 0, 0] });
  });
});
