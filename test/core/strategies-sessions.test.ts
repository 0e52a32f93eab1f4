import { describe, expect, it } from "vitest";
import { readyFor } from "../../src/core/backtest/ready.js";
import { PLAIN_RULES, SIZINGS } from "../../src/core/backtest/rules.js";
import { runBacktest } from "../../src/core/backtest/run.js";
import { createRng } from "../../src/core/base/rng.js";
import { marginRules } from "../../src/core/execution/account.js";
import { barOpensBetween } from "../../src/core/market/bar-times.js";
import { type Candles, candlesFromRows } from "../../src/core/market/candles.js";
import { INTERVAL_MS, type Interval } from "../../src/core/market/interval.js";
import { type CalendarId, calendarOf, sessionAt, sessionsBetween } from "../../src/core/market/session.js";
import type { Strategy } from "../../src/core/strategies/define.js";
import { openingRange } from "../../src/core/strategies/opening-range.js";
import type { Values } from "../../src/core/strategies/parameters.js";
import { sessionColumns } from "../../src/core/strategies/sessions.js";
import { vwapDeviation } from "../../src/core/strategies/vwap-deviation.js";

const FROM = Date.parse("2024-11-01");
const TO = Date.parse("2025-01-10");

/** Bars of two months with half days among them. */
function candlesOf(id: CalendarId, interval: Interval, seed: number): Candles {
  const rng = createRng(seed);
  const size = 0.004 * Math.sqrt(INTERVAL_MS[interval] / INTERVAL_MS["30m"]);
  let close = 100;
  const rows = [...barOpensBetween(calendarOf(id), interval, FROM, TO)].map((time) => {
    const open = close;
    close = open * (1 + size * rng.normal());
    const [high, low] = [Math.max(open, close) * 1.0005, Math.min(open, close) * 0.9995];
    return { time, open, high, low, close, volume: 1_000 + rng.below(9_000) };
  });
  return candlesFromRows("AAA", interval, rows);
}

function run(strategy: Strategy, candles: Candles, id: CalendarId | null, values: Values = {}) {
  const account = { ...marginRules("USD", 1), maintenanceLong: 0, maintenanceShort: 0, initialShort: 1 };
  const desk = { ...PLAIN_RULES.desk, account };
  const calendar = id === null ? null : calendarOf(id);
  return runBacktest(strategy, [{ candles }], values, {
    ...PLAIN_RULES,
    desk,
    calendar,
    sizing: SIZINGS.fractional,
  }).trades;
}

describe("a strategy of the day", () => {
  it.each([
    [openingRange, "XNYS", "5m", {}],
    [openingRange, "XNYS", "30m", {}],
    [openingRange, "XNYS", "1h", { rangeMinutes: 60 }],
    [openingRange, "XNSE", "15m", { lastMinutes: 1_440 }],
    [openingRange, "24x7", "15m", { rangeMinutes: 240, targetRanges: 10, lastMinutes: 1_440 }],
    [vwapDeviation, "XNYS", "5m", {}],
    [vwapDeviation, "XNYS", "30m", {}],
    [vwapDeviation, "XNYS", "1h", { lastMinutes: 1_440 }],
    [vwapDeviation, "XNSE", "5m", {}],
  ] as const)(
    "is in and out within one session, half days with them: %#",
    (strategy, id, interval, values) => {
      const calendar = calendarOf(id);
      let [trades, late] = [0, 0];
      for (let seed = 1; seed <= 3; seed++) {
        const candles = candlesOf(id, interval, seed);
        for (const trade of run(strategy, candles, id, values)) {
          // An exit within a bar is told at its end.
          const closed = (trade.closedAt ?? Number.NaN) - 1;
          const [entry, exit] = [sessionAt(calendar, trade.openedAt), sessionAt(calendar, closed)];
          expect(exit?.open ?? closed + 1, `${new Date(trade.openedAt).toISOString()}`).toBe(
            trade.closedAt === entry?.open ? trade.closedAt : entry?.open,
          );
          trades++;
          const close = entry?.close ?? 0;
          if (close - closed <= INTERVAL_MS[interval] + 1) late++;
        }
      }
      expect(trades).toBeGreaterThan(20);
      // It does not leave sooner than it must.
      expect(late).toBeGreaterThan(0);
    },
  );

  it("holds overnight where nobody tells it the hours, which is what the calendar is for", () => {
    const candles = candlesOf("XNYS", "1h", 1);
    const trades = run(openingRange, candles, null, { rangeMinutes: 60 });
    const days = trades.map(
      ({ openedAt, closedAt }) =>
        Math.floor((closedAt ?? 0) / 86_400_000) - Math.floor(openedAt / 86_400_000),
    );
    expect(Math.max(...days)).toBeGreaterThan(0);
  });

  it("leaves at the next bar there is where the last one of a session is missing", () => {
    const calendar = calendarOf("XNYS");
    const whole = candlesOf("XNYS", "30m", 2);
    const kept = [...whole.time.keys()].filter((i) => {
      const close = sessionAt(calendar, whole.time[i])?.close ?? 0;
      return close - whole.time[i] > 2 * INTERVAL_MS["30m"];
    });
    const column = (values: Float64Array) => Float64Array.from(kept, (i) => values[i]);
    const { time, open, high, low, close, volume } = whole;
    const cut: Candles = {
      ...whole,
      time: column(time),
      open: column(open),
      high: column(high),
      low: column(low),
      close: column(close),
      volume: column(volume),
    };
    const trades = run(openingRange, cut, "XNYS", { lastMinutes: 1_440 });
    const nights = trades.filter(({ openedAt, closedAt }) => (closedAt ?? 0) - openedAt > 12 * 3_600_000);
    expect(nights.length).toBeGreaterThan(0);
    for (const { closedAt } of nights) {
      const session = sessionAt(calendar, closedAt ?? 0);
      expect((closedAt ?? 0) - (session?.open ?? 0)).toBeLessThanOrEqual(INTERVAL_MS["30m"]);
    }
  });

  it("is refused bars that are too long for it", () => {
    const problems = (strategy: Strategy, interval: Interval, values: Values = {}) =>
      readyFor(strategy, [{ candles: candlesOf("XNYS", interval, 1) }], values).problems;
    expect(problems(openingRange, "4h")).toEqual([
      "needs bars no longer than the opening range of 30 minutes, not 4h",
    ]);
    expect(problems(openingRange, "1h")).toHaveLength(1);
    expect(problems(openingRange, "1h", { rangeMinutes: 60 })).toBeNull();
    expect(problems(openingRange, "30m")).toBeNull();
    expect(problems(vwapDeviation, "4h")).toEqual(["needs bars of an hour at most, not 4h"]);
    expect(problems(vwapDeviation, "1h")).toBeNull();
  });
});

describe("places of bars in their sessions", () => {
  it("count the bars that are still to open as the grid has them", () => {
    for (const id of ["XNYS", "XNSE", "24x7"] as const) {
      const calendar = calendarOf(id);
      for (const interval of ["5m", "30m", "1h"] as const) {
        const candles = candlesOf(id, interval, 1);
        const { left, minutes } = sessionColumns(candles, calendar);
        for (const session of sessionsBetween(calendar, FROM, TO)) {
          const inside = [...candles.time.keys()].filter(
            (i) => candles.time[i] >= session.open && candles.time[i] < session.close,
          );
          for (const [k, i] of inside.entries()) {
            expect(left[i]).toBe(inside.length - 1 - k);
            expect(minutes[i]).toBe((candles.time[i] - session.open) / 60_000);
          }
        }
      }
    }
  });
});
