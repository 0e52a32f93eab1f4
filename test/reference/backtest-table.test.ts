import { describe, expect, it } from "vitest";
import { type Brief, briefOf, runBrief } from "../../src/core/backtest/brief.js";
import { findLookAhead } from "../../src/core/backtest/look-ahead.js";
import { type BacktestRules, PLAIN_RULES } from "../../src/core/backtest/rules.js";
import { runBacktest } from "../../src/core/backtest/run.js";
import { marginRules } from "../../src/core/execution/account.js";
import { type Candles, candlesFromRows, sliceCandles } from "../../src/core/market/candles.js";
import type { Strategy } from "../../src/core/strategies/define.js";
import { DIRECTED } from "../../src/core/strategies/hits.js";
import { STRATEGIES } from "../../src/core/strategies/index.js";
import type { Values } from "../../src/core/strategies/parameters.js";
import { patternTrade } from "../../src/core/strategies/pattern-trade.js";
import { days } from "../fixtures/recorded-backtests.js";
import { readBars } from "../fixtures/series.js";
import { sharedPath } from "../fixtures/shared.js";
import { walkingFacts } from "../fixtures/walking-facts.js";

const missing = sharedPath("data", "daily") === null;
const FREE_MARGIN = { ...marginRules("USD", 1), maintenanceLong: 0, maintenanceShort: 0, initialShort: 1 };
const RULES: BacktestRules = { ...PLAIN_RULES, desk: { ...PLAIN_RULES.desk, account: FREE_MARGIN } };

/** SPY by days, and a week of it by minutes. */
function spy(): { daily: Candles; minutes: Candles } {
  const daily = candlesFromRows("SPY", "1d", days("daily", "kaggle-SPY.csv.gz"));
  const path = sharedPath("data", "intraday", "lean-SPY-1m.csv.gz") ?? "";
  return { daily, minutes: { symbol: "SPY", interval: "1m", ...readBars(path) } };
}

function listingOf({ facts }: Strategy, candles: Candles) {
  return { candles, facts: walkingFacts(facts, candles.time.length, 7) };
}

function compare(strategy: Strategy, candles: Candles, values: Values): Brief {
  const listings = [listingOf(strategy, candles)];
  const brief = runBrief(strategy, listings, values, RULES);
  const whole = runBacktest(strategy, listings, values, RULES);
  expect({ ...brief, desk: "" }, strategy.id).toEqual(briefOf(whole, ""));
  return brief;
}

describe.skipIf(missing)("the table on SPY", () => {
  const { daily, minutes } = missing ? { daily: null, minutes: null } : spy();

  it.each(STRATEGIES.filter(({ scope }) => scope === "symbol").map((row) => [row.id, row] as const))(
    "%s sees no future, and comes to the same without a desk",
    (_, row) => {
      const candles = row.needs.includes("intraday") ? minutes : daily;
      if (candles === null) throw new Error("there is no reference material");
      const values = "side" in row.parameters ? { side: "both" } : {};
      expect(compare(row, candles, values).desk).toBeNull();
      expect(findLookAhead(row, [listingOf(row, candles)], values, RULES, { cuts: 6 })).toBeNull();
    },
  );

  it("each pattern comes to the same without a desk", () => {
    if (daily === null) throw new Error("there is no reference material");
    const candles = sliceCandles(daily, 0, 1_500);
    const trades = DIRECTED.map((pattern) => compare(patternTrade, candles, { pattern }).trades.net.length);
    expect(trades.filter((count) => count > 0).length).toBeGreaterThan(80);
  });
});
