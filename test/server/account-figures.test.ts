import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createManualClock, type ManualClock } from "../fixtures/clock.js";
import { startTestProgram, type TestProgram } from "../fixtures/program.js";

/** A Wednesday: New York trades from 14:30 to 21:00 UTC. */
const NOW = Date.UTC(2024, 9, 2, 16, 7, 30);
const DAY_MS = 86_400_000;

let program: TestProgram;
let clock: ManualClock;
beforeAll(async () => {
  clock = createManualClock(NOW);
  program = await startTestProgram({ clock });
});
afterAll(() => program.close());

const get = async (url: string) => (await program.call(url)).json();
const post = async (url: string, payload: object) =>
  (await program.call({ method: "POST", url, payload })).json();
const sum = (rows: readonly { contribution: number }[]) =>
  rows.reduce((total, row) => total + row.contribution, 0);

describe("figures of a caller without an account", () => {
  it("200 are empty or null with a reason, and open none", async () => {
    expect((await get("/api/trading-stats")).data).toMatchObject({
      total_trades: 0,
      win_rate: null,
      account_id: null,
    });
    expect((await get("/api/paper-trades/performance")).data).toMatchObject({
      equity_curve: [],
      sharpe: null,
    });
    const attribution = await get("/api/analytics/attribution?period=30d");
    expect(attribution).toMatchObject({ total_return: 0, period: "30d" });
    expect(attribution.layers.length).toBeGreaterThan(0);
    expect(await get("/api/achievements")).toMatchObject({
      user_stats: { level: 1, total_achievements: 15, unlocked_achievements: 0 },
    });
    const streak = await get("/api/streak");
    expect(streak).toMatchObject({ current_streak: 0, data: { streak_type: "none" } });
    expect(streak.calendar).toHaveLength(30);
    expect((await get("/api/analytics/forecast")).data).toMatchObject({
      forecasted_values: [],
      current_value: null,
    });
    expect((await get("/api/paper-trade/accounts")).data).toEqual([]);
    expect((await get("/api/analytics/summary")).data).toMatchObject({
      success_rate: null,
      success_sample: 0,
    });
  });
});

describe("figures of an account over two months of trades", () => {
  it("200 sum to its equity in every table, and value each day", async () => {
    const { data: settings } = await post("/api/risk-settings", {
      max_daily_loss: 5_000,
      max_drawdown_limit: 100,
    });
    expect(settings.max_daily_loss).toBe(5_000);
    const layers = [
      { name: "rule_based", contribution: 0.6 },
      { name: "sentiment", contribution: -0.1 },
    ];
    for (let week = 0; week < 9; week++) {
      const opened = await post("/api/paper-trades", {
        symbol: week % 2 === 0 ? "AAPL" : "MSFT",
        side: "buy",
        quantity: 20,
        pattern: week % 3 === 0 ? "hammer" : "doji",
        strategy: "swing",
        layers,
      });
      expect(opened.trade.status).toBe("filled");
      clock.advance(3 * 3_600_000);
      if (week < 8) {
        const closed = await post("/api/close-position", { trade_id: opened.trade.id });
        expect(closed.trade.status).toBe("filled");
      }
      clock.advance(7 * DAY_MS - 3 * 3_600_000);
    }
    const { portfolio } = await get("/api/paper-trades?limit=1");
    const stats = (await get("/api/trading-stats")).data;
    expect(stats.total_trades).toBe(8);
    expect(stats.total_pnl + stats.unrealised_pnl).toBeCloseTo(portfolio.equity - 100_000, 5);
    const attribution = await get("/api/analytics/attribution");
    for (const table of ["layers", "patterns", "strategies", "models"]) {
      expect(sum(attribution[table]), table).toBeCloseTo(portfolio.equity - 100_000, 5);
    }
    expect(attribution.patterns.map(({ name }: { name: string }) => name).sort()).toEqual(["doji", "hammer"]);
    const performance = (await get("/api/paper-trades/performance")).data;
    expect(performance.equity_curve.length).toBeGreaterThan(35);
    expect(performance.equity_curve[0].date).toBe("2024-10-02");
    expect(performance.sharpe).toEqual(expect.any(Number));
    expect(performance.benchmark).toMatchObject({ symbol: "SPY", beta: { reason: null } });
    const forecast = await get("/api/analytics/forecast?timeframe=7d");
    expect(forecast.predictions).toHaveLength(1);
    const { lower, upper } = forecast.data.confidence_interval;
    expect(lower.every((value: number, i: number) => value <= upper[i])).toBe(true);
    expect(await get("/api/analytics/forecast?timeframe=7d")).toEqual(forecast);
    const { user_stats } = await get("/api/achievements");
    expect(user_stats.unlocked_achievements).toBeGreaterThan(0);
    const streak = await get("/api/streak");
    expect(streak.total_trading_days).toBe(9);
  });
});
