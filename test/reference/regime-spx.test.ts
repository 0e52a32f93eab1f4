import { describe, expect, it } from "vitest";
import { ensure } from "../../src/core/base/assert.js";
import { median } from "../../src/core/base/stats.js";
import type { Bars } from "../../src/core/market/candles.js";
import { REGIME_MEMORY, REGIMES, type Regime, UNKNOWN } from "../../src/core/regime/define.js";
import { computeRegimes, countTransitions, type RegimeColumns } from "../../src/core/regime/regime.js";
import { firstLeak } from "../fixtures/regime-leaks.js";
import { copyBars, readBars, readColumns } from "../fixtures/series.js";
import { sharedPath } from "../fixtures/shared.js";
import { sized } from "../fixtures/sizes.js";

const daily = sharedPath("data", "daily");
const file = (name: string) => `${ensure(daily, "the folder is there")}/${name}.csv.gz`;

/** Closes of the volatility index by day: epoch ms of midnight UTC. */
function readVix(): ReadonlyMap<number, number> {
  const columns = readColumns(file("index-VIX-1990-2026"));
  const close = ensure(columns.get("close"), "closes");
  const bars = readBars(file("index-VIX-1990-2026"));
  return new Map(Array.from(bars.time, (time, i) => [time, close[i]]));
}

interface Timeline {
  readonly bars: Bars;
  readonly columns: RegimeColumns;
  readonly vix: Float64Array;
}

function timelineOf(name: string, vix: ReadonlyMap<number, number>, withIndex: boolean): Timeline {
  const bars = readBars(file(name));
  const index = Float64Array.from(bars.time, (time) => vix.get(time) ?? Number.NaN);
  return { bars, columns: computeRegimes(bars, withIndex ? { volatilityIndex: index } : {}), vix: index };
}

/** Share of the days of a period that have one of some labels. */
function shareOf(
  { bars, columns }: Timeline,
  from: string,
  to: string,
  ...regimes: readonly Regime[]
): number {
  let days = 0;
  let found = 0;
  bars.time.forEach((time, i) => {
    if (time < Date.parse(from) || time > Date.parse(to) || columns.label[i] === UNKNOWN) return;
    days++;
    found += Number(regimes.includes(REGIMES[columns.label[i]]));
  });
  expect(days).toBeGreaterThan(20);
  return found / days;
}

function reached({ columns }: Timeline): Set<Regime> {
  return new Set([...columns.label].flatMap((label) => (label === UNKNOWN ? [] : [REGIMES[label]])));
}

