import { describe, expect, it } from "vitest";
import { type Candles, candlesFromRows, sliceCandles } from "../../src/core/market/candles.js";
import { STRATEGIES } from "../../src/core/strategies/index.js";
import { findCuts, TESTED_STRATEGIES } from "../../src/features/explain/truncation-strategy.js";
import { days } from "../fixtures/recorded-backtests.js";
import { readBars } from "../fixtures/series.js";
import { sharedPath } from "../fixtures/shared.js";

const missing = sharedPath("data", "daily") === null;
const MOST = 60;

/** The newest days of a share. */
function daily(symbol: string): Candles {
  return sliceCandles(candlesFromRows(symbol, "1d", days("daily", `kaggle-${symbol}.csv.gz`)), -700);
}

function minutes(): Candles {
  const path = sharedPath("data", "intraday", "lean-SPY-1m.csv.gz") ?? "";
  return { symbol: "SPY", interval: "1m", ...readBars(path) };
}

/** Strategies that these bars have nothing for: those of chains and models, and synergies, which are rare. */
const SILENT = STRATEGIES.filter(({ id, facts }) => facts.length > 0 || id === "synergy").map(({ id }) => id);

/** Findings over real bars, but for strategies that need what these have not. */
function found(series: readonly Candles[], strategies = TESTED_STRATEGIES.all()) {
  const search = { strategies, series, calendar: "XNYS", most: MOST, part: 0, parts: 1 } as const;
  return findCuts(TESTED_STRATEGIES, search);
}

describe.skipIf(missing)("the truncation test of strategies on real bars", () => {
  it("finds nothing in shares by the day", () => {
    const findings = found(["SPY", "AAPL", "GLD"].map(daily));
    expect(findings).toHaveLength(STRATEGIES.length);
    for (const { name, reason, tested, differences, said } of findings) {
      expect({ name, differences }).toEqual({ name, differences: 0 });
      if (reason !== null) expect(["vwap_deviation", "opening_range", ...SILENT]).toContain(name);
      else expect([tested, said > 0]).toEqual([name === "momentum_rotation" ? MOST : 3 * MOST, true]);
    }
  });

  it("finds nothing in minutes", () => {
    // The week was a calm one.
    const near = TESTED_STRATEGIES.named("vwap_deviation", { deviationPct: 0.1 });
    const apart = ["momentum_rotation", near.name, ...SILENT];
    const others = TESTED_STRATEGIES.all().filter(({ name }) => !apart.includes(name));
    const findings = found([minutes()], [...others, near]);
    expect(findings).toHaveLength(STRATEGIES.length - 1 - SILENT.length);
    for (const { name, reason, tested, differences } of findings) {
      expect({ name, reason, tested, differences }).toEqual({
        name,
        reason: null,
        tested: MOST,
        differences: 0,
      });
    }
  });
});
