import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { dayOf } from "../../src/core/market/day.js";
import { calendarOf } from "../../src/core/market/session.js";
import { dailyRollups, strategyRollups, tradingDaysBy } from "../../src/core/performance/rollups.js";
import { causeFor, closedTrade, HOUR_MS, tradesOfNets } from "../fixtures/closed-trades.js";

const KOLKATA = tradingDaysBy(() => calendarOf("XNSE"));
const NEW_YORK = tradingDaysBy(() => calendarOf("XNYS"));
const MINUTE_MS = 60_000;
/** Midnight in Kolkata, before a Wednesday. */
const MIDNIGHT = Date.UTC(2024, 0, 2, 18, 30);
const unknown = () => null;

describe("roll-ups by day", () => {
  it("have every figure, worked out by hand", () => {
    const feesByKind = { brokerage: 20e6, exchange: 2e6, gst: 3e6, stt: 5e6 };
    const charged = { fees: 30e6, feesByKind };
    const trades = [
      // Nets of -50, 70, 30 and -90.
      closedTrade(1, { gross: -20e6, net: -50e6, ...charged }),
      closedTrade(2, { gross: 100e6, net: 70e6, ...charged }),
      closedTrade(3, { gross: 60e6, net: 30e6, ...charged }),
      closedTrade(4, { gross: -61e6, net: -90e6, ...charged, dividends: 2e6, borrow: 1e6 }),
    ].map((trade, k) => {
      const closedAt = MIDNIGHT + 10 * HOUR_MS + k * MINUTE_MS;
      return { ...trade, closedAt, openedAt: closedAt - (k + 1) * 10 * MINUTE_MS };
    });
    const [row, ...more] = dailyRollups(trades, KOLKATA, () => 10_000e6);
    expect(more).toEqual([]);
    expect(row).toEqual({
      date: "2024-01-03",
      trades: 4,
      wins: 2,
      losses: 2,
      breakEvens: 0,
      winRatePct: 50,
      gross: 79e6,
      brokerage: 80e6,
      taxes: 40e6,
      carry: 1e6,
      net: -40e6,
      profitFactor: 100 / 140,
      noLosses: false,
      averageNet: -10e6,
      averageWin: 50e6,
      averageLoss: -70e6,
      averageHoldMinutes: 25,
      // -50, 20, 50 and -40: 90 below 50, and 50 below the beginning.
      maxDrawdown: 90e6,
      maxDrawdownPct: { value: expect.closeTo((100 * 90) / 10_050, 12), reason: null },
      sharpe: { value: null, reason: "fewer than 10 trades" },
    });
    expect(row.gross - row.brokerage - row.taxes + row.carry).toBe(row.net);
  });

  it("count a loss at the beginning, and name what cannot be told", () => {
    const [row] = dailyRollups(tradesOfNets(-5, 1), KOLKATA, unknown);
    expect(row).toMatchObject({
      maxDrawdown: 5e6,
      maxDrawdownPct: { value: null, reason: "the equity before the day is not known" },
    });
    const [won] = dailyRollups(tradesOfNets(5, 0), KOLKATA, unknown);
    expect(won).toMatchObject({ profitFactor: null, noLosses: true, averageLoss: null, maxDrawdown: 0 });
    expect(dailyRollups([], KOLKATA, unknown)).toEqual([]);
  });

  it("have a Sharpe ratio from ten trades on, that varies", () => {
    const ten = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10].map((k) =>
      closedTrade(k, { net: k * 1e6, closedAt: MIDNIGHT + k }),
    );
    const [row] = dailyRollups(ten, KOLKATA, unknown);
    // Mean 5.5 per standard deviation of one to ten.
    expect(row.sharpe.value).toBeCloseTo(5.5 / Math.sqrt(82.5 / 9), 12);
    const same = ten.map((trade) => ({ ...trade, net: 1e6 }));
    expect(dailyRollups(same, KOLKATA, unknown)[0].sharpe.reason).toBe("returns do not vary");
  });

  it("go by the exit from midnight to midnight on the clock of the exchange", () => {
    const exits = [MIDNIGHT - 1, MIDNIGHT, MIDNIGHT + 24 * HOUR_MS - 1, MIDNIGHT + 24 * HOUR_MS];
    const trades = exits.map((closedAt, k) => closedTrade(k, { net: 1, closedAt, openedAt: MIDNIGHT - 99 }));
    const told = dailyRollups(trades, KOLKATA, unknown).map(({ date, trades: n }) => `${date} ${n}`);
    expect(told).toEqual(["2024-01-02 1", "2024-01-03 2", "2024-01-04 1"]);
    // A day of 23 hours: clocks went forward at 7:00 UTC of 10 March.
    const spring = [Date.UTC(2024, 2, 10, 5), Date.UTC(2024, 2, 11, 4) - 1, Date.UTC(2024, 2, 11, 4)];
    const rows = dailyRollups(
      spring.map((closedAt, k) => closedTrade(k, { net: 1, closedAt })),
      NEW_YORK,
      unknown,
    );
    expect(rows.map(({ date, trades: n }) => `${date} ${n}`)).toEqual(["2024-03-10 2", "2024-03-11 1"]);
  });

  it("are of the trading day of each trade's own exchange", () => {
    const exchanges = { AAPL: "XNYS", "TCS.NS": "XNSE", "BTC-USD": "24x7", "EURUSD=X": "FX" } as const;
    const exchangeDay = tradingDaysBy((symbol) =>
      calendarOf(exchanges[symbol as keyof typeof exchanges] ?? "XNYS"),
    );
    const exits: [keyof typeof exchanges, number][] = [
      // Of one Friday's session in New York, before and after midnight in Kolkata.
      ["AAPL", Date.UTC(2026, 9, 2, 15)],
      ["AAPL", Date.UTC(2026, 9, 2, 19)],
      ["TCS.NS", Date.UTC(2026, 9, 2, 9)],
      ["BTC-USD", Date.UTC(2026, 9, 2, 23, 59)],
      ["BTC-USD", Date.UTC(2026, 9, 3)],
      // An evening of currencies belongs to the next day.
      ["EURUSD=X", Date.UTC(2026, 9, 1, 22)],
    ];
    const trades = exits.map(([symbol, closedAt], k) => closedTrade(k, { symbol, net: 1, closedAt }));
    const told = dailyRollups(trades, exchangeDay, unknown).map(({ date, trades: n }) => `${date} ${n}`);
    expect(told).toEqual(["2026-10-02 5", "2026-10-03 1"]);
    const rows = strategyRollups(trades, new Map(), null, exchangeDay);
    expect(rows.map(({ date, tradesTaken }) => `${date} ${tradesTaken}`)).toEqual(told);
  });

  it("of one day are those of the day among all, and all sum to the trades", () => {
    const one = fc.record({
      net: fc.integer({ min: -1e9, max: 1e9 }),
      fees: fc.integer({ min: 0, max: 1e7 }),
      at: fc.integer({ min: 0, max: 5 * 24 * 60 }),
    });
    fc.assert(
      fc.property(fc.array(one, { maxLength: 40 }), (made) => {
        const trades = made.map(({ net, fees, at }, k) =>
          closedTrade(k, { net, gross: net + fees, fees, closedAt: MIDNIGHT + at * MINUTE_MS }),
        );
        const rows = dailyRollups(trades, KOLKATA, unknown);
        expect(rows.reduce((sum, { net }) => sum + net, 0)).toBe(made.reduce((sum, { net }) => sum + net, 0));
        expect(rows.map(({ date }) => date)).toEqual(rows.map(({ date }) => date).toSorted());
        for (const row of rows) {
          const alone = trades.filter(
            ({ closedAt }) =>
              dailyRollups([closedTrade(1, { closedAt })], KOLKATA, unknown)[0].date === row.date,
          );
          expect(dailyRollups(alone.toReversed(), KOLKATA, unknown)).toEqual([row]);
          expect(row.gross - row.brokerage - row.taxes + row.carry).toBe(row.net);
          expect(row.maxDrawdown).toBeGreaterThanOrEqual(Math.max(0, -row.net));
        }
      }),
      { numRuns: 60 },
    );
  });
});

