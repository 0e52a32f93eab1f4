import { describe, expect, it } from "vitest";
import { type Candles, candlesFromRows, sliceCandles } from "../../src/core/market/candles.js";
import { doubleTop } from "../../src/core/patterns/chart/double.js";
import { CHARTS } from "../../src/core/patterns/chart/index.js";
import type { Hit, Pattern } from "../../src/core/patterns/define.js";
import { PATTERNS } from "../../src/core/patterns/index.js";
import { repaintedBars } from "../fixtures/repaint.js";
import { readBars } from "../fixtures/series.js";
import { sharedPath } from "../fixtures/shared.js";
import { sized } from "../fixtures/sizes.js";

const SYMBOLS = sized({
  usual: ["AAPL", "FB", "BRK.B"],
  full: ["AAPL", "AMZN", "DHR", "FB", "GOOGL", "NFLX", "NVDA", "WMT", "XOM", "BRK.B"],
});
/** Bars from one that is looked at to the next, where five years are looked at bar by bar. */
const STRIDE = sized({ usual: 9, full: 3 });
const folder = sharedPath("data", "daily");

function load(symbol: string, source = "sp500-5yr"): Candles {
  const bars = readBars(`${folder}/${source}-${symbol}.csv.gz`);
  const rows = Array.from(bars.time, (time, i) => ({
    time,
    open: bars.open[i],
    high: bars.high[i],
    low: bars.low[i],
    close: bars.close[i],
    volume: bars.volume[i],
  }));
  return candlesFromRows(
    symbol,
    "1d",
    rows.filter((row) => Object.values(row).every(Number.isFinite)),
  );
}

/** A double top that is told of only where the next bar closes lower. */
const leaking: Pick<Pattern, "find"> = {
  find(series, from, to, hits) {
    const found: Hit[] = [];
    doubleTop.find(series, from, to, found);
    const { close } = series.candles;
    hits.push(...found.filter(({ at }) => !(close[at + 1] >= close[at])));
  },
};

describe.skipIf(folder === null)("five years of real series", () => {
  it.each(SYMBOLS)("%s: what was said at each bar is never taken back", { timeout: 120_000 }, (symbol) => {
    const candles = load(symbol);
    expect(candles.time.length).toBeGreaterThan(1_200);
    expect(repaintedBars(PATTERNS, candles)).toEqual([]);
  });

  // Some of their shapes confirm at the bar after their last end, by less than a range.
  it.each(["BA", "XOM"])("%s over decades, too", { timeout: 120_000 }, (symbol) => {
    const candles = load(symbol, "kaggle");
    expect(candles.time.length).toBeGreaterThan(4_000);
    expect(repaintedBars(CHARTS, candles, STRIDE)).toEqual([]);
  });

  it("a detector that looks at the next bar is caught", () => {
    const candles = sliceCandles(load("AAPL"), 0, 500);
    expect(repaintedBars([doubleTop], candles)).toEqual([]);
    expect(repaintedBars([leaking], candles).length).toBeGreaterThan(0);
  });
});
