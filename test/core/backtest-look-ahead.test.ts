import { describe, expect, it } from "vitest";
import { findLookAhead } from "../../src/core/backtest/look-ahead.js";
import { type BacktestRules, type Listing, PLAIN_RULES } from "../../src/core/backtest/rules.js";
import { runBacktest } from "../../src/core/backtest/run.js";
import { meanOf } from "../../src/core/base/stats.js";
import { marginRules } from "../../src/core/execution/account.js";
import { defineStrategy, type Strategy } from "../../src/core/strategies/define.js";
import { STRATEGIES } from "../../src/core/strategies/index.js";
import type { Values } from "../../src/core/strategies/parameters.js";
import { wanderingCandles } from "../fixtures/market-walks.js";

const MARGIN: BacktestRules = {
  ...PLAIN_RULES,
  desk: { ...PLAIN_RULES.desk, account: marginRules("USD") },
};

function listingsFor({ needs, scope }: Strategy, length: number, seed: number): Listing[] {
  const interval = needs.includes("intraday") ? "5m" : "1d";
  const symbols = scope === "universe" ? ["AAA", "BBB", "CCC"] : ["AAA"];
  return symbols.map((symbol, k) => ({
    candles: wanderingCandles(symbol, interval, length - 7 * k, seed + k),
  }));
}

/** Both sides where there is a choice, so that short trades are looked at too. */
function bothSides({ parameters }: Strategy): Values {
  return "side" in parameters ? { side: "both" } : {};
}

describe("every strategy of the table", () => {
  it.each(STRATEGIES.map((row) => [row.id, row] as const))("%s sees no future and trades", (_, row) => {
    let decided = 0;
    for (const seed of [3, 40]) {
      const listings = listingsFor(row, 700, seed);
      const values = bothSides(row);
      expect(findLookAhead(row, listings, values, MARGIN, { cuts: 24, seed })).toBeNull();
      const { decisions, turned, trades } = runBacktest(row, listings, values, MARGIN);
      decided += decisions.length;
      expect(trades.length).toBeGreaterThan(0);
      expect(
        turned.filter(({ reason }) => reason !== "loss_on_wrong_side" && reason !== "target_on_wrong_side"),
      ).toEqual([]);
    }
    expect(decided).toBeGreaterThan(2);
  });
});

/** Buys where a close is above the one before, `ahead` bars from now. */
function peeking(ahead: number): Strategy {
  return defineStrategy({
    id: "peeking",
    title: "Peeking",
    description: "Looks at a bar that is not there yet.",
    parameters: {},
    warmup: () => 1,
    declare: ({ close }) => close,
    walk(stand) {
      const { columns: close, i } = stand;
      if (close[i + ahead] > close[i]) stand.enter(1);
      else if (close[i + ahead] < close[i]) stand.exit();
    },
  });
}

/** Takes the mean of the whole series. */
const SCALING = defineStrategy({
  id: "scaling",
  title: "Scaling",
  description: "Compares each close with the mean of all there are.",
  parameters: {},
  warmup: () => 0,
  declare: ({ close }) => close.map((each) => each / meanOf(close)),
  walk(stand) {
    const { columns, i } = stand;
    if (columns[i] < 1) stand.enter(1);
    else stand.exit();
  },
});

describe("a strategy that looks ahead", () => {
  const listings = [{ candles: wanderingCandles("AAA", "1d", 400, 5) }];

  it.each([1, 2, 5])("is found out when it peeks %i bars", (ahead) => {
    const found = findLookAhead(peeking(ahead), listings);
    expect(found).not.toBeNull();
    expect(found?.cut).toBe(listings[0].candles.time[found?.bar ?? 0]);
  });

  it("is found out when its columns are scaled by what comes later", () => {
    expect(findLookAhead(SCALING, listings)).not.toBeNull();
  });

  it("is left in peace when it looks back", () => {
    const few = [{ candles: wanderingCandles("AAA", "1d", 90, 5) }];
    expect(findLookAhead(peeking(-1), few, {}, PLAIN_RULES, { cuts: 90 })).toBeNull();
  });
});