describe.skipIf(daily === null)("regimes of the S&P 500", () => {
  const vix = daily === null ? new Map<number, number>() : readVix();

  describe.each([
    ["of prices alone", false],
    ["with the VIX", true],
  ])("%s", (_, withIndex) => {
    const spx = daily === null ? null : timelineOf("index-SPX-1990-2022", vix, withIndex);
    const share = (from: string, to: string, ...regimes: readonly Regime[]) =>
      shareOf(ensure(spx, "read"), from, to, ...regimes);

    it("September to December 2008 was volatile or falling, and never rising", () => {
      const [from, to] = ["2008-09-01", "2008-12-31"];
      expect(share(from, to, "high_volatility", "trending_bear")).toBeGreaterThan(0.75);
      expect(share(from, to, "high_volatility")).toBeGreaterThan(0.5);
      expect(share(from, to, "trending_bull", "low_volatility")).toBe(0);
    });

    it("2017 was quiet or rising, and never falling", () => {
      const [from, to] = ["2017-01-01", "2017-12-31"];
      expect(share(from, to, "low_volatility", "trending_bull")).toBeGreaterThan(0.6);
      expect(share(from, to, "trending_bear", "high_volatility", "distribution")).toBe(0);
    });

    it("24 February to April 2020 was volatile or falling", () => {
      const [from, to] = ["2020-02-24", "2020-04-30"];
      expect(share(from, to, "high_volatility", "trending_bear")).toBeGreaterThan(0.9);
      expect(share(from, to, "low_volatility", "ranging", "accumulation")).toBe(0);
    });

    it("the second half of 2020 was mostly rising", () => {
      const [from, to] = ["2020-07-01", "2020-12-31"];
      expect(share(from, to, "trending_bull")).toBeGreaterThan(0.5);
      expect(share(from, to, "trending_bull", "low_volatility", "accumulation")).toBeGreaterThan(0.75);
      expect(share(from, to, "trending_bear", "high_volatility")).toBeLessThan(0.05);
    });

    it("2022, as far as the series goes, was falling, volatile or turning, and never rising", () => {
      const [from, to] = ["2022-01-01", "2022-03-10"];
      expect(share(from, to, "trending_bear", "high_volatility", "reversal", "breakout")).toBeGreaterThan(
        0.6,
      );
      expect(share(from, to, "trending_bull", "low_volatility", "accumulation")).toBe(0);
    });

    it("has all nine labels, those of volume although its first eight years have none", () => {
      expect([...reached(ensure(spx, "read"))].sort()).toEqual([...REGIMES].sort());
    });

    it("has a VIX that is higher the worse the label", () => {
      const { columns, vix: index } = ensure(spx, "read");
      const of = (regime: Regime) =>
        median(
          index.filter((value, i) => !Number.isNaN(value) && columns.label[i] === REGIMES.indexOf(regime)),
        );
      expect(of("high_volatility")).toBeGreaterThan(of("trending_bear") + 2);
      expect(of("trending_bear")).toBeGreaterThan(of("ranging") + 3);
      expect(of("ranging")).toBeGreaterThan(of("trending_bull") + 1);
      expect(of("distribution")).toBeGreaterThan(of("accumulation"));
      expect(of("high_volatility")).toBeGreaterThan(of("low_volatility") + 7);
    });

    it("keeps a label for a fortnight on average", () => {
      const { counts } = countTransitions(ensure(spx, "read").columns.label);
      const total = counts.flat().reduce((sum, count) => sum + count, 0);
      const kept = counts.reduce((sum, row, label) => sum + row[label], 0);
      expect(total / (total - kept)).toBeGreaterThan(10);
    });
  });

  it("SPY has all nine labels too, and fell, turned or was volatile through 2022", () => {
    const spy = timelineOf("yahoo-SPY-to-2025", vix, false);
    expect([...reached(spy)].sort()).toEqual([...REGIMES].sort());
    const down = ["trending_bear", "high_volatility", "reversal", "distribution", "breakout"] as const;
    expect(shareOf(spy, "2022-01-01", "2022-12-31", ...down)).toBeGreaterThan(0.5);
    expect(shareOf(spy, "2022-01-01", "2022-12-31", "trending_bull")).toBeLessThan(0.15);
  });
});

const SERIES = [
  ["daily", "index-SPX-1990-2022"],
  ["daily", "yahoo-SPY-to-2025"],
  ["daily", "yahoo-GLD-to-2025"],
  ["daily", "kaggle-AAPL"],
  ["daily", "kaggle-TLT"],
  ["daily", "kaggle-TSLA"],
  ["intraday", "lean-SPY-1h"],
  ["intraday", "lean-oanda-EURUSD-1h"],
  ["intraday", "ejtrader-XAUUSD-1h"],
  ["intraday", "freqtrade-XRP_USDT_USDT-5m-futures"],
] as const;
const NEWEST = sized({ usual: 600, full: 1_500 });

describe.skipIf(daily === null)("every bar has the label it had when it closed", () => {
  it.each(SERIES)("%s %s", { timeout: 60_000 }, (folder, name) => {
    const bars = readBars(ensure(sharedPath("data", folder, `${name}.csv.gz`), name));
    const { length } = bars.time;
    const newest = copyBars(bars, Math.max(0, length - NEWEST - REGIME_MEMORY), length);
    expect(newest.time.length).toBeGreaterThan(REGIME_MEMORY + 500);
    expect(firstLeak(newest, computeRegimes, REGIME_MEMORY)).toBe(-1);
  });
});