describe("roll-ups by strategy", () => {
  it("have signals that were not taken, trades without a strategy, and days with either", () => {
    const trades = [
      closedTrade(1, { net: 4, closedAt: MIDNIGHT }),
      closedTrade(2, { net: -1, closedAt: MIDNIGHT + 1 }),
      closedTrade(3, { net: 9, closedAt: MIDNIGHT + 2 }),
    ];
    const causes = new Map(["o1", "o2"].map((id) => [id, causeFor({ strategy: "swing" })]));
    const signals = [
      { strategy: "swing", day: dayOf("2024-01-02"), strength: 0.9 },
      { strategy: "swing", day: dayOf("2024-01-03"), strength: 0.5 },
      { strategy: "swing", day: dayOf("2024-01-03"), strength: 0.75 },
    ];
    const swing = { date: "2024-01-03", strategy: "swing", tradesTaken: 2, wins: 1, winRatePct: 50 };
    const manual = {
      date: "2024-01-03",
      strategy: "manual",
      signalsGenerated: 0,
      tradesTaken: 1,
      wins: 1,
      winRatePct: 100,
      totalNet: 9,
      averageNet: 9,
      averageStrength: null,
    };
    expect(strategyRollups(trades, causes, signals, KOLKATA)).toEqual([
      {
        date: "2024-01-02",
        strategy: "swing",
        signalsGenerated: 1,
        tradesTaken: 0,
        wins: 0,
        winRatePct: null,
        totalNet: 0,
        averageNet: null,
        averageStrength: 0.9,
      },
      manual,
      { ...swing, signalsGenerated: 2, totalNet: 3, averageNet: 1.5, averageStrength: 0.625 },
    ]);
    const [first, second] = strategyRollups(trades, causes, null, KOLKATA);
    expect([first.signalsGenerated, second.signalsGenerated, second.averageStrength]).toEqual([
      null,
      null,
      null,
    ]);
    expect(strategyRollups([], causes, [], KOLKATA)).toEqual([]);
  });
});
