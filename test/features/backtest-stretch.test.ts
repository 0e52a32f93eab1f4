import { describe, expect, it } from "vitest";
import { barClose, barOpensBetween } from "../../src/core/market/bar-times.js";
import { type Candles, candlesFromRows, sliceCandles } from "../../src/core/market/candles.js";
import type { Interval } from "../../src/core/market/interval.js";
import { calendarOf } from "../../src/core/market/session.js";
import { createBacktestAnswers } from "../../src/features/backtests/answers.js";
import { singleOrder } from "../../src/features/backtests/order.js";
import type { Database } from "../../src/platform/database.js";
import type { Workers } from "../../src/platform/workers.js";
import { backtestParts, candlesOfCloses, useBacktests } from "../fixtures/backtests.js";

let database: Database;
let workers: Workers;
useBacktests((parts) => {
  ({ database, workers } = parts);
});

const CALENDARS = { AAPL: "XNYS", "BTC-USD": "24x7" } as const;
const NOW_MS = Date.UTC(2023, 0, 1);
const calendarOfSymbol = (symbol: string) => CALENDARS[symbol as keyof typeof CALENDARS];

function candlesOf(symbol: string, interval: Interval): Candles {
  const calendar = calendarOf(calendarOfSymbol(symbol));
  const rows = Array.from(barOpensBetween(calendar, interval, Date.UTC(2018, 0, 1), NOW_MS), (time, i) => {
    const close = 100 + 20 * Math.sin(i / 12);
    return { time, open: close, high: close, low: close, close, volume: 1_000_000 };
  });
  return candlesFromRows(symbol, interval, rows);
}

/** The opens of the last bars that are traded, by symbol. */
async function lastBars(order: object) {
  const parts = backtestParts(database, workers, candlesOfCloses([1, 2]));
  const instrument = await parts.instruments.resolve("BTC-USD");
  const known = (symbol: string) => ({ ...instrument, symbol, calendar: calendarOfSymbol(symbol) });
  const any = await parts.candles.loadRange(instrument, "1d", 0, 0);
  const answers = createBacktestAnswers({
    ...parts,
    now: () => NOW_MS,
    instruments: { resolve: async (symbol) => known(symbol), identify: known },
    candles: {
      async loadRange({ symbol }, interval, fromMs, toMs) {
        const all = candlesOf(symbol, interval);
        const [from, to] = [fromMs, toMs].map((ms) => all.time.filter((each) => each < ms).length);
        return { ...any, instrument: known(symbol), candles: sliceCandles(all, from, to) };
      },
    },
  });
  const { data, report } = await answers.runSingle("ann", singleOrder.parse({ benchmark: "none", ...order }));
  for (const { symbol, interval, time } of data.series) {
    const closed = barClose(calendarOf(calendarOfSymbol(symbol)), interval, time[time.length - 1]);
    expect(closed).toBeLessThanOrEqual(data.toMs);
  }
  return Object.fromEntries(report.data.series.map(({ symbol, end }) => [symbol, end]));
}

describe("the stretch of a run", () => {
  it("ends with the ordered day of each market, whichever symbol is named first", async () => {
    const order = { start_date: "2019-01-01", end_date: "2019-05-30" };
    const expected = { AAPL: "2019-05-30T13:30:00.000Z", "BTC-USD": "2019-05-30T00:00:00.000Z" };
    expect(await lastBars({ ...order, symbols: ["AAPL", "BTC-USD"] })).toEqual(expected);
    expect(await lastBars({ ...order, symbols: ["BTC-USD", "AAPL"] })).toEqual(expected);
  });

  it.each([
    ["1w", "2022-06-01", "2022-05-23T13:30:00.000Z"],
    ["1w", "2022-06-03", "2022-05-31T13:30:00.000Z"],
    ["1d", "2022-06-01T15:00:00Z", "2022-05-31T13:30:00.000Z"],
    ["1h", "2022-06-01T15:00:00Z", "2022-06-01T13:30:00.000Z"],
  ])("has no bar that closes after its end: %s to %s", async (interval, end_date, last) => {
    const order = { symbol: "AAPL", interval, start_date: "2021-12-01", end_date };
    expect(await lastBars(order)).toEqual({ AAPL: last });
  });
});
