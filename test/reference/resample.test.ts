import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { type Candles, candlesFromRows } from "../../src/core/market/candles.js";
import type { Interval } from "../../src/core/market/interval.js";
import { resample } from "../../src/core/market/resample.js";
import { calendarOf, isOpen } from "../../src/core/market/session.js";
import { sharedPath } from "../fixtures/shared.js";

/** Rows of time, open, high, low, close, volume; a date alone is a day at 0:00 UTC. */
function load(symbol: string, interval: Interval, ...file: string[]): Candles {
  const path = sharedPath("data", ...file);
  if (path === null) throw new Error(`${file.join("/")} is missing`);
  const lines = gunzipSync(readFileSync(path)).toString("utf8").trim().split("\n").slice(1);
  const rows = lines.map((line) => {
    const [time, open, high, low, close, volume] = line.split(",");
    return {
      time: Date.parse(time),
      open: Number(open),
      high: Number(high),
      low: Number(low),
      close: Number(close),
      volume: Number(volume),
    };
  });
  return candlesFromRows(symbol, interval, rows);
}

const newYork = calendarOf("XNYS");

describe.skipIf(sharedPath("data", "intraday") === null)(
  "against daily bars of the same vendor (LEAN)",
  () => {
    it.each(["SPY", "AAPL"])("minutes of %s with extended hours make its days to the share", (symbol) => {
      const minutes = load(symbol, "1m", "intraday", `lean-${symbol}-1m.csv.gz`);
      const published = load(symbol, "1d", "daily", `lean-${symbol}-raw.csv.gz`);
      const rowOf = new Map(Array.from(published.time, (time, i) => [time, i]));
      const days = resample(minutes, "1d", newYork);
      let compared = 0;
      for (let i = 0; i < days.time.length; i++) {
        // The daily file ends before the last of the minutes.
        const row = rowOf.get(Math.floor(days.time[i] / 86_400_000) * 86_400_000);
        if (row === undefined) continue;
        compared++;
        expect(days.open[i]).toBe(published.open[row]);
        expect(days.close[i]).toBe(published.close[row]);
        expect(days.volume[i]).toBe(published.volume[row]);
        // Both files are rounded to cents, each from finer prices.
        expect(Math.abs(days.high[i] - published.high[row])).toBeLessThan(0.025);
        expect(Math.abs(days.low[i] - published.low[row])).toBeLessThan(0.025);
      }
      expect(compared).toBe(symbol === "SPY" ? 6 : 3);
    });

    it("the FX week holds every hour of eleven years of EUR/USD", () => {
      const hours = load("EURUSD=X", "1h", "intraday", "lean-oanda-EURUSD-1h.csv.gz");
      const exchange = calendarOf("FX");
      expect(hours.time.length).toBe(74_439);
      expect(hours.time.filter((time) => !isOpen(exchange, time)).length).toBe(0);
    });
  },
);
